//! `sealer load`

use std::path::PathBuf;

use clap::Args;

use crate::store::Store;
use crate::words::Event;

use super::failure::Failed;
use super::globals::Globals;
use super::{output, progress};

#[derive(Debug, Args)]
pub(super) struct LoadArgs {
    /// The archive
    #[arg(short, long, value_name = "FILE")]
    input: PathBuf,
}

pub(super) fn run(args: &LoadArgs, globals: &Globals) -> Result<(), Failed> {
    let store = Store::open(&globals.root()).map_err(|error| Failed::from_error(error.kind(), &error))?;
    let loaded = store.load(&args.input).map_err(|error| Failed::from_error(error.kind(), &error))?;
    let observer = progress::observer(globals);
    for message in loaded.warnings {
        observer.event(Event::Warning { message });
    }
    if !globals.quiet {
        for image in &loaded.images {
            output::data(&format!("loaded {} ({})\n", image.name(), image.platform()))?;
        }
    }
    Ok(())
}
