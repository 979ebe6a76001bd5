//! Archives of `docker save` and for `docker load`: written the same for the same image, read strictly.
//!
//! ```text
//! <config's hex>.json       the config, byte for byte: its digest is the image id
//! <diff id's hex>/layer.tar a layer, decompressed; one that the image has twice is here once
//! manifest.json             [{"Config": …, "RepoTags": ["registry:2.7.1"], "Layers": […, from the lowest]}]
//! ```
//!
//! Format: Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format". That is what is
//! written. Engines before 25 name a layer's folder otherwise, and where two layers are the same the second one is a
//! symbolic link to the first; since 25 configs and layers are in `blobs/sha256/<hex>`, next to an OCI layout. All of
//! these are read.

mod read;
mod read_error;
mod write;

pub(crate) use read::DockerArchive;
pub(crate) use read_error::DockerArchiveReadError;
pub(crate) use write::write_docker_archive;

/// Bytes that a config may have.
const CONFIG_LIMIT: u64 = 8 << 20;
