//! Where `sealer build` finds the images that it caches: charts, lists with logins, and what of it other programs see.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sealer::testing::sandbox::TokenRules;
use sealer::testing::types::Digest;
use serde_json::Value;

use crate::support::program::{Run, World};
use crate::support::real;

/// A password that nothing else is called.
const PASSWORD: &str = "hunter2-xyzzy";

/// Builds `files` with a Kubefile, for linux/amd64, with a PATH of its own.
fn build_with(world: &World, path: &str, name: &str, kubefile: &str, files: &[(&str, &str)]) -> Run {
    let folder = format!("context-{}", name.replace([':', '/'], "-"));
    for (file, content) in files {
        world.write(&format!("{folder}/{file}"), content);
    }
    let kubefile = world.write(&format!("{folder}/Kubefile"), kubefile);
    let mut command = world.command();
    command.args(["build", "-t", name, "--platform", "linux/amd64", "-o", "json", "-f"]).arg(kubefile);
    world.result(&command.arg(world.path(&folder)).env("PATH", path).output().unwrap())
}

fn build(world: &World, name: &str, kubefile: &str, files: &[(&str, &str)]) -> Run {
    build_with(world, "/usr/bin:/bin", name, kubefile, files)
}

/// A stand-in for helm that puts a chart's one value into its templates, and the PATH that leads to it.
fn helm(world: &World) -> String {
    let script = r##"#!/bin/sh
test "$1 $2 $3 $#" = "template --kube-version v1.19.8 4" || { echo "unexpected: $*" >&2; exit 9; }
image=$(sed -n 's/^image: //p' "$4/values.yaml")
for template in "$4"/templates/*.yaml; do
  echo "---"
  echo "# Source: web/templates/${template##*/}"
  sed "s|{{ .Values.image }}|$image|" "$template"
done
"##;
    world.script("programs/helm", script);
    format!("{}:/usr/bin:/bin", world.path("programs").display())
}

/// What is said from the first error on.
fn errors(run: &Run) -> String {
    let lines: Vec<&str> = run.stderr.lines().skip_while(|line| !line.starts_with("error")).collect();
    lines.join("\n")
}

fn report(run: &Run) -> Value {
    assert_eq!(run.code, Some(0), "{run}");
    serde_json::from_str(&run.stdout).unwrap()
}

fn cached(run: &Run) -> Vec<String> {
    let report = report(run);
    let images = report["cachedImages"].as_array().unwrap();
    images.iter().map(|image| image["reference"].as_str().unwrap().to_owned()).collect()
}

/// The folder of the topmost layer.
fn top_layer(world: &World, run: &Run) -> PathBuf {
    let report = report(run);
    let layer = report["layers"].as_array().unwrap().last().unwrap();
    assert_eq!((&layer["type"], &layer["value"]), (&"BASE".into(), &"registry cache".into()));
    let id: Digest = layer["id"].as_str().unwrap().parse().unwrap();
    world.root().join("data/overlay2").join(id.hex())
}

const METADATA: &str = "{\n  \"version\": \"v1.19.8\",\n  \"arch\": \"amd64\"\n}\n";
const CHART: [(&str, &str); 3] = [
    ("app/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\nkubeVersion: '>=1.19'\n"),
    ("app/values.yaml", "image: calico/cni:v3.19.1\n"),
    ("app/templates/pod.yaml", "kind: Pod\nspec: {containers: [{image: '{{ .Values.image }}'}]}\n"),
];

#[test]
fn a_chart_s_images_are_cached_and_metadata_says_what_it_needs() {
    let world = World::new();
    let path = helm(&world);
    let base = build(&world, "base:v1", "FROM scratch\nCOPY Metadata .\n", &[("Metadata", METADATA)]);
    assert_eq!(base.code, Some(0), "{base}");
    let kubefile = "FROM base:v1\nCOPY app charts\n";
    let built = build_with(&world, &path, "app:v1", kubefile, &CHART);
    assert_eq!(cached(&built), ["docker.io/calico/cni:v3.19.1"]);
    let metadata = fs_err::read_to_string(top_layer(&world, &built).join("Metadata")).unwrap();
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let expected = serde_json::json!({"version": "v1.19.8", "arch": "amd64", "kubeVersion": ">=1.19"});
    assert_eq!(metadata, expected);
    let again = build_with(&world, &path, "app:v2", kubefile, &CHART);
    assert_eq!(top_layer(&world, &again), top_layer(&world, &built), "the same content each time");
    // A chart of two layers is one chart.
    let kubefile = "FROM base:v1\nCOPY app charts\nCOPY more/values.yaml charts/app\n";
    let files = [&CHART[..], &[("more/values.yaml", "image: calico/nowhere:v1\n")]].concat();
    let failed = build_with(&world, &path, "app:v3", kubefile, &files);
    insta::assert_snapshot!(errors(&failed), @"
    error: `docker.io/calico/nowhere:v1`: its manifest cannot be pulled: the registry does not have it (http://[SERVER]/v2/docker.io/calico/nowhere/manifests/v1: the server answered 404, MANIFEST_UNKNOWN no manifest `v1`)
      help: check that the repository and the tag or digest are spelled right
      help: charts/app (templates/pod.yaml) asks for it
    ");
}

#[test]
fn without_helm_the_error_says_how_to_list_and_the_list_makes_it_a_warning() {
    let world = World::new();
    let failed = build(&world, "app:v1", "FROM scratch\nCOPY app charts\n", &CHART);
    assert_eq!(failed.code, Some(1));
    insta::assert_snapshot!(errors(&failed), @"
    error: charts/app: the images of the chart are not known
      caused by: `helm`, which renders charts, is not on PATH
      help: install helm
      help: or list the chart's images yourself, a line each, in a file `imageList` that is copied with `COPY imageList manifests`: charts that cannot be rendered are then a warning
    ");
    let files = [&CHART[..], &[("imageList", "calico/cni:v3.19.1\n")]].concat();
    let listed = build(&world, "app:v1", "FROM scratch\nCOPY app charts\nCOPY imageList manifests\n", &files);
    assert_eq!(cached(&listed), ["docker.io/calico/cni:v3.19.1"]);
    assert!(listed.stderr.contains("warning: charts/app: the images of the chart are not known"), "{listed}");
    assert!(listed.stderr.contains("not on PATH; those that manifests/imageList lists are cached"), "{listed}");
}

/// Fails where any file below a folder has one of the words in it.
fn assert_nowhere(folder: &Path, words: &[String]) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs_err::symlink_metadata(&path).unwrap();
        if kind.is_dir() {
            assert_nowhere(&path, words);
        } else if kind.is_file() {
            let bytes = fs_err::read(&path).unwrap();
            for word in words {
                let is_in = bytes.windows(word.len()).any(|window| window == word.as_bytes());
                assert!(!is_in, "{} has `{word}` in it", path.display());
            }
        }
    }
}

/// The password as it could stand somewhere: plain, and as `Authorization: Basic` has it.
fn forms() -> [String; 2] {
    // `printf 'robot:hunter2-xyzzy' | base64`
    [PASSWORD.to_owned(), "cm9ib3Q6aHVudGVyMi14eXp6eQ".to_owned()]
}

fn auth_list(registry: &str, password: &str, images: &str) -> String {
    format!("- registry: {registry}\n  username: robot\n  password: {password}\n  images: [{images}]\n")
}

/// A world whose registries want a login of everybody.
fn private_world() -> (World, String) {
    let world = World::new();
    let login = Some(("robot".to_owned(), PASSWORD.to_owned()));
    world.server().require_tokens(Some(TokenRules { login, ..TokenRules::default() }));
    let registry = world.server().address().to_string();
    (world, registry)
}

#[test]
fn a_list_with_logins_is_pulled_with_them_and_the_password_is_nowhere() {
    let (world, registry) = private_world();
    let pod = format!("kind: Pod\nspec: {{containers: [{{image: '{registry}/docker.io/calico/cni:v3.19.1'}}]}}\n");
    let list = auth_list(&registry, PASSWORD, "docker.io/calico/cni:v3.19.1");
    // A registry's name before the repository's is one, whatever the section says.
    let refused = build(&world, "app:v1", "FROM scratch\nCOPY . .\n", &[("imageListWithAuth.yaml", &list)]);
    assert_eq!(refused.code, Some(3), "{refused}");
    insta::assert_snapshot!(errors(&refused).replace(&registry, "[SERVER]"), @"
    error: imageListWithAuth.yaml:4:12: `docker.io/calico/cni:v3.19.1` is not in `[SERVER]`, the registry of this login
      help: give it a section of its own
    ");
    let list = auth_list(&registry, PASSWORD, &format!("{registry}/docker.io/calico/cni:v3.19.1"));
    for (name, kubefile) in [
        ("app:v1", "FROM scratch\nCOPY . .\n"),
        ("app:v2", "FROM scratch\nCOPY *.yaml etc\nCOPY manifests manifests\n"),
        ("app:v3", "FROM scratch\nCOPY imageListWithAuth.yaml etc\nCOPY manifests .\n"),
    ] {
        let built = build(&world, name, kubefile, &[("imageListWithAuth.yaml", &list), ("manifests/pod.yaml", &pod)]);
        assert_eq!(cached(&built), ["[SERVER]/docker.io/calico/cni:v3.19.1"]);
        assert!(built.stderr.contains("imageListWithAuth.yaml has passwords, so it is not in the layer"), "{built}");
        for form in forms() {
            assert!(!built.stderr.contains(&form) && !built.stdout.contains(&form), "{built}");
        }
    }
    assert_nowhere(&world.root(), &forms());
    assert_nowhere(&world.cache(), &forms());
}

#[test]
fn a_login_is_for_the_images_that_it_was_given_for() {
    let (world, registry) = private_world();
    let list = auth_list(&registry, PASSWORD, &format!("{registry}/docker.io/calico/cni:v3.19.1"));
    // Asked at the same host, as the sandbox's settings say, and with nobody's login.
    let files = [("imageListWithAuth.yaml", list.as_str()), ("imageList", "calico/cni:v3.19.1\n")];
    let refused = build(&world, "app:v1", "FROM scratch\nCOPY imageList manifests\n", &files);
    assert_ne!(refused.code, Some(0), "{refused}");
    insta::assert_snapshot!(errors(&refused).replace(&registry, "[SERVER]"), @"
    error: `docker.io/calico/cni:v3.19.1`: its manifest cannot be pulled: the registry asks for a login, or hides that it does not have it (http://[SERVER]/token: the server answered 401, UNAUTHORIZED wrong user or password)
      help: log in with `sealer login [SERVER]`; the login is read from `[WORLD]/home/.docker/config.json`
      help: manifests/imageList:1 asks for it
    ");
    // One for Docker's registry is not shown to whom the settings ask instead.
    let list = auth_list("docker.io", PASSWORD, "calico/cni:v3.19.1");
    let refused = build(&world, "app:v2", "FROM scratch\nCOPY . .\n", &[("imageListWithAuth.yaml", &list)]);
    assert_ne!(refused.code, Some(0), "{refused}");
    let list = auth_list(&registry, "wrong-xyzzy", &format!("{registry}/docker.io/calico/cni:v3.19.1"));
    let refused = build(&world, "app:v3", "FROM scratch\nCOPY . .\n", &[("imageListWithAuth.yaml", &list)]);
    assert!(!refused.stderr.contains("xyzzy"), "{refused}");
    insta::assert_snapshot!(errors(&refused).replace(&registry, "[SERVER]"), @"
    error: `[SERVER]/docker.io/calico/cni:v3.19.1`: its manifest cannot be pulled: the registry does not accept the login of `robot` for `[SERVER]`, which comes from the list that names the image (http://[SERVER]/token: the server answered 401, UNAUTHORIZED wrong user or password)
      help: log in again: `sealer login [SERVER]`
      help: imageListWithAuth.yaml:4 asks for it
    ");
}

#[test]
fn the_list_of_a_recipe_s_context_works_the_same() {
    let world = World::new();
    let registry = world.server().address().to_string();
    let list = auth_list(&registry, PASSWORD, &format!("{registry}/docker.io/calico/cni:v3.19.1"));
    // Below the top it is a file like others: so it gets into a layer, which the recipe takes its context from.
    let files = [("private/imageListWithAuth.yaml", list.as_str()), ("private/a.yaml", "a: 1\n")];
    let kubefile = "FROM scratch\nCOPY private/imageListWithAuth.yaml .\nCOPY private/a.yaml .\n";
    let source = report(&build(&world, "source:v1", kubefile, &files));
    let login = Some(("robot".to_owned(), PASSWORD.to_owned()));
    world.server().require_tokens(Some(TokenRules { login, ..TokenRules::default() }));
    let recipe = "\
apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {name: private}
platforms: [linux/amd64]
stages:
  - name: one
    image: made:v1
    context:
      - layer: {of: 'source:v1', index: 0}
      - layer: {of: 'source:v1', index: 1}
    kubefile: |
      FROM scratch
      COPY . .
";
    let recipe = world.write("recipe.yaml", recipe);
    let planned = world.succeed(&["recipe", "plan", recipe.to_str().unwrap(), "-o", "json"]);
    let applied = world.succeed(&["recipe", "apply", recipe.to_str().unwrap(), "-o", "json"]);
    let report: Value = serde_json::from_str(&applied.stdout).unwrap();
    assert_eq!(report["images"][0]["cachedImages"][0]["reference"], "[SERVER]/docker.io/calico/cni:v3.19.1");
    for form in forms() {
        assert!(![&planned, &applied].iter().any(|run| run.stdout.contains(&form) || run.stderr.contains(&form)));
    }
    // It was in one layer from the start; that one apart, it is nowhere.
    let layer: Digest = source["layers"][0]["id"].as_str().unwrap().parse().unwrap();
    fs_err::remove_dir_all(world.root().join("data/overlay2").join(layer.hex())).unwrap();
    assert_nowhere(&world.root().join("data"), &forms());
    assert_nowhere(&world.cache(), &forms());
}

#[test]
fn the_same_path_from_two_sources_is_an_error() {
    let (world, registry) = private_world();
    let list = auth_list(&registry, PASSWORD, &format!("{registry}/docker.io/calico/cni:v3.19.1"));
    world.server().play("other.example");
    let files =
        [("imageListWithAuth.yaml", list.as_str()), ("imageList", "other.example/docker.io/calico/cni:v3.19.1\n")];
    let refused = build(&world, "app:v1", "FROM scratch\nCOPY imageList manifests\n", &files);
    assert!(errors(&refused).contains("get the same path"), "{refused}");
    assert!(errors(&refused).contains("imageListWithAuth.yaml:4 has the other one; keep one of the two"), "{refused}");
}

/// A list is stored as it is, of its manifests the platform's: by tag and by the list's digest skopeo gets the same.
#[test]
fn a_real_registry_serves_a_list_by_tag_and_by_digest() {
    if !(real::available("docker-registry") && real::available("skopeo")) {
        return;
    }
    let world = World::new();
    let list = [("imageList", "calico/cni:v3.19.1\n")];
    let built = build(&world, "app:v1", "FROM scratch\nCOPY imageList manifests\n", &list);
    let digest = report(&built)["cachedImages"][0]["digest"].as_str().unwrap().to_owned();
    let cluster = real::docker_registry_on(&top_layer(&world, &built).join("registry")).unwrap();
    let repository = format!("docker://{}/calico/cni", cluster.address());
    let raw = |image: &str| real::skopeo(&["inspect", "--raw", "--tls-verify=false", image]).unwrap();
    let document: Value = serde_json::from_str(&raw(&format!("{repository}:v3.19.1"))).unwrap();
    assert!(document["manifests"].as_array().unwrap().len() > 1, "it is a list: {document}");
    let copy = |image: &str, architecture: &str, folder: &str| {
        let to = format!("dir:{}", world.path(folder).display());
        let platform = ["--override-os", "linux", "--override-arch", architecture];
        real::skopeo(&[&platform[..], &["copy", "--src-tls-verify=false", image, &to]].concat())?;
        Ok::<_, String>(fs_err::read(world.path(folder).join("manifest.json")).unwrap())
    };
    let by_tag = copy(&format!("{repository}:v3.19.1"), "amd64", "by-tag").unwrap();
    let by_digest = copy(&format!("{repository}@{digest}"), "amd64", "by-digest").unwrap();
    assert_eq!(by_tag, by_digest);
    assert_eq!(Digest::of(raw(&format!("{repository}@{digest}")).as_bytes()).to_string(), digest);
    let for_amd64 = document["manifests"].as_array().unwrap().iter();
    let mut for_amd64 = for_amd64.filter(|entry| entry["platform"]["architecture"] == "amd64");
    assert_eq!(for_amd64.next().unwrap()["digest"], Digest::of(&by_tag).to_string());
    assert!(copy(&format!("{repository}:v3.19.1"), "arm64", "other").is_err(), "of the platform alone");
}

/// The processes whose arguments hold these words, each ended by a NUL.
fn processes(words: &str) -> usize {
    let folders = fs_err::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = folders.filter_map(|folder| fs_err::read(folder.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(words)).count()
}

#[test]
fn helm_ends_with_the_build_that_started_it() {
    let world = World::new();
    world.script("programs/helm", "#!/bin/sh\n(sleep 86397.25) &\nsleep 86397.25\n");
    let path = format!("{}:/usr/bin:/bin", world.path("programs").display());
    for (file, content) in
        [("Chart.yaml", "name: web\n"), ("values.yaml", "a: 1\n"), ("templates/a.yaml", "kind: ConfigMap\n")]
    {
        world.write(&format!("context/charts/web/{file}"), content);
    }
    let kubefile = world.write("context/Kubefile", "FROM scratch\nCOPY charts .\n");
    for signal in ["-KILL", "-INT", "-TERM"] {
        let mut command = world.command();
        command.args(["build", "-t", "killed:v1", "--platform", "linux/amd64", "-f"]).arg(&kubefile);
        command.arg(world.path("context")).env("PATH", &path);
        let mut child = command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let wait_for = |is_done: &dyn Fn() -> bool, what: &str| {
            let start = Instant::now();
            while !is_done() {
                assert!(start.elapsed() < Duration::from_secs(30), "{signal}: {what}");
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        wait_for(&|| processes("sleep\u{0}86397.25\u{0}") == 2, "helm does not start");
        let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert_eq!(child.wait().unwrap().code(), None);
        wait_for(&|| processes("86397.25") == 0, "it sleeps on");
    }
}

#[test]
fn a_container_s_image_that_is_none_is_an_error() {
    let world = World::new();
    let pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: FOO/Bar:X\n  - image: 5\n";
    let run = build(&world, "bad:v1", "FROM scratch\nCOPY p.yaml manifests\n", &[("p.yaml", pod)]);
    assert_eq!(run.code, Some(3), "{run}");
    insta::assert_snapshot!(errors(&run), @"
    error: manifests/p.yaml:5: `FOO/Bar:X` is not an image reference: a repository must be in lower case

    error: manifests/p.yaml:6: `5` is not an image reference: it is not a string
    ");
}
