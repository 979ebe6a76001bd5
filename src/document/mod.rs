//! YAML documents of our own (recipes, locks, files of values): text → typed values that know their place, with all mistakes
//! at once; and the templates in their strings.
//!
//! ```text
//! Source ──read──▶ T: every string still a template, with its span
//! defaults, values files, --set ──merge──▶ Values ──Scope──▶ rendered strings
//! ```

mod content;
mod data;
mod de;
mod expression;
mod located;
mod public_values;
mod read;
mod rules;
mod scalar;
mod sink;
mod spanned;
mod template;
mod uses;
mod values;
mod values_schema;

pub(crate) use content::content_span;
pub(crate) use data::{Data, DataValue};
pub(crate) use de::Required;
pub use located::Located;
pub(crate) use public_values::public_values;
pub(crate) use read::read_document;
pub(crate) use read::{one_document, read};
pub(crate) use rules::{exactly_one, no_paths, not_empty, some_paths, span_of};
pub(crate) use sink::Sink;
pub(crate) use spanned::{Spanned, Text};
pub use template::Scope;
use template::names_in_template;
pub(crate) use uses::Uses;
pub(crate) use values::map_of_values;
pub(crate) use values::{Declared, MergedValues};
pub use values::{Values, ValuesInput};
