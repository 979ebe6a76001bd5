//! A program that ends with this process.
//!
//! A process that may be killed at any time cannot end its children itself. So each child is started by a separate
//! process that listens to a pipe whose other end only we hold. When we end, for any reason, the pipe ends, and that
//! process kills its group: the program, what that started, and itself. Needs no root.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, Stdio};

use rustix::process::{Signal, getpgrp, getpid, kill_process, kill_process_group};

/// The hidden command that the program starts itself with.
pub(crate) const TETHER_COMMAND: &str = "internal-tether";

/// What ends a process that could not start its program, as with a shell.
const NOT_STARTED: u8 = 126;

/// `program` on a tether, in a process group of its own: the command takes its arguments, its environment, its output and
/// its end as the program's own. Its standard input is the tether; the program has none.
///
/// The caller keeps the child's `stdin` open as long as the program may run; killing the group ends everything.
pub(crate) fn tethered(program: &OsStr) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg(TETHER_COMMAND).arg(program).stdin(Stdio::piped()).process_group(0);
    command
}

/// What [`TETHER_COMMAND`] does; `arguments` are those after it: the program and its arguments.
#[must_use]
pub(crate) fn tether_main(arguments: &[OsString]) -> ExitCode {
    // If started by hand, it must not kill the caller's group.
    let ([program, arguments @ ..], true) = (arguments, getpgrp() == getpid()) else { return ExitCode::FAILURE };
    let mut child = match Command::new(program).args(arguments).stdin(Stdio::null()).spawn() {
        Ok(child) => child,
        Err(error) => {
            let text = format!("`{}` could not be started: {error}\n", program.display());
            // If that fails, there is nobody to report to.
            let _ = io::stderr().write_all(text.as_bytes());
            return ExitCode::from(NOT_STARTED);
        }
    };
    std::thread::spawn(|| {
        // Nothing is ever written to it, so whatever comes is its end.
        let _ = io::stdin().read(&mut [0]);
        let _ = kill_process_group(getpgrp(), Signal::KILL);
    });
    let Ok(status) = child.wait() else { return ExitCode::FAILURE };
    if let Some(signal) = status.signal().and_then(Signal::from_named_raw) {
        // It ends as the program did.
        let _ = kill_process(getpid(), signal);
    }
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(NOT_STARTED))
}
