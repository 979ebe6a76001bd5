//! An image with its original bytes.

use super::{Image, ImageId, ModelError};

/// An image with the YAML that the store keeps of it: for an image from outside, the original bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDocument {
    image: Image,
    id: ImageId,
    yaml: Vec<u8>,
}

impl ImageDocument {
    /// The document of an image that was made here; computes the id if it has none.
    #[must_use]
    pub fn new(image: Image) -> Self {
        let id = image.id.unwrap_or_else(|| image.computed_id());
        let image = Image { id: Some(id), ..image };
        let yaml = image.to_yaml().into_bytes();
        Self { image, id, yaml }
    }

    /// A document that came from elsewhere; its bytes stay as they are.
    pub(crate) fn from_yaml(yaml: Vec<u8>) -> Result<Self, ModelError> {
        let image = Image::from_yaml(&yaml)?;
        let id = image.id.ok_or(ModelError::NoId)?;
        Ok(Self { image, id, yaml })
    }

    /// The image.
    #[must_use]
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// The image's id.
    #[must_use]
    pub fn id(&self) -> ImageId {
        self.id
    }

    /// The YAML.
    #[must_use]
    pub fn yaml(&self) -> &[u8] {
        &self.yaml
    }
}
