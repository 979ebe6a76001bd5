//! The user's settings: where they are, and how they are read.

use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

/// Bytes of the longest file that is read.
const MOST: u64 = 16 << 20;

/// A path that a variable of the environment names; `None` if it is empty.
pub(crate) fn path_variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// `$XDG_CONFIG_HOME`, else `~/.config`. The XDG specification has relative paths ignored.
pub(crate) fn config_folder() -> Option<PathBuf> {
    let config = path_variable("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    config.or_else(|| path_variable("HOME").map(|home| home.join(".config")))
}

/// The text of a file. Pipes and files without an end are refused.
pub(crate) fn read_settings(path: &Path) -> io::Result<String> {
    let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{}` {why}", path.display())));
    // If `metadata` fails, opening it fails too, with a better error.
    if fs_err::metadata(path).is_ok_and(|about| about.file_type().is_fifo() || about.file_type().is_socket()) {
        return refuse("is not a file");
    }
    let mut text = String::new();
    fs_err::File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST { refuse("is too long for a file of settings") } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_has_no_end_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs_err::write(at("file"), "x").unwrap();
        fs_err::File::create(at("long")).unwrap().set_len(MOST + 1).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        assert_eq!(read_settings(&at("file")).unwrap(), "x");
        assert_eq!(read_settings(Path::new("/dev/null")).unwrap(), "");
        for (name, why) in [("long", "is too long"), ("pipe", "is not a file"), ("none", "No such file")] {
            assert!(read_settings(&at(name)).unwrap_err().to_string().contains(why), "{name}");
        }
    }
}
