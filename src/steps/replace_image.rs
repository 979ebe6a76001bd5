//! `replaceImage`: writes an image, straight from its registry, as an archive that `docker load` takes.

use std::io::Write;

use crate::image::write_docker_archive;
use crate::plan::Route;
use crate::types::{ContextPath, FailureKind, ImageRef, ImageSource, Reportable};

use super::{Context, Outcome, StepFailure, Tools, not_there};

const UNFINISHED: &str = "image.tar";

pub(super) fn run(
    path: &ContextPath,
    image: &ImageSource,
    tag: &ImageRef,
    optional: bool,
    context: &Context,
    tools: &Tools<'_>,
) -> Result<Outcome, StepFailure> {
    if context.open(path)?.is_none() {
        return not_there(path, optional, context);
    }
    let pulled = tools
        .sources
        .image(image, tools.platform)
        .map_err(|failure| StepFailure { at: Route::stage().then("image"), failure })?;
    let mut file = std::io::BufWriter::with_capacity(1 << 18, context.scratch_file(UNFINISHED)?);
    write_docker_archive(&pulled, tools.sources.cache(), tag, context.epoch(), &mut file)
        .map_err(|error| StepFailure::from_error("image", error.kind(), &error))?;
    file.flush().map_err(|error| StepFailure::from_error("path", FailureKind::Failed, &error))?;
    drop(file);
    let done = format!("{} is {}", tag.familiar(), pulled.root().digest);
    let changed = context.put_scratch(UNFINISHED, path)?;
    Ok(if changed { Outcome::Changed(done) } else { Outcome::Unchanged(done) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::steps::tests::World;

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
