//! Text → [`Recipe`], pure.
//!
//! A [`Recipe`] is what the user wrote: strings are still templates, every one of them knows its place. All meaning
//! is checked on the way from here to the plan.
//!
//! ```text
//! Source ──parse──▶ Recipe ─┐
//! values files, --set ──────┴─merge──▶ Values ──Scope──▶ rendered strings
//! ```

mod check;
mod content;
mod data;
mod de;
mod explain;
mod expression;
mod located;
mod model;
mod parse;
mod scalar;
mod schema;
mod sink;
mod spanned;
mod template;
mod told;
mod uses;
mod values;
mod values_schema;

pub use content::content_span;
pub use data::{Data, DataValue};
pub use explain::{Explanation, Field, Line, Overview, PartKind, UnknownPart, explain, explained, overview};
pub use located::Located;
pub use model::{
    Chmod, ContextEntry, CopyFile, DirectoryEntry, DocumentChoice, Download, ImageList, LayerEntry, ListedImage,
    Metadata, MovePath, Operation, OperationName, Patch, Recipe, Remove, ReplaceArchive, ReplaceImage, ReplaceText,
    RewriteImages, RootfsEntry, Stage, Step, Symlink, WriteFile,
};
pub use parse::{Parsed, Reading, parse, read_document, read_leniently};
pub use schema::{schema, schema_text};
pub use spanned::{Spanned, Text};
use template::names_in_template;
pub use template::{Scope, values_in_template};
pub use told::{ToldValues, told_values};
pub use uses::{Use, Uses};
pub use values::{MergedValues, Values, ValuesInput};

/// What `apiVersion` says.
pub const API_VERSION: &str = "recipe.sealer.io/v1alpha1";

/// A recipe to begin with: it is valid, can be applied as it is, and explains itself.
pub const FIRST_RECIPE: &str = include_str!("first_recipe.yaml");

/// What `kind` says.
pub const KIND: &str = "Recipe";
