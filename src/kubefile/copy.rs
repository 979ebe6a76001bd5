//! Where a COPY takes from and where it puts things.

use crate::words::{ContextPath, ContextPathError};

/// The source of a COPY: a path of the context, possibly with wildcards and `${ARCH}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySource(String);

/// The destination of a COPY inside the layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyDestination(ContextPath);

impl CopySource {
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
    pub fn for_architecture(&self, architecture: &str) -> String {
        self.0.replace("${ARCH}", architecture)
    }
}

impl CopyDestination {
    /// Takes the word as sealer does: one leading `./` or `/` and a trailing `/` are cut. `..` is refused.
    pub fn parse(word: &str) -> Result<Self, ContextPathError> {
        let cut = word.strip_prefix("./").or_else(|| word.strip_prefix('/')).unwrap_or(word);
        cut.parse().map(Self)
    }

    /// Where something of the context lands whose last part is `name`: below the destination, or, when the
    /// destination's last part is that very name, at the destination itself.
    #[must_use]
    pub fn place(&self, name: &str) -> ContextPath {
        if self.0.file_name() == Some(name) {
            return self.0.clone();
        }
        // A single part of a path that was matched in the context: it is a good part of a path here too.
        name.parse().map_or_else(|_| self.0.clone(), |name| self.0.join(&name))
    }

    /// The destination itself, where the contents of the context land.
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
            assert_eq!(CopyDestination::parse(destination).unwrap().place(name).to_string(), place);
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
            assert_eq!(CopySource::parse(word).unwrap().for_architecture("amd64"), path);
        }
        assert!(CopySource::parse("a/../../x").is_err());
    }
}
