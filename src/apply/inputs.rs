//! The inputs of a plan from outside, and the parts of stages that ask for them.

use crate::build::{self, Bases, Workspace};
use crate::kubefile::Base;
use crate::plan::{ContextSource, Lock, Plan, PlannedStage};
use crate::sources::{Need, Pinning};
use crate::types::{BaseSource, Event, Failure, FailureKind, ImageSource, Platform, Route, SealerName};

use super::directory;
use super::report::Moved;
use super::run::{Applier, failed, instruction_route};

/// An input of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// A file, or a container image.
    Outside(Need),
    /// A sealer image that no stage of the plan makes.
    Base(SealerName, Platform),
}

/// An input, and the part of a stage that asks for it.
pub(super) struct Asked<'p> {
    pub(super) input: Input,
    pub(super) stage: &'p PlannedStage,
    pub(super) route: Route,
}

impl Asked<'_> {
    fn place(&self, failure: Failure) -> Failure {
        failure.at(self.stage.places.find(&self.route))
    }
}

/// Everything that a plan names from outside, in the order of its stages.
pub(super) fn asked(plan: &Plan) -> Vec<Asked<'_>> {
    let mut asked = Vec::new();
    for stage in &plan.stages {
        let work = &stage.work;
        let mut add = |input, route| asked.push(Asked { input, stage, route });
        let mut images: Vec<(Route, BaseSource)> = Vec::new();
        for (index, source) in work.context.iter().enumerate() {
            let route = Route::stage().then("context").then(index).then("of");
            images.extend(source.image().map(|of| (route, of.clone())));
        }
        let kubefile = &work.kubefile;
        for (span, need) in build::needs(kubefile, &work.platform) {
            add(Input::Outside(need), instruction_route(kubefile, span));
        }
        if let Base::Image(name) = &kubefile.base {
            images.push((Route::stage().then("kubefile").then("from"), name.clone()));
        }
        for (route, source) in images {
            match source {
                BaseSource::Sealer(name) if plan.stages.iter().any(|other| other.work.image == name) => {}
                BaseSource::Sealer(name) => add(Input::Base(name, work.platform.clone()), route),
                BaseSource::Engine(_) => {
                    add(Input::Outside(Need::Image(source.image(), work.platform.clone())), route);
                }
            }
        }
        for (index, step) in work.steps.iter().enumerate() {
            let route = Route::stage().then("steps").then(index);
            for (field, need) in step.needs(&work.platform) {
                add(Input::Outside(need), route.then(field));
            }
        }
    }
    asked
}

/// Adds failures that are not in the list yet.
pub(super) fn add_new(failures: &mut Vec<Failure>, new: impl IntoIterator<Item = Failure>) {
    for failure in new {
        if !failures.contains(&failure) {
            failures.push(failure);
        }
    }
}

pub(super) fn all_well(failures: Vec<Failure>) -> Result<(), Vec<Failure>> {
    if failures.is_empty() { Ok(()) } else { Err(failures) }
}

impl Applier<'_> {
    /// Applies the plan's lock to requests to the outside world, and to base images.
    pub(super) fn bases(&self, plan: &Plan) -> Bases {
        self.sources.pin(plan.inputs.pins(&plan.file));
        match self.sources.pinning() {
            Pinning::Open => Bases::locked(&plan.inputs),
            Pinning::Required => Bases::only_locked(&plan.inputs, &plan.file),
        }
    }

    /// Asks for everything that the plan names from outside, so that all failures are known at once.
    pub(super) fn fetch_inputs(&self, plan: &Plan, workspace: &Workspace<'_>) -> Result<(), Vec<Failure>> {
        let asked = asked(plan);
        let mut failures = missing_folders(&self.recipe_folder, plan);
        let mut needs: Vec<(Need, &Asked<'_>)> = Vec::new();
        let mut refused = Vec::new();
        for one in &asked {
            let need = match &one.input {
                Input::Outside(need) => need.clone(),
                Input::Base(name, platform) => {
                    if let Some(there) = workspace.find(name, platform).map_err(|error| vec![failed(&error)])? {
                        refused.extend(workspace.bases().refusal(name, platform, &there).map(|no| one.place(no)));
                        if let Some(digest) = plan.inputs.base(name, platform).and_then(|base| base.digest) {
                            self.sources.watch(name.reference(), platform, digest);
                        }
                        continue;
                    }
                    Need::Image(ImageSource::from(name.reference().clone()), platform.clone())
                }
            };
            refused.extend(self.sources.refusal(&need).map(|failure| one.place(failure)));
            needs.push((need, one));
        }
        // What is missing in the lock is reported before anything is fetched.
        if !refused.is_empty() {
            add_new(&mut failures, refused);
            return Err(failures);
        }
        let all: Vec<Need> = needs.iter().map(|(need, _)| need.clone()).collect();
        for (need, failure) in self.sources.get_all(&all) {
            let here = needs.iter().filter(|(other, _)| *other == need);
            add_new(&mut failures, here.map(|(_, one)| one.place(failure.clone())));
        }
        all_well(failures)
    }

    /// The inputs that a run used.
    pub(super) fn used(&self, workspace: &Workspace<'_>) -> Lock {
        Lock::of_resolved(self.sources.resolved(), workspace.bases().used())
    }

    /// The lock after a run: the locked inputs, and the inputs that the run used in addition or instead. The second
    /// value lists those used instead.
    pub(super) fn settle(&self, plan: &Plan, workspace: &Workspace<'_>) -> (Lock, Vec<Moved>) {
        let mut lock = plan.inputs.clone();
        let settled = Lock::of_resolved(self.sources.resolved(), workspace.bases().settled());
        settled.entries().for_each(|entry| lock.insert(entry));
        let changes = lock.changes_since(&plan.inputs).into_iter();
        let moved: Vec<Moved> = changes
            .filter(|change| change.old.is_some() && change.new.is_some())
            .map(|change| Moved { change, taken: true })
            .collect();
        for Moved { change, .. } in &moved {
            let on = change.platform.as_ref().map(|platform| format!(" for {platform}")).unwrap_or_default();
            let message = format!(
                "`{}`{on} changed: the lock has {}, but it is {} now; the new one is used",
                change.name,
                change.old.as_deref().unwrap_or_default(),
                change.new.as_deref().unwrap_or_default()
            );
            self.observer.event(Event::Warning { message });
        }
        (lock, moved)
    }

    /// The answers of registries about the locked tags.
    pub(super) fn tag_news(&self, plan: &Plan) -> Vec<Moved> {
        let news = self.sources.tag_news();
        if !news.unknown.is_empty() {
            let names: Vec<String> = news.unknown.iter().map(|image| format!("`{}`", image.familiar())).collect();
            let message = format!(
                "cannot tell whether the lock is up to date for {}: {}; the lock is used",
                names.join(", "),
                news.reason
            );
            self.observer.event(Event::Warning { message });
        }
        let mut moved = Vec::new();
        for tag in news.moved {
            let name = tag.image.familiar();
            let message = format!(
                "`{name}` moved: it is {} now, but the lock has {}, which is used for {}; `sealer recipe lock {} \
                 --update {name}` locks the new one",
                tag.current, tag.pinned, tag.platform, plan.file
            );
            self.observer.event(Event::Warning { message });
            moved.push(Moved::of_tag(tag));
        }
        moved
    }
}

/// Missing folders next to the recipe.
fn missing_folders(recipe_folder: &std::path::Path, plan: &Plan) -> Vec<Failure> {
    let mut failures = Vec::new();
    for stage in &plan.stages {
        for (index, source) in stage.work.context.iter().enumerate() {
            match source {
                ContextSource::Directory { path, .. } => {
                    let route = Route::stage().then("context").then(index).then("path");
                    let opened = directory::open(recipe_folder, path).err();
                    failures.extend(opened.map(|failure| failure.at(stage.places.find(&route))));
                }
                ContextSource::Layer { .. } | ContextSource::Rootfs { .. } => {}
            }
        }
    }
    failures
}

/// The failure for a base image without an id, which cannot be locked.
pub(super) fn no_id(name: &SealerName) -> Failure {
    Failure::new(FailureKind::Failed, format!("`{}` has no id that could be locked", name.familiar()))
}
