//! The statement.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{BUILD_TYPE, BUILDER, PREDICATE_TYPE, STATEMENT_TYPE, beside, inputs, text};
use crate::apply::Report;
use crate::build::HelmProgram;
use crate::document::{Values, public_values};
use crate::plan::{Plan, PlannedStage};
use crate::types::{Digest, Platform, Source};

/// A run that made images, with all that it was made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'a> {
    /// The recipe.
    pub recipe: &'a Source,
    /// The values that templates saw.
    pub values: &'a Values,
    /// The one stage that was asked for, where not all were.
    pub stage: Option<&'a str>,
    /// The plan that was applied.
    pub plan: &'a Plan,
    /// The lock's file as the run read it, or wrote it: its name and bytes. `None` if there is none.
    pub lock: Option<(&'a str, &'a [u8])>,
    /// What was made, and what it took from outside.
    pub report: &'a Report,
    /// The program's version.
    pub version: &'a str,
}

/// The provenance of a run's images, one statement for all of them.
#[must_use]
pub(crate) fn statement(run: &Run<'_>) -> String {
    let plan = run.plan;
    let file = Path::new(&plan.file).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let recipe = Digest::of(run.recipe.text().as_bytes());
    let platforms: BTreeSet<&Platform> = plan.stages.iter().map(|stage| &stage.work.platform).collect();
    let values = public_values(run.recipe, &plan.recipe, run.values, platforms.iter().copied());
    let mut external = json!({
        "recipe": {"name": plan.recipe, "file": file, "sha256": recipe.hex()},
        "values": values.public,
        "platforms": platforms,
    });
    if !values.hidden.is_empty() {
        external["hiddenValues"] = hidden(&values.hidden);
    }
    if let Some(stage) = run.stage {
        external["stage"] = stage.into();
    }
    let mut dependencies = vec![inputs::file(&file, &recipe)];
    if let Some((name, bytes)) = run.lock {
        dependencies.push(inputs::file(name, &Digest::of(bytes)));
    }
    dependencies.extend(beside::files(&run.report.beside));
    dependencies.extend(run.report.used.entries().map(inputs::locked));
    let helms: BTreeSet<&HelmProgram> = run.report.images.iter().filter_map(|image| image.helm.as_ref()).collect();
    dependencies.extend(helms.into_iter().map(inputs::helm));
    let images = run.report.images.iter().map(|image| {
        json!({
            "name": image.name,
            "uri": inputs::package_url(&image.name, &image.platform),
            "digest": {"sha256": image.id},
            "annotations": {"platform": image.platform},
        })
    });
    let statement = json!({
        "_type": STATEMENT_TYPE,
        "subject": images.collect::<Vec<_>>(),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": external,
                "internalParameters": {
                    "formatVersion": plan.format_version,
                    "sourceDateEpoch": plan.source_date_epoch,
                    "clusterRegistry": plan.cluster_registry,
                    "stages": plan.stages.iter().map(stage).collect::<Vec<_>>(),
                },
                "resolvedDependencies": dependencies,
            },
            // Time and run number only belong into the log: the same run has the same bytes.
            "runDetails": {"builder": {"id": BUILDER, "version": {"sealer": run.version}}},
        },
    });
    text(&statement)
}

/// Each value is given by a sha256: of the bytes of a text, or of the compact JSON of anything else.
fn hidden(values: &Map<String, Value>) -> Value {
    let digest = |value: &Value| match value {
        Value::Object(entries) if !entries.is_empty() => hidden(entries),
        Value::String(text) => json!({"sha256": Digest::of(text.as_bytes()).hex()}),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            json!({"sha256": Digest::of(value.to_string().as_bytes()).hex()})
        }
    };
    Value::Object(values.iter().map(|(key, value)| (key.clone(), digest(value))).collect())
}

/// How the clusters of an image call its registry, by the statement of how it was made; `None` if that does not say so.
#[must_use]
pub(crate) fn cluster_registry(statement: &[u8]) -> Option<String> {
    let statement: Value = serde_json::from_slice(statement).ok()?;
    let said = statement.pointer("/predicate/buildDefinition/internalParameters/clusterRegistry")?;
    said.as_str().map(str::to_owned)
}

fn stage(stage: &PlannedStage) -> Value {
    let work = &stage.work;
    json!({
        "name": work.stage,
        "platform": work.platform,
        "image": work.image,
        "digest": {"sha256": stage.digest.hex()},
    })
}
