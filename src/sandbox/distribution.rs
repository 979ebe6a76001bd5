//! The reading half of the registry API. Format: OCI distribution-spec `spec.md`.

use hyper::header::{self, HeaderName};
use hyper::{Method, StatusCode};

use super::answer::Answer;
use super::registry::Registry;
use super::request::Incoming;
use crate::image::Descriptor;

/// The header that names the digest of what is answered.
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// What a path below `/v2/` asks for, the repository host first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route<'a> {
    Ping,
    Tags(&'a str),
    Manifest(&'a str, &'a str),
    Blob(&'a str, &'a str),
    Referrers(&'a str, &'a str),
    /// Repository and the upload's id, empty if one is to be begun.
    Upload(&'a str, &'a str),
}

impl<'a> Route<'a> {
    pub(super) fn parse(path: &'a str) -> Option<Self> {
        let rest = path.strip_prefix("/v2/")?;
        if rest.is_empty() {
            return Some(Self::Ping);
        }
        if let Some(repository) = rest.strip_suffix("/tags/list") {
            return Some(Self::Tags(repository));
        }
        if let Some((repository, id)) = rest.rsplit_once("/blobs/uploads") {
            return Some(Self::Upload(repository, id.trim_start_matches('/')));
        }
        if let Some((repository, reference)) = rest.rsplit_once("/manifests/") {
            return Some(Self::Manifest(repository, reference));
        }
        if let Some((repository, digest)) = rest.rsplit_once("/referrers/") {
            return Some(Self::Referrers(repository, digest));
        }
        rest.rsplit_once("/blobs/").map(|(repository, digest)| Self::Blob(repository, digest))
    }

    /// The repository; empty for the ping.
    pub(super) fn repository(self) -> &'a str {
        match self {
            Self::Ping => "",
            Self::Tags(name)
            | Self::Manifest(name, _)
            | Self::Blob(name, _)
            | Self::Referrers(name, _)
            | Self::Upload(name, _) => name,
        }
    }
}

/// Answers what only reads.
pub(super) fn read(registry: &Registry, request: &Incoming, route: Route<'_>) -> Answer {
    let answer = match route {
        Route::Ping => Answer::new(StatusCode::OK, "{}").with(&header::CONTENT_TYPE, "application/json"),
        Route::Tags(repository) => tags(registry, repository),
        Route::Manifest(repository, reference) => manifest(registry, request, repository, reference),
        Route::Blob(repository, digest) => blob(registry, request, repository, digest),
        Route::Referrers(repository, digest) => referrers(registry, repository, digest),
        Route::Upload(..) => Answer::error(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "uploads are written"),
    };
    answer.with(&API_VERSION, "registry/2.0")
}

pub(super) fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn tags(registry: &Registry, name: &str) -> Answer {
    let Some(repository) = registry.repository(name) else {
        return Answer::error(StatusCode::NOT_FOUND, "NAME_UNKNOWN", "repository name not known to registry");
    };
    let tags: Vec<_> = repository.tags.keys().collect();
    let body = serde_json::json!({"name": name, "tags": tags});
    Answer::new(StatusCode::OK, body.to_string()).with(&header::CONTENT_TYPE, "application/json")
}

fn manifest(registry: &Registry, request: &Incoming, repository: &str, reference: &str) -> Answer {
    let Some(document) = registry.repository(repository).and_then(|repository| repository.manifest(reference)) else {
        return Answer::error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", &format!("no manifest `{reference}`"));
    };
    let media_type = &document.descriptor.media_type;
    let accept = request.accept();
    let mut accepted = accept.split(',').map(|one| one.split(';').next().unwrap_or_default().trim());
    if !accepted.any(|one| one == media_type || matches!(one, "" | "*/*" | "application/*")) {
        let message = format!("there is only {media_type}, and the request does not accept it");
        return Answer::error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", &message);
    }
    let digest = document.descriptor.digest.to_string();
    let bytes = document.bytes.clone().into();
    Answer::content(request, &bytes, media_type, &format!("\"{digest}\"")).with(&CONTENT_DIGEST, &digest)
}

fn referrers(registry: &Registry, repository: &str, digest: &str) -> Answer {
    let subject = digest.parse().ok().filter(|_| registry.knows_referrers());
    let Some(subject) = subject else {
        return Answer::error(StatusCode::NOT_FOUND, "UNSUPPORTED", "no index of referrers is kept");
    };
    let entries: Vec<serde_json::Value> = registry
        .referrers(repository, subject)
        .into_iter()
        .map(|document| {
            let fields: serde_json::Value = serde_json::from_slice(&document.bytes).unwrap_or_default();
            let Descriptor { media_type, digest, size } = &document.descriptor;
            let artifact_type = &fields["artifactType"];
            serde_json::json!({"mediaType": media_type, "digest": digest, "size": size, "artifactType": artifact_type})
        })
        .collect();
    let media_type = "application/vnd.oci.image.index.v1+json";
    let body = serde_json::json!({"schemaVersion": 2, "mediaType": media_type, "manifests": entries});
    Answer::new(StatusCode::OK, body.to_string()).with(&header::CONTENT_TYPE, media_type)
}

fn blob(registry: &Registry, request: &Incoming, repository: &str, digest: &str) -> Answer {
    let found = digest.parse().ok().and_then(|digest| registry.blob(repository, digest));
    let Some(bytes) = found else {
        return Answer::error(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", &format!("no blob `{digest}`"));
    };
    Answer::content(request, bytes, "application/octet-stream", &format!("\"{digest}\"")).with(&CONTENT_DIGEST, digest)
}

#[cfg(test)]
mod tests {
    use super::Route;

    #[test]
    fn paths_are_taken_apart_from_their_end() {
        for (path, route) in [
            ("/v2/", Some(Route::Ping)),
            ("/v2/quay.io/a/b/tags/list", Some(Route::Tags("quay.io/a/b"))),
            ("/v2/quay.io/a/manifests/v1", Some(Route::Manifest("quay.io/a", "v1"))),
            ("/v2/quay.io/blobs/blobs/sha256:1", Some(Route::Blob("quay.io/blobs", "sha256:1"))),
            ("/v2/quay.io/a/blobs/uploads/", Some(Route::Upload("quay.io/a", ""))),
            ("/v2/quay.io/a/blobs/uploads/7", Some(Route::Upload("quay.io/a", "7"))),
            ("/v2/quay.io", None),
            ("/v1/", None),
        ] {
            assert_eq!(Route::parse(path), route, "{path}");
        }
    }
}
