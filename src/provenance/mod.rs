//! The provenance of an apply, as an in-toto Statement v1 with a SLSA provenance v1 predicate.
//!
//! ```text
//! recipe, values, lock, plan, report ──statement──▶ JSON ──▶ a file, the store's recipe/provenance/<image id>.json
//!                                                     └──of_pushed──▶ what refers to a pushed image
//! ```
//!
//! The same recipe, values, inputs and program give the same bytes: there is no time, no path and no user in it. Its
//! inputs are those that the run used, by digest; URLs are there without parts that may be secret. Values are there as
//! they are if they are known not to be secret; the others only by their sha256, `hiddenValues`, so that somebody who
//! has them can compare them.
//!
//! Formats: in-toto attestation `spec/v1/statement.md` and `spec/v1/resource_descriptor.md`, SLSA `provenance/v1`.

mod beside;
mod inputs;
mod pushed;
mod statement;
mod tagged;

use crate::store::StoreError;
use crate::types::{FailureKind, Reportable};

pub(crate) use pushed::of_pushed;
pub(crate) use statement::{Run, cluster_registry, statement};
pub(crate) use tagged::tagged;

/// The media type of statements.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.in-toto+json";
/// The value of `_type`.
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The value of `predicateType`.
const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";
/// What our `buildDefinition` means.
const BUILD_TYPE: &str = "https://recipe.sealer.io/apply/v1";
/// Who we are.
const BUILDER: &str = "https://recipe.sealer.io/builder/v1";

/// Why there is no provenance.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProvenanceError {
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A statement in the store is not valid.
    #[error("the stored provenance of `{image}` was changed: apply its recipe again")]
    Damaged {
        /// The image's name.
        image: String,
        /// Why.
        source: serde_json::Error,
    },
}

impl Reportable for ProvenanceError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Damaged { .. } => FailureKind::Failed,
        }
    }
}

/// A statement's text: indented JSON with a final newline.
fn text(statement: &serde_json::Value) -> String {
    format!("{statement:#}\n")
}
