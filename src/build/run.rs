//! RUN: a command of the build machine over the root file system so far.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::disk::is_root;
use crate::kubefile::{Kubefile, Replaced, replace_args};
use crate::mount::{self, OverlayRun};
use crate::store::StagedFolder;
use crate::syntax::shortened;
use crate::types::{Event, Failure, FailureKind, Observer, Span};

use super::Workspace;

/// Why a build of this Kubefile can never succeed here, with the bytes of the instruction.
pub(crate) fn obstacle(kubefile: &Kubefile) -> Option<(Span, Failure)> {
    let (_, first) = kubefile.runs().next()?;
    (!is_root()).then(|| {
        let message = "RUN needs root: it mounts the layers over each other";
        let failure = Failure::new(FailureKind::Failed, message);
        (first, failure.with_help("build as root, or run the command yourself before the build and COPY its result"))
    })
}

/// Executes one RUN over the layers `lower`, and returns the folder with its changes.
pub(super) fn run(
    value: &str,
    args: &BTreeMap<String, String>,
    lower: &[PathBuf],
    workspace: &Workspace<'_>,
    observer: &dyn Observer,
) -> Result<StagedFolder, Failure> {
    let Replaced { text, unknown } = replace_args(value, args);
    for name in unknown {
        let message = format!(
            "RUN {}: `{name}` is not an ARG, so `${name}` is replaced by nothing; put the shell's own variables in \
             single quotes, as in `sh -c '…'`",
            shortened(value)
        );
        observer.event(Event::Warning { message });
    }
    let upper = workspace.folder()?;
    // Our top folder is the command's root folder, and the command may drop its privileges.
    upper.dir().set_own_mode(0o755)?;
    let scratch = workspace.folder()?;
    let run = OverlayRun { lower, upper: upper.path(), scratch: scratch.dir(), command: &text };
    let what = format!("RUN {}", shortened(value));
    mount::run(&run, &|line| observer.event(Event::Output { what: what.clone(), line })).map_err(|error| {
        let mut failure = Failure::of(&error);
        if !error.last_lines().is_empty() {
            failure.causes.push(format!("its last output:\n{}", error.last_lines().join("\n")));
        }
        failure
    })?;
    Ok(upper)
}
