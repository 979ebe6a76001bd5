//! Finds out what steps would do: runs them on a stand-in of the context.

use std::collections::BTreeMap;

use crate::disk::Kind;
use crate::sources;
use crate::steps::{Context, Effect, Outcome, PlannedStep, StepFailure, Tools};
use crate::types::{ContextPath, Failure, Route, glob_set, human_size};

use super::changes::{self, ChangeKind};
use super::preview_maker::Maker;
use super::snapshot::Snapshot;
use super::{Change, Input, StepPreview, Verdict};

/// Larger files, in bytes, are not copied and not read: only apply does that. No step edits documents of that size, so
/// only archives are left out.
pub(super) const LOOK: u64 = 64 << 20;

/// The stand-in for a stage's context, and its differences from apply's context.
pub(super) struct Scene {
    pub(super) context: Context,
    /// If the context is not wholly known: when it will be.
    pub(super) whole: Option<String>,
    /// The files whose content is not known, and when it will be.
    pub(super) paths: BTreeMap<ContextPath, String>,
    /// The content of the context after the last action.
    pub(super) before: Option<Snapshot>,
    /// Something failed, so apply does nothing more in this stage.
    pub(super) is_stopped: bool,
}

impl Scene {
    /// When the content of these paths or globs will be known; `None` if it is known now.
    fn later(&self, touched: &[String]) -> Option<&String> {
        let globs = glob_set(touched);
        let is_touched =
            |path: &ContextPath| globs.is_match(path.as_path()) || touched.iter().any(|t| t == path.as_str());
        self.paths.iter().find(|(path, _)| is_touched(path)).map(|(_, when)| when)
    }

    /// Marks what a step would change, and did not. An empty file stands in for one that it makes, so that later steps and
    /// COPYs find it, and not what was there before.
    fn mark(&mut self, step: &PlannedStep, when: &str) -> Result<(), Failure> {
        let makes = match step.effect() {
            Effect::Edits | Effect::Links(_) => None,
            Effect::MakesFile(path) => Some(path),
            // What is at a path at all is not known any more.
            Effect::Removes(_) | Effect::Moves { .. } => {
                self.whole.get_or_insert_with(|| when.to_owned());
                return Ok(());
            }
        };
        let written: Vec<String> = step.files().written.paths.into_iter().map(str::to_owned).collect();
        let found = self.context.matching(&written)?.files;
        let named =
            written.iter().filter(|path| !path.contains(['*', '?', '[', '{'])).filter_map(|path| path.parse().ok());
        self.paths.extend(found.into_iter().chain(named).map(|path| (path, when.to_owned())));
        if let Some(path) = makes {
            let kind = self.context.meta(path).map(|meta| meta.map(|meta| meta.kind));
            // Something else than a file is what the step fails at, when it runs.
            if let Ok(None | Some(Kind::File)) = kind {
                self.context.put(path, b"")?;
            }
        }
        Ok(())
    }
}

/// The path that a step writes without reading from the context.
fn written(step: &PlannedStep) -> Option<ContextPath> {
    let files = step.files();
    let path = files.written.paths.first().filter(|_| files.only_writes())?;
    path.parse().ok()
}

/// When it will be known what a step does; `None` if it can be seen now.
fn when_known(step: &PlannedStep, inputs: &[Input], scene: &Scene) -> Result<Option<String>, Failure> {
    let is_alone = written(step).is_some();
    if let Some(when) = scene.whole.as_ref().or_else(|| scene.later(&step.files().touched())).filter(|_| !is_alone) {
        return Ok(Some(when.clone()));
    }
    let mut size = 0;
    let replaced =
        step.files().written.paths.first().filter(|_| step.replaces_archives()).and_then(|path| path.parse().ok());
    if let Some(path) = replaced {
        let meta = scene.context.meta(&path)?;
        // It is already known that it is not there.
        let Some(meta) = meta else { return Ok(None) };
        size = meta.size;
    }
    // The build pulls the images of a list.
    let needed: &[Input] = if step.needs_while_building() { &[] } else { inputs };
    if needed.iter().any(|input| !input.is_at_hand()) {
        return Ok(Some("once it is fetched".to_owned()));
    }
    let largest = needed.iter().filter_map(|input| input.size).chain([size]).max().filter(|size| *size > LOOK);
    Ok(largest.map(|size| format!("only when it is applied: with {}, it is too large for a preview", human_size(size))))
}

impl Maker<'_> {
    /// The preview of a step, after the steps before it.
    pub(super) fn step(&mut self, stage: usize, index: usize, scene: &mut Scene) -> Result<StepPreview, Failure> {
        let work = &self.plan.stages[stage].work;
        let step = &work.steps[index];
        let route = Route::stage().then("steps").then(index);
        let (inputs, refused) = self.inputs_of(step, stage, &route);
        let mut preview =
            StepPreview { step: step.title(), index, inputs, verdict: Verdict::NotReached, changes: Vec::new() };
        if let Some(message) = refused {
            preview.verdict = Verdict::Fails(message);
            scene.is_stopped = true;
        }
        if scene.is_stopped {
            return Ok(preview);
        }
        if let Some(when) = when_known(step, &preview.inputs, scene)? {
            scene.mark(step, &when)?;
            // A stand-in for a file is not a change.
            scene.before = Some(self.snapshot(&scene.context)?);
            for input in preview.inputs.iter().filter(|_| !step.needs_while_building()) {
                self.store_needs.add(input.size);
            }
            preview.verdict = Verdict::Later(when);
            return Ok(preview);
        }
        let tools = Tools {
            sources: self.inputs.sources,
            platform: &work.platform,
            cluster_registry: &self.plan.cluster_registry,
            lists: &PlannedStep::lists(&work.steps),
            beside: &self.beside,
            is_preview: true,
            threads: self.threads,
            observer: self.warnings,
        };
        // The writing of a step can be shown anyway; what it found cannot.
        let unseen = scene.whole.as_ref().or_else(|| scene.later(&step.files().touched())).cloned();
        let doubt = unseen.map(|when| format!("; the old content is known {when}")).unwrap_or_default();
        match step.run(&scene.context, &tools) {
            Ok(outcome) => {
                if let Some(path) = written(step) {
                    scene.paths.remove(&path);
                }
                preview.changes = self.changes(scene)?;
                if !doubt.is_empty() {
                    preview.changes = preview.changes.into_iter().map(Change::unseen).collect();
                }
                preview.verdict = match outcome {
                    Outcome::Changed(detail) => Verdict::Changes(detail + &doubt),
                    Outcome::Unchanged(detail) => Verdict::Unchanged(detail + &doubt),
                    Outcome::Skipped(why) => Verdict::Skipped(why),
                };
            }
            Err(StepFailure { at, failure }) => {
                preview.verdict = Verdict::Fails(failure.message.clone());
                scene.is_stopped = true;
                self.problem(stage, &route.then(at), failure);
            }
        }
        Ok(preview)
    }

    /// The inputs of a step from outside, and the message of a failure if one of them must not be fetched.
    fn inputs_of(&mut self, step: &PlannedStep, stage: usize, route: &Route) -> (Vec<Input>, Option<String>) {
        let platform = &self.plan.stages[stage].work.platform;
        let (mut inputs, mut refused) = (Vec::new(), None);
        for (field, need) in step.needs(platform) {
            let input = match need {
                sources::Need::Image(image, platform) => Ok(self.inputs.image(&image, &platform)),
                sources::Need::File(url, digest) => self.inputs.file(&url, digest),
            };
            match input {
                Ok(input) => inputs.push(Input { field: field.to_string(), ..input }),
                Err(failure) => {
                    refused = Some(failure.message.clone());
                    self.problem(stage, &route.then(field), failure);
                }
            }
        }
        (inputs, refused)
    }

    /// The changes in the context since the last look.
    fn changes(&mut self, scene: &mut Scene) -> Result<Vec<Change>, Failure> {
        let Some(before) = &scene.before else { return Ok(Vec::new()) };
        let changes = changes::since(before, scene.context.root().path())?;
        if !changes.is_empty() {
            scene.before = Some(self.snapshot(&scene.context)?);
        }
        for change in &changes {
            match &change.kind {
                ChangeKind::Made { new } | ChangeKind::Changed { new, .. } | ChangeKind::Written { new } => {
                    self.store_needs.add(Some(new.size.unwrap_or_default()));
                }
                ChangeKind::Removed { .. } | ChangeKind::Moved { .. } => {}
            }
        }
        Ok(changes)
    }

    /// The content of the context.
    pub(super) fn snapshot(&self, context: &Context) -> Result<Snapshot, Failure> {
        let folder = self.workspace.folder()?;
        Ok(Snapshot::take(context.root(), folder.dir())?)
    }
}
