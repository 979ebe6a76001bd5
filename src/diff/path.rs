//! Where two images differ: a layer, a file, a member of an archive in it, a key in that.

use std::fmt;

use crate::edit::Pointer;
use crate::types::obeyed;

/// A place in an image.
///
/// | written | place |
/// |---|---|
/// | `cri/docker.tar.gz` | a path of the root file system that a cluster sees |
/// | `cri/docker.tar.gz!/runc` | a member of that archive |
/// | `layer 1!/cri/docker.tar.gz!/runc` | the same in the lowest layer; layers count from 1 |
/// | `etc/daemon.json#/mirror-registries` | a key (RFC 6901) |
/// | `etc/custom-resources.yaml#{Installation default}/spec/registry` | a key in one of several documents |
/// | `image#/spec/image_config/cmd` | a key of the image's own document |
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct DiffPath {
    layer: Option<usize>,
    /// A path, then that of a member in it, and so on: bytes, as names in layers are.
    files: Vec<Vec<u8>>,
    key: Option<Key>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    document: Option<String>,
    route: Pointer,
}

impl DiffPath {
    /// The image's own document.
    #[must_use]
    pub(crate) fn image() -> Self {
        Self::default()
    }

    /// A path of the merged root file system.
    #[must_use]
    pub(crate) fn file(path: &[u8]) -> Self {
        Self { files: vec![path.to_vec()], ..Self::default() }
    }

    /// A layer; they count from 1, the lowest.
    #[must_use]
    pub(crate) fn layer(number: usize) -> Self {
        Self { layer: Some(number), ..Self::default() }
    }

    /// What is in this at a path: in a layer a file, in a file a member.
    #[must_use]
    pub(crate) fn inner(&self, path: &[u8]) -> Self {
        let mut inner = Self { key: None, ..self.clone() };
        inner.files.push(path.to_vec());
        inner
    }

    /// A key in this; `document` says in which of several documents.
    #[must_use]
    pub(crate) fn key(&self, document: Option<&str>, route: Pointer) -> Self {
        Self { key: Some(Key { document: document.map(str::to_owned), route }), ..self.clone() }
    }

    /// The first path: of a file in a layer or in the image.
    pub(super) fn first_file(&self) -> Option<&[u8]> {
        self.files.first().map(Vec::as_slice)
    }

    /// The part after the first path; empty if there is none.
    #[must_use]
    pub(crate) fn behind_file(&self) -> String {
        let mut text = String::new();
        for (index, path) in self.files.iter().skip(1).enumerate() {
            text.push_str(if index == 0 { "" } else { "!/" });
            text.push_str(&name_text(path));
        }
        self.key.iter().for_each(|key| text.push_str(&key.text(!text.is_empty())));
        text
    }
}

impl Key {
    /// `#` marks the end of a path and the start of a key; it is not needed without a path.
    fn text(&self, behind_path: bool) -> String {
        let mark = if behind_path { "#" } else { "" };
        match &self.document {
            Some(document) if behind_path => {
                format!("{mark}{{{}}}{}", one_line(document), one_line(&self.route.to_string()))
            }
            Some(document) => format!("{} {}", one_line(document), one_line(&self.route.to_string())),
            None => format!("{mark}{}", one_line(&self.route.to_string())),
        }
    }
}

impl fmt::Display for DiffPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.layer.iter().map(|number| format!("layer {number}")).collect();
        parts.extend(self.files.iter().map(|path| name_text(path)));
        if parts.is_empty() {
            parts.push("image".to_owned());
        }
        f.write_str(&parts.join("!/"))?;
        self.key.iter().try_for_each(|key| f.write_str(&key.text(true)))
    }
}

impl serde::Serialize for DiffPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A name inside a layer or archive as text: what is not UTF-8 as `\xNN`, control characters as escapes, so that it
/// stays one line; a backslash twice, so that two names never look the same.
#[must_use]
pub(crate) fn name_text(name: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                character if obeyed(character) => text.extend(character.escape_default()),
                character => text.push(character),
            }
        }
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02x}").expect("a String takes all that is written");
        }
    }
    text
}

/// A text from outside in one line: control characters are escaped.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if obeyed(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_from_the_outside_in() {
        let runc = DiffPath::layer(1).inner(b"cri/docker.tar.gz").inner(b"runc");
        let route: Pointer = "/spec/a~1b".parse().unwrap();
        let file = DiffPath::file(b"etc/x.yaml");
        for (path, text, behind) in [
            (DiffPath::layer(2), "layer 2", ""),
            (runc.clone(), "layer 1!/cri/docker.tar.gz!/runc", "runc"),
            (DiffPath::file(b"a.tar").inner(b"b.tgz").inner(b"c"), "a.tar!/b.tgz!/c", "b.tgz!/c"),
            (file.key(None, route.clone()), "etc/x.yaml#/spec/a~1b", "/spec/a~1b"),
            (file.key(Some("Pod a/b"), route.clone()), "etc/x.yaml#{Pod a/b}/spec/a~1b", "Pod a/b /spec/a~1b"),
            (
                runc.key(Some("Pod c"), route.clone()),
                "layer 1!/cri/docker.tar.gz!/runc#{Pod c}/spec/a~1b",
                "runc#{Pod c}/spec/a~1b",
            ),
            (DiffPath::image().key(None, route), "image#/spec/a~1b", "/spec/a~1b"),
        ] {
            assert_eq!((path.to_string().as_str(), path.behind_file().as_str()), (text, behind));
        }
    }

    #[test]
    fn names_are_bytes_and_shown_as_one_line_of_text() {
        for (name, text) in [
            (&b"plain"[..], "plain"),
            ("ü".as_bytes(), "ü"),
            (b"\xff\xfe.x", "\\xff\\xfe.x"),
            (b"a\nb\x1b[0m", "a\\nb\\u{1b}[0m"),
            (b"a\\xff", "a\\\\xff"),
        ] {
            assert_eq!(name_text(name), text);
        }
    }
}
