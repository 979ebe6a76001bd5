//! Bytes from a server into the cache: verified, resumed, tried again.

use std::io::Write as _;
use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderValue};
use tokio::time::Instant;

use super::RequestUrl;
use super::client::Response;
use super::retry::{Attempts, Patience};
use crate::cache::{BlobWriter, Cache, CacheError, Expected};
use crate::transport::{Http, HttpError};
use crate::types::{Digest, Event, Observer};

/// How often progress is reported.
const PULSE: Duration = Duration::from_millis(100);

/// How often a download may restart from its first byte.
const RESTARTS: u32 = 5;

/// How often a body may end before its end.
const EARLY_ENDS: u32 = 4;

/// A source of bytes; each call is one more GET of the same content.
pub(crate) trait Source: Sync {
    /// Sends a GET with these headers. Any status that is not in [`STATUSES`] is an error.
    fn get(&self, headers: HeaderMap) -> impl Future<Output = Result<Response, HttpError>> + Send;
}

/// The statuses that a [`Source`] returns: the whole, a part, not modified, no such part.
pub(crate) const STATUSES: [u16; 4] = [200, 206, 304, 416];

/// A file to download.
#[derive(Debug, Clone)]
pub(crate) struct Wanted<'a> {
    /// Its name in events.
    pub(crate) what: &'a str,
    /// Its expected digest and size, as far as they are known.
    pub(crate) expected: Expected,
    /// Whether there is another server to try.
    pub(crate) patience: Patience,
    /// `If-None-Match` and `If-Modified-Since`, if there is an older version in the cache.
    pub(crate) unless: HeaderMap,
}

/// The result of a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A blob, in the cache now.
    Fetched(Fetched),
    /// The cached content is still current.
    NotModified,
}

/// A blob that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetched {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
}

impl Http {
    /// Fetches into the cache.
    pub(crate) async fn download(
        &self,
        source: &impl Source,
        cache: &Cache,
        wanted: &Wanted<'_>,
    ) -> Result<Outcome, HttpError> {
        let mut attempts = Attempts::new(&self.config().retry, wanted.patience, self.observer());
        let mut transfer = Transfer::new(cache, wanted, self.observer())?;
        loop {
            let grown = transfer.grown;
            match transfer.attempt(source).await {
                Ok(Step::NotModified) => return Ok(Outcome::NotModified),
                Ok(Step::Whole) => {
                    let (is_pieced, restarts) = (transfer.is_pieced, transfer.restarts);
                    match transfer.finish().await {
                        // If the parts do not belong together, try once more in one piece.
                        Err(HttpError::Wrong { .. }) if is_pieced && restarts < RESTARTS => {
                            transfer = Transfer::new(cache, wanted, self.observer())?;
                            transfer.restarts = restarts + 1;
                        }
                        finished => return finished.map(Outcome::Fetched),
                    }
                }
                Err(error) => {
                    let error = transfer.judge(error)?;
                    attempts.failed(error, transfer.grown > grown).await?;
                }
            }
        }
    }

    /// Reads a document of at most `limit` bytes: its bytes and the headers that came with it.
    pub(crate) async fn document(
        &self,
        source: &impl Source,
        limit: u64,
        patience: Patience,
    ) -> Result<(Vec<u8>, Response), HttpError> {
        let mut attempts = Attempts::new(&self.config().retry, patience, self.observer());
        loop {
            let read = async {
                let mut response = source.get(HeaderMap::new()).await?;
                let bytes = response.bytes(limit).await?;
                Ok((bytes, response))
            };
            match read.await {
                Ok(read) => return Ok(read),
                Err(error) => attempts.failed(error, false).await?,
            }
        }
    }
}

enum Step {
    Whole,
    NotModified,
}

/// What one download knows between its attempts.
struct Transfer<'a> {
    wanted: &'a Wanted<'a>,
    progress: Progress<'a>,
    writer: BlobWriter,
    url: Option<RequestUrl>,
    /// The total size, from the last answer that had it.
    total: Option<u64>,
    etag: Option<String>,
    last_modified: Option<String>,
    /// The bytes came in several answers.
    is_pieced: bool,
    /// All bytes received; keeps growing when `writer` restarts.
    grown: u64,
    restarts: u32,
    early_ends: u32,
}

impl<'a> Transfer<'a> {
    fn new(cache: &Cache, wanted: &'a Wanted<'a>, observer: &'a dyn Observer) -> Result<Self, HttpError> {
        Ok(Self {
            wanted,
            progress: Progress { observer, what: wanted.what, said: None },
            writer: cache.writer()?,
            url: None,
            total: None,
            etag: None,
            last_modified: None,
            is_pieced: false,
            grown: 0,
            restarts: 0,
            early_ends: 0,
        })
    }

    /// One GET for the missing bytes.
    async fn attempt(&mut self, source: &impl Source) -> Result<Step, HttpError> {
        if self.writer.size() > 0 && !self.may_resume() {
            self.restart()?;
        }
        let from = self.writer.size();
        if from > 0 && Some(from) == self.wanted.expected.size {
            return Ok(Step::Whole);
        }
        let mut response = source.get(self.headers(from)).await?;
        self.url = Some(response.url().clone());
        match response.status() {
            304 if from == 0 && !self.wanted.unless.is_empty() => return Ok(Step::NotModified),
            206 if from > 0 => self.take_part(&response, from)?,
            200 => self.take_whole(&response)?,
            416 if from > 0 && self.total().is_none() && unsatisfied(&response) == Some(from) => {
                return Ok(Step::Whole);
            }
            // It ended early because the server has no more bytes.
            416 if from > 0 && self.early_ends > 0 => {
                let expected = self.total().unwrap_or_default();
                return Err(self.wrong(CacheError::WrongSize { expected, found: from, cut: false }));
            }
            status => {
                let answer = format!("status {status}");
                self.restart()?;
                return Err(HttpError::Range { url: self.url(), from, answer });
            }
        }
        self.progress.say(self.writer.size(), self.total());
        let read = self.read(&mut response).await;
        let (size, total) = (self.writer.size(), self.total());
        match read {
            // All bytes are there, whatever happened to the connection; the digest decides.
            Err(error) if error.is_transient() && Some(size) == self.wanted.expected.size => {}
            read => read?,
        }
        match total {
            Some(expected) if size < expected => Err(HttpError::Ended { url: self.url(), expected, found: size }),
            _ => Ok(Step::Whole),
        }
    }

    async fn read(&mut self, response: &mut Response) -> Result<(), HttpError> {
        while let Some(chunk) = response.chunk().await? {
            self.writer.write_all(&chunk).map_err(CacheError::from)?;
            self.grown += chunk.len() as u64;
            let size = self.writer.size();
            if let Some(expected) = self.wanted.expected.size.filter(|expected| size > *expected) {
                return Err(self.wrong(CacheError::WrongSize { expected, found: size, cut: true }));
            }
            self.progress.pulse(size, self.total());
        }
        Ok(())
    }

    /// The total size, if it is known.
    fn total(&self) -> Option<u64> {
        self.wanted.expected.size.or(self.total)
    }

    /// Whether the rest would belong to the same content, by its digest or by the server's version.
    fn may_resume(&self) -> bool {
        self.wanted.expected.digest.is_some() || self.validator().is_some()
    }

    /// The validator of this version for the server. A weak `ETag` does not identify bytes. RFC 9110, 13.1.5.
    fn validator(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|etag| etag.starts_with('"'));
        strong.or(self.last_modified.as_deref().filter(|_| self.etag.is_none()))
    }

    fn headers(&self, from: u64) -> HeaderMap {
        if from == 0 {
            return self.wanted.unless.clone();
        }
        let mut headers = HeaderMap::new();
        if let Ok(range) = HeaderValue::from_str(&format!("bytes={from}-")) {
            headers.insert(header::RANGE, range);
        }
        if let Some(validator) = self.validator().and_then(|validator| HeaderValue::from_str(validator).ok()) {
            headers.insert(header::IF_RANGE, validator);
        }
        headers
    }

    fn take_whole(&mut self, response: &Response) -> Result<(), HttpError> {
        if self.writer.size() > 0 {
            self.restart()?;
        }
        self.total = response.length();
        self.etag = response.header(&header::ETAG).map(str::to_owned);
        self.last_modified = response.header(&header::LAST_MODIFIED).map(str::to_owned);
        Ok(())
    }

    /// Checks a part against the request; if it is another part, the next attempt starts over.
    fn take_part(&mut self, response: &Response, from: u64) -> Result<(), HttpError> {
        let written = response.header(&header::CONTENT_RANGE).unwrap_or_default();
        let range = content_range(written);
        let fits = range.is_some_and(|(first, total)| {
            first == from && self.total().zip(total).is_none_or(|(known, total)| known == total)
        });
        if !fits {
            let answer = format!("`{}`", crate::transport::text::one_line(written));
            self.restart()?;
            return Err(HttpError::Range { url: self.url(), from, answer });
        }
        self.total = self.total.or(range.and_then(|(_, total)| total));
        self.is_pieced = true;
        Ok(())
    }

    fn restart(&mut self) -> Result<(), HttpError> {
        self.writer.restart()?;
        self.is_pieced = false;
        self.restarts += 1;
        Ok(())
    }

    /// Returns an error that is worth a retry as `Ok`, and a final one as `Err`.
    fn judge(&mut self, error: HttpError) -> Result<HttpError, HttpError> {
        if let HttpError::Ended { expected, found, .. } = error {
            self.early_ends += 1;
            if self.early_ends > EARLY_ENDS {
                return Err(self.wrong(CacheError::WrongSize { expected, found, cut: false }));
            }
        }
        if self.restarts > RESTARTS { Err(error) } else { Ok(error) }
    }

    fn url(&self) -> RequestUrl {
        self.url.clone().expect("nothing came before an answer")
    }

    fn wrong(&self, source: CacheError) -> HttpError {
        HttpError::Wrong { url: self.url(), source }
    }

    /// Verifies and names the blob.
    async fn finish(mut self) -> Result<Fetched, HttpError> {
        let (url, writer, expected) = (self.url(), self.writer, self.wanted.expected);
        // Flushing may take seconds; the other downloads go on meanwhile.
        let finished = tokio::task::spawn_blocking(move || writer.finish(expected)).await;
        let finished = finished.map_err(|stopped| CacheError::Io(std::io::Error::other(stopped)))?;
        let (digest, size) = match finished {
            Ok(finished) => finished,
            Err(error @ CacheError::Io(_)) => return Err(error.into()),
            Err(source) => return Err(HttpError::Wrong { url, source }),
        };
        self.progress.say(size, Some(size));
        let what = self.wanted.what.to_owned();
        self.progress.observer.event(Event::Transferred { what, digest, size });
        Ok(Fetched { digest, size, etag: self.etag, last_modified: self.last_modified })
    }
}

/// The total from a 416: `bytes */10`. RFC 9110, 15.5.17.
fn unsatisfied(response: &Response) -> Option<u64> {
    response.header(&header::CONTENT_RANGE)?.trim().strip_prefix("bytes */")?.parse().ok()
}

/// First byte and total of `bytes 5-9/10`. RFC 9110, 14.4.
fn content_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = value.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.trim().parse::<u64>().ok()?, last.trim().parse::<u64>().ok()?);
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse::<u64>().ok()?),
    };
    (first <= last && total.is_none_or(|total| last < total)).then_some((first, total))
}

/// Reports progress, not too often.
struct Progress<'a> {
    observer: &'a dyn Observer,
    what: &'a str,
    said: Option<Instant>,
}

impl Progress<'_> {
    fn pulse(&mut self, received: u64, total: Option<u64>) {
        if self.said.is_none_or(|said| said.elapsed() >= PULSE) {
            self.say(received, total);
        }
    }

    fn say(&mut self, received: u64, total: Option<u64>) {
        self.said = Some(Instant::now());
        self.observer.event(Event::Transfer { what: self.what.to_owned(), received, total });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read_strictly() {
        for (value, expected) in [
            ("bytes 5-9/10", Some((5, Some(10)))),
            ("bytes 5-9/*", Some((5, None))),
            ("bytes 5-9/9", None),
            ("bytes 9-5/10", None),
            ("bytes */10", None),
            ("items 5-9/10", None),
            ("bytes 5-/10", None),
            ("", None),
        ] {
            assert_eq!(content_range(value), expected, "{value}");
        }
    }
}
