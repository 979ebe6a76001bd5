//! `sealer inspect`

use clap::Args;
use serde_json::Value;

use crate::image::model::{Image, ImageId, inspect};
use crate::store::Store;
use crate::types::{Failure, FailureKind, SealerName, nearest};

use super::failure::Failed;
use super::globals::Globals;
use super::output::{self, OutputForm};

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// The image's name, or its whole id
    #[arg(value_name = "NAME")]
    name: String,
    /// The form of the document: sealer's YAML or JSON
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

pub(super) fn run(args: &InspectArgs, globals: &Globals) -> Result<(), Failed> {
    let store = Store::open(&globals.root()?);
    let images = find(&store, &args.name)?;
    match args.output {
        OutputForm::Text => output::data(&inspect(&images)),
        OutputForm::Json => output::json(&images.iter().map(Image::to_json).collect::<Vec<Value>>()),
    }
}

/// All platforms of a name, or the image of an id.
pub(super) fn find(store: &Store, name: &str) -> Result<Vec<Image>, Failed> {
    if let Ok(id) = name.parse::<ImageId>() {
        let found = store.find_by_id(&id)?;
        if let Some(image) = found.first() {
            return Ok(vec![image.document.image().clone()]);
        }
    }
    let parsed: SealerName = name.parse().map_err(Failed::usage)?;
    let mut images = Vec::new();
    for platform in store.platforms(&parsed)? {
        images.extend(store.find(&parsed, &platform)?.map(|stored| stored.document.image().clone()));
    }
    if images.is_empty() {
        let message = format!("image `{}` is not in the store {}", parsed.familiar(), store.root().display());
        let mut failure = Failure::new(FailureKind::Failed, message);
        let names: Vec<String> = store.images()?.images.iter().map(|image| image.name.familiar()).collect();
        if let Some(near) = nearest(&parsed.familiar(), names.iter().map(String::as_str)) {
            failure = failure.with_help(format!("did you mean `{near}`?"));
        }
        return Err(failure.into());
    }
    Ok(images)
}
