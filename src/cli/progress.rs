//! Events → bars, plain lines or JSON, on stderr.

mod bars;
mod json;
mod meter;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use clap::ValueEnum;

use crate::types::{Event, Observer, printable};

use bars::Bars;
use json::Json;
use meter::{Meter, line};

pub(super) use json::{is_json, log_writer, say_json, speak_json};

/// How progress is shown, on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ProgressChoice {
    /// Bars on a terminal, plain lines elsewhere.
    Auto,
    /// A line for each finished action.
    Plain,
    /// A JSON object for each event, see schemas/progress.schema.json; nothing else on stderr.
    Json,
    /// Nothing but warnings.
    None,
}

/// The observer that the options ask for.
pub(super) fn observer(choice: ProgressChoice, is_quiet: bool) -> Arc<dyn Observer> {
    let on_terminal = io::stderr().is_terminal();
    match choice {
        ProgressChoice::Json => Arc::new(Json),
        ProgressChoice::None => Arc::new(Warnings),
        ProgressChoice::Auto | ProgressChoice::Plain if is_quiet => Arc::new(Warnings),
        ProgressChoice::Auto if on_terminal => Arc::new(Bars::new()),
        ProgressChoice::Auto | ProgressChoice::Plain => Arc::new(Plain::new()),
    }
}

/// Only warnings.
struct Warnings;

impl Observer for Warnings {
    fn event(&self, event: Event) {
        if let Event::Warning { message } = event {
            note(&printable(&format!("warning: {message}")));
        }
    }
}

/// A line for each finished action, and from time to time one for a long transfer.
struct Plain {
    started: Instant,
    transfers: Mutex<BTreeMap<String, Meter>>,
}

impl Plain {
    fn new() -> Self {
        Self { started: Instant::now(), transfers: Mutex::default() }
    }

    fn pulse(&self, event: &Event) -> Option<String> {
        let mut transfers = self.transfers.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Transfer { what, received, total } => {
                let now = self.started.elapsed();
                let meter = transfers.entry(what.clone()).or_insert_with(|| Meter::new(now, *received));
                meter.pulse(now, what, *received, *total)
            }
            Event::Transferred { what, .. } => {
                transfers.remove(what);
                None
            }
            Event::StageStarted { .. }
            | Event::Step { .. }
            | Event::ImagePulled { .. }
            | Event::ImagePushed { .. }
            | Event::Warning { .. }
            | Event::Output { .. }
            | Event::Note { .. }
            | Event::Log { .. }
            | Event::Diagnostic { .. }
            | Event::Failed { .. }
            | Event::Ended { .. } => None,
        }
    }
}

impl Observer for Plain {
    fn event(&self, event: Event) {
        if let Some(text) = self.pulse(&event).map(|text| printable(&text).into_owned()).or_else(|| line(&event)) {
            note(&text);
        }
    }
}

/// Writes a line to stderr; an object in `--progress json`.
pub(super) fn note(line: &str) {
    if is_json() {
        let message = line.trim();
        if !message.is_empty() {
            say_json(&Event::Note { message: message.to_owned() });
        }
        return;
    }
    // Nowhere is left to say that stderr is gone.
    let _ = writeln!(io::stderr(), "{line}");
}
