#!/usr/bin/env python3
"""Layer ids by a second hand: the tar stream that sealer's Go code makes of a folder, written from the rules in
SEALER.md ("Layer id") without a look at the Rust code. Prints "<sha256> <stream length>" for each folder named."""
import grp
import hashlib
import os
import pwd
import stat
import sys

OWN = os.geteuid()


def cut(data, width):
    """A text field: cut, and where the cut leaves slashes at the end, NUL in place of the first of them."""
    field = bytearray(data[:width].ljust(width, b"\0"))
    if len(data) > width and field[-1:] == b"/":
        field[len(bytes(field).rstrip(b"/"))] = 0
    return bytes(field)


def octal(number, width):
    return (b"%0*o" % (width - 1, number)) + b"\0"


def block(name, mode, uid, gid, size, mtime, flag, link, user, group, device, prefix):
    head = b"".join([cut(name, 100), octal(mode, 8), octal(uid, 8), octal(gid, 8), octal(size, 12), octal(mtime, 12)])
    tail = b"".join([flag, cut(link, 100), b"ustar\x0000", cut(user, 32), cut(group, 32), device, cut(prefix, 155)])
    tail = tail.ljust(512 - 156, b"\0")
    checksum = sum(head) + sum(tail) + 8 * 32
    return head + (b"%06o\0 " % checksum) + tail


def ascii_of(data):
    return bytes(c for c in data if 0 < c < 128)


def split_name(name):
    if len(name) <= 100 or any(c > 127 for c in name):
        return None
    at = name[:156].rfind(b"/")
    if at <= 0 or at > 155 or not 0 < len(name) - at - 1 <= 100:
        return None
    return name[:at], name[at + 1:]


def record(key, value):
    body = b" " + key + b"=" + value + b"\n"
    length = len(body)
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return str(length).encode() + body


def header(name, mode, uid, gid, size, mtime, flag, link, user, group):
    zero = b"0000000\0" * 2
    wide = lambda s: any(c > 127 for c in s)
    pax, only_pax = {}, False
    if wide(name) or len(name) > 100:
        pax[b"path"] = name
        only_pax = split_name(name) is None
    for key, text, most in ((b"linkpath", link, 100), (b"uname", user, 32), (b"gname", group, 32)):
        if wide(text) or len(text) > most:
            pax[key] = text
            only_pax = True
    for key, number, most in ((b"uid", uid, 0o7777777), (b"gid", gid, 0o7777777), (b"size", size, 0o77777777777),
                              (b"mtime", mtime, 0o77777777777)):
        if number > most or number < 0:
            pax[key] = str(number).encode()
            only_pax = True
    if not only_pax:
        prefix, rest = split_name(name) or (b"", name)
        return block(rest, mode, uid, gid, size, mtime, flag, link, user, group, zero, prefix)
    records = b"".join(record(key, pax[key]) for key in sorted(pax))
    folder, _, file = name.rpartition(b"/")
    special = (folder + b"/" if folder else b"") + b"PaxHeaders.0/" + file
    special = ascii_of(special)[:100].rstrip(b"/")
    extension = block(special, 0, 0, 0, len(records), 0, b"x", b"", b"", b"", b"\0" * 16, b"")
    fit = lambda number, most: number if 0 <= number <= most else 0
    main = block(ascii_of(name), mode, fit(uid, 0o7777777), fit(gid, 0o7777777), fit(size, 0o77777777777),
                 fit(mtime, 0o77777777777), flag, ascii_of(link), ascii_of(user), ascii_of(group), zero, b"")
    return extension + records + b"\0" * (-len(records) % 512) + main


def lookup(number, find):
    if number == 0:
        return b"root"
    try:
        return find(number)[0].encode()
    except KeyError:
        return b""


def entries(top, below=b""):
    for name in sorted(os.listdir(os.path.join(top, below))):
        path = os.path.join(below, name)
        full = os.path.join(top, path)
        info = os.lstat(full)
        uid, gid = (0, 0) if OWN != 0 and info.st_uid == OWN else (info.st_uid, info.st_gid)
        user, group = lookup(uid, pwd.getpwuid), lookup(gid, grp.getgrgid)
        mtime = (info.st_mtime_ns + 500_000_000) // 1_000_000_000
        mode = info.st_mode & 0o7777
        if stat.S_ISDIR(info.st_mode):
            yield header(path, mode, uid, gid, 0, mtime, b"5", b"", user, group)
            try:
                opaque = os.getxattr(full, "trusted.overlay.opaque") == b"y"
            except OSError:
                opaque = False
            if opaque:
                mark = path + b"/.wh..wh..opq"
                yield header(mark, mode & 0o777, uid, gid, 0, 0, b"0", b"", user, group)
            yield from entries(top, path)
        elif stat.S_ISLNK(info.st_mode):
            yield header(path, mode, uid, gid, 0, mtime, b"2", os.readlink(full), user, group)
        elif stat.S_ISCHR(info.st_mode) and info.st_rdev == 0:
            gone = os.path.join(below, b".wh." + name)
            yield header(gone, 0o600, uid, gid, 0, mtime, b"0", b"", user, group)
        else:
            with open(full, "rb") as file:
                content = file.read()
            yield header(path, mode, uid, gid, len(content), mtime, b"0", b"", user, group)
            yield content + b"\0" * (-len(content) % 512)


for folder in sys.argv[1:]:
    digest, length = hashlib.sha256(), 0
    for piece in [*entries(os.fsencode(folder)), b"\0" * 1024]:
        digest.update(piece)
        length += len(piece)
    print(digest.hexdigest(), length)
