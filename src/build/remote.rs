//! External files of a Kubefile, by URL.

use std::io;

use crate::disk::{Dir, FileTime, Way, is_root};
use crate::kubefile::{CopyDestination, CopySource, Instruction, Kubefile, RemoteFile};
use crate::sources::{Need, Sources};
use crate::types::{Epoch, Failure, FailureKind, Platform, Span};

/// The files that a Kubefile copies from URLs, each with the bytes of its COPY in the Kubefile. They must be fetched
/// before a build starts.
pub(crate) fn needs(kubefile: &Kubefile, platform: &Platform) -> Vec<(Span, Need)> {
    let mut needs = Vec::new();
    for (span, instruction) in &kubefile.instructions {
        match instruction {
            Instruction::Copy { source: CopySource::Remote(file), .. } => {
                // A word that is not a URL fails when it is copied.
                needs.extend(file.url(platform.architecture()).ok().map(|url| (*span, Need::File(url, None))));
            }
            Instruction::Copy { source: CopySource::Context(_), .. }
            | Instruction::Run { .. }
            | Instruction::Cmd { .. }
            | Instruction::Arg { .. } => {}
        }
    }
    needs
}

/// Fetches a file into `layer`: 0644, root's, with the constant time. It always lands below the destination, even if
/// the destination's last part is its name.
pub(super) fn fetch(
    file: &RemoteFile,
    destination: &CopyDestination,
    layer: &Dir,
    platform: &Platform,
    sources: &Sources,
    epoch: Epoch,
) -> Result<(), Failure> {
    let url = file.url(platform.architecture());
    let url = url.map_err(|error| Failure::new(FailureKind::Invalid, format!("`{file}` is not a URL: {error}")))?;
    let fetched = sources.file(&url, None)?;
    let time = FileTime::from(epoch);
    let name = file.file_name(platform.architecture());
    let way = Way::open(layer, destination.root(), time)?;
    let folder = way.folder();
    let mut target = folder.create_file(&name, 0o644)?;
    let copied = fetched.open().and_then(|mut source| io::copy(&mut source, &mut target));
    copied.map_err(|error| Failure { kind: FailureKind::of_read(&error), ..error.into() })?;
    if is_root() {
        folder.set_owner(&name, 0, 0)?;
    }
    folder.set_time(&name, time)?;
    Ok(way.finish()?)
}
