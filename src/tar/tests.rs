//! HARDENING.md's table "Archives": every attack of the corpus against every user of the reader.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Seek, Write as _};
use std::path::Path;

use super::corpus::{attacks, deep, gnu_long};
use super::forge::{Forged, file, folder, tar};
use super::{Entries, Limits, Policy, TarError};
use crate::archive::{Decompressed, PackedForm, ReplaceOptions, Spool, replace};
use crate::disk::{Dir, Kind};
use crate::image::DockerArchive;
use crate::image::layer::unpack;
use crate::image::model::{Image, ImageConfig, ImageDocument, Layer, LayerKind};
use crate::store::Store;
use crate::types::{Digest, Epoch};

/// The whole chain of an error.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        // Transparent errors say the same twice.
        if !text.ends_with(&error.to_string()) {
            text = format!("{text}: {error}");
        }
        source = error.source();
    }
    text
}

fn scratch(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

/// All that lies below a folder: kinds, names, sizes and targets.
fn tree(folder: &Path) -> Vec<String> {
    fn walk(dir: &Dir, above: &str, found: &mut Vec<String>) {
        for name in dir.names().unwrap() {
            let (meta, path) = (dir.meta(&name).unwrap(), format!("{above}{}", name.display()));
            found.push(match meta.kind {
                Kind::Folder => format!("{path}/"),
                Kind::Symlink => format!("{path} -> {}", String::from_utf8_lossy(&dir.read_link(&name).unwrap())),
                Kind::File => format!("{path} {}", meta.size),
                Kind::Whiteout => format!("{path} removed"),
                Kind::Special(what) => panic!("a {what}"),
            });
            if meta.kind == Kind::Folder {
                walk(&dir.folder(&name).unwrap(), &format!("{path}/"), found);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Dir::open(folder).unwrap(), "", &mut found);
    found
}

/// A folder with what no attack may change: a folder `outside`, and whatever the users have beside it.
struct World(tempfile::TempDir);

impl World {
    fn new() -> Self {
        let world = Self(tempfile::Builder::new().prefix("w").rand_bytes(6).tempdir().unwrap());
        fs_err::create_dir(world.0.path().join("outside")).unwrap();
        fs_err::write(world.0.path().join("outside/secret"), "secret").unwrap();
        world
    }

    fn outside(&self) -> String {
        self.0.path().join("outside").display().to_string()
    }

    fn is_unharmed(&self) -> bool {
        let outside = self.0.path().join("outside");
        tree(&outside) == ["secret 6"] && fs_err::read(outside.join("secret")).unwrap() == b"secret"
    }

    /// What becomes of a layer at a pull: the tree, or why not.
    fn pull(&self, stream: &[u8]) -> Result<Vec<String>, String> {
        let top = Dir::open(self.0.path()).unwrap();
        let to = top.make_folder("layer", 0o700).unwrap();
        let stream = Decompressed::new(stream, &Limits::LAYER).map_err(|error| chain(&error))?;
        let unpacked = unpack(stream, &to, &Limits::LAYER).map_err(|error| chain(&error));
        let unpacked = unpacked.map(|_| tree(to.path()));
        top.remove_all("layer").unwrap();
        assert_eq!(tree(self.0.path()), ["outside/", "outside/secret 6"]);
        unpacked
    }

    /// What becomes of an archive of one layer at a load. A failure leaves nothing in the store but its empty frame.
    fn load(&self, layer: Digest, entries: &[Forged]) -> Result<Vec<String>, String> {
        let layers = vec![Layer { id: Some(layer), kind: LayerKind::Copy, value: ". .".to_owned() }];
        let (name, platform) = ("a:1".parse().unwrap(), "linux/amd64".parse().unwrap());
        let image = ImageDocument::new(Image::new(&name, platform, layers, ImageConfig::default(), [].into()));
        let yaml = format!("{}.yaml", image.id());
        let documents = vec![file("Metadata", 0o644, b"{}"), file(&yaml, 0o644, image.yaml())];
        let root = self.0.path().join("root");
        let archive = tar(&[documents, entries.to_vec()].concat());
        let store = Store::open(&root);
        let loaded = store.load(&archive[..], &Limits::SAVED, jiff::Timestamp::UNIX_EPOCH);
        let loaded = loaded.map(|_| tree(&store.layer_dir(&layer))).map_err(|error| chain(&error));
        if loaded.is_err() && root.exists() {
            let left: Vec<String> = tree(&root).into_iter().filter(|path| !path.ends_with('/')).collect();
            assert!(left.iter().all(|path| path.ends_with("lock 0")), "{left:?}");
        }
        if root.exists() {
            fs_err::remove_dir_all(root).unwrap();
        }
        loaded
    }
}

/// What those say who take an archive's files: `replaceArchive` for both sides, the readers of docker archives, and who
/// only looks whether it is one. They say the same.
fn as_files(archive: &[u8]) -> Result<Vec<String>, String> {
    let filled = Spool::fill(archive, scratch(b""), &Limits::RECIPE);
    let said = filled.map(|spool| spool.members().iter().map(|member| member.path.to_string()).collect());
    let said = said.map_err(|error| chain(&error));
    let good = tar(&[file("good", 0o644, b"")]);
    let (allow, platform) = (globset::GlobSet::empty(), "linux/amd64".parse().unwrap());
    let options = ReplaceOptions {
        root: None,
        allow_missing: &allow,
        platform: &platform,
        epoch: Epoch::DEFAULT,
        form: PackedForm::Tar,
        threads: std::num::NonZeroUsize::MIN,
        limits: Limits::RECIPE,
    };
    let replaced = |old: &[u8], new: &[u8]| {
        let mut out = Vec::new();
        let replaced = replace(old, new, [scratch(b""), scratch(b"")], &options, &mut out);
        assert!(replaced.is_ok() || out.is_empty());
        replaced.map_err(|error| chain(&error))
    };
    let (old, new) = (replaced(archive, &good), replaced(&good, archive));
    let docker = [
        DockerArchive::open(scratch(archive)).map(|_| ()).unwrap_err(),
        DockerArchive::tags(scratch(archive)).unwrap_err(),
    ];
    match &said {
        Err(why) => {
            assert_eq!(old, Err(format!("cannot read the archive to replace: {why}")));
            assert_eq!(new, Err(format!("cannot use the new archive: {why}")));
            for error in docker {
                assert_eq!(chain(&error), format!("the docker archive is refused: {why}"));
            }
        }
        // Then it is the contract that it does not fulfil, or the form of a docker archive.
        Ok(_) => assert!(docker.iter().all(|error| chain(error) == "the docker archive has no `manifest.json`")),
    }
    said
}

/// The entry in a folder, in a form in which its name has room.
fn below(entry: &Forged, folder: &str) -> Forged {
    let mut entry = entry.clone();
    let is_absolute = |name: &[u8]| name.is_empty() || name.starts_with(b"/");
    let name = if entry.prefix.is_empty() { &entry.name } else { &entry.prefix };
    if !matches!(entry.kind, b'x' | b'g' | b'L' | b'K') && !is_absolute(name) {
        let slash = if entry.prefix.is_empty() { "" } else { "/" };
        entry.prefix = [folder.as_bytes(), slash.as_bytes(), &entry.prefix].concat();
        if entry.kind == b'1' && !is_absolute(&entry.link) {
            entry.link = [folder.as_bytes(), b"/", &entry.link].concat();
        }
    }
    entry
}

#[test]
fn what_each_user_says_of_each_attack() {
    let world = World::new();
    let outside = world.outside();
    let layer = Digest::of(b"layer");
    let mut said = String::new();
    let attacks = attacks(&outside);
    assert!(attacks.len() >= 120, "{}", attacks.len());
    let show = |verdict: &Result<Vec<String>, String>| match verdict {
        Ok(found) if found.len() > 8 => format!("taken: {} paths", found.len()),
        Ok(found) => format!("taken: {}", found.join(", ")),
        Err(why) => why.clone(),
    };
    for (name, entries) in attacks {
        let archive = tar(&entries);
        let (files, pulled) = (as_files(&archive), world.pull(&archive));
        let entries: Vec<Forged> = entries.iter().map(|entry| below(entry, &layer.hex())).collect();
        let loaded = world.load(layer, &entries);
        assert!(world.is_unharmed(), "{name}");
        writeln!(
            said,
            "{name}\n  archive: {}\n  layer:   {}\n  load:    {}",
            show(&files),
            show(&pulled),
            show(&loaded)
        )
        .unwrap();
    }
    insta::assert_snapshot!(said.replace(&outside, "[OUTSIDE]").replace(&layer.hex(), "[LAYER]"));
}

/// Reads to the end, and says what ended it.
fn read(archive: &[u8], limits: &Limits) -> Result<usize, TarError> {
    let mut entries = Entries::new(archive, Policy::Layer, limits);
    let mut count = 0;
    while entries.next_entry()?.is_some() {
        count += 1;
    }
    Ok(count)
}

#[test]
fn folders_that_are_only_implied_count_like_entries() {
    // One folder's entry says nothing that it does not imply: 250 folders, 249 of them implied, and a file.
    let one = [gnu_long(b'L', &deep(250)), folder("d"), gnu_long(b'L', &[&deep(250)[..], b"/f"].concat())];
    let one = tar(&[one.to_vec(), vec![file("f", 0o644, b"")]].concat());
    for (entries, fits) in [(253, true), (252, false)] {
        let read = read(&one, &Limits { entries, ..Limits::RECIPE });
        assert_eq!(read.is_ok(), fits, "{read:?}");
    }
    let many = |count: usize| -> Vec<u8> {
        let name = |at: usize| [format!("{at:05}").as_bytes(), b"/", &deep(249), b"/f\0"].concat();
        let entries = (0..count).flat_map(|at| [gnu_long(b'L', &name(at)), file("f", 0o644, b"")]);
        tar(&entries.collect::<Vec<_>>())
    };
    let refused = |error: TarError| matches!(error, TarError::Budget { what: "entries", limit: 100_000 });
    assert!(read(&many(410), &Limits { entries: 100_000, ..Limits::RECIPE }).is_err_and(refused));
    assert!(matches!(read(&many(20_000), &Limits::RECIPE), Err(TarError::Budget { .. })));
    // Names count as well.
    let names = Limits { names: 100_000, ..Limits::RECIPE };
    let error = read(&many(10), &names).unwrap_err().to_string();
    assert_eq!(error, "the archive is refused: it has more than 100000 bytes of names");
}

/// The processor's time that this thread had for itself, in hundredths of a second: other work does not change it.
fn ticks() -> u64 {
    let stat = fs_err::read_to_string("/proc/thread-self/stat").unwrap();
    stat.rsplit_once(") ").unwrap().1.split(' ').nth(11).unwrap().parse().unwrap()
}

#[test]
fn many_empty_files_cost_no_more_each_than_few() {
    let archive = |count: usize| tar(&(0..count).map(|at| file(&format!("d/{at}"), 0o644, b"")).collect::<Vec<_>>());
    let took = |count: usize| {
        let archive = archive(count);
        let before = ticks();
        assert_eq!(read(&archive, &Limits::LAYER).unwrap(), count);
        ticks() - before
    };
    let (few, many) = (took(30_000), took(300_000));
    assert!(many < 30 * few.max(5), "{few} and {many} ticks");
}
