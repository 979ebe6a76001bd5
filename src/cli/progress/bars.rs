//! Bars on a terminal: one a running transfer, with rate and rest; what is finished scrolls up as a line.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::types::{Event, Observer, StepState};

use super::meter::{line, short_name};

/// Characters that a transfer's name may have.
const NAME: usize = 50;

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
            let bar = self.all.add(ProgressBar::no_length().with_style(endless_style()));
            bar.set_message(short_name(what, NAME));
            // What was there before this run does not count for the rate.
            bar.set_position(received);
            bar.reset_eta();
            bar
        });
        if let Some(total) = total.filter(|total| bar.length() != Some(*total)) {
            bar.set_length(total);
            bar.set_style(transfer_style());
        }
        if received < bar.position() {
            // It began from its first byte again.
            bar.reset_eta();
        }
        bar.set_position(received);
    }

    fn show_step(&self, text: Option<String>) {
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = step.take() {
            bar.finish_and_clear();
        }
        if let Some(text) = text {
            let bar = self.all.add(ProgressBar::new_spinner().with_style(step_style()));
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
            | Event::Warning { .. }
            | Event::Output { .. }
            | Event::Note { .. }
            | Event::Log { .. }
            | Event::Diagnostic { .. }
            | Event::Failed { .. }
            | Event::Ended { .. } => {}
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

/// The name comes last, so that a narrow terminal cuts the name.
fn transfer_style() -> ProgressStyle {
    let template = "{bytes:>10} of {total_bytes:10} {bar:16} {bytes_per_sec:>12} {eta:>4} left  {wide_msg}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// For a transfer of unknown length.
fn endless_style() -> ProgressStyle {
    let template = "{bytes:>10} {bytes_per_sec:>12}  {wide_msg}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn step_style() -> ProgressStyle {
    let template = "{spinner} {elapsed:>4}  {wide_msg}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
