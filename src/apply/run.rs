//! Plan → images in the store.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::build::{
    self, BuildFailure, BuildPlace, BuildRequest, Builder, Built, ImageReport, Workspace, WorkspaceError,
};
use crate::closure::Base;
use crate::disk::{Dir, Sharing};
use crate::kubefile::Kubefile;
use crate::plan::{ContextSource, Plan, PlannedStage, StageWork, doubtful_charts};
use crate::sources::{Need, Sources};
use crate::steps::{Beside, Context, Outcome, PlannedStep, StepFailure, Tools};
use crate::store::Store;
use crate::types::{Event, Failure, ImageSource, Observer, Route, Span, StepState};

use super::closed::{needed, touching};
use super::report::{Fetched, Report, StepReport, StepStatus};

/// The annotation with the format version.
const FORMAT_ANNOTATION: &str = "recipe.sealer.io/format-version";
/// The annotation with the digest of the resolved stage.
pub(crate) const STAGE_ANNOTATION: &str = "recipe.sealer.io/stage-digest";

/// Runs plans.
pub(crate) struct Applier<'a> {
    /// The store that gets the images.
    pub store: &'a Store,
    /// The sources of images and files.
    pub sources: &'a Sources,
    /// The receiver of events.
    pub observer: &'a dyn Observer,
    /// The recipe's folder.
    pub recipe_folder: PathBuf,
    /// Whether unchanged files share their bytes with the layers that they come from.
    pub sharing: Sharing,
    /// The number of threads.
    pub threads: usize,
}

impl Applier<'_> {
    /// Applies a plan. Afterwards, either the store has all its images, or the store is as it was, and the error has
    /// all known failures.
    pub(crate) fn apply(&self, plan: &Plan) -> Result<Report, Vec<Failure>> {
        let (mut report, workspace) = self.work(plan)?;
        report.used = self.used(&workspace);
        (report.inputs, report.moved) = self.settle(plan, &workspace);
        workspace.commit().map_err(|error| vec![failed(&error)])?;
        report.moved.extend(self.tag_news(plan));
        report.downloaded_bytes = self.sources.downloaded_bytes();
        Ok(report)
    }

    /// Does everything that [`apply`](Self::apply) does, but throws the images away. Afterwards, everything that the
    /// plan needs is in the store or in the cache, also what only a build finds.
    pub(crate) fn fetch(&self, plan: &Plan) -> Result<Fetched, Vec<Failure>> {
        let (_, workspace) = self.work(plan)?;
        let (inputs, mut moved) = self.settle(plan, &workspace);
        moved.extend(self.tag_news(plan));
        let (recipe, downloaded_bytes) = (plan.recipe.clone(), self.sources.downloaded_bytes());
        Ok(Fetched { recipe, moved, downloaded_bytes, inputs })
    }

    /// Makes the images of a plan, in a workspace.
    fn work(&self, plan: &Plan) -> Result<(Report, Workspace<'_>), Vec<Failure>> {
        let stages = plan.stages.len();
        let mut report = Report { recipe: plan.recipe.clone(), ..Report::default() };
        let workspace = Workspace::new(self.store).map_err(|error| vec![failed(&error)])?;
        let mut workspace = workspace.with_bases(self.bases(plan));
        check_obstacles(plan)?;
        self.fetch_inputs(plan, &workspace)?;
        let beside = Beside::new(self.recipe_folder.clone());
        for stage in &plan.stages {
            let image = self.stage(plan, stage, &mut workspace, &beside, &mut report)?;
            report.images.push(image);
        }
        report.beside = beside.read();
        debug_assert_eq!(report.images.len(), stages, "a stage makes one image");
        Ok((report, workspace))
    }

    fn stage(
        &self,
        plan: &Plan,
        stage: &PlannedStage,
        workspace: &mut Workspace<'_>,
        beside: &Beside,
        report: &mut Report,
    ) -> Result<ImageReport, Vec<Failure>> {
        let work = &stage.work;
        self.observer.event(Event::StageStarted {
            stage: work.stage.clone(),
            platform: work.platform.to_string(),
            image: work.image.to_string(),
        });
        let folder = || workspace.folder().and_then(|folder| Ok(folder.dir().duplicate()?));
        let root = folder().map_err(|error| vec![failed(&error)])?;
        let scratch = folder().map_err(|error| vec![failed(&error)])?;
        let context = Context::new(root, scratch, plan.source_date_epoch);
        for (index, source) in work.context.iter().enumerate() {
            let route = Route::stage().then("context").then(index);
            self.gather(source, stage, &context, workspace, beside)
                .map_err(|(at, failure)| vec![failure.at(stage.places.find(&route.then(&at)))])?;
        }
        self.steps(plan, stage, &context, beside, report)?;
        let kubefile = work.kubefile.text().as_bytes();
        let here = |failure: Failure| vec![failure.at(stage.places.find(&Route::stage().then("kubefile")))];
        context
            .put(&"Kubefile".parse().expect("a plain word is a path"), kubefile)
            .map_err(|error| here(error.into()))?;
        let built = self.build(plan, stage, context.root(), workspace)?;
        ImageReport::new(&built, workspace).map_err(|error| vec![failed(&error)])
    }

    fn steps(
        &self,
        plan: &Plan,
        stage: &PlannedStage,
        context: &Context,
        beside: &Beside,
        report: &mut Report,
    ) -> Result<(), Vec<Failure>> {
        let work = &stage.work;
        let tools = Tools {
            sources: self.sources,
            platform: &work.platform,
            cluster_registry: &plan.cluster_registry,
            lists: &PlannedStep::lists(&work.steps),
            beside,
            is_preview: false,
            threads: self.threads,
            observer: self.observer,
        };
        for (index, step) in work.steps.iter().enumerate() {
            let title = step.title();
            self.say(stage, &title, StepState::Started, "");
            let outcome = step.run(context, &tools).map_err(|StepFailure { at, failure }| {
                let route = Route::stage().then("steps").then(index).then(at);
                vec![failure.at(stage.places.find(&route))]
            })?;
            let (state, status, detail) = match outcome {
                Outcome::Changed(detail) => (StepState::Done, StepStatus::Changed, detail),
                Outcome::Unchanged(detail) => (StepState::Done, StepStatus::Unchanged, detail),
                Outcome::Skipped(why) => (StepState::Skipped, StepStatus::Skipped, why),
            };
            self.say(stage, &title, state, &detail);
            let (stage, platform) = (work.stage.clone(), work.platform.clone());
            report.steps.push(StepReport { stage, platform, step: title, index, status, detail });
        }
        Ok(())
    }

    fn build(
        &self,
        plan: &Plan,
        stage: &PlannedStage,
        context: &Dir,
        workspace: &mut Workspace<'_>,
    ) -> Result<Built, Vec<Failure>> {
        let work = &stage.work;
        let kubefile_route = Route::stage().then("kubefile");
        let kubefile = &work.kubefile;
        let annotations = BTreeMap::from([
            (FORMAT_ANNOTATION.to_owned(), plan.format_version.to_string()),
            (STAGE_ANNOTATION.to_owned(), stage.digest.to_string()),
        ]);
        let request = BuildRequest {
            name: &work.image,
            platform: &work.platform,
            cluster_registry: &plan.cluster_registry,
            context,
            kubefile,
            args: BTreeMap::new(),
            keep_base: true,
            annotations,
            needed: &needed(work),
            ignore: &ignored(work),
            taken_from: &self.taken_from(plan, stage, workspace)?,
        };
        self.say(stage, "build", StepState::Started, "");
        let built = self.builder(plan.source_date_epoch).build(&request, workspace).map_err(|failures| {
            let place = |failed: BuildFailure| {
                let route = match &failed.at {
                    BuildPlace::Image(image) => asking_for(stage, image),
                    BuildPlace::File(file) => touching(work, file),
                    BuildPlace::Kubefile(span) => instruction_route(kubefile, *span),
                    BuildPlace::Origin(_) | BuildPlace::Whole => kubefile_route.clone(),
                };
                failed.headed().at(stage.places.find(&route))
            };
            failures.into_iter().map(place).collect::<Vec<_>>()
        })?;
        self.doubt_charts(stage, &built);
        let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let layers = count(built.image.layer_ids().count(), "layer");
        let detail = format!("{layers}, {} cached", count(built.cached.len(), "image"));
        self.say(stage, "build", StepState::Done, &detail);
        Ok(built)
    }

    /// Warns about charts that were not known before.
    fn doubt_charts(&self, stage: &PlannedStage, built: &Built) {
        let work = &stage.work;
        let Some(helm) = &built.helm else { return };
        if doubtful_charts(&work.kubefile, &stage.places, &work.context, &work.steps).is_empty() {
            let version = helm.version.as_ref().map(|version| format!(" ({version})")).unwrap_or_default();
            let message = format!(
                "stage {} has charts: their images depend on the helm of this machine{version}; another version may \
                 find other images",
                work.stage
            );
            self.observer.event(Event::Warning { message });
        }
    }

    /// The images that files of the context were taken from, as a whole.
    fn taken_from(
        &self,
        plan: &Plan,
        stage: &PlannedStage,
        workspace: &mut Workspace<'_>,
    ) -> Result<Vec<Base>, Vec<Failure>> {
        let mut bases: Vec<Base> = Vec::new();
        for of in stage.work.context.iter().filter_map(ContextSource::image) {
            let image = self
                .builder(plan.source_date_epoch)
                .base(of, &stage.work.platform, workspace)
                .map_err(|failure| vec![failure])?;
            let name = of.familiar();
            if bases.iter().all(|base| base.name != name) {
                let layers = workspace.merged(&image).map_err(|error| vec![failed(&error)])?;
                bases.push(Base { name, layers });
            }
        }
        Ok(bases)
    }

    pub(super) fn builder(&self, epoch: crate::types::Epoch) -> Builder<'_> {
        Builder { sources: self.sources, observer: self.observer, sharing: self.sharing, epoch }
    }

    fn say(&self, stage: &PlannedStage, step: &str, state: StepState, detail: &str) {
        let (stage, step, detail) = (stage.work.stage.clone(), step.to_owned(), detail.to_owned());
        self.observer.event(Event::Step { stage, step, state, detail });
    }
}

/// The images that the stage's lists leave out: the build does not cache them either.
fn ignored(work: &StageWork) -> Vec<String> {
    work.steps.iter().filter_map(PlannedStep::as_image_list).flat_map(|list| list.ignore.clone()).collect()
}

/// The failures that are known before anything is fetched.
fn check_obstacles(plan: &Plan) -> Result<(), Vec<Failure>> {
    let mut failures: Vec<Failure> = Vec::new();
    for stage in &plan.stages {
        let kubefile = &stage.work.kubefile;
        if let Some((span, failure)) = build::obstacle(kubefile) {
            let failure = failure.at(stage.places.find(&instruction_route(kubefile, span)));
            if !failures.contains(&failure) {
                failures.push(failure);
            }
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures) }
}

/// The part of a stage for the instruction with these bytes.
pub(crate) fn instruction_route(kubefile: &Kubefile, span: Span) -> Route {
    let route = Route::stage().then("kubefile");
    match kubefile.instructions.iter().position(|(place, _)| *place == span) {
        Some(index) => route.then(index),
        None => route.then("from"),
    }
}

/// The part of a stage that asks for a container image: an entry of its image list, else its Kubefile.
fn asking_for(stage: &PlannedStage, image: &ImageSource) -> Route {
    for (index, step) in stage.work.steps.iter().enumerate() {
        for (field, need) in step.needs(&stage.work.platform) {
            if step.needs_while_building() && matches!(need, Need::Image(needed, _) if needed == *image) {
                return Route::stage().then("steps").then(index).then(field);
            }
        }
    }
    Route::stage().then("kubefile")
}

pub(super) fn failed(error: &WorkspaceError) -> Failure {
    Failure::of(error)
}
