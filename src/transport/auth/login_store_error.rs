//! Why a login could not be kept or forgotten.

use super::credential_helper;
use super::credentials::CredentialsError;
use super::login_file::LoginFile;
use crate::disk::DiskError;
use crate::edit::EditError;
use crate::words::FailureKind;

/// Why a login could not be kept or forgotten. Files are as they were then.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The logins that there are cannot be read.
    #[error(transparent)]
    Read(#[from] CredentialsError),
    /// The disk refused.
    #[error("the logins in `{file}` cannot be changed")]
    Disk {
        /// The file.
        file: String,
        /// Why.
        source: DiskError,
    },
    /// The file is written in a way that cannot be edited.
    #[error("`{file}` is written in a way that no login can be edited in")]
    Edit {
        /// The file.
        file: String,
        /// Why.
        source: EditError,
    },
    /// Somebody else writes the file all the time.
    #[error("`{file}` was changed by others again and again meanwhile")]
    Restless {
        /// The file.
        file: String,
    },
    /// A credential helper did not do its work.
    #[error("`{helper}` cannot {action} the login for `{registry}`: {reason}")]
    Helper {
        /// The helper's program.
        helper: String,
        /// What it should do with the login: `keep`, `say`, `forget`.
        action: &'static str,
        /// What it is for.
        registry: String,
        /// Why; never what a helper was given as a secret.
        reason: String,
        /// The file that names the helper.
        file: String,
    },
    /// There is no file that a login could be written to.
    #[error("there is no place for logins: neither `HOME` nor `DOCKER_CONFIG` nor `REGISTRY_AUTH_FILE` is set")]
    NoPlace,
}

impl KeepError {
    pub(crate) fn helper(helper: &str, action: &'static str, registry: &str, reason: String, file: &LoginFile) -> Self {
        let (helper, registry) = (credential_helper::program(helper), registry.to_owned());
        Self::Helper { helper, action, registry, reason, file: file.shown() }
    }

    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Read(error) => error.kind(),
            Self::Disk { source, .. } => source.kind(),
            Self::Restless { .. } => FailureKind::Retry,
            Self::Edit { .. } | Self::Helper { .. } | Self::NoPlace => FailureKind::Failed,
        }
    }

    /// What to do next, where there is more to say than the message does.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Read(error) => error.help(),
            Self::Helper { file, .. } => Some(format!(
                "`{file}` names this helper (`credHelpers`, `credsStore`): repair it, or take it out there"
            )),
            Self::NoPlace => Some("let `REGISTRY_AUTH_FILE` name a file".to_owned()),
            Self::Disk { .. } | Self::Edit { .. } | Self::Restless { .. } => None,
        }
    }
}
