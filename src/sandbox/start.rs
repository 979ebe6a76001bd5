//! What `--sandbox` starts: the server with the miniatures, and the settings that lead to it.

use std::io;
use std::path::{Path, PathBuf};

use super::miniature;
use super::server::Server;

/// A running sandbox: it only has settings for the other modules, which do not know about it.
#[derive(Debug)]
pub struct Sandbox {
    server: Server,
    folder: PathBuf,
}

impl Sandbox {
    /// The notice for users about the results of a sandbox.
    pub const NOTICE: &str = "sandbox: this program simulates the registries and downloads on 127.0.0.1. Their \
        programs and images are small stand-ins that do nothing. Do not start a cluster from the result";

    /// Starts the server with all miniatures and writes `registries.conf` into `folder`, which is made if it does not
    /// exist.
    pub fn start(folder: &Path) -> io::Result<Self> {
        let server = Server::start()?;
        server.content(miniature::fill);
        fs_err::create_dir_all(folder)?;
        let sandbox = Self { server, folder: folder.to_owned() };
        fs_err::write(sandbox.registries_conf(), sandbox.server.registries_conf())?;
        Ok(sandbox)
    }

    /// The server, for tests that look at its log or put faults into it.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The path of the registries.conf that leads every registry to the server.
    pub fn registries_conf(&self) -> PathBuf {
        self.folder.join("registries.conf")
    }

    /// The URL mirrors, each `PREFIX=LOCATION`, that lead every download to the server.
    pub fn url_mirrors(&self) -> Vec<String> {
        self.server.url_mirrors()
    }

    /// The store's root; it is not made here.
    pub fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// The cache's folder; it is not made here.
    pub fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }
}
