//! Layers seen as the one root file system that an overlay of them would show, without mounting anything.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::words::ContextPath;

/// Folders of layers, the lowest first.
#[derive(Debug, Clone, Default)]
pub struct Merged {
    layers: Vec<PathBuf>,
}

/// What one layer says about a path.
enum Found {
    /// It is here.
    Here(PathBuf),
    /// It is hidden here: a whiteout, or something in the way that is no folder.
    Hidden,
    /// Lower layers decide.
    Below,
    /// Not here, and an opaque folder hides all lower layers.
    Opaque,
}

impl Merged {
    /// Layers as an overlay stacks them, the lowest first.
    #[must_use]
    pub fn new(layers: Vec<PathBuf>) -> Self {
        Self { layers }
    }

    /// One more layer on top.
    pub fn push(&mut self, layer: PathBuf) {
        self.layers.push(layer);
    }

    /// The folders of the layers, the lowest first.
    #[must_use]
    pub fn layers(&self) -> &[PathBuf] {
        &self.layers
    }

    /// Where a path is found: in the topmost layer that has it, unless a whiteout or an opaque folder hides it.
    /// Symlinks are not followed; one in the middle of the path hides what lies below.
    pub fn find(&self, path: &ContextPath) -> io::Result<Option<PathBuf>> {
        for layer in self.layers.iter().rev() {
            match look(layer, path)? {
                Found::Here(found) => return Ok(Some(found)),
                Found::Hidden | Found::Opaque => return Ok(None),
                Found::Below => {}
            }
        }
        Ok(None)
    }

    /// The names in a folder, sorted by bytes; empty where there is no such folder.
    pub fn list(&self, folder: &ContextPath) -> io::Result<Vec<OsString>> {
        let mut names = BTreeSet::new();
        let mut hidden = BTreeSet::new();
        for layer in self.layers.iter().rev() {
            match look(layer, folder)? {
                Found::Here(found) if fs_err::symlink_metadata(&found)?.is_dir() => {
                    let mut whiteouts = Vec::new();
                    for entry in fs_err::read_dir(&found)? {
                        let entry = entry?;
                        let name = entry.file_name();
                        if hidden.contains(&name) {
                            continue;
                        }
                        if is_whiteout(&fs_err::symlink_metadata(entry.path())?) {
                            whiteouts.push(name);
                        } else {
                            names.insert(name);
                        }
                    }
                    hidden.extend(whiteouts.into_iter().filter(|name| !names.contains(name)));
                    if is_opaque(&found) {
                        break;
                    }
                }
                Found::Here(_) | Found::Hidden | Found::Opaque => break,
                Found::Below => {}
            }
        }
        Ok(names.into_iter().collect())
    }

    /// All regular files below a folder, sorted, with their path in the root file system and where they are.
    pub fn files(&self, folder: &ContextPath) -> io::Result<Vec<(ContextPath, PathBuf)>> {
        Ok(self.tree(folder)?.files)
    }

    /// All that is below a folder but folders.
    pub fn tree(&self, folder: &ContextPath) -> io::Result<Tree> {
        let mut tree = Tree::default();
        let mut folders = vec![folder.clone()];
        while let Some(folder) = folders.pop() {
            for name in self.list(&folder)? {
                let Some(part) = name.to_str().and_then(|name| name.parse::<ContextPath>().ok()) else {
                    tree.passed_over.push(folder.as_path().join(&name));
                    continue;
                };
                let path = folder.join(&part);
                let Some(found) = self.find(&path)? else { continue };
                let kind = fs_err::symlink_metadata(&found)?.file_type();
                if kind.is_dir() {
                    folders.push(path);
                } else if kind.is_file() {
                    tree.files.push((path, found));
                } else {
                    tree.passed_over.push(path.as_path().to_owned());
                }
            }
        }
        tree.files.sort();
        tree.passed_over.sort();
        Ok(tree)
    }
}

/// What is below a folder of a merged root file system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// The regular files, sorted, with their path in the root file system and where they are.
    pub files: Vec<(ContextPath, PathBuf)>,
    /// Symlinks, devices and whatever has a name that is no UTF-8, sorted.
    pub passed_over: Vec<PathBuf>,
}

fn look(layer: &Path, path: &ContextPath) -> io::Result<Found> {
    let mut current = layer.to_owned();
    let mut opaque = false;
    let mut parts = path.parts().peekable();
    while let Some(part) = parts.next() {
        current.push(part);
        let metadata = match fs_err::symlink_metadata(&current) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(if opaque { Found::Opaque } else { Found::Below });
            }
            Err(error) => return Err(error),
        };
        if is_whiteout(&metadata) || (parts.peek().is_some() && !metadata.is_dir()) {
            return Ok(Found::Hidden);
        }
        opaque |= metadata.is_dir() && is_opaque(&current);
    }
    Ok(Found::Here(current))
}

fn is_whiteout(metadata: &std::fs::Metadata) -> bool {
    metadata.file_type().is_char_device() && metadata.rdev() == 0
}

fn is_opaque(folder: &Path) -> bool {
    let mut value = [0; 1];
    let length = rustix::fs::lgetxattr(folder, c"trusted.overlay.opaque", &mut value);
    length == Ok(1) && value == *b"y"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            if let Some(name) = file.strip_suffix("!") {
                let kind = rustix::fs::FileType::CharacterDevice;
                let mode = rustix::fs::Mode::empty();
                let path = folder.path().join(name);
                rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, 0).unwrap();
            } else {
                fs_err::write(path, file).unwrap();
            }
        }
        folder
    }

    #[test]
    fn upper_layers_win_and_whiteouts_hide() {
        let (low, high) = (layer(&["a", "b/c", "b/d", "e/f"]), layer(&["a", "b/c!", "e!", "g"]));
        let merged = Merged::new(vec![low.path().to_owned(), high.path().to_owned()]);
        let find = |path: &str| merged.find(&path.parse().unwrap()).unwrap();
        assert_eq!(find("a"), Some(high.path().join("a")));
        assert_eq!(find("b/d"), Some(low.path().join("b/d")));
        assert_eq!((find("b/c"), find("e/f"), find("e"), find("x")), (None, None, None, None));
        let files: Vec<_> = merged.files(&ContextPath::root()).unwrap();
        let paths: Vec<_> = files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["a", "b/d", "g"]);
    }

    #[test]
    fn a_file_over_a_folder_hides_it() {
        let (low, high) = (layer(&["a/b"]), layer(&["a"]));
        let merged = Merged::new(vec![low.path().to_owned(), high.path().to_owned()]);
        assert_eq!(merged.find(&"a/b".parse().unwrap()).unwrap(), None);
        assert_eq!(merged.list(&ContextPath::root()).unwrap(), ["a"]);
    }
}
