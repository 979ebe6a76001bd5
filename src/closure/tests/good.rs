//! Root file systems that are whole: nothing more than a note.

use super::root::{Root, Stored, digest_of, platform, pod};
use super::*;
use crate::rootfs::Overlay;
use crate::store::Store;
use crate::types::golden::shared;

fn quiet(name: &str, root: &Root) {
    let report = root.check();
    // That images of other registries are named is a note about any image, whole or not.
    let alarms = report.findings.iter().filter(|finding| !matches!(finding.problem, Problem::Foreign { .. }));
    assert_eq!(alarms.collect::<Vec<_>>(), Vec::<&Finding>::new(), "{name}");
}

#[test]
fn what_is_whole_raises_no_alarm() {
    let asked = |stored| Root::new().stored("a/b:v1", stored).file("etc/a.yaml", pod(&["sea.hub:5000/a/b:v1"]));
    quiet("a list", &asked(Stored::List));
    quiet("no list", &asked(Stored::Plain));
    let root = Root::new().image("a/b:latest").file("etc/a.yaml", pod(&["sea.hub:5000/a/b"]));
    quiet("no tag", &root);
    let root = Root::new().image("a/b:v1");
    let by_digest = format!("sea.hub:5000/a/b@{}", digest_of(&root, "a/b:v1"));
    let with_tag = format!("sea.hub:5000/a/b:gone@{}", digest_of(&root, "a/b:v1"));
    quiet("digests", &root.file("etc/a.yaml", pod(&[&by_digest, &with_tag])));
    let split = Root::new().file("etc/a.yaml", pod(&["sea.hub:5000/a/b:v1"])).layer().image("a/b:v1");
    quiet("the image in another layer", &split);
    let replaced = Root::new().file("etc/a.yaml", pod(&["sea.hub:5000/a/c:v1"])).layer();
    quiet("a file that an upper layer replaced", &replaced.file("etc/a.yaml", pod(&["quay.io/a/c:v1"])));
    quiet("other registries", &Root::new().file("etc/a.yaml", pod(&["nginx", "quay.io/a/b:1", "sea.hub.example/x:1"])));
    let listed = Root::new().image("a/b:v1").file("manifests/imageList", "# all\nquay.io/a/b:v1\n");
    quiet("the list and who asks", &listed.file("etc/a.yaml", pod(&["sea.hub:5000/a/b:v1"])));
}

#[test]
fn what_asks_for_nothing_raises_no_alarm() {
    let missing = "sea.hub:5000/none:v1";
    let crd = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  versions:\n  - schema:\n      \
         image: {missing}\n  validation: {{image: '{missing}'}}\n"
    );
    let clusterfile = format!("apiVersion: sealer.cloud/v2\nkind: Cluster\nspec: {{image: '{missing}'}}\n");
    let values = format!("image: {missing}\n");
    let chart = Root::new()
        .file("charts/app/Chart.yaml", "apiVersion: v2\nname: app\n")
        .file("charts/app/values.yaml", &values)
        .file("charts/app/templates/a.yaml", pod(&[missing]))
        .file("charts/app/templates/sub/a.json", "{");
    for (name, root) in [
        ("schemas", Root::new().file("etc/a.yaml", crd)),
        ("a Clusterfile", Root::new().file("etc/Clusterfile.yaml", clusterfile)),
        ("no object", Root::new().file("etc/a.yaml", format!("x: {missing}\nsideImage: {missing}\n"))),
        ("a chart", chart),
        ("other files", Root::new().file("scripts/a.sh", &values).file("etc/a.txt", &values).file("bin/yaml", &values)),
        ("the registry's own folder", Root::new().file("registry/a.yaml", pod(&[missing]))),
        (
            "prose",
            Root::new()
                .file("etc/a.yaml", "apiVersion: v1\nkind: ConfigMap\ndata: {image: 'a picture, of sea.hub:5000'}\n"),
        ),
        ("an empty file", Root::new().file("etc/a.yaml", "").file("etc/b.json", "")),
        ("bytes", Root::new().file("bin/x.json", [0, 159, 146, 150])),
    ] {
        quiet(name, &root);
    }
}

#[test]
fn who_needs_an_image_can_be_said() {
    let list = Root::new().file("manifests/imageList", "calico/cni:v1\n");
    assert_eq!(list.check().findings.len(), 1);
    assert_eq!(list.check_for(&["calico/cni:v1"]).findings, []);
    let kubeadm = "apiVersion: kubeadm.k8s.io/v1beta2\nkind: ClusterConfiguration\nimageRepository: sea.hub:5000\n";
    let kubeadm = list
        .file("manifests/imageList", "pause:3.2\nfanux/lvscare\n")
        .file("etc/kubeadm.yml", kubeadm.replace("5000", "5000/library"))
        .kubernetes("library/", "v1.19.8 3.2 3.4.13-0 1.7.0");
    quiet("kubeadm's", &kubeadm.image("sea.hub:5000/fanux/lvscare:latest"));
}

#[test]
fn a_cluster_that_can_start_raises_no_alarm() {
    let configured = |text: &str| {
        let version = "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\nkubernetesVersion: v1.23.4\n";
        Root::new().file("bin/kubeadm", "").file("etc/kubeadm.yml", format!("{version}{text}"))
    };
    let new = "v1.23.4 3.6 3.5.1-0 v1.8.6";
    for (name, root) in [
        ("sealer's own configuration", Root::new().file("bin/kubeadm", "").kubernetes("library/", "v1.19.8 3.2 3.4.13-0 1.7.0")),
        ("one without a repository", configured("networking: {}\n").kubernetes("library/", new)),
        ("one that a template makes", Root::new().file("bin/kubeadm", "").file("etc/kubeadm.yml.tmpl", "{{ . }}")),
        (
            "tags of its own",
            configured("imageRepository: sea.hub:5000\netcd:\n  local: {imageTag: '9'}\ndns: {imageRepository: sea.hub:5000/x, imageTag: '8'}\n")
                .kubernetes("", "v1.23.4 3.6 9 x")
                .image("x/coredns:8"),
        ),
        (
            "etcd elsewhere",
            configured("imageRepository: sea.hub:5000\netcd:\n  external: {caFile: /a}\n")
                .kubernetes("", "v1.23.4 3.6 - v1.8.6"),
        ),
        (
            "a mirror of the patched engine",
            configured("imageRepository: k8s.gcr.io\n")
                .kubernetes("", new)
                .file("etc/daemon.json", r#"{"mirror-registries": [{"domain": "*", "mirrors": ["http://sea.hub:5000"]}]}"#),
        ),
        (
            "a mirror of containerd",
            configured("imageRepository: registry.k8s.io/x\n").kubernetes("x/", new).file(
                "etc/dump-config.toml",
                "[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"registry.k8s.io\"]\nendpoint = ['x']\n",
            ),
        ),
        (
            "a version that nobody knows yet, with any tag",
            Root::new().file("etc/kubeadm.yml", "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.40.0\nimageRepository: sea.hub:5000\n")
                .kubernetes("", "v1.40.0 7 8 9"),
        ),
        (
            "a script with its archive",
            Root::new().archive("images/registry.tar", &["registry:2.7.1"]).file(
                "scripts/init-registry.sh",
                "args=\"-d --net=host\"\ndocker run $args -v $1:/x registry:2.7.1 || exit 1\n",
            ),
        ),
        ("a script with the registry", Root::new().image("a/b:1").file("scripts/x.sh", "nerdctl pull sea.hub:5000/a/b:1\n")),
        ("a script whose archive cannot be read", Root::new().file("images/x.tar", "?").file("scripts/x.sh", "docker run a\n")),
        ("no script", Root::new().file("scripts/readme.txt", "docker run a\n")),
    ] {
        let loud: Vec<_> = root.check().findings.into_iter().filter(|finding| finding.weight > Weight::Note).collect();
        assert_eq!(loud, [], "{name}");
    }
}

#[test]
fn calico_s_manifests_raise_no_alarm() {
    let mut root = Root::new();
    for name in ["custom-resources.yaml", "tigera-operator.yaml"] {
        let Some(text) = shared(&format!("data/calico/{name}")) else { return };
        root = root.file(&format!("etc/{name}"), text);
    }
    quiet("calico", &root);
    let Some(text) = shared("data/calico/tigera-operator.yaml") else { return };
    let text = String::from_utf8(text).unwrap().replace("quay.io/", "sea.hub:5000/");
    let rewritten = Root::new().file("etc/tigera-operator.yaml", text);
    assert_eq!(rewritten.check().findings.len(), 1, "the operator is missing");
    quiet("rewritten", &rewritten.image("tigera/operator:v1.17.4"));
}

/// The layers of what a real sealer saved.
fn golden(folder: &std::path::Path) -> Option<Overlay> {
    let archive = shared("golden/kubernetes-v1.19.8.save.tar")?;
    let store = Store::open(folder);
    let loaded = store.load(&archive[..], &crate::tar::Limits::SAVED, jiff::Timestamp::now()).unwrap();
    let layers = loaded.images[0].image().layer_ids().map(|id| store.layer_dir(&id));
    Some(Overlay::new(layers.collect()))
}

#[test]
fn the_golden_base_raises_no_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let Some(layers) = golden(folder.path()) else { return };
    let scope = Scope {
        layers: &layers,
        bases: &[],
        cluster_registry: "sea.hub:5000",
        platform: &platform(),
        needed: Some(&[]),
        left_out: &std::collections::BTreeSet::new(),
    };
    let report = check(&scope).unwrap();
    assert!(report.is_closed());
    let notes: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(notes.join("\n"), @r"
    etc/kubeadm.yml:5: every node that joins needs `sea.hub:5000/fanux/lvscare:latest`, which the image's own registry does not have: the cluster can only have masters
    manifests/imageList:1: no manifest asks for `localhost:5001/calico/cni:v3.19.1`, `localhost:5001/calico/kube-controllers:v3.19.1`, `localhost:5001/calico/node:v3.19.1`, `localhost:5001/calico/pod2daemon-flexvol:v3.19.1`, `localhost:5001/calico/typha:v3.19.1`
    ");
}

#[test]
fn the_golden_base_says_what_brought_an_image_in() {
    let folder = tempfile::tempdir().unwrap();
    let Some(layers) = golden(folder.path()) else { return };
    let ask = |name: &str| why(&layers, &name.parse().unwrap(), "sea.hub:5000", &platform()).unwrap();
    insta::assert_json_snapshot!(ask("tigera/operator:v1.17.4"), @r#"
    {
      "reference": "sea.hub:5000/tigera/operator:v1.17.4",
      "digest": "sha256:7dfcba9ae975b1da65b1fed4e1c5d9a9cdc749a61fedb743ae2f738ab6ad413c",
      "layers": [
        {
          "layer": 5,
          "parts": [
            {
              "what": "tag",
              "digest": "sha256:7dfcba9ae975b1da65b1fed4e1c5d9a9cdc749a61fedb743ae2f738ab6ad413c"
            },
            {
              "what": "manifest",
              "digest": "sha256:7dfcba9ae975b1da65b1fed4e1c5d9a9cdc749a61fedb743ae2f738ab6ad413c"
            },
            {
              "what": "config",
              "digest": "sha256:5c1a49012c8768999448e205e122efafab106c2284c82c7af564d81417eaf6eb"
            },
            {
              "what": "layer",
              "digest": "sha256:3eefa394e3c44157056e5332a7b5e4db8056f188668cdad2a05d24ca246b4d7f"
            }
          ]
        }
      ],
      "lists": [
        {
          "layer": 3,
          "file": "manifests/imageList",
          "line": 6,
          "reference": "localhost:5001/tigera/operator:v1.17.4"
        }
      ],
      "manifests": [
        {
          "layer": 4,
          "file": "etc/tigera-operator.yaml",
          "line": 5872,
          "route": "/spec/template/spec/containers/0/image",
          "reference": "quay.io/tigera/operator:v1.17.4"
        }
      ]
    }
    "#);
    let pause = ask("pause:3.2");
    assert_eq!((pause.reference.as_str(), pause.layers.len()), ("sea.hub:5000/pause:3.2", 1));
    let proxy = ask("sea.hub:5000/kube-proxy:v1.19.8");
    assert_eq!(proxy.manifests[0].route, "/imageRepository");
    let nothing = ask("quay.io/tigrea/operator:v1.17.4");
    assert!(nothing.is_nothing());
    assert_eq!(nothing.nearest.as_deref(), Some("sea.hub:5000/tigera/operator:v1.17.4"));
}

#[test]
fn thousands_of_files_take_no_time() {
    let mut root = Root::new().image("a/b:v1").file("etc/a.yaml", pod(&["sea.hub:5000/a/b:v1"]));
    for number in 0..3000 {
        root = root.file(&format!("usr/share/{}/{number}.txt", number % 50), "image: x");
        root = root.file(&format!("registry/blobs/{}/{number}.yaml", number % 50), "image: x");
    }
    let started = std::time::Instant::now();
    quiet("many", &root);
    assert!(started.elapsed() < std::time::Duration::from_secs(10));
}
