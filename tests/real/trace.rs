//! `doctor trace` with a real engine: it pulled one image from a real registry, of which its files then tell, and had
//! another one loaded, of which nothing tells. The sealer image is built from the same registry.

use crate::support::program::{Run, World};
use crate::support::real::{self, DockerRegistry, Dockerd};

const NODE: &str = "calico/node:v3.19.1";
const CNI: &str = "calico/cni:v3.19.1";

/// A world with a real engine and a real registry, and `app:v1` with node and cni of that registry in the store.
struct Machine {
    world: World,
    engine: Dockerd,
    registry: DockerRegistry,
}

impl Machine {
    fn new() -> Option<Self> {
        if !real::available("skopeo") {
            return None;
        }
        let registry = real::docker_registry()?;
        let engine = real::dockerd()?;
        let world = World::new();
        let content = world.server().registry(|registry| registry.clone());
        for name in ["calico/node", "calico/cni"] {
            real::push(&content, &format!("docker.io/{name}"), registry.address(), name);
        }
        let conf = format!("[[registry]]\nlocation = \"{}\"\ninsecure = true\n", registry.address());
        let conf = world.write("real.conf", conf);
        world.write("context/Kubefile", "FROM scratch\nCOPY imageList manifests\n");
        let machine = Self { world, engine, registry };
        machine.world.write("context/imageList", format!("{}\n{}\n", machine.name(NODE), machine.name(CNI)));
        let context = machine.world.path("context");
        let mut command = machine.world.command();
        command.env("CONTAINERS_REGISTRIES_CONF", conf).args(["build", "-t", "app:v1", "--platform", "linux/amd64"]);
        let run = machine.world.result(&command.arg(context).output().unwrap());
        assert_eq!(run.code, Some(0), "{run}");
        Some(machine)
    }

    fn name(&self, image: &str) -> String {
        format!("{}/{image}", self.registry.address())
    }

    /// Hands the engine an image as a file: from then on it has the layers, and no digest of any registry.
    fn load(&self, image: &str, as_name: &str) {
        let archive = self.world.path("loaded.tar");
        let to = format!("docker-archive:{}:{as_name}", archive.display());
        let platform = ["--override-os", "linux", "--override-arch", "amd64", "copy", "--src-tls-verify=false"];
        let from = format!("docker://{}", self.name(image));
        real::skopeo(&[&platform[..], &[&from, &to]].concat()).unwrap();
        self.engine.docker(&["load", "-i", archive.to_str().unwrap()]).unwrap();
        fs_err::remove_file(archive).unwrap();
    }

    fn trace(&self, arguments: &[&str]) -> Run {
        let mut command = self.world.command();
        command.env("DOCKER_HOST", self.engine.host()).args(["--progress", "plain", "doctor", "trace"]);
        let run = self.world.result(&command.args(arguments).output().unwrap());
        let driver = self.engine.docker(&["info", "--format", "{{.Driver}}"]).unwrap();
        let clean = |text: String| {
            let text = text.replace(&self.engine.host(), "[ENGINE]");
            let text = text.replace(self.engine.data_root().to_str().unwrap(), "[DOCKER]");
            let text = text.replace(&format!("/image/{}/", driver.trim()), "/image/[DRIVER]/");
            text.replace(&self.registry.address().to_string(), "[REGISTRY]")
        };
        Run { code: run.code, stdout: clean(run.stdout), stderr: clean(run.stderr) }
    }
}

#[test]
fn pulled_and_loaded_images_are_found() {
    let Some(machine) = Machine::new() else { return };
    machine.load(CNI, CNI);
    insta::assert_snapshot!("loaded", machine.trace(&[CNI]));
    machine.engine.docker(&["pull", &machine.name(NODE)]).unwrap();
    insta::assert_snapshot!("pulled", machine.trace(&[&machine.name(NODE)]));
    // The layer that both stand on is known by the pull of the other.
    insta::assert_snapshot!("loaded_over_pulled", machine.trace(&[CNI, "--deep"]));
    // What a container changed is in no sealer image.
    let built = machine.world.write("built/Dockerfile", format!("FROM {CNI}\nCOPY Dockerfile /new\n"));
    let folder = built.parent().unwrap().to_str().unwrap();
    machine.engine.docker(&["build", "--network", "none", "-t", CNI, folder]).unwrap();
    let run = machine.trace(&[CNI]);
    assert_eq!(run.code, Some(4), "{run}");
    // Its id and its last layer differ from run to run.
    let has: Vec<&str> = run.stdout.lines().filter(|line| !line.contains("sha256:")).collect();
    insta::assert_snapshot!("built", has.join("\n"));
}
