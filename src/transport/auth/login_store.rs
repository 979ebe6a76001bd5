//! Stores and removes logins: in the file that is in use, or with the helper that it names.
//!
//! A file is replaced as a whole: a new file next to it, 0600, is flushed and renamed into place. Our own writers take
//! turns with a lock on the folder, and changes by other programs are noticed up to the last moment, so no login is
//! lost. Everything that is not edited stays as it was, byte for byte.

use super::auth_file::AuthFile;
use super::credential_helper;
use super::credentials::Proof;
use super::edit::edited;
use super::login_file::LoginFile;
use super::login_scope::DOCKER_HUB_KEY;
use super::login_store_error::LoginStoreError;
use super::{Accepted, AuthPlaces, LoginScope};

/// Writes logins where [`Logins`](super::Logins) reads them.
#[derive(Debug)]
pub(crate) struct LoginStore {
    places: AuthPlaces,
}

/// Where a login is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoginLocation {
    /// The file.
    pub file: String,
    /// The helper program that has it, which the file names; `None` if it is in the file.
    pub helper: Option<String>,
    /// The file's old mode, if users other than its owner could read it. It is 0600 now.
    pub was_open: Option<u32>,
}

/// The result of storing a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Where it is.
    pub place: LoginLocation,
    /// Keys of older logins for the same registry, written differently, that were removed.
    pub replaced: Vec<String>,
    /// Keys with logins for parts of it, which are used for those parts.
    pub parts: Vec<String>,
}

/// What was done to remove a login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Erased {
    /// Where it was; empty if there was none.
    pub places: Vec<LoginLocation>,
    /// Keys with logins for parts of it, which stay, each with its file.
    pub parts: Vec<(String, String)>,
}

impl LoginStore {
    /// Opens the user's files with logins. A file that cannot be read or parsed is an error now, before the user is
    /// asked for a password.
    pub(crate) fn open(places: AuthPlaces) -> Result<Self, LoginStoreError> {
        for path in places.paths() {
            LoginFile::find(path)?.read()?;
        }
        Ok(Self { places })
    }

    /// Stores a login and replaces an existing one.
    pub(crate) fn put(&self, scope: &LoginScope, accepted: &Accepted) -> Result<Stored, LoginStoreError> {
        let path = self.places.to_write().ok_or(LoginStoreError::NoPlace)?;
        let file = LoginFile::find(path)?;
        let proof = accepted.proof();
        // Helpers know registries, not parts of them.
        let named =
            file.read()?.file.helper(scope.registry()).filter(|_| scope.namespace().is_empty()).map(str::to_owned);
        if let Some(helper) = &named {
            let server = scope.key();
            credential_helper::store(helper, &server, &proof, self.places.helper_limit)
                .map_err(|reason| LoginStoreError::helper(helper, "keep", &server, reason, file.shown()))?;
        }
        let entry = match &named {
            // Docker also leaves an empty entry if a helper has the login.
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

    /// Removes the login from every place where it would be found.
    pub(crate) fn erase(&self, scope: &LoginScope) -> Result<Erased, LoginStoreError> {
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

    /// Removes the login from the helper that a file names; returns the helper's program if it had the login.
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
        // The name as it is asked for: Podman stores Docker's registry under its own name.
        let names = if key == DOCKER_HUB_KEY { vec![key.as_str(), scope.registry()] } else { vec![key.as_str()] };
        for server in names {
            let failed = |action, reason| LoginStoreError::helper(helper, action, server, reason, file.shown());
            let limit = self.places.helper_limit;
            if credential_helper::get(helper, server, limit).map_err(|reason| failed("say", reason))?.is_some() {
                credential_helper::erase(helper, server, limit).map_err(|reason| failed("forget", reason))?;
                had_one = true;
            }
        }
        Ok(had_one.then(|| credential_helper::program(helper)))
    }
}

/// The entry in a file for a login. Docker writes the user name next to an identity token.
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

#[cfg(test)]
mod tests;
