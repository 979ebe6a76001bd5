//! `imageList`: writes the list of images that the lite builder caches.

use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::context::Context;
use super::manifest::{bad_manifest, scan, warn_of};
use super::resolver::{Resolver, is_false};
use super::step::{Effect, FieldPaths, Planned, StepFiles, Written};
use super::work::{Outcome, StepFailure, Tools};
use crate::document::{Sink, Spanned, Text};
use crate::manifests::Mention;
use crate::sources::{LikelyImage, Need};
use crate::types::{
    ContextPath, Diagnostic, Failure, ImageRef, ImageSource, Platform, Route, Span, glob_set, registry_path,
};

/// Writes the list of images that the lite builder caches.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"images": ["quay.io/tigera/operator:v1.17.4", {"image": "calico/cni:v3.19.1", "for": "tigera operator"}]}))]
pub struct ImageList {
    /// The list's path in the context; default: `imageList`.
    #[serde(default)]
    #[schemars(example = &"imageList")]
    pub path: Option<Text>,
    /// The images.
    #[serde(default)]
    #[schemars(example = json!(["quay.io/tigera/operator:v1.17.4", {"image": "calico/cni:v3.19.1", "for": "tigera operator"}]))]
    pub images: Vec<Spanned<ListedImage>>,
    /// Globs of manifests in the context whose images are listed too.
    #[serde(default)]
    #[schemars(example = ["etc/*.yaml"])]
    pub from: Vec<Text>,
    /// Globs of the complete references (`docker.io/library/nginx:latest`) that `from` leaves out.
    #[serde(default)]
    #[schemars(example = ["argoproj.io/*"])]
    pub ignore: Vec<Text>,
    /// It is fine if the list is empty.
    #[serde(default)]
    pub optional: bool,
}

/// An image of a list: its reference. If no manifest asks for it: the reference and who needs it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = or_reference)]
pub struct ListedImage {
    /// The reference; `docker-daemon:NAME` is an image that only the local Docker engine has. The cluster gets it as
    /// `NAME`.
    #[schemars(example = &"calico/cni:v3.19.1")]
    pub image: Text,
    /// Who needs it, if no manifest asks for it.
    #[serde(default, rename = "for")]
    #[schemars(example = &"tigera operator")]
    pub needed_by: Option<Text>,
}

/// The parser also accepts the reference alone.
fn or_reference(schema: &mut Schema) {
    let description = schema.remove("description");
    let map = std::mem::take(schema);
    *schema = json_schema!({"anyOf": [{"type": "string", "description": "The reference."}, map]});
    schema.insert("description".to_owned(), description.unwrap_or_default());
}

/// Writes the list of images that the lite builder caches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedImageList {
    /// The list's path.
    pub path: ContextPath,
    /// The images, in order.
    pub images: Vec<ListEntry>,
    /// Globs of manifests whose images are listed too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// Globs of the complete references that they name and that are not listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// It is fine if the list is empty.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

/// An image of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListEntry {
    /// The image.
    pub image: ImageSource,
    /// Who needs it, if no manifest asks for it.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub needed_by: Option<String>,
}

impl Written for ImageList {
    type Planned = PlannedImageList;

    /// Accepts pasted lists: YAML reads each of their lines, `- calico/cni:v3.19.1`, as a string that starts with `- `.
    fn check(&mut self, _: Span, sink: &Sink) {
        for listed in &mut self.images {
            let image = &mut listed.value.image;
            let Some(reference) = image.value.strip_prefix("- ") else { continue };
            let reference = reference.trim().to_owned();
            sink.add(
                Diagnostic::warning(image.span, "the `- ` in front of the image is ignored")
                    .with_help(format!("write `{reference}`")),
            );
            image.value = reference;
        }
    }

    fn resolve(&self, at: Span, route: &Route, resolver: &mut Resolver<'_>) -> Option<PlannedImageList> {
        let path = match &self.path {
            Some(path) => resolver.changed_file(path, &route.then("path")),
            None => "imageList".parse().ok(),
        };
        if self.images.is_empty() && self.from.is_empty() && !self.optional {
            let message = "the list would be empty: neither `images` nor `from` names an image";
            resolver
                .mistakes
                .push(Diagnostic::error(at, message).with_help("write `optional: true` if that is what you want"));
        }
        let mut images = Vec::new();
        let mut seen: BTreeMap<String, (ImageSource, Span)> = BTreeMap::new();
        for (index, item) in self.images.iter().enumerate() {
            let route = route.then("images").then(index);
            let ListedImage { image, needed_by } = &item.value;
            // All are checked, so that all mistakes are found; after a mistake nothing of the step is used.
            let Some(reference) = resolver.parsed::<ImageSource>(image, &route) else { continue };
            resolver.mark(&route, image.span);
            let needed_by = match needed_by {
                Some(text) => Some(resolver.render(text, &route.then("for"))?),
                None => None,
            };
            let key = registry_path(reference.reference());
            if let Some((earlier, place)) = seen.get(&key) {
                let line = resolver.source.position(place.start).line;
                let mistake = if *earlier == reference {
                    Diagnostic::error(image.span, format!("`{reference}` is in the list twice"))
                        .with_label(format!("it is already in line {line}"))
                } else {
                    Diagnostic::error(image.span, format!("`{reference}` and `{earlier}` get the same path"))
                        .with_label(format!("the image's registry can hold only one of them, as `{key}`"))
                        .with_help(format!("the other one is in line {line}"))
                };
                resolver.mistakes.push(mistake);
            }
            seen.insert(key, (reference.clone(), image.span));
            images.push(ListEntry { image: reference, needed_by });
        }
        let from = resolver.globs(&self.from, &route.then("from"));
        let ignore = resolver.globs(&self.ignore, &route.then("ignore"));
        Some(PlannedImageList { path: path?, images, from: from?, ignore: ignore?, optional: self.optional })
    }
}

impl Planned for PlannedImageList {
    const NAME: &str = "imageList";

    fn files(&self) -> StepFiles<'_> {
        let (found, written) = (FieldPaths::list("from", &self.from), FieldPaths::one("path", &self.path));
        StepFiles { found, written, ..StepFiles::new(self.optional) }
    }

    fn effect(&self) -> Effect<'_> {
        Effect::MakesFile(&self.path)
    }

    /// The images of manifests are known only when the step runs.
    fn needs(&self, platform: &Platform) -> Vec<(Route, Need)> {
        let needs = self.images.iter().map(|entry| Need::Image(entry.image.clone(), platform.clone()));
        needs.enumerate().map(|(index, need)| (Route::stage().then("images").then(index), need)).collect()
    }

    fn needs_while_building(&self) -> bool {
        true
    }

    fn run(&self, context: &Context, tools: &Tools<'_>) -> Result<Outcome, StepFailure> {
        let mut list: Vec<ImageSource> = self.images.iter().map(|entry| entry.image.clone()).collect();
        let mut known: BTreeMap<String, ImageSource> =
            list.iter().map(|image| (registry_path(image.reference()), image.clone())).collect();
        for (file, mention) in self.mentions(context, tools)? {
            let image = &mention.image;
            let key = registry_path(image);
            match known.get(&key) {
                // An image of an engine counts, too: it replaces the one of the registry that the manifest means.
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
            return if self.optional { Ok(Outcome::Skipped(message)) } else { Err(StepFailure::new("from", message)) };
        }
        let text: String = list.iter().map(|image| image.familiar() + "\n").collect();
        let done = if list.len() == 1 { "1 image".to_owned() } else { format!("{} images", list.len()) };
        Ok(if context.put(&self.path, text.as_bytes())? { Outcome::Changed(done) } else { Outcome::Unchanged(done) })
    }
}

impl PlannedImageList {
    /// The images that the manifests name, without those that are ignored and without strings that only look like
    /// images.
    fn mentions(&self, context: &Context, tools: &Tools<'_>) -> Result<Vec<(ContextPath, Mention)>, StepFailure> {
        let manifests = context.matching(&self.from)?;
        if !manifests.unmatched.is_empty() && !self.optional {
            return Err(StepFailure::unmatched("from", &self.from, &manifests.unmatched));
        }
        let (ignore, listed) = (glob_set(&self.ignore), tools.listed(context));
        let mut found = Vec::new();
        for file in manifests.files {
            let Some(bytes) = context.read(&file)? else { continue };
            let scanned = scan(&file, &bytes, tools.cluster_registry, &listed);
            scanned.check().map_err(|error| bad_manifest("from", &file, error))?;
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

    /// Asks registries for strings that may not be images, and leaves out those that a registry refuses for good.
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
                // In a preview this is not known; only the real run finds it out.
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
