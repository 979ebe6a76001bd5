//! Finds paths that no step and no context entry can have made.

use crate::kubefile::{CopySource, Instruction};
use crate::plan::{ContextSource, StageSketch};
use crate::steps::{Effect, PlannedStep};
use crate::types::{ContextPath, Diagnostic, Route, Source, Span, nearest};

use super::broken::Broken;
use super::reach::{Below, can_meet, is_glob, matches};

/// What happened to the paths of a stage's context.
enum Change {
    /// Something unknown happened.
    Anything,
    /// Something was added: a glob or a path.
    Come(String, Below),
    /// Something is missing, and this was reported: from then on it counts as there.
    Told(String),
    /// What globs match was removed.
    Gone(Span, Vec<String>),
    /// Something was moved; a missing source was allowed or not.
    Moved { at: Span, from: ContextPath, to: ContextPath, optional: bool },
}

/// Whether something can be there.
enum Answer {
    Possible,
    Never,
    /// A step removed it.
    GoneAt(Span),
}

/// Errors for paths that the steps and the Kubefile of a stage need, but that nothing can have made.
pub(super) fn impossible(source: &Source, stage: &StageSketch, broken: &Broken) -> Vec<Diagnostic> {
    let mut history = History { source, changes: Vec::new(), has_context: !stage.context.is_empty() };
    let mut mistakes = Vec::new();
    for (span, entry) in &stage.context {
        match entry.as_ref().filter(|_| !broken.touches(*span)) {
            Some(entry) => history.changes.extend(brought(entry)),
            None => history.changes.push(Change::Anything),
        }
    }
    for (index, (span, step)) in stage.steps.iter().enumerate() {
        let Some(step) = step.as_ref().filter(|_| !broken.touches(*span)) else {
            history.changes.push(Change::Anything);
            continue;
        };
        let route = Route::stage().then("steps").then(index);
        let files = step.files();
        for (field, wanted) in files.found.places().filter(|_| !files.optional) {
            let at = stage.places.find(&route.then(field)).map_or(*span, |place| place.span);
            mistakes.extend(history.need(at, wanted));
        }
        history.changes.extend(changed(step, *span));
    }
    history.changes.push(Change::Come("Kubefile".to_owned(), Below::Nothing));
    for (index, (_, instruction)) in stage.kubefile.iter().flat_map(|kubefile| kubefile.instructions.iter().enumerate())
    {
        match instruction {
            Instruction::Copy { source: CopySource::Context(pattern), .. } => {
                let wanted = pattern.for_architecture(stage.platform.architecture());
                let place = stage.places.find(&Route::stage().then("kubefile").then(index));
                if let (Some(place), false) = (place, wanted.is_empty()) {
                    mistakes.extend(history.need(place.span, &wanted));
                }
            }
            Instruction::Copy { source: CopySource::Remote(_), .. }
            | Instruction::Run { .. }
            | Instruction::Cmd { .. }
            | Instruction::Arg { .. } => {}
        }
    }
    mistakes
}

fn brought(entry: &ContextSource) -> Vec<Change> {
    let (paths, to): (&[String], _) = match entry {
        ContextSource::Layer { paths, to, .. } | ContextSource::Rootfs { paths, to, .. } => (paths, to),
        ContextSource::Directory { to, .. } => (&[], to),
    };
    if paths.is_empty() {
        return vec![Change::Come(to.as_str().to_owned(), Below::Anything)];
    }
    let below = |glob: &String| if to.is_root() { glob.clone() } else { format!("{}/{glob}", to.as_str()) };
    paths.iter().map(|glob| Change::Come(below(glob), Below::Anything)).collect()
}

/// The changes of a step.
fn changed(step: &PlannedStep, at: Span) -> Option<Change> {
    Some(match step.effect() {
        Effect::Edits => return None,
        Effect::MakesFile(path) => Change::Come(path.as_str().to_owned(), Below::Nothing),
        Effect::Links(path) => Change::Come(path.as_str().to_owned(), Below::Anything),
        Effect::Removes(globs) => Change::Gone(at, globs.to_vec()),
        Effect::Moves { from, to } => {
            Change::Moved { at, from: from.clone(), to: to.clone(), optional: step.files().optional }
        }
    })
}

struct History<'a> {
    source: &'a Source,
    changes: Vec<Change>,
    has_context: bool,
}

impl History<'_> {
    /// The mistake, if the needed path cannot be there; from then on it counts as there, so that it is reported once.
    fn need(&mut self, at: Span, wanted: &str) -> Option<Diagnostic> {
        let message = match answer(&self.changes, wanted) {
            Answer::Possible => return None,
            Answer::GoneAt(step) => {
                let line = self.source.position(step.start).line;
                let mistake = Diagnostic::error(at, format!("`{wanted}` is not there any more"));
                mistake.with_label(format!("the step in line {line} removes or moves it"))
            }
            Answer::Never => {
                let what = if is_glob(wanted) { "anything that matches" } else { "it" };
                let message = format!("`{wanted}` cannot be there: neither `context` nor an earlier step adds {what}");
                Diagnostic::error(at, message).with_help(self.advice(wanted))
            }
        };
        self.changes.push(Change::Told(wanted.to_owned()));
        Some(message)
    }

    fn advice(&self, wanted: &str) -> String {
        let come: Vec<&str> = self
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::Come(path, _) if path != "Kubefile" => Some(path.as_str()),
                Change::Moved { to, .. } => Some(to.as_str()),
                Change::Come(..) | Change::Anything | Change::Told(_) | Change::Gone(..) => None,
            })
            .collect();
        match (nearest(wanted, come.iter().copied().filter(|path| !is_glob(path))), come.is_empty(), self.has_context) {
            (Some(near), _, _) => format!("did you mean `{near}`?"),
            (None, true, _) => "the stage has no `context`, and no step before this one writes anything".to_owned(),
            (None, false, false) => format!("the stage has no `context`; there is only {}", quoted(&come)),
            (None, false, true) => {
                format!("there is only {}: add it to the `paths` of a context entry", quoted(&come))
            }
        }
    }
}

fn quoted(paths: &[&str]) -> String {
    let mut quoted: Vec<String> = paths.iter().take(5).map(|path| format!("`{path}`")).collect();
    if paths.len() > 5 {
        quoted.push("…".to_owned());
    }
    quoted.join(", ")
}

/// Whether the wanted path can be there after all these changes.
fn answer(changes: &[Change], wanted: &str) -> Answer {
    let Some((change, earlier)) = changes.split_last() else { return Answer::Never };
    match change {
        Change::Anything => Answer::Possible,
        Change::Come(brought, below) if can_meet(brought, *below, wanted) => Answer::Possible,
        Change::Told(missing) if can_meet(missing, Below::Anything, wanted) => Answer::Possible,
        Change::Gone(at, globs) if globs.iter().any(|glob| takes_away(glob, wanted)) => Answer::GoneAt(*at),
        Change::Come(..) | Change::Told(_) | Change::Gone(..) => answer(earlier, wanted),
        Change::Moved { at, from, to, optional } => {
            let (from, to) = (from.as_str(), to.as_str());
            if let Some(rest) = below(to, wanted) {
                let before = if rest.is_empty() { from.to_owned() } else { format!("{from}/{rest}") };
                return match answer(earlier, &before) {
                    Answer::Possible => Answer::Possible,
                    Answer::Never | Answer::GoneAt(_) if *optional => answer(earlier, wanted),
                    other => other,
                };
            }
            if can_meet(to, Below::Anything, wanted) {
                return Answer::Possible;
            }
            if below(from, wanted).is_some() { Answer::GoneAt(*at) } else { answer(earlier, wanted) }
        }
    }
}

/// The rest of a path below a folder or at it.
fn below<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    let rest = path.strip_prefix(folder)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// Whether nothing wanted is left after a glob's matches are removed.
fn takes_away(glob: &str, wanted: &str) -> bool {
    if glob == wanted {
        return true;
    }
    let mut path = String::new();
    for part in wanted.split('/') {
        if is_glob(part) {
            return false;
        }
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(part);
        if matches(glob, &path) {
            return true;
        }
    }
    false
}
