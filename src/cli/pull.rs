//! `sealer pull`

use clap::Args;
use serde::Serialize;

use crate::build::Workspace;
use crate::sources::Sources;
use crate::store::Store;
use crate::types::{Digest, Failure, FailureKind, Platform, SealerName};

use super::failure::Failed;
use super::globals::Globals;
use super::output::{self, OutputForm};
use super::platforms::PlatformArgs;
use super::sources::{Settings, sources};

#[derive(Debug, Args)]
pub(super) struct PullArgs {
    /// The image's name
    #[arg(value_name = "NAME")]
    name: SealerName,
    #[command(flatten)]
    platforms: PlatformArgs,
    /// The form of the result
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

/// An image that was pulled, for machines.
#[derive(Serialize)]
struct Row {
    name: String,
    id: String,
    platform: Platform,
    /// What the tag stands for in the registry.
    digest: Digest,
}

pub(super) fn run(args: &PullArgs, globals: &Globals) -> Result<(), Failed> {
    if let Some(digest) = args.name.reference().digest() {
        return Err(Failed::Usage(format!("the store names images by tag, not by digest: `@{digest}`")));
    }
    let store = Store::open(&globals.root()?);
    let observer = globals.observer();
    let cache = globals.cache()?;
    let sources = sources(&Settings { cache: &cache, registries_conf: None, url_mirrors: &[] }, &observer)?;
    let mut rows = Vec::new();
    // All platforms or none: an image with platforms of different versions is not useful.
    let mut workspace = Workspace::new(&store)?;
    for platform in platforms(args, &sources)? {
        let pulled = sources.image(&args.name.reference().clone().into(), &platform)?;
        let image = workspace.import(&args.name, &pulled, sources.cache(), observer.as_ref())?;
        let id = image.id.map(|id| id.to_string()).unwrap_or_default();
        rows.push(Row { name: image.name.to_string(), id, platform, digest: pulled.root().digest });
    }
    workspace.commit()?;
    match args.output {
        OutputForm::Json => output::json(&rows),
        OutputForm::Text => rows.iter().try_for_each(|row| {
            output::data(&format!("pulled {} ({}), digest {}\n", row.name, row.platform, row.digest))
        }),
    }
}

/// The platforms to pull: those that were named, this machine's, or all that the registry has.
fn platforms(args: &PullArgs, sources: &Sources) -> Result<Vec<Platform>, Failed> {
    if args.platforms.is_default() {
        return Ok(vec![Platform::host()]);
    }
    let named = args.platforms.named();
    if !named.is_empty() {
        return Ok(named);
    }
    let there = sources.platforms(args.name.reference())?;
    if there.is_empty() {
        let message = format!("`{}` has no platform", args.name);
        return Err(Failure::new(FailureKind::Verification, message).into());
    }
    Ok(there)
}
