//! Faults that tests put into answers: which request, how often, and what goes wrong.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{self, HeaderName};
use hyper::{HeaderMap, Method, StatusCode};

use super::answer::{Answer, End};
use super::request::Incoming;

/// What goes wrong with an answer. Sizes and places count the bytes of this answer's body, of a range too.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Another status, with these headers and an empty body: `429` with `Retry-After`, `302` with `Location`.
    Status(u16, Vec<(&'static str, String)>),
    /// An existing thing is reported as missing.
    NotFound,
    /// The connection is closed before a byte of the answer.
    Drop,
    /// No byte of an answer ever comes; the connection stays open.
    Silence,
    /// The right answer after this delay.
    Delay(Duration),
    /// The connection is cut after so many bytes of the body.
    Cut(usize),
    /// Nothing more comes after so many bytes of the body; the connection stays open.
    Stall(usize),
    /// `Content-Length` says this; the body is as it was, cut if it is longer.
    WrongContentLength(u64),
    /// The body comes in chunks, without its length.
    NoContentLength,
    /// One byte of the body is another one.
    FlipByte(usize),
    /// So many bytes more than there are, `Content-Length` fitting.
    ExtraBytes(usize),
    /// Only so many bytes, `Content-Length` fitting.
    Truncate(usize),
    /// A range is answered with the whole and status 200.
    IgnoreRange,
    /// A part comes with a `Content-Range` that starts one byte later.
    WrongContentRange,
    /// A header gets another value: `Content-Type`, `Docker-Content-Digest`, `ETag`.
    Header(&'static str, String),
    /// A header is not sent.
    WithoutHeader(&'static str),
    /// Another content with status 200.
    Body(Vec<u8>),
}

/// Which requests a fault is for: by default, all whose path starts with this.
#[derive(Debug, Clone)]
pub struct When {
    prefix: String,
    containing: String,
    methods: Vec<Method>,
    spared: usize,
    times: Option<usize>,
}

impl When {
    /// Requests whose path starts with `prefix`: `/v2/docker.io/library/registry/blobs/`, `/files/`.
    #[must_use]
    pub fn path(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), containing: String::new(), methods: Vec::new(), spared: 0, times: None }
    }

    /// Only where the path contains this too: `/blobs/sha256:`.
    #[must_use]
    pub fn containing(self, part: impl Into<String>) -> Self {
        Self { containing: part.into(), ..self }
    }

    /// Only `GET`.
    #[must_use]
    pub fn get(self) -> Self {
        Self { methods: vec![Method::GET], ..self }
    }

    /// Only `HEAD`.
    #[must_use]
    pub fn head(self) -> Self {
        Self { methods: vec![Method::HEAD], ..self }
    }

    /// Only what changes something: `POST`, `PATCH`, `PUT`, `DELETE`.
    #[must_use]
    pub fn writes(self) -> Self {
        Self { methods: vec![Method::POST, Method::PATCH, Method::PUT, Method::DELETE], ..self }
    }

    /// Only after this many such requests succeeded.
    #[must_use]
    pub fn after(self, spared: usize) -> Self {
        Self { spared, ..self }
    }

    /// Only so many times.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Only once.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }

    fn fits(&self, request: &Incoming) -> bool {
        request.path.starts_with(&self.prefix)
            && request.path.contains(&self.containing)
            && (self.methods.is_empty() || self.methods.contains(&request.method))
    }
}

/// The faults that wait for their requests; the first one that matches is used.
#[derive(Debug, Default)]
pub(super) struct Faults {
    waiting: Vec<(When, Fault)>,
}

impl Faults {
    pub(super) fn add(&mut self, when: When, fault: Fault) {
        self.waiting.push((when, fault));
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// The fault for this request, counted as used.
    pub(super) fn take(&mut self, request: &Incoming) -> Option<Fault> {
        for (when, fault) in &mut self.waiting {
            if !when.fits(request) || when.times == Some(0) {
                continue;
            }
            if when.spared > 0 {
                when.spared -= 1;
                continue;
            }
            when.times = when.times.map(|times| times - 1);
            return Some(fault.clone());
        }
        None
    }
}

impl Fault {
    /// The request as the handlers should see it.
    pub(super) fn on_request(&self, request: &mut Incoming) {
        if *self == Self::IgnoreRange {
            request.headers.remove(header::RANGE);
        }
    }

    /// The answer as it should be sent; `None` means that the connection is closed instead.
    pub(super) fn on_answer(self, mut answer: Answer) -> Option<Answer> {
        match self {
            Self::Drop => return None,
            Self::Delay(_) | Self::Silence | Self::IgnoreRange => {}
            Self::Status(status, headers) => {
                answer = Answer::new(StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT), Bytes::new());
                for (name, value) in headers {
                    answer = answer.with(&HeaderName::from_static(name), &value);
                }
            }
            Self::NotFound => answer = Answer::error(StatusCode::NOT_FOUND, "NAME_UNKNOWN", "not found, as told"),
            Self::Cut(after) => {
                answer.body.truncate(after);
                answer.end = End::Cut;
            }
            Self::Stall(after) => {
                answer.body.truncate(after);
                answer.end = End::Stall;
            }
            Self::WrongContentLength(length) => {
                if length > answer.body.len() as u64 {
                    answer.end = End::Cut;
                }
                answer.length = Some(length);
            }
            Self::NoContentLength => answer.length = None,
            Self::FlipByte(at) => {
                let mut body = answer.body.to_vec();
                if let Some(byte) = body.get_mut(at) {
                    *byte ^= 1;
                }
                answer.body = body.into();
            }
            Self::ExtraBytes(count) => {
                let mut body = answer.body.to_vec();
                body.resize(body.len() + count, b'x');
                answer = resized(answer, body.into());
            }
            Self::Truncate(to) => {
                let body = answer.body.slice(..to.min(answer.body.len()));
                answer = resized(answer, body);
            }
            Self::WrongContentRange => shift_range(&mut answer.headers),
            Self::Header(name, value) => answer = answer.with(&HeaderName::from_static(name), &value),
            Self::WithoutHeader(name) => {
                answer.headers.remove(name);
            }
            Self::Body(body) => {
                answer.status = StatusCode::OK;
                answer = resized(answer, body.into());
            }
        }
        Some(answer)
    }
}

fn resized(answer: Answer, body: Bytes) -> Answer {
    Answer { length: Some(body.len() as u64), body, ..answer }
}

fn shift_range(headers: &mut HeaderMap) {
    let range = headers.get(header::CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let parts = range.and_then(|range| range.strip_prefix("bytes ")?.split_once('-'));
    let shifted = parts.and_then(|(first, rest)| Some(format!("bytes {}-{rest}", first.parse::<u64>().ok()? + 1)));
    if let Some(shifted) = shifted.and_then(|shifted| shifted.parse().ok()) {
        headers.insert(header::CONTENT_RANGE, shifted);
    }
}
