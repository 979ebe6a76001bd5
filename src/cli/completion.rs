//! `sealer completion`

use clap::{Args, Command};
use clap_complete::Shell;

use super::failure::Failed;
use super::output;

#[derive(Debug, Args)]
pub(super) struct CompletionArgs {
    /// The shell: `source <(sealer completion bash)` completes in this one
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(args: &CompletionArgs, mut command: Command) -> Result<(), Failed> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "sealer", &mut script);
    output::data(&String::from_utf8_lossy(&script))
}
