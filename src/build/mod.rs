//! Sealer's lite builder.
//!
//! Each COPY becomes a layer, and so do the changes of each RUN. The merged new layers are searched for images in
//! `manifests/` and `charts/`, and those of the context's `imageListWithAuth.yaml` are added. They are pulled directly
//! from their registries into the registry's storage layout, and the parts that no lower layer has become one more
//! layer. If an image is named but not complete in the end, that is an error and nothing is tagged.
//!
//! Images come from registries by `import` and are made ready to go there by [`Exporter`].

mod again;
mod args;
mod asked;
mod bases;
mod builder;
mod closed;
mod copy;
mod error;
mod export;
mod foresee;
mod growing;
mod images;
mod import;
mod import_container;
mod origin;
mod remote;
mod report;
mod run;
mod workspace;

pub use again::{blobs_of, unpack_again};
pub use asked::{AskedImage, AskedImages, Doubt, asked_images};
pub use bases::{Bases, base_entry};
pub use builder::{BuildRequest, Builder, Built, CachedImage};
pub use error::{BuildFailure, BuildPlace};
pub use export::{ExportError, Exporter};
pub use foresee::{Foreseen, ForeseenLayer};
pub use import::{ImportError, document};
pub use origin::Origin;
pub use remote::needs;
pub use report::{CachedReport, HelmProgram, ImageReport, LayerReport};
pub use run::obstacle;
pub use workspace::{Workspace, WorkspaceError};
