//! Finds the parts of the recipe that concern the images of its manifests.

use serde::Serialize;

use crate::plan::{Plan, PlannedStage, StageWork};
use crate::steps::PlannedStep;
use crate::types::{ContextPath, ImageRef, Place, Route, glob, registry_path};

/// The images that something needs, according to the recipe, although no manifest asks for them.
pub(super) fn needed(work: &StageWork) -> Vec<ImageRef> {
    let entries = work.steps.iter().filter_map(PlannedStep::as_image_list).flat_map(|list| &list.images);
    entries.filter(|entry| entry.needed_by.is_some()).map(|entry| entry.image.reference().clone()).collect()
}

/// The part of a stage that changed a file of the image last: the last step that names it, else the Kubefile.
///
/// COPY may put a file elsewhere. So if no step names the path itself, a step counts that names a file with that name.
pub(super) fn touching(work: &StageWork, file: &ContextPath) -> Route {
    touching_step(work, file).map_or_else(
        || Route::stage().then("kubefile"),
        |(index, field)| Route::stage().then("steps").then(index).then(field),
    )
}

/// The last step that names a file, and its field with the name.
fn touching_step(work: &StageWork, file: &ContextPath) -> Option<(usize, &'static str)> {
    let last = |names: &dyn Fn(&str) -> bool| {
        work.steps.iter().enumerate().rev().find_map(|(index, step)| {
            let written = step.files().written;
            written.paths.iter().any(|path| names(path)).then_some((index, written.field))
        })
    };
    let is_it = |path: &str| {
        path == file.as_str() || glob(path).is_ok_and(|glob| glob.compile_matcher().is_match(file.as_str()))
    };
    let is_called_so = |path: &str| path.rsplit('/').next() == file.file_name();
    last(&is_it).or_else(|| last(&is_called_so))
}

/// A step that concerns a container image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StepBehind {
    /// The stage's name.
    pub stage: String,
    /// The step in the recipe's words.
    pub step: String,
    /// Its number in the stage, from 0.
    pub index: usize,
    /// The place in the recipe.
    pub place: Option<Place>,
    /// Its effect on the image, for people.
    pub what: String,
}

/// The stage of a plan that has the digest that an image carries.
#[must_use]
pub(crate) fn stage_of<'p>(plan: &'p Plan, digest: &str) -> Option<&'p PlannedStage> {
    plan.stages.iter().find(|stage| stage.digest.to_string() == digest)
}

/// The steps of a stage that list an image, and those that wrote the manifests that ask for it.
#[must_use]
pub(crate) fn steps_behind(stage: &PlannedStage, image: &ImageRef, manifests: &[ContextPath]) -> Vec<StepBehind> {
    let work = &stage.work;
    let mut found = Vec::new();
    for (index, step) in work.steps.iter().enumerate() {
        let route = Route::stage().then("steps").then(index);
        let behind = |route: &Route, what: String| StepBehind {
            stage: work.stage.clone(),
            step: step.title(),
            index,
            place: stage.places.find(route).cloned(),
            what,
        };
        if let Some(list) = step.as_image_list() {
            for (number, entry) in list.images.iter().enumerate() {
                if registry_path(entry.image.reference()) == registry_path(image) {
                    let reason = entry.needed_by.as_ref().map(|who| format!(", for {who}")).unwrap_or_default();
                    let what = format!("lists {}{reason}", entry.image.familiar());
                    found.push(behind(&route.then("images").then(number), what));
                }
            }
        }
        for manifest in manifests {
            if touching_step(work, manifest).is_some_and(|(at, _)| at == index) {
                found.push(behind(&route, format!("writes {manifest}, which asks for it")));
            }
        }
    }
    found
}
