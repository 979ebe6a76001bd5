//! `sealer save`

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::store::{Saved, Store, StoredImage};
use crate::types::{Event, SealerName};

use super::failure::Failed;
use super::globals::Globals;
use super::out_file::OutFile;
use super::platforms::PlatformArgs;
use super::progress;

#[derive(Debug, Args)]
pub(super) struct SaveArgs {
    /// The image's name
    #[arg(value_name = "NAME")]
    name: String,
    /// The archive; in a folder it is named after the image
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    platforms: PlatformArgs,
}

pub(super) fn run(args: &SaveArgs, globals: &Globals) -> Result<(), Failed> {
    let name: SealerName = args.name.parse().map_err(Failed::usage)?;
    let store = Store::open(&globals.root()?);
    let images = store.find_all(&name, &args.platforms.named())?;
    let observer = globals.observer();
    let title = title(&args.name, &name);
    let file = target(&args.output, &name);
    let warnings = write(&store, images, &title, &file)?.warnings;
    for message in warnings {
        observer.event(Event::Warning { message });
    }
    // An archive that goes to stdout must not be followed by anything.
    if !globals.quiet {
        progress::note(&format!("saved {name} to {}", file.display()));
    }
    Ok(())
}

/// The name as it was typed, with its tag.
fn title(typed: &str, name: &SealerName) -> String {
    match name.reference().tag() {
        Some(tag) if !typed.ends_with(&format!(":{tag}")) => format!("{typed}:{tag}"),
        Some(_) | None => typed.to_owned(),
    }
}

/// The file to write: in a folder under the image's name.
fn target(output: &Path, name: &SealerName) -> PathBuf {
    if output.is_dir() { output.join(format!("{}.tar", name.familiar().replace('/', "_"))) } else { output.to_owned() }
}

fn write(store: &Store, images: Vec<StoredImage>, title: &str, file: &Path) -> Result<Saved, Failed> {
    let out = OutFile::open(file)?;
    let mut buffered = BufWriter::with_capacity(256 * 1024, out.file());
    let saved = store.save(images, title, &mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    out.finish()?;
    Ok(saved)
}
