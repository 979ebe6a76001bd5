//! Packs entries so that the same entries give the same bytes.
//!
//! Entries are sorted by the bytes of their paths, which puts a folder before what is in it; folders that are not given
//! are not invented. A hard link comes after its file: if the sort would put it before, the first name has the content.

use std::collections::HashMap;
use std::io::Write;
use std::num::NonZeroUsize;

use super::blocks::{BlockCodec, BlockWriter};
use super::encoders::{Bzip2, Xz, Zstd};
use super::error::ArchiveError;
use super::gzip::Gzip;
use super::packed_form::PackedForm;
use super::spool::SpoolSlice;
use crate::tar::{EntryPath, TarWriter};
use crate::types::Epoch;

/// One entry to pack.
#[derive(Debug, Clone)]
pub(crate) struct PackEntry<'a> {
    /// Its path.
    pub path: EntryPath,
    /// Its permission bits; a hard link has those of its file, whatever this says.
    pub mode: u32,
    /// The kind of entry, with its content.
    pub content: PackContent<'a>,
}

/// The content of an entry to pack.
#[derive(Debug, Clone)]
pub(crate) enum PackContent<'a> {
    /// A folder.
    Folder,
    /// A file with these bytes.
    #[cfg(test)]
    Bytes(&'a [u8]),
    /// A file with content from another archive.
    Slice(SpoolSlice<'a>),
    /// A symbolic link.
    Symlink(Vec<u8>),
    /// A further name of a file that is packed too, as file and not as link.
    HardLink(EntryPath),
}

/// Writes `entries`, sorted, to `out`, which is not flushed.
///
/// # Panics
/// Where two entries have one path, or a hard link's target is not a file among the entries: the caller chose them.
pub(crate) fn pack<W: Write>(
    mut entries: Vec<PackEntry<'_>>,
    form: PackedForm,
    epoch: Epoch,
    threads: NonZeroUsize,
    out: W,
) -> Result<W, ArchiveError> {
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(entries.windows(2).all(|pair| pair[0].path != pair[1].path), "an entry is packed once");
    give_content_to_first_names(&mut entries);
    let result = match form {
        PackedForm::Tar => write(entries, TarWriter::new(out, epoch)),
        PackedForm::TarGz => compressed::<Gzip, _>(entries, epoch, threads, out),
        PackedForm::TarXz => compressed::<Xz, _>(entries, epoch, threads, out),
        PackedForm::TarZst => compressed::<Zstd, _>(entries, epoch, threads, out),
        PackedForm::TarBz2 => compressed::<Bzip2, _>(entries, epoch, threads, out),
    };
    result.map_err(ArchiveError::Write)
}

fn compressed<C: BlockCodec, W: Write>(
    entries: Vec<PackEntry<'_>>,
    epoch: Epoch,
    threads: NonZeroUsize,
    out: W,
) -> std::io::Result<W> {
    write(entries, TarWriter::new(BlockWriter::<W, C>::new(out, threads), epoch)).and_then(BlockWriter::finish)
}

fn write<W: Write>(entries: Vec<PackEntry<'_>>, mut tar: TarWriter<W>) -> std::io::Result<W> {
    for entry in entries {
        let path = entry.path.as_bytes();
        match entry.content {
            PackContent::Folder => tar.folder(path, entry.mode)?,
            #[cfg(test)]
            PackContent::Bytes(bytes) => tar.file(path, entry.mode, bytes.len() as u64, bytes)?,
            PackContent::Slice(slice) => tar.file(path, entry.mode, slice.size(), slice)?,
            PackContent::Symlink(target) => tar.symlink(path, &target)?,
            PackContent::HardLink(target) => tar.hard_link(path, target.as_bytes(), entry.mode)?,
        }
    }
    tar.finish()
}

/// Of the names of one file, the first in the order has the content and the others link to it.
fn give_content_to_first_names(entries: &mut [PackEntry<'_>]) {
    let mut names: HashMap<EntryPath, Vec<usize>> = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        if let PackContent::HardLink(target) = &entry.content {
            names.entry(target.clone()).or_default().push(index);
        }
    }
    for (target, links) in names {
        let file = entries.binary_search_by(|entry| entry.path.cmp(&target)).expect("a hard link's file is packed too");
        let mode = entries[file].mode;
        let first = links[0].min(file);
        let first_path = entries[first].path.clone();
        let content = std::mem::replace(&mut entries[file].content, PackContent::HardLink(first_path.clone()));
        for index in links {
            entries[index].mode = mode;
            entries[index].content = PackContent::HardLink(first_path.clone());
        }
        entries[first].content = content;
    }
}

#[cfg(test)]
mod tests {
    use super::super::spool::Spool;
    use super::*;
    use crate::types::Digest;
    use crate::types::golden::output;
    use proptest::prelude::*;
    use std::io::Read;
    use std::process::Command;

    fn path(text: &str) -> EntryPath {
        EntryPath::parse(text.as_bytes()).unwrap().unwrap()
    }

    fn entry<'a>(name: &str, mode: u32, content: PackContent<'a>) -> PackEntry<'a> {
        PackEntry { path: path(name), mode, content }
    }

    fn threads(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).unwrap()
    }

    /// A tree with all kinds of entries, given in an odd order.
    fn tree(program: &[u8]) -> Vec<PackEntry<'_>> {
        vec![
            entry("bin/tool", 0o755, PackContent::Bytes(program)),
            entry("bin-old", 0o600, PackContent::Bytes(b"old\n")),
            entry("bin", 0o755, PackContent::Folder),
            entry("bin/sh", 0o777, PackContent::Symlink(b"tool".to_vec())),
            entry("a-tool", 0o644, PackContent::HardLink(path("bin/tool"))),
            entry("empty", 0o644, PackContent::Bytes(b"")),
            entry("ümlaut", 0o640, PackContent::Bytes("ü".as_bytes())),
            entry(&format!("{}/{}", "d".repeat(120), "n".repeat(130)), 0o644, PackContent::Bytes(b"long")),
        ]
    }

    fn program() -> Vec<u8> {
        (0..3_000_000u32).flat_map(|n| (n / 7).wrapping_mul(40_503).to_le_bytes()).collect()
    }

    /// These never change: the layer ids and image ids of all derived images depend on them.
    #[test]
    fn a_packed_tree_has_the_digest_that_it_always_had() {
        let program = program();
        for (form, digest) in [
            (PackedForm::Tar, "fe40b8ef56851f51078dc69cac35464b19643ca40acd443c5599c4d873097708"),
            (PackedForm::TarGz, "e898320b5ecb8fef95a63601451acf80a5c9bb64f9be9d217ef4a1663f7991fd"),
            (PackedForm::TarXz, "f425e76ed3140315eef9d956886c61de090ced4a2634da60ec1b0c775e95c1c7"),
            (PackedForm::TarZst, "7d08aaba8189da73bfe4b5176b8f86c5e9243f1fd5b295d7dc3eab6b0d6d1998"),
            (PackedForm::TarBz2, "e91fa4fe819fa62830d517e8412bdf22f8be350fb00326ebdd838fd22e87961c"),
        ] {
            let packed = pack(tree(&program), form, Epoch::DEFAULT, threads(2), Vec::new()).unwrap();
            assert_eq!(Digest::of(&packed).hex(), digest, "{form:?}");
        }
    }

    #[test]
    fn names_say_the_form() {
        for (name, form) in [
            ("cri/docker.tar.gz", PackedForm::TarGz),
            ("x.tgz", PackedForm::TarGz),
            ("images/registry.tar", PackedForm::Tar),
            ("cri/docker.tar.xz", PackedForm::TarXz),
            ("x.txz", PackedForm::TarXz),
            ("a.tar.b.tar.zst", PackedForm::TarZst),
            ("x.tzst", PackedForm::TarZst),
            ("x.tar.bz2", PackedForm::TarBz2),
            ("x.tbz2", PackedForm::TarBz2),
        ] {
            assert_eq!(PackedForm::of_name(name).unwrap(), form);
        }
        for name in ["docker", "a.xz", "a.tar.lz4", "cri/.tar", ".txz", "x.tar.gz/y", "docker.zip", ""] {
            let message = PackedForm::of_name(name).unwrap_err().to_string();
            let expected = "`.tar`, `.tar.gz`, `.tgz`, `.tar.xz`, `.txz`, `.tar.zst`, `.tzst`, `.tar.bz2` or `.tbz2`";
            assert_eq!(message, format!("cannot tell the archive format from the name `{name}`: expected {expected}"));
        }
    }

    #[test]
    fn our_reader_gives_back_what_was_packed() {
        let program = &program()[..100_000];
        for (_, form) in PackedForm::ENDS {
            let bytes = pack(tree(program), form, Epoch::DEFAULT, threads(3), Vec::new()).unwrap();
            let spool = Spool::fill(&bytes[..], tempfile::tempfile().unwrap(), &crate::tar::Limits::RECIPE).unwrap();
            let names: Vec<String> = spool.members().iter().map(|member| member.path.to_string()).collect();
            let long = format!("{}/{}", "d".repeat(120), "n".repeat(130));
            let shown = crate::tar::shown(long.as_bytes());
            assert_eq!(names, ["a-tool", "bin", "bin-old", "bin/sh", "bin/tool", &shown, "empty", "ümlaut"]);
            for name in ["a-tool", "bin/tool"] {
                let member = spool.member(&path(name)).unwrap();
                let mut content = Vec::new();
                spool.content(member).read_to_end(&mut content).unwrap();
                assert!(content == program && member.mode == 0o755, "{name}");
            }
        }
    }

    #[test]
    fn gnu_tar_takes_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.tar.gz");
        let program = program();
        fs_err::write(&file, pack(tree(&program), PackedForm::TarGz, Epoch::DEFAULT, threads(2), Vec::new()).unwrap())
            .unwrap();
        let mut tar = Command::new("tar");
        let Some(output) = output(tar.arg("-tzf").arg(&file).env("LC_ALL", "C.UTF-8")) else { return };
        assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(
            String::from_utf8(output.stdout).unwrap().lines().take(5).collect::<Vec<_>>().join(" "),
            "a-tool bin/ bin-old bin/sh bin/tool"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn order_and_threads_do_not_change_a_byte(
            files in proptest::collection::btree_map("[a-z]{1,3}(/[a-z-]{1,120}){0,3}", (0u32..0o1000, proptest::collection::vec(any::<u8>(), 0..600)), 0..12),
            threads_used in 1usize..5,
            seed in any::<u64>(),
        ) {
            let entries = || files.iter().map(|(name, (mode, bytes))| entry(name, *mode, PackContent::Bytes(bytes)));
            let one = pack(entries().collect(), PackedForm::TarGz, Epoch::DEFAULT, threads(1), Vec::new()).unwrap();
            let mut shuffled: Vec<_> = entries().collect();
            shuffled.sort_by_key(|entry| Digest::of(&[entry.path.as_bytes(), &seed.to_le_bytes()].concat()));
            let other = pack(shuffled, PackedForm::TarGz, Epoch::DEFAULT, threads(threads_used), Vec::new()).unwrap();
            prop_assert_eq!(one, other);
        }
    }
}
