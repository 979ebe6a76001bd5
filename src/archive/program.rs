//! Detects the type of a file with an execute bit by its first bytes, and whether a platform can run it.

use crate::types::Platform;

/// Bytes that are read: an ELF header up to its machine.
pub(super) const HEAD: usize = 20;

/// Whether files that start with `head` run on `platform`; else what was found and what was expected.
///
/// Numbers: System V ABI, "ELF Header".
pub(super) fn check(head: &[u8], platform: &Platform) -> Result<(), Mismatch> {
    if head.starts_with(b"#!") {
        return Ok(());
    }
    let Some(elf) = Elf::read(head) else { return Err(Mismatch::NoProgram(kind_of(head))) };
    let big = platform.architecture() == "s390x";
    let wide = !matches!(platform.architecture(), "386" | "arm");
    // For an unknown architecture, there are no more checks.
    let Some(machine) = platform.elf_machine() else { return Ok(()) };
    let expected = Elf { machine, wide, big };
    if elf == expected {
        return Ok(());
    }
    let usual = machine_name(elf.machine) != machine_name(expected.machine);
    Err(Mismatch::Other {
        found: if usual { machine_name(elf.machine) } else { elf.describe() },
        expected: if usual { platform.machine().to_owned() } else { expected.describe() },
    })
}

/// Why a file with an execute bit does not run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mismatch {
    /// Neither ELF nor `#!`: what it is.
    NoProgram(&'static str),
    /// ELF for another machine.
    Other { found: String, expected: String },
}

#[derive(PartialEq, Eq)]
struct Elf {
    machine: u16,
    wide: bool,
    big: bool,
}

impl Elf {
    fn read(head: &[u8]) -> Option<Self> {
        let head: &[u8; HEAD] = head.first_chunk()?;
        if &head[..4] != b"\x7fELF" || !matches!(head[4..6], [1 | 2, 1 | 2]) {
            return None;
        }
        let big = head[5] == 2;
        let machine = [head[18], head[19]];
        let machine = if big { u16::from_be_bytes(machine) } else { u16::from_le_bytes(machine) };
        Some(Self { machine, wide: head[4] == 2, big })
    }

    fn describe(&self) -> String {
        let bits = if self.wide { 64 } else { 32 };
        let order = if self.big { "big-endian" } else { "little-endian" };
        format!("{} ({bits} bits, {order})", machine_name(self.machine))
    }
}

fn machine_name(machine: u16) -> String {
    match machine {
        3 => "i386",
        8 => "mips",
        20 => "ppc",
        21 => "ppc64",
        22 => "s390x",
        40 => "arm",
        62 => "x86_64",
        183 => "aarch64",
        243 => "riscv",
        258 => "loongarch",
        other => return format!("ELF machine {other}"),
    }
    .to_owned()
}

fn kind_of(head: &[u8]) -> &'static str {
    match head {
        [] => "it is empty",
        [0x7f, b'E', b'L', b'F', ..] => "it is a damaged ELF file",
        [b'M', b'Z', ..] => "it is a program for Windows",
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => "it is a program for macOS",
        _ => "it is not ELF and does not start with `#!`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(class: u8, order: u8, machine: u16) -> Vec<u8> {
        let mut head = vec![0x7f, b'E', b'L', b'F', class, order, 1];
        head.resize(18, 0);
        head.extend(if order == 2 { machine.to_be_bytes() } else { machine.to_le_bytes() });
        head
    }

    #[test]
    fn only_programs_of_the_platform_and_scripts_pass() {
        let check = |head: &[u8], platform: &str| {
            check(head, &platform.parse().unwrap()).map_err(|mismatch| match mismatch {
                Mismatch::NoProgram(why) => why.to_owned(),
                Mismatch::Other { found, expected } => format!("{found}, not {expected}"),
            })
        };
        for (platform, class, order, machine) in [
            ("linux/amd64", 2, 1, 62),
            ("linux/arm64", 2, 1, 183),
            ("linux/arm", 1, 1, 40),
            ("linux/386", 1, 1, 3),
            ("linux/s390x", 2, 2, 22),
            ("linux/ppc64le", 2, 1, 21),
            ("linux/riscv64", 2, 1, 243),
            ("linux/mips64le", 2, 1, 8),
        ] {
            assert_eq!(check(&elf(class, order, machine), platform), Ok(()), "{platform}");
        }
        assert_eq!(check(b"#!/bin/sh\n", "linux/amd64"), Ok(()));
        for (head, why) in [
            (elf(2, 1, 183), "aarch64, not x86_64"),
            (elf(1, 1, 62), "x86_64 (32 bits, little-endian), not x86_64 (64 bits, little-endian)"),
            (elf(2, 2, 62), "x86_64 (64 bits, big-endian), not x86_64 (64 bits, little-endian)"),
            (elf(2, 1, 999), "ELF machine 999, not x86_64"),
            (elf(2, 1, 62)[..19].to_vec(), "it is a damaged ELF file"),
            (elf(3, 1, 62), "it is a damaged ELF file"),
            (b"MZ\x90\0".to_vec(), "it is a program for Windows"),
            (b"\xcf\xfa\xed\xfe\x07".to_vec(), "it is a program for macOS"),
            (b"hello".to_vec(), "it is not ELF and does not start with `#!`"),
            (Vec::new(), "it is empty"),
        ] {
            assert_eq!(check(&head, "linux/amd64").unwrap_err(), why);
        }
    }
}
