//! How a document is written.

use crate::types::ContextPath;

/// The languages that documents are edited in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// RFC 8259, strictly.
    Json,
    /// YAML, one or several documents.
    Yaml,
}

impl Format {
    /// The format that a file's name ends in: `.json`, `.yaml`, `.yml`; `None` for other names.
    #[must_use]
    pub(crate) fn of_path(path: &ContextPath) -> Option<Self> {
        let (_, extension) = path.file_name()?.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_formats() {
        for (path, format) in [
            ("etc/daemon.json", Some(Format::Json)),
            ("a.yaml", Some(Format::Yaml)),
            ("a.b.YML", Some(Format::Yaml)),
            ("a.yaml.tmpl", None),
            ("json", None),
            ("d.json/x", None),
            (".", None),
        ] {
            assert_eq!(Format::of_path(&path.parse().unwrap()), format, "{path}");
        }
    }
}
