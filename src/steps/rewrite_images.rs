//! `rewriteImages`: points image references in manifests to another registry.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::context::{Context, Matching};
use super::manifest::{bad_manifest, scan, warn_of};
use super::resolver::{EXPECTED_REGISTRY, Resolver, is_false, registry_host};
use super::step::{FieldPaths, Planned, StepFiles, Written};
use super::work::{Outcome, StepFailure, Tools};
use crate::document::{Sink, Spanned, Text, some_paths};
use crate::types::{ContextPath, Diagnostic, ImageRef, ImageSource, Route, Span, glob_set};

/// Points image references in Kubernetes manifests from `<registry>/<repository>:<tag>` to `<to>/<repository>:<tag>`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"paths": ["etc/tigera-operator.yaml"], "to": "sea.hub:5000"}))]
pub struct RewriteImages {
    /// Globs of the manifests.
    #[schemars(length(min = 1), example = ["etc/tigera-operator.yaml"])]
    pub paths: Vec<Text>,
    /// The registry to point to, `HOST` or `HOST:PORT`.
    #[schemars(example = &"sea.hub:5000")]
    pub to: Text,
    /// Globs of the complete references (`docker.io/library/nginx:latest`) to rewrite; default: all.
    #[serde(default)]
    #[schemars(example = ["docker.io/calico/*"])]
    pub from: Option<Vec<Text>>,
    /// Globs of the complete references that stay as they are.
    #[serde(default)]
    #[schemars(example = ["docker.io/library/*"])]
    pub ignore: Vec<Text>,
    /// How many references must be rewritten.
    #[serde(default)]
    #[schemars(example = 1)]
    pub expect: Option<Spanned<u32>>,
    /// It is fine if there is nothing to rewrite.
    #[serde(default)]
    pub optional: bool,
}

/// Points image references to another registry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedRewriteImages {
    /// Globs of the manifests.
    pub paths: Vec<String>,
    /// The registry.
    pub to: String,
    /// Globs of the complete references to rewrite; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// Globs of the complete references that stay as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// How many must be rewritten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<u32>,
    /// It is fine if there is nothing to rewrite.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

impl Written for RewriteImages {
    type Planned = PlannedRewriteImages;

    fn check(&mut self, at: Span, sink: &Sink) {
        some_paths(&self.paths, at, sink);
    }

    fn resolve(&self, _: Span, route: &Route, resolver: &mut Resolver<'_>) -> Option<PlannedRewriteImages> {
        let paths = resolver.globs(&self.paths, &route.then("paths"));
        let to = resolver.render(&self.to, &route.then("to"));
        if let Some(mistake) = to.as_deref().and_then(registry_host) {
            resolver.mistakes.push(Diagnostic::error(self.to.span, mistake).with_label(EXPECTED_REGISTRY));
        }
        let from = resolver.globs(self.from.as_deref().unwrap_or_default(), &route.then("from"));
        let ignore = resolver.globs(&self.ignore, &route.then("ignore"));
        let expect = self.expect.as_ref().map(|expect| {
            resolver.mark(&route.then("expect"), expect.span);
            expect.value
        });
        let (paths, to, from, ignore) = (paths?, to?, from?, ignore?);
        Some(PlannedRewriteImages { paths, to, from, ignore, expect, optional: self.optional })
    }
}

impl Planned for PlannedRewriteImages {
    const NAME: &str = "rewriteImages";

    fn files(&self) -> StepFiles<'_> {
        let paths = || FieldPaths::list("paths", &self.paths);
        StepFiles { found: paths(), written: paths(), ..StepFiles::new(self.optional) }
    }

    fn run(&self, context: &Context, tools: &Tools<'_>) -> Result<Outcome, StepFailure> {
        let Matching { files, unmatched } = context.matching(&self.paths)?;
        if !unmatched.is_empty() && !self.optional {
            return Err(StepFailure::unmatched("paths", &self.paths, &unmatched));
        }
        if files.is_empty() {
            return Ok(Outcome::Skipped(format!("no file of the context matches {}", quoted(&unmatched))));
        }
        let (from, ignore) = (glob_set(&self.from), glob_set(&self.ignore));
        let wanted = |image: &ImageRef| {
            let name = image.to_string();
            let is_wanted = (self.from.is_empty() || from.is_match(&name)) && !ignore.is_match(&name);
            // A list left this out: it is not an image, and no registry would have it.
            is_wanted && !tools.sources.is_refused(&ImageSource::Registry(image.clone()), tools.platform)
        };
        let mut read: Vec<(&ContextPath, Vec<u8>)> = Vec::new();
        for file in &files {
            read.extend(context.read(file)?.map(|bytes| (file, bytes)));
        }
        // One file may name an image clearly, and another file may name it so that only an image list decides.
        let mut listed: BTreeSet<ImageRef> = tools.listed(context);
        for (file, bytes) in &read {
            let scanned = scan(file, bytes, tools.cluster_registry, &listed);
            listed.extend(scanned.mentions.into_iter().map(|mention| mention.image));
        }
        let mut changes = Vec::new();
        let mut edited = Vec::new();
        for (file, bytes) in &read {
            let scanned = scan(file, bytes, tools.cluster_registry, &listed);
            let rewritten = scanned.rewrite(&self.to, &wanted).map_err(|error| bad_manifest("paths", file, error))?;
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
        if count == 0 && !self.optional && self.expect.is_none() {
            let message = format!("no image reference in {} needs to be rewritten", quoted(&self.paths));
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
