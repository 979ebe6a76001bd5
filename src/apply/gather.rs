//! Copies files of a tree into the context folder.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use globset::GlobMatcher;

use crate::disk::{CopyRules, Dir, DiskError, FileTime, Kind, Meta, Owner, Sharing, Way, merge_entry};
use crate::rootfs::Folder;
use crate::types::{ContextPath, glob};

/// Copies what `globs` match in `tree` to the folder `to` of `context`; without globs, it copies everything.
///
/// A glob that matches a folder takes everything in it. Folders on the way have the mode and time that they have in the
/// tree. Returns the numbers of the globs that matched nothing.
pub(super) fn gather(
    tree: &Folder<'_>,
    globs: &[String],
    to: &ContextPath,
    context: &Dir,
    sharing: Sharing,
    time: FileTime,
) -> Result<Vec<usize>, DiskError> {
    let rules = CopyRules { sharing, owner: Owner::Kept };
    let target = Way::open(context, to, time)?;
    if globs.is_empty() {
        for (name, _) in tree.entries() {
            copy(tree, name, target.folder(), rules)?;
        }
        target.finish()?;
        return Ok(Vec::new());
    }
    // They were checked when the recipe was resolved; a wrong one would match nothing.
    let matcher = |text: &String| Some(glob(text).ok()?.compile_matcher());
    let globs: Vec<Option<GlobMatcher>> = globs.iter().map(matcher).collect();
    let mut search = Search { globs: &globs, matched: BTreeSet::new(), found: Vec::new() };
    search.folder(tree, &mut Vec::new(), false)?;
    for path in &search.found {
        take(tree, path, target.folder(), rules)?;
    }
    target.finish()?;
    Ok((0..globs.len()).filter(|index| !search.matched.contains(index)).collect())
}

/// Looks for the topmost paths that any glob matches.
struct Search<'a> {
    globs: &'a [Option<GlobMatcher>],
    matched: BTreeSet<usize>,
    found: Vec<Vec<OsString>>,
}

impl Search<'_> {
    /// `inside` means that a folder above was found already, with everything in it; globs are still marked as matched.
    fn folder(&mut self, folder: &Folder<'_>, path: &mut Vec<OsString>, inside: bool) -> Result<(), DiskError> {
        for (name, entry) in folder.entries() {
            path.push(name.to_owned());
            let whole: PathBuf = path.iter().collect();
            let mut matches = false;
            for (index, glob) in self.globs.iter().enumerate() {
                if glob.as_ref().is_some_and(|glob| glob.is_match(&whole)) {
                    self.matched.insert(index);
                    matches = true;
                }
            }
            if matches && !inside {
                self.found.push(path.clone());
            }
            if entry.is_folder() {
                self.folder(&folder.folder(name)?, path, inside || matches)?;
            }
            path.pop();
        }
        Ok(())
    }
}

/// Copies one path with the folders above it. Their times are set again after their entries are made.
fn take(from: &Folder<'_>, path: &[OsString], to: &Dir, rules: CopyRules) -> Result<(), DiskError> {
    let Some((name, below)) = path.split_first() else { return Ok(()) };
    if below.is_empty() {
        return copy(from, name, to, rules);
    }
    let source = from.folder(name)?;
    let folder = folder_in(to, name)?;
    take(&source, below, &folder, rules)?;
    finish_folder(&folder, &source.meta()?)
}

/// Copies an entry, with everything in it, into `to`, over what may be there.
fn copy(from: &Folder<'_>, name: &OsStr, to: &Dir, rules: CopyRules) -> Result<(), DiskError> {
    let (entry, folder) = from.entry(name)?;
    if from.is_raw() || !entry.is_folder() {
        return merge_entry(&folder, name, to, name, rules);
    }
    let (source, target) = (from.folder(name)?, folder_in(to, name)?);
    for (name, _) in source.entries() {
        copy(&source, name, &target, rules)?;
    }
    finish_folder(&target, &source.meta()?)
}

/// The folder with this name; anything else with this name is removed.
fn folder_in(to: &Dir, name: &OsStr) -> Result<Dir, DiskError> {
    if to.meta_if_there(name)?.is_some_and(|there| there.kind != Kind::Folder) {
        to.remove_all(name)?;
    }
    to.folder_or_make(name, 0o700)
}

/// Gives a folder the owner, mode and time of another one, after its entries are made.
fn finish_folder(folder: &Dir, meta: &Meta) -> Result<(), DiskError> {
    if crate::disk::is_root() {
        folder.set_own_owner(meta.uid, meta.gid)?;
    }
    folder.set_own_mode(meta.mode)?;
    folder.set_own_time(meta.mtime)
}

#[cfg(test)]
mod overlay_tests;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::rootfs::Overlay;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, file).unwrap();
        }
        folder
    }

    fn gathered(globs: &[&str], to: &str) -> (Vec<String>, Vec<usize>) {
        let layer = tree(&["etc/a.yaml", "etc/b.conf", "etc/deep/c.yaml", "bin/x", ".hidden/y"]);
        let context = tempfile::tempdir().unwrap();
        let globs: Vec<String> = globs.iter().map(|glob| (*glob).to_owned()).collect();
        let dir = Dir::open(context.path()).unwrap();
        let time = FileTime::of_seconds(1);
        let layer = Overlay::raw(layer.path().to_owned());
        let unmatched = gather(&layer.top().unwrap(), &globs, &to.parse().unwrap(), &dir, Sharing::Auto, time).unwrap();
        let overlay = Overlay::new(vec![context.path().to_owned()]);
        let files = overlay.files(&ContextPath::root()).unwrap();
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
            (all[2..].iter().map(|path| (*path).to_owned()).collect(), vec![2])
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
        let layer = Overlay::raw(layer.path().to_owned());
        gather(&layer.top().unwrap(), &globs, &ContextPath::root(), &dir, Sharing::Auto, FileTime::of_seconds(1))
            .unwrap();
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
            let layer = Overlay::raw(layer.path().to_owned());
            gather(&layer.top().unwrap(), &globs, &to, &dir, Sharing::Auto, time).unwrap();
            let mtime = |path: &str| Dir::open(&context.path().join(path)).unwrap().own_meta().unwrap().mtime.seconds;
            assert_eq!((mtime("old"), mtime("old/new"), mtime("old/new/deep")), (7, 1, 1));
        }
    }
}
