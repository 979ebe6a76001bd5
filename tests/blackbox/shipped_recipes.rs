//! The recipes that ship: each one is valid without a warning, applies in the sandbox on both platforms to the very
//! bytes, and what comes out is what it is for.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sealer::testing::types::ImageRef;
use serde_json::Value;

use crate::support::program::{World, project};
use crate::support::real;

/// The images that a recipe makes of the sandbox's miniatures, with their layers, as in `same_bytes.rs`: they may change
/// only together with `FORMAT_VERSION`, or with the miniatures or the recipe themselves.
const SHIPPED: [(&str, &str, &str); 4] = [
    ("kyverno", "linux/amd64", KYVERNO_AMD64),
    ("kyverno", "linux/arm64", KYVERNO_ARM64),
    ("registry-auth", "linux/amd64", REGISTRY_AUTH_AMD64),
    ("registry-auth", "linux/arm64", REGISTRY_AUTH_ARM64),
];
const KYVERNO_AMD64: &str = "\
registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes-kyverno:v1.19.8
  ce55895e8f042bc6ec2e134e3e159f626072ed22eac66eecd01847429dc29756
  COPY . . sha256:9c3487df585f6840c5013aa851bcd8888ec62efe318a85fc29954de6e92fec6a
  COPY imageList manifests sha256:5f94248d575c24361f25efe4cbe621310169d0e787eaa1648bc02c88262c695d
  COPY etc . sha256:171d502164e09286d005bd223b1cac15f292cdf89ca97d65e183eb752818b784
  BASE registry cache sha256:133af8b94de76e63fe6e81b1fb1ee41344591cc5cfe13a697617c102a8d98174
  COPY imageList manifests sha256:36328efad5f85bba7f3fe77c78875647e43af31a0563a668f9143a15e024eecf
  COPY etc . sha256:f377188b1d8c3fe49ec2fcfcaa56edc1012f26ded993874ade99124d49030d62
  COPY scripts . sha256:a578df9e5e505d32845b8e165884dae7183c4a67e961d8a9c268f2bd1b3b0dda
  BASE registry cache sha256:3b58e8dbb803c15bcc0a8849bdaf9dd9ceeb727030d9dfcca931ceb5d439642f
";
const KYVERNO_ARM64: &str = "\
registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes-kyverno:v1.19.8
  a28f3b69225f5776aa3a0609cbd27a5389a2ac6aea143a46d0530e2dc4e79fa8
  COPY . . sha256:efb85508e80a8e4118792f802517d3d938a3a0a67d070540188086a199a2cd67
  COPY imageList manifests sha256:5f94248d575c24361f25efe4cbe621310169d0e787eaa1648bc02c88262c695d
  COPY etc . sha256:171d502164e09286d005bd223b1cac15f292cdf89ca97d65e183eb752818b784
  BASE registry cache sha256:ffeab34084ebf871b02725df5338c1e3cb8be4cb76b56107b196b9434636a5a4
  COPY imageList manifests sha256:36328efad5f85bba7f3fe77c78875647e43af31a0563a668f9143a15e024eecf
  COPY etc . sha256:f377188b1d8c3fe49ec2fcfcaa56edc1012f26ded993874ade99124d49030d62
  COPY scripts . sha256:a578df9e5e505d32845b8e165884dae7183c4a67e961d8a9c268f2bd1b3b0dda
  BASE registry cache sha256:fa90557f5b4ec57e0214c0b16977e23b5024e34384206a5edbd3d3039773b1e5
";
const REGISTRY_AUTH_AMD64: &str = "\
registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes-registry-auth:v1.19.8
  5b1c4c6acf841a9ec5e7e685103e2414a817f7b3cdbb09961a356d99f306fa93
  COPY . . sha256:b6303e7bac030e31991e47c33cfc457a27aa5830764c72acf03f38b005861405
  COPY Clusterfile etc/ sha256:90a3f2ee2fb2580dd95917afd1900976c20e4c18b834c5ab8ec0dfce2748b9e2
  COPY imageList manifests sha256:5f94248d575c24361f25efe4cbe621310169d0e787eaa1648bc02c88262c695d
  COPY etc . sha256:b98322b0ee44493d9232036c23ac01a9e1b901f77c3327aff8fba96c097380b1
  BASE registry cache sha256:133af8b94de76e63fe6e81b1fb1ee41344591cc5cfe13a697617c102a8d98174
  COPY etc . sha256:72fc77db734aeb7c61933e6a0438928694c2645f45b0ddf364c73091c2994522
  COPY bin . sha256:faec7f90442a83788ba62df9006d0c499a16ff7ed2dfc0366f4773564ec376da
  COPY plugins . sha256:cfff3bfc8c08173920a72fdbed41ed37a10799eddce89afc8b00e21ef1eaa363
";
const REGISTRY_AUTH_ARM64: &str = "\
registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes-registry-auth:v1.19.8
  b8375fc1acf0c901b5d44c7db546888605d84b91b16decd692f7eb58e0df0135
  COPY . . sha256:806cc943f0474daf52417b619d563d05f75e50556b8fe60348852ea316114e77
  COPY Clusterfile etc/ sha256:90a3f2ee2fb2580dd95917afd1900976c20e4c18b834c5ab8ec0dfce2748b9e2
  COPY imageList manifests sha256:5f94248d575c24361f25efe4cbe621310169d0e787eaa1648bc02c88262c695d
  COPY etc . sha256:b98322b0ee44493d9232036c23ac01a9e1b901f77c3327aff8fba96c097380b1
  BASE registry cache sha256:ffeab34084ebf871b02725df5338c1e3cb8be4cb76b56107b196b9434636a5a4
  COPY etc . sha256:72fc77db734aeb7c61933e6a0438928694c2645f45b0ddf364c73091c2994522
  COPY bin . sha256:397bedb5609383beadc521fb28ea878ba96758a442393a4eed2fe9453f1bc498
  COPY plugins . sha256:cfff3bfc8c08173920a72fdbed41ed37a10799eddce89afc8b00e21ef1eaa363
";

/// The report of `recipe apply` on a shipped recipe.
fn apply_for(platform: &str, world: &World, recipe: &str, more: &[&str]) -> Value {
    let recipe = format!("recipes/{recipe}.yaml");
    let mut arguments = vec!["recipe", "apply", &recipe, "-o", "json", "--platform", platform];
    arguments.extend(more);
    serde_json::from_str(&world.succeed(&arguments).stdout).unwrap()
}

/// As [`apply_for`], for amd64.
fn apply(world: &World, recipe: &str, more: &[&str]) -> Value {
    apply_for("linux/amd64", world, recipe, more)
}

/// The images of a report: names, ids, layers.
fn ids(report: &Value) -> String {
    let mut ids = String::new();
    for image in report["images"].as_array().unwrap() {
        ids.extend([image["name"].as_str().unwrap(), "\n  ", image["id"].as_str().unwrap(), "\n"]);
        for layer in image["layers"].as_array().unwrap() {
            let [kind, value, id] = ["type", "value", "id"].map(|key| layer[key].as_str().unwrap());
            ids.extend(["  ", kind, " ", value, " ", id, "\n"]);
        }
    }
    ids
}

/// The unpacked layer that this COPY made in the last image of a report.
fn layer(world: &World, report: &Value, value: &str) -> PathBuf {
    let layers = report["images"].as_array().unwrap().last().unwrap()["layers"].as_array().unwrap();
    // The topmost one: a base image may have one of the same name.
    let layer = layers.iter().rfind(|layer| layer["value"] == value).unwrap();
    let hex = layer["id"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    world.root().join("data/overlay2").join(hex)
}

/// The files below a folder, sorted, with their modes.
fn files(folder: &Path) -> Vec<String> {
    let found = crate::support::program::tree(folder).into_iter().filter_map(|(path, about)| {
        let mode = about.strip_prefix("100")?.split(' ').next()?.to_owned();
        Some(format!("{mode} {}", path.display()))
    });
    found.collect()
}

fn read(path: PathBuf) -> String {
    fs_err::read_to_string(path).unwrap()
}

/// The command lists of an inspected image: those of its base images, and its own.
fn commands(world: &World, image: &str) -> [Vec<String>; 2] {
    let inspected: Value = serde_yaml::from_str(&world.succeed(&["inspect", image]).stdout).unwrap();
    ["parent", "current"].map(|key| {
        let commands = inspected[0]["spec"]["image_config"]["cmd"][key].as_array();
        commands.into_iter().flatten().map(|command| command.as_str().unwrap().to_owned()).collect()
    })
}

#[test]
fn every_shipped_recipe_is_valid_without_a_warning() {
    let world = World::new();
    let recipes = fs_err::read_dir(project().join("recipes")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut recipes: Vec<_> = recipes.map(|name| format!("recipes/{}", name.to_str().unwrap())).collect();
    recipes.sort();
    assert_eq!(recipes, ["recipes/kyverno.yaml", "recipes/rawdocker.yaml", "recipes/registry-auth.yaml"]);
    for recipe in &recipes {
        let text = read(project().join(recipe));
        assert!(text.starts_with("# yaml-language-server: $schema=../schemas/recipe.schema.json\n"), "{recipe}");
        let run = world.succeed(&["recipe", "validate", "--strict", recipe]);
        assert_eq!((run.stdout, run.stderr), (format!("{recipe}: valid\n"), String::new()));
    }
}

#[test]
fn the_sandbox_makes_the_same_bytes_everywhere() {
    let world = World::new();
    assert_eq!(sealer::testing::plan::FORMAT_VERSION, 1, "the ids are those of this format version");
    for (recipe, platform, expected) in SHIPPED {
        let report = apply_for(platform, &world, recipe, &["--sandbox"]);
        assert_eq!(report["images"][0]["platform"], platform);
        assert_eq!(ids(&report), expected, "{recipe} {platform}");
    }
    // Its ids stand in `same_bytes.rs`; here it has to work as the others do.
    for platform in ["linux/amd64", "linux/arm64"] {
        let report = apply_for(platform, &world, "rawdocker", &["--sandbox"]);
        assert_eq!(report["images"].as_array().unwrap().len(), 2);
    }
    assert!(!world.root().exists(), "a sandbox has a store of its own");
}

#[test]
fn kyverno_comes_with_its_images_after_what_the_base_image_starts() {
    let world = World::new();
    let report = apply(&world, "kyverno", &[]);
    let image = &report["images"][0];
    let cached: Vec<_> = image["cachedImages"].as_array().unwrap().iter().map(|cached| &cached["reference"]).collect();
    assert_eq!(cached, ["ghcr.io/kyverno/kyverno:v1.5.1", "ghcr.io/kyverno/kyvernopre:v1.5.1"]);
    let [before, own] = commands(&world, "kubernetes-kyverno:v1.19.8");
    assert_eq!(before, ["kubectl apply -f etc/tigera-operator.yaml && kubectl apply -f etc/custom-resources.yaml"]);
    assert_eq!(
        own,
        [
            "kubectl create -f etc/kyverno/install.yaml",
            "kubectl wait --for condition=Established --timeout 60s crd/clusterpolicies.kyverno.io",
            "kubectl create -f etc/kyverno/redirect-registry.yaml",
            "bash scripts/wait-kyverno-ready.sh",
        ]
    );

    let etc = layer(&world, &report, "etc .");
    assert_eq!(files(&etc), ["644 etc/kyverno/install.yaml", "644 etc/kyverno/redirect-registry.yaml"]);
    assert_eq!(files(&layer(&world, &report, "scripts .")), ["755 scripts/wait-kyverno-ready.sh"]);
    let list = read(layer(&world, &report, "imageList manifests").join("manifests/imageList"));
    assert_eq!(list, "ghcr.io/kyverno/kyverno:v1.5.1\nghcr.io/kyverno/kyvernopre:v1.5.1\n");

    // Only the two references are changed, and the masters' taint is tolerated at the end of the last document.
    let server = include_str!("../../src/sandbox/miniature/text/kyverno-install.yaml");
    let expected = server.replace("        image: ghcr.io/kyverno/", "        image: sea.hub:5000/kyverno/");
    assert_ne!(server, expected);
    let tolerations = ["master", "control-plane"].map(|role| {
        format!("      - key: node-role.kubernetes.io/{role}\n        operator: Exists\n        effect: NoSchedule\n")
    });
    let expected = format!("{expected}      tolerations:\n{}", tolerations.concat());
    assert_eq!(read(etc.join("etc/kyverno/install.yaml")), expected);
}

#[test]
fn kyverno_stands_on_the_rawdocker_that_was_applied_here() {
    let world = World::new();
    let asked = |world: &World| {
        world.server().requests_for("/v2/registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes-rawdocker/").len()
    };
    let rawdocker = apply(&world, "rawdocker", &[]);
    let kyverno = apply(&world, "kyverno", &[]);
    let below = rawdocker["images"][1]["layers"].as_array().unwrap();
    assert_eq!(kyverno["images"][0]["layers"].as_array().unwrap()[..below.len()], below[..]);
    assert_eq!(asked(&world), 0);

    let elsewhere = World::new();
    let pulled = apply(&elsewhere, "kyverno", &[]);
    assert_ne!(asked(&elsewhere), 0);
    assert_ne!(pulled["images"][0]["layers"][0], below[0]);
}

/// What the policy's rule for these containers makes of an image. The rule's own patterns are applied: Kyverno's are
/// Go's, and what they use means the same here.
fn redirected(policy: &Value, rule: usize, containers: &str, image: &str) -> String {
    let patch = &policy["spec"]["rules"][rule]["mutate"]["foreach"][0]["patchStrategicMerge"]["spec"][containers][0];
    assert_eq!(patch["name"], "{{ element.name }}");
    let text = patch["image"].as_str().unwrap();
    let parts: Vec<&str> = text.split('\'').collect();
    let [open, registry, inner, short, element, library, comma, nothing, close] = parts[..] else { panic!("{text}") };
    let hub = open.strip_suffix("{{ regex_replace_all(").unwrap();
    assert_eq!([inner, element, comma, close], [", regex_replace_all(", ", element.image, ", "), ", ") }}"]);
    let replace = |pattern, text: &str, by| regex::Regex::new(pattern).unwrap().replace_all(text, by).into_owned();
    format!("{hub}{}", replace(registry, &replace(short, image, library), nothing))
}

#[test]
fn the_policy_leads_every_image_to_where_the_build_has_cached_it() {
    let world = World::new();
    let report = apply(&world, "kyverno", &["--set", "hub=registry.example.com"]);
    let policy = read(layer(&world, &report, "etc .").join("etc/kyverno/redirect-registry.yaml"));
    let policy: Value = serde_yaml::from_str(&policy).unwrap();
    let digest = format!("sha256:{}", "0".repeat(64));
    for (rule, containers) in ["containers", "initContainers"].into_iter().enumerate() {
        let list = policy["spec"]["rules"][rule]["mutate"]["foreach"][0]["list"].as_str().unwrap();
        let filter = "[?!starts_with(image, 'registry.example.com/')] || `[]`";
        assert_eq!(list, format!("request.object.spec.{containers}{filter}"));
        for image in [
            "nginx",
            "nginx:1.21",
            "docker.io/nginx:1.21",
            "index.docker.io/library/nginx:1.21",
            "calico/node:v3.19.1",
            "docker.io/calico/node:v3.19.1",
            "quay.io/tigera/operator:v1.17.4",
            "gcr.io/a/b/c:v1",
            "localhost/a/b:v1",
            "localhost:5000/a/b:v1",
            "sea.hub:5000/kube-proxy:v1.19.8",
            &format!("nginx@{digest}"),
            &format!("quay.io/a/b:v1@{digest}"),
        ] {
            let redirected = redirected(&policy, rule, containers, image);
            let cached = image.parse::<ImageRef>().unwrap().at_registry("registry.example.com");
            assert_eq!(redirected.parse::<ImageRef>().unwrap(), cached, "{image}: {redirected}");
        }
    }
}

/// Runs the script as sealer does, in an image's root file system whose kubectl is this script.
fn wait_for_kyverno(world: &World, kubectl: &str, seconds: &str) -> Output {
    let report = apply(world, "kyverno", &[]);
    let script = read(layer(world, &report, "scripts .").join("scripts/wait-kyverno-ready.sh"));
    let script = world.write("rootfs/scripts/wait-kyverno-ready.sh", script);
    world.script("rootfs/bin/kubectl", &format!("#!/bin/sh\n{kubectl}\n"));
    let mut command = Command::new("bash");
    command.arg("scripts/wait-kyverno-ready.sh").arg(seconds).current_dir(world.path("rootfs"));
    if real::available("shellcheck") {
        let checked = Command::new("shellcheck").arg(script).output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    }
    // A shell counts on from what it finds.
    command.env("SECONDS", "1000").output().unwrap()
}

#[test]
fn the_script_ends_well_as_soon_as_pods_are_redirected() {
    let world = World::new();
    // Ready at the second question.
    let kubectl = "case \"$*\" in
        '--request-timeout 10s --namespace kyverno wait --for condition=Available --timeout 5s deployment/kyverno') ;;
        '--request-timeout 10s get clusterpolicy redirect-registry --output jsonpath={.status.ready}')
            if [ -e asked ]; then echo true; else : > asked; fi ;;
        *) exit 9 ;;
    esac";
    let output = wait_for_kyverno(&world, kubectl, "60");
    assert!(output.status.success(), "{output:?}");
    assert!(world.path("rootfs/asked").exists());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn the_script_fails_when_kyverno_does_not_become_ready() {
    // The API server is down; the deployment is not there; the policy is not ready.
    for kubectl in ["exit 1", "[ \"$3\" = get ] && echo true", "[ \"$3\" != get ] || echo false"] {
        let output = wait_for_kyverno(&World::new(), kubectl, "2");
        assert_eq!(output.status.code(), Some(1), "{kubectl}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.starts_with("kyverno: not ready after 2 seconds; what there is:\n"), "{said}");
    }
    let output = wait_for_kyverno(&World::new(), "exit 1", "two");
    assert_eq!(output.status.code(), Some(2), "else it would wait for ever");
}

#[test]
fn the_registry_has_the_name_the_port_and_the_user_that_were_asked_for() {
    let world = World::new();
    let written = |more: &[&str]| {
        let report = apply(&world, "registry-auth", more);
        let layer = layer(&world, &report, "etc .");
        assert_eq!(files(&layer), ["600 etc/registry.yml", "644 etc/registry.yml.tmpl", "644 etc/registry_config.yml"]);
        assert_eq!(read(layer.join("etc/registry.yml")), "");
        read(layer.join("etc/registry.yml.tmpl"))
    };
    let password = "\
{{- if not (regexMatch \"^[A-Za-z0-9]+$\" (toString .RegistryPassword)) }}
{{- fail \"the registry needs a password of letters and digits: sealer run -e RegistryPassword=...\" }}
{{- end }}
password: \"{{ .RegistryPassword }}\"
";
    let expected = format!("domain: \"sea.hub\"\nport: \"5000\"\nusername: \"sealer\"\n{password}");
    assert_eq!(written(&[]), expected);
    let own = ["--set", "domain=registry.example.com", "--set", "port=443", "--set", "user=0123"];
    let expected = format!("domain: \"registry.example.com\"\nport: \"443\"\nusername: \"0123\"\n{password}");
    assert_eq!(written(&own), expected);
    // What logs in, and what prepares each machine for it.
    let report = apply(&world, "registry-auth", &[]);
    assert_eq!(files(&layer(&world, &report, "bin .")), ["755 bin/nerdctl"]);
    let plugins = layer(&world, &report, "plugins .");
    assert_eq!(files(&plugins), ["644 plugins/kubelet-folder.yaml"]);
    let plugin: Value = serde_yaml::from_str(&read(plugins.join("plugins/kubelet-folder.yaml"))).unwrap();
    assert_eq!(plugin["spec"]["data"], "mkdir -p /var/lib/kubelet");
    let plan = [&["recipe", "plan", "recipes/registry-auth.yaml", "-o", "json"][..], &own].concat();
    let plan: Value = serde_json::from_str(&world.succeed(&plan).stdout).unwrap();
    assert!(plan.to_string().contains("\"registry.example.com:443\""));
    // What the base image starts is started as before.
    let [before, own] = commands(&world, "kubernetes-registry-auth:v1.19.8");
    assert_eq!((before.len(), own.len()), (2, 0));
}

#[test]
fn what_would_not_hold_in_the_file_is_refused() {
    let world = World::new();
    for bad in ["domain=a\"b", "domain=a_b", "port=0", "port=65536", "port=five", "user=a:b", "user=$(id)", "user="] {
        let run = world.run(&["recipe", "validate", "recipes/registry-auth.yaml", "--set", bad]);
        assert_eq!(run.code, Some(3), "{bad}: {run}");
    }
    for bad in ["hub=sea.hub:5000/library", "hub=a'b", "kyverno=latest"] {
        let run = world.run(&["recipe", "validate", "recipes/kyverno.yaml", "--set", bad]);
        assert_eq!(run.code, Some(3), "{bad}: {run}");
    }
}
