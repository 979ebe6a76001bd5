//! Checks an image of the store completely.
//!
//! ```text
//! entry of the list ──▶ document ──▶ layers: folder, hash, layerdb
//!                                       └─ merged ──▶ registry/: tag ▶ list ▶ manifest ▶ config, layers
//!                                                 └─▶ manifests/, charts/, other files: what they ask of it
//! ```
//!
//! | found | verdict |
//! |---|---|
//! | a problem that stops a cluster or this program from using the image: something is missing, cut off or changed | error |
//! | a missing image of `manifests/` or `charts/`, where the lite build searches | error |
//! | a layer that was verified once and does not hash to its id any more | error |
//! | a problem for few users: another platform's blobs, the store's record of a layer | warning |
//! | a missing image of other manifests; something unused; a layer that was never verified against its id | note |
//!
//! A damaged part does not stop the other checks, but if a whole layer is missing, the merged contents cannot be
//! checked. Files are checked without reading them, with these exceptions: every layer is hashed, and every manifest is
//! read and hashed; other blobs are only hashed with `deep`.

mod asks;
mod checks;
mod diagnosis;
mod document;
mod finding;
mod layers;
mod problem;
mod registry;
mod repair;
mod report;
mod scripts;
mod unused;

use super::{Finding, Verdict};
use crate::provenance::cluster_registry;
use crate::rootfs::RegistryStorage;
use crate::store::{Store, StoreError};
use crate::types::{Platform, SealerName};

use checks::Examined;
pub(crate) use diagnosis::Diagnosis;
pub(crate) use finding::ImageFinding;
use layers::Layers;
pub(crate) use repair::{Repair, Repairer};

/// All checks of what the layers hold together. Each is a file that takes what is known of the image and gives what it finds.
const CHECKS: &[checks::Check] = &[
    |image| image.registry.findings(image.name, &image.asks.said),
    |image| image.asks.findings.clone(),
    unused::examine,
    scripts::examine,
];

/// Looks at images.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ImageDoctor<'a> {
    /// Where they are.
    pub store: &'a Store,
    /// How clusters call an image's own registry, `HOST[:PORT]`.
    pub cluster_registry: &'a str,
    /// Every blob is hashed.
    pub deep: bool,
}

impl ImageDoctor<'_> {
    /// Checks the given platforms of a name, or all if none is given.
    ///
    /// # Errors
    /// The name or platform does not exist, or the list of images cannot be read.
    pub(crate) fn examine(&self, name: &SealerName, platforms: &[Platform]) -> Result<Vec<Diagnosis>, StoreError> {
        let records = self.store.records(name)?;
        if records.is_empty() {
            return Err(StoreError::NoImage(name.to_string()));
        }
        let there: Vec<Platform> = records.iter().map(|record| record.entry.platform.platform()).collect();
        if let Some(platform) = platforms.iter().find(|platform| !there.contains(platform)) {
            let there = there.iter().map(ToString::to_string).collect();
            return Err(StoreError::NoPlatform { image: name.to_string(), platform: platform.clone(), there });
        }
        let wanted = records.iter().zip(there).filter(|(_, there)| platforms.is_empty() || platforms.contains(there));
        Ok(wanted.map(|(record, platform)| self.diagnose(name, platform, record)).collect())
    }

    fn diagnose(&self, name: &SealerName, platform: Platform, record: &crate::store::Record) -> Diagnosis {
        let (state, mut findings) = document::examine(self.store, name, &platform, record);
        let mut diagnosis = Diagnosis {
            name: name.clone(),
            platform,
            id: record.entry.id.clone(),
            verdict: Verdict::Good,
            layers: Vec::new(),
            images: 0,
            makes_cluster: false,
            findings: Vec::new(),
            document: state,
        };
        if let Some(image) = diagnosis.document.image() {
            let (layers, found) = Layers::examine(self.store, name, image);
            findings.extend(found);
            if layers.are_all_there() {
                let (images, found) = self.contents(&layers, image, &diagnosis);
                diagnosis.images = images;
                diagnosis.makes_cluster = layers
                    .merged
                    .find(&"bin/kubeadm".parse().expect("plain words are a path"))
                    .is_ok_and(|program| program.is_some());
                findings.extend(found);
            }
            diagnosis.layers = layers.into_all();
        }
        findings.sort_by_key(|found| std::cmp::Reverse(found.finding.verdict));
        diagnosis.verdict = findings.iter().map(|found| found.finding.verdict).max().unwrap_or(Verdict::Good);
        diagnosis.findings = findings;
        diagnosis
    }

    /// The name of an image's registry in its clusters: from its provenance, else the default.
    fn cluster_registry_of(&self, id: &str) -> String {
        let statement = id.parse().ok().and_then(|id| self.store.provenance(&id).ok().flatten());
        let said = statement.and_then(|statement| cluster_registry(&statement));
        said.unwrap_or_else(|| self.cluster_registry.to_owned())
    }

    /// Checks the merged contents of the layers; returns the number of tags.
    fn contents(
        &self,
        layers: &Layers,
        image: &crate::image::model::Image,
        diagnosis: &Diagnosis,
    ) -> (usize, Vec<ImageFinding>) {
        let unreadable = |error: &std::io::Error| {
            let finding = Finding::new(
                Verdict::Error,
                "unreadable",
                self.store.root().display().to_string(),
                format!("the layers cannot be searched: {error}"),
            );
            vec![finding.remedy("run this as the owner of the store, on a disk without errors").into()]
        };
        let contents = match RegistryStorage::new(&layers.merged).contents() {
            Ok(contents) => contents,
            Err(error) => return (0, unreadable(&error)),
        };
        let host = self.cluster_registry_of(&diagnosis.id);
        let mut registry = registry::Registry::new(layers, &contents, &host, &diagnosis.platform);
        registry.examine();
        let tags = contents.repositories.values().map(|repository| repository.tags.len()).sum();
        if self.deep {
            registry.hash_all();
        }
        let asks = match asks::Asks::examine(layers, image, &registry) {
            Ok(asks) => asks,
            Err(error) => return (tags, unreadable(&error)),
        };
        let image = Examined { name: &diagnosis.name, layers, contents: &contents, registry: &registry, asks: &asks };
        (tags, CHECKS.iter().flat_map(|check| check(&image)).collect())
    }
}
