//! The context folder as steps see it.

use std::io::{self, Read};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::disk::{Dir, DiskError, FileTime, Kind, Meta};
use crate::words::{ContextPath, Epoch, nearest};

/// The largest document that is edited, in bytes.
const MAX_DOCUMENT: u64 = 64 << 20;

/// A folder that steps change: every file is replaced as a whole, never written in place, for it may share its bytes
/// with a layer.
pub struct Context {
    root: Dir,
    /// A folder of the same file system for files that are not finished.
    scratch: Dir,
    epoch: Epoch,
}

/// What globs match in a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// The regular files, sorted.
    pub files: Vec<ContextPath>,
    /// The globs that match no file.
    pub unmatched: Vec<String>,
}

/// Why the context could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// The path is something else than a regular file.
    #[error("`{path}` in the context is a {found}, expected a file")]
    NoFile {
        /// The path.
        path: ContextPath,
        /// What it is.
        found: &'static str,
    },
    /// A document is too large to be edited.
    #[error("`{path}` has {size} bytes; documents up to {MAX_DOCUMENT} bytes can be edited")]
    TooLarge {
        /// The path.
        path: ContextPath,
        /// Its size in bytes.
        size: u64,
    },
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A file could not be read or written.
    #[error("cannot read `{path}` of the context")]
    Read {
        /// The path.
        path: ContextPath,
        /// Why.
        source: io::Error,
    },
}

impl Context {
    /// The context in `root`; `scratch` is an empty folder of the same file system.
    #[must_use]
    pub fn new(root: Dir, scratch: Dir, epoch: Epoch) -> Self {
        Self { root, scratch, epoch }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Dir {
        &self.root
    }

    /// The time that what steps make carries.
    #[must_use]
    pub fn time(&self) -> FileTime {
        FileTime::of_seconds(i64::try_from(self.epoch.seconds()).expect("an epoch has at most 33 bits"))
    }

    /// The constant time as it is recorded.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Opens a file with its metadata; none where nothing is there.
    pub fn open(&self, path: &ContextPath) -> Result<Option<(fs_err::File, Meta)>, ContextError> {
        let Some((folder, name)) = self.parent(path)? else { return Ok(None) };
        let Some(meta) = folder.meta_if_there(name)? else { return Ok(None) };
        match meta.kind {
            Kind::File => Ok(Some((folder.open_file(name)?, meta))),
            Kind::Folder => Err(ContextError::NoFile { path: path.clone(), found: "folder" }),
            Kind::Symlink => Err(ContextError::NoFile { path: path.clone(), found: "symlink" }),
            Kind::Whiteout => Err(ContextError::NoFile { path: path.clone(), found: "whiteout" }),
            Kind::Special(found) => Err(ContextError::NoFile { path: path.clone(), found }),
        }
    }

    /// Reads a document whole; none where nothing is there.
    pub fn read(&self, path: &ContextPath) -> Result<Option<Vec<u8>>, ContextError> {
        let Some((mut file, meta)) = self.open(path)? else { return Ok(None) };
        if meta.size > MAX_DOCUMENT {
            return Err(ContextError::TooLarge { path: path.clone(), size: meta.size });
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|source| ContextError::Read { path: path.clone(), source })?;
        Ok(Some(bytes))
    }

    /// An empty unfinished file; [`put_scratch`](Self::put_scratch) moves it into the context.
    pub fn scratch_file(&self, name: &str) -> Result<fs_err::File, ContextError> {
        self.scratch.remove_all(name)?;
        Ok(self.scratch.create_file(name, 0o600)?)
    }

    /// A file without a name, to write and read: it is gone when it is closed.
    pub fn anonymous_file(&self) -> Result<std::fs::File, ContextError> {
        let file = self.scratch_file("anonymous")?;
        self.scratch.remove_file("anonymous")?;
        Ok(file.into_parts().0)
    }

    /// Writes bytes as a file of the context. Returns whether anything changed: equal content stays untouched.
    pub fn put(&self, path: &ContextPath, bytes: &[u8]) -> Result<bool, ContextError> {
        let mut file = self.scratch_file("put")?;
        io::Write::write_all(&mut file, bytes)
            .map_err(|error| DiskError::io("write", self.scratch.path().join("put"), error))?;
        drop(file);
        self.put_scratch("put", path)
    }

    /// Moves an unfinished file into the context: with the mode of what was there, else 0644, and the constant time. Folders
    /// that are missing are made, those that are there keep their time. Returns whether anything changed: equal content
    /// stays untouched.
    pub fn put_scratch(&self, name: &str, path: &ContextPath) -> Result<bool, ContextError> {
        let mode = match self.open(path)? {
            Some((old, meta)) => {
                if self.same_content(name, old)? {
                    self.scratch.remove_file(name)?;
                    return Ok(false);
                }
                meta.mode
            }
            None => 0o644,
        };
        let (folder, target) = self.parent_or_make(path)?;
        self.scratch.set_mode(name, mode)?;
        self.scratch.set_time(name, self.time())?;
        let time = folder.own_meta()?.mtime;
        self.scratch.rename(name, &folder, target)?;
        folder.set_own_time(time)?;
        Ok(true)
    }

    fn same_content(&self, name: &str, mut old: fs_err::File) -> Result<bool, ContextError> {
        let mut new = self.scratch.open_file(name)?;
        let path = old.path().to_owned();
        let failed = |error| DiskError::io("compare", &path, error);
        if old.metadata().map_err(failed)?.len() != new.metadata().map_err(failed)?.len() {
            return Ok(false);
        }
        let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        loop {
            let count = old.read(&mut left).map_err(failed)?;
            if count == 0 {
                return Ok(true);
            }
            new.read_exact(&mut right[..count]).map_err(failed)?;
            if left[..count] != right[..count] {
                return Ok(false);
            }
        }
    }

    /// The regular files that any of the globs matches, and the globs that match none.
    pub fn matching(&self, globs: &[String]) -> Result<Matching, ContextError> {
        let set = glob_set(globs);
        let mut matching = Matching { files: Vec::new(), unmatched: globs.to_vec() };
        for path in self.files()? {
            let matches = set.matches(path.as_path());
            if !matches.is_empty() {
                matching.unmatched.retain(|glob| !matches.iter().any(|index| globs[*index] == *glob));
                matching.files.push(path);
            }
        }
        matching.files.sort();
        Ok(matching)
    }

    /// The regular file whose path is nearest to one that is not there.
    pub fn nearest(&self, path: &ContextPath) -> Option<String> {
        let files = self.files().ok()?;
        let same_name = files.iter().find(|file| file.file_name() == path.file_name());
        let near = || nearest(path.as_str(), files.iter().map(ContextPath::as_str)).map(str::to_owned);
        same_name.map(ToString::to_string).or_else(near)
    }

    fn files(&self) -> Result<Vec<ContextPath>, ContextError> {
        let mut files = Vec::new();
        let mut folders = vec![(ContextPath::root(), self.root.duplicate()?)];
        while let Some((path, folder)) = folders.pop() {
            for name in folder.names()? {
                // A name that is no UTF-8 can be named by no recipe.
                let Some(part) = name.to_str().and_then(|name| name.parse::<ContextPath>().ok()) else { continue };
                match folder.meta(&name)?.kind {
                    Kind::Folder => folders.push((path.join(&part), folder.folder(&name)?)),
                    Kind::File => files.push(path.join(&part)),
                    Kind::Symlink | Kind::Whiteout | Kind::Special(_) => {}
                }
            }
        }
        Ok(files)
    }

    fn parent<'a>(&self, path: &'a ContextPath) -> Result<Option<(Dir, &'a str)>, ContextError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(ContextError::NoFile { path: path.clone(), found: "folder" });
        };
        match self.root.beneath(parent.as_path()) {
            Ok(folder) => Ok(Some((folder, name))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn parent_or_make<'a>(&self, path: &'a ContextPath) -> Result<(Dir, &'a str), ContextError> {
        let mut folder = self.root.duplicate()?;
        let name = path.file_name().unwrap_or_default();
        for part in path.parent().unwrap_or_default().parts() {
            if folder.meta_if_there(part)?.is_none() {
                let time = folder.own_meta()?.mtime;
                folder.make_folder(part, 0o755)?.set_own_time(self.time())?;
                folder.set_own_time(time)?;
            }
            folder = folder.folder(part)?;
        }
        Ok((folder, name))
    }
}

/// Globs as one set; they were checked when the recipe was resolved, and one that is wrong all the same matches nothing.
#[must_use]
pub fn glob_set(globs: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        if let Ok(glob) = GlobBuilder::new(glob).literal_separator(true).build() {
            set.add(glob);
        }
    }
    set.build().unwrap_or_else(|_| GlobSet::empty())
}
