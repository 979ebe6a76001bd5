//! Unpacks layers of a pulled image again, to replace damaged ones in the store.

use crate::image::model::Image;
use crate::image::{Blobs, ContainerImage, Descriptor};
use crate::store::{StagedLayer, Staging};
use crate::types::{Digest, Observer};

use super::WorkspaceError;
use super::import;

/// The blobs of an image's layers in its registry; layers that the registry's image does not have are left out.
pub(crate) fn blobs_of(
    document: &Image,
    pulled: &ContainerImage,
    layers: &[Digest],
) -> Result<Vec<(Digest, Descriptor)>, WorkspaceError> {
    let all = import::layers(document, pulled)?;
    Ok(all.into_iter().filter(|(layer, _)| layers.contains(layer)).collect())
}

/// Unpacks a layer from its verified blob into a fresh folder next to the store.
pub(crate) fn unpack_again(
    staging: &Staging,
    layer: Digest,
    blob: &Descriptor,
    blobs: &dyn Blobs,
    observer: &dyn Observer,
) -> Result<StagedLayer, WorkspaceError> {
    Ok(import::unpack(staging.new_layer_dir()?, layer, blob, blobs, observer)?)
}
