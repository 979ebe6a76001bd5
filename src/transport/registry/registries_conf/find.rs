//! Where the files are.

use std::io;
use std::path::{Path, PathBuf};

use crate::transport::settings::{config_folder, path_variable};

/// The places of settings for registries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigPlaces {
    /// `CONTAINERS_REGISTRIES_CONF`: if set, the only file that is read.
    pub named: Option<PathBuf>,
    /// The user's folder, `$XDG_CONFIG_HOME/containers` or `~/.config/containers`.
    pub user: Option<PathBuf>,
    /// The system's folder, `/etc/containers`.
    pub system: Option<PathBuf>,
}

impl ConfigPlaces {
    /// The places that the environment of this process names.
    #[must_use]
    pub(crate) fn from_env() -> Self {
        Self {
            named: path_variable("CONTAINERS_REGISTRIES_CONF"),
            user: config_folder().map(|config| config.join("containers")),
            system: Some(PathBuf::from("/etc/containers")),
        }
    }

    /// The files to read; later ones override earlier ones.
    ///
    /// A user's file replaces all files of the system; without one, the user's drop-ins override the system's.
    pub(super) fn files(&self) -> io::Result<Vec<PathBuf>> {
        if let Some(named) = &self.named {
            return Ok(vec![named.clone()]);
        }
        let main = |folder: &Option<PathBuf>| {
            folder.as_ref().map(|folder| folder.join("registries.conf")).filter(|path| path.exists())
        };
        let drop_ins = |folder: &Option<PathBuf>| match folder {
            Some(folder) => drop_ins(&folder.join("registries.conf.d")),
            None => Ok(Vec::new()),
        };
        let users_main = main(&self.user);
        let mut files = Vec::new();
        if users_main.is_none() {
            files.extend(main(&self.system));
            files.extend(drop_ins(&self.system)?);
        }
        files.extend(users_main);
        files.extend(drop_ins(&self.user)?);
        Ok(files)
    }
}

/// The `*.conf` of a folder in the order of their names; empty if there is no folder.
fn drop_ins(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs_err::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "conf") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
