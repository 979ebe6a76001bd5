//! What the recipe says about the images that its manifests ask for, and where.

use globset::GlobBuilder;

use crate::plan::{PlannedStep, Route, StageWork};
use crate::words::{ContextPath, ImageRef};

/// The images that the recipe says somebody needs although no manifest asks for them.
pub(super) fn needed(work: &StageWork) -> Vec<ImageRef> {
    let entries = work.steps.iter().filter_map(|step| match step {
        PlannedStep::ImageList { images, .. } => Some(images),
        PlannedStep::ReplaceArchive { .. }
        | PlannedStep::ReplaceImage { .. }
        | PlannedStep::Patch { .. }
        | PlannedStep::RewriteImages { .. } => None,
    });
    entries.flatten().filter(|entry| entry.needed_by.is_some()).map(|entry| entry.image.clone()).collect()
}

/// The part of a stage that had its hands last on a file of the image: the last step that names it, else the Kubefile.
///
/// COPY may put a file elsewhere: where no step names the path itself, one that names a file of that name is taken.
pub(super) fn touching(work: &StageWork, file: &ContextPath) -> Route {
    let last = |names: &dyn Fn(&str) -> bool| {
        work.steps.iter().enumerate().rev().find_map(|(index, step)| {
            let (field, paths) = files(step);
            paths.iter().any(|path| names(path)).then(|| Route::stage().then("steps").then(index).then(field))
        })
    };
    let is_it = |path: &str| {
        let glob = GlobBuilder::new(path).literal_separator(true).build();
        path == file.as_str() || glob.is_ok_and(|glob| glob.compile_matcher().is_match(file.as_str()))
    };
    let is_called_so = |path: &str| path.rsplit('/').next() == file.file_name();
    last(&is_it).or_else(|| last(&is_called_so)).unwrap_or_else(|| Route::stage().then("kubefile"))
}

/// The files that a step writes, as paths or globs, and the field that says them.
fn files(step: &PlannedStep) -> (&'static str, Vec<&str>) {
    match step {
        PlannedStep::ReplaceArchive { path, .. }
        | PlannedStep::ReplaceImage { path, .. }
        | PlannedStep::Patch { path, .. }
        | PlannedStep::ImageList { path, .. } => ("path", vec![path.as_str()]),
        PlannedStep::RewriteImages { paths, .. } => ("paths", paths.iter().map(String::as_str).collect()),
    }
}
