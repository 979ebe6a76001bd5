//! `sealer push`

use std::num::NonZeroUsize;

use clap::Args;
use serde::Serialize;

use crate::build::Exporter;
use crate::store::Store;
use crate::transport::Pushed;
use crate::words::{Digest, Platform, SealerName};

use super::failure::Failed;
use super::globals::Globals;
use super::output::{self, OutputForm};
use super::platforms::PlatformArgs;
use super::progress;
use super::world::{Settings, supply};

#[derive(Debug, Args)]
pub(super) struct PushArgs {
    /// The image's name, which says where it is pushed
    #[arg(value_name = "NAME")]
    name: SealerName,
    #[command(flatten)]
    platforms: PlatformArgs,
    /// The form of the result
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

/// What was pushed, for machines. Sizes are in bytes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    name: String,
    /// Of the list that the tag stands for.
    digest: Digest,
    manifests: Vec<Row>,
    uploaded_bytes: u64,
    mounted_bytes: u64,
    present_bytes: u64,
}

#[derive(Serialize)]
struct Row {
    platform: Platform,
    digest: Digest,
}

impl Report {
    fn new(name: &SealerName, pushed: Pushed) -> Self {
        let manifests = pushed.manifests.into_iter();
        Self {
            name: name.to_string(),
            digest: pushed.list.digest,
            manifests: manifests.map(|(platform, manifest)| Row { platform, digest: manifest.digest }).collect(),
            uploaded_bytes: pushed.uploaded,
            mounted_bytes: pushed.mounted,
            present_bytes: pushed.present,
        }
    }
}

pub(super) fn run(args: &PushArgs, globals: &Globals) -> Result<(), Failed> {
    if let Some(digest) = args.name.reference().digest() {
        return Err(Failed::Usage(format!("an image is pushed under a tag, not under a digest: `@{digest}`")));
    }
    let store = Store::open(&globals.root()?);
    let images = store.find_all(&args.name, &args.platforms.named());
    let images = images.map_err(|error| Failed::from_error(error.kind(), &error))?;
    let observer = progress::observer(globals);
    let cache = globals.cache()?;
    let supply = supply(&Settings { cache: &cache, registries_conf: None, url_mirrors: &[] }, &observer)?;
    let exporter = Exporter {
        store: &store,
        cache: supply.cache(),
        observer: observer.as_ref(),
        threads: NonZeroUsize::new(globals.threads()?).unwrap_or(NonZeroUsize::MIN),
    };
    let ready = exporter.export(&images).map_err(|error| Failed::from_error(error.kind(), &error))?;
    let pushed = supply.push(args.name.reference(), &ready).map_err(Failed::one)?;
    let report = Report::new(&args.name, pushed);
    match args.output {
        OutputForm::Json => output::json(&report),
        OutputForm::Text => output::data(&format!("{}@{}\n", report.name, report.digest)),
    }
}
