//! `--platform` of commands that take several.

use std::str::FromStr;

use clap::Args;

use crate::types::{Platform, PlatformError};

#[derive(Debug, Args)]
pub(super) struct PlatformArgs {
    /// Only these platforms, separated by commas; `all` for all
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    platform: Vec<Choice>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Choice {
    All,
    One(Platform),
}

impl FromStr for Choice {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        if text == "all" { Ok(Self::All) } else { text.parse().map(Self::One) }
    }
}

impl PlatformArgs {
    /// No platform was named.
    pub(super) fn is_default(&self) -> bool {
        self.platform.is_empty()
    }

    /// The named platforms; empty means all.
    pub(super) fn named(&self) -> Vec<Platform> {
        let mut named = Vec::new();
        for choice in &self.platform {
            match choice {
                Choice::All => return Vec::new(),
                Choice::One(platform) if named.contains(platform) => {}
                Choice::One(platform) => named.push(platform.clone()),
            }
        }
        named
    }
}
