//! Repairs damaged parts of an image from its registry, and moves the damaged ones away.
//!
//! Parts are fetched, unpacked and verified first, then swapped: nothing is removed before its replacement exists, so
//! other images that share a layer keep working as before. Only useless parts are moved away without a replacement: a
//! document that cannot be read or is another image's, a file in the place of a layer's folder.

use serde::Serialize;

use crate::build::{blobs_of, document, unpack_again};
use crate::image::ContainerImage;
use crate::image::layer::LayerId;
use crate::image::model::{Image, ImageDocument};
use crate::sources::Sources;
use crate::store::{LayerState, Mending, Store};
use crate::types::{Digest, Failure, FailureKind, ImageSource, Observer};

use super::super::Verdict;
use super::document::DocumentState;
use super::layers::{Known, Layer};
use super::{Diagnosis, ImageDoctor};

const ELSEWHERE: &str = "load an archive of the image, or apply its recipe again: that also repairs it";

/// Repairs images.
pub(crate) struct Repairer<'a> {
    /// Where they are.
    pub store: &'a Store,
    /// Where layers and documents come from.
    pub sources: &'a Sources,
    /// Receives the events.
    pub observer: &'a dyn Observer,
}

/// The result of a repair.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Repair {
    /// The repaired parts, for people: `layer 4 (BASE rootfs cache)`.
    pub mended: Vec<String>,
    /// Where the damaged parts are now.
    pub set_aside: Vec<String>,
    /// What could not be repaired, and why.
    pub failures: Vec<Failure>,
}

impl Repair {
    /// Whether there was anything to do.
    #[must_use]
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// What was done, a line each, for people.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        let mended = self.mended.iter().map(|what| format!("repaired: {what}\n"));
        let aside =
            self.set_aside.iter().map(|path| format!("moved away: {path}: delete it when you no longer need it\n"));
        let failures =
            self.failures.iter().map(|failure| failure.render(None, false).replacen("error: ", "not repaired: ", 1));
        mended.chain(aside).chain(failures).collect()
    }

    fn add(&mut self, other: Self) {
        self.mended.extend(other.mended);
        self.set_aside.extend(other.set_aside);
        self.failures.extend(other.failures);
    }
}

impl Repairer<'_> {
    /// Repairs what can be repaired, and checks again.
    ///
    /// # Errors
    /// The store cannot be written.
    pub(crate) fn repair(
        &self,
        doctor: &ImageDoctor<'_>,
        diagnosis: Diagnosis,
    ) -> Result<(Repair, Diagnosis), Failure> {
        let mut repair = self.once(&diagnosis)?;
        if repair.is_nothing() {
            return Ok((repair, diagnosis));
        }
        let again = || {
            let found = doctor.examine(&diagnosis.name, std::slice::from_ref(&diagnosis.platform))?;
            found.into_iter().next().ok_or_else(|| Failure::new(FailureKind::Failed, "the image is gone"))
        };
        let mut now = again()?;
        // The layers are only known now.
        if diagnosis.document.image().is_none() && now.document.image().is_some() {
            let more = self.once(&now)?;
            if !more.is_nothing() {
                repair.add(more);
                now = again()?;
            }
        }
        Ok((repair, now))
    }

    fn once(&self, diagnosis: &Diagnosis) -> Result<Repair, Failure> {
        let staging = self.store.stage()?;
        let (mut mending, mut repair) = (Mending::default(), Repair::default());
        for layer in diagnosis.layers.iter().filter(|layer| layer.is_misdescribed) {
            if let Some(found) = layer.found {
                mending.layerdb.push(LayerId { digest: layer.id, ..found });
                repair.mended.push(format!("the store's record of {}", layer.label()));
            }
        }
        let wanted: Vec<&Layer> = diagnosis.layers.iter().filter(|layer| diagnosis.wants(layer)).collect();
        let lacks_document = matches!(diagnosis.document, DocumentState::Missing(_) | DocumentState::Useless(..));
        if lacks_document || !wanted.is_empty() {
            match self.described(diagnosis) {
                Ok((pulled, image)) => {
                    self.documents(diagnosis, &image, &mut mending, &mut repair);
                    for layer in &wanted {
                        match self.layer(diagnosis, layer, &pulled, &image, &staging) {
                            Ok(staged) => {
                                mending.layers.push(staged);
                                repair.mended.push(layer.label());
                            }
                            Err(failure) => repair.failures.push(failure),
                        }
                    }
                }
                Err(failure) => repair.failures.push(failure),
            }
        }
        mending.layerdb.retain(|id| mending.layers.iter().all(|layer| layer.id.digest != id.digest));
        if mending.documents.is_empty() {
            self.useless(diagnosis, &mut mending);
        }
        let got = |id: &Digest| mending.layers.iter().any(|layer| layer.id.digest == *id);
        mending.useless_layers = wanted
            .iter()
            .filter(|layer| layer.known == Known::NoFolder && !got(&layer.id))
            .map(|layer| layer.id)
            .collect();
        let mended = self.store.mend(&staging, &mending)?;
        repair.set_aside = mended.set_aside.iter().map(|path| path.display().to_string()).collect();
        Ok(repair)
    }

    /// What the image's registry has under its name.
    fn described(&self, diagnosis: &Diagnosis) -> Result<(ContainerImage, Image), Failure> {
        let source = ImageSource::from(diagnosis.name.reference().clone());
        let asked = self.sources.describe(&[(source, diagnosis.platform.clone())]);
        let pulled = asked.into_iter().next().ok_or_else(|| Failure::new(FailureKind::Failed, "nothing was asked"))?;
        let failed = |failure: Failure| {
            let name = diagnosis.name.familiar();
            let message = format!("`{name}` cannot be repaired from its registry: {}", failure.message);
            Failure { message, ..failure.with_help(ELSEWHERE) }
        };
        let pulled = pulled.map_err(failed)?.as_ref().clone();
        let image = document(&diagnosis.name, &pulled, self.sources.cache());
        let image = image.map_err(|error| failed(error.into()))?;
        Ok((pulled, image))
    }

    /// Restores the document if the registry has the same one.
    fn documents(&self, diagnosis: &Diagnosis, found: &Image, mending: &mut Mending, repair: &mut Repair) {
        let id = match &diagnosis.document {
            DocumentState::Useless(id, Some(other)) if self.belongs_to(id, other) => return,
            DocumentState::Missing(id) | DocumentState::Useless(id, _) => *id,
            DocumentState::Read(_) | DocumentState::Unknown => return,
        };
        if found.id == Some(id) {
            mending.documents.push(ImageDocument::new(found.clone()));
            repair.mended.push("the image's document".to_owned());
            return;
        }
        let has = found.id.map_or_else(|| "one without an id".to_owned(), |id| id.to_string());
        let message = format!(
            "the document of `{}` is not in its registry: the store has {id}, the registry {has}",
            diagnosis.name.familiar()
        );
        repair.failures.push(Failure::new(FailureKind::Verification, message));
    }

    /// Marks a document that is useless for this and every other name.
    fn useless(&self, diagnosis: &Diagnosis, mending: &mut Mending) {
        match &diagnosis.document {
            DocumentState::Useless(id, other) => {
                if !other.as_ref().is_some_and(|other| self.belongs_to(id, other)) {
                    mending.useless_documents.push(*id);
                }
            }
            DocumentState::Read(_) | DocumentState::Missing(_) | DocumentState::Unknown => {}
        }
    }

    /// Whether the list also has an id under another name. If that is not known, the answer is yes.
    fn belongs_to(&self, id: &crate::image::model::ImageId, name: &crate::types::SealerName) -> bool {
        let records = self.store.records(name);
        records.map_or(true, |records| records.iter().any(|record| record.entry.id == id.to_string()))
    }

    /// A layer, fetched again and staged.
    fn layer(
        &self,
        diagnosis: &Diagnosis,
        layer: &Layer,
        pulled: &ContainerImage,
        image: &Image,
        staging: &crate::store::Staging,
    ) -> Result<crate::store::StagedLayer, Failure> {
        let name = diagnosis.name.familiar();
        let failed = |failure: Failure| {
            let message = format!("{} of `{name}` cannot be pulled again: {}", layer.label(), failure.message);
            Failure { message, ..failure.with_help(ELSEWHERE) }
        };
        let of_workspace = |error: crate::build::WorkspaceError| failed(error.into());
        let blobs = blobs_of(image, pulled, &[layer.id]).map_err(of_workspace)?;
        let Some((_, blob)) = blobs.first() else {
            let message = format!("the image of that name in the registry, {}, does not have it", pulled.root().digest);
            return Err(failed(Failure::new(FailureKind::Verification, message)));
        };
        self.sources.blobs(diagnosis.name.reference(), std::slice::from_ref(blob)).map_err(failed)?;
        let staged =
            unpack_again(staging, layer.id, blob, self.sources.cache(), self.observer).map_err(of_workspace)?;
        // A layer that is not better than the existing one does not replace it.
        if !staged.verified && layer.known == Known::State(LayerState::Changed) {
            let message = "the registry's copy does not hash to its id either".to_owned();
            return Err(failed(Failure::new(FailureKind::Verification, message)));
        }
        Ok(staged)
    }
}

impl Diagnosis {
    /// Whether a layer should be pulled again: its content has a problem, and is not proven to be the original.
    fn wants(&self, layer: &Layer) -> bool {
        let is_named = || {
            let of_it = |found: &&super::ImageFinding| found.layer == Some(layer.id);
            self.findings.iter().filter(of_it).any(|found| {
                found.finding.check == "layer-doubtful"
                    || found.finding.verdict == Verdict::Error
                        && !found.finding.check.starts_with("asked-")
                        && !["collision", "reference", "registry-layer", "layer-twice"].contains(&found.finding.check)
            })
        };
        !layer.is_whole() && is_named()
    }
}
