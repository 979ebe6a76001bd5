//! Files by URL, into the cache.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::{FetchError, UrlMirror};
use crate::cache::{BlobReader, Cache, Expected, Look, UrlRecord};
use crate::transport::{
    Fetched, Http, HttpError, KeyedLocks, Outcome, Patience, Request, RequestUrl, Response, STATUSES, Source, Tried,
    Wanted, redacted_url,
};
use crate::types::{Digest, Event, Observer};

/// Fetches files into the cache. Cloning is cheap.
#[derive(Clone)]
pub struct Fetcher {
    inner: Arc<Inner>,
}

struct Inner {
    http: Http,
    cache: Arc<Cache>,
    mirrors: Vec<UrlMirror>,
    observer: Arc<dyn Observer>,
    /// Two steps may name the same URL.
    urls: KeyedLocks<String>,
    /// Mirrors without TLS that were already warned about.
    warned: Mutex<BTreeSet<String>>,
}

/// A file in the cache.
#[derive(Debug, Clone)]
pub struct FetchedFile {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Where its bytes are; a reader must compare them with the digest.
    pub path: PathBuf,
    cache: Arc<Cache>,
}

impl FetchedFile {
    /// Opens it to read it whole; reading fails before the end if its bytes are wrong.
    pub fn open(&self) -> io::Result<BlobReader> {
        self.cache.open_verified(self.digest)
    }
}

impl Fetcher {
    /// Fetches into `cache`; mirrors whose prefix matches are tried first, in order.
    pub fn new(http: Http, cache: Arc<Cache>, mirrors: Vec<UrlMirror>, observer: Arc<dyn Observer>) -> Self {
        let (urls, warned) = (KeyedLocks::default(), Mutex::default());
        Self { inner: Arc::new(Inner { http, cache, mirrors, observer, urls, warned }) }
    }

    /// Puts a file into the cache.
    ///
    /// With `expected`, an existing file with this digest needs no network. Without it, the server is asked whether the
    /// file changed; an http URL needs `expected`.
    pub async fn fetch(&self, url: &Url, expected: Option<Digest>) -> Result<FetchedFile, FetchError> {
        let shown = redacted_url(url);
        match (url.scheme(), expected) {
            ("https", _) | ("http", Some(_)) => {}
            ("http", None) => return Err(FetchError::NeedsDigest { url: shown }),
            _ => return Err(FetchError::Scheme { url: shown }),
        }
        let _held = self.inner.urls.hold(url.as_str().to_owned()).await;
        if let Some(file) = expected.and_then(|digest| self.at_hand(digest, None)) {
            return Ok(file);
        }
        let mirrored = self.inner.mirrors.iter().filter_map(|mirror| Some((mirror.apply(url)?, Some(mirror))));
        let places: Vec<_> = mirrored.chain([(url.clone(), None)]).collect();
        if self.inner.http.config().offline {
            let known = || {
                let record = places.iter().find_map(|(place, _)| self.inner.cache.url(&key(place)))?;
                self.at_hand(record.digest, Some(record.size))
            };
            let file = if expected.is_none() { known() } else { None };
            return file.ok_or(FetchError::Offline { url: shown });
        }
        let mut tried = Vec::new();
        for (place, mirror) in &places {
            if let Some(mirror) = mirror.filter(|mirror| mirror.is_http()) {
                self.warn_of(mirror);
            }
            let patience = if mirror.is_some() { Patience::Brief } else { Patience::Full };
            match self.fetch_from(place, expected, patience).await {
                Ok(file) => return Ok(file),
                // The disk is just as full for the next server.
                Err(HttpError::Cache(source)) => return Err(FetchError::Cache { url: shown, source }),
                Err(error) => tried.push(error),
            }
        }
        Err(FetchError::Tried { url: shown, tried: Tried(tried) })
    }

    async fn fetch_from(
        &self,
        url: &Url,
        expected: Option<Digest>,
        patience: Patience,
    ) -> Result<FetchedFile, HttpError> {
        let cache = &self.inner.cache;
        let former = match expected {
            Some(_) => None,
            None => cache.url(&key(url)).and_then(|record| {
                let file = self.at_hand(record.digest, Some(record.size))?;
                Some((file, conditions(&record)))
            }),
        };
        let unless = former.as_ref().map(|(_, conditions)| conditions.clone()).unwrap_or_default();
        let shown = redacted_url(url);
        let expected = Expected { digest: expected, size: None };
        let source = Get { http: &self.inner.http, url };
        let wanted = Wanted { what: &shown, expected, patience, unless };
        match (self.inner.http.download(&source, cache, &wanted).await?, former) {
            (Outcome::NotModified, Some((file, _))) => Ok(file),
            (Outcome::NotModified, None) => Err(HttpError::Answer {
                url: RequestUrl::new(url),
                reason: "the server says that it did not change, but this machine never had it".to_owned(),
            }),
            (Outcome::Fetched(Fetched { digest, size, etag, last_modified }), _) => {
                let record = UrlRecord { url: shown, digest, size, etag, last_modified };
                cache.put_url(&key(url), &record)?;
                Ok(self.file(digest, size))
            }
        }
    }

    /// The file, if the cache has it.
    fn at_hand(&self, digest: Digest, size: Option<u64>) -> Option<FetchedFile> {
        match self.inner.cache.look(digest, size) {
            Look::Present(size) => Some(self.file(digest, size)),
            Look::Absent => None,
            Look::Damaged(found) => {
                let message = format!("{digest} has the wrong size in the cache ({found} bytes) and is fetched again");
                self.inner.observer.event(Event::Warning { message });
                None
            }
        }
    }

    fn file(&self, digest: Digest, size: u64) -> FetchedFile {
        let cache = Arc::clone(&self.inner.cache);
        FetchedFile { digest, size, path: cache.path(digest), cache }
    }

    fn warn_of(&self, mirror: &UrlMirror) {
        let shown = mirror.shown();
        let mut warned = self.inner.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.insert(shown.clone()) {
            let message = format!("the URL mirror {shown} uses http: anyone on the way can change the files");
            self.inner.observer.event(Event::Warning { message });
        }
    }
}

/// The cache key of the URL. A fragment is never sent.
fn key(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    url.into()
}

/// The headers for a request that returns the content only if it changed. RFC 9110, 13.1.
fn conditions(record: &UrlRecord) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut add = |name: HeaderName, value: &Option<String>| {
        if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    };
    add(header::IF_NONE_MATCH, &record.etag);
    add(header::IF_MODIFIED_SINCE, &record.last_modified);
    headers
}

/// GETs of one URL.
struct Get<'a> {
    http: &'a Http,
    url: &'a Url,
}

impl Source for Get<'_> {
    async fn get(&self, headers: HeaderMap) -> Result<Response, HttpError> {
        let request = Request::get(self.url.clone(), headers);
        self.http.send(request).await?.expect(&STATUSES).await
    }
}
