//! HARDENING.md's table "Archives" for recipe archives: every attack plain and in every compression.

use proptest::prelude::*;

use super::forge::{COMPRESSED, Forged, compress, entry, file, folder, gzip, hard_link, in_each, pax, symlink, tar};
use super::{ArchiveError, Limits, MemberKind, Spool};
use crate::words::golden::output;

fn fill(archive: &[u8], limits: &Limits) -> Result<Spool, ArchiveError> {
    Spool::fill(archive, tempfile::tempfile().unwrap(), limits)
}

fn with(entry: Forged, change: impl FnOnce(&mut Forged)) -> Forged {
    let mut entry = entry;
    change(&mut entry);
    entry
}

fn size_field(field: &[u8; 12]) -> Forged {
    with(file("a", 0o644, b"abc"), |entry| entry.size_field = Some(*field))
}

fn gnu_long(kind: u8, name: &[u8]) -> Forged {
    with(entry(kind, b"././@LongLink", b"", 0o644, name), |entry| entry.magic = *b"ustar  \0")
}

fn deep(depth: usize) -> Vec<u8> {
    vec![b"d".as_slice(); depth].join(&b'/')
}

/// What each attack is called, its entries, and what the refusal says.
#[expect(clippy::too_many_lines, reason = "a table")]
fn attacks() -> Vec<(&'static str, Vec<Forged>, &'static str)> {
    let refused =
        |name: &str, why: &str| -> &'static str { format!("the archive's entry `{name}` is refused: {why}").leak() };
    let a = || file("a", 0o644, b"abc");
    let huge = "its size is no number that a file can have";
    let cut = "the archive ends too early";
    vec![
        ("parent", vec![file("../x", 0o644, b"")], refused("../x", "its name leads out of the archive by `..`")),
        ("parent inside", vec![file("a/../x", 0o644, b"")], refused("a/../x", "its name leads out")),
        ("parent at the end", vec![folder("a/..")], refused("a/..", "its name leads out")),
        ("parent after dot", vec![file("./../x", 0o644, b"")], refused("./../x", "its name leads out")),
        (
            "parent by prefix",
            vec![with(file("x", 0o644, b""), |e| e.prefix = b"..".into())],
            refused("../x", "its name"),
        ),
        ("absolute", vec![file("/etc/passwd", 0o644, b"")], refused("/etc/passwd", "its name is absolute")),
        ("absolute top", vec![folder("/")], refused("/", "its name is absolute")),
        (
            "absolute by prefix",
            vec![with(a(), |e| e.prefix = b"/etc".into())],
            refused("/etc/a", "its name is absolute"),
        ),
        ("absolute by PAX", vec![pax(&[b"path=/etc/x"]), a()], refused("/etc/x", "its name is absolute")),
        ("parent by PAX", vec![pax(&[b"path=../x"]), a()], refused("../x", "its name leads out")),
        ("parent by GNU", vec![gnu_long(b'L', b"../x\0"), a()], refused("../x", "its name leads out")),
        ("empty", vec![file("", 0o644, b"")], refused("", "its name is empty")),
        ("NUL", vec![file("a\0b", 0o644, b"")], "this is no archive"),
        ("NUL later", vec![a(), file("b\0c", 0o644, b"")], "the archive is damaged: the header at byte 1024 has a NUL"),
        ("NUL by PAX", vec![pax(&[b"path=a\0b"]), a()], "its PAX header is malformed: a name is empty or holds a NUL"),
        ("NUL by GNU", vec![gnu_long(b'L', b"a\0b\0"), a()], "its name holds a NUL"),
        (
            "top as file",
            vec![file("./", 0o644, b"abc")],
            refused("./", "it is a folder or a link, and yet has content"),
        ),
        ("top as link", vec![symlink(".", "/etc")], refused(".", "the archive's top is no folder in it")),
        ("top as hard link", vec![a(), hard_link("./", "a")], refused("./", "the archive's top is no folder in it")),
        ("character device", vec![entry(b'3', b"null", b"", 0o666, b"")], refused("null", "it is a device; only")),
        ("block device", vec![entry(b'4', b"sda", b"", 0o666, b"")], refused("sda", "it is a device; only")),
        ("FIFO", vec![entry(b'6', b"pipe", b"", 0o666, b"")], refused("pipe", "it is a FIFO; only")),
        ("socket", vec![entry(b's', b"sock", b"", 0o666, b"")], refused("sock", "it is a socket; only")),
        (
            "volume label",
            vec![entry(b'V', b"label", b"", 0o666, b"")],
            refused("label", "it is a part of a backup; only"),
        ),
        ("unknown type", vec![entry(b'Z', b"z", b"", 0o666, b"")], refused("z", "it is of the unknown type 'Z'")),
        ("setuid", vec![file("su", 0o4755, b"")], refused("su", "it has the bits 4000 of setuid")),
        ("setgid", vec![file("sg", 0o2755, b"")], refused("sg", "it has the bits 2000 of setuid")),
        ("setuid folder", vec![with(folder("d"), |e| e.mode = 0o4755)], refused("d", "it has the bits 4000 of setuid")),
        (
            "xattr",
            vec![pax(&[b"SCHILY.xattr.security.capability=x"]), a()],
            "it carries `SCHILY.xattr.security.capability`, which would be lost",
        ),
        ("libarchive xattr", vec![pax(&[b"LIBARCHIVE.xattr.user.x=eA"]), a()], "it carries `LIBARCHIVE.xattr.user.x`"),
        ("acl", vec![pax(&[b"SCHILY.acl.access=user::rwx"]), a()], "it carries `SCHILY.acl.access`"),
        ("twice", vec![a(), a()], refused("a", "it is in the archive twice")),
        ("twice by other words", vec![a(), file("./a", 0o644, b"")], refused("a", "it is in the archive twice")),
        ("folder twice", vec![folder("d"), folder("d/")], refused("d", "it is in the archive twice")),
        ("file over folder", vec![folder("d"), file("d", 0o644, b"")], refused("d", "it is in the archive twice")),
        ("folder over file", vec![a(), folder("a/")], refused("a", "it is in the archive twice")),
        ("below a file", vec![a(), file("a/b", 0o644, b"")], refused("a/b", "it lies below `a`, which is no folder")),
        (
            "file over implied folder",
            vec![file("a/b/c", 0o644, b""), a()],
            refused("a/b/c", "it lies below `a`, which"),
        ),
        (
            "below with a neighbour",
            vec![a(), file("a-b", 0o644, b""), file("a/c", 0o644, b"")],
            refused("a/c", "it lies below `a`, which is no folder"),
        ),
        (
            "through a symlink",
            vec![symlink("l", "/etc"), file("l/passwd", 0o644, b"")],
            refused("l/passwd", "it lies below `l`, which is no folder"),
        ),
        (
            "symlink after its content",
            vec![file("l/x/passwd", 0o644, b""), symlink("l", "/etc")],
            refused("l/x/passwd", "it lies below `l`, which is no folder"),
        ),
        (
            "folder metadata through a symlink",
            vec![symlink("l", "/etc"), folder("l/")],
            refused("l", "it is in the archive"),
        ),
        (
            "below a hard link",
            vec![a(), hard_link("h", "a"), file("h/x", 0o644, b"")],
            refused("h/x", "it lies below `h`"),
        ),
        (
            "hard link out",
            vec![hard_link("h", "../../etc/shadow")],
            refused("h", "it is a hard link to `../../etc/shadow`"),
        ),
        ("hard link absolute", vec![hard_link("h", "/etc/shadow")], refused("h", "it is a hard link to `/etc/shadow`")),
        ("hard link to nothing", vec![hard_link("h", "b")], refused("h", "it is a hard link to `b`, which is no file")),
        (
            "hard link forward",
            vec![hard_link("h", "a"), a()],
            refused("h", "it is a hard link to `a`, which is no file"),
        ),
        ("hard link to itself", vec![hard_link("h", "h")], refused("h", "it is a hard link to `h`, which is no file")),
        (
            "hard link to a symlink",
            vec![symlink("l", "/etc/shadow"), hard_link("h", "l")],
            refused("h", "it is a hard link to `l`, which is no file"),
        ),
        ("hard link to a folder", vec![folder("d"), hard_link("h", "d")], refused("h", "it is a hard link to `d`")),
        ("hard link without target", vec![hard_link("h", "")], refused("h", "its link has no target")),
        ("symlink without target", vec![symlink("l", "")], refused("l", "its link has no target")),
        (
            "symlink with a long target",
            vec![gnu_long(b'K', &[b't'; 4097]), symlink("l", "t")],
            refused("l", "its link's target is longer"),
        ),
        (
            "link with content",
            vec![with(symlink("l", "a"), |e| e.content = b"abc".into())],
            refused("l", "it is a folder or a link, and yet has content"),
        ),
        (
            "folder with content",
            vec![with(folder("d"), |e| e.content = b"abc".into())],
            refused("d", "it is a folder or"),
        ),
        ("bad checksum", vec![with(a(), |e| e.sum_off_by = 1)], "this is no archive"),
        (
            "bad checksum later",
            vec![a(), with(file("b", 0o644, b""), |e| e.sum_off_by = 1)],
            "the archive is damaged: the header at byte 1024 has a wrong checksum",
        ),
        ("unknown magic", vec![a(), with(a(), |e| e.magic = *b"ustarXYZ")], "has an unknown magic"),
        ("sizes disagree", vec![pax(&[b"size=4"]), a()], refused("a", "its headers disagree on its size: 3 and 4")),
        (
            "size smuggled by PAX",
            vec![pax(&[b"size=512"]), with(a(), |e| e.size_field = Some(*b"00000000000\0"))],
            refused("a", "its headers disagree on its size: 0 and 512"),
        ),
        (
            "content hidden by PAX",
            vec![pax(&[b"size=0"]), a()],
            refused("a", "its headers disagree on its size: 3 and 0"),
        ),
        ("negative size", vec![size_field(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfd")], huge),
        ("negative size in text", vec![size_field(b"-0000000003\0")], huge),
        ("huge size", vec![size_field(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff")], huge),
        ("size over 64 bits", vec![size_field(b"\x80\x01\0\0\0\0\0\0\0\0\0\0")], huge),
        ("size of no number", vec![size_field(b"0000000000z\0")], huge),
        ("size over the archive", vec![size_field(b"77777777777\0")], cut),
        ("PAX size over 64 bits", vec![pax(&[b"size=18446744073709551616"]), a()], huge),
        (
            "huge PAX size",
            vec![pax(&[b"size=18446744073709551615"]), with(a(), |e| e.size_field = Some(*b"00000000000\0"))],
            huge,
        ),
        ("huge PAX header", vec![with(pax(&[b"comment=x"]), |e| e.size_field = Some(*b"00010000000\0")), a()], huge),
        (
            "malformed PAX",
            vec![entry(b'x', b"p", b"", 0o644, b"99 path=x\n"), a()],
            refused("p", "its PAX header is malformed: a record does not end where its length says"),
        ),
        ("PAX twice", vec![pax(&[b"path=b"]), pax(&[b"path=c"]), a()], "its headers come in an odd order"),
        ("PAX key twice", vec![pax(&[b"path=b", b"path=c"]), a()], "a key stands there twice"),
        ("PAX and GNU", vec![pax(&[b"path=b"]), gnu_long(b'L', b"c\0"), a()], "its headers come in an odd order"),
        ("GNU and PAX", vec![gnu_long(b'L', b"c\0"), pax(&[b"path=b"]), a()], "its headers come in an odd order"),
        ("GNU twice", vec![gnu_long(b'L', b"b\0"), gnu_long(b'L', b"c\0"), a()], "its headers come in an odd order"),
        (
            "global path",
            vec![with(pax(&[b"path=/etc/x"]), |e| e.kind = b'g'), a()],
            "it gives all entries a name or a size",
        ),
        ("global size", vec![with(pax(&[b"size=0"]), |e| e.kind = b'g'), a()], "it gives all entries a name or a size"),
        ("sparse by GNU", vec![entry(b'S', b"s", b"", 0o644, b"")], refused("s", "it is a sparse file")),
        ("sparse by PAX", vec![pax(&[b"GNU.sparse.major=1", b"GNU.sparse.name=x"]), a()], "it is a sparse file"),
        (
            "long component",
            vec![pax(&[&[b"path=".as_slice(), &[b'x'; 256]].concat()]), a()],
            "is longer than 255 bytes",
        ),
        (
            "long path",
            vec![gnu_long(b'L', &vec![vec![b'x'; 200]; 21].join(&b'/')), a()],
            "its name is longer than 4096 bytes",
        ),
        ("deep", vec![gnu_long(b'L', &deep(256)), a()], "it lies more than 255 folders deep"),
    ]
}

#[test]
fn attacks_are_refused_by_name_in_every_compression() {
    let attacks = attacks();
    assert!(attacks.len() >= 80);
    for (name, entries, why) in attacks {
        // Good entries around it change nothing, and the order of what is found is the archive's.
        for entries in [entries.clone(), [vec![file("zz", 0o644, b"first")], entries, vec![folder("zzz")]].concat()] {
            let plain = tar(&entries);
            for archive in in_each(&plain) {
                let first = entries[0].name == b"zz";
                match fill(&archive, &Limits::RECIPE) {
                    Ok(_) => panic!("{name} is taken"),
                    Err(error) if first && why == "this is no archive" => {
                        assert!(
                            error.to_string().starts_with("the archive is damaged: the header at byte 1024 has"),
                            "{name}: {error}"
                        );
                    }
                    Err(error) if first && why.contains("at byte") => {
                        assert!(error.to_string().starts_with("the archive is damaged"), "{name}: {error}");
                    }
                    Err(error) => assert!(error.to_string().contains(why), "{name}: {error}"),
                }
            }
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
        (good[..300].to_vec(), "this is no archive"),
        (Vec::new(), "this is no archive"),
        (b"<html>not found</html>".repeat(100), "this is no archive"),
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
        assert!(error.starts_with("this is no archive"), "{compression}: {error}");
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
        let path = super::EntryPath::parse(path.as_bytes()).unwrap().unwrap();
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
