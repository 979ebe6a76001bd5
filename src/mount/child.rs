//! The two processes between us and the shell.

use std::ffi::{CString, OsStr, OsString};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use rustix::fs::Mode;
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount};
use rustix::process::{Signal, WaitOptions, WaitStatus, set_parent_process_death_signal, umask, wait};
use rustix::thread::UnshareFlags;

use super::message::{CHILD_COMMAND, EMPTY, Order, PROBE, ROOT, Reason, Report, UPPER, WORK};
use crate::disk::{Dir, DiskError};

/// The argument of the second process.
const INIT: &str = "init";
/// The default search path for programs; a shell without PATH does the same.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What [`CHILD_COMMAND`] does; `arguments` are those after it. Its standard input and output are the parent's, its
/// standard error is the command's output.
#[must_use]
pub(crate) fn child_main(arguments: &[OsString]) -> ExitCode {
    let done = match arguments {
        [] => keeper(),
        [word] if word == INIT => init(),
        _ => Err(Unready { action: "understand the arguments", error: Reason::Text("too many".to_owned()) }),
    };
    match done {
        Ok(code) => code,
        Err(Unready { action, error }) => {
            tell(&Report::Failed { action: action.to_owned(), error });
            ExitCode::FAILURE
        }
    }
}

/// The preparation of the command failed.
struct Unready {
    action: &'static str,
    error: Reason,
}

fn unready<E: Into<io::Error>>(action: &'static str) -> impl FnOnce(E) -> Unready {
    move |error| {
        let error: io::Error = error.into();
        Unready { action, error: error.raw_os_error().map_or_else(|| Reason::Text(error.to_string()), Reason::System) }
    }
}

fn tell(report: &Report) {
    let mut line = serde_json::to_vec(report).expect("a report has only texts and numbers");
    line.push(b'\n');
    // If the parent is gone, there is nobody to report to.
    let _ = io::stdout().write_all(&line).and_then(|()| io::stdout().flush());
}

fn die_with_parent() -> Result<(), Unready> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(unready("ask to be ended with the parent process"))
}

/// Makes the namespaces and starts what is to live in them: a process cannot enter a new process namespace, only its
/// children are created there.
fn keeper() -> Result<ExitCode, Unready> {
    die_with_parent()?;
    let namespaces = UnshareFlags::NEWNS | UnshareFlags::NEWPID;
    #[expect(deprecated, reason = "deprecated for what FILES does to other threads; here is neither that nor they")]
    let made = rustix::thread::unshare(namespaces);
    made.map_err(unready("make a namespace for the mounts"))?;
    let mut init = Command::new("/proc/self/exe")
        .args([CHILD_COMMAND, INIT])
        .spawn()
        .map_err(unready("start the process that mounts the layers"))?;
    init.wait().map_err(unready("wait for the process that mounted the layers"))?;
    Ok(ExitCode::SUCCESS)
}

/// The first process of the namespaces: mounts, runs, unmounts.
fn init() -> Result<ExitCode, Unready> {
    die_with_parent()?;
    tell(&Report::Ready);
    let mut order = String::new();
    io::stdin().read_to_string(&mut order).map_err(unready("read what to do"))?;
    if order.is_empty() {
        // The first process is gone.
        return Ok(ExitCode::FAILURE);
    }
    let order: Order = serde_json::from_str(&order).map_err(unready("read what to do"))?;
    umask(Mode::from_raw_mode(0o022));
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(unready("keep the mounts in their namespace"))?;
    trusted_attributes()?;
    let here = std::env::current_dir().map_err(unready("find the current folder"))?;
    let flags = MountFlags::empty();
    mount("overlay", ROOT, "overlay", flags, options(order.lower).as_c_str())
        .map_err(unready("mount the layers over each other"))?;
    // Of the processes that the old one shows, none is in this namespace.
    mount("proc", "/proc", "proc", MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC, None)
        .map_err(unready("mount `/proc` for the command"))?;
    let ended = shell(&here.join(ROOT), &order.command)?;
    // Unmount now, while the parent waits; a background process that blocks it ends with us and releases it.
    let _ = unmount(ROOT, UnmountFlags::empty());
    tell(&ended);
    Ok(ExitCode::SUCCESS)
}

/// Without them an overlay would forget which folders were replaced.
fn trusted_attributes() -> Result<(), Unready> {
    let tried =
        Dir::open(Path::new(".")).and_then(|here| here.make_folder(PROBE, 0o700)).and_then(|dir| dir.set_opaque());
    tried.map_err(|error| {
        let source = match error {
            DiskError::Io { source, .. } => source,
            other => io::Error::other(other.to_string()),
        };
        unready("set attributes of `trusted.overlay` in the store")(source)
    })
}

/// The options of the mount. Newer kernels store extra data in layers with such options, which a layer's stream would
/// lose.
fn options(lower: usize) -> CString {
    let numbers: Vec<String> = (0..lower).map(|number| number.to_string()).collect();
    let lower = if lower == 0 { EMPTY.to_owned() } else { numbers.join(":") };
    let text =
        format!("lowerdir={lower},upperdir={UPPER},workdir={WORK},redirect_dir=off,metacopy=off,index=off,xino=off");
    CString::new(text).expect("neither names nor numbers have a NUL")
}

fn shell(root: &Path, command: &str) -> Result<Report, Unready> {
    let mut text = OsString::from("cd ");
    text.push(quoted(root.as_os_str()));
    text.push(" && ");
    text.push(command);
    let mut path = std::env::var_os("PATH").filter(|path| !path.is_empty()).unwrap_or_else(|| DEFAULT_PATH.into());
    path.push(":");
    path.push(root.join("bin"));
    let child = Command::new("/bin/sh")
        .arg("-c")
        .arg(text)
        .env("PATH", path)
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .spawn()
        .map_err(unready("start `/bin/sh`"))?;
    let shell = i32::try_from(child.id()).ok();
    loop {
        // As the first process of the namespace we inherit all that lose their parents.
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if Some(pid.as_raw_nonzero().get()) == shell => {
                if let Some(ended) = ended(status) {
                    return Ok(ended);
                }
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(unready("wait for the command")(error)),
        }
    }
}

fn ended(status: WaitStatus) -> Option<Report> {
    status.exit_status().map(Report::Exited).or_else(|| status.terminating_signal().map(Report::Killed))
}

/// A word for the shell: in single quotes, where only they themselves mean something.
fn quoted(word: &OsStr) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut out = vec![b'\''];
    for byte in word.as_bytes() {
        match byte {
            b'\'' => out.extend(b"'\\''"),
            byte => out.push(*byte),
        }
    }
    out.push(b'\'');
    OsString::from_vec(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_a_quoted_word_as_it_was() {
        for word in ["plain", "a b", "it's", "'", "$(x) `y` \"z\" \\", "a\nb"] {
            let mut script = OsString::from("printf %s ");
            script.push(quoted(OsStr::new(word)));
            let output = Command::new("/bin/sh").arg("-c").arg(script).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
    }

    #[test]
    fn the_options_of_many_layers_fit_into_a_page() {
        let options = options(super::super::message::MAX_LOWER);
        assert!(options.as_bytes_with_nul().len() < 4096, "{}", options.as_bytes().len());
        assert!(super::options(0).to_str().unwrap().starts_with("lowerdir=empty,upperdir=upper,workdir=work,"));
        assert!(super::options(2).to_str().unwrap().starts_with("lowerdir=0:1,"));
    }
}
