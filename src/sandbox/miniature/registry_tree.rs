//! The storage of a docker-registry, as sealer caches images in it: `registry/` of a root file system.

use hyper::body::Bytes;

use crate::image::{RepositoryPaths, blob_data_path};
use crate::sandbox::image_builder::ImageList;
use crate::sandbox::tree::{Entry, Tree};
use crate::words::{ContextPath, Digest, ImageRef, Platform};

/// Adds the images for one platform below `registry/`; folders are 0750 and files 0600, as sealer makes them.
pub(super) fn add(tree: &mut Tree, images: &[(ImageRef, ImageList)], platform: &Platform) {
    for (reference, list) in images {
        let Some(image) = list.image(platform) else { continue };
        let paths = RepositoryPaths::of(reference).expect("the miniatures' names are right");
        for (descriptor, bytes) in std::iter::once(&image.config).chain(&image.layers) {
            blob(tree, descriptor.digest, bytes.clone());
            link(tree, &paths.layer_link(descriptor.digest), descriptor.digest);
        }
        let document = list.document();
        for document in [&document, &image.manifest] {
            let digest = document.descriptor.digest;
            blob(tree, digest, document.bytes.clone().into());
            link(tree, &paths.revision_link(digest), digest);
        }
        let digest = document.descriptor.digest;
        for path in paths.tag_current_link().into_iter().chain(paths.tag_index_link(digest)) {
            link(tree, &path, digest);
        }
    }
}

fn blob(tree: &mut Tree, digest: Digest, bytes: Bytes) {
    tree.insert(blob_data_path(digest).as_str(), Entry::File(0o600, bytes), 0o750);
}

fn link(tree: &mut Tree, path: &ContextPath, digest: Digest) {
    tree.insert(path.as_str(), Entry::File(0o600, digest.to_string().into()), 0o750);
}
