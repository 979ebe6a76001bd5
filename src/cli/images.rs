//! `sealer images`

use clap::Args;
use serde::Serialize;

use crate::store::{Store, StoredImage};
use crate::types::{Failure, Platform};

use super::failure::Failed;
use super::globals::Globals;
use super::output::{self, OutputForm, human_size};

#[derive(Debug, Args)]
pub(super) struct ImagesArgs {
    /// The form of the list
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

/// An image of the store, for machines.
#[derive(Serialize)]
struct Row {
    name: String,
    id: String,
    platform: Platform,
    /// RFC 3339.
    created: String,
    /// Bytes on disk.
    size: i64,
}

impl Row {
    fn of(stored: &StoredImage) -> Self {
        Self {
            name: stored.name.to_string(),
            id: stored.document.id().to_string(),
            platform: stored.document.image().platform.clone(),
            created: stored.created.clone(),
            size: stored.size,
        }
    }
}

pub(super) fn run(args: &ImagesArgs, globals: &Globals) -> Result<(), Failed> {
    let store = Store::open(&globals.root()?);
    let listing = store.images()?;
    let rows: Vec<Row> = listing.images.iter().map(Row::of).collect();
    match args.output {
        OutputForm::Json => output::json(&rows)?,
        OutputForm::Text => output::data(&table(&rows))?,
    }
    // Damaged images do not keep the others from being listed, but a script must hear of them.
    let failures: Vec<_> = listing
        .damaged
        .iter()
        .map(|damage| {
            let mut failure = Failure::of(&damage.error);
            failure.message = format!("`{}` is damaged: {}", damage.name, failure.message);
            failure.with_help("pull or load the image again")
        })
        .collect();
    if failures.is_empty() { Ok(()) } else { Err(failures.into()) }
}

/// The same columns as sealer: name, id, architecture, variant, date and size.
fn table(rows: &[Row]) -> String {
    let head = ["IMAGE NAME", "IMAGE ID", "ARCH", "VARIANT", "CREATE", "SIZE"].map(str::to_owned);
    let mut lines = vec![head];
    lines.extend(rows.iter().map(|row| {
        [
            row.name.clone(),
            row.id.clone(),
            row.platform.architecture().to_owned(),
            row.platform.variant().unwrap_or_default().to_owned(),
            row.created.chars().take(19).collect::<String>().replace('T', " "),
            human_size(u64::try_from(row.size).unwrap_or_default()),
        ]
    }));
    let mut widths = [0; 6];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for line in &lines {
        let cells: Vec<String> = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("   ").trim_end());
        text.push('\n');
    }
    text
}
