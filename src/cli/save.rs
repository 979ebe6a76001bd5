//! `sealer save`

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use fs_err::File;

use crate::disk::{Dir, DiskError, Unfinished};
use crate::store::{Saved, Store, StoreError, StoredImage};
use crate::words::{Event, FailureKind, SealerName};

use super::failure::Failed;
use super::globals::Globals;
use super::output;
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
    let name: SealerName = args.name.parse().map_err(|error| Failed::Usage(format!("{error}")))?;
    let store = Store::open(&globals.root()?);
    let images = store.find_all(&name, &args.platforms.named()).map_err(|error| of_store(&error))?;
    let observer = progress::observer(globals);
    let title = title(&args.name, &name);
    let file = target(&args.output, &name)?;
    let warnings = write(&store, images, &title, &file)?.warnings;
    for message in warnings {
        observer.event(Event::Warning { message });
    }
    // An archive that goes to stdout must not be followed by anything.
    if !globals.quiet {
        output::note(&format!("saved {name} to {}", file.display()));
    }
    Ok(())
}

fn of_store(error: &StoreError) -> Failed {
    Failed::from_error(error.kind(), error)
}

/// The name as it was typed, with its tag.
fn title(typed: &str, name: &SealerName) -> String {
    match name.reference().tag() {
        Some(tag) if !typed.ends_with(&format!(":{tag}")) => format!("{typed}:{tag}"),
        Some(_) | None => typed.to_owned(),
    }
}

/// The file to write: through links, and in a folder under the image's name.
fn target(output: &Path, name: &SealerName) -> Result<PathBuf, Failed> {
    let failed = |error: std::io::Error| Failed::from_error(FailureKind::Failed, &error);
    if output.is_dir() {
        return Ok(output.join(format!("{}.tar", name.familiar().replace('/', "_"))));
    }
    // What is no file, a pipe say, is written under the name that it was given.
    if output.is_symlink() && output.is_file() {
        return fs_err::canonicalize(output).map_err(failed);
    }
    Ok(output.to_owned())
}

/// Writes the archive beside its place and puts it there when it is whole; a pipe or device is written as it is.
fn write(store: &Store, images: Vec<StoredImage>, title: &str, file: &Path) -> Result<Saved, Failed> {
    let failed = |error: std::io::Error| Failed::from_error(FailureKind::Failed, &error);
    if fs_err::metadata(file).is_ok_and(|there| !there.is_file()) {
        let out = fs_err::OpenOptions::new().write(true).open(file).map_err(failed)?;
        return store.save(images, title, BufWriter::with_capacity(256 * 1024, out)).map_err(|error| of_store(&error));
    }
    let Some(own) = file.file_name() else {
        return Err(Failed::Usage(format!("`{}` is no name of a file", file.display())));
    };
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    let on_disk = |error: DiskError| Failed::from_error(error.kind(), &error);
    let folder = Dir::open(folder).map_err(on_disk)?;
    let unfinished = Unfinished::create(&folder, own).map_err(on_disk)?;
    let saved = save(store, images, title, unfinished.file())?;
    unfinished.finish().map_err(on_disk)?;
    Ok(saved)
}

fn save(store: &Store, images: Vec<StoredImage>, title: &str, out: &File) -> Result<Saved, Failed> {
    let mut out = BufWriter::with_capacity(256 * 1024, out);
    let saved = store.save(images, title, &mut out).map_err(|error| of_store(&error))?;
    out.flush().map_err(|error| Failed::from_error(FailureKind::Failed, &error))?;
    Ok(saved)
}
