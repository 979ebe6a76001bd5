//! Recipe → Plan: every template is rendered, every name completed, every path parsed; nothing is looked up.

mod kubefile;
mod sketch;
mod stage;

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{Scope, Values};
use crate::recipe::Recipe;
use crate::steps::{EXPECTED_REGISTRY, registry_host};
use crate::types::{Diagnostic, Epoch, Platform, SealerName, Source, Span, nearest};

use super::{FORMAT_VERSION, Lock, PassedOver, Plan, PlannedStage};
pub(crate) use sketch::StageSketch;
use stage::StageResolver;

/// The default name that clusters use for the image's own registry.
pub(crate) const DEFAULT_CLUSTER_REGISTRY: &str = "sea.hub:5000";

/// The wanted part of a recipe.
#[derive(Debug, Clone, Default)]
pub struct Narrowing {
    /// Only these platforms; empty: the recipe's, or this machine's if the recipe names none.
    pub platforms: Vec<Platform>,
    /// Only this stage and those that it builds on.
    pub stage: Option<String>,
}

/// The result for a recipe, and all its mistakes.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The mistakes in its meaning, in the order of the text, each once whatever the number of platforms.
    pub mistakes: Vec<Diagnostic>,
    /// The stages, one platform after the other.
    pub platforms: Vec<Vec<StageSketch>>,
    /// The plan; `None` if there is a mistake.
    pub plan: Option<Plan>,
}

/// Resolves a recipe with its merged values. All mistakes are reported at once, each at its place in `source`.
pub fn resolve(
    source: &Source,
    recipe: &Recipe,
    values: &Values,
    narrowing: &Narrowing,
    epoch: Epoch,
) -> Result<Plan, Vec<Diagnostic>> {
    let survey = survey(source, recipe, values, &[], narrowing, epoch);
    survey.plan.ok_or(survey.mistakes)
}

/// Like [`resolve`], for a recipe whose form may have mistakes. The values of `unknown` names are not known, and what
/// depends on them is left out. Each name is given as its parts, for example `["values", "docker"]`.
#[must_use]
pub(crate) fn survey(
    source: &Source,
    recipe: &Recipe,
    values: &Values,
    unknown: &[Vec<String>],
    narrowing: &Narrowing,
    epoch: Epoch,
) -> Survey {
    let mut mistakes = Vec::new();
    let platforms = platforms(recipe, narrowing, &mut mistakes);
    check_stage_name(recipe, narrowing, &mut mistakes);
    let mut sketches = Vec::new();
    // A plan has one registry for all platforms: that of the first platform.
    let mut cluster_registry: Option<(String, &Platform)> = None;
    for platform in &platforms {
        let scope = Scope::new(source, &recipe.metadata.name, values, platform).with_unknown(unknown.to_vec());
        if let Some(text) = &recipe.cluster_registry {
            match scope.render(text) {
                Ok(registry) => match registry_host(&registry) {
                    Some(mistake) => mistakes.push(Diagnostic::error(text.span, mistake).with_label(EXPECTED_REGISTRY)),
                    None => match &cluster_registry {
                        Some((first, of)) if *first != registry => {
                            mistakes.push(two_registries(text.span, (first, of), (&registry, platform)));
                        }
                        Some(_) => {}
                        None => cluster_registry = Some((registry, platform)),
                    },
                },
                Err(mistake) => mistakes.extend(mistake),
            }
        }
        let mut resolved = Vec::new();
        for stage in recipe.stages.iter() {
            let (sketch, more) = StageResolver::new(source, &scope, platform).resolve(stage);
            resolved.push(sketch);
            mistakes.extend(more);
        }
        check_order(recipe, &resolved, &mut mistakes);
        sketches.push(resolved);
    }
    // Every platform finds the same mistakes again.
    mistakes.sort_by(|one, other| (one.span, &one.message).cmp(&(other.span, &other.message)));
    mistakes.dedup();
    let is_whole = sketches.iter().flatten().all(|sketch| sketch.planned.is_some());
    let plan = (mistakes.is_empty() && is_whole).then(|| {
        let stages = sketches.iter().flat_map(|sketches| narrow_to_stage(sketches, narrowing));
        let mut plan = Plan {
            format_version: FORMAT_VERSION,
            recipe: recipe.metadata.name.value.clone(),
            file: source.name().to_owned(),
            source_date_epoch: epoch,
            cluster_registry: cluster_registry
                .map_or_else(|| DEFAULT_CLUSTER_REGISTRY.to_owned(), |(registry, _)| registry),
            stages: stages.collect(),
            inputs: Lock::default(),
            preview: PassedOver,
        };
        // The order is by stage, so that the platforms of one image are made one after the other.
        let names = recipe.stages.iter().enumerate().map(|(index, stage)| (stage.name.value.as_str(), index));
        let order: BTreeMap<&str, usize> = names.collect();
        plan.stages.sort_by_key(|stage| order.get(stage.work.stage.as_str()).copied());
        plan
    });
    Survey { mistakes, platforms: sketches, plan }
}

/// The mistake for a registry that is not the same for all platforms.
fn two_registries(span: Span, (first, of): (&str, &Platform), (other, on): (&str, &Platform)) -> Diagnostic {
    let message =
        format!("`clusterRegistry` is `{first}` for {of} and `{other}` for {on}, expected one for all platforms");
    Diagnostic::error(span, message)
        .with_help("do not use `platform` in it, or run once per platform with `--platform`")
}

fn platforms(recipe: &Recipe, narrowing: &Narrowing, mistakes: &mut Vec<Diagnostic>) -> Vec<Platform> {
    let Some(written) = &recipe.platforms else {
        return if narrowing.platforms.is_empty() { vec![Platform::host()] } else { narrowing.platforms.clone() };
    };
    let mut platforms = Vec::new();
    for text in &written.value {
        match text.parse::<Platform>() {
            Ok(platform) if platforms.contains(&platform) => {
                mistakes.push(Diagnostic::error(text.span, format!("the platform `{platform}` is there twice")));
            }
            Ok(platform) => platforms.push(platform),
            Err(error) => mistakes.push(Diagnostic::error(text.span, error.to_string())),
        }
    }
    let span = written.first().map_or(written.span, |first| first.span);
    if written.is_empty() {
        mistakes.push(
            Diagnostic::error(written.span, "`platforms` is empty")
                .with_help("remove it to build for the platform of this machine"),
        );
    }
    // A mistyped platform may have been meant as the wanted one.
    let is_sound = mistakes.is_empty();
    for wanted in &narrowing.platforms {
        if is_sound && !platforms.contains(wanted) {
            mistakes.push(
                Diagnostic::error(span, format!("the recipe is not for the platform `{wanted}`"))
                    .with_label("the recipe's platforms"),
            );
        }
    }
    let wanted = |platform: &&Platform| narrowing.platforms.is_empty() || narrowing.platforms.contains(platform);
    let chosen: Vec<Platform> = platforms.iter().filter(wanted).cloned().collect();
    // The list is empty only after a mistake; the search for other mistakes goes on.
    match (chosen.is_empty(), platforms.is_empty()) {
        (false, _) => chosen,
        (true, false) => platforms,
        (true, true) => vec![Platform::host()],
    }
}

/// Reports two stages for one image, and stages that need an image of a later stage.
fn check_order(recipe: &Recipe, sketches: &[StageSketch], mistakes: &mut Vec<Diagnostic>) {
    let mut makers: BTreeMap<&SealerName, usize> = BTreeMap::new();
    let name_of = |index: usize| &recipe.stages[index].name.value;
    for (index, stage) in sketches.iter().enumerate() {
        let Some(image) = &stage.image else { continue };
        if let Some(earlier) = makers.get(image) {
            let label = format!("stage `{}` already makes it", name_of(*earlier));
            let message = format!("image `{}` is made twice", image.familiar());
            mistakes.push(Diagnostic::error(recipe.stages[index].image.span, message).with_label(label));
        } else {
            makers.insert(image, index);
        }
    }
    for (index, stage) in sketches.iter().enumerate() {
        for (span, needed) in stage.needs() {
            let Some(maker) = makers.get(needed).filter(|maker| **maker >= index) else { continue };
            let label = if *maker == index {
                "this stage makes it itself".to_owned()
            } else {
                format!("the later stage `{}` makes it", name_of(*maker))
            };
            let message = format!("image `{}` is not made yet", needed.familiar());
            mistakes.push(Diagnostic::error(span, message).with_label(label));
        }
    }
}

/// The error for a wanted stage that does not exist.
fn check_stage_name(recipe: &Recipe, narrowing: &Narrowing, mistakes: &mut Vec<Diagnostic>) {
    let Some(wanted) = &narrowing.stage else { return };
    let names: Vec<&str> = recipe.stages.iter().map(|stage| stage.name.value.as_str()).collect();
    if names.contains(&wanted.as_str()) {
        return;
    }
    let span = recipe.stages.first().map_or(Span::default(), |stage| stage.name.span);
    let mistake = Diagnostic::error(span, format!("the recipe has no stage `{wanted}`"))
        .with_help(format!("the stages are {}", names.join(", ")));
    mistakes.push(match nearest(wanted, names.iter().copied()) {
        Some(near) => mistake.with_help(format!("did you mean `{near}`?")),
        None => mistake,
    });
}

/// The wanted stage and all stages that it builds on, or every stage.
fn narrow_to_stage(sketches: &[StageSketch], narrowing: &Narrowing) -> Vec<PlannedStage> {
    let Some(wanted) = &narrowing.stage else {
        return sketches.iter().filter_map(|sketch| sketch.planned.clone()).collect();
    };
    let mut images: BTreeSet<&SealerName> = BTreeSet::new();
    let mut kept = Vec::new();
    for sketch in sketches.iter().rev() {
        let Some(planned) = &sketch.planned else { continue };
        if planned.work.stage == *wanted || images.contains(&planned.work.image) {
            images.extend(sketch.needs().map(|(_, image)| image));
            kept.push(planned.clone());
        }
    }
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::ValuesInput;
    use crate::recipe::parse;

    fn resolved(registry: &str, platforms: &[&str]) -> Result<String, String> {
        let text = format!(
            "apiVersion: recipe.sealer.io/v1alpha1\nkind: Recipe\nmetadata: {{name: demo}}\nvalues: {{hub: my.hub}}\n\
             platforms: [linux/amd64, linux/arm64]\nclusterRegistry: \"{registry}\"\nstages:\n  - name: one\n    \
             image: x:v1\n    kubefile: |\n      FROM scratch\n      COPY . .\n"
        );
        let source = Source::new("r.yaml", &text);
        let parsed = parse(&source).unwrap();
        let values = Values::merge(&parsed.recipe.declared(&source), &ValuesInput::default()).unwrap();
        let platforms = platforms.iter().map(|platform| platform.parse().unwrap()).collect();
        let narrowing = Narrowing { platforms, stage: None };
        let plan = resolve(&source, &parsed.recipe, &values, &narrowing, Epoch::DEFAULT);
        plan.map(|plan| plan.cluster_registry)
            .map_err(|mistakes| mistakes.iter().map(|mistake| mistake.render(&source, false)).collect())
    }

    #[test]
    fn the_registry_of_clusters_is_one_for_all_platforms() {
        assert_eq!(resolved("{{ values.hub }}:5000", &[]).unwrap(), "my.hub:5000");
        let by_platform = "hub-{{ platform.architecture }}:5000";
        insta::assert_snapshot!(resolved(by_platform, &[]).unwrap_err(), @r#"
        r.yaml:6:18: error: `clusterRegistry` is `hub-amd64:5000` for linux/amd64 and `hub-arm64:5000` for linux/arm64, expected one for all platforms
          |
        6 | clusterRegistry: "hub-{{ platform.architecture }}:5000"
          |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: do not use `platform` in it, or run once per platform with `--platform`
        "#);
        // A plan for one platform has one registry.
        assert_eq!(resolved(by_platform, &["linux/amd64"]).unwrap(), "hub-amd64:5000");
        assert_eq!(resolved(by_platform, &["linux/arm64"]).unwrap(), "hub-arm64:5000");
    }
}
