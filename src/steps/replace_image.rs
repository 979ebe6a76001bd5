//! `replaceImage`: writes an image, straight from its registry, as an archive that `docker load` reads.

use std::io::Write;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::context::Context;
use super::resolver::{Resolver, is_false};
use super::step::{Planned, StepFiles, Written};
use super::work::{InField, Outcome, StepFailure, Tools, not_there};
use crate::document::Text;
use crate::image::write_docker_archive;
use crate::sources::Need;
use crate::types::{ContextPath, Diagnostic, ImageRef, ImageSource, Platform, Route, Span};

const UNFINISHED: &str = "image.tar";

/// Writes an image for the platform, straight from its registry, as an archive that `docker load` reads.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"path": "images/registry.tar", "image": "registry:2.7.1"}))]
pub struct ReplaceImage {
    /// The archive in the context.
    #[schemars(example = &"images/registry.tar")]
    pub path: Text,
    /// The image; `docker-daemon:NAME` is one that only the local Docker engine has.
    #[schemars(example = &"registry:2.7.1")]
    pub image: Text,
    /// The name that `docker load` gives it; default: `image`, without `docker-daemon:`.
    #[serde(default, rename = "as")]
    #[schemars(example = &"registry:2.7.1")]
    pub as_name: Option<Text>,
    /// It is fine if there is nothing to replace.
    #[serde(default)]
    pub optional: bool,
}

/// Writes an image as an archive that `docker load` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedReplaceImage {
    /// The archive in the context.
    pub path: ContextPath,
    /// The image.
    pub image: ImageSource,
    /// The name that the archive gives it.
    #[serde(rename = "as")]
    pub tag: ImageRef,
    /// It is fine if there is nothing to replace.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

impl Written for ReplaceImage {
    type Planned = PlannedReplaceImage;

    fn resolve(&self, _: Span, route: &Route, resolver: &mut Resolver<'_>) -> Option<PlannedReplaceImage> {
        let path = resolver.changed_file(&self.path, &route.then("path"));
        let image: Option<ImageSource> = resolver.parsed(&self.image, &route.then("image"));
        let tag = if let Some(text) = &self.as_name {
            let parsed: Option<ImageSource> = resolver.parsed(text, &route.then("as"));
            parsed.and_then(|name| load_tag(&name, text.span, resolver))
        } else {
            // Only the name counts, not the place that the image comes from.
            let name = image.as_ref().map(|image| ImageSource::Registry(image.reference().clone()));
            name.and_then(|name| load_tag(&name, self.image.span, resolver))
        };
        Some(PlannedReplaceImage { path: path?, image: image?, tag: tag?, optional: self.optional })
    }
}

/// The name that an archive gives its image; it has a tag.
fn load_tag(name: &ImageSource, span: Span, resolver: &mut Resolver<'_>) -> Option<ImageRef> {
    let reference = match name {
        ImageSource::Registry(reference) => reference,
        ImageSource::Engine(reference) => {
            let message =
                format!("`{name}` says where an image comes from, but `as` is only the name that the image gets");
            let help = format!("write `as: {}`", reference.familiar());
            resolver.mistakes.push(Diagnostic::error(span, message).with_help(help));
            return None;
        }
    };
    if reference.tag().is_none() {
        let message = format!("`{reference}` has no tag for `docker load` to give");
        resolver.mistakes.push(Diagnostic::error(span, message).with_help("give it one with `as: NAME:TAG`"));
        return None;
    }
    Some(reference.clone())
}

impl Planned for PlannedReplaceImage {
    const NAME: &str = "replaceImage";

    fn files(&self) -> StepFiles<'_> {
        StepFiles::edited(&self.path, self.optional)
    }

    fn needs(&self, platform: &Platform) -> Vec<(Route, Need)> {
        vec![(Route::stage().then("image"), Need::Image(self.image.clone(), platform.clone()))]
    }

    fn replaces_archives(&self) -> bool {
        true
    }

    fn run(&self, context: &Context, tools: &Tools<'_>) -> Result<Outcome, StepFailure> {
        if context.open(&self.path)?.is_none() {
            return not_there(&self.path, self.optional, context);
        }
        let pulled = tools
            .sources
            .image(&self.image, tools.platform)
            .map_err(|failure| StepFailure { at: Route::stage().then("image"), failure })?;
        let mut file = std::io::BufWriter::with_capacity(1 << 18, context.scratch_file(UNFINISHED)?);
        write_docker_archive(&pulled, tools.sources.cache(), &self.tag, context.epoch(), &mut file)
            .in_field("image")?;
        file.flush().in_field("path")?;
        drop(file);
        let done = format!("{} is {}", self.tag.familiar(), pulled.root().digest);
        let changed = context.put_scratch(UNFINISHED, &self.path)?;
        Ok(if changed { Outcome::Changed(done) } else { Outcome::Unchanged(done) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::steps::tests::World;
    use crate::types::FailureKind;

    #[test]
    fn an_archive_becomes_another_image_s() {
        let world = World::with_sandbox().file("images/registry.tar", "old", 0o600);
        let step = |path: &str, image: &str, optional: bool| json!({"replaceImage": {"path": path, "image": image, "as": "docker.io/library/registry:mine", "optional": optional}});
        let image = "docker.io/library/registry:2.7.1";
        let first = world.try_run(step("images/registry.tar", image, false)).unwrap();
        assert!(matches!(&first, Outcome::Changed(line) if line.starts_with("registry:mine is sha256:")), "{first:?}");
        let second = world.try_run(step("images/registry.tar", image, false)).unwrap();
        assert!(matches!(second, Outcome::Unchanged(_)));
        let context = world.context();
        assert!(context[1].starts_with("images/registry.tar 0600 1000 ") && context.len() == 2, "{context:?}");
        insta::assert_snapshot!(world.run(step("registry.tar", image, false)), @"
        path: Failed: error: `registry.tar` is not in the context
          help: did you mean `images/registry.tar`?
        ");
        insta::assert_snapshot!(world.run(step("registry.tar", image, true)), @r#"Skipped("`registry.tar` is not in the context")"#);
        let failure = world.try_run(step("images/registry.tar", "docker.io/library/registry:9", true)).unwrap_err();
        assert_eq!((failure.at.to_string().as_str(), failure.failure.kind), ("image", FailureKind::Verification));
    }
}
