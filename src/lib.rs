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

mod apply;
mod archive;
mod build;
mod cache;
mod cli;
mod closure;
mod diff;
mod disk;
mod doctor;
mod document;
mod edit;
mod fetch;
mod image;
mod kubefile;
mod manifests;
mod mount;
mod plan;
mod preview;
mod process;
mod provenance;
mod recipe;
mod rootfs;
mod sandbox;
mod sources;
mod steps;
mod store;
mod syntax;
mod tar;
mod transport;
mod types;
mod upstream;
mod validate;
mod verify;

pub use cli::main;

/// What the integration tests use. It is no interface: nothing in it is promised.
#[doc(hidden)]
pub mod testing {
    pub mod cache {
        pub use crate::cache::{Cache, Expected};
    }
    pub mod document {
        pub use crate::document::{Located, Scope, Values, ValuesInput};
    }
    pub mod fetch {
        pub use crate::fetch::{Fetcher, UrlMirror};
    }
    pub mod image {
        pub use crate::image::{Descriptor, MANIFEST_TYPES, Manifest, ManifestKind};
        pub mod layer {
            pub use crate::image::layer::{LayerId, layer_id};
        }
        pub mod model {
            pub use crate::image::model::{Image, ImageConfig, ImageDocument, Layer, LayerKind};
        }
        pub mod pushed {
            pub use crate::image::pushed::{CONFIG_TYPE, LAYER_TYPE, merged_list, pushed_config, pushed_manifest};
        }
    }
    pub mod plan {
        pub use crate::plan::{FORMAT_VERSION, Lock, Locked, LockedFile, Narrowing, Plan, lock_file_of, resolve};
    }
    pub mod recipe {
        pub use crate::recipe::{
            API_VERSION, Explanation, FIRST_RECIPE, KIND, PartKind, explain, explained, overview, parse, schema,
        };
    }
    pub mod rootfs {
        pub use crate::rootfs::Overlay;
    }
    pub mod sandbox {
        pub use crate::sandbox::{
            BuiltImage, Entry, Fault, Form, ImageBuilder, ImageList, Registry, Repository, Sandbox, Server, TokenRules,
            Tree, When, gzip, miniature,
        };
    }
    pub mod store {
        pub use crate::store::{Commit, StagedFolder, StagedLayer, Staging, Store};
    }
    pub mod syntax {
        pub use crate::syntax::{Limits, Node, Value, parse_yaml};
    }
    pub mod tar {
        pub use crate::tar::TarWriter;
    }
    pub mod transport {
        pub use crate::transport::{
            Anonymous, Credentials, CredentialsError, Http, HttpConfig, Known, Login, Proof, Puller, PushImage,
            PushLayer, Pusher, RegistriesConf, RegistryClient, RetryPolicy, Secret,
        };
    }
    pub mod types {
        pub use crate::types::{
            ContextPath, Diagnostic, Digest, Epoch, Event, FailureKind, ImageRef, Observer, Platform, Reportable,
            Severity, Silent, Source,
        };
    }
    pub mod validate {
        pub use crate::validate::{Request, validate};
    }
}
