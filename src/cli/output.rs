//! What is printed: data on stdout, everything else on stderr.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::build::ImageReport;
use crate::types::printable;

use super::failure::Failed;

pub(super) use crate::types::human_size;

/// The form of data on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputForm {
    /// For people.
    Text,
    /// For machines: one JSON document.
    Json,
}

/// Writes text to stdout as it is. If the reader ends early (`| head`), that is not a failure.
pub(super) fn data(text: &str) -> Result<(), Failed> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failed::doing(format!("write to stdout: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a value to stdout as indented JSON with a final newline.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failed> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failed::doing(format!("write JSON: {error}")))?;
    data(&(text + "\n"))
}

/// An image that was made, for people: its name, its id, its layers, the images in its registry.
pub(super) fn image(report: &ImageReport) -> String {
    let mut lines = vec![format!("{} ({})", report.name, report.platform), format!("  id {}", report.id)];
    lines.extend(
        report
            .layers
            .iter()
            .map(|layer| format!("  layer {} {} {} ({})", layer.id, layer.kind, layer.value, human_size(layer.size))),
    );
    lines.extend(report.cached_images.iter().map(|cached| format!("  cached {}@{}", cached.reference, cached.digest)));
    // Values of layers come from images, which may be untrusted.
    printable(&lines.join("\n")).into_owned() + "\n"
}
