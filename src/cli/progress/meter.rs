//! The speed of a transfer, and its line if there are no bars. It does not read the clock: the caller passes times.

use std::time::Duration;

use crate::types::{Event, StepState, human_size, printable};

/// How often a running transfer gets a line.
const EVERY: Duration = Duration::from_secs(10);

/// One running transfer. Times are durations since the start of the run.
#[derive(Debug)]
pub(super) struct Meter {
    started: Duration,
    said: Duration,
    /// Bytes that were there when it started.
    from: u64,
    last: u64,
}

impl Meter {
    /// A transfer that starts with `received` bytes.
    pub(super) fn new(now: Duration, received: u64) -> Self {
        Self { started: now, said: now, from: received, last: received }
    }

    /// Updates the position; returns a line if one is due.
    pub(super) fn pulse(&mut self, now: Duration, what: &str, received: u64, total: Option<u64>) -> Option<String> {
        if received < self.last {
            // It began from its first byte again.
            (self.started, self.from) = (now, received);
        }
        self.last = received;
        if now.saturating_sub(self.said) < EVERY {
            return None;
        }
        self.said = now;
        Some(running(what, received, total, received.saturating_sub(self.from), now.saturating_sub(self.started)))
    }
}

/// The line of a running transfer that got `fresh` bytes in the time `taken`.
fn running(what: &str, received: u64, total: Option<u64>, fresh: u64, taken: Duration) -> String {
    let of = total.map(|total| format!(" of {}", human_size(total))).unwrap_or_default();
    let rate = u128::from(fresh) * 1000 / taken.as_millis().max(1);
    let left = total.and_then(|total| u128::from(total.saturating_sub(received)).checked_div(rate));
    let left = left.map(|left| format!(", {} left", human_time(u64::try_from(left).unwrap_or(u64::MAX))));
    let rate = human_size(u64::try_from(rate).unwrap_or(u64::MAX));
    format!("fetching {what}: {}{of}, {rate}/s{}", human_size(received), left.unwrap_or_default())
}

/// A time for people: `15 s`, `2 min 5 s`, `1 h 4 min`.
fn human_time(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A name of at most `most` characters: the start and more of the end, which distinguishes files.
pub(super) fn short_name(what: &str, most: usize) -> String {
    let name = what.split_once("://").map_or(what, |(_, rest)| rest);
    let count = name.chars().count();
    if count <= most {
        return name.to_owned();
    }
    let start = most.saturating_sub(1) / 3;
    let end = most.saturating_sub(1) - start;
    name.chars().take(start).chain(['…']).chain(name.chars().skip(count - end)).collect()
}

/// The line for an event, if it gets one.
pub(super) fn line(event: &Event) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_rate_and_rest() {
        let mb = |count: u64| count * 1_000_000;
        for (received, total, fresh, seconds, text) in [
            (mb(120), Some(mb(300)), mb(120), 10, "120.0 MB of 300.0 MB, 12.0 MB/s, 15 s left"),
            (mb(120), Some(mb(300)), mb(20), 10, "120.0 MB of 300.0 MB, 2.0 MB/s, 1 min 30 s left"),
            (mb(1), Some(mb(9000)), mb(1), 1, "1.0 MB of 9.0 GB, 1.0 MB/s, 2 h 29 min left"),
            (mb(120), None, mb(120), 10, "120.0 MB, 12.0 MB/s"),
            (mb(1), Some(mb(2)), 0, 10, "1.0 MB of 2.0 MB, 0 B/s"),
            (mb(2), Some(mb(2)), mb(2), 0, "2.0 MB of 2.0 MB, 2.0 GB/s, 0 s left"),
        ] {
            let line = running("URL", received, total, fresh, Duration::from_secs(seconds));
            assert_eq!(line, format!("fetching URL: {text}"));
        }
    }

    #[test]
    fn a_line_is_due_every_ten_seconds_and_counts_what_came_in_this_run() {
        let at = Duration::from_secs;
        let total = Some(1000);
        // Resumed: 400 bytes were there.
        let mut meter = Meter::new(at(5), 400);
        assert_eq!(meter.pulse(at(6), "x", 500, total), None);
        assert_eq!(meter.pulse(at(14), "x", 500, total), None);
        assert_eq!(meter.pulse(at(15), "x", 600, total).unwrap(), "fetching x: 600 B of 1.0 kB, 20 B/s, 20 s left");
        assert_eq!(meter.pulse(at(16), "x", 700, total), None);
        // Begun again.
        assert_eq!(meter.pulse(at(20), "x", 0, total), None);
        assert_eq!(meter.pulse(at(25), "x", 50, total).unwrap(), "fetching x: 50 B of 1.0 kB, 10 B/s, 1 min 35 s left");
    }

    #[test]
    fn names_keep_their_end() {
        let url = "https://download.docker.com/linux/static/stable/x86_64/docker-19.03.14.tgz";
        assert_eq!(short_name(url, 40), "download.dock…x86_64/docker-19.03.14.tgz");
        assert_eq!(short_name("registry:2.7.1 sha256:abc", 40), "registry:2.7.1 sha256:abc");
        assert_eq!(short_name("äöüäöü", 4), "ä…öü");
    }
}
