//! `rewriteImages`: points image references in manifests to another registry.

use std::collections::BTreeSet;

use super::context::Matching;
use super::{Context, Outcome, StepFailure, Tools, bad_manifest, glob_set, listed, scan, warn_of};
use crate::types::{ContextPath, ImageRef, ImageSource};

/// The step's fields.
pub(super) struct RewriteImages<'a> {
    pub(super) paths: &'a [String],
    pub(super) to: &'a str,
    pub(super) from: &'a [String],
    pub(super) ignore: &'a [String],
    pub(super) expect: Option<u32>,
}

impl RewriteImages<'_> {
    pub(super) fn run(&self, optional: bool, context: &Context, tools: &Tools<'_>) -> Result<Outcome, StepFailure> {
        let Matching { files, unmatched } = context.matching(self.paths)?;
        if !unmatched.is_empty() && !optional {
            return Err(StepFailure::unmatched("paths", self.paths, &unmatched));
        }
        if files.is_empty() {
            return Ok(Outcome::Skipped(format!("no file of the context matches {}", quoted(&unmatched))));
        }
        let (from, ignore) = (glob_set(self.from), glob_set(self.ignore));
        let wanted = |image: &ImageRef| {
            let name = image.to_string();
            let is_wanted = (self.from.is_empty() || from.is_match(&name)) && !ignore.is_match(&name);
            // What a list left out is no image, and nobody would have it.
            is_wanted && !tools.sources.is_refused(&ImageSource::Registry(image.clone()), tools.platform)
        };
        let mut read: Vec<(&ContextPath, Vec<u8>)> = Vec::new();
        for file in &files {
            read.extend(context.read(file)?.map(|bytes| (file, bytes)));
        }
        // What one file names for certain, another may name where only a list tells.
        let mut listed: BTreeSet<ImageRef> = listed(tools.stage_steps, context);
        for (file, bytes) in &read {
            let scanned = scan(file, bytes, tools.cluster_registry, &listed);
            listed.extend(scanned.mentions.into_iter().map(|mention| mention.image));
        }
        let mut changes = Vec::new();
        let mut edited = Vec::new();
        for (file, bytes) in &read {
            let scanned = scan(file, bytes, tools.cluster_registry, &listed);
            let rewritten = scanned.rewrite(self.to, &wanted).map_err(|error| bad_manifest("paths", file, &error))?;
            warn_of(&scanned, file, "it stays as it is", tools);
            let change = |change: &crate::manifests::ImageChange| {
                format!("{file}:{}: {} → {}", change.line, change.old, change.new)
            };
            changes.extend(rewritten.changes.iter().map(change));
            edited.push((file, rewritten.bytes));
        }
        let count = changes.len();
        if let Some(expect) = self.expect.filter(|expect| usize::try_from(*expect) != Ok(count)) {
            let message = format!("{count} references would be rewritten, expected {expect}");
            return Err(StepFailure::new("expect", message).with_help((count > 0).then(|| changes.join("; "))));
        }
        if count == 0 && !optional && self.expect.is_none() {
            let message = format!("no image reference in {} needs to be rewritten", quoted(self.paths));
            let help = format!("references that already point to `{}` stay as they are", self.to);
            return Err(StepFailure::new("paths", message).with_help(Some(help)));
        }
        for (file, bytes) in edited {
            context.put(file, &bytes)?;
        }
        Ok(if count == 0 {
            Outcome::Skipped("nothing to rewrite".to_owned())
        } else {
            Outcome::Changed(changes.join(", "))
        })
    }
}

fn quoted(globs: &[String]) -> String {
    globs.iter().map(|glob| format!("`{glob}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::tests::World;

    #[test]
    fn references_are_rewritten_or_it_is_said_why_not() {
        let pod = "image: nginx:1\n---\nimage: quay.io/x/y:2 # c\n";
        let mut log = Vec::new();
        for step in [
            json!({"paths": ["*.yaml"], "to": "sea.hub:5000"}),
            json!({"paths": ["a.yaml"], "to": "sea.hub:5000", "from": ["quay.io/**"], "expect": 1}),
            json!({"paths": ["a.yaml"], "to": "sea.hub:5000", "from": ["gcr.io/**"], "optional": true}),
            json!({"paths": ["a.yaml"], "to": "sea.hub:5000", "from": ["gcr.io/**"]}),
            json!({"paths": ["a.yaml"], "to": "sea.hub:5000", "expect": 3}),
            json!({"paths": ["a.yaml", "b.yaml"], "to": "sea.hub:5000"}),
            json!({"paths": ["b.yaml"], "to": "sea.hub:5000", "optional": true}),
        ] {
            let world = World::new().file("a.yaml", pod, 0o600);
            log.push(format!("{step}\n{}\n{}\n", world.run(json!({"rewriteImages": step})), world.context()[0]));
        }
        insta::assert_snapshot!(log.join("\n"), @r#"
        {"paths":["*.yaml"],"to":"sea.hub:5000"}
        Changed("a.yaml:1: nginx:1 → sea.hub:5000/library/nginx:1, a.yaml:3: quay.io/x/y:2 → sea.hub:5000/x/y:2")
        a.yaml 0600 1000 image: sea.hub:5000/library/nginx:1\n---\nimage: sea.hub:5000/x/y:2 # c\n

        {"paths":["a.yaml"],"to":"sea.hub:5000","from":["quay.io/**"],"expect":1}
        Changed("a.yaml:3: quay.io/x/y:2 → sea.hub:5000/x/y:2")
        a.yaml 0600 1000 image: nginx:1\n---\nimage: sea.hub:5000/x/y:2 # c\n

        {"paths":["a.yaml"],"to":"sea.hub:5000","from":["gcr.io/**"],"optional":true}
        Skipped("nothing to rewrite")
        a.yaml 0600 7 image: nginx:1\n---\nimage: quay.io/x/y:2 # c\n

        {"paths":["a.yaml"],"to":"sea.hub:5000","from":["gcr.io/**"]}
        paths: Failed: error: no image reference in `a.yaml` needs to be rewritten
          help: references that already point to `sea.hub:5000` stay as they are
        a.yaml 0600 7 image: nginx:1\n---\nimage: quay.io/x/y:2 # c\n

        {"paths":["a.yaml"],"to":"sea.hub:5000","expect":3}
        expect: Failed: error: 2 references would be rewritten, expected 3
          help: a.yaml:1: nginx:1 → sea.hub:5000/library/nginx:1; a.yaml:3: quay.io/x/y:2 → sea.hub:5000/x/y:2
        a.yaml 0600 7 image: nginx:1\n---\nimage: quay.io/x/y:2 # c\n

        {"paths":["a.yaml","b.yaml"],"to":"sea.hub:5000"}
        paths/1: Failed: error: no file of the context matches `b.yaml`
        a.yaml 0600 7 image: nginx:1\n---\nimage: quay.io/x/y:2 # c\n

        {"paths":["b.yaml"],"to":"sea.hub:5000","optional":true}
        Skipped("no file of the context matches `b.yaml`")
        a.yaml 0600 7 image: nginx:1\n---\nimage: quay.io/x/y:2 # c\n
        "#);
    }
}
