//! Why a login cannot be written.

use super::credential_helper;
use super::credentials::CredentialsError;
use crate::disk::DiskError;
use crate::edit::EditError;
use crate::types::{FailureKind, Reportable};

/// Why a login could not be stored or removed. The files are unchanged then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginStoreError {
    /// The existing logins cannot be read.
    #[error(transparent)]
    Read(#[from] CredentialsError),
    /// An I/O error.
    #[error("the logins in `{file}` cannot be changed")]
    Disk {
        /// The file.
        file: String,
        /// Why.
        source: DiskError,
    },
    /// The file has a layout that cannot be edited.
    #[error("`{file}` has a layout that cannot be edited")]
    Edit {
        /// The file.
        file: String,
        /// Why.
        source: EditError,
    },
    /// Another program keeps changing the file.
    #[error("other programs changed `{file}` again and again in the meantime")]
    Restless {
        /// The file.
        file: String,
    },
    /// A credential helper failed.
    #[error("`{helper}` cannot {action} the login for `{registry}`: {reason}")]
    Helper {
        /// The helper's program.
        helper: String,
        /// What it should do with the login: `keep`, `say` or `forget`.
        action: &'static str,
        /// The registry of the login.
        registry: String,
        /// Why; never contains a secret.
        reason: String,
        /// The file that names the helper.
        file: String,
    },
    /// No file for logins is known.
    #[error("no file for logins is known: `HOME`, `DOCKER_CONFIG` and `REGISTRY_AUTH_FILE` are not set")]
    NoPlace,
}

impl LoginStoreError {
    pub(crate) fn helper(helper: &str, action: &'static str, registry: &str, reason: String, file: String) -> Self {
        let (helper, registry) = (credential_helper::program(helper), registry.to_owned());
        Self::Helper { helper, action, registry, reason, file }
    }
}

impl Reportable for LoginStoreError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Read(error) => error.kind(),
            Self::Disk { source, .. } => source.kind(),
            Self::Restless { .. } => FailureKind::Retry,
            Self::Edit { .. } | Self::Helper { .. } | Self::NoPlace => FailureKind::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Read(error) => error.help(),
            Self::Helper { file, .. } => Some(format!(
                "`{file}` names this helper (`credHelpers`, `credsStore`): fix it, or remove it from that file"
            )),
            Self::NoPlace => Some("set `REGISTRY_AUTH_FILE` to a file".to_owned()),
            Self::Disk { .. } | Self::Edit { .. } | Self::Restless { .. } => None,
        }
    }
}
