//! Files from the recipe's folder.

use crate::disk::{Dir, Kind, Meta};
use crate::types::ContextPath;

use super::work::{InField, StepFailure};

/// Opens a file in the recipe's folder or below; `None` if nothing is there. No symlink is followed: it could lead to
/// any file of the host.
pub(super) fn open(
    recipe_folder: &std::path::Path,
    path: &ContextPath,
    field: &str,
) -> Result<Option<(fs_err::File, Meta)>, StepFailure> {
    let mut folder = Dir::open(recipe_folder).in_field(field)?;
    let mut at = ContextPath::root();
    for part in path.parent().unwrap_or_default().parts() {
        at = at.join(&part.parse().unwrap_or_default());
        let Some(meta) = folder.meta_if_there(part).in_field(field)? else { return Ok(None) };
        if meta.kind != Kind::Folder {
            return Err(no_file(field, &at, meta.kind, "a folder"));
        }
        folder = folder.folder(part).in_field(field)?;
    }
    let name = path.file_name().unwrap_or_default();
    let Some(meta) = folder.meta_if_there(name).in_field(field)? else { return Ok(None) };
    if meta.kind != Kind::File {
        return Err(no_file(field, path, meta.kind, "a file"));
    }
    Ok(Some((folder.open_file(name).in_field(field)?, meta)))
}

/// The failure for a file that is not there.
pub(super) fn missing(path: &ContextPath, field: &str) -> StepFailure {
    StepFailure::new(field, format!("there is no `{path}` next to the recipe"))
}

fn no_file(field: &str, path: &ContextPath, kind: Kind, expected: &str) -> StepFailure {
    let (found, help) = match kind {
        Kind::File => ("file", None),
        Kind::Folder => {
            ("folder", Some(format!("for a whole folder, use the context entry `directory: {{path: {path}}}`")))
        }
        Kind::Symlink => ("symlink", Some("symlinks are not followed: put the file itself there".to_owned())),
        Kind::Whiteout => ("device", None),
        Kind::Special(what) => (what, None),
    };
    let failed = StepFailure::new(field, format!("`{path}` next to the recipe is a {found}, expected {expected}"));
    failed.with_help(help)
}
