//! Where a container image comes from: its registry, or the local Docker engine (`docker-daemon:NAME`).

use std::fmt;
use std::str::FromStr;

use super::{ImageRef, ReferenceError};

/// The prefix of an image that only the local Docker engine has, as in other tools.
const ENGINE_PREFIX: &str = "docker-daemon:";

/// A container image and its source.
///
/// As text a registry's image is its complete reference and an engine's is `docker-daemon:` with the name as
/// `docker images` shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageSource {
    /// The registry that the reference names.
    Registry(ImageRef),
    /// The local Docker engine; the reference has a tag and no digest.
    Engine(ImageRef),
}

impl ImageSource {
    /// The image's name, wherever it comes from: the cluster uses this name.
    #[must_use]
    pub fn reference(&self) -> &ImageRef {
        match self {
            Self::Registry(reference) | Self::Engine(reference) => reference,
        }
    }

    /// The source in the short form in which people and image lists write it; it reads back as the same source.
    #[must_use]
    pub(crate) fn familiar(&self) -> String {
        match self {
            // An image of Docker's own registry that is itself called `docker-daemon`.
            Self::Registry(reference) if of_engine(&reference.familiar()).is_some() => reference.to_string(),
            Self::Registry(reference) => reference.familiar(),
            Self::Engine(_) => self.to_string(),
        }
    }
}

impl From<ImageRef> for ImageSource {
    fn from(reference: ImageRef) -> Self {
        Self::Registry(reference)
    }
}

impl FromStr for ImageSource {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        engine_name(text).unwrap_or_else(|| text.parse().map(Self::Registry))
    }
}

impl fmt::Display for ImageSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => fmt::Display::fmt(reference, f),
            Self::Engine(reference) => {
                let short = format!("{ENGINE_PREFIX}{}", reference.familiar());
                match of_engine(&short) {
                    Some(_) => f.write_str(&short),
                    None => write!(f, "{ENGINE_PREFIX}{reference}"),
                }
            }
        }
    }
}

crate::types::serde_as_text!(ImageSource);

/// The engine's image in a text. `docker-daemon:5000/x` is not one: a first part with a port is a registry.
pub(super) fn of_engine(text: &str) -> Option<&str> {
    let name = text.strip_prefix(ENGINE_PREFIX)?;
    let is_port = |first: &str| !first.is_empty() && first.bytes().all(|b| b.is_ascii_digit());
    (!name.split_once('/').is_some_and(|(first, _)| is_port(first))).then_some(name)
}

/// The engine's image in the text, if it has the prefix.
pub(super) fn engine_name(text: &str) -> Option<Result<ImageSource, ReferenceError>> {
    let name = of_engine(text)?;
    let refuse = |reason| Some(Err(ReferenceError::new(text, reason)));
    if name.starts_with("sha256:") {
        return refuse("name an image of the engine by its name and tag, not by its id");
    }
    let reference = match name.parse::<ImageRef>() {
        Ok(reference) => reference,
        Err(error) => return Some(Err(error.within(text))),
    };
    if reference.digest().is_some() {
        return refuse("name an image of the engine by its name and tag: it gets a digest only when it is converted");
    }
    Some(Ok(ImageSource::Engine(reference)))
}

#[cfg(test)]
mod tests {
    use super::super::{BaseSource, SealerName};
    use super::*;

    #[test]
    fn the_prefix_says_who_is_asked_and_every_form_reads_back() {
        for (written, complete, familiar, name) in [
            ("nginx", "docker.io/library/nginx:latest", "nginx:latest", "docker.io/library/nginx:latest"),
            (
                "docker-daemon:foo",
                "docker-daemon:foo:latest",
                "docker-daemon:foo:latest",
                "docker.io/library/foo:latest",
            ),
            ("docker-daemon:foo:v1", "docker-daemon:foo:v1", "docker-daemon:foo:v1", "docker.io/library/foo:v1"),
            (
                "docker-daemon:reg.io:5000/a/b:1",
                "docker-daemon:reg.io:5000/a/b:1",
                "docker-daemon:reg.io:5000/a/b:1",
                "reg.io:5000/a/b:1",
            ),
            (
                "docker.io/library/docker-daemon:v1",
                "docker.io/library/docker-daemon:v1",
                "docker.io/library/docker-daemon:v1",
                "docker.io/library/docker-daemon:v1",
            ),
            ("docker-daemon:5000/x:1", "docker-daemon:5000/x:1", "docker-daemon:5000/x:1", "docker-daemon:5000/x:1"),
            (
                "docker-daemon:docker.io/5000/x:1",
                "docker-daemon:docker.io/5000/x:1",
                "docker-daemon:docker.io/5000/x:1",
                "docker.io/5000/x:1",
            ),
            (
                "quay.io/docker-daemon:v1",
                "quay.io/docker-daemon:v1",
                "quay.io/docker-daemon:v1",
                "quay.io/docker-daemon:v1",
            ),
            (
                "docker-daemon",
                "docker.io/library/docker-daemon:latest",
                "docker.io/library/docker-daemon:latest",
                "docker.io/library/docker-daemon:latest",
            ),
        ] {
            let source: ImageSource = written.parse().unwrap();
            assert_eq!(
                matches!(source, ImageSource::Engine(_)),
                complete.starts_with("docker-daemon:") && !complete.starts_with("docker-daemon:5000"),
                "{written}"
            );
            assert_eq!((source.to_string().as_str(), source.familiar().as_str()), (complete, familiar));
            assert_eq!(source.reference().to_string(), name);
            assert_eq!(complete.parse::<ImageSource>().unwrap(), source);
            assert_eq!(familiar.parse::<ImageSource>().unwrap(), source);
            let json = serde_json::to_string(&source).unwrap();
            assert_eq!(json, format!("\"{complete}\""));
            assert_eq!(serde_json::from_str::<ImageSource>(&json).unwrap(), source);
        }
    }

    #[test]
    fn bases_are_sealer_s_names_or_an_engine_s() {
        let base: BaseSource = "kubernetes:v1.19.8".parse().unwrap();
        assert_eq!(base, BaseSource::Sealer("kubernetes:v1.19.8".parse().unwrap()));
        assert_eq!(base.to_string(), "registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes:v1.19.8");
        let base: BaseSource = "docker-daemon:kubernetes".parse().unwrap();
        assert_eq!((base.to_string().as_str(), base.sealer()), ("docker-daemon:kubernetes:latest", None));
        assert_eq!(base.image().to_string().parse::<BaseSource>().unwrap(), base);
    }

    #[test]
    fn what_names_no_image_of_an_engine_is_refused_as_written() {
        let digest = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        let errors: Vec<String> = ["", "Foo", "a b", &format!("foo@{digest}"), digest, "docker-daemon:foo:v1"]
            .iter()
            .map(|name| format!("{ENGINE_PREFIX}{name}").parse::<ImageSource>().unwrap_err().to_string())
            .collect();
        insta::assert_debug_snapshot!(errors, @r#"
        [
            "`docker-daemon:` is not an image reference: it is empty",
            "`docker-daemon:Foo` is not an image reference: a repository must be in lower case",
            "`docker-daemon:a b` is not an image reference: it contains white space",
            "`docker-daemon:foo@sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03` is not an image reference: name an image of the engine by its name and tag: it gets a digest only when it is converted",
            "`docker-daemon:sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03` is not an image reference: name an image of the engine by its name and tag, not by its id",
            "`docker-daemon:docker-daemon:foo:v1` is not an image reference: a repository has parts of lower-case letters and digits, joined by `/`, `.`, `_` or `-`",
        ]
        "#);
        // A sealer image of that name would look like an engine's.
        insta::assert_snapshot!("docker-daemon:v1".parse::<SealerName>().unwrap_err(), @"`docker-daemon:v1` is not an image reference: `docker-daemon:` names an image of the Docker engine, but this must be a sealer image");
    }
}
