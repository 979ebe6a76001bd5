//! Recipe → Plan: every template is rendered, every name completed, every path parsed; nothing is looked up.

mod kubefile;
mod stage;
mod step;

use std::collections::{BTreeMap, BTreeSet};

use crate::recipe::{Recipe, Scope, Values};
use crate::words::{Diagnostic, Epoch, Platform, SealerName, Source, Span, nearest};

use super::{FORMAT_VERSION, Lock, Plan, PlannedStage};
use stage::StageResolver;

/// How clusters call the image's own registry where a recipe says nothing else.
pub const DEFAULT_CLUSTER_REGISTRY: &str = "sea.hub:5000";

/// What of a recipe is wanted.
#[derive(Debug, Clone, Default)]
pub struct Narrowing {
    /// Only these platforms; empty: the recipe's, or this machine's where it names none.
    pub platforms: Vec<Platform>,
    /// Only this stage and those that it builds on.
    pub stage: Option<String>,
}

/// Resolves a recipe with its merged values. All mistakes are reported at once, each at its place in `source`.
pub fn resolve(
    source: &Source,
    recipe: &Recipe,
    values: &Values,
    narrowing: &Narrowing,
    epoch: Epoch,
) -> Result<Plan, Vec<Diagnostic>> {
    let mut mistakes = Vec::new();
    let platforms = platforms(recipe, narrowing, &mut mistakes);
    let mut stages = Vec::new();
    let mut cluster_registry = DEFAULT_CLUSTER_REGISTRY.to_owned();
    for platform in &platforms {
        let scope = Scope::new(source, &recipe.metadata.name, values, platform);
        if let Some(text) = &recipe.cluster_registry {
            match scope.render(text) {
                Ok(registry) => match registry_host(&registry) {
                    Some(mistake) => mistakes.push(Diagnostic::error(text.span, mistake).with_label(EXPECTED_REGISTRY)),
                    None => cluster_registry = registry,
                },
                Err(mistake) => mistakes.push(mistake),
            }
        }
        let mut resolved = Vec::new();
        for stage in recipe.stages.iter() {
            let resolver = StageResolver::new(source, &scope, platform);
            match resolver.resolve(stage) {
                Ok(stage) => resolved.push(stage),
                Err(more) => mistakes.extend(more),
            }
        }
        if resolved.len() == recipe.stages.len() {
            check_order(recipe, &resolved, &mut mistakes);
            stages.extend(narrow_to_stage(recipe, resolved, narrowing, &mut mistakes));
        }
    }
    if mistakes.is_empty() {
        let mut plan = Plan {
            format_version: FORMAT_VERSION,
            recipe: recipe.metadata.name.value.clone(),
            file: source.name().to_owned(),
            source_date_epoch: epoch,
            cluster_registry,
            stages: stages.into_iter().map(|stage| stage.planned).collect(),
            inputs: Lock::default(),
        };
        // Stage by stage, so that the platforms of one image are made one after the other.
        let names = recipe.stages.iter().enumerate().map(|(index, stage)| (stage.name.value.as_str(), index));
        let order: BTreeMap<&str, usize> = names.collect();
        plan.stages.sort_by_key(|stage| order.get(stage.work.stage.as_str()).copied());
        return Ok(plan);
    }
    // Each platform finds the same mistakes again.
    mistakes.sort_by(|one, other| (one.span, &one.message).cmp(&(other.span, &other.message)));
    mistakes.dedup();
    Err(mistakes)
}

const EXPECTED_REGISTRY: &str = "expected `HOST` or `HOST:PORT`";

/// What is wrong with the text of a registry, if anything.
fn registry_host(text: &str) -> Option<String> {
    let reference = format!("{text}/x");
    let parsed = reference.parse::<crate::words::ImageRef>();
    let good = !text.contains('/') && parsed.is_ok_and(|reference| reference.registry() == text);
    (!good).then(|| format!("`{text}` is no registry"))
}

fn platforms(recipe: &Recipe, narrowing: &Narrowing, mistakes: &mut Vec<Diagnostic>) -> Vec<Platform> {
    let Some(written) = &recipe.platforms else {
        return if narrowing.platforms.is_empty() { vec![Platform::host()] } else { narrowing.platforms.clone() };
    };
    let mut platforms = Vec::new();
    for text in written {
        match text.parse::<Platform>() {
            Ok(platform) if platforms.contains(&platform) => {
                mistakes.push(Diagnostic::error(text.span, format!("platform `{platform}` stands here twice")));
            }
            Ok(platform) => platforms.push(platform),
            Err(error) => mistakes.push(Diagnostic::error(text.span, error.to_string())),
        }
    }
    let span = written.first().map_or(Span::default(), |first| first.span);
    if written.is_empty() {
        mistakes.push(
            Diagnostic::error(recipe.metadata.name.span, "`platforms` is empty")
                .with_help("leave it out to build for this machine's"),
        );
    }
    for wanted in &narrowing.platforms {
        if !platforms.contains(wanted) {
            mistakes.push(
                Diagnostic::error(span, format!("platform `{wanted}` is asked for, but the recipe is not for it"))
                    .with_label("the recipe's platforms"),
            );
        }
    }
    platforms.retain(|platform| narrowing.platforms.is_empty() || narrowing.platforms.contains(platform));
    platforms
}

/// A stage with what the checks between stages need.
struct ResolvedStage {
    planned: PlannedStage,
    /// The images that it builds on or takes files from, each with its place.
    needs: Vec<(Span, SealerName)>,
}

/// Two stages of one image, and stages that need what only a later one makes.
fn check_order(recipe: &Recipe, resolved: &[ResolvedStage], mistakes: &mut Vec<Diagnostic>) {
    let mut makers: BTreeMap<&SealerName, usize> = BTreeMap::new();
    for (index, stage) in resolved.iter().enumerate() {
        let image = &stage.planned.work.image;
        if let Some(earlier) = makers.get(image) {
            let label = format!("stage `{}` makes it already", resolved[*earlier].planned.work.stage);
            let message = format!("image `{}` is made twice", image.familiar());
            mistakes.push(Diagnostic::error(recipe.stages[index].image.span, message).with_label(label));
        } else {
            makers.insert(image, index);
        }
    }
    for (index, stage) in resolved.iter().enumerate() {
        for (span, needed) in &stage.needs {
            let Some(maker) = makers.get(needed).filter(|maker| **maker >= index) else { continue };
            let label = if *maker == index {
                "this stage makes it itself".to_owned()
            } else {
                format!("the later stage `{}` makes it", resolved[*maker].planned.work.stage)
            };
            let message = format!("image `{}` is not made yet", needed.familiar());
            mistakes.push(Diagnostic::error(*span, message).with_label(label));
        }
    }
}

/// The wanted stage with all that it builds on, or every stage.
fn narrow_to_stage(
    recipe: &Recipe,
    resolved: Vec<ResolvedStage>,
    narrowing: &Narrowing,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<ResolvedStage> {
    let Some(wanted) = &narrowing.stage else { return resolved };
    let names: Vec<&str> = resolved.iter().map(|stage| stage.planned.work.stage.as_str()).collect();
    if !names.contains(&wanted.as_str()) {
        let span = recipe.stages.first().map_or(Span::default(), |stage| stage.name.span);
        let mistake =
            Diagnostic::error(span, format!("stage `{wanted}` is asked for, but the recipe has none of that name"))
                .with_help(format!("the stages are {}", names.join(", ")));
        mistakes.push(match nearest(wanted, names.iter().copied()) {
            Some(near) => mistake.with_help(format!("did you mean `{near}`?")),
            None => mistake,
        });
        return Vec::new();
    }
    let mut images: BTreeSet<SealerName> = BTreeSet::new();
    let mut kept = Vec::new();
    for stage in resolved.into_iter().rev() {
        if stage.planned.work.stage == *wanted || images.contains(&stage.planned.work.image) {
            images.extend(stage.needs.iter().map(|(_, image)| image.clone()));
            kept.push(stage);
        }
    }
    kept.reverse();
    kept
}
