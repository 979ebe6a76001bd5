//! What images were made of, beside them: statements that the store does not read.

use super::store_root::PROVENANCE;
use super::{Store, StoreError};
use crate::disk::write_atomic;
use crate::image::model::ImageId;

impl Store {
    /// Keeps a statement for an image, instead of one that is there.
    pub fn keep_provenance(&self, id: &ImageId, statement: &[u8]) -> Result<(), StoreError> {
        let _lock = self.lock_to_write()?;
        let folder = self.folder_to_write(PROVENANCE)?;
        Ok(write_atomic(&folder, format!("{id}.json"), statement, 0o644)?)
    }

    /// The statement for an image, none where nobody kept one.
    pub fn provenance(&self, id: &ImageId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read(PROVENANCE, &format!("{id}.json"))?)
    }
}
