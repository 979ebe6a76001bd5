//! The program as a black box, in a world of its own: a sandbox's servers, a store, a cache, a home.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sealer::testing::sandbox::{Sandbox, Server};

/// The repository's folder.
pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Copies the repository's `recipes` into a folder. A lock, which somebody may have made there by hand, stays behind.
pub(crate) fn copy_recipes(to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    let copied = Command::new("cp").arg("-R").arg(project().join("recipes")).arg(to).status().unwrap();
    assert!(copied.success());
    for entry in fs_err::read_dir(to.join("recipes")).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with(".lock.yaml") {
            fs_err::remove_file(path).unwrap();
        }
    }
}

/// Writes a script that can be run.
///
/// Another process does it: what this one has open for writing is open, too, in each child that another test starts at
/// that moment, until the child runs its program; and the kernel runs no file that is open for writing.
pub(crate) fn write_script(path: &Path, text: &str) {
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    let mut shell = Command::new("sh");
    let mut shell =
        shell.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(path).stdin(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
}

/// Copies this program, as [`write_script`] writes one, to where every user may run it.
pub(crate) fn copy_program(to: &Path) {
    let copied = Command::new("install").args(["-m", "755", env!("CARGO_BIN_EXE_sealer")]).arg(to).status().unwrap();
    assert!(copied.success());
}

/// Servers with the miniatures and empty folders for one program after the other.
pub(crate) struct World {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
}

/// What a run of the program gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::start(folder.path()).unwrap();
        copy_recipes(&folder.path().join("checkout"));
        Self { sandbox, folder }
    }

    pub(crate) fn server(&self) -> &Server {
        self.sandbox.server()
    }

    /// A path in the world's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.sandbox.root()
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.sandbox.cache()
    }

    /// Writes a file in the world's folder.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, content).unwrap();
        path
    }

    /// Writes a script in the world's folder.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        write_script(&path, text);
        path
    }

    /// The environment of a user whose settings point to the sandbox.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        vec![
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("HOME", text(self.path("home"))),
            // Else the logins of whoever runs the tests counted.
            ("XDG_RUNTIME_DIR", text(self.path("run"))),
            ("SEALER_ROOT", text(self.root())),
            ("SEALER_CACHE", text(self.cache())),
            ("SEALER_URL_MIRRORS", self.sandbox.url_mirrors().join(",")),
            ("CONTAINERS_REGISTRIES_CONF", text(self.sandbox.registries_conf())),
        ]
    }

    /// The program in this world. Its current folder is one with the repository's recipes, where it may write their locks.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealer"));
        command.env_clear().envs(self.environment()).current_dir(self.path("checkout"));
        command
    }

    /// Runs the program and gives what it said, with what differs from run to run replaced by words.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.result(&self.command().args(arguments).output().unwrap())
    }

    /// As [`run`](Self::run); a run that fails is a failed test.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(0), "{arguments:?}: {run}");
        run
    }

    pub(crate) fn result(&self, output: &Output) -> Run {
        let clean = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let text = text.replace(self.folder.path().to_str().unwrap(), "[WORLD]");
            text.replace(&self.server().address().to_string(), "[SERVER]")
        };
        Run { code: output.status.code(), stdout: clean(&output.stdout), stderr: clean(&output.stderr) }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or_else(|| "by a signal".to_owned(), |code| code.to_string());
        write!(f, "exit {code}\n--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr)
    }
}

/// Everything below a folder, by its path: kind, mode, times of files, content. Lock files and the folder for staging
/// are no content of a store.
pub(crate) fn tree(folder: &Path) -> BTreeMap<PathBuf, String> {
    fn walk(top: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
        let Ok(entries) = fs_err::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.unwrap().path();
            let relative = path.strip_prefix(top).unwrap().to_owned();
            let metadata = fs_err::symlink_metadata(&path).unwrap();
            let mode = metadata.permissions().mode();
            if metadata.is_dir() {
                let staged = relative == Path::new("staging");
                if !staged {
                    found.insert(relative, format!("{mode:o}"));
                }
                walk(top, &path, found);
            } else if metadata.is_symlink() {
                found.insert(relative, fs_err::read_link(&path).unwrap().display().to_string());
            } else if metadata.is_file() && !relative.file_name().is_some_and(|name| name == "lock" || name == ".lock")
            {
                let content = sealer::testing::types::Digest::of(&fs_err::read(&path).unwrap());
                found.insert(relative, format!("{mode:o} {} {content}", metadata.mtime()));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}
