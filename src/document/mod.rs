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

pub use content::content_span;
pub use data::{Data, DataValue};
pub(crate) use de::Required;
pub use located::Located;
pub use public_values::{PublicValues, public_values};
pub use read::read_document;
pub(crate) use read::{one_document, read};
pub(crate) use rules::{exactly_one, no_paths, not_empty, some_paths, span_of};
pub(crate) use sink::Sink;
pub use spanned::{Spanned, Text};
use template::names_in_template;
pub use template::{Scope, values_in_template};
pub use uses::{Use, Uses};
pub(crate) use values::map_of_values;
pub use values::{Declared, MergedValues, Values, ValuesInput};
