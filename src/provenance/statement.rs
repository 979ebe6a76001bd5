//! The statement.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{BUILD_TYPE, BUILDER, PREDICATE_TYPE, STATEMENT_TYPE, beside, inputs, text};
use crate::apply::Report;
use crate::plan::{Plan, PlannedStage};
use crate::words::{Digest, Platform};

/// A run that made images, with all that it was made of.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The recipe's bytes.
    pub recipe: &'a [u8],
    /// The values that templates saw.
    pub values: &'a Map<String, Value>,
    /// The one stage that was asked for, where not all were.
    pub stage: Option<&'a str>,
    /// What was done.
    pub plan: &'a Plan,
    /// The lock's file as the run read it, or wrote it: its name and bytes. None where there is none.
    pub lock: Option<(&'a str, &'a [u8])>,
    /// What was made, and what it took from outside.
    pub report: &'a Report,
    /// The program's version.
    pub version: &'a str,
}

/// The provenance of a run's images, one statement for all of them.
#[must_use]
pub fn statement(run: &Run<'_>) -> String {
    let plan = run.plan;
    let file = Path::new(&plan.file).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let recipe = Digest::of(run.recipe);
    let platforms: BTreeSet<&Platform> = plan.stages.iter().map(|stage| &stage.work.platform).collect();
    let mut external = json!({
        "recipe": {"name": plan.recipe, "file": file, "sha256": recipe.hex()},
        "values": run.values,
        "platforms": platforms,
    });
    if let Some(stage) = run.stage {
        external["stage"] = stage.into();
    }
    let mut dependencies = vec![inputs::file(&file, &recipe)];
    if let Some((name, bytes)) = run.lock {
        dependencies.push(inputs::file(name, &Digest::of(bytes)));
    }
    dependencies.extend(beside::files(&run.report.beside));
    dependencies.extend(run.report.used.entries().map(inputs::locked));
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
            // When and under which number it ran is nobody's business but the log's: the same run has the same bytes.
            "runDetails": {"builder": {"id": BUILDER, "version": {"sealer": run.version}}},
        },
    });
    text(&statement)
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
