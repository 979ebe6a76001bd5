//! Context entries: files of layers into the context folder.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use crate::disk::{CopyRules, Dir, DiskError, FileTime, Kind, Meta, Owner, Sharing, merge_entry};
use crate::words::ContextPath;

/// Copies what `globs` match in `layer` (all of it where there are none) to the folder `to` of `context`.
///
/// A glob that matches a folder takes all that is in it. Folders on the way are those of the layer, with their mode and
/// time. Returns the globs that matched nothing.
pub(super) fn gather(
    layer: &Path,
    globs: &[String],
    to: &ContextPath,
    context: &Dir,
    sharing: Sharing,
    time: FileTime,
) -> Result<Vec<String>, DiskError> {
    let layer = Dir::open(layer)?;
    let rules = CopyRules { sharing, owner: Owner::Kept };
    let target = Target::open(context, to, time)?;
    if globs.is_empty() {
        for name in layer.names()? {
            merge_entry(&layer, &name, target.folder(), &name, rules)?;
        }
        target.finish()?;
        return Ok(Vec::new());
    }
    let globs: Vec<(&String, GlobMatcher)> = globs
        .iter()
        .filter_map(|glob| Some((glob, GlobBuilder::new(glob).literal_separator(true).build().ok()?.compile_matcher())))
        .collect();
    let mut search = Search { globs: &globs, matched: BTreeSet::new(), found: Vec::new() };
    search.folder(&layer, &mut Vec::new(), false)?;
    for path in &search.found {
        take(&layer, path, target.folder(), rules)?;
    }
    target.finish()?;
    let unmatched = |index: &usize| !search.matched.contains(index);
    Ok((0..globs.len()).filter(unmatched).map(|index| globs[index].0.clone()).collect())
}

/// The folder that entries are taken into, and those above it, with the times that they keep.
struct Target {
    /// From the context down; the last one is the target.
    folders: Vec<(Dir, FileTime)>,
}

impl Target {
    fn open(context: &Dir, to: &ContextPath, time: FileTime) -> Result<Self, DiskError> {
        let mut folders = vec![(context.duplicate()?, context.own_meta()?.mtime)];
        for part in to.parts() {
            let above = &folders[folders.len() - 1].0;
            let below = match above.meta_if_there(part)? {
                Some(meta) => (above.folder(part)?, meta.mtime),
                None => (above.make_folder(part, 0o755)?, time),
            };
            folders.push(below);
        }
        Ok(Self { folders })
    }

    fn folder(&self) -> &Dir {
        &self.folders[self.folders.len() - 1].0
    }

    /// A folder keeps its time when its entries change.
    fn finish(self) -> Result<(), DiskError> {
        self.folders.iter().try_for_each(|(folder, time)| folder.set_own_time(*time))
    }
}

/// Looks for the topmost paths that any glob matches.
struct Search<'a> {
    globs: &'a [(&'a String, GlobMatcher)],
    matched: BTreeSet<usize>,
    found: Vec<Vec<OsString>>,
}

impl Search<'_> {
    /// `inside` says that a folder above was found already, with all that is in it; globs are still marked as matched.
    fn folder(&mut self, folder: &Dir, path: &mut Vec<OsString>, inside: bool) -> Result<(), DiskError> {
        for name in folder.names()? {
            path.push(name.clone());
            let whole: PathBuf = path.iter().collect();
            let mut matches = false;
            for (index, (_, glob)) in self.globs.iter().enumerate() {
                if glob.is_match(&whole) {
                    self.matched.insert(index);
                    matches = true;
                }
            }
            if matches && !inside {
                self.found.push(path.clone());
            }
            if folder.meta(&name)?.kind == Kind::Folder {
                self.folder(&folder.folder(&name)?, path, inside || matches)?;
            }
            path.pop();
        }
        Ok(())
    }
}

/// Copies one path with the folders above it; their times are set again after their entries were made.
fn take(layer: &Dir, path: &[OsString], target: &Dir, rules: CopyRules) -> Result<(), DiskError> {
    let Some((name, parents)) = path.split_last() else { return Ok(()) };
    let (mut from, mut to) = (layer.duplicate()?, target.duplicate()?);
    let mut above: Vec<(Dir, Meta)> = Vec::new();
    for part in parents {
        let meta = from.meta(part)?;
        let there = to.meta_if_there(part)?;
        if there.is_some_and(|there| there.kind != Kind::Folder) {
            to.remove_all(part)?;
        }
        let folder = to.folder_or_make(part, 0o700)?;
        above.push((folder.duplicate()?, meta));
        from = from.folder(part)?;
        to = folder;
    }
    merge_entry(&from, name, &to, name, rules)?;
    for (folder, meta) in above.iter().rev() {
        if crate::disk::is_root() {
            folder.set_own_owner(meta.uid, meta.gid)?;
        }
        folder.set_own_mode(meta.mode)?;
        folder.set_own_time(meta.mtime)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, file).unwrap();
        }
        folder
    }

    fn gathered(globs: &[&str], to: &str) -> (Vec<String>, Vec<String>) {
        let layer = tree(&["etc/a.yaml", "etc/b.conf", "etc/deep/c.yaml", "bin/x", ".hidden/y"]);
        let context = tempfile::tempdir().unwrap();
        let globs: Vec<String> = globs.iter().map(|glob| (*glob).to_owned()).collect();
        let dir = Dir::open(context.path()).unwrap();
        let time = FileTime::of_seconds(1);
        let unmatched = gather(layer.path(), &globs, &to.parse().unwrap(), &dir, Sharing::Auto, time).unwrap();
        let merged = crate::image::Merged::new(vec![context.path().to_owned()]);
        let files = merged.files(&ContextPath::root()).unwrap();
        (files.into_iter().map(|(path, _)| path.to_string()).collect(), unmatched)
    }

    #[test]
    fn globs_choose_and_those_without_a_match_are_named() {
        let all = [".hidden/y", "bin/x", "etc/a.yaml", "etc/b.conf", "etc/deep/c.yaml"];
        assert_eq!(gathered(&[], "."), (all.map(str::to_owned).to_vec(), vec![]));
        assert_eq!(gathered(&["etc/*.yaml"], ".").0, ["etc/a.yaml"]);
        assert_eq!(gathered(&["**/*.yaml"], "x/y").0, ["x/y/etc/a.yaml", "x/y/etc/deep/c.yaml"]);
        assert_eq!(
            gathered(&["etc", "etc/a.yaml", "none"], "."),
            (all[2..].iter().map(|path| (*path).to_owned()).collect(), vec!["none".to_owned()])
        );
    }

    #[test]
    fn folders_on_the_way_keep_mode_and_time() {
        let layer = tree(&["etc/a.yaml"]);
        let folder = Dir::open(&layer.path().join("etc")).unwrap();
        folder.set_own_mode(0o750).unwrap();
        folder.set_own_time(FileTime::of_seconds(1_600_000_000)).unwrap();
        let context = tempfile::tempdir().unwrap();
        let dir = Dir::open(context.path()).unwrap();
        let globs = ["etc/a.yaml".to_owned()];
        gather(layer.path(), &globs, &ContextPath::root(), &dir, Sharing::Auto, FileTime::of_seconds(1)).unwrap();
        let meta = dir.meta("etc").unwrap();
        assert_eq!((meta.mode, meta.mtime), (0o750, FileTime::of_seconds(1_600_000_000)));
    }

    #[test]
    fn folders_that_are_taken_into_keep_their_time_and_new_ones_get_the_constant() {
        let layer = tree(&["a", "b/c"]);
        for globs in [vec![], vec!["b".to_owned()]] {
            let context = tree(&["old/x"]);
            let dir = Dir::open(context.path()).unwrap();
            dir.set_time("old", FileTime::of_seconds(7)).unwrap();
            let (to, time) = ("old/new/deep".parse().unwrap(), FileTime::of_seconds(1));
            gather(layer.path(), &globs, &to, &dir, Sharing::Auto, time).unwrap();
            let mtime = |path: &str| Dir::open(&context.path().join(path)).unwrap().own_meta().unwrap().mtime.seconds;
            assert_eq!((mtime("old"), mtime("old/new"), mtime("old/new/deep")), (7, 1, 1));
        }
    }
}
