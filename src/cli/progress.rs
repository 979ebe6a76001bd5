//! Events → bars, plain lines or JSON, on stderr.

mod bars;
mod json;
mod meter;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::types::{Event, Observer, StepState, printable};

use super::globals::{Globals, ProgressChoice};
use super::output::{human_size, note};
use bars::Bars;
use json::Json;
use meter::Meter;

pub(super) use json::{is_json, log_writer, say_json, speak_json};

/// The observer that the options ask for.
pub(super) fn observer(globals: &Globals) -> Arc<dyn Observer> {
    let on_terminal = io::stderr().is_terminal();
    match globals.progress {
        ProgressChoice::Json => Arc::new(Json),
        ProgressChoice::None => Arc::new(Warnings),
        ProgressChoice::Auto | ProgressChoice::Plain if globals.quiet => Arc::new(Warnings),
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

/// The line for an event, if it gets one.
fn line(event: &Event) -> Option<String> {
    let line = match event {
        Event::StageStarted { stage, platform, image } => format!("stage {stage} for {platform}: {image}"),
        Event::Step { step, state: StepState::Done, detail, .. } => format!("  {step}: {detail}"),
        Event::Step { step, state: StepState::Skipped, detail, .. } => format!("  {step}: skipped, {detail}"),
        Event::Transferred { what, digest, size } if what.contains("://") => {
            format!("fetched {what} {digest} ({})", human_size(*size))
        }
        Event::ImagePulled { reference, digest, size, cached } => {
            let how = if *cached { ", from the cache" } else { "" };
            // One that was asked for by its digest has it in its name.
            let name = reference.split_once('@').map_or(reference.as_str(), |(name, _)| name);
            format!("pulled {name}@{digest} ({}{how})", human_size(*size))
        }
        Event::Note { message } => format!("note: {message}"),
        Event::ImagePushed { reference, digest, size, uploaded } => {
            let how = match uploaded {
                0 => "nothing to upload".to_owned(),
                uploaded => format!("{} uploaded", human_size(*uploaded)),
            };
            format!("pushed {reference}@{digest} ({}, {how})", human_size(*size))
        }
        Event::Warning { message } => format!("warning: {message}"),
        Event::Output { line, .. } => format!("  | {line}"),
        Event::Log { message } => message.clone(),
        // These are only for machines.
        Event::Diagnostic { .. } | Event::Failed { .. } | Event::Ended { .. } => return None,
        Event::Step { state: StepState::Started, .. } | Event::Transfer { .. } | Event::Transferred { .. } => {
            return None;
        }
    };
    Some(printable(&line).into_owned())
}
