//! Finds everything that is wrong or doubtful about a recipe, in one run, without the network.
//!
//! One run finds mistakes in the form and in the meaning. A part with a wrong form has a stand-in, and mistakes that
//! only follow from a stand-in are not reported. In the recipe's folder, only files that the recipe names are read.

mod bases;
mod beside;
mod broken;
mod inputs;
mod moving;
mod paths;
mod reach;
mod unused;

use std::path::Path;

use crate::document::{Located, MergedValues, Values, ValuesInput};
use crate::plan::{Lock, Narrowing, StageSketch, doubtful_charts, doubtful_runs, read_lock, survey};
use crate::recipe::{Recipe, read_leniently};
use crate::types::{Diagnostic, Epoch, Severity, Source};

use beside::Beside;
use broken::Broken;

/// The input of a check.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The recipe.
    pub source: &'a Source,
    /// Values from outside the recipe.
    pub values: &'a ValuesInput,
    /// The wanted part of the recipe.
    pub narrowing: &'a Narrowing,
    /// The time of everything that sealer makes.
    pub epoch: Epoch,
    /// The recipe's folder; without it, files in that folder are not checked.
    pub folder: Option<&'a Path>,
    /// The recipe's lock, if there is one.
    pub lock: Option<&'a Source>,
}

/// All errors and warnings about a recipe, its values and its lock. Those about one text are in the order of that text;
/// the recipe comes first.
#[must_use]
pub fn validate(request: &Request<'_>) -> Vec<Located> {
    let source = request.source;
    let reading = read_leniently(source);
    let mut own = reading.diagnostics;
    let mut others = Vec::new();
    if let Some(recipe) = reading.recipe {
        let broken = Broken::of(&own);
        let MergedValues { values, mistakes, doubtful } =
            Values::merge_leniently(&recipe.declared(source), request.values);
        // If the form of the recipe's own values is wrong, the same mistakes were reported already.
        for mistake in mistakes {
            match mistake.source == *source {
                true if broken.explains(&mistake.diagnostic) => {}
                true => own.push(mistake.diagnostic),
                false => others.push(mistake),
            }
        }
        let unknown = unknown_names(&recipe, &broken, doubtful);
        let survey = survey(source, &recipe, &values, &unknown, request.narrowing, request.epoch);
        own.extend(survey.mistakes.into_iter().filter(|mistake| !broken.explains(mistake)));
        let lock = request.lock.and_then(|lock| {
            let refused = |mistakes: Vec<Diagnostic>| {
                others.extend(mistakes.into_iter().map(|diagnostic| Located { source: lock.clone(), diagnostic }));
            };
            read_lock(lock).map_err(refused).ok()
        });
        let beside = Beside::new(request.folder);
        for sketches in &survey.platforms {
            own.extend(about_stages(&recipe, sketches, &broken, lock.as_ref(), request, &beside));
            others.extend(sketches.iter().flat_map(|sketch| beside.templates(sketch)));
        }
        own.extend(unused::values(source, &recipe, reading.uses, &broken, &beside));
    }
    own.sort_by(|one, other| (one.span, &one.message).cmp(&(other.span, &other.message)));
    own.dedup();
    let located = |diagnostic| Located { source: source.clone(), diagnostic };
    let mut all: Vec<Located> = own.into_iter().map(located).collect();
    for other in others {
        if !all.contains(&other) {
            all.push(other);
        }
    }
    all
}

/// The diagnostics about all stages of one platform together.
fn about_stages(
    recipe: &Recipe,
    sketches: &[StageSketch],
    broken: &Broken,
    lock: Option<&Lock>,
    request: &Request<'_>,
    beside: &Beside<'_>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for sketch in sketches {
        found.extend(sketch.kubefile.iter().flat_map(|kubefile| doubtful_runs(kubefile, &sketch.places)));
        if let Some(kubefile) = &sketch.kubefile {
            let context = sketch.context.iter().filter_map(|(_, source)| source.as_ref());
            let steps = sketch.steps.iter().filter_map(|(_, step)| step.as_ref());
            found.extend(doubtful_charts(kubefile, &sketch.places, context, steps));
        }
        found.extend(beside.files(sketch));
    }
    // If a stage's form is wrong, it is not known what its steps would have written.
    if !broken.hides_parts(recipe, sketches) {
        found.extend(sketches.iter().flat_map(|sketch| paths::impossible(request.source, sketch, broken)));
    }
    found.extend(bases::mistyped(sketches, lock));
    let unlocked = match (request.lock, lock) {
        // Mistakes in the lock come first.
        (Some(_), None) => Vec::new(),
        (_, lock) => inputs::unlocked(sketches, lock),
    };
    found.extend(unlocked);
    found
}

/// The names whose values are not known.
fn unknown_names(recipe: &Recipe, broken: &Broken, doubtful: Vec<String>) -> Vec<Vec<String>> {
    let values = || "values".to_owned();
    let mut unknown: Vec<Vec<String>> = doubtful.into_iter().map(|name| vec![values(), name]).collect();
    if broken.spoils(recipe.metadata.name.span) {
        unknown.push(vec!["recipe".to_owned(), "name".to_owned()]);
    }
    if let Some(own) = &recipe.values
        && broken.touches(own.span)
    {
        let spoiled: Vec<&str> = own
            .entries()
            .filter(|(key, value)| broken.touches(key.span) || broken.touches(value.span))
            .map(|(key, _)| key.as_str())
            .collect();
        if spoiled.is_empty() {
            unknown.push(vec![values()]);
        }
        unknown.extend(spoiled.into_iter().map(|name| vec![values(), name.to_owned()]));
    }
    unknown
}

/// Warnings as errors.
pub(crate) fn strictly(found: &mut [Located]) {
    for located in found {
        located.diagnostic.severity = Severity::Error;
    }
}
