//! The clock: certificates of registries are valid from one day to another.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::HostPlaces;
use crate::doctor::{Finding, Verdict};

/// 2025-01-01: this program was written later.
const WRITTEN: Duration = Duration::from_hours(482_136);
/// How far a program's file may be in the future: clocks differ, and so do their zones on some disks.
const DAY: Duration = Duration::from_hours(24);

pub(super) fn check(places: &HostPlaces) -> Vec<Finding> {
    let shown = shown(places.now);
    let made = places.program.as_ref().and_then(|program| fs_err::metadata(program).ok()?.modified().ok());
    let wrong = |verdict, found: String| {
        Finding::new(verdict, "clock", "the clock", found)
            .expected("the right time: a registry's certificate is valid between two dates only")
            .remedy("set it, or let the network set it: `timedatectl set-ntp true`")
    };
    let finding = if places.now < UNIX_EPOCH + WRITTEN {
        wrong(Verdict::Error, format!("says {shown}, which is before this program was written"))
    } else if let Some(made) = made.filter(|made| *made > places.now + DAY) {
        wrong(Verdict::Warning, format!("says {shown}, but this program's file is from {}", self::shown(made)))
    } else {
        Finding::new(Verdict::Good, "clock", "the clock", format!("says {shown}"))
    };
    vec![finding]
}

/// A time in UTC.
fn shown(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time)
        .map_or_else(|_| "a time that no calendar has".to_owned(), |time| format!("{time:.0}").replace('T', " "))
}
