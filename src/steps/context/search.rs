//! What globs match in a context.

use std::path::{Path, PathBuf};

use globset::GlobMatcher;

use crate::disk::{Dir, DiskError, Kind, MAX_DEPTH};
use crate::types::{ContextPath, glob, nearest};

use super::{Context, ContextError};

/// What globs match in a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matching {
    /// The regular files, sorted.
    pub files: Vec<ContextPath>,
    /// The globs that match no file.
    pub unmatched: Vec<String>,
}

/// The topmost things that globs match; a folder counts with everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topmost {
    /// Their paths, sorted, as bytes, because names in layers are bytes.
    pub found: Vec<PathBuf>,
    /// The globs that match nothing.
    pub unmatched: Vec<String>,
}

impl Context {
    /// The regular files that any of the globs matches, and the globs that match none.
    pub(crate) fn matching(&self, globs: &[String]) -> Result<Matching, ContextError> {
        let mut globs = Globs::new(globs);
        let mut files = Vec::new();
        self.walk(&mut |path, kind, _| {
            if kind == Kind::File
                && let Some(file) = as_context_path(path)
                && globs.is_match(path)
            {
                files.push(file);
            }
        })?;
        files.sort();
        Ok(Matching { files, unmatched: globs.unmatched() })
    }

    /// The topmost things of any kind that any of the globs matches: a glob that matches a folder takes everything in
    /// it.
    pub(crate) fn topmost(&self, globs: &[String]) -> Result<Topmost, ContextError> {
        let mut globs = Globs::new(globs);
        let mut found = Vec::new();
        self.walk(&mut |path, _, inside| {
            // This also looks into folders that are found already: a glob that matches only there has matched.
            if globs.is_match(path) && !*inside {
                *inside = true;
                found.push(path.to_owned());
            }
        })?;
        found.sort();
        Ok(Topmost { found, unmatched: globs.unmatched() })
    }

    /// The regular file whose path is nearest to one that is not there.
    pub(crate) fn nearest(&self, path: &ContextPath) -> Option<String> {
        let mut files = Vec::new();
        self.walk(&mut |path, kind, _| files.extend(as_context_path(path).filter(|_| kind == Kind::File))).ok()?;
        let same_name = files.iter().find(|file| file.file_name() == path.file_name());
        let near = || nearest(path.as_str(), files.iter().map(ContextPath::as_str)).map(str::to_owned);
        same_name.map(ToString::to_string).or_else(near)
    }

    fn walk(&self, visit: &mut Visit<'_>) -> Result<(), DiskError> {
        walk(&self.root, &mut PathBuf::new(), 0, false, visit)
    }
}

/// The function that is called for a path. It gets the kind, and whether something above the path is marked. It may
/// mark the path.
type Visit<'a> = dyn FnMut(&Path, Kind, &mut bool) + 'a;

/// Visits everything in a folder, in byte order, folders before what is in them. No symlink is followed.
fn walk(folder: &Dir, path: &mut PathBuf, depth: usize, marked: bool, visit: &mut Visit<'_>) -> Result<(), DiskError> {
    if depth > MAX_DEPTH {
        return Err(DiskError::Deep { path: folder.path().to_owned(), limit: MAX_DEPTH });
    }
    for name in folder.names()? {
        path.push(&name);
        let kind = folder.meta(&name)?.kind;
        let mut marked = marked;
        visit(path, kind, &mut marked);
        if kind == Kind::Folder {
            walk(&folder.folder(&name)?, path, depth + 1, marked, visit)?;
        }
        path.pop();
    }
    Ok(())
}

/// `None` if a recipe cannot name it, because it is not UTF-8 or has a line end.
fn as_context_path(path: &Path) -> Option<ContextPath> {
    path.to_str()?.parse().ok()
}

/// Globs that remember whether they matched.
struct Globs<'a>(Vec<(&'a String, Option<GlobMatcher>, bool)>);

impl<'a> Globs<'a> {
    /// They were checked when the recipe was resolved; a wrong one would match nothing.
    fn new(globs: &'a [String]) -> Self {
        let matcher = |text: &str| Some(glob(text).ok()?.compile_matcher());
        Self(globs.iter().map(|glob| (glob, matcher(glob), false)).collect())
    }

    fn is_match(&mut self, path: &Path) -> bool {
        let mut any = false;
        for (_, glob, matched) in &mut self.0 {
            if glob.as_ref().is_some_and(|glob| glob.is_match(path)) {
                *matched = true;
                any = true;
            }
        }
        any
    }

    fn unmatched(self) -> Vec<String> {
        self.0.into_iter().filter(|(_, _, matched)| !matched).map(|(glob, _, _)| glob.clone()).collect()
    }
}
