//! The storage of a docker-registry, as sealer caches images in it: `registry/` of a root file system.

use crate::rootfs::{Holds, Part, RepositoryPaths};
use crate::sandbox::image_builder::ImageList;
use crate::sandbox::tree::{Entry, Tree};
use crate::types::{ContextPath, Digest, ImageRef, Platform};

/// Adds the images for one platform below `registry/`; folders are 0750 and files 0600, as sealer makes them.
pub(super) fn add(tree: &mut Tree, images: &[(ImageRef, ImageList)], platform: &Platform) {
    for (reference, list) in images {
        let Some(image) = list.image(platform) else { continue };
        let paths = RepositoryPaths::of(reference).expect("the miniatures' names are right");
        let blobs = std::iter::once(&image.config).chain(&image.layers);
        let blobs = blobs.map(|(blob, bytes)| (paths.blob("blob", blob), bytes.clone()));
        let list = list.document();
        let documents = [&list, &image.manifest];
        let documents = documents.map(|one| (paths.document("document", &one.descriptor), one.bytes.clone().into()));
        for (parts, bytes) in blobs.chain(documents) {
            for Part { path, holds, .. } in parts {
                match holds {
                    Holds::Link(digest) => link(tree, &path, digest),
                    Holds::Data(..) => tree.insert(path.as_str(), Entry::File(0o600, bytes.clone()), 0o750),
                }
            }
        }
        let digest = list.descriptor.digest;
        for path in paths.tag_current_link().into_iter().chain(paths.tag_index_link(digest)) {
            link(tree, &path, digest);
        }
    }
}

fn link(tree: &mut Tree, path: &ContextPath, digest: Digest) {
    tree.insert(path.as_str(), Entry::File(0o600, digest.to_string().into()), 0o750);
}
