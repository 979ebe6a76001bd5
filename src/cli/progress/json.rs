//! `--progress json`: every line on stderr is an object, an [`Event`] with the time since the start.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::time::Instant;

use schemars::JsonSchema;
use serde::Serialize;

use crate::types::{Event, Observer, printable};

/// When the process began to print JSON on stderr, if it does: this is decided once, for all output there.
static SINCE: OnceLock<Instant> = OnceLock::new();

/// Switches stderr to JSON.
pub(in crate::cli) fn speak_json() {
    SINCE.get_or_init(Instant::now);
}

/// Whether everything on stderr is JSON.
pub(in crate::cli) fn is_json() -> bool {
    SINCE.get().is_some()
}

/// One line of `sealer --progress json` on stderr. The last one is `ended`. Readers must ignore unknown events and fields.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "A line of sealer's progress (v1alpha1)")]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    /// Milliseconds since the start.
    elapsed_ms: u64,
    #[serde(flatten)]
    event: &'a Event,
}

/// Prints an event.
pub(in crate::cli) fn say_json(event: &Event) {
    let elapsed = SINCE.get().map_or(0, |since| since.elapsed().as_millis());
    let line = Line { elapsed_ms: u64::try_from(elapsed).unwrap_or(u64::MAX), event };
    if let Ok(line) = serde_json::to_string(&line) {
        // One write a line, so that lines of several threads do not mix. Nowhere is left to say that stderr is gone.
        let _ = io::stderr().lock().write_all(format!("{line}\n").as_bytes());
    }
}

/// A JSON object for each event.
pub(super) struct Json;

impl Observer for Json {
    fn event(&self, event: Event) {
        say_json(&event);
    }
}

/// Where `tracing` writes: each of its lines is one write.
pub(in crate::cli) fn log_writer() -> Box<dyn Write> {
    if is_json() { Box::new(Log) } else { Box::new(io::stderr()) }
}

struct Log;

impl Write for Log {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(buf);
        say_json(&Event::Log { message: printable(text.trim_end()).into_owned() });
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use schemars::generate::SchemaSettings;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_schema_of_progress_is_current() {
        let generated = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Line<'_>>().to_value();
        jsonschema::meta::validate(&generated).unwrap();
        let text = format!("{generated:#}\n");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/progress.schema.json");
        if std::env::var_os("UPDATE").is_some() {
            fs_err::write(path, &text).unwrap();
        }
        let file = fs_err::read_to_string(path).unwrap_or_default();
        assert!(file == text, "run `UPDATE=1 cargo test schema` to update {path}");
        let validator = jsonschema::draft202012::new(&generated).unwrap();
        for (line, good) in [
            (json!({"elapsedMs": 1, "event": "warning", "message": "x"}), true),
            (json!({"elapsedMs": 1, "event": "ended", "exitCode": 3}), true),
            (json!({"event": "warning", "message": "x"}), false),
            (json!({"elapsedMs": 1, "event": "warning"}), false),
            (json!({"elapsedMs": 1, "message": "x"}), false),
        ] {
            assert_eq!(validator.is_valid(&line), good, "{line}");
        }
    }
}
