//! What steps take and leave: said of each step once, for all that look at a plan without carrying it out.

use super::{
    ArchiveSource, Chmod, CopyFile, Download, MovePath, PlannedStep, Remove, ReplaceText, Route, Symlink, WriteFile,
};
use crate::sources::Need;
use crate::types::{ContextPath, Platform};

/// Paths or globs of the context, and the field of the recipe that says them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldPaths<'a> {
    /// The field.
    pub field: &'static str,
    /// The paths, or the globs where the field is a list.
    pub paths: Vec<&'a str>,
    /// Whether the field is a list.
    is_list: bool,
}

impl<'a> FieldPaths<'a> {
    fn one(field: &'static str, path: &'a ContextPath) -> Self {
        Self { field, paths: vec![path.as_str()], is_list: false }
    }

    fn list(field: &'static str, globs: &'a [String]) -> Self {
        Self { field, paths: globs.iter().map(String::as_str).collect(), is_list: true }
    }

    /// Each with its place in the step.
    pub fn places(&self) -> impl Iterator<Item = (Route, &'a str)> {
        let route = Route::stage().then(self.field);
        let place = move |index: usize| if self.is_list { route.then(index) } else { route.clone() };
        self.paths.iter().enumerate().map(move |(index, path)| (place(index), *path))
    }
}

/// What a step has to do with files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFiles<'a> {
    /// What it reads or changes and so must find in the context.
    pub found: FieldPaths<'a>,
    /// What has content of its making afterwards.
    pub written: FieldPaths<'a>,
    /// What it reads beside the recipe, with the field that says it.
    pub beside: Option<(&'static str, &'a ContextPath)>,
    /// Whether nothing to do is fine for it.
    pub optional: bool,
}

impl StepFiles<'_> {
    /// All paths and globs of the context that the step reads or changes.
    #[must_use]
    pub fn touched(&self) -> Vec<String> {
        let mut touched: Vec<String> = Vec::new();
        for path in self.written.paths.iter().chain(&self.found.paths) {
            if !touched.iter().any(|known| known == path) {
                touched.push((*path).to_owned());
            }
        }
        touched
    }

    /// Whether it writes without reading anything of the context.
    #[must_use]
    pub fn only_writes(&self) -> bool {
        self.found.paths.is_empty()
    }
}

impl PlannedStep {
    /// What it has to do with files.
    #[must_use]
    pub fn files(&self) -> StepFiles<'_> {
        let none = FieldPaths::default;
        let (found, written, beside, optional) = match self {
            Self::ReplaceArchive { path, source, optional, .. } => {
                let beside = match source {
                    ArchiveSource::File(file) => Some(("file", file)),
                    ArchiveSource::Url(_) => None,
                };
                (FieldPaths::one("path", path), FieldPaths::one("path", path), beside, optional)
            }
            Self::ReplaceImage { path, optional, .. }
            | Self::Patch { path, optional, .. }
            | Self::ReplaceText(ReplaceText { path, optional, .. }) => {
                (FieldPaths::one("path", path), FieldPaths::one("path", path), None, optional)
            }
            Self::RewriteImages { paths, optional, .. } => {
                (FieldPaths::list("paths", paths), FieldPaths::list("paths", paths), None, optional)
            }
            Self::ImageList { path, from, optional, .. } => {
                (FieldPaths::list("from", from), FieldPaths::one("path", path), None, optional)
            }
            Self::Write(WriteFile { path, optional, .. })
            | Self::Download(Download { path, optional, .. })
            | Self::Symlink(Symlink { path, optional, .. }) => (none(), FieldPaths::one("path", path), None, optional),
            Self::Copy(CopyFile { from, path, optional, .. }) => {
                (none(), FieldPaths::one("path", path), Some(("from", from)), optional)
            }
            Self::Move(MovePath { from, to, optional }) => {
                (FieldPaths::one("from", from), FieldPaths::one("to", to), None, optional)
            }
            // They write no content.
            Self::Remove(Remove { paths, optional }) | Self::Chmod(Chmod { paths, optional, .. }) => {
                (FieldPaths::list("paths", paths), none(), None, optional)
            }
        };
        StepFiles { found, written, beside, optional: *optional }
    }

    /// What it needs from outside, with the field that asks for it. The images of manifests that a list is made from are
    /// known only when the step runs.
    #[must_use]
    pub fn needs(&self, platform: &Platform) -> Vec<(Route, Need)> {
        let field = |name: &str| Route::stage().then(name);
        match self {
            Self::ReplaceArchive { source: ArchiveSource::Url(url), sha256, .. } => {
                vec![(field("url"), Need::File(url.clone(), *sha256))]
            }
            Self::Download(step) => vec![(field("url"), Need::File(step.url.clone(), step.sha256))],
            Self::ReplaceImage { image, .. } => vec![(field("image"), Need::Image(image.clone(), platform.clone()))],
            Self::ImageList { images, .. } => {
                let needs = images.iter().map(|entry| Need::Image(entry.image.clone(), platform.clone()));
                needs.enumerate().map(|(index, need)| (field("images").then(index), need)).collect()
            }
            Self::ReplaceArchive { source: ArchiveSource::File(_), .. }
            | Self::Patch { .. }
            | Self::RewriteImages { .. }
            | Self::ReplaceText(_)
            | Self::Write(_)
            | Self::Copy(_)
            | Self::Remove(_)
            | Self::Move(_)
            | Self::Chmod(_)
            | Self::Symlink(_) => Vec::new(),
        }
    }
}
