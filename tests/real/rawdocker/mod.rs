//! The main job with real parts: sealer's own base image, a real registry, real programs of Docker; and what it makes,
//! put into the hands of real programs.
//!
//! Made once for all tests of this folder, by [`job::job`]:
//!
//! ```text
//! golden/kubernetes-v1.19.8.save.tar ──load──▶ store ─────────────────────────┐
//! docker-registry: calico/*, tigera/operator, registry:2.7.1 ─────────────────┼─recipe apply──▶ two images
//! web server: docker-19.03.15.tgz of Debian's programs (80 MB) ──URL mirror───┘
//! ```

mod base_image;
mod build_by_hand;
mod cluster_registry;
mod diff;
mod edits;
mod engine;
mod images;
mod job;
mod pulled_base;
mod shell;
