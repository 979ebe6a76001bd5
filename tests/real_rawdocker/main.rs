//! The main job with real parts: sealer's own base image, a real registry, real programs of Docker; and what it makes,
//! put into the hands of real programs.
//!
//! Made once for all tests of this file, by [`job::job`]:
//!
//! ```text
//! golden/kubernetes-v1.19.8.save.tar ──load──▶ store ─────────────────────────┐
//! docker-registry: calico/*, tigera/operator, registry:2.7.1 ─────────────────┼─recipe apply──▶ two images
//! web server: docker-19.03.15.tgz of Debian's programs (80 MB) ──URL mirror───┘
//! ```

#![expect(clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

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
#[path = "../support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "no file of tests uses all of the harness")]
mod support;
