//! The basic types that all other modules use. Nothing here does I/O.

mod as_text;
mod context_path;
mod diagnostic;
mod digest;
mod epoch;
mod event;
mod failure;
mod file_mode;
mod glob;
#[cfg(test)]
pub(crate) mod golden;
mod human_size;
mod image_source;
mod masked;
mod places;
mod platform;
mod printable;
mod reference;
mod sealer_name;
mod suggest;

pub(crate) use as_text::serde_as_text;
pub use context_path::{ContextPath, ContextPathError};
pub use diagnostic::{Diagnostic, Place, Position, Severity, Source, Span};
pub use digest::{Digest, DigestError, DigestWriter, VerifyingReader};
pub use epoch::{Epoch, EpochError};
pub use event::{Event, Observer, ProblemKind, Silent, StepState};
pub(crate) use failure::chain;
pub use failure::{Failure, FailureKind, Reportable};
pub use file_mode::{FileMode, FileModeError};
pub(crate) use glob::{glob, glob_set};
pub use human_size::human_size;
pub use image_source::{BaseSource, ImageSource};
pub use masked::masked;
pub use places::{Places, Route};
pub use platform::{Platform, PlatformError};
pub use printable::{obeyed, printable};
pub use reference::{ImageRef, ReferenceError, registry_path};
pub use sealer_name::SealerName;
pub use suggest::nearest;
