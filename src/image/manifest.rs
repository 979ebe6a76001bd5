//! Documents of registries: lists of manifests and manifests, in Docker's and OCI's spelling. Pure.
//!
//! Formats: Docker image manifest version 2 schema 2, OCI image-spec `manifest.md` and `image-index.md`.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::Descriptor;
use crate::types::{Digest, FailureKind, Platform, Reportable};

pub(super) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub(super) const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(super) const OCI_LIST: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

/// The media types that [`Manifest::parse`] understands: what to name in `Accept`.
pub const MANIFEST_TYPES: [&str; 4] = [DOCKER_LIST, DOCKER_IMAGE, OCI_LIST, OCI_IMAGE];

/// A document under a tag or a digest, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its media type, one of [`MANIFEST_TYPES`].
    pub media_type: String,
    /// A manifest of one platform, or a list.
    pub kind: ManifestKind,
}

/// The two kinds of document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestKind {
    /// Manifests by platform.
    List(Vec<PlatformManifest>),
    /// One image.
    Image {
        /// The config.
        config: Descriptor,
        /// The layers from the lowest.
        layers: Vec<Descriptor>,
    },
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformManifest {
    /// The manifest.
    pub descriptor: Descriptor,
    /// Its platform. `None` for entries that are not images: attestations (`unknown/unknown`) and entries without
    /// platform.
    pub platform: Option<Platform>,
}

/// Why a document is not a manifest that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or a field is missing or of another form.
    #[error("the manifest cannot be read: {0}")]
    Form(String),
    /// Image manifest version 2 schema 1, or older.
    #[error("the manifest has Docker's old schema 1; push the image again with a current Docker")]
    SchemaOne,
    /// Fields of a list and of an image in one document.
    #[error("the document is both a list of manifests and a manifest")]
    Ambiguous,
    /// Neither the one nor the other.
    #[error("the document is neither a list of manifests nor a manifest: {0}")]
    Unknown(String),
    /// The media type says one thing and the document another.
    #[error("the media type is `{said}`, but the document is {found}")]
    MediaType {
        /// The media type that came with it.
        said: String,
        /// What the document is, in words.
        found: String,
    },
    /// A digest of another algorithm, or no digest.
    #[error("`{0}` is not a supported digest: expected `sha256:` and 64 hex digits")]
    Digest(String),
    /// A layer that must be fetched from a URL outside the registry.
    #[error("layer {0} is foreign: it is at a URL outside the registry, and such layers are not supported")]
    Foreign(Digest),
    /// The list has no manifest for the platform.
    #[error("there is no manifest for {platform}; there {}", are(.available))]
    NoPlatform {
        /// The platform that was asked for.
        platform: Platform,
        /// The platforms that the list has.
        available: Vec<String>,
    },
    /// The list leads to another list.
    #[error("the list's entry for {0} is a list itself")]
    Nested(Platform),
    /// The config of the only manifest does not say what it is for.
    #[error(
        "its config names no platform: it is not a container image, or a sealer up to v0.6.1 pushed it, in a format \
         that later versions cannot read"
    )]
    NoConfigPlatform,
    /// The only manifest is for another platform.
    #[error("the image is for {found} only, not for {asked}")]
    OtherPlatform {
        /// The platform that was asked for.
        asked: Platform,
        /// The platform in its config.
        found: String,
    },
}

fn are(available: &[String]) -> String {
    match available {
        [] => "is none for any platform".to_owned(),
        [one] => format!("is one for {one}"),
        several => format!("are some for {}", several.join(", ")),
    }
}

impl Reportable for ManifestError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::SchemaOne | Self::Foreign(_) => FailureKind::Failed,
            Self::Form(_)
            | Self::Ambiguous
            | Self::Unknown(_)
            | Self::MediaType { .. }
            | Self::Digest(_)
            | Self::NoPlatform { .. }
            | Self::Nested(_)
            | Self::NoConfigPlatform
            | Self::OtherPlatform { .. } => FailureKind::Verification,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    schema_version: Option<u64>,
    media_type: Option<String>,
    manifests: Option<Vec<WrittenDescriptor>>,
    config: Option<WrittenDescriptor>,
    layers: Option<Vec<WrittenDescriptor>>,
    fs_layers: Option<serde::de::IgnoredAny>,
    history: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenDescriptor {
    media_type: String,
    digest: String,
    size: u64,
    platform: Option<WrittenPlatform>,
    urls: Option<Vec<String>>,
}

/// A platform in a list, or the fields of a config that say it.
#[derive(Deserialize)]
struct WrittenPlatform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
}

impl WrittenPlatform {
    fn platform(&self) -> Option<Platform> {
        let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let known = |text: &str| word(text) && text != "unknown";
        let variant_is_good = self.variant.as_deref().is_none_or(|variant| variant.is_empty() || word(variant));
        (known(&self.os) && known(&self.architecture) && variant_is_good)
            .then(|| Platform::new(&self.os, &self.architecture, self.variant.as_deref()))
    }
}

impl WrittenDescriptor {
    fn descriptor(&self) -> Result<Descriptor, ManifestError> {
        let digest = self.digest.parse().map_err(|_| ManifestError::Digest(printable(&self.digest)))?;
        Ok(Descriptor { media_type: self.media_type.clone(), digest, size: self.size })
    }

    fn layer(&self) -> Result<Descriptor, ManifestError> {
        let descriptor = self.descriptor()?;
        let foreign = self.media_type.contains(".foreign.") || self.media_type.contains(".nondistributable.");
        if foreign || self.urls.as_ref().is_some_and(|urls| !urls.is_empty()) {
            return Err(ManifestError::Foreign(descriptor.digest));
        }
        Ok(descriptor)
    }
}

impl Manifest {
    /// Understands a document.
    ///
    /// `media_type` is what its `Content-Type` or its descriptor said; if it is `None`, or only says "JSON" or "bytes",
    /// the document decides.
    pub fn parse(bytes: &[u8], media_type: Option<&str>) -> Result<Self, ManifestError> {
        let said = media_type.and_then(specific);
        if said.as_deref().is_some_and(|said| said.starts_with("application/vnd.docker.distribution.manifest.v1+")) {
            return Err(ManifestError::SchemaOne);
        }
        let written: Written = serde_json::from_slice(bytes).map_err(|error| ManifestError::Form(error.to_string()))?;
        if written.schema_version == Some(1) || (written.fs_layers.is_some() && written.layers.is_none()) {
            return Err(ManifestError::SchemaOne);
        }
        if written.schema_version != Some(2) {
            return Err(ManifestError::Unknown("its `schemaVersion` is not 2".to_owned()));
        }
        let kind = match &written {
            // A document that one program takes for a list and the next for an image would be two images under one
            // digest (CVE-2021-41190).
            Written { manifests: Some(_), config, layers, fs_layers, history, .. } => {
                if config.is_some() || layers.is_some() || fs_layers.is_some() || history.is_some() {
                    return Err(ManifestError::Ambiguous);
                }
                list(&written)?
            }
            Written { config: Some(config), layers: Some(layers), fs_layers: None, history: None, .. } => {
                let layers = layers.iter().map(WrittenDescriptor::layer).collect::<Result<_, _>>()?;
                ManifestKind::Image { config: config.descriptor()?, layers }
            }
            Written { fs_layers, history, .. } if fs_layers.is_some() || history.is_some() => {
                return Err(ManifestError::Ambiguous);
            }
            Written { .. } => {
                return Err(ManifestError::Unknown("it has neither `manifests` nor `config` and `layers`".to_owned()));
            }
        };
        let media_type = agree(said, written.media_type, &kind)?;
        Ok(Self { media_type, kind })
    }
}

/// A text from outside, for messages: short, and without terminal control codes.
fn printable(text: &str) -> String {
    text.chars().take(120).flat_map(char::escape_debug).collect()
}

/// The media type without parameters, if it is more specific than "some document".
fn specific(media_type: &str) -> Option<String> {
    let bare = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let vague = ["", "application/json", "application/octet-stream", "binary/octet-stream", "text/plain"];
    (!vague.contains(&bare.as_str())).then_some(bare)
}

fn list(written: &Written) -> Result<ManifestKind, ManifestError> {
    let mut entries = Vec::new();
    for entry in written.manifests.iter().flatten() {
        let platform = entry.platform.as_ref().and_then(WrittenPlatform::platform);
        entries.push(PlatformManifest { descriptor: entry.descriptor()?, platform });
    }
    Ok(ManifestKind::List(entries))
}

/// The media type, if header, field and content agree.
fn agree(said: Option<String>, field: Option<String>, kind: &ManifestKind) -> Result<String, ManifestError> {
    let (types, words, default) = match kind {
        ManifestKind::List(_) => ([DOCKER_LIST, OCI_LIST], "a list of manifests", OCI_LIST),
        ManifestKind::Image { .. } => ([DOCKER_IMAGE, OCI_IMAGE], "the manifest of one image", OCI_IMAGE),
    };
    for media_type in [&said, &field].into_iter().flatten() {
        if !types.contains(&media_type.as_str()) {
            return Err(ManifestError::MediaType { said: printable(media_type), found: words.to_owned() });
        }
    }
    match (said, field) {
        (Some(said), Some(field)) if said != field => {
            Err(ManifestError::MediaType { said: printable(&said), found: format!("`{field}` by its own media type") })
        }
        (said, field) => Ok(field.or(said).unwrap_or_else(|| default.to_owned())),
    }
}

/// The entry of a list that serves `platform`: the same system, architecture and variant, else the highest variant
/// below it, which such a machine runs too (`linux/arm/v7` takes `linux/arm/v6`).
pub(crate) fn choose<'a>(
    entries: &'a [PlatformManifest],
    platform: &Platform,
) -> Result<&'a PlatformManifest, ManifestError> {
    let best = entries
        .iter()
        .filter_map(|entry| Some((serves(entry.platform.as_ref()?, platform)?, entry)))
        // Of equals the first, as Docker and containerd choose.
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    let Some((_, entry)) = best else {
        let available: BTreeSet<String> =
            entries.iter().filter_map(|entry| entry.platform.as_ref()).map(ToString::to_string).collect();
        return Err(ManifestError::NoPlatform {
            platform: platform.clone(),
            available: available.into_iter().collect(),
        });
    };
    if [DOCKER_LIST, OCI_LIST].contains(&entry.descriptor.media_type.as_str()) {
        return Err(ManifestError::Nested(platform.clone()));
    }
    Ok(entry)
}

/// How well an offered platform serves the requested one, more is better; `None` if it does not.
fn serves(offered: &Platform, asked: &Platform) -> Option<u32> {
    if (offered.os(), offered.architecture()) != (asked.os(), asked.architecture()) {
        return None;
    }
    if offered.variant() == asked.variant() {
        return Some(u32::MAX);
    }
    let number = |platform: &Platform| match platform.variant() {
        None => Some(0),
        Some(variant) => variant.strip_prefix('v').and_then(|number| number.parse::<u32>().ok()),
    };
    let (offered, asked) = (number(offered)?, number(asked)?);
    (offered < asked).then_some(offered)
}

/// Whether an image for `offered` runs on `asked`: the same platform, or a lower variant of it.
#[must_use]
pub(crate) fn runs_on(offered: &Platform, asked: &Platform) -> bool {
    serves(offered, asked).is_some()
}

/// The platform that an image's config names.
pub(crate) fn config_platform(config: &[u8]) -> Result<Platform, ManifestError> {
    let written: WrittenPlatform = serde_json::from_slice(config)
        .map_err(|error| ManifestError::Form(format!("its config is not the JSON of an image: {error}")))?;
    written.platform().ok_or(ManifestError::NoConfigPlatform)
}

/// Holds the config of an image without a list to the platform that was asked for.
pub(crate) fn check_config(config: &[u8], platform: &Platform) -> Result<(), ManifestError> {
    let found = config_platform(config)?;
    if serves(&found, platform).is_none() {
        return Err(ManifestError::OtherPlatform { asked: platform.clone(), found: found.to_string() });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
