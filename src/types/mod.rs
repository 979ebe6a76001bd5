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
pub use context_path::ContextPath;
pub(crate) use context_path::ContextPathError;
pub use diagnostic::{Diagnostic, Severity, Source};
pub(crate) use diagnostic::{Place, Position, Span};
pub use digest::Digest;
pub(crate) use digest::{DigestWriter, VerifyingReader};
pub use epoch::Epoch;
pub use event::{Event, Observer, Silent};
pub(crate) use event::{ProblemKind, StepState};
pub(crate) use failure::Failure;
pub(crate) use failure::chain;
pub use failure::{FailureKind, Reportable};
pub(crate) use file_mode::FileMode;
pub(crate) use glob::{glob, glob_set};
pub(crate) use human_size::human_size;
pub(crate) use image_source::{BaseSource, ImageSource};
pub(crate) use masked::masked;
pub(crate) use places::{Places, Route};
pub use platform::Platform;
pub(crate) use platform::PlatformError;
pub(crate) use printable::{obeyed, printable};
pub use reference::ImageRef;
pub(crate) use reference::{ReferenceError, registry_path};
pub(crate) use sealer_name::SealerName;
pub(crate) use suggest::nearest;
