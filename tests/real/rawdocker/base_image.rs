//! The base image is after the job what it was before.

use std::path::Path;

use sealer::testing::image::layer::layer_id;

use super::job::{BASE, job, succeed};
use crate::support::program::tree;
use crate::support::shared_file;

#[test]
fn its_layers_still_hash_to_their_ids_and_no_file_of_them_changed() {
    let Some(job) = job() else { return };
    let layers = job.layers(BASE);
    assert_eq!(layers.len(), 5);
    for (id, folder) in layers.iter().zip(job.layer_folders(BASE)) {
        assert_eq!(layer_id(&folder).unwrap().unwrap().digest, *id, "{}", folder.display());
    }
    let mut after = tree(&job.root().join("data/overlay2"));
    let is_of_base = |path: &Path| layers.iter().any(|layer| path.starts_with(layer.hex()));
    after.retain(|path, _| is_of_base(path));
    assert_eq!(after, job.layers_before);
}

#[test]
fn its_document_is_the_one_that_sealer_wrote() {
    let Some(job) = job() else { return };
    let golden = shared_file("golden/kubernetes-v1.19.8.inspect.yaml").unwrap();
    assert_eq!(succeed(job.sealer("root").args(["inspect", BASE])), fs_err::read_to_string(golden).unwrap());
}
