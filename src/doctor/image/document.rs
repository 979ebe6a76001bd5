//! The entry in the list of images, and its document.

use crate::image::model::{Image, ImageDocument, ImageId};
use crate::store::{Record, Store};
use crate::types::{Platform, SealerName, chain};

use super::super::{Finding, Verdict};
use super::finding::ImageFinding;

/// The result of reading a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DocumentState {
    /// It was read.
    Read(Box<Image>),
    /// It does not exist.
    Missing(ImageId),
    /// It is useless for this name: not a document, or another image's.
    Useless(ImageId, Option<SealerName>),
    /// Its place is unknown, or it cannot be read.
    Unknown,
}

impl DocumentState {
    pub(super) fn image(&self) -> Option<&Image> {
        match self {
            Self::Read(image) => Some(image),
            Self::Missing(_) | Self::Useless(..) | Self::Unknown => None,
        }
    }
}

pub(super) fn examine(
    store: &Store,
    name: &SealerName,
    platform: &Platform,
    record: &Record,
) -> (DocumentState, Vec<ImageFinding>) {
    let again = format!(
        "`sealer doctor image {} --repair` moves the damaged file away and pulls it again; if the registry has \
         another image, load the archive again",
        name.familiar()
    );
    let error = |check, subject: String, found: String| Finding::new(Verdict::Error, check, subject, found);
    let list = store.list_path().display().to_string();
    let id = match record.entry.image_id() {
        Ok(id) => id,
        Err(why) => {
            let found = format!("the entry of `{}` for {platform} is broken: {why}", name.familiar());
            let remedy = format!("`sealer rmi {}`, then load or pull the image again", name.familiar());
            return (DocumentState::Unknown, vec![error("entry", list, found).remedy(remedy).into()]);
        }
    };
    let path = store.document_path(&id).display().to_string();
    let bytes = match &record.document {
        Ok(Ok(Some(bytes))) => bytes.clone(),
        Ok(Ok(None)) => {
            let found = format!(
                "the image's document is missing: the entry of `{}` for {platform} in {list} points to nothing",
                name.familiar()
            );
            let finding = error("document-missing", path, found).remedy(again);
            return (DocumentState::Missing(id), vec![finding.into()]);
        }
        Ok(Err(why)) => {
            let finding =
                error("document-unreadable", path, format!("the image's document cannot be read: {}", chain(why)))
                    .remedy(again);
            return (DocumentState::Useless(id, None), vec![finding.into()]);
        }
        Err(_) => return (DocumentState::Unknown, Vec::new()),
    };
    let document = match ImageDocument::from_yaml(bytes) {
        Ok(document) => document,
        Err(why) => {
            let found = format!("it is not the document of an image: {}", chain(&why));
            let finding = error("document-garbled", path, found).remedy(again);
            return (DocumentState::Useless(id, None), vec![finding.into()]);
        }
    };
    let image = document.image();
    if image.name != *name {
        let found = format!("it is the document of another image, `{}`", image.name);
        let finding = error("document-foreign", path, found).expected(format!("`{name}`")).remedy(again);
        return (DocumentState::Useless(id, Some(image.name.clone())), vec![finding.into()]);
    }
    let mut findings: Vec<ImageFinding> = Vec::new();
    if image.platform != *platform {
        let found = format!("the document is for {}, but its entry in {list} says {platform}", image.platform);
        let remedy = format!("`sealer rmi {}`, then load or pull the image again", name.familiar());
        findings.push(error("platform", path.clone(), found).remedy(remedy).into());
    }
    if document.id() != id {
        let found = format!("the document says that its id is {}", document.id());
        let finding = Finding::new(Verdict::Warning, "document-id", path.clone(), found).expected(id.to_string());
        findings.push(finding.remedy("load or pull the image again").into());
    } else if image.computed_id() != id {
        let found =
            "its content has another id: a real sealer tagged or merged the image, or somebody edited the document";
        let finding = Finding::new(Verdict::Note, "document-id", path.clone(), found);
        findings.push(
            finding.remedy("show it with `sealer inspect`, and compare it with the one in the image's registry").into(),
        );
    }
    let mut seen = Vec::new();
    for layer in image.layer_ids() {
        if seen.contains(&layer) {
            let found = format!("it names the layer {layer} twice: such an image can neither be pushed nor mounted");
            let finding = error("layer-twice", path.clone(), found).remedy("build the image again");
            findings.push(ImageFinding::of_layer(finding, layer));
        }
        seen.push(layer);
    }
    (DocumentState::Read(Box::new(image.clone())), findings)
}
