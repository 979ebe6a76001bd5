//! `imageList`: writes the list of images that the lite builder caches.

use crate::edit::find_images;
use crate::plan::{ListEntry, Route, registry_path};
use crate::supply::Need;
use crate::words::{ContextPath, FailureKind, ImageRef, ImageSource, Platform};

use super::{Context, Outcome, StepFailure, Tools};

/// The images that the list names itself; those of manifests are known only when the step runs.
pub(super) fn needs(images: &[ListEntry], platform: &Platform) -> Vec<(Route, Need)> {
    let route = Route::stage().then("images");
    let need = |entry: &ListEntry| Need::Image(entry.image.clone(), platform.clone());
    images.iter().enumerate().map(|(index, entry)| (route.then(index), need(entry))).collect()
}

pub(super) fn run(
    path: &ContextPath,
    images: &[ListEntry],
    from: &[String],
    optional: bool,
    context: &Context,
    tools: &Tools<'_>,
) -> Result<Outcome, StepFailure> {
    let mut list: Vec<ImageSource> = images.iter().map(|entry| entry.image.clone()).collect();
    let manifests = context.matching(from)?;
    if !manifests.unmatched.is_empty() && !optional {
        return Err(StepFailure::unmatched("from", from, &manifests.unmatched));
    }
    for file in manifests.files {
        let Some(bytes) = context.read(&file)? else { continue };
        let found = find_images(&bytes).map_err(|error| {
            let mut failed = StepFailure::from_error("from", FailureKind::Failed, &error);
            failed.failure.message = format!("`{file}`: {}", failed.failure.message);
            failed
        })?;
        for found in found {
            let image: ImageRef = found
                .reference
                .parse()
                .map_err(|error| StepFailure::new("from", format!("{file}:{}: {error}", found.line)))?;
            if image.registry() == tools.cluster_registry {
                let message = format!(
                    "{file}:{}: `{image}` is asked of the image's own registry, where nothing can be pulled from",
                    found.line
                );
                let help = "list the images before `rewriteImages` points them there".to_owned();
                return Err(StepFailure::new("from", message).with_help(Some(help)));
            }
            let key = registry_path(&image);
            match list.iter().find(|known| registry_path(known.reference()) == key) {
                // Of an engine, too: it stands in for the registry that the manifest means.
                Some(known) if *known.reference() == image => {}
                Some(known) => {
                    let message = format!(
                        "{file}:{}: `{image}` and `{known}` fall on one path: the image's registry would hold only one as `{key}`",
                        found.line
                    );
                    return Err(StepFailure::new("from", message));
                }
                None => list.push(ImageSource::Registry(image)),
            }
        }
    }
    if list.is_empty() {
        let message = "no image to list".to_owned();
        return if optional { Ok(Outcome::Skipped(message)) } else { Err(StepFailure::new("from", message)) };
    }
    let text: String = list.iter().map(|image| image.familiar() + "\n").collect();
    let done = format!("{} images", list.len());
    Ok(if context.put(path, text.as_bytes())? { Outcome::Changed(done) } else { Outcome::Unchanged(done) })
}
