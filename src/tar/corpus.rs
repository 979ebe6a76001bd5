//! Hostile tars, and a few that only look so: what each is called, and its entries.

use super::forge::{Forged, entry, file, folder, hard_link, pax, symlink};

fn with(entry: Forged, change: impl FnOnce(&mut Forged)) -> Forged {
    let mut entry = entry;
    change(&mut entry);
    entry
}

fn size_field(field: &[u8; 12]) -> Forged {
    with(file("a", 0o644, b"abc"), |entry| entry.size_field = Some(*field))
}

pub(crate) fn gnu_long(kind: u8, name: &[u8]) -> Forged {
    with(entry(kind, b"././@LongLink", b"", 0o644, name), |entry| entry.magic = *b"ustar  \0")
}

pub(crate) fn deep(depth: usize) -> Vec<u8> {
    vec![b"d".as_slice(); depth].join(&b'/')
}

fn long_path(length: usize) -> Vec<u8> {
    (1..=length).map(|at| if at % 200 == 0 && at < length { b'/' } else { b'x' }).collect()
}

/// The attacks; `outside` is an absolute path that nobody may write to, with a file `secret` in it.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn attacks(outside: &str) -> Vec<(&'static str, Vec<Forged>)> {
    let a = || file("a", 0o644, b"abc");
    let secret = format!("{outside}/secret");
    vec![
        ("parent", vec![file("../x", 0o644, b"")]),
        ("parent inside", vec![file("a/../x", 0o644, b"")]),
        ("parent at the end", vec![folder("a/..")]),
        ("parent after dot", vec![file("./../x", 0o644, b"")]),
        ("parent by prefix", vec![with(file("x", 0o644, b""), |e| e.prefix = b"..".into())]),
        ("absolute", vec![file(&format!("{outside}/x"), 0o644, b"")]),
        ("absolute top", vec![folder("/")]),
        ("absolute by prefix", vec![with(a(), |e| e.prefix = outside.into())]),
        ("absolute by PAX", vec![pax(&[format!("path={outside}/x").as_bytes()]), a()]),
        ("parent by PAX", vec![pax(&[b"path=../x"]), a()]),
        ("parent by GNU", vec![gnu_long(b'L', b"../x\0"), a()]),
        ("empty", vec![file("", 0o644, b"")]),
        ("NUL", vec![file("a\0b", 0o644, b"")]),
        ("NUL later", vec![a(), file("b\0c", 0o644, b"")]),
        ("NUL by PAX", vec![pax(&[b"path=a\0b"]), a()]),
        ("NUL by GNU", vec![gnu_long(b'L', b"a\0b\0"), a()]),
        ("top as file", vec![file("./", 0o644, b"abc")]),
        ("top as link", vec![symlink(".", outside)]),
        ("top as hard link", vec![a(), hard_link("./", "a")]),
        ("character device", vec![entry(b'3', b"null", b"", 0o666, b"")]),
        ("block device", vec![entry(b'4', b"sda", b"", 0o666, b"")]),
        ("FIFO", vec![entry(b'6', b"pipe", b"", 0o666, b"")]),
        ("socket", vec![entry(b's', b"sock", b"", 0o666, b"")]),
        ("volume label", vec![entry(b'V', b"label", b"", 0o666, b"")]),
        ("unknown type", vec![entry(b'Z', b"z", b"", 0o666, b"")]),
        ("setuid", vec![file("su", 0o4755, b"")]),
        ("setgid", vec![file("sg", 0o2755, b"")]),
        ("setuid folder", vec![with(folder("d"), |e| e.mode = 0o4755)]),
        ("xattr", vec![pax(&[b"SCHILY.xattr.user.x=y"]), a()]),
        ("libarchive xattr", vec![pax(&[b"LIBARCHIVE.xattr.user.x=eA"]), a()]),
        ("acl", vec![pax(&[b"SCHILY.acl.access=user::rwx"]), a()]),
        ("twice", vec![a(), a()]),
        ("twice by other words", vec![a(), file("./a", 0o644, b"")]),
        ("folder twice", vec![folder("d"), folder("d/")]),
        ("file over folder", vec![folder("d"), file("d", 0o644, b"")]),
        ("folder over file", vec![a(), folder("a/")]),
        ("below a file", vec![a(), file("a/b", 0o644, b"")]),
        ("file over implied folder", vec![file("a/b/c", 0o644, b""), a()]),
        ("below with a neighbour", vec![a(), file("a-b", 0o644, b""), file("a/c", 0o644, b"")]),
        ("through a symlink", vec![symlink("l", outside), file("l/x", 0o644, b"")]),
        ("symlink after its content", vec![file("l/x/y", 0o644, b""), symlink("l", outside)]),
        ("folder metadata through a symlink", vec![symlink("l", outside), folder("l/")]),
        ("below a hard link", vec![a(), hard_link("h", "a"), file("h/x", 0o644, b"")]),
        ("hard link out", vec![hard_link("h", "../outside/secret")]),
        ("hard link absolute", vec![hard_link("h", &secret)]),
        ("hard link to nothing", vec![hard_link("h", "b")]),
        ("hard link forward", vec![hard_link("h", "a"), a()]),
        ("hard link to itself", vec![hard_link("h", "h")]),
        ("hard link to a symlink", vec![symlink("l", &secret), hard_link("h", "l")]),
        ("hard link to a folder", vec![folder("d"), hard_link("h", "d")]),
        ("hard link without target", vec![hard_link("h", "")]),
        ("symlink without target", vec![symlink("l", "")]),
        ("symlink with a long target", vec![gnu_long(b'K', &[b't'; 4097]), symlink("l", "t")]),
        ("link with content", vec![with(symlink("l", "a"), |e| e.content = b"abc".into())]),
        ("folder with content", vec![with(folder("d"), |e| e.content = b"abc".into())]),
        ("bad checksum", vec![with(a(), |e| e.sum_off_by = 1)]),
        ("bad checksum later", vec![a(), with(file("b", 0o644, b""), |e| e.sum_off_by = 1)]),
        ("unknown magic", vec![a(), with(a(), |e| e.magic = *b"ustarXYZ")]),
        ("sizes disagree", vec![pax(&[b"size=4"]), a()]),
        ("size smuggled by PAX", vec![pax(&[b"size=512"]), with(a(), |e| e.size_field = Some(*b"00000000000\0"))]),
        ("content hidden by PAX", vec![pax(&[b"size=0"]), a()]),
        ("negative size", vec![size_field(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfd")]),
        ("negative size in text", vec![size_field(b"-0000000003\0")]),
        ("huge size", vec![size_field(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff")]),
        ("size over 64 bits", vec![size_field(b"\x80\x01\0\0\0\0\0\0\0\0\0\0")]),
        ("size of no number", vec![size_field(b"0000000000z\0")]),
        ("size over the archive", vec![size_field(b"77777777777\0")]),
        ("PAX size over 64 bits", vec![pax(&[b"size=18446744073709551616"]), a()]),
        (
            "huge PAX size",
            vec![pax(&[b"size=18446744073709551615"]), with(a(), |e| e.size_field = Some(*b"00000000000\0"))],
        ),
        ("huge PAX header", vec![with(pax(&[b"comment=x"]), |e| e.size_field = Some(*b"00010000000\0")), a()]),
        ("malformed PAX", vec![entry(b'x', b"p", b"", 0o644, b"99 path=x\n"), a()]),
        ("PAX twice", vec![pax(&[b"path=b"]), pax(&[b"path=c"]), a()]),
        ("PAX key twice", vec![pax(&[b"path=b", b"path=c"]), a()]),
        ("PAX and GNU", vec![pax(&[b"path=b"]), gnu_long(b'L', b"c\0"), a()]),
        ("GNU and PAX", vec![gnu_long(b'L', b"c\0"), pax(&[b"path=b"]), a()]),
        ("GNU twice", vec![gnu_long(b'L', b"b\0"), gnu_long(b'L', b"c\0"), a()]),
        ("global path", vec![with(pax(&[format!("path={outside}/x").as_bytes()]), |e| e.kind = b'g'), a()]),
        ("global size", vec![with(pax(&[b"size=0"]), |e| e.kind = b'g'), a()]),
        ("sparse by GNU", vec![entry(b'S', b"s", b"", 0o644, b"")]),
        ("sparse by PAX", vec![pax(&[b"GNU.sparse.major=1", b"GNU.sparse.name=x"]), a()]),
        ("long component", vec![pax(&[&[b"path=".as_slice(), &[b'x'; 256]].concat()]), a()]),
        ("long path", vec![gnu_long(b'L', &vec![vec![b'x'; 200]; 21].join(&b'/')), a()]),
        ("deep", vec![gnu_long(b'L', &deep(257)), a()]),
        ("deep folder", vec![gnu_long(b'L', &deep(256)), folder("d")]),
        ("parent by symlink and dots", vec![folder("d"), symlink("d/l", ".."), file("d/l/../../x", 0o644, b"")]),
        ("through a symlink in a folder", vec![folder("d"), symlink("d/l", outside), file("d/l/x", 0o644, b"")]),
        ("folder replaced by a symlink", vec![file("d/x", 0o644, b""), symlink("d", outside), file("d/y", 0o644, b"")]),
        ("symlink replaced by a folder", vec![symlink("d", outside), folder("d"), file("d/y", 0o644, b"")]),
        ("hard link through a symlink", vec![symlink("l", outside), hard_link("h", "l/secret")]),
        ("file over a hard link", vec![a(), hard_link("h", "a"), file("h", 0o600, b"other")]),
        ("whiteout as a parent", vec![file(".wh.foo/x", 0o644, b"")]),
        ("whiteout as a folder's parent", vec![folder(".wh.foo/d")]),
        ("whiteout as a folder", vec![folder(".wh.foo")]),
        ("whiteout as a link", vec![symlink(".wh.foo", "x")]),
        ("whiteout with content", vec![file(".wh.foo", 0o644, b"abc")]),
        ("whiteout of nothing", vec![file(".wh.", 0o644, b"")]),
        ("whiteout of the folder", vec![file(".wh..", 0o644, b"")]),
        ("whiteout of the parent", vec![file(".wh...", 0o644, b"")]),
        ("whiteout of a whiteout", vec![file(".wh..wh.foo", 0o644, b"")]),
        ("whiteout of what is there", vec![a(), file(".wh.a", 0o644, b"")]),
        ("whiteout before what is there", vec![file(".wh.a", 0o644, b""), a()]),
        ("whiteout through a symlink", vec![symlink("l", outside), file("l/.wh.secret", 0o644, b"")]),
        ("whiteout below a file", vec![a(), file("a/.wh.x", 0o644, b"")]),
        ("opaque top", vec![file(".wh..wh..opq", 0o644, b"")]),
        ("opaque through a symlink", vec![symlink("l", outside), file("l/.wh..wh..opq", 0o644, b"")]),
        ("hard link to a whiteout", vec![entry(b'3', b"w", b"", 0o666, b""), hard_link("h", "w")]),
        ("backslash", vec![file("a\\b", 0o644, b"")]),
        ("repeated slashes", vec![file("d//.//x", 0o644, b"")]),
        ("orders to a terminal", vec![entry(b'6', "\u{1b}[31mred\u{202e}gpj".as_bytes(), b"", 0o644, b"")]),
        ("no text", vec![entry(b'6', b"\xff\xfe", b"", 0o644, b"")]),
        ("long name by GNU", vec![gnu_long(b'L', &long_path(4096)), a()]),
        ("long name by PAX", vec![pax(&[&[b"path=".as_slice(), &long_path(4096)].concat()]), a()]),
        ("longest name by GNU", vec![gnu_long(b'L', &long_path(4097)), a()]),
        ("longest name by PAX", vec![pax(&[&[b"path=".as_slice(), &long_path(4097)].concat()]), a()]),
        ("huge name by GNU", vec![gnu_long(b'L', &long_path((1 << 20) + 2)), a()]),
        ("huge name by PAX", vec![pax(&[&[b"path=".as_slice(), &long_path(1 << 20)].concat()]), a()]),
        ("link target with NUL by PAX", vec![pax(&[b"linkpath=a\0b"]), symlink("l", "a")]),
        ("name by GNU, the rest by PAX", vec![pax(&[b"mtime=1"]), gnu_long(b'L', b"b\0"), a()]),
        ("announced and missing", vec![a(), pax(&[b"path=b"])]),
        ("owner that means none", vec![pax(&[b"uid=4294967295"]), a()]),
        ("owner over 32 bits", vec![pax(&[b"gid=4294967296"]), a()]),
        ("negative owner by PAX", vec![pax(&[b"uid=-1"]), a()]),
        ("time that no clock has", vec![pax(&[b"mtime=1e9"]), a()]),
        ("another character set", vec![pax(&[b"hdrcharset=ISO-IR 8859 1 1998"]), a()]),
        ("unknown record", vec![pax(&[b"RHT.security.selinux=x"]), a()]),
        ("global owner", vec![with(pax(&[b"uid=0"]), |e| e.kind = b'g'), a()]),
        ("global xattr", vec![with(pax(&[b"SCHILY.xattr.user.x=y"]), |e| e.kind = b'g'), a()]),
        ("overlay xattr", vec![pax(&[b"SCHILY.xattr.trusted.overlay.opaque=y"]), folder("d")]),
    ]
}
