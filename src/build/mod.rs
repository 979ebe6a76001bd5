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
mod request;
mod run;
mod workspace;

pub(crate) use again::{blobs_of, unpack_again};
pub(crate) use asked::{AskedImage, Doubt, asked_images};
pub(crate) use bases::{Bases, base_entry};
pub(crate) use builder::Builder;
pub(crate) use error::{BuildFailure, BuildPlace};
pub(crate) use export::Exporter;
pub(crate) use foresee::{Foreseen, ForeseenLayer};
pub(crate) use images::HelmProgram;
pub(crate) use import::document;
pub(crate) use origin::Origin;
pub(crate) use remote::needs;
pub(crate) use report::ImageReport;
pub(crate) use request::{BuildRequest, Built};
pub(crate) use run::obstacle;
pub(crate) use workspace::{Workspace, WorkspaceError};
