//! Registries as companies have them: logins, private CAs, proxies, troubled ways. Each case runs against the sandbox's
//! registry and, where it is installed, against the real docker-registry.

mod certificates;
mod log_in;
mod logins;
mod network;
mod proxies;
mod troubles;

use std::net::SocketAddr;

use sealer::testing::sandbox::{Registry as Content, miniature};
use serde_json::json;
use tempfile::TempDir;

use crate::support::program::{Run, World};
use crate::support::real::{self, DockerRegistry};

/// What both kinds of registries hold.
const IMAGE: &str = "docker.io/library/registry";

/// The user whom registries that ask for a login know; bcrypt at its cheapest.
const LOGIN: (&str, &str) = ("bob", "s3cret-of-bob");

/// Which program plays the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sandbox,
    Docker,
}

/// A registry with the image, that speaks http.
struct Registry {
    address: SocketAddr,
    _docker: Option<(DockerRegistry, TempDir)>,
}

fn content() -> Content {
    let server = sealer::testing::sandbox::Server::start().unwrap();
    server.content(miniature::fill);
    server.registry(|registry| registry.clone())
}

/// Starts a registry; with `login`, one that asks for it. The sandbox's is the world's own.
fn registry(kind: Kind, world: &World, login: Option<(&str, &str)>) -> Option<Registry> {
    if kind == Kind::Sandbox {
        world.server().require_password(login);
        return Some(Registry { address: world.server().address(), _docker: None });
    }
    let folder = TempDir::new().unwrap();
    let storage = filled(&folder)?;
    let auth = login.map_or(json!({}), |(user, password)| {
        let file = folder.path().join("htpasswd");
        fs_err::write(&file, format!("{user}:{}\n", bcrypt::hash(password, 4).unwrap())).unwrap();
        json!({"htpasswd": {"realm": "registry", "path": file}})
    });
    let docker = real::docker_registry_with(&storage, &json!({}), &auth)?;
    Some(Registry { address: docker.address(), _docker: Some((docker, folder)) })
}

/// A storage of a real registry with the image in it.
fn filled(folder: &TempDir) -> Option<std::path::PathBuf> {
    let storage = folder.path().join("storage");
    fs_err::create_dir(&storage).unwrap();
    let docker = real::docker_registry_on(&storage)?;
    real::push(&content(), IMAGE, docker.address(), IMAGE);
    Some(storage)
}

/// Builds an image whose list names the container image at `registry`. The program sees `variables` too.
fn pull(world: &World, registry: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Run {
    let image = format!("{registry}/{IMAGE}:2.7.1");
    world.write("context/Kubefile", "FROM scratch\nCOPY imageList manifests\n");
    world.write("context/imageList", format!("{image}\n"));
    let (kubefile, context) = (world.path("context/Kubefile"), world.path("context"));
    let mut command = world.command();
    command.envs(variables.iter().copied()).args(["--progress", "none"]).args(arguments);
    command.args(["build", "-t", "pulled:v1", "--platform", "linux/amd64", "-f"]).arg(kubefile).arg(context);
    let run = world.result(&command.output().unwrap());
    // The world has its own word for its own server.
    let own = if registry == world.server().address().to_string() { "[SERVER]" } else { registry };
    let clean = |text: &str| text.replace(own, "[REGISTRY]");
    Run { code: run.code, stdout: clean(&run.stdout), stderr: clean(&run.stderr) }
}

/// As [`pull`]; it must go well.
fn pulled(world: &World, registry: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Run {
    let run = pull(world, registry, variables, arguments);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stdout.contains(&format!("  cached [REGISTRY]/{IMAGE}:2.7.1@sha256:")), "{run}");
    run
}

/// Lets the user's registries.conf say that these hosts speak http.
fn insecure(world: &World, hosts: &[&str]) {
    let rules = hosts.iter().map(|host| format!("[[registry]]\nlocation = \"{host}\"\ninsecure = true\n"));
    world.write("registries.conf", rules.collect::<String>());
}
