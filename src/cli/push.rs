//! `sealer push`

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use clap::Args;
use serde::Serialize;

use crate::build::Exporter;
use crate::image::Descriptor;
use crate::provenance::{MEDIA_TYPE, of_pushed};
use crate::sources::Sources;
use crate::store::{Store, StoredImage};
use crate::transport::Pushed;
use crate::types::{Digest, Observer, Platform, SealerName};

use super::failure::Failed;
use super::globals::Globals;
use super::output::{self, OutputForm};
use super::platforms::PlatformArgs;
use super::sources::{Settings, sources};

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
pub(super) struct Report {
    name: String,
    /// The digest of the list under the tag.
    digest: Digest,
    manifests: Vec<Row>,
    uploaded_bytes: u64,
    mounted_bytes: u64,
    present_bytes: u64,
    /// The image's provenance, if the store has it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    provenance: Vec<Referrer>,
}

#[derive(Serialize)]
struct Row {
    platform: Platform,
    digest: Digest,
}

/// A statement that refers to what was pushed.
#[derive(Serialize)]
struct Referrer {
    /// The list or manifest that it is about.
    subject: Digest,
    /// Its own manifest.
    digest: Digest,
    /// The tag of the index that names it, if the registry has no referrers API.
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

impl Report {
    fn new(name: &SealerName, pushed: Pushed, provenance: Vec<Referrer>) -> Self {
        let manifests = pushed.manifests.into_iter();
        Self {
            name: name.to_string(),
            digest: pushed.list.digest,
            manifests: manifests.map(|(platform, manifest)| Row { platform, digest: manifest.digest }).collect(),
            uploaded_bytes: pushed.uploaded,
            mounted_bytes: pushed.mounted,
            present_bytes: pushed.present,
            provenance,
        }
    }

    /// `NAME@DIGEST`, and whether its provenance was attached.
    pub(super) fn line(&self) -> String {
        let provenance = if self.provenance.is_empty() { "" } else { ", with its provenance" };
        format!("{}@{}{provenance}", self.name, self.digest)
    }
}

/// Pushes platforms of an image of the store, with their provenance if the store has it.
pub(super) fn push(
    store: &Store,
    sources: &Sources,
    observer: &dyn Observer,
    threads: usize,
    (name, platforms): (&SealerName, &[Platform]),
) -> Result<Report, Failed> {
    let images = store.find_all(name, platforms)?;
    let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
    let exporter = Exporter { store, cache: sources.cache(), observer, threads };
    let ready = exporter.export(&images)?;
    let pushed = sources.push(name.reference(), &ready)?;
    let provenance = attach(store, sources, name, &images, &pushed)?;
    Ok(Report::new(name, pushed, provenance))
}

/// Attaches the store's statements about images to the list, and to the manifests that they describe.
fn attach(
    store: &Store,
    sources: &Sources,
    name: &SealerName,
    images: &[StoredImage],
    pushed: &Pushed,
) -> Result<Vec<Referrer>, Failed> {
    let manifest = |image: &StoredImage| {
        let platform = &image.document.image().platform;
        pushed.manifests.iter().find(|(pushed, _)| pushed == platform).map(|(_, manifest)| manifest)
    };
    // One statement covers everything that one run made.
    let mut statements: BTreeMap<Vec<u8>, Vec<(&StoredImage, &Descriptor)>> = BTreeMap::new();
    for image in images {
        if let Some(statement) = store.provenance(&image.document.id())? {
            statements.entry(statement).or_default().extend(manifest(image).map(|manifest| (image, manifest)));
        }
    }
    let mut attached = Vec::new();
    for (statement, about) in statements {
        let manifests: Vec<_> = about
            .iter()
            .map(|(image, manifest)| {
                (image.document.image().platform.clone(), manifest.digest, image.document.id().to_string())
            })
            .collect();
        let text = of_pushed(&statement, name.reference(), pushed.list.digest, &manifests)?;
        for subject in std::iter::once(&pushed.list).chain(about.iter().map(|(_, manifest)| *manifest)) {
            let put = sources.attach(name.reference(), subject, MEDIA_TYPE, MEDIA_TYPE, text.as_bytes());
            let put = put
                .map_err(|failure| failure.with_help("the image itself was pushed; only its provenance is missing"))?;
            attached.push(Referrer { subject: subject.digest, digest: put.manifest.digest, tag: put.tag });
        }
    }
    Ok(attached)
}

pub(super) fn run(args: &PushArgs, globals: &Globals) -> Result<(), Failed> {
    if let Some(digest) = args.name.reference().digest() {
        return Err(Failed::Usage(format!("an image is pushed with a tag, not with a digest: `@{digest}`")));
    }
    let store = Store::open(&globals.root()?);
    let platforms = args.platforms.named();
    // A missing image is reported before problems with the settings.
    store.find_all(&args.name, &platforms)?;
    let observer = globals.observer();
    let cache = globals.cache()?;
    let sources = sources(&Settings { cache: &cache, registries_conf: None, url_mirrors: &[] }, &observer)?;
    let report = push(&store, &sources, observer.as_ref(), globals.threads()?, (&args.name, &platforms))?;
    match args.output {
        OutputForm::Json => output::json(&report),
        OutputForm::Text => output::data(&(report.line() + "\n")),
    }
}
