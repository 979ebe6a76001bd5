//! The local Docker engine: images that no registry has.
//!
//! ```text
//! host ──▶ inspect: id, platform ──known and whole in the cache?──▶ ContainerImage
//!                        │ no                                            ▲
//!                        └──▶ export (docker save) ──▶ DockerArchive ──convert──┘
//! ```
//!
//! A name is asked of the engine every time: it may have moved. The id then tells whether there is anything to do. What
//! comes out is the same for the same id: the config as it is, its layers in our own gzip, a manifest of our making.
//!
//! Whoever only wants to know asks for an [`EngineImage`], [`EngineStorage`] or [`EngineInfo`]: nothing is kept then.

mod client;
mod convert;
mod error;
mod fault;
mod host;
mod info;

pub use client::{Engine, EngineImage, EngineStorage};
pub use error::EngineError;
pub use fault::EngineFault;
pub use host::EngineHost;
pub use info::{EngineInfo, EngineSettings};
