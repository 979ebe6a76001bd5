//! YAML and JSON text as trees whose every node knows its bytes.
//!
//! One tree serves all readers: recipes are deserialised from it, edits find the bytes to splice in it, manifests
//! are searched for image references in it. Limits hold for all alike: depth 64, no duplicate keys, no alias bombs.

mod error;
mod json;
mod limits;
mod node;
mod quotes;
mod yaml;
mod yaml_error;

pub(crate) use error::SyntaxError;
pub(crate) use error::shortened;
pub(crate) use json::parse_json;
pub use limits::Limits;
pub(crate) use node::{Alias, Properties, Style};
pub use node::{Node, Value};
pub use yaml::parse_yaml;
