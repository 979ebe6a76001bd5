//! Blobs and manifests to a registry. Format: OCI distribution-spec `spec.md`, "Push".

use hyper::body::Bytes;
use reqwest::Method;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::client::{At, Call, RegistryClient};
use super::registries_conf::Endpoint;
use crate::image::{Document, MANIFEST_TYPES};
use crate::transport::auth::Access;
use crate::transport::http::{Attempts, Content, Patience, Response};
use crate::transport::text::one_line;
use crate::transport::{HttpError, RegistryError};
use crate::types::Digest;

/// The header with which a registry confirms that a manifest refers to another one.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// The codes of a registry that forgot an upload.
const UPLOAD_LOST: [&str; 2] = ["BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID"];

/// How a blob came to be in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placed {
    /// It was there.
    Present,
    /// The registry took it from another of its repositories.
    Mounted,
    /// Its bytes were sent.
    Uploaded,
}

/// The state of an upload after its start.
enum Begun {
    Mounted,
    At(Url),
}

impl RegistryClient {
    /// Whether a repository has a blob of this size.
    pub(crate) async fn has_blob(&self, endpoint: &Endpoint, digest: Digest, size: u64) -> Result<bool, RegistryError> {
        let path = format!("blobs/{digest}");
        let call = Call { access: Access::Push, ..Call::new(Method::HEAD, At::Path(&path)) };
        let answer = self.persist(endpoint, &call, &[200, 404]).await;
        let answer = match answer {
            // If the blobs are stored elsewhere, that server may not support HEAD.
            Err(HttpError::Status { url, .. }) if url.is_redirected() => return Ok(false),
            answer => self.said(endpoint, answer).await?,
        };
        Ok(is_blob(&answer, size))
    }

    /// Whether another repository has a blob of this size, with a single quick request.
    pub(crate) async fn may_have_blob(&self, endpoint: &Endpoint, digest: Digest, size: u64) -> bool {
        let path = format!("blobs/{digest}");
        let answer = self.call(endpoint, &Call::new(Method::HEAD, At::Path(&path))).await;
        answer.is_ok_and(|answer| is_blob(&answer, size))
    }

    /// Pushes a blob to a repository that does not have it. It is not sent if the registry can mount it from the
    /// repository `from`.
    pub(crate) async fn put_blob(
        &self,
        endpoint: &Endpoint,
        digest: Digest,
        content: &Content,
        from: Option<&str>,
    ) -> Result<Placed, RegistryError> {
        let config = self.http().config();
        let mut attempts = Attempts::new(&config.retry, Patience::Full, self.http().observer());
        loop {
            let error = match self.try_blob(endpoint, digest, content, from).await {
                Ok(placed) => return Ok(placed),
                Err(error) => error,
            };
            if let Content::Blob(blob) = content
                && let Some(source) = blob.damage()
            {
                return Err(HttpError::Cache(source.into()).into());
            }
            let error = match error {
                // If the registry forgot the upload, start again.
                HttpError::Status { status: 404, url, body, .. } if UPLOAD_LOST.contains(&body.code.as_str()) => {
                    HttpError::Broken { url, reason: format!("the server answered 404{body}") }
                }
                error => error,
            };
            // It restarts from its first byte, so what was sent is not progress.
            if let Err(error) = attempts.failed(error, false).await {
                return Err(self.refused(endpoint, error).await);
            }
            // It may have arrived even if the last answer was lost.
            if self.has_blob(endpoint, digest, content.size()).await? {
                return Ok(Placed::Uploaded);
            }
        }
    }

    async fn try_blob(
        &self,
        endpoint: &Endpoint,
        digest: Digest,
        content: &Content,
        from: Option<&str>,
    ) -> Result<Placed, HttpError> {
        let mut begun = match from {
            None => None,
            Some(from) => self.begin(endpoint, Some((digest, from))).await.ok(),
        };
        if begun.is_none() {
            // If mounting is forbidden, an upload may still be allowed.
            begun = Some(self.begin(endpoint, None).await?);
        }
        let mut place = match begun {
            Some(Begun::At(place)) => place,
            Some(Begun::Mounted) | None => return Ok(Placed::Mounted),
        };
        place.query_pairs_mut().append_pair("digest", &digest.to_string());
        let mut call = Call { content: Some(content.clone()), ..Call::new(Method::PUT, At::Url(&place)) };
        call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let answer = self.call(endpoint, &call).await?.expect(&[201, 202, 204]).await?;
        agree(&answer, digest)?;
        Ok(Placed::Uploaded)
    }

    /// Begins an upload, or has a blob mounted.
    async fn begin(&self, endpoint: &Endpoint, mount: Option<(Digest, &str)>) -> Result<Begun, HttpError> {
        let mut path = "blobs/uploads/".to_owned();
        if let Some((digest, from)) = mount {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("mount", &digest.to_string()).append_pair("from", from);
            path = format!("{path}?{}", query.finish());
        }
        let call = Call { content: Some(Content::Bytes(Bytes::new())), ..Call::new(Method::POST, At::Path(&path)) };
        let good: &[u16] = if mount.is_some() { &[201, 202] } else { &[202] };
        let answer = self.call(endpoint, &call).await?.expect(good).await?;
        if answer.status() == 201 {
            return Ok(Begun::Mounted);
        }
        upload_place(&answer).map(Begun::At)
    }

    /// Pushes a manifest or list under a tag or its digest; returns whether the registry confirmed the manifest that it
    /// refers to.
    pub(crate) async fn put_manifest(
        &self,
        endpoint: &Endpoint,
        reference: &str,
        document: &Document,
    ) -> Result<bool, RegistryError> {
        let path = format!("manifests/{reference}");
        let content = Content::Bytes(document.bytes.clone().into());
        let mut call = Call { content: Some(content), ..Call::new(Method::PUT, At::Path(&path)) };
        let media_type = HeaderValue::from_str(&document.descriptor.media_type);
        call.headers.insert(header::CONTENT_TYPE, media_type.expect("media types are plain ASCII"));
        let answer = self.persist(endpoint, &call, &[200, 201, 202]).await;
        let answer = self.said(endpoint, answer).await?;
        agree(&answer, document.descriptor.digest)?;
        Ok(answer.headers().contains_key(SUBJECT))
    }

    /// Whether a repository has this manifest or list.
    pub(crate) async fn has_manifest(&self, endpoint: &Endpoint, digest: Digest) -> Result<bool, RegistryError> {
        let path = format!("manifests/{digest}");
        let call = Call { headers: accept(), access: Access::Push, ..Call::new(Method::HEAD, At::Path(&path)) };
        let answer = self.persist(endpoint, &call, &[200, 404]).await;
        Ok(self.said(endpoint, answer).await?.status() == 200)
    }

    /// One request that can be made again, tried as long as that makes sense.
    async fn persist(&self, endpoint: &Endpoint, call: &Call<'_>, good: &[u16]) -> Result<Response, HttpError> {
        let mut attempts = Attempts::new(&self.http().config().retry, Patience::Full, self.http().observer());
        loop {
            let answer = match self.call(endpoint, call).await {
                Ok(answer) => answer.expect(good).await,
                Err(error) => Err(error),
            };
            match answer {
                Err(error) => attempts.failed(error, false).await?,
                answer => return answer,
            }
        }
    }

    async fn said<T>(&self, endpoint: &Endpoint, answer: Result<T, HttpError>) -> Result<T, RegistryError> {
        match answer {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.refused(endpoint, error).await),
        }
    }

    async fn refused(&self, endpoint: &Endpoint, error: HttpError) -> RegistryError {
        match error {
            // A 404 here means that the target is missing, not the content.
            HttpError::Status { status: 404, .. } => RegistryError::Http(error),
            error => self.explain(endpoint, Access::Push, error).await,
        }
    }
}

fn is_blob(answer: &Response, size: u64) -> bool {
    answer.status() == 200 && answer.length().is_none_or(|length| length == size)
}

/// The accepted types of a manifest.
fn accept() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let types = MANIFEST_TYPES.join(", ");
    headers.insert(header::ACCEPT, HeaderValue::from_str(&types).expect("media types are plain ASCII"));
    headers
}

/// Compares the registry's digest with what was sent. A digest with another algorithm is ignored.
fn agree(answer: &Response, digest: Digest) -> Result<(), HttpError> {
    let said = answer.header(&CONTENT_DIGEST).and_then(|digest| digest.parse::<Digest>().ok());
    match said.filter(|said| *said != digest) {
        None => Ok(()),
        Some(said) => {
            let reason = format!("it stored {said}, but {digest} was sent");
            Err(HttpError::Answer { url: answer.url().clone(), reason })
        }
    }
}

/// The URL where an upload continues: only at the same server, because our login is for that server.
fn upload_place(answer: &Response) -> Result<Url, HttpError> {
    let refused = |reason: String| HttpError::Answer { url: answer.url().clone(), reason };
    let asked = answer.url().asked();
    let location = answer.header(&header::LOCATION);
    let location = location.ok_or_else(|| refused("it does not say where to send the upload".to_owned()))?;
    let place =
        asked.join(location).map_err(|_| refused("it sends the upload to something that is not a URL".to_owned()))?;
    if place.origin() != asked.origin() {
        let place = one_line(&crate::transport::redacted_url(&place));
        return Err(refused(format!(
            "it redirects the upload to `{place}`, but uploads only go to the same server; if the registry is behind \
             a proxy, the proxy must pass on its URL (`X-Forwarded-Proto`, `Host`)"
        )));
    }
    Ok(place)
}
