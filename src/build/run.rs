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

/// Why a build of this Kubefile cannot succeed here, whatever it is given, and the bytes of the instruction that says so.
pub fn obstacle(kubefile: &Kubefile) -> Option<(Span, Failure)> {
    let (_, first) = kubefile.runs().next()?;
    (!is_root()).then(|| {
        let message = "RUN needs root: it mounts the layers over each other";
        let failure = Failure::new(FailureKind::Failed, message);
        (first, failure.with_help("build as root, or make beforehand what it makes and COPY that"))
    })
}

/// Carries out one RUN over the layers `lower`, and gives the folder with what it changed.
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
            "RUN {}: `{name}` is no ARG, so `${name}` is replaced by nothing; a shell's own variables stay in single \
             quotes, as in `sh -c '…'`",
            shortened(value)
        );
        observer.event(Event::Warning { message });
    }
    let upper = workspace.folder()?;
    // What is its top folder for us is the root folder for the command, which may give up its rights.
    upper.dir().set_own_mode(0o755)?;
    let scratch = workspace.folder()?;
    let run = OverlayRun { lower, upper: upper.path(), scratch: scratch.dir(), command: &text };
    let what = format!("RUN {}", shortened(value));
    mount::run(&run, &|line| observer.event(Event::Output { what: what.clone(), line })).map_err(|error| {
        let mut failure = Failure::of(&error);
        if !error.last_lines().is_empty() {
            failure.causes.push(format!("it said last:\n{}", error.last_lines().join("\n")));
        }
        failure
    })?;
    Ok(upper)
}
