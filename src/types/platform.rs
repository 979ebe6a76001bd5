//! Platforms as sealer and the registries write them.

use std::fmt;
use std::str::FromStr;

/// An operating system, an architecture and, for arm, a variant: `linux/amd64`, `linux/arm/v7`.
///
/// Normalised as sealer stores it: `linux/arm64` has the variant `v8`, `linux/arm` without one `v7`, amd64 none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// Why a text is not a [`Platform`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a supported platform: expected `linux/ARCHITECTURE[/VARIANT]`, with an architecture of {list}", list = ARCHITECTURES.join(", "))]
pub struct PlatformError(String);

/// The architectures of Linux containers, by their Go names.
const ARCHITECTURES: [&str; 10] =
    ["386", "amd64", "arm", "arm64", "loong64", "mips64le", "mipsle", "ppc64le", "riscv64", "s390x"];

impl Platform {
    /// A platform from its parts, normalised.
    #[must_use]
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let architecture = match architecture {
            "x86_64" | "x86-64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let variant = variant.filter(|variant| !variant.is_empty());
        let variant = match (architecture, variant) {
            ("arm64", _) => Some("v8"),
            ("arm", None) => Some("v7"),
            ("amd64", Some("v1")) => None,
            (_, variant) => variant,
        };
        Self { os: os.to_owned(), architecture: architecture.to_owned(), variant: variant.map(str::to_owned) }
    }

    /// The platform of the machine that this program runs on; the system is linux, as every base image's.
    #[must_use]
    pub fn host() -> Self {
        Self::new("linux", std::env::consts::ARCH, None)
    }

    /// The operating system, `linux`.
    #[must_use]
    pub fn os(&self) -> &str {
        &self.os
    }

    /// The architecture by its Go name: `amd64`, `arm64`.
    #[must_use]
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// The variant, if the architecture has one.
    #[must_use]
    pub fn variant(&self) -> Option<&str> {
        self.variant.as_deref()
    }

    /// The architecture as `uname -m` says it: `x86_64`, `aarch64`. URLs of static builds use it.
    #[must_use]
    pub fn machine(&self) -> &str {
        match (self.architecture.as_str(), self.variant.as_deref()) {
            ("amd64", _) => "x86_64",
            ("arm64", _) => "aarch64",
            ("386", _) => "i686",
            ("arm", Some("v6")) => "armv6l",
            ("arm", _) => "armv7l",
            (other, _) => other,
        }
    }

    /// The ELF `e_machine` number of programs for this platform, if it is known.
    #[must_use]
    pub(crate) fn elf_machine(&self) -> Option<u16> {
        match self.architecture.as_str() {
            "386" => Some(3),
            "ppc64le" => Some(21),
            "s390x" => Some(22),
            "arm" => Some(40),
            "amd64" => Some(62),
            "arm64" => Some(183),
            "riscv64" => Some(243),
            "loong64" => Some(258),
            _ => None,
        }
    }
}

impl fmt::Display for Platform {
    /// `os/architecture`, with the variant only if it is not the architecture's usual one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match (self.architecture.as_str(), &self.variant) {
            (_, None) | ("arm64", _) => Ok(()),
            (_, Some(variant)) => write!(f, "/{variant}"),
        }
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let parts: Vec<&str> = text.split('/').collect();
        let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let good = parts.iter().all(|part| word(part)) && parts.first() == Some(&"linux");
        let platform = match parts[..] {
            [os, architecture] if good => Some(Self::new(os, architecture, None)),
            [os, architecture, variant] if good => Some(Self::new(os, architecture, Some(variant))),
            _ => None,
        };
        let known = platform.filter(|platform| ARCHITECTURES.contains(&platform.architecture()));
        known.ok_or_else(|| PlatformError(text.to_owned()))
    }
}

crate::types::serde_as_text!(Platform);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_platform_are_equal() {
        for (written, complete, variant) in [
            ("linux/amd64", "linux/amd64", None),
            ("linux/x86_64", "linux/amd64", None),
            ("linux/arm64", "linux/arm64", Some("v8")),
            ("linux/arm64/v8", "linux/arm64", Some("v8")),
            ("linux/aarch64", "linux/arm64", Some("v8")),
            ("linux/arm", "linux/arm/v7", Some("v7")),
            ("linux/arm/v6", "linux/arm/v6", Some("v6")),
        ] {
            let platform: Platform = written.parse().unwrap();
            assert_eq!((platform.to_string().as_str(), platform.variant()), (complete, variant), "{written}");
            assert_eq!(complete.parse::<Platform>().unwrap(), platform);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "linux",
            "amd64",
            "windows/amd64",
            "linux/",
            "linux/amd64/v1/x",
            "linux/../etc",
            "linux/a b",
            "linux/amd46",
        ] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }
}
