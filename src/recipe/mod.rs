//! Floor 2, recipe: text → [`Recipe`], pure.
//!
//! A [`Recipe`] is what the user wrote: strings are still templates, every one of them knows its place. All meaning
//! is checked on the way from here to the plan.

mod model;
mod spanned;

pub use model::{
    ContextEntry, DocumentChoice, ImageList, LayerEntry, ListedImage, Metadata, Operation, OperationName, Patch, Recipe, ReplaceArchive,
    ReplaceImage, RewriteImages, Stage, Step,
};
pub use spanned::{Spanned, Text};
