//! `imageList`: writes the list of images that the lite builder caches.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, Outcome, StepFailure, Tools, bad_manifest, glob_set, listed, scan, warn_of};
use crate::manifests::Mention;
use crate::plan::{ListEntry, Route, registry_path};
use crate::sources::LikelyImage;
use crate::types::{ContextPath, Failure, ImageRef, ImageSource};

/// The step's fields.
pub(super) struct List<'a> {
    pub(super) images: &'a [ListEntry],
    pub(super) from: &'a [String],
    pub(super) ignore: &'a [String],
}

impl List<'_> {
    pub(super) fn run(
        &self,
        path: &ContextPath,
        optional: bool,
        context: &Context,
        tools: &Tools<'_>,
    ) -> Result<Outcome, StepFailure> {
        let mut list: Vec<ImageSource> = self.images.iter().map(|entry| entry.image.clone()).collect();
        let mut known: BTreeMap<String, ImageSource> =
            list.iter().map(|image| (registry_path(image.reference()), image.clone())).collect();
        for (file, mention) in self.mentions(optional, context, tools)? {
            let image = &mention.image;
            let key = registry_path(image);
            match known.get(&key) {
                // Of an engine, too: it stands in for the registry that the manifest means.
                Some(known) if known.reference() == image => {}
                Some(known) => {
                    let message = format!(
                        "{file}:{}: `{image}` and `{known}` get the same path: the image's registry can hold only one \
                         of them, as `{key}`",
                        mention.place.line
                    );
                    return Err(StepFailure::new("from", message));
                }
                None => {
                    let image = ImageSource::Registry(image.clone());
                    known.insert(key, image.clone());
                    list.push(image);
                }
            }
        }
        if list.is_empty() {
            let message = "no image to list".to_owned();
            return if optional { Ok(Outcome::Skipped(message)) } else { Err(StepFailure::new("from", message)) };
        }
        let text: String = list.iter().map(|image| image.familiar() + "\n").collect();
        let done = if list.len() == 1 { "1 image".to_owned() } else { format!("{} images", list.len()) };
        Ok(if context.put(path, text.as_bytes())? { Outcome::Changed(done) } else { Outcome::Unchanged(done) })
    }

    /// What the manifests name, without what is ignored, and without what only looks like an image and is none.
    fn mentions(
        &self,
        optional: bool,
        context: &Context,
        tools: &Tools<'_>,
    ) -> Result<Vec<(ContextPath, Mention)>, StepFailure> {
        let manifests = context.matching(self.from)?;
        if !manifests.unmatched.is_empty() && !optional {
            return Err(StepFailure::unmatched("from", self.from, &manifests.unmatched));
        }
        let (ignore, listed) = (glob_set(self.ignore), listed(tools.stage_steps, context));
        let mut found = Vec::new();
        for file in manifests.files {
            let Some(bytes) = context.read(&file)? else { continue };
            let scanned = scan(&file, &bytes, tools.cluster_registry, &listed);
            scanned.check().map_err(|error| bad_manifest("from", &file, &error))?;
            warn_of(&scanned, &file, "it is not listed", tools);
            let wanted = scanned.mentions.into_iter().filter(|mention| !ignore.is_match(mention.image.to_string()));
            found.extend(wanted.map(|mention| (file.clone(), mention)));
        }
        if let Some((file, mention)) =
            found.iter().find(|(_, mention)| mention.image.registry() == tools.cluster_registry)
        {
            let message = format!(
                "{file}:{}: `{}` names the image's own registry, and nothing can be pulled from there",
                mention.place.line, mention.image
            );
            let help = "put `imageList` before the step `rewriteImages` that points the images there".to_owned();
            return Err(StepFailure::new("from", message).with_help(Some(help)));
        }
        self.without_refused(&mut found, tools)?;
        Ok(found)
    }

    /// Asks for what may be no image, and leaves out what its registry refuses for good.
    fn without_refused(&self, found: &mut Vec<(ContextPath, Mention)>, tools: &Tools<'_>) -> Result<(), StepFailure> {
        let certain = found.iter().filter(|(_, mention)| mention.is_certain).map(|(_, mention)| &mention.image);
        let sure: BTreeSet<ImageRef> =
            self.images.iter().map(|entry| entry.image.reference()).chain(certain).cloned().collect();
        let doubtful = found.iter().filter(|(_, mention)| !sure.contains(&mention.image));
        let doubtful: BTreeSet<ImageSource> =
            doubtful.map(|(_, mention)| ImageSource::Registry(mention.image.clone())).collect();
        let doubtful: Vec<ImageSource> = doubtful.into_iter().collect();
        let answers = tools.sources.likely_images(&doubtful, tools.platform);
        let answers: BTreeMap<&ImageRef, LikelyImage> =
            doubtful.iter().map(ImageSource::reference).zip(answers).collect();
        let mut failures = Vec::new();
        found.retain(|(file, mention)| {
            let place = format!("{file}:{}", mention.place.line);
            match answers.get(&mention.image) {
                Some(LikelyImage::Refused { why, .. }) => {
                    tools.warn(format!(
                        "{place}: {} `{}` looks like an image, but {why}, so it is not listed; add it to `images` if \
                         it is an image, else to `ignore`",
                        mention.kind, mention.reference
                    ));
                    false
                }
                // In a preview it is what only the work finds out.
                Some(LikelyImage::Failed(failure)) if !tools.is_preview => {
                    let message = format!("{place}: {}", failure.message);
                    failures.push(Failure { message, ..failure.clone() });
                    true
                }
                Some(LikelyImage::Image(_) | LikelyImage::Failed(_)) | None => true,
            }
        });
        let mut failures = failures.into_iter();
        let Some(first) = failures.next() else { return Ok(()) };
        let failure = failures.fold(first, |first, other| first.with_help(format!("the next one: {}", other.message)));
        Err(StepFailure { at: Route::stage().then("from"), failure })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::tests::World;

    #[test]
    fn lists_are_written_or_it_is_said_why_not() {
        let world = || {
            World::new().file("a.yaml", "image: nginx:1\n", 0o644).file("own.yaml", "image: sea.hub:5000/x:1\n", 0o644)
        };
        let mut log = Vec::new();
        let calico = json!([{"image": "docker.io/calico/cni:v1", "for": "x"}]);
        let nginx = json!([{"image": "quay.io/library/nginx:1"}]);
        for step in [
            json!({"path": "list", "images": calico, "from": ["a.yaml"]}),
            json!({"path": "m/list", "images": [], "optional": true}),
            json!({"path": "list", "images": calico, "from": ["b.yaml"], "optional": true}),
            json!({"path": "list", "images": calico, "from": ["b.yaml"]}),
            json!({"path": "list", "images": nginx, "from": ["a.yaml"]}),
            json!({"path": "list", "images": [], "from": ["own.yaml"]}),
            json!({"path": "list", "images": []}),
        ] {
            let world = world();
            let outcome = world.run(json!({"imageList": step}));
            log.push(format!("{step}\n{outcome}\n{}\n", world.context()[1..].join("\n")));
        }
        insta::assert_snapshot!(log.join("\n"), @r#"
        {"path":"list","images":[{"image":"docker.io/calico/cni:v1","for":"x"}],"from":["a.yaml"]}
        Changed("2 images")
        list 0644 1000 calico/cni:v1\nnginx:1\n
        own.yaml 0644 7 image: sea.hub:5000/x:1\n

        {"path":"m/list","images":[],"optional":true}
        Skipped("no image to list")
        own.yaml 0644 7 image: sea.hub:5000/x:1\n

        {"path":"list","images":[{"image":"docker.io/calico/cni:v1","for":"x"}],"from":["b.yaml"],"optional":true}
        Changed("1 image")
        list 0644 1000 calico/cni:v1\n
        own.yaml 0644 7 image: sea.hub:5000/x:1\n

        {"path":"list","images":[{"image":"docker.io/calico/cni:v1","for":"x"}],"from":["b.yaml"]}
        from/0: Failed: error: no file of the context matches `b.yaml`
        own.yaml 0644 7 image: sea.hub:5000/x:1\n

        {"path":"list","images":[{"image":"quay.io/library/nginx:1"}],"from":["a.yaml"]}
        from: Failed: error: a.yaml:1: `docker.io/library/nginx:1` and `quay.io/library/nginx:1` get the same path: the image's registry can hold only one of them, as `library/nginx:1`
        own.yaml 0644 7 image: sea.hub:5000/x:1\n

        {"path":"list","images":[],"from":["own.yaml"]}
        from: Failed: error: own.yaml:1: `sea.hub:5000/x:1` names the image's own registry, and nothing can be pulled from there
          help: put `imageList` before the step `rewriteImages` that points the images there
        own.yaml 0644 7 image: sea.hub:5000/x:1\n

        {"path":"list","images":[]}
        from: Failed: error: no image to list
        own.yaml 0644 7 image: sea.hub:5000/x:1\n
        "#);
    }
}
