//! `sealer doctor image`

use clap::Args;

use crate::cli::failure::Failed;
use crate::cli::globals::Globals;

#[derive(Debug, Args)]
pub(in crate::cli) struct ImageArgs {}

pub(super) fn run(_args: &ImageArgs, _globals: &Globals) -> Result<(), Failed> {
    super::findings(&[])
}
