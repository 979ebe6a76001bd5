//! Keeps logins and forgets them: in the file that counts, or with the helper that it names.
//!
//! A file is replaced as a whole: one beside it, 0600, flushed, renamed into place. Writers of ours take turns by a lock
//! on the folder, and others' changes up to the last moment are seen, so no login is lost. What is not edited stays as
//! it was, byte for byte.

use super::auth_file::AuthFile;
use super::credential_helper;
use super::credentials::{CredentialsError, Proof};
use super::edit::edited;
use super::login_file::LoginFile;
use super::login_scope::DOCKER_HUB_KEY;
use super::{Accepted, AuthPlaces, LoginScope};
use crate::disk::DiskError;
use crate::edit::EditError;
use crate::types::{FailureKind, Reportable};

/// Writes logins where [`Logins`](super::Logins) reads them.
#[derive(Debug)]
pub struct LoginStore {
    places: AuthPlaces,
}

/// Where a login is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginLocation {
    /// The file.
    pub file: String,
    /// The helper's program that has it, which the file names; none: it is in the file.
    pub helper: Option<String>,
    /// The mode that the file had, where others than its owner could read it. It is 0600 now.
    pub was_open: Option<u32>,
}

/// What was done to keep a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where it is.
    pub place: LoginLocation,
    /// Keys of older logins for the same registry, written in other ways, that were taken out.
    pub replaced: Vec<String>,
    /// Keys with logins for parts of it, which count there.
    pub parts: Vec<String>,
}

/// What was done to forget a login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// Where it was; empty where there was none.
    pub places: Vec<LoginLocation>,
    /// Keys with logins for parts of it, which stay, each with its file.
    pub parts: Vec<(String, String)>,
}

impl LoginStore {
    /// Where the user has logins. A file that is there and cannot be read or understood is an error now, before anybody
    /// is asked for a password.
    pub fn open(places: AuthPlaces) -> Result<Self, LoginStoreError> {
        for path in places.paths() {
            LoginFile::find(path)?.read()?;
        }
        Ok(Self { places })
    }

    /// Puts a login in place of the one that there may be.
    pub fn put(&self, scope: &LoginScope, accepted: &Accepted) -> Result<Stored, LoginStoreError> {
        let path = self.places.to_write().ok_or(LoginStoreError::NoPlace)?;
        let file = LoginFile::find(path)?;
        let proof = accepted.proof();
        // Helpers know registries, not parts of them.
        let named =
            file.read()?.file.helper(scope.registry()).filter(|_| scope.namespace().is_empty()).map(str::to_owned);
        if let Some(helper) = &named {
            let server = scope.key();
            credential_helper::store(helper, &server, &proof, self.places.helper_limit)
                .map_err(|reason| LoginStoreError::helper(helper, "keep", &server, reason, &file))?;
        }
        let entry = match &named {
            // Docker too leaves an empty entry where a helper has the login.
            Some(_) => serde_json::json!({}),
            None => entry(accepted, &proof),
        };
        let (mut replaced, mut parts) = (Vec::new(), Vec::new());
        let was_open = file.change(|text, there| {
            let others = there.keys(scope).into_iter().filter(|key| *key != scope.key());
            replaced = others.map(str::to_owned).collect();
            parts = there.parts(scope).into_iter().map(str::to_owned).collect();
            edited(text, Some((&scope.key(), &entry)), &replaced)
        })?;
        let helper = named.map(|helper| credential_helper::program(&helper));
        Ok(Stored { place: LoginLocation { file: file.shown(), helper, was_open }, replaced, parts })
    }

    /// Forgets the login, wherever it would be looked for.
    pub fn erase(&self, scope: &LoginScope) -> Result<Erased, LoginStoreError> {
        let mut forgotten = Erased::default();
        for path in self.places.paths() {
            let file = LoginFile::find(path)?;
            let there = file.read()?.file;
            let helper = self.erase_from_helper(scope, &there, &file)?;
            let keys = there.keys(scope);
            let was_open = if keys.is_empty() {
                None
            } else {
                file.change(|text, there| {
                    let keys: Vec<String> = there.keys(scope).into_iter().map(str::to_owned).collect();
                    edited(text, None, &keys)
                })?
            };
            if helper.is_some() || !keys.is_empty() {
                forgotten.places.push(LoginLocation { file: file.shown(), helper, was_open });
            }
            forgotten.parts.extend(there.parts(scope).into_iter().map(|key| (key.to_owned(), file.shown())));
        }
        Ok(forgotten)
    }

    /// Lets the helper that a file names forget the login; its program, where it had one.
    fn erase_from_helper(
        &self,
        scope: &LoginScope,
        there: &AuthFile,
        file: &LoginFile,
    ) -> Result<Option<String>, LoginStoreError> {
        let Some(helper) = there.helper(scope.registry()).filter(|_| scope.namespace().is_empty()) else {
            return Ok(None);
        };
        let mut had_one = false;
        let key = scope.key();
        // As it is asked: Podman writes Docker's registry under its own name.
        let names = if key == DOCKER_HUB_KEY { vec![key.as_str(), scope.registry()] } else { vec![key.as_str()] };
        for server in names {
            let failed = |action, reason| LoginStoreError::helper(helper, action, server, reason, file);
            let limit = self.places.helper_limit;
            if credential_helper::get(helper, server, limit).map_err(|reason| failed("say", reason))?.is_some() {
                credential_helper::erase(helper, server, limit).map_err(|reason| failed("forget", reason))?;
                had_one = true;
            }
        }
        Ok(had_one.then(|| credential_helper::program(helper)))
    }
}

/// What stands in a file for a login. Beside an identity token Docker writes whose it is.
fn entry(accepted: &Accepted, proof: &Proof) -> serde_json::Value {
    use base64::Engine as _;

    let auth = |password: &str| {
        base64::engine::general_purpose::STANDARD.encode(format!("{}:{password}", accepted.login.username))
    };
    match proof {
        Proof::IdentityToken(token) => serde_json::json!({"auth": auth(""), "identitytoken": token.expose()}),
        Proof::Login(_) | Proof::RegistryToken(_) => {
            serde_json::json!({"auth": auth(accepted.login.password.expose())})
        }
    }
}

/// Why a login could not be kept or forgotten. Files are as they were then.
#[derive(Debug, thiserror::Error)]
pub enum LoginStoreError {
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

impl LoginStoreError {
    pub(crate) fn helper(helper: &str, action: &'static str, registry: &str, reason: String, file: &LoginFile) -> Self {
        let (helper, registry) = (credential_helper::program(helper), registry.to_owned());
        Self::Helper { helper, action, registry, reason, file: file.shown() }
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
                "`{file}` names this helper (`credHelpers`, `credsStore`): repair it, or take it out there"
            )),
            Self::NoPlace => Some("let `REGISTRY_AUTH_FILE` name a file".to_owned()),
            Self::Disk { .. } | Self::Edit { .. } | Self::Restless { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
