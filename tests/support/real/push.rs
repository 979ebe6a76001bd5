//! Puts what a sandbox registry holds into a real one.

use std::net::SocketAddr;

use sealer::testing::sandbox::{Registry, Repository};

use super::http::{Answer, ask};

/// Pushes every repository under its own name, the host it stands for first.
pub(crate) fn push_all(registry: &Registry, to: SocketAddr) {
    for (name, _) in registry.repositories() {
        push(registry, name, to, name);
    }
}

/// Pushes one repository under the name `as_name`: blobs, then manifests, then lists, then tags.
pub(crate) fn push(registry: &Registry, name: &str, to: SocketAddr, as_name: &str) {
    let repository: &Repository = registry.repository(name).unwrap_or_else(|| panic!("no repository {name}"));
    for digest in &repository.blobs {
        let blob = registry.blob(name, *digest).expect("a repository's blobs are there");
        let begun = sent(to, "POST", &format!("/v2/{as_name}/blobs/uploads/"), &[], b"", 202);
        let location = begun.header("location").expect("an upload has a location");
        let place = location.find("/v2/").map_or(location, |at| &location[at..]);
        let separator = if place.contains('?') { '&' } else { '?' };
        let type_ = [("Content-Type", "application/octet-stream")];
        sent(to, "PUT", &format!("{place}{separator}digest={digest}"), &type_, blob, 201);
    }
    let is_list = |media_type: &str| media_type.contains("manifest.list") || media_type.contains("image.index");
    let mut manifests: Vec<_> = repository.manifests.values().collect();
    manifests.sort_by_key(|manifest| is_list(&manifest.descriptor.media_type));
    for manifest in manifests {
        let descriptor = &manifest.descriptor;
        let tags = repository.tags.iter().filter(|(_, digest)| **digest == descriptor.digest);
        let references = std::iter::once(descriptor.digest.to_string()).chain(tags.map(|(tag, _)| tag.clone()));
        for reference in references {
            let path = format!("/v2/{as_name}/manifests/{reference}");
            sent(to, "PUT", &path, &[("Content-Type", &descriptor.media_type)], &manifest.bytes, 201);
        }
    }
}

fn sent(to: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8], status: u16) -> Answer {
    let answer = ask(to, method, path, headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    assert_eq!(answer.status, status, "{method} {path}: {}", String::from_utf8_lossy(&answer.body));
    answer
}
