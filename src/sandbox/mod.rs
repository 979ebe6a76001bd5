//! Registries and a file server on loopback, with small stand-ins for the inputs of recipes.
//!
//! ```text
//!                      ┌─ /v2/HOST/REPOSITORY/…   Registry: every registry, namespaced by the host it stands for
//! 127.0.0.1:PORT ──────┼─ /token                  Token: who may ask, and for how long
//!                      └─ /files/HOST/PATH        Files: every web server
//! ```
//!
//! The programs reach it through what users have anyway: a registries.conf that maps `docker.io` to
//! `127.0.0.1:PORT/docker.io`, and a URL mirror that maps `https://download.docker.com/` to
//! `http://127.0.0.1:PORT/files/download.docker.com/`. Nothing else knows of it.

mod answer;
mod distribution;
mod fault;
mod files;
mod image_builder;
pub mod miniature;
mod registry;
mod request;
mod server;
mod start;
mod token;
mod tree;
mod upload;

pub use fault::{Fault, When};
pub use image_builder::{BuiltImage, Form, ImageBuilder, ImageList};
pub use registry::{Registry, Repository};
pub use server::Server;
pub use start::Sandbox;
pub use token::TokenRules;
pub use tree::{Entry, Tree, gzip};

#[cfg(test)]
mod tests;
