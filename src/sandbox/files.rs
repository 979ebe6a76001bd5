//! The files of the sandbox's web servers, in memory.

use std::collections::{BTreeMap, BTreeSet};

use hyper::body::Bytes;

/// Files by host and path: `download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz`.
#[derive(Debug, Clone, Default)]
pub struct Files {
    files: BTreeMap<String, Bytes>,
}

impl Files {
    /// Adds or replaces a file; its `ETag` follows from the content.
    pub fn put(&mut self, path: impl Into<String>, bytes: impl Into<Bytes>) {
        self.files.insert(path.into(), bytes.into());
    }

    /// Removes a file; false if there is none.
    pub fn remove(&mut self, path: &str) -> bool {
        self.files.remove(path).is_some()
    }

    /// The file, host first.
    pub fn get(&self, path: &str) -> Option<&Bytes> {
        self.files.get(path)
    }

    /// The hosts of the files.
    pub fn hosts(&self) -> BTreeSet<&str> {
        self.files.keys().filter_map(|path| path.split_once('/')).map(|(host, _)| host).collect()
    }
}
