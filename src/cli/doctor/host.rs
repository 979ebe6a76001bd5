//! `sealer doctor host`

use clap::Args;

use crate::cli::failure::Failed;
use crate::cli::globals::Globals;

#[derive(Debug, Args)]
pub(super) struct HostArgs {}

pub(super) fn run(_args: &HostArgs, _globals: &Globals) -> Result<(), Failed> {
    super::findings(&[])
}
