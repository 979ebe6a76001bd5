//! Programs for a platform that print what they replace, and exit with 0.

use crate::types::Platform;

const HEADER: usize = 64;
const SEGMENT: usize = 56;
const BASE: u64 = 0x40_0000;

/// `write(1, text, size); exit_group(0)` for x86-64: the text comes right after.
fn x86_64(size: u32) -> Vec<u8> {
    let mut code = vec![0xb8, 1, 0, 0, 0, 0xbf, 1, 0, 0, 0, 0x48, 0x8d, 0x35, 16, 0, 0, 0, 0xba];
    code.extend(size.to_le_bytes());
    code.extend([0x0f, 0x05, 0x31, 0xff, 0xb8, 231, 0, 0, 0, 0x0f, 0x05]);
    code
}

/// The same for 64-bit ARM, whose instructions are four bytes each.
fn aarch64(size: u32) -> Vec<u8> {
    let mov = |register: u32, value: u32| 0xd280_0000 | (value & 0xffff) << 5 | register;
    let supervisor_call = 0xd400_0001;
    let address_of_text = 0x1000_0000 | (28 / 4) << 5 | 1;
    let code =
        [mov(0, 1), address_of_text, mov(2, size), mov(8, 64), supervisor_call, mov(0, 0), mov(8, 94), supervisor_call];
    code.iter().flat_map(|instruction| instruction.to_le_bytes()).collect()
}

/// A static ELF program that prints one line, `NAME VERSION: a stand-in …`, and exits with 0.
///
/// Format: System V ABI, "Object Files", one loadable segment that is the whole file.
pub(super) fn program(name: &str, version: &str, platform: &Platform) -> Vec<u8> {
    let text = format!("{name} {version}: a stand-in from sealer's sandbox, which does nothing\n");
    let size = u32::try_from(text.len()).expect("the line is short");
    let code = match platform.architecture() {
        "arm64" => aarch64(size),
        _ => x86_64(size),
    };
    let start = HEADER + SEGMENT;
    let length = (start + code.len() + text.len()) as u64;

    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(16, 0);
    elf.extend(2_u16.to_le_bytes());
    elf.extend(platform.elf_machine().unwrap_or_default().to_le_bytes());
    elf.extend(1_u32.to_le_bytes());
    elf.extend((BASE + start as u64).to_le_bytes());
    elf.extend((HEADER as u64).to_le_bytes());
    elf.extend([0; 8 + 4]);
    for half in [HEADER, SEGMENT, 1, 0, 0, 0] {
        elf.extend(u16::try_from(half).expect("they are small").to_le_bytes());
    }

    elf.extend(1_u32.to_le_bytes());
    elf.extend(5_u32.to_le_bytes());
    for word in [0, BASE, BASE, length, length, 0x1_0000] {
        elf.extend(word.to_le_bytes());
    }
    elf.extend(code);
    elf.extend(text.as_bytes());
    elf
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn headers_name_the_machine() {
        for (platform, machine) in [("linux/amd64", 62), ("linux/arm64", 183)] {
            let elf = program("runc", "1.0", &platform.parse().unwrap());
            assert_eq!(u16::from_le_bytes([elf[18], elf[19]]), machine);
            assert!(elf.ends_with(b"runc 1.0: a stand-in from sealer's sandbox, which does nothing\n"));
        }
    }

    #[test]
    fn it_runs_on_the_machine_it_is_for() {
        let host = Platform::host();
        if !matches!(host.architecture(), "amd64" | "arm64") {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runc");
        fs_err::write(&path, program("runc", "1.0", &host)).unwrap();
        fs_err::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        // "Text file busy": a process that another test starts may hold the file open for a moment.
        let run = || std::process::Command::new(&path).output();
        let output = (0..50).find_map(|_| {
            let output = run().ok();
            if output.is_none() {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            output
        });
        let output = output.unwrap();
        assert!(output.status.success());
        assert_eq!(output.stdout, b"runc 1.0: a stand-in from sealer's sandbox, which does nothing\n");
    }
}
