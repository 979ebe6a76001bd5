//! Plan → images in the store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::build::{BuildFailure, BuildPlace, BuildRequest, Builder, Built, ImageReport, Workspace, WorkspaceError};
use crate::closure::Base;
use crate::disk::{Dir, Sharing};
use crate::image::model::Image;
use crate::kubefile::{self, Base as BuiltOn};
use crate::plan::{ContextSource, LayerChoice, Plan, PlannedStage, PlannedStep, Route};
use crate::steps::{self, Context, Outcome, StepFailure, Tools};
use crate::store::Store;
use crate::supply::{Need, Supply};
use crate::words::{Digest, Event, Failure, FailureKind, ImageRef, Observer, SealerName, Source, StepState, nearest};

use super::closed::{needed, touching};
use super::gather::gather;
use super::report::{Report, StepReport, StepStatus};

/// The annotation with the format version.
const FORMAT_ANNOTATION: &str = "recipe.sealer.io/format-version";
/// The annotation with the digest of the resolved stage.
pub const STAGE_ANNOTATION: &str = "recipe.sealer.io/stage-digest";

/// Carries out plans.
pub struct Applier<'a> {
    /// Where the images go.
    pub store: &'a Store,
    /// Where images and files come from.
    pub supply: &'a Supply,
    /// Who listens.
    pub observer: &'a dyn Observer,
    /// The recipe's folder.
    pub recipe_folder: PathBuf,
    /// Whether unchanged files share their bytes with the layers that they come from.
    pub sharing: Sharing,
    /// How many threads may work.
    pub threads: usize,
}

impl Applier<'_> {
    /// Applies a plan. Either every image of it is in the store afterwards, or the store is as it was and everything that
    /// is known to stand in the way is returned.
    pub fn apply(&self, plan: &Plan) -> Result<Report, Vec<Failure>> {
        let stages = plan.stages.len();
        let mut report =
            Report { recipe: plan.recipe.clone(), images: Vec::new(), steps: Vec::new(), downloaded_bytes: 0 };
        let mut workspace = Workspace::new(self.store).map_err(|error| vec![failed(&error)])?;
        self.fetch_inputs(plan, &workspace)?;
        for stage in &plan.stages {
            let image = self.stage(plan, stage, &mut workspace, &mut report)?;
            report.images.push(image);
        }
        debug_assert_eq!(report.images.len(), stages, "a stage makes one image");
        workspace.commit().map_err(|error| vec![failed(&error)])?;
        report.downloaded_bytes = self.supply.downloaded_bytes();
        Ok(report)
    }

    /// Asks for everything that the plan names from outside, so that all that cannot be had is known at once.
    fn fetch_inputs(&self, plan: &Plan, workspace: &Workspace<'_>) -> Result<(), Vec<Failure>> {
        let mut needs: Vec<(Need, &PlannedStage, Route)> = Vec::new();
        for stage in &plan.stages {
            let work = &stage.work;
            let mut images: Vec<(Route, SealerName)> = Vec::new();
            for (index, source) in work.context.iter().enumerate() {
                let ContextSource::Layer { of, .. } = source;
                images.push((Route::stage().then("context").then(index).then("of"), of.clone()));
            }
            if let Ok(kubefile::Kubefile { base: BuiltOn::Image(name), .. }) = kubefile::parse(&work.kubefile) {
                images.push((Route::stage().then("kubefile").then("from"), name));
            }
            for (route, name) in images {
                let made = plan.stages.iter().any(|other| other.work.image == name);
                let there = workspace.find(&name, &work.platform).map_err(|error| vec![failed(&error)])?.is_some();
                if !made && !there {
                    needs.push((Need::Image(name.reference().clone(), work.platform.clone()), stage, route));
                }
            }
            for (index, step) in work.steps.iter().enumerate() {
                let route = Route::stage().then("steps").then(index);
                for (field, need) in steps::needs(step, &work.platform) {
                    needs.push((need, stage, route.then(field)));
                }
            }
        }
        let asked: Vec<Need> = needs.iter().map(|(need, _, _)| need.clone()).collect();
        let mut failures: Vec<Failure> = Vec::new();
        for (need, failure) in self.supply.get_all(&asked) {
            for (_, stage, route) in needs.iter().filter(|(other, _, _)| *other == need) {
                let failure = failure.clone().at(stage.places.find(route));
                if !failures.contains(&failure) {
                    failures.push(failure);
                }
            }
        }
        if failures.is_empty() { Ok(()) } else { Err(failures) }
    }

    fn stage(
        &self,
        plan: &Plan,
        stage: &PlannedStage,
        workspace: &mut Workspace<'_>,
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
            self.gather(source, stage, &context, workspace)
                .map_err(|(field, failure)| vec![failure.at(stage.places.find(&route.then(field)))])?;
        }
        self.steps(plan, stage, &context, report)?;
        let kubefile: &[u8] = work.kubefile.as_bytes();
        let here = |failure: Failure| vec![failure.at(stage.places.find(&Route::stage().then("kubefile")))];
        context
            .put(&"Kubefile".parse().expect("a plain word is a path"), kubefile)
            .map_err(|error| here(Failure::from_error(FailureKind::Failed, &error)))?;
        let built = self.build(plan, stage, context.root(), workspace)?;
        ImageReport::new(&built, workspace).map_err(|error| vec![failed(&error)])
    }

    fn gather(
        &self,
        source: &ContextSource,
        stage: &PlannedStage,
        context: &Context,
        workspace: &mut Workspace<'_>,
    ) -> Result<(), (&'static str, Failure)> {
        let ContextSource::Layer { of, layer, paths, to } = source;
        let builder = self.builder(context.epoch());
        let image = builder.base(of, &stage.work.platform, workspace).map_err(|failure| ("of", failure))?;
        let (id, folder) = choose_layer(&image, layer, workspace)?;
        if let Some(doubts) = workspace.doubts(&id).map_err(|error| ("of", failed(&error)))? {
            let message = format!("layer {id} of `{}` {doubts}; what is there is taken as it is", image.name);
            self.observer.event(Event::Warning { message });
        }
        let unmatched = gather(&folder, paths, to, context.root(), self.sharing, context.time())
            .map_err(|error| ("of", Failure::from_error(error.kind(), &error)))?;
        if unmatched.is_empty() {
            return Ok(());
        }
        let message = format!("nothing in the layer matches `{}`", unmatched.join("`, `"));
        Err(("paths", Failure::new(FailureKind::Failed, message)))
    }

    fn steps(
        &self,
        plan: &Plan,
        stage: &PlannedStage,
        context: &Context,
        report: &mut Report,
    ) -> Result<(), Vec<Failure>> {
        let work = &stage.work;
        let tools = Tools {
            supply: self.supply,
            platform: &work.platform,
            cluster_registry: &plan.cluster_registry,
            recipe_folder: &self.recipe_folder,
            threads: self.threads,
            observer: self.observer,
        };
        for (index, step) in work.steps.iter().enumerate() {
            let title = step.title();
            self.say(stage, &title, StepState::Started, "");
            let outcome = steps::run(step, context, &tools).map_err(|StepFailure { at, failure }| {
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
        let kubefile = kubefile::parse(&work.kubefile).map_err(|diagnostics| {
            // A plan is made only of Kubefiles that are understood; one that was fed back may have been edited.
            let source = Source::new("Kubefile", &work.kubefile);
            let failure = |diagnostic: &crate::words::Diagnostic| {
                let line = source.position(diagnostic.span.start).line;
                let message = format!("line {line} of the Kubefile: {}", diagnostic.message);
                Failure::new(FailureKind::Invalid, message).at(stage.places.find(&kubefile_route))
            };
            diagnostics.iter().map(failure).collect::<Vec<_>>()
        })?;
        let annotations = BTreeMap::from([
            (FORMAT_ANNOTATION.to_owned(), plan.format_version.to_string()),
            (STAGE_ANNOTATION.to_owned(), stage.digest.to_string()),
        ]);
        let request = BuildRequest {
            name: &work.image,
            platform: &work.platform,
            cluster_registry: &plan.cluster_registry,
            context,
            kubefile: &kubefile,
            annotations,
            needed: &needed(work),
            taken_from: &self.taken_from(plan, stage, workspace)?,
        };
        self.say(stage, "build", StepState::Started, "");
        let built = self.builder(plan.source_date_epoch).build(&request, workspace).map_err(|failures| {
            let place = |BuildFailure { at, failure }: BuildFailure| match at {
                BuildPlace::Image(image) => failure.at(stage.places.find(&asking_for(stage, &image))),
                BuildPlace::File(file) => failure.at(stage.places.find(&touching(work, &file))),
                BuildPlace::Kubefile(span) => {
                    let route = match kubefile.instructions.iter().position(|(place, _)| *place == span) {
                        Some(index) => kubefile_route.then(index),
                        None => kubefile_route.then("from"),
                    };
                    failure.at(stage.places.find(&route))
                }
                BuildPlace::Whole => failure.at(stage.places.find(&kubefile_route)),
            };
            failures.into_iter().map(place).collect::<Vec<_>>()
        })?;
        let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let layers = count(built.image.layer_ids().count(), "layer");
        let detail = format!("{layers}, {} cached", count(built.cached.len(), "image"));
        self.say(stage, "build", StepState::Done, &detail);
        Ok(built)
    }

    /// The images that files of the context were taken from, whole.
    fn taken_from(
        &self,
        plan: &Plan,
        stage: &PlannedStage,
        workspace: &mut Workspace<'_>,
    ) -> Result<Vec<Base>, Vec<Failure>> {
        let mut bases: Vec<Base> = Vec::new();
        for source in &stage.work.context {
            let ContextSource::Layer { of, .. } = source;
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

    fn builder(&self, epoch: crate::words::Epoch) -> Builder<'_> {
        Builder { supply: self.supply, observer: self.observer, sharing: self.sharing, epoch }
    }

    fn say(&self, stage: &PlannedStage, step: &str, state: StepState, detail: &str) {
        let (stage, step, detail) = (stage.work.stage.clone(), step.to_owned(), detail.to_owned());
        self.observer.event(Event::Step { stage, step, state, detail });
    }
}

/// The part of a stage that asks for a container image: an entry of its image list, else its Kubefile.
fn asking_for(stage: &PlannedStage, image: &ImageRef) -> Route {
    for (index, step) in stage.work.steps.iter().enumerate() {
        for (field, need) in steps::needs(step, &stage.work.platform) {
            let PlannedStep::ImageList { .. } = step else { continue };
            if matches!(need, Need::Image(needed, _) if needed == *image) {
                return Route::stage().then("steps").then(index).then(field);
            }
        }
    }
    Route::stage().then("kubefile")
}

fn failed(error: &WorkspaceError) -> Failure {
    Failure::from_error(error.kind(), error)
}

/// The folder of the layer that an entry means.
fn choose_layer(
    image: &Image,
    choice: &LayerChoice,
    workspace: &Workspace<'_>,
) -> Result<(Digest, PathBuf), (&'static str, Failure)> {
    let layers: Vec<_> = image.layer_ids().collect();
    let folder = |id: &Digest| Ok((*id, workspace.layer_of(image, id).map_err(|error| ("of", failed(&error)))?));
    let listed = || {
        let values = image.layers.iter().filter_map(|layer| Some((layer.id?, layer)));
        let lines: Vec<String> = values
            .enumerate()
            .map(|(index, (id, layer))| format!("{index}: {id} {} {}", layer.kind.as_str(), layer.value))
            .collect();
        format!("the layers of `{}` are\n{}", image.name, lines.join("\n"))
    };
    let wrong = |field, message: String| (field, Failure::new(FailureKind::Failed, message).with_help(listed()));
    match choice {
        LayerChoice::Id(id) if layers.contains(id) => folder(id),
        LayerChoice::Id(id) => Err(wrong("id", format!("`{}` has no layer {id}", image.name))),
        LayerChoice::Index(index) => match layers.get(*index as usize) {
            Some(id) => folder(id),
            None => Err(wrong("index", format!("`{}` has no layer {index}", image.name))),
        },
        LayerChoice::Containing(path) => {
            let mut holding = Vec::new();
            for id in &layers {
                let (id, folder) = folder(id)?;
                if holds(&folder, path).map_err(|error| ("of", Failure::from_error(FailureKind::Failed, &error)))? {
                    holding.push((id, folder));
                }
            }
            match holding.len() {
                1 => Ok(holding.remove(0)),
                0 => {
                    let message = format!("no layer of `{}` holds `{path}`", image.name);
                    let (field, mut failure) = wrong("containing", message);
                    failure.help.extend(similar(image, path, workspace).map(|near| format!("did you mean `{near}`?")));
                    Err((field, failure))
                }
                several => {
                    let message = format!("{several} layers of `{}` hold `{path}`, expected one", image.name);
                    Err(wrong("containing", message))
                }
            }
        }
    }
}

fn holds(folder: &Path, path: &crate::words::ContextPath) -> std::io::Result<bool> {
    Ok(crate::image::Merged::new(vec![folder.to_owned()]).find(path)?.is_some())
}

/// The path of the image that is nearest to one that it does not have.
fn similar(image: &Image, path: &crate::words::ContextPath, workspace: &Workspace<'_>) -> Option<String> {
    let files = workspace.merged(image).ok()?.files(&path.parent()?).ok()?;
    nearest(path.as_str(), files.iter().map(|(path, _)| path.as_str())).map(str::to_owned)
}
