//! Events → bars, plain lines or JSON, on stderr.

mod bars;

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use crate::words::{Event, Observer, StepState, printable};

use super::globals::{Globals, ProgressChoice};
use super::output::{human_size, note};
use bars::Bars;

/// The observer that the options ask for.
pub(super) fn observer(globals: &Globals) -> Arc<dyn Observer> {
    let on_terminal = io::stderr().is_terminal();
    match globals.progress {
        ProgressChoice::Json => Arc::new(Json),
        ProgressChoice::None => Arc::new(Warnings),
        ProgressChoice::Auto | ProgressChoice::Plain if globals.quiet => Arc::new(Warnings),
        ProgressChoice::Auto if on_terminal => Arc::new(Bars::new()),
        ProgressChoice::Auto | ProgressChoice::Plain => Arc::new(Plain),
    }
}

/// Warnings alone.
struct Warnings;

impl Observer for Warnings {
    fn event(&self, event: Event) {
        if let Event::Warning { message } = event {
            note(&printable(&format!("warning: {message}")));
        }
    }
}

/// A line for each thing that is done.
struct Plain;

impl Observer for Plain {
    fn event(&self, event: Event) {
        if let Some(line) = line(&event) {
            note(&line);
        }
    }
}

/// A JSON object for each event.
struct Json;

impl Observer for Json {
    fn event(&self, event: Event) {
        if let Ok(line) = serde_json::to_string(&event) {
            // Nowhere is left to say that stderr is gone.
            let _ = writeln!(io::stderr(), "{line}");
        }
    }
}

/// The line that an event is worth, if any.
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
            format!("pulled {reference}@{digest} ({}{how})", human_size(*size))
        }
        Event::ImagePushed { reference, digest, size, uploaded } => {
            let how = match uploaded {
                0 => "nothing to upload".to_owned(),
                uploaded => format!("{} uploaded", human_size(*uploaded)),
            };
            format!("pushed {reference}@{digest} ({}, {how})", human_size(*size))
        }
        Event::Warning { message } => format!("warning: {message}"),
        Event::Step { state: StepState::Started, .. } | Event::Transfer { .. } | Event::Transferred { .. } => {
            return None;
        }
    };
    Some(printable(&line).into_owned())
}
