//! Where an engine's image is in sealer images, layer by layer: the last step of the FAQ.
//!
//! ```text
//! engine: image ──▶ diff ids ──v2metadata-by-diffid──▶ digests that registries call the layers by ──┐
//!                      │                                                                            ▼
//! sealer image: its registry's manifests + configs ──▶ diff id → digest ──▶ link of a repository, data of the blob
//! ```
//!
//! A diff id is the digest of a layer's tar stream, and nothing leads from it to the digest of the stream compressed but
//! somebody's notes. There are two who take them: an engine, of what it pulled or pushed; and every config in the
//! registry of the sealer image, whose diff ids stand in the order of its manifest's layers. The second always count, so
//! an engine without notes (remote, on containerd, not to be read) is answered too. A layer that neither leads to is
//! found by [decompressing](Tracer::is_deep) what no config speaks of.

mod hash;
mod known;
mod model;
mod named;
mod registry;
mod text;
mod tracer;

pub use known::Known;
pub use model::{
    Basis, Blob, EngineLayer, EngineSide, ImageLayer, Link, Named, NamedState, Spot, Trace, TracedImage, TracedLayer,
};
pub use tracer::Tracer;
