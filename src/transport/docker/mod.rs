//! The local Docker engine: images that no registry has.
//!
//! ```text
//! host ──▶ inspect: id, platform ──known and whole in the cache?──▶ ContainerImage
//!                        │ no                                            ▲
//!                        └──▶ export (docker save) ──▶ DockerArchive ──convert──┘
//! ```
//!
//! The engine is asked for a name every time, because a tag may move. The id then shows whether there is anything to
//! do. The result is the same for the same id: the config as it is, its layers in our own gzip, a manifest of our
//! making.
//!
//! For information only, use [`EngineImage`], [`EngineStorage`] or [`EngineInfo`]: they store nothing.

mod client;
mod convert;
mod error;
mod fault;
mod host;
mod info;

pub(crate) use client::Engine;
pub(crate) use client::{EngineImage, EngineStorage};
pub(crate) use error::EngineError;
pub(crate) use fault::EngineFault;
pub(crate) use host::EngineHost;
pub(crate) use info::{EngineInfo, EngineSettings};
