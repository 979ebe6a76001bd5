//! The steps on whole files in a recipe that is applied: what they make, and that the base image stays as it was.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::program::{World, tree};

const RECIPE: &str = r#"
apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {name: steps}
values: {motd: hello, port: "6443"}
platforms: [linux/amd64]
stages:
  - name: one
    image: steps:v1
    context:
      - layer: {of: "kubernetes:v1.19.8", containing: etc/daemon.json}
    steps:
      - patch: {path: etc/daemon.json, merge: {mirror-registries: null, debug: true}}
      - replaceText: {path: scripts/init.sh, find: "prepare the (?<what>node)", replace: "leave the ${what}", regex: true, expect: 1}
      - write: {path: etc/motd, content: "{{ values.motd }} {% raw %}{{ kept }}{% endraw %}\n", mode: "0640"}
      - copy: {from: files/port.conf, path: etc/port.conf, template: true}
      - copy: {from: files/run.sh, path: scripts/run.sh}
      - download: {url: "https://download.docker.com/linux/static/stable/{{ platform.machine }}/docker-19.03.15.tgz", path: cri/upstream.tgz}
      - remove: {paths: [images, "statics/*.yml"]}
      - move: {from: bin/crictl, to: conf/crictl}
      - chmod: {paths: ["scripts/*.sh"], mode: "0700"}
      - symlink: {path: bin/k, target: /usr/bin/kubectl}
      - chmod: {paths: ["none/*"], mode: "0700", optional: true}
    kubefile: |
      FROM scratch
      COPY . .
"#;

#[test]
fn steps_change_the_image_and_never_the_base() {
    let world = World::new();
    world.succeed(&["recipe", "apply", "recipes/rawdocker.yaml", "--platform", "linux/amd64", "--stage", "alpine"]);
    let overlay = world.root().join("data/overlay2");
    let before = tree(&overlay);
    assert!(!before.is_empty());

    let recipe = world.write("recipe/recipe.yaml", RECIPE);
    world.write("recipe/files/port.conf", "port = {{ values.port }}\n");
    let script = world.write("recipe/files/run.sh", "#!/bin/sh\n");
    fs_err::set_permissions(script, PermissionsExt::from_mode(0o700)).unwrap();
    let run = world.succeed(&["recipe", "apply", recipe.to_str().unwrap(), "-o", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let steps: Vec<String> = report["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| format!("{} {}", step["step"].as_str().unwrap(), step["status"].as_str().unwrap()))
        .collect();
    insta::assert_snapshot!("statuses", steps.join("\n"));

    let after = tree(&overlay);
    for (path, what) in &before {
        assert_eq!(after.get(path), Some(what), "{}", path.display());
    }
    let motd = after.keys().filter(|path| path.ends_with("etc/motd")).collect::<Vec<_>>();
    let layer = overlay.join(motd[0].parent().unwrap().parent().unwrap());
    let mut made = Vec::new();
    for (path, what) in tree(&layer).iter().filter(|(path, _)| !path.starts_with("registry")) {
        // The mode, and the time where a step gave it.
        let mut parts = what.split(' ');
        let (mode, time) = (parts.next().unwrap(), parts.next().unwrap_or_default());
        let is_made = if time == "315532800" { " made" } else { "" };
        made.push(format!("{} {mode}{is_made}", path.display()));
    }
    insta::assert_snapshot!("layer", made.join("\n"));
    let text = |path: &str| fs_err::read_to_string(layer.join(path)).unwrap();
    assert_eq!(text("etc/motd"), "hello {{ kept }}\n");
    assert_eq!(text("etc/port.conf"), "port = 6443\n");
    assert!(text("scripts/init.sh").contains("it would leave the node"));

    // The same again: the same ids, whatever the order of the values.
    let again = RECIPE.replace("{motd: hello, port: \"6443\"}", "{port: \"6443\", motd: hello}");
    world.write("recipe/recipe.yaml", again);
    let run = world.succeed(&["recipe", "apply", recipe.to_str().unwrap(), "-o", "json"]);
    let second: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(second["images"][0]["id"], report["images"][0]["id"]);
    assert!(report["images"][0]["id"].is_string(), "{}", report["images"]);
}

#[test]
fn a_mistake_in_a_template_beside_the_recipe_is_told_with_its_line() {
    let world = World::new();
    let recipe = world.write("recipe/recipe.yaml", RECIPE);
    world.write("recipe/files/port.conf", "a\nport = {{ values.prot }}\n");
    let run = world.run(&["recipe", "apply", recipe.to_str().unwrap(), "--quiet"]);
    assert_eq!(run.code, Some(3), "{run}");
    let message: Vec<&str> = run.stderr.lines().skip_while(|line| !line.contains(": error: ")).collect();
    insta::assert_snapshot!("template", message.join("\n"));
}
