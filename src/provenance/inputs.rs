//! Inputs as resource descriptors.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::build::HelmProgram;
use crate::plan::Locked;
use crate::transport::redacted_url;
use crate::types::{Digest, ImageRef, ImageSource, Platform};

/// The default registry of a package URL of type `docker`.
const DEFAULT_REGISTRY: &str = "docker.io";

/// A file that is next to the recipe, by its path from there.
pub(super) fn file(path: &str, digest: &Digest) -> Value {
    json!({"name": path, "uri": file_uri(path), "digest": {"sha256": digest.hex()}})
}

/// `file:a%20b/c`, relative to the recipe's folder.
pub(super) fn file_uri(path: &str) -> String {
    format!("file:{}", encoded(path, b"/"))
}

/// The helm that rendered charts, of the build machine.
pub(super) fn helm(program: &HelmProgram) -> Value {
    let version = program.version.as_ref().map(|version| format!("@{}", encoded(version, b""))).unwrap_or_default();
    let mut entry = json!({"name": "helm", "uri": format!("pkg:generic/helm{version}")});
    if let Some(digest) = &program.digest {
        entry["digest"] = json!({"sha256": digest.hex()});
    }
    entry
}

/// Something from outside.
pub(super) fn locked(entry: Locked) -> Value {
    match entry {
        Locked::File(url, file) => json!({
            "uri": redacted_url(&url),
            "digest": {"sha256": file.digest.hex()},
            "annotations": {"size": file.size},
        }),
        Locked::Image(image, platform, digest) => {
            let uri = match &image {
                ImageSource::Registry(reference) => of_reference(reference, &platform),
                ImageSource::Engine(_) => image.to_string(),
            };
            match digest {
                Some(digest) => json!({
                    "name": image,
                    "uri": uri,
                    "digest": {"sha256": digest.hex()},
                    "annotations": {"platform": platform},
                }),
                None => json!({"name": image, "uri": uri, "annotations": {"platform": platform, "refused": true}}),
            }
        }
        Locked::Base(name, platform, base) => {
            let mut annotations = json!({"platform": platform, "layers": base.layers});
            if let Some(digest) = base.digest {
                annotations["registryDigest"] = digest.to_string().into();
            }
            json!({
                "name": name,
                "uri": of_reference(name.reference(), &platform),
                "digest": {"sha256": base.id},
                "annotations": annotations,
            })
        }
    }
}

/// The package URL of an image by its complete name; the name itself if it is not valid.
pub(super) fn package_url(name: &str, platform: &Platform) -> String {
    name.parse::<ImageRef>().map_or_else(|_| name.to_owned(), |reference| of_reference(&reference, platform))
}

/// `pkg:docker/tigera/operator@v1.17.4?platform=linux%2Famd64&repository_url=quay.io`
fn of_reference(reference: &ImageRef, platform: &Platform) -> String {
    let version = reference.digest().map(|digest| digest.to_string()).or_else(|| reference.tag().map(str::to_owned));
    let version = version.map(|version| format!("@{}", encoded(&version, b":"))).unwrap_or_default();
    let registry = match reference.registry() {
        DEFAULT_REGISTRY => String::new(),
        other => format!("&repository_url={}", encoded(other, b":")),
    };
    let (path, platform) = (encoded(reference.repository(), b"/"), encoded(&platform.to_string(), b""));
    format!("pkg:docker/{path}{version}?platform={platform}{registry}")
}

/// Percent-encoded, except for what a URI has unreserved and what is named.
fn encoded(text: &str, plain: &[u8]) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || plain.contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a string takes all that is written");
        }
    }
    out
}
