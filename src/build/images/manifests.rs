//! Manifests, and templates of them.

use std::collections::BTreeSet;

use crate::manifests::{Finding, Form, Mention, Problem, Scan, scan};
use crate::rootfs::Tree;
use crate::types::{Failure, FailureKind};

use super::super::{BuildFailure, BuildPlace, Origin};
use super::list;
use super::wanted::{Doubt, has_extension};

/// The images of one manifest, and its mistakes.
pub(super) struct Searched {
    pub(super) mentions: Vec<Mention>,
    pub(super) failures: Vec<BuildFailure>,
    pub(super) doubts: Vec<Doubt>,
}

/// Searches a manifest, or a template of one. The image of a container must be a reference, else the container would
/// never start: that is a failure. A string that may mean something else is a doubt. The closure check reports wrong
/// references to `registry`.
pub(super) fn search(bytes: &[u8], form: Form, origin: &Origin, registry: &str, is_rendered: bool) -> Searched {
    let scanned = scan(bytes, &Scan { form, registry, listed: &BTreeSet::new() });
    let mut searched = Searched { mentions: scanned.mentions, failures: Vec::new(), doubts: Vec::new() };
    let start = format!("{registry}/");
    for Finding { place, problem } in scanned.findings {
        let origin = origin.line(place.line);
        match problem {
            Problem::NotAReference { text, .. } if !is_rendered && text.trim_start().starts_with(&start) => {}
            Problem::NotAReference { is_container: true, why, .. } => {
                searched.failures.push(failure(&origin, &why));
            }
            Problem::Utf16 => {
                let message = "it is UTF-16, which Kubernetes does not read; convert it to UTF-8";
                searched.failures.push(failure(&Origin { line: None, ..origin }, message));
            }
            problem => {
                let then = format!("if it is an image, list it in {}", list::LIST);
                let doubt = problem.doubt(&then).map(|message| Doubt { origin: Some(origin), message });
                searched.doubts.extend(doubt);
            }
        }
    }
    searched
}

/// The failure for something that cannot be used.
fn failure(origin: &Origin, message: &str) -> BuildFailure {
    BuildFailure { at: BuildPlace::Origin(origin.clone()), failure: Failure::new(FailureKind::Invalid, message) }
}

/// Failures for entries below `manifests/` that should be searched by their name, but are not regular files or have a
/// name that is not UTF-8; and for a folder in the place of the list.
pub(super) fn not_searched(tree: &Tree) -> Vec<BuildFailure> {
    let whole = |failure| BuildFailure { at: BuildPlace::Whole, failure };
    let mut failures = Vec::new();
    for path in &tree.passed_over {
        let name = path.to_string_lossy();
        if name == list::LIST || has_extension(&name, &["yaml", "yml", "tmpl"]) {
            let message =
                format!("{name} cannot be searched for images: it is not a regular file, or its name is not UTF-8");
            let failure = Failure::new(FailureKind::Failed, message);
            failures.push(whole(failure.with_help("replace it with the file itself")));
        }
    }
    if tree.files.iter().any(|(path, _)| path.parent().is_some_and(|folder| folder.as_str() == list::LIST)) {
        let message = format!("{} is a folder, expected the list", list::LIST);
        let help = "COPY puts a file below its destination: name the file imageList and `COPY imageList manifests`";
        failures.push(whole(Failure::new(FailureKind::Failed, message).with_help(help)));
    }
    failures
}
