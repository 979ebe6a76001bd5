//! The table of faults: each is planted in a store of its own, and the whole answer is in the snapshot.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use sealer::testing::image::model::{Layer, LayerKind};
use sealer::testing::types::Digest;
use serde_json::json;

use super::app::{App, CNI, OPERATOR, flip, made, write};

type Plant = fn(&App);

/// A configuration of kubeadm.
fn kubeadm(repository: &str) -> String {
    let head = "apiVersion: kubeadm.k8s.io/v1beta2\nkind: ClusterConfiguration\nkubernetesVersion: v1.20.2\n";
    format!("{head}imageRepository: {repository}\n")
}

/// A fault: its name, what is asked besides, how it is planted.
const FAULTS: &[(&str, &[&str], Plant)] = &[
    // The registry's storage, changed in place.
    ("a layer's blob is missing", &[], |app| remove(&app.blob(app.parts(CNI).3[1]))),
    ("a layer's blob that two images share is missing", &[], |app| remove(&app.blob(app.parts(CNI).3[0]))),
    ("a config's blob is missing", &[], |app| remove(&app.blob(app.parts(CNI).2))),
    ("the platform's manifest of a list is missing", &[], |app| remove(&app.blob(app.parts(OPERATOR).1))),
    ("the list's blob is missing", &[], |app| remove(&app.blob(app.parts(CNI).0))),
    ("a blob has another size", &[], |app| append(&app.blob(app.parts(CNI).3[1]), b"x")),
    ("a blob is empty", &[], |app| write(&app.blob(app.parts(CNI).3[1]), "")),
    ("a blob has a flipped bit, not deep", &[], |app| flip(&app.blob(app.parts(CNI).3[1]))),
    ("a blob has a flipped bit, deep", &["--deep"], |app| flip(&app.blob(app.parts(CNI).3[1]))),
    ("a manifest has a flipped bit", &[], |app| flip(&app.blob(app.parts(CNI).1))),
    ("a list has a flipped bit", &[], |app| flip(&app.blob(app.parts(CNI).0))),
    ("a blob is a folder", &[], |app| {
        let blob = app.blob(app.parts(CNI).2);
        remove(&blob);
        fs_err::create_dir(blob).unwrap();
    }),
    ("a tag's link is missing", &[], |app| remove(&app.tag_link(CNI))),
    ("a tag's link is empty", &[], |app| write(&app.tag_link(CNI), "")),
    ("a tag's link holds something else", &[], |app| write(&app.tag_link(CNI), "sha256:\u{1b}[31m")),
    ("a tag's link leads to what is not there", &[], |app| write(&app.tag_link(CNI), Digest::of(b"?").to_string())),
    ("a tag's link is a folder", &[], |app| {
        remove(&app.tag_link(CNI));
        fs_err::create_dir(app.tag_link(CNI)).unwrap();
    }),
    ("a tag's link is a symlink", &[], |app| {
        remove(&app.tag_link(CNI));
        symlink("/etc/passwd", app.tag_link(CNI)).unwrap();
    }),
    ("a tag has no folder", &[], |app| {
        fs_err::remove_dir_all(app.tag_link(CNI).parent().unwrap().parent().unwrap()).unwrap();
    }),
    ("a tag's history is missing", &["-v"], |app| {
        fs_err::remove_dir_all(app.tag_link(CNI).parent().unwrap().with_file_name("index")).unwrap();
    }),
    ("a list's link is missing", &[], |app| remove(&app.revision_link(CNI, app.parts(CNI).0))),
    ("a manifest's link is missing", &[], |app| remove(&app.revision_link(CNI, app.parts(CNI).1))),
    ("a manifest's link leads to another digest", &[], |app| {
        write(&app.revision_link(CNI, app.parts(CNI).1), app.parts(OPERATOR).1.to_string());
    }),
    ("a config's link is missing", &[], |app| remove(&app.layer_link(CNI, app.parts(CNI).2))),
    ("a layer's link is empty", &[], |app| write(&app.layer_link(CNI, app.parts(CNI).3[1]), "")),
    ("a layer's link ends with a line", &[], |app| append(&app.layer_link(CNI, app.parts(CNI).3[1]), b"\n")),
    ("a layer's link is a folder", &[], |app| {
        let link = app.layer_link(CNI, app.parts(CNI).3[1]);
        remove(&link);
        fs_err::create_dir(link).unwrap();
    }),
    // What no manifest asks for, and a cluster needs.
    ("kubeadm finds none of its images", &[], |app| {
        app.add_layer(|top| {
            write(&top.join("bin/kubeadm"), "");
            write(&top.join("etc/kubeadm.yml"), kubeadm("sea.hub:5000"));
        });
    }),
    ("kubeadm is sent elsewhere", &[], |app| {
        app.add_layer(|top| {
            write(&top.join("bin/kubeadm"), "");
            write(&top.join("etc/kubeadm.yml"), kubeadm("k8s.gcr.io"));
        });
    }),
    ("kubeadm without a configuration", &[], |app| app.add_layer(|top| write(&top.join("bin/kubeadm"), ""))),
    ("a script runs what is not there", &[], |app| {
        app.add_layer(|top| {
            write(&top.join("scripts/init-registry.sh"), "#!/bin/sh\n\ndocker run -d registry:2.7.1\n");
        });
    }),
    // The registry's storage, as an image was made: its layers are what their ids say.
    ("a higher layer hides a blob", &[], |app| {
        let (path, folder) = (app.blob(app.parts(CNI).3[1]), app.layer(3));
        app.add_layer(|top| {
            let path = top.join(path.strip_prefix(folder).unwrap());
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            whiteout(&path);
        });
    }),
    ("a higher layer hides the whole registry", &[], |app| app.add_layer(|top| whiteout(&top.join("registry")))),
    ("a higher layer has a tag without a manifest", &["-v"], |app| {
        app.add_layer(|top| write(&tag_link(top, "lost", "1"), Digest::of(b"lost").to_string()));
    }),
    ("a higher layer moves a tag", &["-v"], |app| {
        let other = app.parts(OPERATOR).0;
        app.add_layer(|top| write(&tag_link(top, "calico/cni", "v3.19.1"), other.to_string()));
    }),
    ("an image is for another platform", &["-v"], |app| {
        app.add_layer(|top| plain_image(top, "only/arm", "arm64"));
    }),
    ("a list leads to another platform alone", &["-v"], |app| app.add_layer(|top| list_of_arm(top, "list/arm"))),
    ("a manifest is none", &["-v"], |app| {
        app.add_layer(|top| {
            let digest = blob(top, b"{\"schemaVersion\": 1}");
            write(&tag_link(top, "odd", "1"), digest.to_string());
        });
    }),
    ("a tag, a blob, a link and a name that nothing asks for", &["-v"], |app| {
        app.add_layer(|top| {
            plain_image(top, "spare", "amd64");
            let orphan = blob(top, b"orphan");
            write(
                &storage(top).join(format!("repositories/spare/_layers/sha256/{}/link", orphan.hex())),
                orphan.to_string(),
            );
            write(&storage(top).join("blobs/sha256/xx/odd/data"), "x");
        });
    }),
    ("a revision that no tag leads to lacks its blob", &["-v"], |app| {
        app.add_layer(|top| {
            let manifest = blob(top, manifest(Digest::of(b"no config"), 9).as_bytes());
            write(&revision(top, "untagged", manifest), manifest.to_string());
        });
    }),
    // What files ask for.
    ("the list names what is not there", &[], |app| {
        app.add_layer(|top| write(&top.join("manifests/imageList"), "calico/cni:v3.19.1\ncalico/cin:v3.19.1 # typo\n"));
    }),
    ("the list holds what is no reference", &[], |app| {
        app.add_layer(|top| write(&top.join("manifests/imageList"), "calico/cni:v3.19.1\nCalico/CNI v3\n"));
    }),
    ("a manifest asks for what is not there", &[], |app| {
        app.add_layer(|top| {
            write(
                &top.join("manifests/more.yaml"),
                "kind: Pod\nspec: {containers: [{image: 'sea.hub:5000/calico/cni:v3.19.2'}]}\n",
            );
        });
    }),
    ("a manifest asks another registry for what is not there", &[], |app| {
        app.add_layer(|top| {
            write(
                &top.join("manifests/more.yaml"),
                "kind: Pod\nspec: {containers: [{image: 'docker.io/calico/typha:v3'}]}\n",
            );
        });
    }),
    ("another file asks for what is not there", &["-v"], |app| {
        app.add_layer(|top| {
            write(
                &top.join("etc/more.yaml"),
                "kind: Pod\nspec: {containers: [{image: 'sea.hub:5000/calico/cin:v3.19.1'}]}\n",
            );
        });
    }),
    ("a chart asks for what is not there", &[], |app| {
        app.add_layer(|top| chart(top, "calico/typha:v3.19.1"));
    }),
    ("two hosts' images fall on one path", &[], |app| {
        app.add_layer(|top| {
            write(&top.join("manifests/imageList"), "calico/cni:v3.19.1\nquay.io/calico/cni:v3.19.1\n");
        });
    }),
    ("the registry's layer is not in the document", &[], |app| {
        app.change_document(|mut image| {
            image.layers.pop();
            image
        });
    }),
    // Layers.
    ("a file of a layer was edited", &[], |app| append(&app.layer(0).join("etc/daemon.json"), b" ")),
    ("a file was added to a layer", &[], |app| write(&app.layer(0).join("etc/more"), "x")),
    ("a file of a layer was removed", &[], |app| remove(&app.layer(0).join("etc/daemon.json"))),
    ("a script has Windows line ends", &[], |app| {
        fs_err::create_dir_all(app.layer(0).join("scripts")).unwrap();
        write(&app.layer(0).join("scripts/init.sh"), "#!/bin/bash\r\nset -e\r\n");
    }),
    ("a file of a layer has another mode", &[], |app| mode(&app.layer(0).join("etc/daemon.json"), 0o777)),
    ("a layer is empty", &[], |app| fs_err::remove_dir_all(app.layer(0).join("etc")).unwrap()),
    ("a layer was put there by somebody else", &["-v"], |app| {
        let (layer, copy) = (app.layer(0), app.path("copy"));
        fs_err::rename(&layer, &copy).unwrap();
        write(&layer.join("etc/daemon.json"), "{\"other\": 1}");
    }),
    ("a blob of a layer is missing that nobody has seen whole", &["-v"], |app| {
        remove(&app.root().join("recipe/verified").join(app.layer_id(3).hex()));
        remove(&app.blob(app.parts(CNI).3[1]));
    }),
    ("a layer holds a FIFO", &[], |app| {
        let path = app.layer(0).join("etc/pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    }),
    ("the registry's layer is missing", &[], |app| fs_err::remove_dir_all(app.layer(3)).unwrap()),
    ("a layer is a file", &[], |app| {
        let layer = app.layer(0);
        fs_err::remove_dir_all(&layer).unwrap();
        write(&layer, "x");
    }),
    ("a layer's id is another one's", &[], |app| write(&layerdb(app, 0).join("id"), app.layer_id(1).to_string())),
    ("a layer's id is missing", &[], |app| remove(&layerdb(app, 0).join("id"))),
    ("a layer's size is no number", &[], |app| write(&layerdb(app, 0).join("size"), "many\n")),
    ("the store knows nothing of a layer", &[], |app| fs_err::remove_dir_all(layerdb(app, 0)).unwrap()),
    // The document and its entry.
    ("the document is missing", &[], |app| remove(&app.document())),
    ("the document is cut", &[], |app| write(&app.document(), "kind: [")),
    ("the document is a folder", &[], |app| {
        let document = app.document();
        remove(&document);
        fs_err::create_dir(document).unwrap();
    }),
    ("the document is another image's", &[], |app| edit(&app.document(), "sealer-io/app:v1", "sealer-io/other:v1")),
    ("the document is for another platform", &[], |app| {
        edit(&app.document(), "architecture: amd64", "architecture: arm64");
    }),
    ("the document has another id", &[], |app| {
        let id = app.image().id.unwrap().to_string();
        edit(&app.document(), &id, &Digest::of(b"?").hex());
    }),
    ("the document was edited", &["-v"], |app| edit(&app.document(), "value: etc .", "value: etc etc")),
    ("the document names a layer twice", &[], |app| {
        app.change_document(|mut image| {
            let first = image.layers[0].clone();
            image.layers.push(Layer { kind: LayerKind::Copy, ..first });
            image
        });
    }),
    ("the list of images names an id that is not there", &[], |app| {
        let id = app.image().id.unwrap().to_string();
        edit(&app.store().list_path(), &id, &Digest::of(b"?").hex());
    }),
    ("the list of images names no id", &[], |app| {
        let id = app.image().id.unwrap().to_string();
        edit(&app.store().list_path(), &id, "../../etc/passwd");
    }),
];

#[test]
fn every_fault_is_found_and_named() {
    let helm = helm();
    let path = format!("{helm}:/usr/bin:/bin");
    made();
    let answers: Vec<OnceLock<String>> = FAULTS.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((name, more, plant)) = FAULTS.get(next.fetch_add(1, Ordering::Relaxed)) {
            let at = FAULTS.iter().position(|(other, ..)| other == name).unwrap();
            let app = App::new();
            plant(&app);
            let run = app.run_with(&[&["doctor", "image", "app:v1"], *more].concat(), &[("PATH", &path)]);
            assert_eq!(run.stderr, "", "{name}");
            let answer = format!("## {name} {}\nexit {}\n{}\n", more.join(" "), run.code.unwrap(), run.stdout);
            answers[at].set(answer).expect("each name is there once");
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
    let all: String = answers.into_iter().map(|answer| answer.into_inner().unwrap()).collect();
    insta::assert_snapshot!(all);
    assert!(FAULTS.len() > 60);
}

fn remove(path: &Path) {
    fs_err::remove_file(path).unwrap();
}

fn append(path: &Path, more: &[u8]) {
    let mut bytes = fs_err::read(path).unwrap();
    bytes.extend_from_slice(more);
    fs_err::write(path, bytes).unwrap();
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs_err::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from}: {text}");
    fs_err::write(path, text.replace(from, to)).unwrap();
}

fn mode(path: &Path, mode: u32) {
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn whiteout(path: &Path) {
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::CharacterDevice, mode, 0).unwrap();
}

fn layerdb(app: &App, index: usize) -> std::path::PathBuf {
    app.store().layerdb_dir(&app.layer_id(index))
}

fn storage(top: &Path) -> std::path::PathBuf {
    top.join("registry/docker/registry/v2")
}

fn tag_link(top: &Path, repository: &str, tag: &str) -> std::path::PathBuf {
    storage(top).join(format!("repositories/{repository}/_manifests/tags/{tag}/current/link"))
}

fn revision(top: &Path, repository: &str, digest: Digest) -> std::path::PathBuf {
    storage(top).join(format!("repositories/{repository}/_manifests/revisions/sha256/{}/link", digest.hex()))
}

/// Puts a blob into a storage.
fn blob(top: &Path, bytes: &[u8]) -> Digest {
    let digest = Digest::of(bytes);
    let hex = digest.hex();
    write(&storage(top).join("blobs/sha256").join(&hex[..2]).join(&hex).join("data"), bytes);
    digest
}

fn manifest(config: Digest, size: usize) -> String {
    let config = json!({"mediaType": "application/vnd.docker.container.image.v1+json", "digest": config, "size": size});
    let media_type = "application/vnd.docker.distribution.manifest.v2+json";
    json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": []}).to_string()
}

/// Puts an image of one platform without layers into a storage; its manifest.
fn untagged_image(top: &Path, repository: &str, architecture: &str) -> Digest {
    let config = json!({"os": "linux", "architecture": architecture, "of": repository}).to_string();
    let digest = blob(top, config.as_bytes());
    write(
        &storage(top).join(format!("repositories/{repository}/_layers/sha256/{}/link", digest.hex())),
        digest.to_string(),
    );
    let manifest = blob(top, manifest(digest, config.len()).as_bytes());
    write(&revision(top, repository, manifest), manifest.to_string());
    manifest
}

/// The same under the tag `1`.
fn plain_image(top: &Path, repository: &str, architecture: &str) {
    let manifest = untagged_image(top, repository, architecture);
    tag(top, repository, manifest);
}

fn tag(top: &Path, repository: &str, digest: Digest) {
    let current = tag_link(top, repository, "1");
    write(&current, digest.to_string());
    let index = current.parent().unwrap().with_file_name("index").join(format!("sha256/{}/link", digest.hex()));
    write(&index, digest.to_string());
}

/// Puts a list for two platforms into a storage, of which only that of arm64 is there.
fn list_of_arm(top: &Path, repository: &str) {
    let media_type = "application/vnd.docker.distribution.manifest.v2+json";
    let entry = |digest: Digest, architecture: &str| {
        json!({"mediaType": media_type, "digest": digest, "size": 1,
               "platform": {"os": "linux", "architecture": architecture}})
    };
    let arm = untagged_image(top, repository, "arm64");
    let entries = [entry(arm, "arm64"), entry(Digest::of(b"not cached"), "amd64")];
    let list_type = "application/vnd.docker.distribution.manifest.list.v2+json";
    let list = json!({"schemaVersion": 2, "mediaType": list_type, "manifests": entries}).to_string();
    let list = blob(top, list.as_bytes());
    write(&revision(top, repository, list), list.to_string());
    tag(top, repository, list);
}

fn chart(top: &Path, image: &str) {
    write(&top.join("charts/app/Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    write(&top.join("charts/app/values.yaml"), format!("image: {image}\n"));
    write(
        &top.join("charts/app/templates/pod.yaml"),
        "kind: Pod\nspec: {containers: [{image: '{{ .Values.image }}'}]}\n",
    );
}

/// A stand-in for helm that puts a chart's one value into its templates; its folder.
fn helm() -> String {
    let script = r##"#!/bin/sh
for chart; do :; done
image=$(sed -n 's/^image: //p' "$chart/values.yaml")
for template in "$chart"/templates/*.yaml; do
  echo "---"
  echo "# Source: web/templates/${template##*/}"
  sed "s|{{ .Values.image }}|$image|" "$template"
done
"##;
    made().world.script("programs/helm", script);
    made().world.path("programs").display().to_string()
}
