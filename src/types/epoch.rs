//! The constant time of everything that we make.

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z that files, folders and archive entries of our making carry as their time.
///
/// `SOURCE_DATE_EPOCH` if it is set, else 1980-01-01T00:00:00Z. It is an input like any other, so plans contain it.
/// Source: <https://reproducible-builds.org/specs/source-date-epoch/>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(u64);

/// `SOURCE_DATE_EPOCH` is not a number of seconds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`SOURCE_DATE_EPOCH={0}` is not a time: expected seconds since 1970 as a whole number up to 8589934591")]
pub struct EpochError(String);

impl Epoch {
    /// 1980-01-01T00:00:00Z, the first time that every archive format can hold.
    pub const DEFAULT: Self = Self(315_532_800);

    /// The time that the text of `SOURCE_DATE_EPOCH` means; the limit is the largest time in a tar header.
    pub fn parse(text: &str) -> Result<Self, EpochError> {
        text.parse().ok().filter(|seconds| *seconds < 1 << 33).map(Self).ok_or_else(|| EpochError(text.to_owned()))
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0
    }
}

impl Default for Epoch {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_seconds_are_a_time() {
        assert_eq!(Epoch::parse("1600000000").unwrap().seconds(), 1_600_000_000);
        for text in ["", "-1", "now", "1.5", "99999999999"] {
            assert!(Epoch::parse(text).is_err(), "{text}");
        }
    }
}
