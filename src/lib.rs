//! Sealer's recipe engine: derives Kubernetes base images from recipes.
//!
//! ```text
//! recipe text ──parse──▶ Recipe ──resolve(values, platform)──▶ Plan ──apply──▶ context folder ──lite build──▶ Image in the store
//!                as written: templates, spans             concrete: no template, no Option by accident
//! ```
//!
//! The modules are layers, in the order of the data's way; a module may use only those above it in this table. `tests/architecture.rs` reads the `use crate::` lines and holds them to it.
//!
//! | layer | module | what is there |
//! |---|---|---|
//! | 1 types | [`types`] | the field's own nouns: Digest, ImageRef, SealerName, Platform, ContextPath; Source, Span, Diagnostic; Event; FailureKind. No I/O |
//! | 2 text | [`syntax`] | YAML and JSON text → tree with positions, pure |
//! | 2 documents | [`document`] | text of ours → typed values with their places, all mistakes at once; templates in them; pure |
//! | 3 edits | [`edit`] [`kubefile`] | bytes → bytes, pure |
//! | 3 disk | [`disk`] | directory handles, atomic write, clone or link, flush, flock: once, for all below |
//! | 3 process | [`process`] | programs of others, run with limits of time and output |
//! | 3 mount | [`mount`] | a command over layers, mounted in a namespace that ends with it |
//! | 3 archives | [`tar`] [`archive`] | one tar reader and one writer; compression, packing, one archive in the place of another |
//! | 4 image | [`image`] | sealer's image document; tree → layer id; docker-archive; what registries know images by |
//! | 4 rootfs | [`rootfs`] | layers as an overlay shows them; the storage of the registry in them, read and written |
//! | 4 manifests | [`manifests`] | every image that a Kubernetes document names, and pointing it at another registry |
//! | 5 store | [`store`] [`cache`] | the only code that writes under the root, and under the cache |
//! | 6 network | [`transport`] [`fetch`] [`sources`] | registry or local Docker engine ⇄ verified blobs; URL → verified file; each thing asked for once in a run |
//! | 7 closure | [`closure`] | a root file system → what its manifests ask of its own registry and is not there |
//! | 7 steps | [`steps`] | one file a step: as written, as planned, what it reads, writes, needs and does |
//! | 7 recipe | [`recipe`] | the recipe as written, pure: `&str` in, diagnostics out |
//! | 7 plan | [`plan`] | Recipe → Plan, no network |
//! | 7 plan | [`validate`] | everything that is wrong or doubtful about a recipe, in one go |
//! | 8 work | [`build`] [`apply`] | does what the plan says; reports Events, draws nothing |
//! | 8 foresight | [`preview`] | what apply would do, by doing what can be done without a network in a folder of its own |
//! | 9 diff | [`diff`] | two images → what differs, down to members, keys and references |
//! | 9 provenance | [`provenance`] | what an apply did, as an in-toto statement |
//! | 9 verify | [`verify`] | a recipe applied again, and the first difference to what is there |
//! | 9 upstream | [`upstream`] | the real sealer beside this program, which does the commands on clusters |
//! | 9 doctor | [`doctor`] | what is wrong with a machine or an image, and how to mend it |
//! | 9 more | [`sandbox`] | registries and a file server on loopback, with miniatures of what recipes name |
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
