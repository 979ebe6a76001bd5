//! HARDENING.md's table "Archives" for recipe archives: every attack plain and in every compression.

use proptest::prelude::*;

use super::forge::{COMPRESSED, compress, gzip, in_each};
use super::{ArchiveError, MemberKind, Spool};
use crate::tar::corpus::{attacks, deep, gnu_long};
use crate::tar::forge::{Forged, entry, file, folder, hard_link, pax, symlink, tar};
use crate::tar::{EntryPath, Limits};
use crate::types::golden::output;

fn fill(archive: &[u8], limits: &Limits) -> Result<Spool, ArchiveError> {
    Spool::fill(archive, tempfile::tempfile().unwrap(), limits)
}

fn with(entry: Forged, change: impl FnOnce(&mut Forged)) -> Forged {
    let mut entry = entry;
    change(&mut entry);
    entry
}

/// What each attack gives is the table of the corpus; that is the same in every compression and among good entries.
#[test]
fn attacks_are_the_same_in_every_compression_and_among_good_entries() {
    for (name, entries) in attacks("/outside") {
        let said = |entries: &[Forged]| {
            let mut said = in_each(&tar(entries)).into_iter().map(|archive| {
                let spool = fill(&archive, &Limits::RECIPE);
                spool.map(|spool| spool.members().to_vec()).map_err(|error| error.to_string())
            });
            let plain = said.next().unwrap();
            assert!(said.all(|said| said == plain), "{name}");
            plain
        };
        let around = [vec![file("zz", 0o644, b"first")], entries.clone(), vec![folder("zzz")]].concat();
        match (said(&entries), said(&around)) {
            (Ok(alone), Ok(among)) => assert_eq!(alone.len() + 2, among.len(), "{name}"),
            (Err(alone), Err(among)) => {
                // Neighbours change the places of what is wrong.
                let places = ["the archive is damaged: the header at byte ", "the archive ends too early, after "];
                let same = alone == among || places.iter().any(|place| among.starts_with(place));
                assert!(same, "{name}: {alone}; {among}");
            }
            // The neighbour is what was announced.
            (Err(_), Ok(_)) if name == "announced and missing" => {}
            (alone, among) => panic!("{name}: {alone:?}; {among:?}"),
        }
    }
}

#[test]
fn what_follows_or_lacks_an_end_is_refused() {
    let good = tar(&[file("a", 0o644, b"abc"), folder("d")]);
    let body = good.len() - 1024;
    let with = |tail: &[u8]| [&good[..], tail].concat();
    for (archive, why) in [
        (with(b"x"), "something follows its end, at byte 2560"),
        (with(&[&[0; 9000][..], b"x"].concat()), "something follows its end, at byte 11560"),
        (with(&good), "something follows its end"),
        ([&good[..body + 512], &good].concat(), "something follows its end"),
        (good[..body].to_vec(), "the archive ends too early"),
        (good[..body + 512].to_vec(), "the archive ends too early"),
        (good[..body + 700].to_vec(), "the archive ends too early"),
        (good[..514].to_vec(), "the archive ends too early"),
        (good[..300].to_vec(), "this is not an archive"),
        (Vec::new(), "this is not an archive"),
        (b"<html>not found</html>".repeat(100), "this is not an archive"),
    ] {
        for archive in in_each(&archive) {
            let error = fill(&archive, &Limits::RECIPE).err().unwrap_or_else(|| panic!("taken: {why}")).to_string();
            assert!(error.contains(why), "{error}, not {why}");
        }
    }
    let announced = fill(&tar(&[file("a", 0o644, b"abc"), pax(&[b"path=b"])]), &Limits::RECIPE).err().unwrap();
    assert!(announced.to_string().contains("its headers come in an odd order"));
    for padding in [1, 512, 8192] {
        assert_eq!(fill(&with(&vec![0; padding]), &Limits::RECIPE).unwrap().members().len(), 2);
    }
}

#[test]
fn compressed_streams_end_where_they_say() {
    let good = tar(&[file("a", 0o644, b"abc"), folder("d")]);
    for compression in COMPRESSED {
        let packed = compress(compression, &good);
        // Below that length it is not told from a plain file, which is no archive.
        for cut in 6..packed.len() {
            let error = fill(&packed[..cut], &Limits::RECIPE).err().unwrap().to_string();
            assert!(error.starts_with("the archive ends too early"), "{compression} cut at {cut}: {error}");
        }
        for garbage in [&b"x"[..], b"\0", b"BZ", b"\xfd", b"garbage that is long enough for any header", &good] {
            let garbage = [&packed[..], garbage].concat();
            assert!(fill(&garbage, &Limits::RECIPE).is_err(), "{compression}");
        }
        // One tar in two streams is one; two tars in two streams are a tar with something behind it.
        let (start, end) = good.split_at(700);
        let joined = [compress(compression, start), compress(compression, b""), compress(compression, end)].concat();
        assert_eq!(fill(&joined, &Limits::RECIPE).unwrap().members().len(), 2, "{compression}");
        let error = fill(&[&packed[..], &packed].concat(), &Limits::RECIPE).err().unwrap().to_string();
        assert!(error.contains("something follows its end"), "{compression}: {error}");
        for other in COMPRESSED.into_iter().filter(|other| *other != compression) {
            let mixed = [&packed[..], &compress(other, b"")].concat();
            assert!(fill(&mixed, &Limits::RECIPE).is_err(), "{other} behind {compression}");
        }
        // Nested, it is no tar.
        let nested = compress(compression, &packed);
        let error = fill(&nested, &Limits::RECIPE).err().unwrap().to_string();
        assert!(error.starts_with("this is not an archive"), "{compression}: {error}");
    }
}

#[test]
fn budgets_end_what_has_no_end() {
    let limits = Limits { bytes: 1 << 20, ratio: 200, free: 64 << 10, entries: 10, names: 500 };
    let many: Vec<Forged> = (0..11).map(|n| file(&format!("f{n}"), 0o644, b"")).collect();
    let described: Vec<Forged> =
        (0..6).flat_map(|n| [pax(&[b"comment=x"]), file(&format!("f{n}"), 0o644, b"")]).collect();
    let names: Vec<Forged> = (0..6).map(|n| file(&format!("{n}{}", "x".repeat(90)), 0o644, b"")).collect();
    let random: Vec<u8> = (0..300_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    for (entries, why) in [
        (many, "it has more than 10 entries"),
        (described, "it has more than 10 entries"),
        (names, "it has more than 500 bytes of names"),
        (vec![file("big", 0o644, &random)], "it has more than 1048576 decompressed bytes"),
    ] {
        for archive in in_each(&tar(&entries)) {
            let error = fill(&archive, &limits).err().unwrap().to_string();
            assert!(error.ends_with(why), "{error}, not {why}");
        }
    }
    let limits = Limits { ratio: 50, ..limits };
    for compression in COMPRESSED {
        let zeros = compress(compression, &tar(&[file("zeros", 0o644, &vec![0; 1 << 19])]));
        let error = fill(&zeros, &limits).err().unwrap().to_string();
        assert!(error.ends_with("more than 50 decompressed bytes for each compressed one"), "{compression}: {error}");
    }
}

#[test]
fn honest_archives_of_all_dialects_are_read() {
    let long = format!("{}/{}", "d".repeat(200), "n".repeat(200));
    let old = |e: Forged| with(e, |e| e.magic = [0; 8]);
    let entries = [
        folder("./"),
        with(pax(&[b"comment=0123"]), |e| e.kind = b'g'),
        folder("./docker/"),
        file("./docker/runc", 0o755, b"runc"),
        old(with(file("v7", 0o644, b"old"), |e| e.kind = 0)),
        old(with(file("v7-folder/", 0o755, b""), |e| e.kind = 0)),
        pax(&[format!("path={long}").as_bytes(), b"mtime=1600000000.123", b"uid=5000000"]),
        file("short", 0o644, b"pax"),
        gnu_long(b'K', format!("{long}-target\0").as_bytes()),
        gnu_long(b'L', format!("{long}-link\0").as_bytes()),
        symlink("short", "short"),
        with(file("name", 0o640, b"prefixed"), |e| e.prefix = b"pre/fix".into()),
        hard_link("hard", "./docker/runc"),
        hard_link("harder", "hard"),
        with(folder("shared"), |e| e.mode = 0o2775),
        entry(b'7', b"contiguous", b"", 0o600, b"c"),
        gnu_long(b'L', &deep(255)),
        file("x", 0o644, b"at the bottom"),
        with(file("base256", 0o644, b"abc"), |e| e.size_field = Some(*b"\x80\0\0\0\0\0\0\0\0\0\0\x03")),
    ];
    let spool = fill(&gzip(&tar(&entries)), &Limits::RECIPE).unwrap();
    let text = |path: &str| {
        use std::io::Read;
        let path = EntryPath::parse(path.as_bytes()).unwrap().unwrap();
        let member = spool.member(&path).unwrap_or_else(|| panic!("{path} is not there"));
        let mut content = String::new();
        spool.content(member).read_to_string(&mut content).unwrap();
        (content, member.mode, member.kind.clone())
    };
    assert_eq!(spool.members().len(), 13);
    for (path, content, mode) in [
        ("docker/runc", "runc", 0o755),
        ("v7", "old", 0o644),
        (long.as_str(), "pax", 0o644),
        ("pre/fix/name", "prefixed", 0o640),
        ("hard", "runc", 0o755),
        ("harder", "runc", 0o755),
        ("contiguous", "c", 0o600),
        ("base256", "abc", 0o644),
        (std::str::from_utf8(&deep(255)).unwrap(), "at the bottom", 0o644),
    ] {
        let (found, found_mode, _) = text(path);
        assert_eq!((found.as_str(), found_mode), (content, mode), "{path}");
    }
    assert_eq!(text("v7-folder").2, MemberKind::Folder);
    assert_eq!(text("shared").1, 0o2775);
    assert_eq!(text(&format!("{long}-link")).2, MemberKind::Symlink { target: format!("{long}-target").into_bytes() });
}

#[test]
fn what_gnu_tar_writes_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("{}/{}", "d".repeat(90), "n".repeat(90));
    fs_err::create_dir(folder.path().join("d".repeat(90))).unwrap();
    fs_err::write(folder.path().join(&long), "long").unwrap();
    fs_err::write(folder.path().join("überall"), "text").unwrap();
    fs_err::hard_link(folder.path().join("überall"), folder.path().join("zwei")).unwrap();
    for format in ["ustar", "pax", "gnu", "oldgnu", "v7"] {
        let mut tar = std::process::Command::new("tar");
        tar.args(["-c", "-z", "--format", format, "--exclude", if format == "v7" { "d*" } else { "-" }, "-C"])
            .arg(folder.path())
            .arg(".");
        let Some(output) = output(&mut tar) else { return };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let spool = fill(&output.stdout, &Limits::RECIPE).unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_eq!(spool.members().len(), if format == "v7" { 2 } else { 4 }, "{format}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    /// Whatever is done to an archive, reading ends: with members whose content is there, or with an error.
    #[test]
    fn damaged_archives_never_panic(changes in proptest::collection::vec((0usize..4000, any::<u8>()), 1..6), cut in 0usize..6000) {
        let mut archive = tar(&[
            folder("d"), pax(&[b"path=d/long", b"mtime=1.5"]), file("x", 0o755, b"abc"), gnu_long(b'L', b"d/other\0"),
            file("y", 0o644, &[7; 600]), hard_link("h", "d/long"), symlink("l", "h"),
        ]);
        for (at, byte) in changes {
            let length = archive.len();
            archive[at % length] = byte;
        }
        archive.truncate(cut.max(512));
        if let Ok(spool) = fill(&archive, &Limits::RECIPE) {
            for member in spool.members() {
                let mut content = Vec::new();
                std::io::Read::read_to_end(&mut spool.content(member), &mut content).unwrap();
                prop_assert_eq!(content.len() as u64, member.file_size().unwrap_or(0));
            }
        }
    }

    /// The same for what lies around it: no decoder panics, and none gives other bytes than were compressed.
    #[test]
    fn damaged_streams_never_panic(
        which in 0usize..4,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let compression = COMPRESSED[which];
        let content: Vec<u8> = (0..3000u32).flat_map(|n| (n / 5).wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let mut stream = [compress(compression, &content), compress(compression, &content)].concat();
        for (at, byte) in changes {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        stream.truncate(cut.index(stream.len()) + stream.len() / 2);
        let mut out = Vec::new();
        let Ok(mut reader) = super::Decompressed::new(&stream[..], &Limits::RECIPE) else { return Ok(()) };
        if std::io::Read::read_to_end(&mut reader, &mut out).is_ok() && reader.compression() == compression {
            prop_assert!(out == content || out == [&content[..], &content].concat());
        } else {
            // Who goes on reading gets an error or the end, and no panic.
            let _ = std::io::Read::read(&mut reader, &mut [0; 9]);
        }
    }
}
