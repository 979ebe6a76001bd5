//! All steps, one line each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::Context;
use super::image_list::PlannedImageList;
use super::resolver::Resolver;
use super::step::{Effect, Planned, StepFiles, Written};
use super::work::{Outcome, StepFailure, Tools};
use crate::document::{Sink, Spanned};
use crate::sources::Need;
use crate::types::{ContextPath, ImageRef, Platform, Route};

/// Makes the enums of written and of planned steps, and the methods that call the step's own ones.
macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident = $module:ident::{$written:ident, $planned:ident},)*) => {
        /// A change to the context. A step that would do nothing is an error, unless it has `optional: true`.
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub enum Step {
            $($(#[$doc])* $name(super::$module::$written),)*
        }

        /// A change to the context, as a plan has it.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub enum PlannedStep {
            $($(#[$doc])* $name(super::$module::$planned),)*
        }

        impl Step {
            /// Reports mistakes that do not depend on its templates, and turns the step into its usual form.
            pub(crate) fn check(step: &mut Spanned<Self>, sink: &Sink) {
                let at = step.span;
                match &mut step.value {
                    $(Self::$name(written) => written.check(at, sink),)*
                }
            }

            /// The step as a plan has it; `None` only after a mistake was reported.
            pub(crate) fn resolve(step: &Spanned<Self>, route: &Route, to: &mut Resolver<'_>) -> Option<PlannedStep> {
                match &step.value {
                    $(Self::$name(written) => written.resolve(step.span, route, to).map(PlannedStep::$name),)*
                }
            }
        }

        impl PlannedStep {
            /// The step in the recipe's words: `replaceArchive cri/docker.tar.gz`.
            #[must_use]
            pub(crate) fn title(&self) -> String {
                match self { $(Self::$name(step) => step.title(),)* }
            }

            /// The files that it reads and writes.
            pub(crate) fn files(&self) -> StepFiles<'_> {
                match self { $(Self::$name(step) => step.files(),)* }
            }

            /// Its effect on the paths of the context.
            pub(crate) fn effect(&self) -> Effect<'_> {
                match self { $(Self::$name(step) => step.effect(),)* }
            }

            /// What it needs from outside, with the field that asks for it.
            pub(crate) fn needs(&self, platform: &Platform) -> Vec<(Route, Need)> {
                match self { $(Self::$name(step) => step.needs(platform),)* }
            }

            /// Whether the build, and not the step itself, uses what it needs.
            pub(crate) fn needs_while_building(&self) -> bool {
                match self { $(Self::$name(step) => step.needs_while_building(),)* }
            }

            /// Whether it replaces a whole archive.
            pub(crate) fn replaces_archives(&self) -> bool {
                match self { $(Self::$name(step) => step.replaces_archives(),)* }
            }

            /// Runs it on the context.
            pub(crate) fn run(&self, context: &Context, tools: &Tools<'_>) -> Result<Outcome, StepFailure> {
                match self { $(Self::$name(step) => step.run(context, tools),)* }
            }
        }
    };
}

steps! {
    /// Replaces an archive with the content of another one.
    ReplaceArchive = replace_archive::{ReplaceArchive, PlannedReplaceArchive},
    /// Replaces a `docker save` archive with that of another image.
    ReplaceImage = replace_image::{ReplaceImage, PlannedReplaceImage},
    /// Edits a JSON or YAML file; the rest of it stays as it was, byte for byte.
    Patch = patch::{Patch, PlannedPatch},
    /// Points the image references of Kubernetes manifests to another registry.
    RewriteImages = rewrite_images::{RewriteImages, PlannedRewriteImages},
    /// Writes the list of images that the lite builder caches in the image's registry.
    ImageList = image_list::{ImageList, PlannedImageList},
    /// Puts the keys of a JSON or YAML file in order.
    SortKeys = sort_keys::{SortKeys, PlannedSortKeys},
    /// Replaces text in a file that is neither JSON nor YAML.
    ReplaceText = replace_text::{ReplaceText, PlannedReplaceText},
    /// Writes a file whose content is in the recipe.
    Write = write_file::{WriteFile, PlannedWriteFile},
    /// Copies a file from the recipe's folder.
    Copy = copy_file::{CopyFile, PlannedCopyFile},
    /// Fetches a file.
    Download = download::{Download, PlannedDownload},
    /// Removes files, symlinks and folders.
    Remove = remove::{Remove, PlannedRemove},
    /// Moves a file, a symlink or a folder.
    Move = move_path::{MovePath, PlannedMovePath},
    /// Sets permission bits.
    Chmod = chmod::{Chmod, PlannedChmod},
    /// Makes a symlink.
    Symlink = symlink::{Symlink, PlannedSymlink},
}

impl PlannedStep {
    /// The step, if it writes a list of images.
    pub(crate) fn as_image_list(&self) -> Option<&PlannedImageList> {
        if let Self::ImageList(list) = self { Some(list) } else { None }
    }

    /// The paths of the image lists in some steps, each with the images that the recipe names for it.
    pub(crate) fn lists(steps: &[Self]) -> Vec<(ContextPath, Vec<ImageRef>)> {
        let images =
            |list: &PlannedImageList| list.images.iter().map(|entry| entry.image.reference().clone()).collect();
        steps.iter().filter_map(Self::as_image_list).map(|list| (list.path.clone(), images(list))).collect()
    }
}
