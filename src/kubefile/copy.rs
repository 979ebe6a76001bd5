//! Where a COPY takes from and where it puts things.

use std::ffi::{OsStr, OsString};

use crate::types::{ContextPath, ContextPathError};

use super::remote::{ARCH, RemoteFile};

/// The source of a COPY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopySource {
    /// Files of the context.
    Context(ContextPattern),
    /// A file from elsewhere.
    Remote(RemoteFile),
}

/// A path of the context, possibly with wildcards and `${ARCH}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextPattern(String);

/// The destination of a COPY inside the layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyDestination(ContextPath);

impl ContextPattern {
    /// Takes the word as sealer does: a leading `/` and leading `../` mean the context itself.
    pub fn parse(word: &str) -> Result<Self, ContextPathError> {
        let mut rest = word;
        loop {
            let shorter = rest.trim_start_matches('/');
            let shorter = shorter.strip_prefix("../").or_else(|| shorter.strip_prefix("./")).unwrap_or(shorter);
            if shorter == rest {
                break;
            }
            rest = shorter;
        }
        let path: ContextPath = if rest == ".." { ContextPath::root() } else { rest.parse()? };
        Ok(Self(path.as_str().to_owned()))
    }

    /// The path for an architecture in Go's words, its wildcards still in it; empty is the context itself.
    #[must_use]
    pub(crate) fn for_architecture(&self, architecture: &str) -> String {
        self.0.replace(ARCH, architecture)
    }
}

impl CopyDestination {
    /// Takes the word as sealer does: one leading `./` or `/` and a trailing `/` are cut. `..` is refused.
    pub fn parse(word: &str) -> Result<Self, ContextPathError> {
        let cut = word.strip_prefix("./").or_else(|| word.strip_prefix('/')).unwrap_or(word);
        cut.parse().map(Self)
    }

    /// Where an entry of the context with the name `name` is copied to: its folder in the layer and its name there. It
    /// is below the destination, or, when the destination's last part is that very name, at the destination itself.
    #[must_use]
    pub fn place(&self, name: &OsStr) -> (ContextPath, OsString) {
        let same = self.0.file_name().is_some_and(|last| OsStr::new(last) == name);
        let folder = if same { self.0.parent().unwrap_or_default() } else { self.0.clone() };
        (folder, name.to_owned())
    }

    /// The destination itself, for the contents of the context.
    #[must_use]
    pub fn root(&self) -> &ContextPath {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_follow_sealer() {
        for (name, destination, place) in [
            ("etc", ".", "etc"),
            ("etc", "etc", "etc"),
            ("etc", "etc/", "etc"),
            ("etc", "/", "etc"),
            ("etc", "/opt", "opt/etc"),
            ("a.yaml", "etc", "etc/a.yaml"),
            ("a.yaml", "etc/a.yaml", "etc/a.yaml"),
            ("a.yaml", "etc/z.yaml", "etc/z.yaml/a.yaml"),
            ("imageList", "./manifests/", "manifests/imageList"),
            ("sub", "deep/er", "deep/er/sub"),
        ] {
            let (folder, name) = CopyDestination::parse(destination).unwrap().place(OsStr::new(name));
            assert_eq!(folder.as_path().join(name), std::path::Path::new(place));
        }
        assert!(CopyDestination::parse("../x").is_err());
        assert!(CopyDestination::parse("a/../../x").is_err());
    }

    #[test]
    fn sources_stay_in_the_context() {
        for (word, path) in [
            (".", ""),
            ("./etc/", "etc"),
            ("/etc/hostname", "etc/hostname"),
            ("../outside", "outside"),
            ("../../x", "x"),
            ("/../x", "x"),
            ("${ARCH}/bin", "amd64/bin"),
            ("*.yaml", "*.yaml"),
        ] {
            assert_eq!(ContextPattern::parse(word).unwrap().for_architecture("amd64"), path);
        }
        assert!(ContextPattern::parse("a/../../x").is_err());
    }
}
