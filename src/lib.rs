//! Sealer's recipe engine: derives Kubernetes base images from recipes.
//!
//! ```text
//! recipe text ──parse──▶ Recipe ──resolve(values, platform)──▶ Plan ──apply──▶ context folder ──lite build──▶ Image in the store
//!                as written: templates, spans             concrete: no template, no Option by accident
//! ```
//!
//! The modules are layers, in the order of the data flow; a module may use only those above it in this table. `tests/architecture.rs` reads the `use crate::` lines and checks that.
//!
//! | layer | module | what is there |
//! |---|---|---|
//! | 1 types | [`types`] | the basic types: Digest, ImageRef, SealerName, Platform, ContextPath; Source, Span, Diagnostic; Event; FailureKind. No I/O |
//! | 2 text | [`syntax`] | YAML and JSON text → tree with positions, pure |
//! | 2 documents | [`document`] | text of ours → typed values with their places, all mistakes at once; templates in them; pure |
//! | 3 edits | [`edit`] [`kubefile`] | bytes → bytes, pure |
//! | 3 disk | [`disk`] | directory handles, atomic write, clone or link, flush, flock, for all modules below |
//! | 3 process | [`process`] | runs other programs with limits for time and output |
//! | 3 mount | [`mount`] | runs a command over mounted layers, in a namespace that ends with it |
//! | 3 archives | [`tar`] [`archive`] | one tar reader and one writer; compression, packing, replacing one archive by another |
//! | 4 image | [`image`] | sealer's image document; tree → layer id; docker-archive; manifests of registries |
//! | 4 rootfs | [`rootfs`] | layers merged as in an overlay; reading and writing the storage of the registry in them |
//! | 4 manifests | [`manifests`] | every image that a Kubernetes document names, and pointing it at another registry |
//! | 5 store | [`store`] [`cache`] | the only code that writes under the root, and under the cache |
//! | 6 network | [`transport`] [`fetch`] [`sources`] | registry or local Docker engine ⇄ verified blobs; URL → verified file; each input requested once in a run |
//! | 7 closure | [`closure`] | a root file system → the images that its manifests need and its own registry lacks |
//! | 7 steps | [`steps`] | one file a step: as written, as planned, what it reads, writes, needs and does |
//! | 7 recipe | [`recipe`] | the recipe as written, pure: `&str` in, diagnostics out |
//! | 7 plan | [`plan`] | Recipe → Plan, no network |
//! | 7 plan | [`validate`] | all errors and warnings about a recipe, in one run |
//! | 8 work | [`build`] [`apply`] | does what the plan says; reports Events, draws nothing |
//! | 8 preview | [`preview`] | what apply would do, found by doing everything that needs no network in a temporary folder |
//! | 9 diff | [`diff`] | compares two images, down to members, keys and references |
//! | 9 provenance | [`provenance`] | the provenance of an apply, as an in-toto statement |
//! | 9 verify | [`verify`] | applies a recipe again, and finds the first difference to the existing image |
//! | 9 upstream | [`upstream`] | the real sealer next to this program, which runs the commands on clusters |
//! | 9 doctor | [`doctor`] | checks of a machine or an image, and how to fix problems |
//! | 9 more | [`sandbox`] | registries and a file server on loopback, with small stand-ins for the inputs of recipes |
//! | 10 CLI | [`cli`] | Args and run; Events → bars or lines; errors → exit codes |

pub mod apply;
pub mod archive;
pub mod build;
pub mod cache;
pub mod cli;
pub mod closure;
pub mod diff;
pub mod disk;
pub mod doctor;
pub mod document;
pub mod edit;
pub mod fetch;
pub mod image;
pub mod kubefile;
mod manifests;
pub mod mount;
pub mod plan;
pub mod preview;
pub mod process;
pub mod provenance;
pub mod recipe;
pub mod rootfs;
pub mod sandbox;
pub mod sources;
pub mod steps;
pub mod store;
pub mod syntax;
pub mod tar;
pub mod transport;
pub mod types;
pub mod upstream;
pub mod validate;
pub mod verify;
