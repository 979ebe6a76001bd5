//! A small image with a registry of two images, in a store of its own for each fault.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sealer::testing::image::layer::layer_id;
use sealer::testing::image::model::{Image, ImageDocument, Layer, LayerKind};
use sealer::testing::store::{Commit, StagedFolder, StagedLayer, Store};
use sealer::testing::types::Digest;
use serde_json::Value;

use crate::support::program::{Run, World};

/// The images that the list names.
pub(crate) const CNI: &str = "calico/cni:v3.19.1";
pub(crate) const OPERATOR: &str = "tigera/operator:v1.17.4";
const POD: &str = "kind: Pod\nspec: {containers: [{image: 'sea.hub:5000/calico/cni:v3.19.1'}]}\n";

/// A world whose store has `app:v1`, and the archive of it.
pub(crate) struct Made {
    pub(crate) world: World,
    archive: PathBuf,
}

/// Made once for all tests of this file.
pub(crate) fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let world = World::new();
        world.write("context/etc/daemon.json", "{}");
        world.write("context/manifests/pod.yaml", POD);
        world.write("context/imageList", "calico/cni:v3.19.1\nquay.io/tigera/operator:v1.17.4\n");
        world.write("context/Kubefile", "FROM scratch\nCOPY etc .\nCOPY manifests .\nCOPY imageList manifests\n");
        let touched = std::process::Command::new("find")
            .arg(world.path("context"))
            .args(["-exec", "touch", "-d", "@1600000000", "{}", "+"])
            .status();
        assert!(touched.unwrap().success());
        let context = world.path("context").display().to_string();
        world.succeed(&["build", "-t", "app:v1", "--platform", "linux/amd64", &context]);
        let archive = world.path("app.tar");
        world.succeed(&["save", "-o", archive.to_str().unwrap(), "app:v1"]);
        Made { world, archive }
    })
}

/// A fresh store with `app:v1`.
pub(crate) struct App {
    folder: tempfile::TempDir,
    labels: BTreeMap<String, String>,
    /// As it was loaded: what is damaged cannot be asked any more.
    loaded: Option<Image>,
}

impl App {
    pub(crate) fn new() -> Self {
        let app = Self { folder: tempfile::tempdir().unwrap(), labels: BTreeMap::new(), loaded: None };
        let loaded = app.run(&["load", "-i", made().archive.to_str().unwrap()]);
        assert_eq!((loaded.code, &*loaded.stderr), (Some(0), ""), "{loaded}");
        let mut app = app;
        app.loaded = Some(app.image());
        app.label();
        app
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&self.root())
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, &[])
    }

    pub(crate) fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
        let mut command = made().world.command();
        command.env("SEALER_ROOT", self.root()).env("SEALER_CACHE", self.folder.path().join("cache"));
        command.envs(environment.iter().copied());
        let run = made().world.result(&command.args(arguments).output().unwrap());
        Run { stdout: self.clean(&run.stdout), stderr: self.clean(&run.stderr), ..run }
    }

    /// `sealer doctor image app:v1` with more arguments.
    pub(crate) fn doctor(&self, more: &[&str]) -> Run {
        self.run(&[&["doctor", "image", "app:v1"], more].concat())
    }

    /// The image as it is, or as it was loaded where it is damaged.
    pub(crate) fn image(&self) -> Image {
        let name = "app:v1".parse().unwrap();
        match self.store().find(&name, &"linux/amd64".parse().unwrap()) {
            Ok(Some(found)) => found.document.image().clone(),
            Ok(None) | Err(_) => self.loaded.clone().unwrap(),
        }
    }

    /// The folder of a layer, by its number.
    pub(crate) fn layer(&self, index: usize) -> PathBuf {
        self.store().layer_dir(&self.image().layer_ids().nth(index).unwrap())
    }

    pub(crate) fn layer_id(&self, index: usize) -> Digest {
        self.image().layer_ids().nth(index).unwrap()
    }

    /// The document in the store.
    pub(crate) fn document(&self) -> PathBuf {
        self.store().document_path(&self.image().id.unwrap())
    }

    /// The storage of the image's registry, all of it in layer 3.
    pub(crate) fn storage(&self) -> PathBuf {
        self.layer(3).join("registry/docker/registry/v2")
    }

    pub(crate) fn blob(&self, digest: Digest) -> PathBuf {
        let hex = digest.hex();
        self.storage().join("blobs/sha256").join(&hex[..2]).join(&hex).join("data")
    }

    pub(crate) fn tag_link(&self, image: &str) -> PathBuf {
        let (repository, tag) = image.rsplit_once(':').unwrap();
        self.storage().join(format!("repositories/{repository}/_manifests/tags/{tag}/current/link"))
    }

    pub(crate) fn revision_link(&self, image: &str, digest: Digest) -> PathBuf {
        let (repository, _) = image.rsplit_once(':').unwrap();
        self.storage().join(format!("repositories/{repository}/_manifests/revisions/sha256/{}/link", digest.hex()))
    }

    pub(crate) fn layer_link(&self, image: &str, digest: Digest) -> PathBuf {
        let (repository, _) = image.rsplit_once(':').unwrap();
        self.storage().join(format!("repositories/{repository}/_layers/sha256/{}/link", digest.hex()))
    }

    /// Of an image of the registry: list, manifest, config and layers.
    pub(crate) fn parts(&self, image: &str) -> (Digest, Digest, Digest, Vec<Digest>) {
        let digest = |value: &Value| value.as_str().unwrap().parse::<Digest>().unwrap();
        let list: Digest = fs_err::read_to_string(self.tag_link(image)).unwrap().parse().unwrap();
        let document = |digest| -> Value { serde_json::from_slice(&fs_err::read(self.blob(digest)).unwrap()).unwrap() };
        let listed = document(list)["manifests"].as_array().unwrap().clone();
        let own = listed.iter().find(|entry| entry["platform"]["architecture"] == "amd64").unwrap();
        let manifest = digest(&own["digest"]);
        let parsed = document(manifest);
        let layers = parsed["layers"].as_array().unwrap().iter().map(|layer| digest(&layer["digest"])).collect();
        (list, manifest, digest(&parsed["config"]["digest"]), layers)
    }

    /// Puts one more layer, that is what its id says, on top of the image.
    pub(crate) fn add_layer(&self, fill: impl FnOnce(&Path)) {
        let store = self.store();
        let staging = store.stage().unwrap();
        let folder = staging.new_layer_dir().unwrap();
        fill(folder.path());
        let id = layer_id(folder.path()).unwrap().unwrap();
        let image = self.image();
        let mut layers = image.layers.clone();
        layers.push(Layer { id: Some(id.digest), kind: LayerKind::Copy, value: "more .".to_owned() });
        self.commit(&staging, Image { layers, ..image }.with_id(), Some((folder, id)));
    }

    /// Makes another document the image's.
    pub(crate) fn change_document(&self, change: impl FnOnce(Image) -> Image) {
        let store = self.store();
        let staging = store.stage().unwrap();
        self.commit(&staging, change(self.image()).with_id(), None);
    }

    fn commit(
        &self,
        staging: &sealer::testing::store::Staging,
        image: Image,
        layer: Option<(StagedFolder, sealer::testing::image::layer::LayerId)>,
    ) {
        let layers = layer.map(|(folder, id)| StagedLayer { folder, id, cache_id: None, verified: true });
        let layers = layers.into_iter().collect();
        let commit = Commit { images: vec![ImageDocument::new(image)], layers, created: jiff::Timestamp::UNIX_EPOCH };
        self.store().commit(staging, &commit).unwrap();
    }

    /// Words for the digests that there are.
    fn label(&mut self) {
        for (image, word) in [(CNI, "CNI"), (OPERATOR, "OPERATOR")] {
            let (list, manifest, config, layers) = self.parts(image);
            for (digest, what) in [(list, "LIST"), (manifest, "MANIFEST"), (config, "CONFIG")] {
                self.labels.insert(digest.hex(), format!("[{word} {what}]"));
            }
            for (index, layer) in layers.iter().enumerate() {
                self.labels.entry(layer.hex()).or_insert(format!("[{word} BLOB {index}]"));
            }
        }
        for index in 0..4 {
            self.labels.insert(self.layer_id(index).hex(), format!("[LAYER {}]", index + 1));
        }
        self.labels.insert(self.image().id.unwrap().to_string(), "[ID]".to_owned());
    }

    fn clean(&self, text: &str) -> String {
        let mut text = text.replace(self.folder.path().to_str().unwrap(), "[STORE]");
        text = text.replace("[STORE]/root/data/overlay2/", "[LAYERS]/");
        text = text.replace("/registry/docker/registry/v2/", "/[REGISTRY]/");
        for (hex, label) in &self.labels {
            text = text.replace(&format!("/{}/{hex}/", &hex[..2]), &format!("/{label}/"));
            text = text.replace(hex, label);
            text = text.replace(&format!("{}…", &hex[..12]), &format!("{label}…"));
        }
        // What is left are digests of what was planted; their first digits are names of folders, too.
        let mut cleaned = String::new();
        for part in text.split_inclusive(|c: char| !c.is_ascii_hexdigit()) {
            let hex = part.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
            if hex.len() == 64 {
                if cleaned.ends_with(&format!("/{}/", &hex[..2])) {
                    cleaned.truncate(cleaned.len() - 3);
                }
                cleaned.push_str("[OTHER]");
                cleaned.push_str(&part[64..]);
            } else {
                cleaned.push_str(part);
            }
        }
        cleaned
    }
}

/// Writes a file with all folders above it.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, content).unwrap();
}

/// Flips the last bit of a file; its size and times stay.
pub(crate) fn flip(path: &Path) {
    let mut bytes = fs_err::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let about = fs_err::metadata(path).unwrap();
    fs_err::write(path, bytes).unwrap();
    let file = fs_err::OpenOptions::new().write(true).open(path).unwrap();
    file.file().set_modified(about.modified().unwrap()).unwrap();
}
