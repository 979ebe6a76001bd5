//! Certificates that users have for single hosts: containers-certs.d(5) and Docker's folder of the same form.
//!
//! ```text
//! certs.d/registry.example:5000/ca.crt                       whom this host's certificate may come from
//! certs.d/registry.example:5000/client.cert, client.key      who we are to it
//! ```

use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use url::Url;

use super::{HttpError, authority};
use crate::transport::settings::config_folder;

/// The folders `certs.d`, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificatePlaces {
    /// If several have a folder for a host, the first one is used.
    pub folders: Vec<PathBuf>,
}

/// The contents of a host's folder.
#[derive(Debug, Default)]
pub(crate) struct HostCertificates {
    pub(super) authorities: Vec<CertificateDer<'static>>,
    /// A client certificate and its key.
    pub(super) identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

impl CertificatePlaces {
    /// The places that the environment of this process names: `$XDG_CONFIG_HOME/containers/certs.d` (`~/.config/…`),
    /// `/etc/containers/certs.d`, `/etc/docker/certs.d`.
    #[must_use]
    pub(crate) fn from_env() -> Self {
        let user = config_folder().map(|config| config.join("containers/certs.d"));
        let system = ["/etc/containers/certs.d", "/etc/docker/certs.d"].map(PathBuf::from);
        Self { folders: user.into_iter().chain(system).collect() }
    }

    /// The folder of the URL's host, if there is one.
    pub(crate) fn folder(&self, url: &Url) -> Option<PathBuf> {
        let authority = authority(url);
        let mut names = vec![authority.to_owned()];
        if url.port().is_none() {
            names.push(format!("{authority}:443"));
        }
        // Docker's registry has another host name than its images.
        if authority == "registry-1.docker.io" {
            names.push("docker.io".to_owned());
        }
        let places = self.folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
        places.into_iter().find(|folder| folder.is_dir())
    }
}

/// Reads a host's folder.
pub(crate) fn read(folder: &Path) -> Result<HostCertificates, HttpError> {
    let wrong = |path: &Path, reason: String| HttpError::Certificates { path: path.to_owned(), reason };
    let unreadable = |path: &Path, error: &io::Error| wrong(path, error.kind().to_string());
    let mut paths = Vec::new();
    for entry in fs_err::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        paths.push(entry.map_err(|error| unreadable(folder, &error))?.path());
    }
    paths.sort();
    let with = |extension: &'static str| {
        paths.iter().filter(move |path| path.extension().is_some_and(|found| found == extension))
    };
    let read = |path: &Path| fs_err::read(path).map_err(|error| unreadable(path, &error));
    let mut found = HostCertificates::default();
    for path in with("crt") {
        let certificates = chain(&read(path)?);
        if certificates.is_empty() {
            return Err(wrong(path, "there is no certificate in it (PEM)".to_owned()));
        }
        found.authorities.extend(certificates);
    }
    for path in with("cert") {
        let key = path.with_extension("key");
        if !key.exists() {
            return Err(wrong(path, format!("its key `{}` is missing", key.display())));
        }
        if found.identity.is_some() {
            return Err(wrong(
                path,
                "there is another client certificate for this host; remove one of them".to_owned(),
            ));
        }
        let pair = [read(path)?, b"\n".to_vec(), read(&key)?].concat();
        found.identity = match (chain(&pair), PrivateKeyDer::from_pem_slice(&pair)) {
            (chain, Ok(key)) if !chain.is_empty() => Some((chain, key)),
            _ => return Err(wrong(path, "it and its key are not a client certificate (PEM)".to_owned())),
        };
    }
    if let Some(key) = with("key").find(|key| !key.with_extension("cert").exists()) {
        let reason = format!("its certificate `{}` is missing", key.with_extension("cert").display());
        return Err(wrong(key, reason));
    }
    Ok(found)
}

/// The certificates of a text; empty if one of them is not valid.
fn chain(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().unwrap_or_default()
}
