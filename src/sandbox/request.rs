//! Requests to the server, and their log.

use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::{Method, Uri};

/// One request as it came, its body whole.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// One line of the server's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `GET`, `HEAD`, …
    pub method: String,
    /// The path without the query, percent signs decoded.
    pub path: String,
    /// The query as it came, without the `?`; empty if there was none.
    pub query: String,
    /// The header `Range`.
    pub range: Option<String>,
    /// The header `If-Range`.
    pub if_range: Option<String>,
    /// The header `If-None-Match`.
    pub if_none_match: Option<String>,
    /// All headers `Accept`, joined by `, `.
    pub accept: String,
    /// The header `Authorization` as it came: secrets in a sandbox are the test's own.
    pub authorization: Option<String>,
    /// The answer's status; 0 if the connection was dropped without one.
    pub status: u16,
}

impl Incoming {
    pub(super) fn new(method: Method, uri: &Uri, headers: HeaderMap, body: Bytes) -> Self {
        let query = uri.query().unwrap_or_default();
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { method, path: decoded(uri.path()), query, headers, body }
    }

    /// The header's text, if it exists and is ASCII.
    pub(super) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The first parameter of this name in the query.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn accept(&self) -> String {
        let values = self.headers.get_all(header::ACCEPT).iter();
        values.filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn logged(&self, query: &str) -> Asked {
        let text = |name| self.header(name).map(str::to_owned);
        Asked {
            method: self.method.to_string(),
            path: self.path.clone(),
            query: query.to_owned(),
            range: text(&header::RANGE),
            if_range: text(&header::IF_RANGE),
            if_none_match: text(&header::IF_NONE_MATCH),
            accept: self.accept(),
            authorization: text(&header::AUTHORIZATION),
            status: 0,
        }
    }
}

fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
