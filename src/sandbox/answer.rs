//! Answers before they are sent: status, headers and bytes, and the ways in which a body can break off.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use tokio::time::Sleep;

use super::request::Incoming;

/// The time of everything in the sandbox, as HTTP writes it.
const LAST_MODIFIED: &str = "Sun, 13 Sep 2020 12:26:40 GMT";

/// How long the bytes before a cut get to leave the machine.
const FLUSHED: Duration = Duration::from_millis(20);

/// An answer that can still be changed by faults.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// What `Content-Length` says; `None` means that the body is sent in chunks without it.
    pub(super) length: Option<u64>,
    pub(super) end: End,
}

/// What happens after a body's last byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It ends.
    Whole,
    /// The connection is cut.
    Cut,
    /// Nothing, for as long as the server lives.
    Stall,
}

impl Answer {
    pub(super) fn new(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self { status, headers: HeaderMap::new(), length: Some(body.len() as u64), body, end: End::Whole }
    }

    /// The header too. Texts that are not valid in a header are left out: they only come from a test's own settings.
    pub(super) fn with(mut self, name: &HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// An error in the format of the distribution API. Format: distribution-spec `spec.md`, "Error codes".
    pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Self {
        let errors = serde_json::json!({"errors": [{"code": code, "message": message, "detail": null}]});
        Self::new(status, errors.to_string()).with(&header::CONTENT_TYPE, "application/json")
    }

    /// The content, the requested range of it, or "not modified": RFC 9110, 13 and 14.
    pub(super) fn content(request: &Incoming, bytes: &Bytes, media_type: &str, etag: &str) -> Self {
        let labelled = |answer: Self| {
            let answer = answer.with(&header::ETAG, etag).with(&header::ACCEPT_RANGES, "bytes");
            answer.with(&header::LAST_MODIFIED, LAST_MODIFIED)
        };
        let is_known = request.header(&header::IF_NONE_MATCH).is_some_and(|known| {
            known == "*" || known.split(',').any(|known| known.trim().trim_start_matches("W/") == etag)
        });
        let is_old = request.header(&header::IF_NONE_MATCH).is_none()
            && request.header(&header::IF_MODIFIED_SINCE) == Some(LAST_MODIFIED);
        if is_known || is_old {
            return labelled(Self::new(StatusCode::NOT_MODIFIED, Bytes::new()));
        }
        let may_be_part = request.header(&header::IF_RANGE).is_none_or(|known| known == etag || known == LAST_MODIFIED);
        let range = request.header(&header::RANGE).filter(|_| may_be_part).and_then(ByteRange::parse);
        let answer = match range.map(|range| range.within(bytes.len())) {
            None => Self::new(StatusCode::OK, bytes.clone()),
            Some(None) => Self::new(StatusCode::RANGE_NOT_SATISFIABLE, Bytes::new())
                .with(&header::CONTENT_RANGE, &format!("bytes */{}", bytes.len())),
            Some(Some((first, last))) => Self::new(StatusCode::PARTIAL_CONTENT, bytes.slice(first..=last))
                .with(&header::CONTENT_RANGE, &format!("bytes {first}-{last}/{}", bytes.len())),
        };
        labelled(answer).with(&header::CONTENT_TYPE, media_type)
    }

    pub(super) fn into_response(mut self) -> Response<Payload> {
        if let Some(length) = self.length {
            self.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        let mut response = Response::new(Payload { rest: Some(self.body), end: self.end, flushed: None });
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// One range of bytes as a request writes it. Several at once are answered with the whole, as RFC 9110 allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByteRange {
    From(usize),
    Between(usize, usize),
    Last(usize),
}

impl ByteRange {
    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.strip_prefix("bytes=")?.trim().split_once('-')?;
        match (first, last) {
            ("", last) => last.parse().ok().map(Self::Last),
            (first, "") => first.parse().ok().map(Self::From),
            (first, last) => {
                let (first, last) = (first.parse().ok()?, last.parse().ok()?);
                (first <= last).then_some(Self::Between(first, last))
            }
        }
    }

    /// The places of its first and last byte; `None` if the body ends before it.
    fn within(self, length: usize) -> Option<(usize, usize)> {
        let end = length.checked_sub(1)?;
        let (first, last) = match self {
            Self::From(first) => (first, end),
            Self::Between(first, last) => (first, last.min(end)),
            Self::Last(0) => return None,
            Self::Last(count) => (length.saturating_sub(count), end),
        };
        (first <= end).then_some((first, last))
    }
}

/// A body that can end as [`End`] says. It hides its size, so that a wrong `Content-Length` can be sent.
pub(super) struct Payload {
    rest: Option<Bytes>,
    end: End,
    flushed: Option<Pin<Box<Sleep>>>,
}

impl Body for Payload {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(bytes) = self.rest.take().filter(|bytes| !bytes.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match self.end {
            End::Whole => Poll::Ready(None),
            End::Stall => Poll::Pending,
            End::Cut => {
                let flushed = self.flushed.get_or_insert_with(|| Box::pin(tokio::time::sleep(FLUSHED)));
                flushed.as_mut().poll(cx).map(|()| Some(Err(std::io::Error::other("cut, as the sandbox was told"))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        for (text, within_ten) in [
            ("bytes=0-", Some(Some((0, 9)))),
            ("bytes=3-5", Some(Some((3, 5)))),
            ("bytes=3-99", Some(Some((3, 9)))),
            ("bytes=-4", Some(Some((6, 9)))),
            ("bytes=-99", Some(Some((0, 9)))),
            ("bytes=10-", Some(None)),
            ("bytes=-0", Some(None)),
            ("bytes=5-3", None),
            ("bytes=0-1,3-4", None),
            ("lines=0-", None),
        ] {
            assert_eq!(ByteRange::parse(text).map(|range| range.within(10)), within_ten, "{text}");
        }
    }
}
