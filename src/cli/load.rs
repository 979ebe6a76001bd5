//! `sealer load`

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::image::model::ImageDocument;
use crate::store::Store;
use crate::tar::Limits;
use crate::types::{Event, Platform};

use super::failure::Failed;
use super::globals::Globals;
use super::output::{self, OutputForm};

#[derive(Debug, Args)]
pub(super) struct LoadArgs {
    /// The archive
    #[arg(short, long, value_name = "FILE")]
    input: PathBuf,
    /// The form of the result
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

/// An image that was loaded, for machines.
#[derive(Serialize)]
struct Row {
    name: String,
    id: String,
    platform: Platform,
}

impl Row {
    fn of(document: &ImageDocument) -> Self {
        let image = document.image();
        Self { name: image.name.to_string(), id: document.id().to_string(), platform: image.platform.clone() }
    }
}

pub(super) fn run(args: &LoadArgs, globals: &Globals) -> Result<(), Failed> {
    let store = Store::open(&globals.root()?);
    let archive = fs_err::File::open(&args.input)?;
    let loaded = store.load(archive, &Limits::SAVED, jiff::Timestamp::now())?;
    let observer = globals.observer();
    for message in loaded.warnings {
        observer.event(Event::Warning { message });
    }
    let rows: Vec<Row> = loaded.images.iter().map(Row::of).collect();
    match args.output {
        OutputForm::Json => output::json(&rows),
        OutputForm::Text => {
            rows.iter().try_for_each(|row| output::data(&format!("loaded {} ({})\n", row.name, row.platform)))
        }
    }
}
