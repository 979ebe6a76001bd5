//! Bars on a terminal: one a running transfer, with rate and rest; what is finished scrolls up as a line.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::words::{Event, Observer, StepState};

use super::line;

/// Draws with indicatif on stderr.
pub(super) struct Bars {
    all: MultiProgress,
    transfers: Mutex<BTreeMap<String, ProgressBar>>,
    step: Mutex<Option<ProgressBar>>,
}

impl Bars {
    pub(super) fn new() -> Self {
        Self { all: MultiProgress::new(), transfers: Mutex::default(), step: Mutex::default() }
    }

    fn transfer(&self, what: &str, received: u64, total: Option<u64>) {
        let mut transfers = self.transfers.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = transfers.entry(what.to_owned()).or_insert_with(|| {
            let bar = self.all.add(ProgressBar::new(total.unwrap_or(0)).with_style(transfer_style()));
            bar.set_message(what.to_owned());
            bar
        });
        bar.set_position(received);
    }

    fn show_step(&self, text: Option<String>) {
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = step.take() {
            bar.finish_and_clear();
        }
        if let Some(text) = text {
            let bar = self.all.add(ProgressBar::new_spinner());
            bar.set_message(text);
            bar.enable_steady_tick(std::time::Duration::from_millis(120));
            *step = Some(bar);
        }
    }
}

impl Observer for Bars {
    fn event(&self, event: Event) {
        match &event {
            Event::Transfer { what, received, total } => self.transfer(what, *received, *total),
            Event::Transferred { what, .. } => {
                let mut transfers = self.transfers.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(bar) = transfers.remove(what) {
                    bar.finish_and_clear();
                }
            }
            Event::Step { step, state: StepState::Started, .. } => self.show_step(Some(step.clone())),
            Event::Step { .. } => self.show_step(None),
            Event::StageStarted { .. }
            | Event::ImagePulled { .. }
            | Event::ImagePushed { .. }
            | Event::Warning { .. } => {}
        }
        if let Some(line) = line(&event) {
            // The terminal may be gone; the work goes on.
            let _ = self.all.println(line);
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        // As above.
        let _ = self.all.clear();
    }
}

fn transfer_style() -> ProgressStyle {
    let template = "{bytes:>10}/{total_bytes:10} {bar:24} {bytes_per_sec:>12} {eta:>4} {msg}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
