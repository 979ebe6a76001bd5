//! Lock files with flock, so that a lock ends with its process, however that ends.

use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::{Dir, DiskError};

const PAUSE: Duration = Duration::from_millis(20);

/// How a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockMode {
    /// With other readers.
    Shared,
    /// One process only.
    Exclusive,
}

/// A lock, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: fs_err::File,
}

impl Lock {
    /// Locks the file `name`, which is made if it does not exist, and waits up to `limit` for others.
    ///
    /// After that it is [`DiskError::Busy`].
    pub(crate) fn acquire(dir: &Dir, name: &str, mode: LockMode, limit: Duration) -> Result<Self, DiskError> {
        Self::wait(dir.open_or_create_file(name)?, mode, limit)
    }

    /// As [`Lock::acquire`], but without the file there is nothing to lock, because readers create nothing.
    pub(crate) fn acquire_if_there(
        dir: &Dir,
        name: &str,
        mode: LockMode,
        limit: Duration,
    ) -> Result<Option<Self>, DiskError> {
        match dir.open_file(name) {
            Ok(file) => Self::wait(file, mode, limit).map(Some),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Locks the folder itself exclusively, for writers that must not leave a lock file. If the file system cannot lock
    /// folders (NFS), there is no lock.
    pub(crate) fn acquire_folder(dir: &Dir, limit: Duration) -> Result<Option<Self>, DiskError> {
        match Self::wait(dir.as_file()?, LockMode::Exclusive, limit) {
            Ok(lock) => Ok(Some(lock)),
            Err(DiskError::Io { source, .. })
                if [Errno::BADF, Errno::NOLCK, Errno::OPNOTSUPP, Errno::NOSYS, Errno::INVAL]
                    .iter()
                    .any(|errno| source.raw_os_error() == Some(errno.raw_os_error())) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Locks an existing file exclusively, if nobody else holds it.
    pub(crate) fn try_acquire(dir: &Dir, name: &str) -> Result<Option<Self>, DiskError> {
        match Self::wait(dir.open_file(name)?, LockMode::Exclusive, Duration::ZERO) {
            Ok(lock) => Ok(Some(lock)),
            Err(DiskError::Busy { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn wait(file: fs_err::File, mode: LockMode, limit: Duration) -> Result<Self, DiskError> {
        let path = file.path().to_owned();
        let operation = match mode {
            LockMode::Shared => FlockOperation::NonBlockingLockShared,
            LockMode::Exclusive => FlockOperation::NonBlockingLockExclusive,
        };
        let start = Instant::now();
        loop {
            match flock(&file, operation) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) if start.elapsed() < limit => std::thread::sleep(PAUSE),
                Err(Errno::WOULDBLOCK) => return Err(DiskError::Busy { path, seconds: limit.as_secs() }),
                Err(error) => return Err(DiskError::io("lock", path, error)),
            }
        }
    }
}
