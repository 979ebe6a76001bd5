//! The user's logins, from the usual files and the helpers that these name.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::auth_file::{AuthFile, Said};
use super::credential_helper;
use super::credentials::{Credentials, CredentialsError, Known, Proof};
use super::login_scope::DOCKER_HUB_KEY;
use crate::transport::settings::{config_folder, path_variable};

/// How long a helper's answer is reused: many repositories of one registry ask at once, but tokens from helpers expire.
const FRESH: Duration = Duration::from_mins(1);

/// The places of files with logins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuthPlaces {
    /// `REGISTRY_AUTH_FILE`: if set, the only file that is read, and it must exist.
    pub named: Option<PathBuf>,
    /// Otherwise these, in order; the first one with an entry for a registry wins. They may be missing.
    pub usual: Vec<PathBuf>,
    /// How long a credential helper may take.
    pub helper_limit: Duration,
}

impl AuthPlaces {
    /// The places that the environment of this process names: `REGISTRY_AUTH_FILE`, else
    /// `$XDG_RUNTIME_DIR/containers/auth.json` (`/run/containers/UID/auth.json`),
    /// `$XDG_CONFIG_HOME/containers/auth.json` (`~/.config/…`) and `$DOCKER_CONFIG/config.json` (`~/.docker/…`).
    #[must_use]
    pub(crate) fn from_env() -> Self {
        let uid = rustix::process::geteuid().as_raw().to_string();
        let runtime = path_variable("XDG_RUNTIME_DIR").map(|folder| folder.join("containers"));
        let runtime = runtime.unwrap_or_else(|| PathBuf::from("/run/containers").join(uid));
        let home = path_variable("HOME").map(|home| home.join(".docker"));
        let docker = path_variable("DOCKER_CONFIG").or(home);
        let mut usual = vec![runtime.join("auth.json")];
        usual.extend(config_folder().map(|folder| folder.join("containers/auth.json")));
        usual.extend(docker.map(|folder| folder.join("config.json")));
        Self { named: path_variable("REGISTRY_AUTH_FILE"), usual, helper_limit: Duration::from_mins(1) }
    }

    /// The files that are read, in their order.
    pub(crate) fn paths(&self) -> &[PathBuf] {
        match &self.named {
            Some(named) => std::slice::from_ref(named),
            None => &self.usual,
        }
    }

    /// The file that a login is written to: the first existing one, else Docker's. `None` if no file is used.
    pub(crate) fn to_write(&self) -> Option<&Path> {
        let paths = self.paths();
        paths.iter().find(|path| path.exists()).or(paths.last()).map(PathBuf::as_path)
    }
}

/// The user's logins.
#[derive(Debug)]
pub(crate) struct Logins {
    files: Vec<AuthFile>,
    helper_limit: Duration,
    /// Where a login can be written.
    login_file: Option<String>,
    /// The answers of helpers, with their time.
    answers: Mutex<HashMap<Asked, Arc<Mutex<Remembered>>>>,
}

/// The answer of a helper, with its time.
type Remembered = Option<(Instant, HelperSaid)>;

/// A proof if the helper has one; or the name that failed, and why.
type HelperSaid = Result<Option<Proof>, (String, String)>;

/// A helper and the registry that it was asked for.
type Asked = (String, String);

impl Logins {
    /// Reads the files. An existing file that cannot be parsed is an error: continuing without a login would hide it.
    pub(crate) fn load(places: &AuthPlaces) -> Result<Self, CredentialsError> {
        let mut files = Vec::new();
        let must_exist = places.named.is_some();
        for path in places.paths() {
            match AuthFile::load(path) {
                Ok(file) => files.push(file),
                // `~` may be a file if a user has no home.
                Err(CredentialsError::Read(error))
                    if !must_exist
                        && matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(error) => return Err(error),
            }
        }
        let login_file = places.to_write().map(|path| path.to_string_lossy().into_owned());
        Ok(Self { files, helper_limit: places.helper_limit, login_file, answers: Mutex::default() })
    }

    /// The answer of a helper, asked once for all requests at the same time; a failure is an answer, too. Requests do
    /// not wait for the helper of another registry.
    fn ask(&self, helper: &str, registry: &str, file: &AuthFile) -> Result<Option<Proof>, CredentialsError> {
        let key = (helper.to_owned(), registry.to_owned());
        let answer = Arc::clone(self.answers.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        let mut answer = answer.lock().unwrap_or_else(PoisonError::into_inner);
        if answer.as_ref().is_some_and(|(asked, _)| asked.elapsed() >= FRESH) {
            *answer = None;
        }
        let (_, said) = answer.get_or_insert_with(|| {
            let said = self.ask_anew(helper, registry);
            (Instant::now(), said)
        });
        said.clone().map_err(|(registry, reason)| CredentialsError::Helper {
            helper: credential_helper::program(helper),
            registry,
            reason,
            file: file.name().to_owned(),
        })
    }

    fn ask_anew(&self, helper: &str, registry: &str) -> HelperSaid {
        // Podman writes Docker's registry under its own name.
        let names: &[&str] = if registry == "docker.io" { &[DOCKER_HUB_KEY, registry] } else { &[registry] };
        for name in names {
            let found = credential_helper::get(helper, name, self.helper_limit);
            if let Some(proof) = found.map_err(|reason| ((*name).to_owned(), reason))? {
                return Ok(Some(proof));
            }
        }
        Ok(None)
    }
}

impl Credentials for Logins {
    fn login(&self, registry: &str, repository: &str) -> Result<Option<Known>, CredentialsError> {
        for file in &self.files {
            let of_file = |proof| Some(Known { proof, origin: format!("`{}`", file.name()) });
            let known = match file.find(registry, repository) {
                Said::Nothing => None,
                Said::Proof(proof) => of_file(proof),
                Said::Helper { helper, otherwise } => match self.ask(&helper, registry, file)? {
                    Some(proof) => {
                        let origin = format!("`{}`, named by `{}`", credential_helper::program(&helper), file.name());
                        Some(Known { proof, origin })
                    }
                    None => otherwise.and_then(of_file),
                },
            };
            if known.is_some() {
                return Ok(known);
            }
        }
        Ok(None)
    }

    fn login_file(&self) -> Option<String> {
        self.login_file.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(folder: &Path) -> AuthPlaces {
        let usual = ["first.json", "second.json"].map(|name| folder.join(name)).to_vec();
        AuthPlaces { named: None, usual, helper_limit: Duration::from_mins(1) }
    }

    #[test]
    fn the_first_file_that_says_something_counts() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, host: &str, user: &str| {
            let text = format!(r#"{{"auths": {{"{host}": {{"username": "{user}", "password": "x"}}}}}}"#);
            fs_err::write(folder.path().join(name), text).unwrap();
        };
        let mut places = places(folder.path());
        let found = |places: &AuthPlaces, host: &str| {
            let known = Logins::load(places).unwrap().login(host, "a/b").unwrap();
            known.map(|known| (known.proof.whose(), known.origin.ends_with("first.json`")))
        };
        let place = |places: &AuthPlaces| Logins::load(places).unwrap().login_file().unwrap();
        assert_eq!(found(&places, "a.io"), None);
        assert!(place(&places).ends_with("/second.json"), "the one that docker login writes");
        write("second.json", "a.io", "second");
        assert_eq!(found(&places, "a.io"), Some(("`second`".to_owned(), false)));
        write("first.json", "b.io", "first");
        assert_eq!(found(&places, "a.io"), Some(("`second`".to_owned(), false)));
        assert_eq!(found(&places, "b.io"), Some(("`first`".to_owned(), true)));
        assert!(place(&places).ends_with("/first.json"));
        write("first.json", "a.io", "first");
        assert_eq!(found(&places, "a.io"), Some(("`first`".to_owned(), true)));
        write("named.json", "c.io", "named");
        places.named = Some(folder.path().join("named.json"));
        assert_eq!((found(&places, "a.io"), found(&places, "c.io")), (None, Some(("`named`".to_owned(), false))));
        places.named = Some(folder.path().join("missing.json"));
        assert!(matches!(Logins::load(&places), Err(CredentialsError::Read(_))));
    }

    #[test]
    fn nobody_sees_a_password_by_debugging() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"auths": {"a.io": {"auth": "Ym9iOnMzY3JldA=="}}}"#;
        fs_err::write(folder.path().join("first.json"), text).unwrap();
        let shown = format!("{:?}", Logins::load(&places(folder.path())).unwrap());
        assert!(!shown.contains("s3cret") && !shown.contains("Ym9i"), "{shown}");
    }
}
