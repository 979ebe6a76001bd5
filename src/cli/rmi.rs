//! `sealer rmi`

use clap::Args;
use serde::Serialize;

use crate::image::model::ImageId;
use crate::store::{Removed, Store, StoreError};
use crate::types::{Failure, Platform, SealerName};

use super::failure::Failed;
use super::globals::Globals;
use super::output::{self, OutputForm};
use super::platforms::PlatformArgs;

#[derive(Debug, Args)]
pub(super) struct RmiArgs {
    /// Names of images, or whole ids
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    platforms: PlatformArgs,
    /// The form of the result
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

/// What was removed under one name, for machines.
#[derive(Serialize)]
struct Row {
    name: String,
    /// The removed documents, by image id.
    images: Vec<String>,
    /// The layers that were removed because nothing needs them any more, by their ids' hex.
    layers: Vec<String>,
}

pub(super) fn run(args: &RmiArgs, globals: &Globals) -> Result<(), Failed> {
    let store = Store::open(&globals.root()?);
    let platforms = args.platforms.named();
    // Before anything is removed: an argument that is not a name at all is probably a typo.
    let images = args.names.iter().map(|text| Named::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let (mut rows, mut failures) = (Vec::new(), Vec::<Failure>::new());
    for image in &images {
        match image.remove(&store, &platforms) {
            Ok(row) => rows.push(row),
            Err(error) => failures.push(error.into()),
        }
    }
    match args.output {
        OutputForm::Json => output::json(&rows)?,
        OutputForm::Text => rows.iter().try_for_each(|row| {
            let layers = super::prune::count(row.layers.len(), "layer");
            output::data(&format!("removed {}, {layers} deleted\n", row.name))
        })?,
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.into()) }
}

/// An argument: a name or an id.
enum Named {
    Id(ImageId),
    Name(SealerName),
}

impl Named {
    fn parse(text: &str) -> Result<Self, Failed> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        text.parse().map(Self::Name).map_err(Failed::usage)
    }

    fn remove(&self, store: &Store, platforms: &[Platform]) -> Result<Row, StoreError> {
        match self {
            Self::Id(id) => by_id(store, *id),
            Self::Name(name) => by_name(store, name, platforms),
        }
    }
}

fn by_id(store: &Store, id: ImageId) -> Result<Row, StoreError> {
    let found = store.find_by_id(&id)?;
    let image = match &found[..] {
        [] => return Err(StoreError::NoImage(id.to_string())),
        [image] => image,
        [..] => return Err(StoreError::Ambiguous(id)),
    };
    let removed = store.remove(&image.name, Some(&image.document.image().platform))?;
    Ok(row(&image.name, [removed]))
}

fn by_name(store: &Store, name: &SealerName, platforms: &[Platform]) -> Result<Row, StoreError> {
    if platforms.is_empty() {
        return Ok(row(name, [store.remove(name, None)?]));
    }
    let there = store.platforms(name)?;
    if let Some(platform) = platforms.iter().find(|platform| !there.is_empty() && !there.contains(platform)) {
        let there = there.iter().map(ToString::to_string).collect();
        return Err(StoreError::NoPlatform { image: name.to_string(), platform: platform.clone(), there });
    }
    let removed = platforms.iter().map(|platform| store.remove(name, Some(platform)));
    Ok(row(name, removed.collect::<Result<Vec<_>, _>>()?))
}

fn row(name: &SealerName, removed: impl IntoIterator<Item = Removed>) -> Row {
    let mut row = Row { name: name.to_string(), images: Vec::new(), layers: Vec::new() };
    for Removed { images, layers } in removed {
        row.images.extend(images);
        row.layers.extend(layers);
    }
    row
}
