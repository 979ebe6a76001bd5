//! `sealer version`

use clap::Args;
use serde::Serialize;

use crate::plan::FORMAT_VERSION;
use crate::types::Platform;

use super::failure::Failed;
use super::output::{self, OutputForm};

/// The sealer whose formats this program uses.
const SEALER: &str = "v0.8.5";

#[derive(Debug, Args)]
pub(super) struct VersionArgs {
    /// Only the version
    #[arg(long, conflicts_with = "output")]
    short: bool,
    /// The form of the answer
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

/// What this program is, for machines.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    version: &'static str,
    platform: Platform,
    /// The version of what decides the bytes of images.
    format_version: u32,
    /// The sealer whose store, archives and pushed images this program reads and writes.
    compatible_with: &'static str,
}

pub(super) fn run(args: &VersionArgs) -> Result<(), Failed> {
    let version = env!("CARGO_PKG_VERSION");
    if args.short {
        return output::data(&format!("{version}\n"));
    }
    let platform = Platform::host();
    match args.output {
        OutputForm::Json => {
            let format_version = FORMAT_VERSION;
            output::json(&Report { version, platform, format_version, compatible_with: SEALER })
        }
        OutputForm::Text => output::data(&format!(
            "sealer {version} ({platform}), image format {FORMAT_VERSION}, compatible with sealer {SEALER}\n"
        )),
    }
}
