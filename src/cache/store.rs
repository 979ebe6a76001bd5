//! The cache folder.

use std::io::{self, Read as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::blob_writer::PART_PREFIX;
use super::{BlobReader, BlobWriter, CacheError, Expected, UrlRecord, records};
use crate::image::Blobs;
use crate::types::Digest;

/// Younger staging files may belong to a writer that has not taken its lock yet.
const PART_AGE: Duration = Duration::from_hours(1);

/// A folder of blobs, and records about them. The layout is drawn at the top of this [module](super).
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
    /// Nothing is written or removed.
    is_read_only: bool,
}

/// What a look at a blob's name found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A file of this many bytes, the expected number if there was one.
    Present(u64),
    /// Nothing.
    Absent,
    /// A file of this many bytes, which is the wrong number. It counts as absent: the next write replaces it.
    Damaged(u64),
}

impl Look {
    /// The number of bytes, if the blob can be used.
    #[must_use]
    pub fn size(self) -> Option<u64> {
        match self {
            Self::Present(size) => Some(size),
            Self::Absent | Self::Damaged(_) => None,
        }
    }
}

impl Cache {
    /// Opens the cache in the folder `path`, which is made, for its owner only, if it does not exist.
    ///
    /// Removes what writers that died left behind.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, CacheError> {
        let cache = Self { root: path.into(), is_read_only: false };
        for folder in [cache.blobs(), cache.root.join("urls"), cache.staging()] {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true).mode(0o700);
            builder.create(&folder).map_err(|error| {
                io::Error::new(error.kind(), format!("failed to create the folder `{}`: {error}", folder.display()))
            })?;
        }
        cache.sweep();
        Ok(cache)
    }

    /// The cache in the folder `path`, which need not exist, to look into: nothing is made, and what is damaged stays.
    #[must_use]
    pub(crate) fn open_to_read(path: impl Into<PathBuf>) -> Self {
        Self { root: path.into(), is_read_only: true }
    }

    /// The cache folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a blob's bytes are, or would be.
    #[must_use]
    pub fn path(&self, digest: Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    /// Whether a blob is there, by its name and size; its bytes are compared while they are read.
    pub fn look(&self, digest: Digest, size: Option<u64>) -> Look {
        let Ok(metadata) = fs_err::symlink_metadata(self.path(digest)) else { return Look::Absent };
        let found = metadata.len();
        if metadata.is_file() && size.is_none_or(|size| size == found) {
            return Look::Present(found);
        }
        tracing::warn!(%digest, found, "this blob is damaged in the cache and counts as absent");
        Look::Damaged(found)
    }

    /// Opens a blob to read it whole; reading fails before the end if its bytes do not match its name.
    ///
    /// A blob that is not there is [`io::ErrorKind::NotFound`], a damaged one [`io::ErrorKind::InvalidData`].
    pub(crate) fn open_verified(&self, digest: Digest) -> io::Result<BlobReader> {
        BlobReader::open(&self.path(digest), digest, self.is_read_only)
    }

    /// A document of at most `limit` bytes, verified. `None` if it is absent, damaged (then it is gone) or longer.
    pub fn document(&self, digest: Digest, limit: u64) -> Option<Vec<u8>> {
        let reader = self.open_verified(digest).ok()?;
        if reader.size() > limit {
            return None;
        }
        let mut bytes = Vec::new();
        match reader.take(limit + 1).read_to_end(&mut bytes) {
            Ok(_) => Some(bytes),
            Err(error) => {
                tracing::warn!("{error}");
                None
            }
        }
    }

    /// An empty file without a name, removed when it is dropped: for temporary data that becomes blobs.
    pub fn scratch(&self) -> Result<std::fs::File, CacheError> {
        Ok(tempfile::tempfile_in(self.staging())?)
    }

    /// Starts to write a blob.
    pub fn writer(&self) -> Result<BlobWriter, CacheError> {
        BlobWriter::new(&self.staging(), self.blobs())
    }

    /// Writes a blob whose bytes are available; its digest.
    pub fn put(&self, bytes: &[u8], expected: Expected) -> Result<Digest, CacheError> {
        let mut writer = self.writer()?;
        io::Write::write_all(&mut writer, bytes)?;
        writer.finish(expected).map(|(digest, _)| digest)
    }

    /// Removes a damaged blob; no error if it is already gone.
    pub fn discard(&self, digest: Digest) -> Result<(), CacheError> {
        if self.is_read_only {
            return Ok(());
        }
        match fs_err::remove_file(self.path(digest)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The last answer of a URL. `key` is the whole URL, which is only hashed.
    pub fn url(&self, key: &str) -> Option<UrlRecord> {
        records::read(&self.url_path(key))
    }

    /// Stores the answer of a URL. `key` is the whole URL; `record` must not contain a secret.
    pub(crate) fn put_url(&self, key: &str, record: &UrlRecord) -> Result<(), CacheError> {
        records::write(&self.url_path(key), &self.staging(), record)
    }

    fn blobs(&self) -> PathBuf {
        self.root.join("blobs/sha256")
    }

    fn staging(&self) -> PathBuf {
        self.root.join("staging")
    }

    fn url_path(&self, key: &str) -> PathBuf {
        self.root.join("urls").join(format!("{}.json", Digest::of(key.as_bytes()).hex()))
    }

    /// Removes staging files that no living process holds. Best effort: leftovers only cost space.
    fn sweep(&self) {
        let Ok(entries) = fs_err::read_dir(self.staging()) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            let ours = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(PART_PREFIX.as_bytes()));
            let old = || {
                let age = SystemTime::now().duration_since(entry.metadata().ok()?.modified().ok()?);
                age.ok().filter(|age| *age > PART_AGE)
            };
            let unheld = || fs_err::File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
            if ours && old().is_some() && unheld() {
                tracing::debug!(path = %path.display(), "removing what a dead writer left");
                let _ = fs_err::remove_file(&path);
            }
        }
    }
}

impl Blobs for Cache {
    fn open(&self, digest: Digest) -> io::Result<fs_err::File> {
        fs_err::File::open(self.path(digest))
    }

    fn discard(&self, digest: Digest) {
        if let Err(error) = Self::discard(self, digest) {
            tracing::warn!("{error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("a/cache")).unwrap();
        (folder, cache)
    }

    fn staged(cache: &Cache) -> usize {
        fs_err::read_dir(cache.staging()).unwrap().count()
    }

    #[test]
    fn a_missing_folder_is_made_for_its_owner_only() {
        let (_folder, cache) = cache();
        assert_eq!(fs_err::metadata(cache.root()).unwrap().permissions().mode() & 0o777, 0o700);
        Cache::open(cache.root()).unwrap();
    }

    #[test]
    fn a_blob_appears_only_when_it_is_what_was_expected() {
        let (_folder, cache) = cache();
        let right = Digest::of(b"hello");
        for (bytes, expected, message) in [
            (&b"hello"[..], Expected::exactly(Digest::of(b"other"), 5), "expected content of"),
            (b"hello", Expected::exactly(right, 4), "expected 4 bytes, found 5"),
            (b"hell", Expected { digest: Some(right), size: None }, "expected content of"),
        ] {
            let error = cache.put(bytes, expected).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        assert_eq!((cache.look(right, None), staged(&cache)), (Look::Absent, 0));
        assert_eq!(cache.put(b"hello", Expected::exactly(right, 5)).unwrap(), right);
        assert_eq!((cache.look(right, Some(5)), staged(&cache)), (Look::Present(5), 0));
        assert_eq!(fs_err::metadata(cache.path(right)).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_writer_dropped_leaves_nothing_and_one_restarted_forgets() {
        let (_folder, cache) = cache();
        let mut writer = cache.writer().unwrap();
        writer.write_all(b"rubbish").unwrap();
        writer.restart().unwrap();
        writer.write_all(b"hello").unwrap();
        assert_eq!(writer.finish(Expected::default()).unwrap(), (Digest::of(b"hello"), 5));
        let mut writer = cache.writer().unwrap();
        writer.write_all(b"x").unwrap();
        drop(writer);
        assert_eq!(staged(&cache), 0);
    }

    #[test]
    fn a_damaged_blob_is_refused_while_it_is_read_and_gone_after() {
        let (_folder, cache) = cache();
        let digest = cache.put(b"hello", Expected::default()).unwrap();
        fs_err::write(cache.path(digest), b"hell").unwrap();
        assert_eq!(cache.look(digest, Some(5)), Look::Damaged(4));
        fs_err::write(cache.path(digest), b"jello").unwrap();
        let error = io::read_to_string(cache.open_verified(digest).unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().ends_with("it was removed; run the command again"), "{error}");
        assert_eq!(cache.look(digest, None), Look::Absent);
        cache.put(b"hello", Expected::default()).unwrap();
        assert_eq!(io::read_to_string(cache.open_verified(digest).unwrap()).unwrap(), "hello");
        assert_eq!(cache.document(digest, 5).unwrap(), b"hello");
        assert_eq!(cache.document(digest, 4), None);
    }

    #[test]
    fn a_cache_that_is_only_read_is_neither_made_nor_mended() {
        let (_folder, cache) = cache();
        let digest = cache.put(b"hello", Expected::default()).unwrap();
        let read = Cache::open_to_read(cache.root());
        assert_eq!(io::read_to_string(read.open_verified(digest).unwrap()).unwrap(), "hello");
        fs_err::write(cache.path(digest), b"jello").unwrap();
        let error = io::read_to_string(read.open_verified(digest).unwrap()).unwrap_err().to_string();
        assert!(error.contains("is damaged in the cache") && !error.contains("removed"), "{error}");
        read.discard(digest).unwrap();
        assert_eq!(read.look(digest, None), Look::Present(5));
        let nowhere = Cache::open_to_read(cache.root().join("nowhere"));
        assert_eq!((nowhere.look(digest, None), nowhere.url("https://x/")), (Look::Absent, None));
        assert!(!nowhere.root().exists());
    }

    #[test]
    fn records_come_back_and_damaged_ones_are_a_miss() {
        let (_folder, cache) = cache();
        let digest = cache.put(b"hello", Expected::default()).unwrap();
        let record = UrlRecord {
            url: "https://x/y".to_owned(),
            digest,
            size: 5,
            etag: Some("\"1\"".to_owned()),
            last_modified: None,
        };
        cache.put_url("https://x/y?secret", &record).unwrap();
        assert_eq!(cache.url("https://x/y?secret"), Some(record));
        assert_eq!(cache.url("https://x/y"), None);
        insta::assert_snapshot!(fs_err::read_to_string(cache.url_path("https://x/y?secret")).unwrap(), @r#"
        {
          "format": 1,
          "url": "https://x/y",
          "digest": "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
          "size": 5,
          "etag": "\"1\""
        }
        "#);
        for damaged in ["", "{}", "{\"format\":2}", "[1]"] {
            fs_err::write(cache.url_path("https://x/y?secret"), damaged).unwrap();
            assert_eq!(cache.url("https://x/y?secret"), None);
        }
        cache.discard(digest).unwrap();
        cache.discard(digest).unwrap();
    }

    #[test]
    fn what_dead_writers_left_is_swept_and_what_living_ones_hold_is_not() {
        let (_folder, cache) = cache();
        let long_ago = SystemTime::now() - 2 * PART_AGE;
        let dead = cache.staging().join(".part-dead");
        fs_err::File::create(&dead).unwrap().set_modified(long_ago).unwrap();
        fs_err::write(cache.staging().join(".part-young"), "").unwrap();
        let mut living = cache.writer().unwrap();
        living.write_all(b"hello").unwrap();
        for entry in fs_err::read_dir(cache.staging()).unwrap().flatten() {
            if !entry.path().ends_with(".part-young") {
                fs_err::File::options().write(true).open(entry.path()).unwrap().set_modified(long_ago).unwrap();
            }
        }
        let again = Cache::open(cache.root()).unwrap();
        assert_eq!((dead.exists(), staged(&again)), (false, 2));
        living.finish(Expected::default()).unwrap();
    }
}
