//! The forms in which archives are packed, by the names of their files.

use crate::types::{FailureKind, Reportable};

/// How an archive is packed: a tar, plain or compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackedForm {
    /// A plain tar.
    Tar,
    /// In gzip.
    TarGz,
    /// In xz.
    TarXz,
    /// In zstd.
    TarZst,
    /// In bzip2.
    TarBz2,
}

impl PackedForm {
    /// The endings of names, with their forms.
    pub(super) const ENDS: [(&str, Self); 9] = [
        (".tar", Self::Tar),
        (".tar.gz", Self::TarGz),
        (".tgz", Self::TarGz),
        (".tar.xz", Self::TarXz),
        (".txz", Self::TarXz),
        (".tar.zst", Self::TarZst),
        (".tzst", Self::TarZst),
        (".tar.bz2", Self::TarBz2),
        (".tbz2", Self::TarBz2),
    ];

    /// The form for a file name, by its ending.
    pub(crate) fn of_name(name: &str) -> Result<Self, UnknownForm> {
        let file = name.rsplit('/').next().unwrap_or(name);
        let says = |end: &str| file.strip_suffix(end).is_some_and(|stem| !stem.is_empty());
        let found = Self::ENDS.iter().find(|(end, _)| says(end));
        found.map(|(_, form)| *form).ok_or_else(|| UnknownForm(name.to_owned()))
    }

    /// The supported endings, as a part of a sentence.
    fn expected() -> String {
        let ends = Self::ENDS.map(|(end, _)| format!("`{end}`"));
        let [others @ .., last] = &ends;
        format!("{} or {last}", others.join(", "))
    }
}

/// A file name that says no form.
#[derive(Debug, thiserror::Error)]
#[error("cannot tell the archive format from the name `{0}`: expected {ends}", ends = PackedForm::expected())]
pub(crate) struct UnknownForm(String);

impl Reportable for UnknownForm {
    fn kind(&self) -> FailureKind {
        FailureKind::Invalid
    }
}
