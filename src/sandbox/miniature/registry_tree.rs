//! The storage of a docker-registry, as sealer caches images in it: `registry/` of a root file system.

use hyper::body::Bytes;

use crate::sandbox::image_builder::ImageList;
use crate::sandbox::tree::{Entry, Tree};
use crate::words::{Digest, ImageRef, Platform};

const ROOT: &str = "registry/docker/registry/v2";

/// Adds the images for one platform below `registry/`; folders are 0750 and files 0600, as sealer makes them.
pub(super) fn add(tree: &mut Tree, images: &[(ImageRef, ImageList)], platform: &Platform) {
    for (reference, list) in images {
        let Some(image) = list.image(platform) else { continue };
        let repository = format!("{ROOT}/repositories/{}", reference.repository());
        for (descriptor, bytes) in std::iter::once(&image.config).chain(&image.layers) {
            blob(tree, descriptor.digest, bytes.clone());
            link(tree, &format!("{repository}/_layers/sha256/{}", descriptor.digest.hex()), descriptor.digest);
        }
        let document = list.document();
        for document in [&document, &image.manifest] {
            let digest = document.descriptor.digest;
            blob(tree, digest, document.bytes.clone().into());
            link(tree, &format!("{repository}/_manifests/revisions/sha256/{}", digest.hex()), digest);
        }
        let digest = document.descriptor.digest;
        let tag = format!("{repository}/_manifests/tags/{}", reference.tag().unwrap_or("latest"));
        link(tree, &format!("{tag}/current"), digest);
        link(tree, &format!("{tag}/index/sha256/{}", digest.hex()), digest);
    }
}

fn blob(tree: &mut Tree, digest: Digest, bytes: Bytes) {
    let hex = digest.hex();
    tree.insert(&format!("{ROOT}/blobs/sha256/{}/{hex}/data", &hex[..2]), Entry::File(0o600, bytes), 0o750);
}

fn link(tree: &mut Tree, folder: &str, digest: Digest) {
    let content = Entry::File(0o600, digest.to_string().into());
    tree.insert(&format!("{folder}/link"), content, 0o750);
}
