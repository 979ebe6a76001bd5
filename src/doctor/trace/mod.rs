//! Finds an engine's image in sealer images, layer by layer: the last step of the FAQ.
//!
//! ```text
//! engine: image ──▶ diff ids ──v2metadata-by-diffid──▶ digests that registries call the layers by ──┐
//!                      │                                                                            ▼
//! sealer image: its registry's manifests + configs ──▶ diff id → digest ──▶ link of a repository, data of the blob
//! ```
//!
//! A diff id is the digest of a layer's tar stream. The digest of the compressed stream cannot be computed from it, so
//! notes are needed. There are two sources: an engine has notes about what it pulled or pushed; and every config in the
//! sealer image's registry has its diff ids in the order of its manifest's layers. The second source is always used, so
//! it also works for an engine without notes (remote, on containerd, not readable). A layer that is in neither source
//! is found by [decompressing](Tracer::is_deep) the blobs that no config describes.

mod hash;
mod known;
mod model;
mod named;
mod registry;
mod text;
mod tracer;

pub(crate) use known::Known;
pub(crate) use tracer::Tracer;
