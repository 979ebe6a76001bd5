//! Manifests, and templates of them.

use crate::edit::{
    FoundImage, NoImage, find_image_templates, find_image_words_in_text, find_images, find_images_in_text,
    find_no_images,
};
use crate::rootfs::Tree;
use crate::words::{Event, Failure, FailureKind, ImageRef, Observer};

use super::super::{BuildFailure, BuildPlace};
use super::{has_extension, list};

/// The references of a manifest; `name` is what warnings call it.
pub(super) fn images(bytes: &[u8], name: &str, observer: &dyn Observer) -> Vec<FoundImage> {
    match find_images(bytes) {
        Ok(found) => {
            warn_of_templates(&String::from_utf8_lossy(bytes), name, observer);
            found
        }
        Err(error) => {
            let message = format!("{name} is no YAML and was searched as text: {error}");
            observer.event(Event::Warning { message });
            images_of_template(bytes, name, observer)
        }
    }
}

/// The references of a template, which is no YAML yet.
pub(super) fn images_of_template(bytes: &[u8], name: &str, observer: &dyn Observer) -> Vec<FoundImage> {
    let text = String::from_utf8_lossy(bytes);
    warn_of_templates(&text, name, observer);
    for FoundImage { reference, line, .. } in find_image_words_in_text(&text) {
        // A word that begins like YAML's other forms is the start of something else.
        let is_other = reference.starts_with(['{', '[', '|', '>', '&', '*', '!', '#']) || reference.is_empty();
        if let (false, Err(error)) = (is_other, reference.parse::<ImageRef>()) {
            warn_of_no_image(name, line, &error.to_string(), observer);
        }
    }
    find_images_in_text(&text)
}

/// What stands in a manifest where a reference does and is none: failures for containers of workloads, which would never
/// start; warnings for what may mean something else. `name` is what the messages call the file; `is_own` tells what points
/// to the image's own registry in a file that the closure searches too.
pub(super) fn no_images(
    bytes: &[u8],
    name: &str,
    is_own: &dyn Fn(&str) -> bool,
    observer: &dyn Observer,
) -> Vec<BuildFailure> {
    // What is no YAML was told of when it was searched.
    let found = find_no_images(bytes).unwrap_or_default();
    let templates = find_image_templates(&String::from_utf8_lossy(bytes));
    let mut failures = Vec::new();
    for none in found {
        let NoImage { text, line, is_container, why } = &none;
        if none.is_template() {
            if templates.iter().all(|told| told.line != *line) {
                warn_of_template(name, *line, text, observer);
            }
            continue;
        }
        if is_own(text) {
            continue;
        }
        if *is_container {
            let failure = Failure::new(FailureKind::Invalid, format!("{name}:{line}: {why}"));
            failures.push(BuildFailure { at: BuildPlace::Whole, failure });
        } else {
            warn_of_no_image(name, *line, why, observer);
        }
    }
    failures
}

fn warn_of_no_image(name: &str, line: usize, why: &str, observer: &dyn Observer) {
    let message = format!("{name}:{line}: {why}; if it means one, list it in {}", list::LIST);
    observer.event(Event::Warning { message });
}

/// What image an expression means is only known when the cluster starts.
fn warn_of_templates(text: &str, name: &str, observer: &dyn Observer) {
    for FoundImage { reference, line, .. } in find_image_templates(text) {
        warn_of_template(name, line, &reference, observer);
    }
}

fn warn_of_template(name: &str, line: usize, reference: &str, observer: &dyn Observer) {
    let message = format!(
        "{name}:{line}: which image `{reference}` means is not known here, so it is not cached: list it in {}",
        list::LIST
    );
    observer.event(Event::Warning { message });
}

/// Failures for what is below `manifests/` and is no regular file, or whose name cannot be told, where its name says that
/// it asks for images; and for a folder where the list should be.
pub(super) fn not_searched(tree: &Tree) -> Vec<BuildFailure> {
    let whole = |failure| BuildFailure { at: BuildPlace::Whole, failure };
    let mut failures = Vec::new();
    for path in &tree.passed_over {
        let name = path.to_string_lossy();
        if name == list::LIST || has_extension(&name, &["yaml", "yml", "tmpl"]) {
            let message =
                format!("{name} cannot be searched for images: it is no regular file, or its name is no UTF-8");
            let failure = Failure::new(FailureKind::Failed, message);
            failures.push(whole(failure.with_help("put the file itself in its place")));
        }
    }
    if tree.files.iter().any(|(path, _)| path.parent().is_some_and(|folder| folder.as_str() == list::LIST)) {
        let message = format!("{} is a folder, expected the list", list::LIST);
        let help = "COPY puts a file below its destination: name the file imageList and `COPY imageList manifests`";
        failures.push(whole(Failure::new(FailureKind::Failed, message).with_help(help)));
    }
    failures
}
