//! The image set is closed: what manifests ask of an image's own registry is there, or no image is made.

use serde_json::Value;

use crate::support::program::{Run, World, project, tree};

const HEAD: &str =
    "apiVersion: recipe.sealer.io/v1alpha1\nkind: Recipe\nmetadata: {name: closed}\nplatforms: [linux/amd64]\n";

/// The shipped recipe with changes.
fn shipped(changes: &[(&str, &str)]) -> String {
    let mut recipe = fs_err::read_to_string(project().join("recipes/rawdocker.yaml")).unwrap();
    for (from, to) in changes {
        assert!(recipe.contains(from), "{from}");
        recipe = recipe.replace(from, to);
    }
    recipe
}

fn apply(world: &World, recipe: &str) -> Run {
    let recipe = world.write("recipe.yaml", recipe);
    world.run(&["recipe", "apply", recipe.to_str().unwrap(), "--platform", "linux/amd64"])
}

/// What is said from the first error on, after a run that left the store as it was.
fn refused(world: &World, recipe: &str) -> String {
    let before = tree(&world.root());
    let run = apply(world, recipe);
    assert_eq!(run.code, Some(4), "{run}");
    assert_eq!(tree(&world.root()), before, "the store is as it was");
    assert_eq!(run.stdout, "");
    run.stderr.lines().skip_while(|line| !line.contains(": error: ")).collect::<Vec<_>>().join("\n")
}

/// The warnings and notes of a run that went well.
fn remarks(run: &Run) -> String {
    assert_eq!(run.code, Some(0), "{run}");
    let is_remark =
        |line: &&str| (line.starts_with("warning: ") && !line.contains("URL mirror")) || line.starts_with("note: ");
    run.stderr.lines().filter(is_remark).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_manifest_with_a_typo_ends_the_run_at_the_step_that_wrote_it() {
    let world = World::new();
    let typo = "      - patch:
          path: etc/tigera-operator.yaml
          document: {kind: Deployment}
          ops:
            - {op: replace, path: /spec/template/spec/containers/0/image, value: \"{{ values.hub }}/tigrea/operator:v1.17.4\"}
      # 6. List";
    let message = refused(&world, &shipped(&[("      # 6. List", typo)]));
    insta::assert_snapshot!(message, @"
    [WORLD]/recipe.yaml:76:17: error: etc/tigera-operator.yaml:157: `sea.hub:5000/tigrea/operator:v1.17.4` must come from the image's own registry, which does not have it
       |
    76 |           path: etc/tigera-operator.yaml
       |                 ^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: the nearest name there is `sea.hub:5000/tigera/operator:v1.17.4`
       = help: list the source image in manifests/imageList
    ");
}

/// A recipe that makes another cluster image of all that the base has.
fn derived(steps: &str) -> String {
    format!(
        "{HEAD}stages:\n  - name: one\n    image: mine:v1\n    context:\n      - rootfs: {{of: 'kubernetes:v1.19.8'}}\n    \
         steps:\n{steps}    kubefile: |\n      FROM scratch\n      COPY . .\n"
    )
}

#[test]
fn a_cluster_that_could_not_start_is_refused() {
    let world = World::new();
    let scheduler = "registry/docker/registry/v2/repositories/kube-scheduler";
    let elsewhere =
        "      - patch: {path: etc/kubeadm.yml, ops: [{op: replace, path: /imageRepository, value: k8s.gcr.io}]}\n";
    let mirror = "      - patch: {path: etc/daemon.json, ops: [{op: remove, path: /mirror-registries}]}\n";
    let script = "      - write: {path: scripts/init-registry.sh, content: \"#!/bin/sh\\nimage=registry\\ndocker run -d $image:2.8.1\\n\"}\n";
    let faults = [
        ("no scheduler", format!("      - remove: {{paths: [{scheduler}]}}\n")),
        ("no configuration", "      - remove: {paths: [etc/kubeadm.yml]}\n".to_owned()),
        ("another registry, and no mirror", format!("{elsewhere}{mirror}")),
        ("a script that runs another tag", script.to_owned()),
    ];
    let said = faults.map(|(name, steps)| format!("## {name}\n{}", refused(&world, &derived(&steps))));
    insta::assert_snapshot!("cluster", said.join("\n\n"));
    // With the engine's mirror the same registry is the image's own.
    let run = apply(&world, &derived(elsewhere));
    assert_eq!(run.code, Some(0), "{run}");
}

#[test]
fn an_image_that_is_not_listed_ends_the_run() {
    let world = World::new();
    let line = "            - quay.io/tigera/operator:{{ values.operator }}\n";
    let message = refused(&world, &shipped(&[(line, "")]));
    insta::assert_snapshot!(message, @"
    [WORLD]/recipe.yaml:72:9: error: etc/tigera-operator.yaml:157: `sea.hub:5000/tigera/operator:v1.17.4` must come from the image's own registry, which does not have it
       |
    72 |       - rewriteImages:
       |         ^^^^^^^^^^^^^^
       |
       = help: list the source image in manifests/imageList
    ");
}

#[test]
fn the_shipped_recipe_is_closed_and_what_has_no_reason_is_noted() {
    let world = World::new();
    for platform in ["linux/amd64", "linux/arm64"] {
        let run = world.run(&["recipe", "apply", "recipes/rawdocker.yaml", "--platform", platform]);
        assert_eq!(remarks(&run), "", "{platform}");
    }
    let without = shipped(&[(
        "{image: \"calico/cni:{{ values.calico }}\", for: tigera operator}",
        "\"calico/cni:{{ values.calico }}\"",
    )]);
    insta::assert_snapshot!(remarks(&apply(&world, &without)), @"note: manifests/imageList:1: no manifest asks for `calico/cni:v3.19.1`; if something else needs the image, say so in the recipe: `{image: …, for: …}`");
}

/// Builds an image of files.
fn build(world: &World, name: &str, kubefile: &str, files: &[(&str, &str)]) -> Run {
    let folder = format!("context-{}", name.replace([':', '/'], "-"));
    for (file, content) in files {
        world.write(&format!("{folder}/{file}"), content);
    }
    let kubefile = world.write(&format!("{folder}/Kubefile"), kubefile);
    let folder = world.path(&folder);
    let arguments = ["build", "-t", name, "--platform", "linux/amd64", "-f", kubefile.to_str().unwrap()];
    world.run(&[&arguments[..], &[folder.to_str().unwrap()]].concat())
}

#[test]
fn what_a_base_brought_along_is_a_warning() {
    let world = World::new();
    let pod = "kind: Pod\nspec: {containers: [{image: 'sea.hub:5000/calico/cin:v3.19.1'}]}\n";
    let list = "calico/cni:v3.19.1\n";
    let files = [("manifests/pod.yaml", pod), ("imageList", list)];
    let refused = build(&world, "base:v1", "FROM scratch\nCOPY manifests .\nCOPY imageList manifests\n", &files);
    assert_eq!(refused.code, Some(4), "{refused}");
    insta::assert_snapshot!(refused.stderr.lines().skip_while(|line| !line.starts_with("error")).collect::<Vec<_>>().join("\n"), @"
    error: manifests/pod.yaml:2: `sea.hub:5000/calico/cin:v3.19.1` must come from the image's own registry, which does not have it
      help: the nearest name there is `sea.hub:5000/calico/cni:v3.19.1`
      help: list the source image in manifests/imageList
    ");
    // Without an image's own registry in it the builder has nothing to hold it to.
    let other = pod.replace("sea.hub:5000/", "other.example/");
    let recipe = format!(
        "{HEAD}clusterRegistry: other.example\nstages:
  - name: one
    image: derived:v1
    context:
      - layer: {{of: 'base:v1', containing: etc/pod.yaml}}
    kubefile: |
      FROM base:v1
      COPY etc .
"
    );
    let based = build(&world, "base:v1", "FROM scratch\nCOPY etc .\n", &[("etc/pod.yaml", &other)]);
    assert_eq!(based.code, Some(0), "{based}");
    insta::assert_snapshot!(remarks(&apply(&world, &recipe)), @"warning: etc/pod.yaml:2: `other.example/calico/cin:v3.19.1` must come from the image's own registry, which does not have it; the file is unchanged from `base:v1`; list the source image in manifests/imageList");
}

#[test]
fn a_build_notes_what_it_caches_for_nobody() {
    let world = World::new();
    let built =
        build(&world, "app:v1", "FROM scratch\nCOPY imageList manifests\n", &[("imageList", "calico/cni:v3.19.1\n")]);
    insta::assert_snapshot!(remarks(&built), @"note: manifests/imageList:1: no manifest asks for `calico/cni:v3.19.1`; if something else needs the image, say so in the recipe: `{image: …, for: …}`");
}

#[test]
fn why_says_what_brought_an_image_in() {
    let world = World::new();
    assert_eq!(apply(&world, &shipped(&[])).code, Some(0));
    let ask = |arguments: &[&str]| world.run(&[&["recipe", "why", "kubernetes-rawdocker:v1.19.8"], arguments].concat());
    for (name, reference) in [
        ("why", "sea.hub:5000/tigera/operator:v1.17.4"),
        ("why-short", "calico/node:v3.19.1"),
        ("why-kubeadm", "sea.hub:5000/kube-proxy:v1.19.8"),
        ("why-nothing", "quay.io/tigrea/operator:v1.17.4"),
    ] {
        let run = ask(&[reference]);
        assert_eq!(run.code, Some(i32::from(name == "why-nothing")), "{run}");
        insta::assert_snapshot!(name, run);
    }
    let json = ask(&["tigera/operator:v1.17.4", "-o", "json"]);
    let answer: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(answer["reference"], "sea.hub:5000/tigera/operator:v1.17.4");
    assert_eq!(answer["lists"][0]["reference"], "quay.io/tigera/operator:v1.17.4");
    assert_eq!(answer["manifests"][0]["file"], "etc/tigera-operator.yaml");
    assert_eq!(answer["imageLayers"][3]["type"], "BASE");
    let recipe = world.path("recipe.yaml");
    let recipe = recipe.to_str().unwrap();
    for (name, reference) in
        [("why-steps", "sea.hub:5000/tigera/operator:v1.17.4"), ("why-reason", "calico/node:v3.19.1")]
    {
        let run = ask(&[reference, "--recipe", recipe]);
        assert_eq!(run.code, Some(0), "{run}");
        let steps: Vec<&str> = run.stdout.lines().skip_while(|line| *line != "steps").collect();
        insta::assert_snapshot!(name, steps.join("\n"));
    }
    let other = ask(&["tigera/operator:v1.17.4", "--recipe", recipe, "--set", "hub=other.hub"]);
    insta::assert_snapshot!("why-other-recipe", other);
    let wrong = world.run(&["recipe", "why", "kubernetes-rawdokcer:v1.19.8", "nginx"]);
    assert_eq!(wrong.code, Some(1), "{wrong}");
    let other = ask(&["nginx", "--platform", "linux/arm64"]);
    insta::assert_snapshot!("why-platform", other);
}

#[test]
fn why_asks_as_the_recipe_s_clusters_do() {
    let world = World::new();
    let recipe = format!(
        "{HEAD}clusterRegistry: my.hub:6000\nstages:
  - name: only
    image: app:v1
    steps:
      - imageList: {{images: [\"calico/cni:v3.19.1\"]}}
      - write:
          path: pod.yaml
          content: |
            kind: Pod
            spec:
              containers: [{{image: \"my.hub:6000/calico/cni:v3.19.1\"}}]
    kubefile: |
      FROM scratch
      COPY imageList manifests
      COPY pod.yaml manifests\n"
    );
    assert_eq!(apply(&world, &recipe).code, Some(0));
    let recipe = world.path("recipe.yaml");
    let ask = ["recipe", "why", "app:v1", "calico/cni:v3.19.1", "-o", "json", "--platform", "linux/amd64"];
    let run = world.succeed(&[&ask[..], &["--recipe", recipe.to_str().unwrap()]].concat());
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(answer["reference"], "my.hub:6000/calico/cni:v3.19.1");
    assert_eq!(answer["manifests"][0]["file"], "manifests/pod.yaml");
}
