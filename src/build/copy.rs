//! COPY: files of the context into the folder of a layer.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use globset::GlobMatcher;

use crate::disk::{CopyRules, Dir, DiskError, FileTime, Kind, Way, merge_entry};
use crate::kubefile::CopyDestination;
use crate::types::{Epoch, FailureKind, Reportable, glob, nearest};

use super::images::AUTH_LIST;

/// Why a COPY failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CopyError {
    /// The context has nothing with this name.
    #[error("`{pattern}` is not in the context")]
    NotThere { pattern: String, near: Option<String> },
    /// The wildcards are not valid.
    #[error("`{pattern}` is not a valid pattern: {reason}")]
    Pattern { pattern: String, reason: String },
    /// A file could not be copied.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl Reportable for CopyError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::NotThere { .. } => FailureKind::Failed,
            Self::Pattern { .. } => FailureKind::Invalid,
            Self::Disk(error) => error.kind(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NotThere { near, .. } => near.as_ref().map(|near| format!("did you mean `{near}`?")),
            Self::Pattern { .. } | Self::Disk(_) => None,
        }
    }
}

/// Executes one COPY: copies what `pattern` matches in `context` to `destination` in `layer`, an empty folder.
///
/// New parent folders are 0755 and have the constant time; copied files keep their modes and times. The context's list
/// with passwords is never copied, even if it is named; returns whether it was left out.
pub(super) fn copy(
    context: &Dir,
    pattern: &str,
    destination: &CopyDestination,
    layer: &Dir,
    rules: CopyRules,
    epoch: Epoch,
) -> Result<bool, CopyError> {
    let time = FileTime::from(epoch);
    if pattern.is_empty() {
        let mut names = context.names()?;
        let all = names.len();
        names.retain(|name| name != AUTH_LIST);
        let left_out = names.len() < all;
        if !names.is_empty() {
            let way = Way::open(layer, destination.root(), time)?;
            for name in names {
                merge_entry(context, &name, way.folder(), &name, rules)?;
            }
            way.finish()?;
        }
        return Ok(left_out);
    }
    let mut left_out = false;
    for path in expand(context, pattern)? {
        if path == [AUTH_LIST] {
            left_out = true;
            continue;
        }
        let Some((name, parents)) = path.split_last() else { continue };
        let from = descend(context, parents)?;
        let (folder, new) = destination.place(name);
        let way = Way::open(layer, &folder, time)?;
        merge_entry(&from, name, way.folder(), &new, rules)?;
        way.finish()?;
    }
    Ok(left_out)
}

fn descend(context: &Dir, parents: &[OsString]) -> Result<Dir, CopyError> {
    let mut folder = context.duplicate()?;
    for part in parents {
        folder = folder.folder(part)?;
    }
    Ok(folder)
}

/// One part of a pattern.
enum Part {
    Literal(OsString),
    Wildcard(GlobMatcher),
}

impl Part {
    fn parse(part: &str, pattern: &str) -> Result<Self, CopyError> {
        if !part.contains(['*', '?', '[', '\\']) {
            return Ok(Self::Literal(part.into()));
        }
        // Go's patterns have no alternatives: braces are themselves.
        let escaped = part.replace('{', "[{]").replace('}', "[}]");
        glob(&escaped)
            .map(|glob| Self::Wildcard(glob.compile_matcher()))
            .map_err(|error| CopyError::Pattern { pattern: pattern.to_owned(), reason: error.kind().to_string() })
    }
}

/// The paths of the context that a pattern matches, in byte order, each as its parts; at least one.
fn expand(context: &Dir, pattern: &str) -> Result<Vec<Vec<OsString>>, CopyError> {
    let parts = pattern.split('/').map(|part| Part::parse(part, pattern)).collect::<Result<Vec<_>, _>>()?;
    let mut found: Vec<Vec<OsString>> = vec![Vec::new()];
    let mut nearest_name = None;
    for part in &parts {
        let mut next = Vec::new();
        for path in found {
            let is_folder = match path.split_last() {
                None => true,
                Some((name, parents)) => descend(context, parents)?.meta(name)?.kind == Kind::Folder,
            };
            if !is_folder {
                continue;
            }
            let folder = descend(context, &path)?;
            let names = match part {
                Part::Literal(name) if folder.meta_if_there(name)?.is_some() => vec![name.clone()],
                Part::Literal(name) => {
                    nearest_name = near(&path, name, &folder.names()?);
                    Vec::new()
                }
                Part::Wildcard(glob) => folder.names()?.into_iter().filter(|name| glob.is_match(name)).collect(),
            };
            next.extend(names.into_iter().map(|name| path.iter().cloned().chain([name]).collect()));
        }
        found = next;
    }
    if found.is_empty() {
        return Err(CopyError::NotThere { pattern: pattern.to_owned(), near: nearest_name });
    }
    found.sort();
    Ok(found)
}

/// The name in a folder that is nearest to `name`, with the folder's path.
fn near(path: &[OsString], name: &OsStr, names: &[OsString]) -> Option<String> {
    let near = nearest(name.to_str()?, names.iter().filter_map(|name| name.to_str()))?;
    let mut whole: Vec<&str> = path.iter().filter_map(|part| std::str::from_utf8(part.as_bytes()).ok()).collect();
    whole.push(near);
    Some(whole.join("/"))
}
