//! Provenance of images, stored next to them: statements that the store itself does not read.

use super::store_root::PROVENANCE;
use super::{Store, StoreError};
use crate::disk::write_atomic;
use crate::image::model::ImageId;

impl Store {
    /// Stores a statement for an image, replacing an existing one.
    pub(crate) fn keep_provenance(&self, id: &ImageId, statement: &[u8]) -> Result<(), StoreError> {
        let _lock = self.lock_to_write()?;
        let folder = self.folder_to_write(PROVENANCE)?;
        Ok(write_atomic(&folder, format!("{id}.json"), statement, 0o644)?)
    }

    /// The statement for an image, or `None` if there is none.
    pub fn provenance(&self, id: &ImageId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read(PROVENANCE, &format!("{id}.json"))?)
    }
}
