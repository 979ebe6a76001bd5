//! `replaceImage`: writes an image, straight from its registry, as an archive that `docker load` takes.

use std::io::Write;

use crate::image::write_docker_archive;
use crate::plan::Route;
use crate::words::{ContextPath, FailureKind, ImageRef, ImageSource};

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
        .supply
        .image(image, tools.platform)
        .map_err(|failure| StepFailure { at: Route::stage().then("image"), failure })?;
    let mut file = std::io::BufWriter::with_capacity(1 << 18, context.scratch_file(UNFINISHED)?);
    write_docker_archive(&pulled, tools.supply.cache(), tag, context.epoch(), &mut file)
        .map_err(|error| StepFailure::from_error("image", error.kind(), &error))?;
    file.flush().map_err(|error| StepFailure::from_error("path", FailureKind::Failed, &error))?;
    drop(file);
    let done = format!("{} is {}", tag.familiar(), pulled.root().digest);
    let changed = context.put_scratch(UNFINISHED, path)?;
    Ok(if changed { Outcome::Changed(done) } else { Outcome::Unchanged(done) })
}
