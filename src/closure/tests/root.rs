//! Root file systems as tests prepare them.

use std::path::{Path, PathBuf};

use crate::closure::finding::ClosureReport;
use crate::closure::{Base, Scope, check};
use crate::rootfs::{Overlay, RepositoryPaths, blob_data_path};
use crate::types::{ContextPath, Digest, ImageRef, Platform};

/// What is in a root file system's registry under a name, made for linux/amd64 unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// A list of two platforms, and of them amd64.
    List,
    /// The same list, and of them arm64.
    ListArm,
    /// A list of arm64 alone.
    OnlyArm,
    /// A manifest without a list.
    Plain,
    /// The same for arm64.
    PlainArm,
}

/// Layers on disk.
pub(super) struct Root {
    layers: Vec<tempfile::TempDir>,
    base: usize,
}

impl Root {
    pub(super) fn new() -> Self {
        Self { layers: vec![tempfile::tempdir().unwrap()], base: 0 }
    }

    fn top(&self) -> &Path {
        self.layers.last().unwrap().path()
    }

    pub(super) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        write(&self.top().join(path), content.as_ref());
        self
    }

    pub(super) fn image(self, name: &str) -> Self {
        self.stored(name, Stored::List)
    }

    pub(super) fn stored(self, name: &str, stored: Stored) -> Self {
        store(self.top(), &name.parse().unwrap(), stored, name);
        self
    }

    /// What kubeadm asks for: below a path, `VERSION PAUSE ETCD COREDNS`; a `-` leaves one out. Without what joining nodes need.
    pub(super) fn kubernetes(mut self, below: &str, versions: &str) -> Self {
        let versions: Vec<&str> = versions.split(' ').collect();
        let programs = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"];
        let others = ["pause", "etcd", "coredns"].into_iter().zip(&versions[1..]);
        for (name, version) in
            programs.into_iter().zip([&versions[0]; 4]).chain(others).filter(|(_, version)| **version != "-")
        {
            self = self.image(&format!("sea.hub:5000/{below}{name}:{version}"));
        }
        self
    }

    /// An archive of `docker save` with these tags.
    pub(super) fn archive(self, path: &str, tags: &[&str]) -> Self {
        let manifest = serde_json::json!([{"Config": "x", "RepoTags": tags, "Layers": []}]).to_string();
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(manifest.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, "manifest.json", manifest.as_bytes()).unwrap();
        self.file(path, archive.into_inner().unwrap())
    }

    /// Another content under the same name.
    pub(super) fn image_of(self, name: &str, content: &str) -> Self {
        store(self.top(), &name.parse().unwrap(), Stored::List, content);
        self
    }

    /// All layers so far are the base.
    pub(super) fn base(mut self) -> Self {
        self.base = self.layers.len();
        self.layer()
    }

    pub(super) fn layer(mut self) -> Self {
        self.layers.push(tempfile::tempdir().unwrap());
        self
    }

    /// Changes the one file of the topmost layer whose path has the words in it.
    pub(super) fn damage(self, words: &str, change: impl Fn(&Path)) -> Self {
        let merged = Overlay::new(vec![self.top().to_owned()]);
        let files = merged.files(&ContextPath::root()).unwrap();
        let found: Vec<_> = files.iter().filter(|(path, _)| path.as_str().contains(words)).collect();
        assert_eq!(found.len(), 1, "{words}: {found:?}");
        change(&found[0].1);
        self
    }

    pub(super) fn merged(&self) -> Overlay {
        Overlay::new(self.layers.iter().map(|layer| layer.path().to_owned()).collect())
    }

    pub(super) fn check(&self) -> ClosureReport {
        self.check_for(&[])
    }

    pub(super) fn check_for(&self, needed: &[&str]) -> ClosureReport {
        let layers = self.merged();
        let base = Overlay::new(layers.layers()[..self.base].to_vec());
        let bases = [Base { name: "base:v1".to_owned(), layers: base }];
        let needed: Vec<ImageRef> = needed.iter().map(|name| name.parse().unwrap()).collect();
        let scope = Scope {
            layers: &layers,
            bases: if self.base == 0 { &[] } else { &bases },
            cluster_registry: "sea.hub:5000",
            platform: &platform(),
            needed: Some(&needed),
            left_out: &std::collections::BTreeSet::new(),
        };
        check(&scope).unwrap()
    }
}

pub(super) fn platform() -> Platform {
    "linux/amd64".parse().unwrap()
}

fn write(path: &PathBuf, content: &[u8]) {
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, content).unwrap();
}

/// Puts a tiny image into the storage of a registry. Blobs are found by what they are: `config`, `layer`, `manifest`, `list`.
fn store(layer: &Path, name: &ImageRef, stored: Stored, content: &str) {
    let paths = RepositoryPaths::of(name).unwrap();
    let put = |path: &ContextPath, content: &[u8]| write(&layer.join(path.as_path()), content);
    let blob = |bytes: &[u8], link: &dyn Fn(Digest) -> ContextPath| {
        let digest = Digest::of(bytes);
        put(&blob_data_path(digest), bytes);
        put(&link(digest), digest.to_string().as_bytes());
    };
    let manifest = |architecture: &str, is_stored: bool| {
        let config = format!("{{\"os\":\"linux\",\"architecture\":\"{architecture}\",\"of\":\"{content}\"}}");
        let data = format!("layer of {content} for {architecture}");
        if is_stored {
            blob(config.as_bytes(), &|digest| paths.layer_link(digest));
            blob(data.as_bytes(), &|digest| paths.layer_link(digest));
        }
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": descriptor(config.as_bytes(), "application/vnd.docker.container.image.v1+json"),
            "layers": [descriptor(data.as_bytes(), "application/vnd.docker.image.rootfs.diff.tar.gzip")],
        });
        let manifest = manifest.to_string();
        if is_stored {
            blob(manifest.as_bytes(), &|digest| paths.revision_link(digest));
        }
        manifest
    };
    let list = |platforms: &[(&str, bool)]| {
        let manifests = platforms.iter().map(|(architecture, is_stored)| {
            let bytes = manifest(architecture, *is_stored);
            let mut entry = descriptor(bytes.as_bytes(), "application/vnd.docker.distribution.manifest.v2+json");
            entry["platform"] = serde_json::json!({"os": "linux", "architecture": architecture});
            entry
        });
        let list = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
            "manifests": manifests.collect::<Vec<_>>(),
        });
        let list = list.to_string();
        blob(list.as_bytes(), &|digest| paths.revision_link(digest));
        list
    };
    let root = match stored {
        Stored::List => list(&[("amd64", true), ("arm64", false)]),
        Stored::ListArm => list(&[("amd64", false), ("arm64", true)]),
        Stored::OnlyArm => list(&[("arm64", true)]),
        Stored::Plain => manifest("amd64", true),
        Stored::PlainArm => manifest("arm64", true),
    };
    let digest = Digest::of(root.as_bytes());
    for link in paths.tag_current_link().into_iter().chain(paths.tag_index_link(digest)) {
        put(&link, digest.to_string().as_bytes());
    }
}

fn descriptor(bytes: &[u8], media_type: &str) -> serde_json::Value {
    serde_json::json!({"mediaType": media_type, "size": bytes.len(), "digest": Digest::of(bytes).to_string()})
}

/// A pod of images.
pub(super) fn pod(images: &[&str]) -> String {
    let containers: Vec<String> = images.iter().map(|image| format!("  - image: {image}\n")).collect();
    format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n{}", containers.concat())
}

/// The digest that a name's tag stands for.
pub(super) fn digest_of(root: &Root, name: &str) -> String {
    let link = RepositoryPaths::of(&name.parse().unwrap()).unwrap().tag_current_link().unwrap();
    fs_err::read_to_string(root.merged().find(&link).unwrap().unwrap()).unwrap()
}
