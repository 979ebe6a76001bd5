//! `sealer doctor trace`

use clap::Args;

use crate::cli::failure::Failed;
use crate::cli::globals::Globals;

#[derive(Debug, Args)]
pub(super) struct TraceArgs {}

pub(super) fn run(_args: &TraceArgs, _globals: &Globals) -> Result<(), Failed> {
    super::findings(&[])
}
