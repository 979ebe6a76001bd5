//! What `--sandbox` starts: the server with the miniatures, and the settings that lead to it.

use std::io;
use std::path::{Path, PathBuf};

use super::miniature;
use super::server::Server;

/// A running sandbox: nothing but settings for the modules that do the work, which do not know of it.
#[derive(Debug)]
pub struct Sandbox {
    server: Server,
    folder: PathBuf,
}

impl Sandbox {
    /// What a person has to know before they use what comes out of it.
    pub const NOTICE: &str = "sandbox: registries and downloads are played by this program on 127.0.0.1, and what \
        they hand out are miniatures: true in form, but programs and images in them do nothing. \
        Do not start a cluster from the result";

    /// Starts the server with all miniatures and writes `registries.conf` into `folder`, which is made if it is not
    /// there.
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
