//! `imageList`: writes the list of images that the lite builder caches.

use crate::edit::find_images;
use crate::plan::{ListEntry, registry_path};
use crate::words::{ContextPath, FailureKind, ImageRef, ImageSource};

use super::{Context, Outcome, StepFailure, Tools};

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
    let done = if list.len() == 1 { "1 image".to_owned() } else { format!("{} images", list.len()) };
    Ok(if context.put(path, text.as_bytes())? { Outcome::Changed(done) } else { Outcome::Unchanged(done) })
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
        from: Failed: error: a.yaml:1: `docker.io/library/nginx:1` and `quay.io/library/nginx:1` fall on one path: the image's registry would hold only one as `library/nginx:1`
        own.yaml 0644 7 image: sea.hub:5000/x:1\n

        {"path":"list","images":[],"from":["own.yaml"]}
        from: Failed: error: own.yaml:1: `sea.hub:5000/x:1` is asked of the image's own registry, where nothing can be pulled from
          help: list the images before `rewriteImages` points them there
        own.yaml 0644 7 image: sea.hub:5000/x:1\n

        {"path":"list","images":[]}
        from: Failed: error: no image to list
        own.yaml 0644 7 image: sea.hub:5000/x:1\n
        "#);
    }
}
