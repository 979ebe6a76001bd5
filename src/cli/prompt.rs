//! Questions to who sits at the terminal.
//!
//! The terminal is read key by key, with all its own doing switched off: so an interrupt comes as a key too, and the
//! terminal is as it was before this process ends by it.

use std::fs::File;
use std::io::{self, Read, Write};

use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use crate::transport::Secret;
use crate::types::printable;

use super::failure::Failed;

/// Whether what is typed is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Echo {
    /// Yes.
    On,
    /// No, for secrets.
    Off,
}

/// The state after the keys typed so far.
#[derive(Debug, PartialEq, Eq)]
enum Typed {
    /// The line goes on.
    More,
    /// The line is done.
    Line,
    /// The user cancelled, with the signal of the key if it has one.
    GivenUp(Option<Signal>),
}

/// The terminal's settings, put back when this is dropped.
struct Settings {
    before: Termios,
}

impl Settings {
    fn take_over() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut keys = before.clone();
        keys.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        keys.special_codes[SpecialCodeIndex::VMIN] = 1;
        keys.special_codes[SpecialCodeIndex::VTIME] = 0;
        // What was typed before the question is not an answer to it.
        tcsetattr(io::stdin(), OptionalActions::Flush, &keys)?;
        Ok(Self { before })
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        // It fails if the terminal is gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
    }
}

/// Asks a question on the terminal, which must be stdin, and returns the typed line.
pub(super) fn ask(question: &str, echo: Echo) -> Result<Secret, Failed> {
    let failed = |error: io::Error| Failed::doing(format!("ask on the terminal: {error}"));
    match type_line(question, echo).map_err(failed)? {
        (Typed::More | Typed::Line, line) => {
            String::from_utf8(line).map(Secret::new).map_err(|_| Failed::Usage("the input is not UTF-8".to_owned()))
        }
        (Typed::GivenUp(signal), _) => {
            // As if the terminal itself had sent it.
            if let Some(signal) = signal {
                kill_process(getpid(), signal).map_err(|error| failed(error.into()))?;
            }
            Err(Failed::doing("there was no answer on the terminal, and nothing was written"))
        }
    }
}

/// The line that is typed as far as the user goes on; the terminal is as it was then.
fn type_line(question: &str, echo: Echo) -> io::Result<(Typed, Vec<u8>)> {
    // Not stderr: that may be a file, or for a machine.
    let mut terminal = File::options().write(true).open("/dev/tty")?;
    let settings = Settings::take_over()?;
    write!(terminal, "{}", printable(question))?;
    let (mut line, mut key) = (Vec::new(), [0]);
    let typed = loop {
        let count = io::stdin().lock().read(&mut key)?;
        let typed = if count == 0 { Typed::GivenUp(None) } else { type_key(&mut line, key[0], &settings.before) };
        if typed != Typed::More {
            break typed;
        }
        if echo == Echo::On {
            let shown = String::from_utf8_lossy(&line).into_owned();
            write!(terminal, "\r\x1b[K{}{}", printable(question), printable(&shown))?;
        }
    };
    writeln!(terminal)?;
    Ok((typed, line))
}

/// Takes one key into the line, with the keys for editing that the user's terminal has.
fn type_key(line: &mut Vec<u8>, key: u8, settings: &Termios) -> Typed {
    let is = |index: SpecialCodeIndex| key != 0 && key == settings.special_codes[index];
    match key {
        b'\n' | b'\r' => return Typed::Line,
        _ if is(SpecialCodeIndex::VINTR) => return Typed::GivenUp(Some(Signal::INT)),
        _ if is(SpecialCodeIndex::VQUIT) => return Typed::GivenUp(Some(Signal::QUIT)),
        _ if is(SpecialCodeIndex::VEOF) => {
            return if line.is_empty() { Typed::GivenUp(None) } else { Typed::Line };
        }
        _ if is(SpecialCodeIndex::VKILL) => line.clear(),
        // Terminals send one of both, whatever is set.
        _ if is(SpecialCodeIndex::VERASE) || matches!(key, 0x08 | 0x7f) => {
            while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
        }
        key if key >= b' ' => line.push(key),
        _ => {}
    }
    Typed::More
}
