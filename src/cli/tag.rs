//! `sealer tag`

use clap::Args;
use serde::Serialize;

use crate::provenance;
use crate::store::Store;
use crate::types::SealerName;

use super::failure::Failed;
use super::globals::Globals;
use super::output::{self, OutputForm};

#[derive(Debug, Args)]
pub(super) struct TagArgs {
    /// The image's name
    #[arg(value_name = "NAME")]
    name: SealerName,
    /// The new name, for all its platforms
    #[arg(value_name = "NEW")]
    new: SealerName,
    /// The form of the result
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

/// The JSON report.
#[derive(Serialize)]
struct Report {
    name: String,
    new: String,
}

pub(super) fn run(args: &TagArgs, globals: &Globals) -> Result<(), Failed> {
    if let Some(digest) = args.new.reference().digest() {
        return Err(Failed::Usage(format!("a new name must have a tag, not a digest: `@{digest}`")));
    }
    let store = Store::open(&globals.root()?);
    store.tag(&args.name, &args.new, jiff::Timestamp::now())?;
    provenance::tagged(&store, &args.name, &args.new)?;
    match args.output {
        OutputForm::Json => output::json(&Report { name: args.name.to_string(), new: args.new.to_string() }),
        OutputForm::Text => output::data(&format!("{} is {} too\n", args.name, args.new)),
    }
}
