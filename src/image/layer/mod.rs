//! A layer: tree on disk ⇄ tar stream ⇄ layer id.
//!
//! ```text
//! tree ──write_layer_at──▶ tar stream as Go's archive/tar writes it for sealer ──sha256──▶ layer id
//! tree ◀──Unpacker───── tar stream, from strangers, hashed as it arrives
//! ```
//!
//! Two trees that sealer would give the same id give the same id here, byte for byte of the stream.

mod error;
mod owners;
mod stream;
#[cfg(test)]
mod tests;
mod unpack;
mod unpacker;

pub(crate) use error::LayerError;
pub(crate) use owners::Owners;
pub use stream::{LayerId, layer_id};
pub(crate) use stream::{layer_id_at, write_entries_at, write_layer_at};
pub(crate) use unpack::{Unpacked, unpack};
pub(crate) use unpacker::{Note, Unpacker};

/// What a whiteout is called in a stream: this, then the name that is gone.
const WHITEOUT_PREFIX: &[u8] = b".wh.";
/// The entry of a stream that makes its folder opaque.
const OPAQUE_MARK: &[u8] = b".wh..wh..opq";
