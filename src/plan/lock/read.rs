//! Text → lock.

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::{LOCK_VERSION, Lock, Locked, LockedBase, LockedFile};
use crate::document::{Spanned, Text, read_document};
use crate::image::model::ImageId;
use crate::types::{Diagnostic, Digest, ImageSource, Platform, SealerName, Source, Span};

/// The lock as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    version: Spanned<u32>,
    #[serde(default)]
    files: Vec<Spanned<WrittenFile>>,
    #[serde(default)]
    images: Vec<Spanned<WrittenImage>>,
    #[serde(default)]
    base_images: Vec<Spanned<WrittenBase>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename = "LockedFile", rename_all = "camelCase", deny_unknown_fields)]
struct WrittenFile {
    url: Text,
    digest: Text,
    size: u64,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename = "LockedImage", rename_all = "camelCase", deny_unknown_fields)]
struct WrittenImage {
    image: Text,
    platform: Text,
    #[serde(default)]
    digest: Option<Text>,
    #[serde(default)]
    refused: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename = "LockedBaseImage", rename_all = "camelCase", deny_unknown_fields)]
struct WrittenBase {
    image: Text,
    platform: Text,
    id: Text,
    #[serde(default)]
    digest: Option<Text>,
    layers: Vec<Text>,
}

/// Reads a lock's file. The error has all its mistakes, in the order of the text.
pub(crate) fn read_lock(source: &Source) -> Result<Lock, Vec<Diagnostic>> {
    let Some(written) = read_document::<Written>(source, "lock")? else {
        let message = "the lock is empty";
        return Err(vec![
            Diagnostic::error(Span::default(), message).with_help("delete the file, and the next run writes a new one"),
        ]);
    };
    if written.version.value != LOCK_VERSION {
        let message = format!("the lock's version is {}, expected {LOCK_VERSION}", written.version.value);
        let mistake = Diagnostic::error(written.version.span, message);
        return Err(vec![mistake.with_help("another release wrote it: use that release, or lock again")]);
    }
    let mut reading = Reading { lock: Lock::default(), mistakes: Vec::new() };
    for file in &written.files {
        reading.file(file);
    }
    for image in &written.images {
        reading.image(image);
    }
    for base in &written.base_images {
        reading.base(base);
    }
    if reading.mistakes.is_empty() { Ok(reading.lock) } else { Err(reading.mistakes) }
}

struct Reading {
    lock: Lock,
    mistakes: Vec<Diagnostic>,
}

impl Reading {
    fn file(&mut self, written: &Spanned<WrittenFile>) {
        let url = self.parsed::<Url>(&written.url);
        let digest = self.parsed::<Digest>(&written.digest);
        let (Some(url), Some(digest)) = (url, digest) else { return };
        if self.lock.file(&url).is_some() {
            return self.twice(written.url.span, url.as_str());
        }
        self.lock.insert(Locked::File(url, LockedFile { digest, size: written.size }));
    }

    fn image(&mut self, written: &Spanned<WrittenImage>) {
        let image = self.parsed::<ImageSource>(&written.image);
        let platform = self.parsed::<Platform>(&written.platform);
        let digest = written.digest.as_ref().map(|digest| self.parsed::<Digest>(digest));
        if digest.is_some() == written.refused {
            let message = "expected either `digest` or `refused: true`";
            return self.mistakes.push(Diagnostic::error(written.span, message));
        }
        let (Some(image), Some(platform)) = (image, platform) else { return };
        if self.lock.images.contains_key(&(image.clone(), platform.clone())) {
            return self.twice(written.image.span, &image.to_string());
        }
        let digest = digest.flatten();
        self.lock.insert(Locked::Image(image, platform, digest));
    }

    fn base(&mut self, written: &Spanned<WrittenBase>) {
        let name = self.parsed::<SealerName>(&written.image);
        let platform = self.parsed::<Platform>(&written.platform);
        let id = self.parsed::<ImageId>(&written.id);
        let digest = written.digest.as_ref().map(|digest| self.parsed::<Digest>(digest));
        let layers: Vec<Digest> = written.layers.iter().filter_map(|layer| self.parsed(layer)).collect();
        let (Some(name), Some(platform), Some(id)) = (name, platform, id) else { return };
        if self.lock.base(&name, &platform).is_some() {
            return self.twice(written.image.span, &name.to_string());
        }
        self.lock.insert(Locked::Base(name, platform, LockedBase { id, digest: digest.flatten(), layers }));
    }

    fn parsed<T: std::str::FromStr<Err: ToString>>(&mut self, text: &Text) -> Option<T> {
        text.value
            .parse()
            .map_err(|error: T::Err| self.mistakes.push(Diagnostic::error(text.span, error.to_string())))
            .ok()
    }

    fn twice(&mut self, span: Span, name: &str) {
        self.mistakes.push(Diagnostic::error(span, format!("`{name}` is locked twice")));
    }
}
