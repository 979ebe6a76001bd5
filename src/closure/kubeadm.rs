//! What kubeadm, and sealer when a node joins, need from the cluster's registry.
//!
//! sealer v0.8.5 passes `etc/kubeadm.yml` to kubeadm, with its own defaults if that is missing or has no value:
//! `imageRepository: sea.hub:5000/library`, `kubernetesVersion: v1.19.8`.

use std::io;

use crate::manifests::KubernetesObject;
use crate::rootfs::Overlay;
use crate::types::{ContextPath, ImageRef};

/// The configuration that sealer reads.
pub(super) const CONFIGURATION: &str = "etc/kubeadm.yml";
/// The program; a root file system without it makes no cluster.
pub(super) const PROGRAM: &str = "bin/kubeadm";

/// The programs whose tag is the version of Kubernetes.
const OF_VERSION: [&str; 4] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"];
/// Images with their own versions.
const OTHERS: [&str; 3] = ["pause", "etcd", "coredns"];
/// What every node that joins runs to reach the masters.
const LVSCARE: &str = "fanux/lvscare:latest";

/// The tags of pause, etcd and coredns from a patch release of Kubernetes 1.x on: minor version, patch release, tags.
///
/// Source: `kubeadm config images list` of every release up to v1.31.2, as minikube records it
/// (`pkg/minikube/constants/constants_kubeadm_images.go`); for v1.32.0 and v1.33.0 kubeadm's
/// `cmd/kubeadm/app/constants/constants.go`.
#[rustfmt::skip]
const TAGS: [(u32, u32, [&str; 3]); 39] = [
    (16, 0, ["3.1", "3.3.15-0", "1.6.2"]),
    (17, 0, ["3.1", "3.4.3-0", "1.6.5"]),
    (18, 0, ["3.2", "3.4.3-0", "1.6.7"]),
    (19, 0, ["3.2", "3.4.9-1", "1.7.0"]),
    (19, 1, ["3.2", "3.4.13-0", "1.7.0"]),
    (20, 0, ["3.2", "3.4.13-0", "1.7.0"]),
    (21, 0, ["3.4.1", "3.4.13-0", "v1.8.0"]),
    (22, 0, ["3.5", "3.5.0-0", "v1.8.4"]),
    (22, 17, ["3.5", "3.5.6-0", "v1.8.4"]),
    (23, 0, ["3.6", "3.5.1-0", "v1.8.6"]),
    (23, 14, ["3.6", "3.5.5-0", "v1.8.6"]),
    (23, 15, ["3.6", "3.5.6-0", "v1.8.6"]),
    (24, 0, ["3.7", "3.5.3-0", "v1.8.6"]),
    (24, 8, ["3.7", "3.5.5-0", "v1.8.6"]),
    (24, 9, ["3.7", "3.5.6-0", "v1.8.6"]),
    (25, 0, ["3.8", "3.5.4-0", "v1.9.3"]),
    (25, 4, ["3.8", "3.5.5-0", "v1.9.3"]),
    (25, 5, ["3.8", "3.5.6-0", "v1.9.3"]),
    (25, 15, ["3.8", "3.5.9-0", "v1.9.3"]),
    (26, 0, ["3.9", "3.5.6-0", "v1.9.3"]),
    (26, 10, ["3.9", "3.5.9-0", "v1.9.3"]),
    (26, 13, ["3.9", "3.5.10-0", "v1.9.3"]),
    (27, 0, ["3.9", "3.5.7-0", "v1.10.1"]),
    (27, 7, ["3.9", "3.5.9-0", "v1.10.1"]),
    (27, 10, ["3.9", "3.5.10-0", "v1.10.1"]),
    (27, 12, ["3.9", "3.5.12-0", "v1.10.1"]),
    (28, 0, ["3.9", "3.5.9-0", "v1.10.1"]),
    (28, 6, ["3.9", "3.5.10-0", "v1.10.1"]),
    (28, 8, ["3.9", "3.5.12-0", "v1.10.1"]),
    (28, 14, ["3.9", "3.5.15-0", "v1.10.1"]),
    (29, 0, ["3.9", "3.5.10-0", "v1.11.1"]),
    (29, 3, ["3.9", "3.5.12-0", "v1.11.1"]),
    (29, 9, ["3.9", "3.5.15-0", "v1.11.1"]),
    (30, 0, ["3.9", "3.5.12-0", "v1.11.1"]),
    (30, 5, ["3.9", "3.5.15-0", "v1.11.3"]),
    (31, 0, ["3.10", "3.5.15-0", "v1.11.1"]),
    (31, 1, ["3.10", "3.5.15-0", "v1.11.3"]),
    (32, 0, ["3.10", "3.5.16-0", "v1.11.3"]),
    (33, 0, ["3.10", "3.5.21-0", "v1.12.0"]),
];
/// The last patch release that the table knows, of minor versions that had more.
const LAST_KNOWN: [(u32, u32); 5] = [(29, 10), (30, 6), (31, 2), (32, 0), (33, 0)];

/// The tags of pause, etcd and coredns for a version of Kubernetes, if they are known.
fn tags(version: &str) -> Option<[&'static str; 3]> {
    let (minor, patch) = version.strip_prefix("v1.")?.split_once('.')?;
    let (minor, patch): (u32, u32) = (minor.parse().ok()?, patch.parse().ok()?);
    if LAST_KNOWN.iter().any(|(known, last)| *known == minor && patch > *last) {
        return None;
    }
    let mut rows = TAGS.iter().filter(|(of, from, _)| *of == minor && *from <= patch);
    rows.next_back().map(|(_, _, tags)| *tags)
}

/// An image that a cluster will ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    /// Its name in the image's own registry.
    pub(super) image: ImageRef,
    /// The tag is not known: any one of the repository may be meant.
    pub(super) is_any: bool,
}

/// What a cluster will ask for because of one configuration of kubeadm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) file: ContextPath,
    /// The line of `imageRepository`; 0 where sealer's default counts.
    pub(super) line: usize,
    /// The version of Kubernetes, `v1.19.8`.
    pub(super) version: String,
    /// Where kubeadm gets its images, as it is written.
    pub(super) repository: String,
    /// Its host, if it is not the image's own registry.
    pub(super) foreign: Option<String>,
    pub(super) images: Vec<Need>,
    /// What a node that joins asks for, too.
    pub(super) join: ImageRef,
}

/// What kubeadm asks for by the configuration that a Kubernetes object is, if it is one. `registry` is how clusters
/// call the image's own registry.
pub(super) fn needs(file: &ContextPath, object: &KubernetesObject, registry: &str) -> Option<Needs> {
    let is_one =
        object.field("kind") == "ClusterConfiguration" && object.field("apiVersion").starts_with("kubeadm.k8s.io/");
    is_one.then(|| Needs::new(file, Some(object), registry))
}

/// What kubeadm asks for where sealer's own configuration counts: there is the program, and no configuration.
pub(super) fn needs_by_default(layers: &Overlay, registry: &str) -> io::Result<Option<Needs>> {
    let program = known(PROGRAM);
    let is_configured = layers.find(&known(CONFIGURATION))?.is_some()
        || layers.find(&known(&format!("{CONFIGURATION}.tmpl")))?.is_some();
    let is_there = !is_configured && layers.find(&program)?.is_some();
    Ok(is_there.then(|| Needs::new(&program, None, registry)))
}

pub(super) fn known(path: &str) -> ContextPath {
    path.parse().expect("plain words are a path")
}

impl Needs {
    fn new(file: &ContextPath, object: Option<&KubernetesObject>, registry: &str) -> Self {
        let field = |name: &str| object.and_then(|object| object.fields.get(name));
        let text = |name: &str, default: &str| field(name).map_or(default, |field| &field.text).to_owned();
        let repository = text("imageRepository", "sea.hub:5000/library");
        let version = text("kubernetesVersion", "v1.19.8");
        let known = tags(&version);
        let mut images = Vec::new();
        let mut add = |repository: &str, name: &str, tag: Option<&str>| {
            let (_, path) = split(repository);
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            let tagged = tag.map_or(path.clone(), |tag| format!("{path}:{tag}"));
            if let Ok(image) = format!("{registry}/{tagged}").parse() {
                images.push(Need { image, is_any: tag.is_none() });
            }
        };
        for name in OF_VERSION {
            add(&repository, name, Some(&version));
        }
        for (at, name) in OTHERS.into_iter().enumerate() {
            let settings = ["", "etcd/local", "dns"][at];
            if name == "etcd"
                && object.is_some_and(|object| object.fields.keys().any(|key| key.starts_with("etcd/external")))
            {
                continue;
            }
            let of = |key: &str| field(&format!("{settings}/{key}")).map(|field| field.text.clone());
            let tag = of("imageTag").or_else(|| known.map(|known| known[at].to_owned()));
            add(&of("imageRepository").unwrap_or_else(|| repository.clone()), name, tag.as_deref());
        }
        let (host, _) = split(&repository);
        let port = registry.rsplit_once(':').map_or("", |(_, port)| port);
        // Every node knows the registry as sea.hub, too.
        let is_own = host == registry || host.strip_prefix("sea.hub:") == Some(port);
        let line = field("imageRepository").map_or(0, |field| field.line);
        let join = format!("{registry}/{LVSCARE}").parse().expect("a registry and a known name are a reference");
        Self { file: file.clone(), line, version, foreign: (!is_own).then_some(host), repository, images, join }
    }

    /// Whether an image is one of kubeadm's own, wherever it comes from.
    pub(super) fn is_of_kubeadm(image: &ImageRef) -> bool {
        image.repository().rsplit('/').next().is_some_and(|name| OF_VERSION.contains(&name))
    }

    /// Whether a cluster may ask for an image of this repository of the image's own registry.
    pub(super) fn may_ask_for(&self, repository: &str) -> bool {
        repository == "coredns/coredns"
            || self
                .images
                .iter()
                .map(|need| &need.image)
                .chain([&self.join])
                .any(|image| image.repository() == repository)
    }
}

/// The host and the path of kubeadm's `imageRepository`.
fn split(repository: &str) -> (String, &str) {
    match repository.split_once('/').unwrap_or((repository, "")) {
        (host, path) if host.contains(['.', ':']) || host == "localhost" => {
            (host.to_owned(), path.trim_end_matches('/'))
        }
        _ => ("docker.io".to_owned(), repository.trim_end_matches('/')),
    }
}

/// Whether an engine's settings in a root file system lead a registry's images to another one: sealer's patched Docker
/// (`mirror-registries` in `etc/daemon.json`) or containerd (`registry.mirrors`, `registry.config_path`).
pub(super) fn is_mirrored(layers: &Overlay, host: &str) -> io::Result<bool> {
    if let Some(file) = layers.find(&known("etc/daemon.json"))? {
        let settings: serde_json::Value = serde_json::from_slice(&fs_err::read(file)?).unwrap_or_default();
        let mirrors = settings["mirror-registries"].as_array().cloned().unwrap_or_default();
        if mirrors.iter().any(|mirror| mirror["domain"] == "*" || mirror["domain"] == host) {
            return Ok(true);
        }
    }
    for (path, file) in layers.files(&known("etc"))? {
        if path.as_path().extension().is_some_and(|extension| extension == "toml") {
            let settings: toml::Table = fs_err::read_to_string(file)?.parse().unwrap_or_default();
            if leads_away(&toml::Value::Table(settings), host) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn leads_away(settings: &toml::Value, host: &str) -> bool {
    let Some(table) = settings.as_table() else { return false };
    let registry = table.get("registry").and_then(toml::Value::as_table);
    let here = registry.is_some_and(|registry| {
        let mirrors = registry.get("mirrors").and_then(toml::Value::as_table);
        mirrors.is_some_and(|mirrors| mirrors.contains_key("*") || mirrors.contains_key(host))
            || registry.get("config_path").and_then(toml::Value::as_str).is_some_and(|path| !path.is_empty())
    });
    here || table.values().any(|value| leads_away(value, host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_those_of_kubeadm() {
        let rows = [
            ("v1.16.15", "3.1 3.3.15-0 1.6.2"),
            ("v1.19.0", "3.2 3.4.9-1 1.7.0"),
            ("v1.19.8", "3.2 3.4.13-0 1.7.0"),
            ("v1.20.2", "3.2 3.4.13-0 1.7.0"),
            ("v1.22.17", "3.5 3.5.6-0 v1.8.4"),
            ("v1.25.16", "3.8 3.5.9-0 v1.9.3"),
            ("v1.28.15", "3.9 3.5.15-0 v1.10.1"),
            ("v1.31.2", "3.10 3.5.15-0 v1.11.3"),
            ("v1.33.0", "3.10 3.5.21-0 v1.12.0"),
            ("v1.33.1", "-"),
            ("v1.34.0", "-"),
            ("v1.15.0", "-"),
            ("v1.20.0-rc.0", "-"),
            ("1.20.2", "-"),
            ("stable-1", "-"),
        ];
        for (version, expected) in rows {
            assert_eq!(tags(version).map_or("-".to_owned(), |tags| tags.join(" ")), expected, "{version}");
        }
        assert!(TAGS.is_sorted_by_key(|(minor, patch, _)| (*minor, *patch)));
    }
}
