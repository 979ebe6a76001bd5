//! Referrers of an image: a manifest with a subject, and the index under a tag for registries without a referrers API.

use serde_json::{Value, json};

use super::super::manifest::{OCI_IMAGE, OCI_LIST};
use super::{Descriptor, Document, document};
use crate::types::Digest;

/// The bytes of the config that says nothing.
pub(crate) const EMPTY_CONFIG: &[u8] = b"{}";
/// The media type of that config.
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";

/// Something that refers to a manifest or list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Referrer {
    /// Its own manifest.
    pub manifest: Document,
    /// What it is: `application/vnd.in-toto+json`.
    pub artifact_type: String,
}

/// The manifest of one blob that refers to `subject`.
#[must_use]
pub(crate) fn referrer_manifest(subject: &Descriptor, artifact_type: &str, blob: &Descriptor) -> Referrer {
    let config = Descriptor {
        media_type: EMPTY_TYPE.to_owned(),
        digest: Digest::of(EMPTY_CONFIG),
        size: EMPTY_CONFIG.len() as u64,
    };
    let fields = json!({
        "schemaVersion": 2,
        "mediaType": OCI_IMAGE,
        "artifactType": artifact_type,
        "config": oci_descriptor(&config),
        "layers": [oci_descriptor(blob)],
        "subject": oci_descriptor(subject),
    });
    Referrer { manifest: document(OCI_IMAGE, &fields), artifact_type: artifact_type.to_owned() }
}

/// The tag of the index of what refers to a manifest, if the registry has no referrers API: `sha256-<hex>`.
#[must_use]
pub(crate) fn referrers_tag(subject: Digest) -> String {
    format!("sha256-{}", subject.hex())
}

/// The index of what refers to a manifest: what `there` has, an index that was understood, and one more.
#[must_use]
pub(crate) fn merged_referrers(there: Option<&[u8]>, referrer: &Referrer) -> Document {
    let there: Value = there.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
    let mut entries = there["manifests"].as_array().cloned().unwrap_or_default();
    let own = &referrer.manifest.descriptor;
    if !entries.iter().any(|entry| entry["digest"] == own.digest.to_string()) {
        let mut entry = oci_descriptor(own);
        entry["artifactType"] = json!(referrer.artifact_type);
        entries.push(entry);
    }
    document(OCI_LIST, &json!({"schemaVersion": 2, "mediaType": OCI_LIST, "manifests": entries}))
}

fn oci_descriptor(of: &Descriptor) -> Value {
    json!({"mediaType": of.media_type, "digest": of.digest, "size": of.size})
}
