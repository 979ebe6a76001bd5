//! A lock in a plan: lists, as in its file.

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Lock, Locked, LockedBase, LockedFile};
use crate::types::{Digest, ImageSource, Platform, SealerName};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Document {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<File>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    images: Vec<Image>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    base_images: Vec<Base>,
}

#[derive(Serialize, Deserialize)]
struct File {
    url: Url,
    #[serde(flatten)]
    locked: LockedFile,
}

#[derive(Serialize, Deserialize)]
struct Image {
    #[serde(rename = "image")]
    name: ImageSource,
    platform: Platform,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
}

#[derive(Serialize, Deserialize)]
struct Base {
    #[serde(rename = "image")]
    name: SealerName,
    platform: Platform,
    #[serde(flatten)]
    locked: LockedBase,
}

impl From<Lock> for Document {
    fn from(lock: Lock) -> Self {
        let Lock { files, images, bases } = lock;
        let image = |((name, platform), digest)| Image { name, platform, digest };
        let base = |((name, platform), locked)| Base { name, platform, locked };
        Self {
            files: files.into_iter().map(|(url, locked)| File { url, locked }).collect(),
            images: images.into_iter().map(image).collect(),
            base_images: bases.into_iter().map(base).collect(),
        }
    }
}

impl From<Document> for Lock {
    fn from(document: Document) -> Self {
        let mut lock = Self::default();
        for File { url, locked } in document.files {
            lock.insert(Locked::File(url, locked));
        }
        for Image { name, platform, digest } in document.images {
            lock.insert(Locked::Image(name, platform, digest));
        }
        for Base { name, platform, locked } in document.base_images {
            lock.insert(Locked::Base(name, platform, locked));
        }
        lock
    }
}
