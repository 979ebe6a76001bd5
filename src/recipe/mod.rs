//! The recipe as the user wrote it: every string is still a template and knows its place. Its meaning is checked when
//! the plan is made.

mod check;
mod explain;
mod model;
mod parse;
mod schema;

pub use explain::{Explanation, PartKind, explain, explained, overview};
pub(crate) use model::{ContextEntry, DirectoryEntry, LayerEntry, Recipe, RootfsEntry, Stage};
pub use parse::parse;
pub(crate) use parse::read_leniently;
pub use schema::schema;
pub(crate) use schema::schema_text;

/// The value of `apiVersion`.
pub const API_VERSION: &str = "recipe.sealer.io/v1alpha1";

/// A recipe for a start: it is valid, can be applied as it is, and explains itself.
pub const FIRST_RECIPE: &str = include_str!("first_recipe.yaml");

/// The value of `kind`.
pub const KIND: &str = "Recipe";
