//! `sealer load`

use std::path::PathBuf;

use clap::Args;

use crate::image::layer::Limits;
use crate::image::model::ImageDocument;
use crate::store::Store;
use crate::words::{Event, FailureKind};

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
    let store = Store::open(&globals.root());
    let archive = fs_err::File::open(&args.input).map_err(|error| Failed::from_error(FailureKind::Failed, &error))?;
    let loaded = store
        .load(archive, Limits::default(), jiff::Timestamp::now())
        .map_err(|error| Failed::from_error(error.kind(), &error))?;
    let observer = progress::observer(globals);
    for message in loaded.warnings {
        observer.event(Event::Warning { message });
    }
    if !globals.quiet {
        for image in loaded.images.iter().map(ImageDocument::image) {
            output::data(&format!("loaded {} ({})\n", image.name, image.platform))?;
        }
    }
    Ok(())
}
