//! `sealer doctor image`

use clap::Args;
use serde::Serialize;

use crate::cli::failure::Failed;
use crate::cli::globals::Globals;
use crate::cli::output::{self, OutputForm};
use crate::cli::platforms::PlatformArgs;
use crate::cli::sources::{Settings, sources};
use crate::doctor::image::{Diagnosis, ImageDoctor, Repair, Repairer};
use crate::doctor::{Verdict, node_needs};
use crate::plan::DEFAULT_CLUSTER_REGISTRY;
use crate::store::Store;
use crate::types::{FailureKind, SealerName};

#[derive(Debug, Args)]
pub(in crate::cli) struct ImageArgs {
    /// The image's name
    #[arg(value_name = "NAME")]
    name: SealerName,
    #[command(flatten)]
    platforms: PlatformArgs,
    /// Also hash every blob of the image's registry
    #[arg(long)]
    deep: bool,
    /// Pull damaged parts again from the image's registry, and move the damaged ones away
    #[arg(long)]
    repair: bool,
    /// The form of the result
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

/// A platform, for machines.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    diagnosis: &'a Diagnosis,
    #[serde(skip_serializing_if = "Option::is_none")]
    repair: Option<&'a Repair>,
}

pub(super) fn run(args: &ImageArgs, globals: &Globals) -> Result<(), Failed> {
    let store = Store::open(&globals.root()?);
    let doctor = ImageDoctor { store: &store, cluster_registry: DEFAULT_CLUSTER_REGISTRY, deep: args.deep };
    let found = doctor.examine(&args.name, &args.platforms.named())?;
    let rows = if args.repair { repair(&store, &doctor, found, globals)? } else { unrepaired(found) };
    match args.output {
        OutputForm::Json => {
            let rows: Vec<_> =
                rows.iter().map(|(diagnosis, repair)| Row { diagnosis, repair: repair.as_ref() }).collect();
            output::json(&rows)?;
        }
        OutputForm::Text => {
            for (diagnosis, repair) in &rows {
                let done = repair.as_ref().map(Repair::text).unwrap_or_default();
                output::data(&(done + &diagnosis.text(globals.verbose > 0)))?;
            }
            if globals.verbose > 0 && rows.iter().any(|(diagnosis, _)| diagnosis.makes_cluster) {
                output::data(&node_needs())?;
            }
        }
    }
    let worst = rows.iter().map(|(diagnosis, _)| diagnosis.verdict).max().unwrap_or(Verdict::Good);
    if worst == Verdict::Error { Err(Failed::Reported(FailureKind::Verification)) } else { Ok(()) }
}

fn unrepaired(found: Vec<Diagnosis>) -> Vec<(Diagnosis, Option<Repair>)> {
    found.into_iter().map(|diagnosis| (diagnosis, None)).collect()
}

fn repair(
    store: &Store,
    doctor: &ImageDoctor<'_>,
    found: Vec<Diagnosis>,
    globals: &Globals,
) -> Result<Vec<(Diagnosis, Option<Repair>)>, Failed> {
    if found.iter().all(|diagnosis| diagnosis.verdict <= Verdict::Note) {
        return Ok(unrepaired(found));
    }
    let observer = globals.observer();
    let cache = globals.cache()?;
    let sources = sources(&Settings { cache: &cache, registries_conf: None, url_mirrors: &[] }, &observer)?;
    let repairer = Repairer { store, sources: &sources, observer: observer.as_ref() };
    let mut rows = Vec::new();
    for diagnosis in found {
        let (repair, now) = repairer.repair(doctor, diagnosis)?;
        rows.push((now, Some(repair)));
    }
    Ok(rows)
}
