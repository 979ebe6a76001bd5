//! An engine's notes about the registries of its layers.
//!
//! ```text
//! <docker root>/image/<storage driver>/distribution/v2metadata-by-diffid/sha256/<hex of the diff id>
//!     [{"Digest": "sha256:…", "SourceRepository": "docker.io/calico/node", "HMAC": "…"}, …]
//! ```
//!
//! Source: SEALER.md, "What goes wrong for its users". The HMAC proves to the engine whose login a digest was seen with;
//! it is made of that login, and is not read.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::transport::EngineStorage;
use crate::types::Digest;

/// Bytes of a file: the engine keeps fifty entries at most.
const FILE_LIMIT: u64 = 1 << 20;

/// What a registry calls a layer by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Known {
    /// The digest of the compressed layer.
    pub digest: Digest,
    /// The repository, with its registry, where the engine saw it.
    pub source_repository: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    digest: Digest,
    #[serde(default)]
    source_repository: String,
}

/// Why there are no files to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoFiles {
    pub(super) why: String,
    /// They may be there, but not for this user.
    pub(super) is_denied: bool,
}

impl NoFiles {
    pub(super) fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_denied: false }
    }
}

/// The folder with a file for each diff id.
pub(super) fn folder(about: &EngineStorage) -> Result<PathBuf, NoFiles> {
    if about.is_containerd {
        return Err(NoFiles::because("the engine keeps its images in containerd, which has no such files"));
    }
    let is_name = |driver: &str| !driver.is_empty() && driver.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let root = about.root.as_deref().filter(|root| root.is_absolute());
    let (Some(root), Some(driver)) = (root, about.driver.as_deref().filter(|driver| is_name(driver))) else {
        return Err(NoFiles::because("the engine does not name its folder and its storage driver"));
    };
    let folder = root.join("image").join(driver).join("distribution/v2metadata-by-diffid/sha256");
    let shown = folder.display();
    match fs_err::read_dir(&folder) {
        Ok(_) => Ok(folder),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(NoFiles { why: format!("permission denied: only root can read `{shown}`"), is_denied: true })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let why = format!("there is no `{shown}`: the engine never pulled or pushed, or its folders are elsewhere");
            Err(NoFiles::because(why))
        }
        Err(error) => Err(NoFiles::because(error.to_string())),
    }
}

/// What the engine knows about a layer; empty if it has no file for it.
pub(super) fn read(folder: &Path, diff_id: Digest) -> Result<Vec<Known>, String> {
    let path = folder.join(diff_id.hex());
    let refuse = |why: &dyn std::fmt::Display| Err(format!("`{}` is not a file of an engine: {why}", path.display()));
    let about = match fs_err::symlink_metadata(&path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.to_string()),
    };
    if !about.is_file() {
        return refuse(&"it is not a regular file");
    }
    let mut bytes = Vec::new();
    let file = fs_err::File::open(&path).map_err(|error| error.to_string())?;
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > FILE_LIMIT {
        return refuse(&format!("it has more than {FILE_LIMIT} bytes"));
    }
    let written: Vec<Written> = match serde_json::from_slice(&bytes) {
        Ok(written) => written,
        Err(error) => return refuse(&error),
    };
    let known = written.into_iter().map(|one| Known { digest: one.digest, source_repository: one.source_repository });
    Ok(known.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(root: &Path) -> EngineStorage {
        EngineStorage { root: Some(root.to_owned()), driver: Some("overlay2".to_owned()), is_containerd: false }
    }

    #[test]
    fn engines_without_files_say_why() {
        let root = tempfile::tempdir().unwrap();
        let why = |about: &EngineStorage| {
            let no = folder(about).unwrap_err();
            format!("{}: {}", no.is_denied, no.why.replace(root.path().to_str().unwrap(), "[ROOT]"))
        };
        let good = about(root.path());
        let files = root.path().join("image/overlay2/distribution/v2metadata-by-diffid/sha256");
        let absent = why(&good);
        fs_err::create_dir_all(files.parent().unwrap()).unwrap();
        fs_err::write(&files, "").unwrap();
        let no_folder = why(&good);
        fs_err::remove_file(&files).unwrap();
        fs_err::create_dir(&files).unwrap();
        assert_eq!(folder(&good), Ok(files));
        let said = [
            absent,
            no_folder,
            why(&EngineStorage { is_containerd: true, ..good.clone() }),
            why(&EngineStorage { root: Some("var/lib/docker".into()), ..good.clone() }),
            why(&EngineStorage { driver: Some("../../etc".to_owned()), ..good.clone() }),
            why(&EngineStorage::default()),
        ];
        insta::assert_snapshot!(said.join("\n"), @"
        false: there is no `[ROOT]/image/overlay2/distribution/v2metadata-by-diffid/sha256`: the engine never pulled or pushed, or its folders are elsewhere
        false: failed to read directory `[ROOT]/image/overlay2/distribution/v2metadata-by-diffid/sha256`: Not a directory (os error 20)
        false: the engine keeps its images in containerd, which has no such files
        false: the engine does not name its folder and its storage driver
        false: the engine does not name its folder and its storage driver
        false: the engine does not name its folder and its storage driver
        ");
    }

    #[test]
    fn files_are_read_strictly() {
        let folder = tempfile::tempdir().unwrap();
        let diff_id = Digest::of(b"layer");
        let read = || {
            let read = read(folder.path(), diff_id);
            read.map_err(|why| why.replace(folder.path().to_str().unwrap(), "[FOLDER]"))
        };
        let file = folder.path().join(diff_id.hex());
        assert_eq!(read(), Ok(Vec::new()));
        let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
        let good = serde_json::json!([
            {"Digest": one, "SourceRepository": "docker.io/calico/node", "HMAC": "00ff"},
            {"Digest": other, "SourceRepository": "localhost:5000/node", "HMAC": ""},
        ]);
        fs_err::write(&file, good.to_string()).unwrap();
        let known = |digest, repository: &str| Known { digest, source_repository: repository.to_owned() };
        assert_eq!(read(), Ok(vec![known(one, "docker.io/calico/node"), known(other, "localhost:5000/node")]));
        let mut said = Vec::new();
        for garbage in ["", "[", "{}", r#"[{"Digest": "sha256:../../x"}]"#, r#"[{"SourceRepository": "x"}]"#] {
            fs_err::write(&file, garbage).unwrap();
            said.push(read().unwrap_err());
        }
        fs_err::write(&file, " ".repeat(1 + (1 << 20))).unwrap();
        said.push(read().unwrap_err());
        fs_err::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
        said.push(read().unwrap_err());
        insta::assert_snapshot!(said.join("\n").replace(&diff_id.hex(), "[HEX]"), @"
        `[FOLDER]/[HEX]` is not a file of an engine: EOF while parsing a value at line 1 column 0
        `[FOLDER]/[HEX]` is not a file of an engine: EOF while parsing a list at line 1 column 1
        `[FOLDER]/[HEX]` is not a file of an engine: invalid type: map, expected a sequence at line 1 column 0
        `[FOLDER]/[HEX]` is not a file of an engine: `sha256:../../x` is not a supported digest: expected `sha256:` and 64 hex digits at line 1 column 29
        `[FOLDER]/[HEX]` is not a file of an engine: missing field `Digest` at line 1 column 26
        `[FOLDER]/[HEX]` is not a file of an engine: it has more than 1048576 bytes
        `[FOLDER]/[HEX]` is not a file of an engine: it is not a regular file
        ");
    }
}
