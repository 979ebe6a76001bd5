//! The local Docker engine: images that no registry has.
//!
//! ```text
//! place ──▶ inspect: id, platform ──known and whole in the cache?──▶ ContainerImage
//!                        │ no                                            ▲
//!                        └──▶ export (docker save) ──▶ DockerArchive ──convert──┘
//! ```
//!
//! A name is asked of the engine every time: it may have moved. The id then tells whether there is anything to do. What
//! comes out is the same for the same id: the config as it is, its layers in our own gzip, a manifest of our making.
//!
//! Whoever only wants to know asks for an [`EngineImage`], [`EngineStorage`] or [`EngineAbout`]: nothing is kept then.

mod about;
mod client;
mod convert;
mod error;
mod place;

pub use about::{EngineAbout, EngineRunning, EngineSilence};
pub use client::{Engine, EngineImage, EngineStorage};
pub use error::EngineError;
pub use place::EnginePlace;
