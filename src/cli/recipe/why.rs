//! `sealer recipe why`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::apply::{STAGE_ANNOTATION, StepBehind, stage_of, steps_behind};
use crate::cli::failure::Failed;
use crate::cli::globals::Globals;
use crate::cli::inspect;
use crate::cli::output::{self, OutputForm};
use crate::closure::{Asking, Part, Why, why};
use crate::image::model::Image;
use crate::plan::{DEFAULT_CLUSTER_REGISTRY, Plan};
use crate::rootfs::Overlay;
use crate::store::Store;
use crate::types::{ContextPath, Digest, Failure, FailureKind, ImageRef, Platform, printable};

use super::input::{Input, InputArgs};

#[derive(Debug, Args)]
pub(in crate::cli) struct WhyArgs {
    /// The image's name, or its whole id
    #[arg(value_name = "IMAGE")]
    image: String,
    /// The container image, by the name that it was pulled under or that clusters use
    #[arg(value_name = "REF")]
    reference: ImageRef,
    /// The recipe that made the image: also show the steps that are involved
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    #[command(flatten)]
    input: InputArgs,
    /// The form of the answer
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

/// The answer for machines.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    image: String,
    platform: &'a Platform,
    /// The layers that have content; the numbers elsewhere count these from 1.
    image_layers: Vec<LayerRow<'a>>,
    #[serde(flatten)]
    why: &'a Why,
    /// The recipe's steps; `None` if no recipe was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<&'a [StepBehind]>,
}

/// A layer of the image.
#[derive(Serialize)]
struct LayerRow<'a> {
    id: Digest,
    #[serde(rename = "type")]
    kind: &'static str,
    value: &'a str,
}

impl LayerRow<'_> {
    fn title(&self) -> String {
        format!("{} {}", self.kind, self.value)
    }
}

pub(super) fn run(args: &WhyArgs, globals: &Globals) -> Result<(), Failed> {
    let store = Store::open(&globals.root()?);
    let images = inspect::find(&store, &args.image)?;
    let image = choose(images, args)?;
    let layers = Overlay::new(image.layer_ids().map(|id| store.layer_dir(&id)).collect());
    let planned = |recipe| plan(recipe, args, &image).map(|plan| (recipe, plan));
    let recipe = args.recipe.as_deref().map(planned).transpose()?;
    // A recipe says how its clusters call the image's own registry; an image does not.
    let own = recipe.as_ref().map_or(DEFAULT_CLUSTER_REGISTRY, |(_, plan)| plan.cluster_registry.as_str());
    let why = why(&layers, &args.reference, own, &image.platform)?;
    let name = image.name.familiar();
    if why.is_nothing() {
        let message = format!("`{name}` neither has nor asks for `{}`", args.reference.familiar());
        let failure = Failure::new(FailureKind::Failed, message);
        let near = why.nearest.iter().map(|near| format!("the nearest name there is `{near}`"));
        return Err(near.fold(failure, Failure::with_help).into());
    }
    let rows: Vec<LayerRow<'_>> = image
        .layers
        .iter()
        .filter_map(|layer| Some(LayerRow { id: layer.id?, kind: layer.kind.as_str(), value: &layer.value }))
        .collect();
    let steps = recipe.as_ref().map(|(recipe, plan)| steps(recipe, plan, &image, &why)).transpose()?;
    match args.output {
        OutputForm::Json => {
            let (platform, steps) = (&image.platform, steps.as_deref());
            output::json(&Answer { image: name, platform, image_layers: rows, why: &why, steps })
        }
        OutputForm::Text => {
            // Files and values come from images, which may be untrusted.
            output::data(&printable(&text(&name, &image.platform, &rows, &why, steps.as_deref())))
        }
    }
}

/// The recipe's plan for the image's platform.
fn plan(recipe: &Path, args: &WhyArgs, image: &Image) -> Result<Plan, Failed> {
    let asked = InputArgs { platforms: vec![image.platform.clone()], ..args.input.clone() };
    Input::read(recipe, &args.input)?.plan(&asked)
}

/// The steps of the stage whose digest is in the image.
fn steps(recipe: &Path, plan: &Plan, image: &Image, why: &Why) -> Result<Vec<StepBehind>, Failed> {
    let digest = image.annotations.get(STAGE_ANNOTATION);
    let Some(stage) = digest.and_then(|digest| stage_of(plan, digest)) else {
        let message =
            format!("no stage of `{}`, with these values, made `{}`", recipe.display(), image.name.familiar());
        let help = "use the recipe and the values that it was made with: an image has the digest of its stage";
        let failure = Failure::new(FailureKind::Failed, message).with_help(help);
        return Err(failure.into());
    };
    let reference = why.reference.parse().map_err(|error| Failed::doing(format!("{error}")))?;
    let manifests: BTreeSet<ContextPath> = why.manifests.iter().map(|asking| asking.file.clone()).collect();
    Ok(steps_behind(stage, &reference, &manifests.into_iter().collect::<Vec<_>>()))
}

/// The image for the requested platform.
fn choose(mut images: Vec<Image>, args: &WhyArgs) -> Result<Image, Failed> {
    let host = Platform::host();
    let named = args.input.platforms.first();
    let wanted = named.unwrap_or(&host);
    match images.iter().position(|image| image.platform == *wanted) {
        Some(index) => Ok(images.swap_remove(index)),
        None if named.is_none() && !images.is_empty() => Ok(images.swap_remove(0)),
        None => {
            let there: Vec<String> = images.iter().map(|image| image.platform.to_string()).collect();
            let message = format!("`{}` is not in the store for {wanted}; it is for {}", args.image, there.join(", "));
            Err(Failed::doing(message))
        }
    }
}

fn text(name: &str, platform: &Platform, rows: &[LayerRow<'_>], why: &Why, steps: Option<&[StepBehind]>) -> String {
    let mut lines = vec![why.reference.clone()];
    match (&why.digest, &why.fault) {
        (Some(digest), _) => lines.push(format!("  is {digest} in {name} ({platform})")),
        (None, fault) => {
            let fault = fault.as_deref().unwrap_or_default();
            lines.push(format!("  is not whole in {name} ({platform}): {fault}"));
        }
    }
    let layer = |number: usize| {
        let title = number.checked_sub(1).and_then(|at| rows.get(at)).map(LayerRow::title).unwrap_or_default();
        format!("layer {number}, {title}")
    };
    for content in &why.layers {
        lines.push(format!("  {}: {}", layer(content.layer), parts(&content.parts)));
    }
    let mut places = |head: &str, none: &str, askings: &[Asking]| {
        lines.push(if askings.is_empty() { none.to_owned() } else { head.to_owned() });
        for Asking { layer: number, file, line, route, reference, by, covered } in askings {
            let route = if route.is_empty() { String::new() } else { format!(", at {route}") };
            let by = by.map_or(String::new(), |by| format!(", asked for by {by}"));
            let line = if *line == 0 { String::new() } else { format!(":{line}") };
            let covered = if *covered { ", hidden by a higher layer" } else { "" };
            lines.push(format!("  {file}{line}: {reference}{route}{by} ({}{covered})", layer(*number)));
        }
    };
    places("listed in", "no list names it", &why.lists);
    places("asked for in", "no manifest asks for it", &why.manifests);
    if let Some(steps) = steps {
        lines.push(if steps.is_empty() { "no step of the recipe is involved" } else { "steps" }.to_owned());
        lines.extend(steps.iter().map(|StepBehind { stage, step, place, what, .. }| {
            let place = place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
            format!("  {stage}: {step}: {what}{place}")
        }));
    }
    lines.extend(why.nearest.iter().map(|near| format!("the nearest name there is {near}")));
    lines.join("\n") + "\n"
}

/// `tag, list, manifest, config, 2 layers`.
fn parts(parts: &[Part]) -> String {
    let layers = parts.iter().filter(|part| part.what == "layer").count();
    let mut words: Vec<String> =
        parts.iter().filter(|part| part.what != "layer").map(|part| part.what.to_owned()).collect();
    match layers {
        0 => {}
        1 => words.push("1 layer".to_owned()),
        several => words.push(format!("{several} layers")),
    }
    words.join(", ")
}
