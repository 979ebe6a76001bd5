//! Floor 9, doctor: what is wrong with a machine or an image, and how to mend it; sealer's FAQ as a command.
//!
//! Each room looks and reports [`Finding`]s, in the order in which a reader wants them; it prints nothing and, but for
//! a repair that was asked for, writes nothing.

mod finding;
mod host;
pub mod image;
pub mod trace;

pub use finding::{Concern, Finding, Verdict, worst};
pub use host::{HostPlaces, check_host};
