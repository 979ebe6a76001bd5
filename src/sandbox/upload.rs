//! The writing half of the registry API: uploads, mounts, manifests. Format: OCI distribution-spec `spec.md`, "Push".

use std::collections::BTreeMap;

use hyper::header::{self, HeaderName};
use hyper::{Method, StatusCode};
use serde_json::Value;

use super::answer::Answer;
use super::distribution::{CONTENT_DIGEST, Route};
use super::registry::Registry;
use super::request::Incoming;
use crate::types::Digest;

/// Says that a manifest was taken for what refers to another one.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// The uploads that were begun and not ended.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    open: BTreeMap<String, Vec<u8>>,
    count: u64,
}

impl Uploads {
    /// Answers what changes something.
    pub(super) fn write(&mut self, registry: &mut Registry, request: &Incoming, route: Route<'_>) -> Answer {
        match (route, &request.method) {
            (Route::Manifest(repository, reference), &Method::PUT) => {
                put_manifest(registry, request, repository, reference)
            }
            (Route::Upload(repository, ""), &Method::POST) => self.begin(registry, request, repository),
            (Route::Upload(repository, id), &Method::PATCH) => self.append(request, repository, id),
            (Route::Upload(repository, id), &Method::PUT) => self.finish(registry, request, repository, id),
            (Route::Upload(_, id), &Method::DELETE) => match self.open.remove(id) {
                Some(_) => Answer::new(StatusCode::NO_CONTENT, ""),
                None => unknown_upload(),
            },
            _ => Answer::error(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "the operation is unsupported"),
        }
    }

    fn begin(&mut self, registry: &mut Registry, request: &Incoming, repository: &str) -> Answer {
        let mount = request.parameter("mount").and_then(|digest| digest.parse().ok());
        // The client knows the registry by its own name; the server's names have the host in front.
        let host = repository.split_once('/').map_or("", |(host, _)| host);
        if let (Some(digest), Some(from)) = (mount, request.parameter("from"))
            && [from.to_owned(), format!("{host}/{from}")]
                .iter()
                .any(|from| registry.mount_blob(repository, from, digest))
        {
            return created(repository, "blobs", digest);
        }
        self.count += 1;
        let id = format!("upload-{}", self.count);
        self.open.insert(id.clone(), request.body.to_vec());
        if request.parameter("digest").is_some() {
            let whole = Incoming { body: hyper::body::Bytes::new(), ..request.clone() };
            return self.finish(registry, &whole, repository, &id);
        }
        progress(repository, &id, request.body.len())
    }

    fn append(&mut self, request: &Incoming, repository: &str, id: &str) -> Answer {
        let Some(upload) = self.open.get_mut(id) else { return unknown_upload() };
        let first = request.header(&header::CONTENT_RANGE).and_then(|range| range.split_once('-'));
        let first = first.and_then(|(first, _)| first.trim_start_matches("bytes ").parse::<usize>().ok());
        if first.is_some_and(|first| first != upload.len()) {
            return Answer::error(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "BLOB_UPLOAD_INVALID",
                "that is not the next byte",
            );
        }
        upload.extend_from_slice(&request.body);
        progress(repository, id, upload.len())
    }

    fn finish(&mut self, registry: &mut Registry, request: &Incoming, repository: &str, id: &str) -> Answer {
        let Some(mut bytes) = self.open.remove(id) else { return unknown_upload() };
        bytes.extend_from_slice(&request.body);
        let expected = request.parameter("digest").and_then(|digest| digest.parse::<Digest>().ok());
        if expected != Some(Digest::of(&bytes)) {
            let message = "the uploaded content does not have the digest";
            return Answer::error(StatusCode::BAD_REQUEST, "DIGEST_INVALID", message);
        }
        created(repository, "blobs", registry.put_blob(repository, bytes))
    }
}

fn put_manifest(registry: &mut Registry, request: &Incoming, repository: &str, reference: &str) -> Answer {
    let refused = |code, message: &str| Answer::error(StatusCode::BAD_REQUEST, code, message);
    let Ok(document) = serde_json::from_slice::<Value>(&request.body) else {
        return refused("MANIFEST_INVALID", "the manifest is no JSON");
    };
    let media_type = request.header(&header::CONTENT_TYPE).unwrap_or_default();
    if document["mediaType"].as_str().is_some_and(|own| own != media_type) {
        return refused("MANIFEST_INVALID", "the manifest is of another type than Content-Type says");
    }
    let digest_of = |value: &Value| value["digest"].as_str().and_then(|digest| digest.parse::<Digest>().ok());
    let listed = |key: &str| document[key].as_array().cloned().unwrap_or_default();
    let blobs = listed("layers").into_iter().chain(document.get("config").cloned());
    for blob in blobs {
        if digest_of(&blob).and_then(|digest| registry.blob(repository, digest)).is_none() {
            return refused("MANIFEST_BLOB_UNKNOWN", &format!("the repository has no blob {}", blob["digest"]));
        }
    }
    for manifest in listed("manifests") {
        let there = registry.repository(repository).zip(digest_of(&manifest));
        if there.is_none_or(|(repository, digest)| !repository.manifests.contains_key(&digest)) {
            return refused("MANIFEST_UNKNOWN", &format!("the repository has no manifest {}", manifest["digest"]));
        }
    }
    let by_digest = reference.parse::<Digest>();
    if by_digest.as_ref().is_ok_and(|digest| *digest != Digest::of(&request.body)) {
        return refused("DIGEST_INVALID", "the manifest does not have the digest");
    }
    let tag = by_digest.is_err().then_some(reference);
    let digest = registry.put_manifest(repository, tag, media_type, request.body.to_vec());
    let answer = created(repository, "manifests", digest);
    match digest_of(&document["subject"]).filter(|_| registry.knows_referrers()) {
        None => answer,
        Some(subject) => answer.with(&SUBJECT, &subject.to_string()),
    }
}

fn created(repository: &str, kind: &str, digest: Digest) -> Answer {
    Answer::new(StatusCode::CREATED, "")
        .with(&header::LOCATION, &format!("/v2/{repository}/{kind}/{digest}"))
        .with(&CONTENT_DIGEST, &digest.to_string())
}

fn progress(repository: &str, id: &str, size: usize) -> Answer {
    Answer::new(StatusCode::ACCEPTED, "")
        .with(&header::LOCATION, &format!("/v2/{repository}/blobs/uploads/{id}?_state=sandbox"))
        .with(&header::RANGE, &format!("0-{}", size.saturating_sub(1)))
        .with(&UPLOAD_ID, id)
}

fn unknown_upload() -> Answer {
    Answer::error(StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", "there is no such upload")
}
