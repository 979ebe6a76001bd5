//! `sealer prune`

use clap::Args;
use serde::Serialize;

use crate::store::Store;

use super::failure::Failed;
use super::globals::Globals;
use super::output::{self, OutputForm};

#[derive(Debug, Args)]
pub(super) struct PruneArgs {
    /// The form of the result
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

/// The JSON report.
#[derive(Serialize)]
struct Report {
    /// Documents without a name, by image id.
    images: Vec<String>,
    /// Layers that no image needs, by their ids' hex.
    layers: Vec<String>,
}

pub(super) fn run(args: &PruneArgs, globals: &Globals) -> Result<(), Failed> {
    let store = Store::open(&globals.root()?);
    let removed = store.prune()?;
    match args.output {
        OutputForm::Json => output::json(&Report { images: removed.images, layers: removed.layers }),
        OutputForm::Text => {
            let images = count(removed.images.len(), "image");
            output::data(&format!("{images} without a name and {} deleted\n", count(removed.layers.len(), "layer")))
        }
    }
}

/// `1 layer`, `2 layers`.
pub(super) fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
