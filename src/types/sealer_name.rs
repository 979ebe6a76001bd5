//! Names of sealer's own images, completed by sealer's rules.

use std::fmt;
use std::str::FromStr;

use super::image_source::of_engine;
use super::reference::{ImageRef, ReferenceError, split};

const DEFAULT_REGISTRY: &str = "registry.cn-qingdao.aliyuncs.com";
const DEFAULT_NAMESPACE: &str = "sealer-io";

/// The complete name of a sealer image, as the store and the image's document have it.
///
/// `kubernetes:v1.19.8` is `registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes:v1.19.8`: without a registry it is
/// that one, and there, without a namespace, it is `sealer-io`. Without a tag it is `latest`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SealerName(ImageRef);

impl SealerName {
    /// The name as a reference for a registry.
    #[must_use]
    pub fn reference(&self) -> &ImageRef {
        &self.0
    }

    /// The name without what the rules would add: `kubernetes:v1.19.8`. For people; never a key.
    #[must_use]
    pub(crate) fn familiar(&self) -> String {
        let complete = self.0.to_string();
        let short = complete.strip_prefix(DEFAULT_REGISTRY).and_then(|rest| rest.strip_prefix('/'));
        let short = short.and_then(|rest| rest.strip_prefix(DEFAULT_NAMESPACE)).and_then(|rest| rest.strip_prefix('/'));
        short.filter(|short| !short.contains('/') && of_engine(short).is_none()).map_or(complete.clone(), str::to_owned)
    }
}

impl FromStr for SealerName {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if of_engine(text).is_some() {
            let reason = "`docker-daemon:` names an image of the Docker engine, but this must be a sealer image";
            return Err(ReferenceError::new(text, reason));
        }
        let parts = split(text)?;
        let registry = parts.domain.unwrap_or(DEFAULT_REGISTRY);
        let repository = match (registry, parts.path.contains('/')) {
            (DEFAULT_REGISTRY, false) => format!("{DEFAULT_NAMESPACE}/{}", parts.path),
            _ => parts.path.to_owned(),
        };
        let tag = match (parts.tag, parts.digest) {
            (None, None) => Some("latest"),
            (tag, _) => tag,
        };
        Ok(Self(ImageRef::from_parts(registry.to_owned(), repository, tag.map(str::to_owned), parts.digest)))
    }
}

impl fmt::Display for SealerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

crate::types::serde_as_text!(SealerName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_as_sealer_does() {
        for (written, complete, familiar) in [
            (
                "kubernetes:v1.19.8",
                "registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes:v1.19.8",
                "kubernetes:v1.19.8",
            ),
            ("kubernetes", "registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes:latest", "kubernetes:latest"),
            (
                "abc/tag",
                "registry.cn-qingdao.aliyuncs.com/abc/tag:latest",
                "registry.cn-qingdao.aliyuncs.com/abc/tag:latest",
            ),
            ("registry.cn-qingdao.aliyuncs.com/x", "registry.cn-qingdao.aliyuncs.com/sealer-io/x:latest", "x:latest"),
            ("xxx.com:5000/abc/tag:v1", "xxx.com:5000/abc/tag:v1", "xxx.com:5000/abc/tag:v1"),
            ("localhost/x:1", "localhost/x:1", "localhost/x:1"),
            ("docker.io/x:1", "docker.io/x:1", "docker.io/x:1"),
        ] {
            let name: SealerName = written.parse().unwrap();
            assert_eq!((name.to_string().as_str(), name.familiar().as_str()), (complete, familiar));
            assert_eq!(complete.parse::<SealerName>().unwrap(), name);
            assert_eq!(familiar.parse::<SealerName>().unwrap(), name);
        }
    }

    #[test]
    fn uppercase_and_white_space_are_refused() {
        assert!("Kubernetes:v1".parse::<SealerName>().is_err());
        assert!("kubernetes: v1".parse::<SealerName>().is_err());
    }
}
