//! `docker-daemon:NAME`, with a real engine: images that no registry has, as what recipes put into base images.

mod archive;
mod doctor;
mod errors;
mod sources;
