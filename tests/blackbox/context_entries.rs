//! Context entries from the recipe to the context: what is said about bad ones, and what good ones bring.

use sealer::testing::document::{Values, ValuesInput};
use sealer::testing::plan::{Narrowing, Plan, resolve};
use sealer::testing::recipe;
use sealer::testing::types::{Diagnostic, Epoch, Source};
use serde_json::{Value, json};

use crate::support::program::{World, tree};

/// A recipe of stages, each with a name, which its image has too, a context and a Kubefile.
fn recipe_of(stages: &[(&str, &str, &str)]) -> String {
    let stages = stages.iter().map(|(name, context, kubefile)| {
        format!("- name: {name}\n  image: {name}:v1\n  context:\n{context}  kubefile: \"{kubefile}\"\n")
    });
    let head = "apiVersion: recipe.sealer.io/v1alpha1\nkind: Recipe\nmetadata: {name: r}\nplatforms: [linux/amd64]\n";
    format!("{head}stages:\n{}", stages.collect::<String>())
}

fn planned(text: &str, narrowing: &Narrowing) -> Result<Plan, String> {
    let source = Source::new("r.yaml", text);
    let shown = |mistakes: Vec<Diagnostic>| mistakes.iter().map(|d| d.render(&source, false)).collect::<String>();
    let parsed = recipe::parse(&source).map_err(shown)?;
    let values = Values::merge(&parsed.recipe.declared(&source), &ValuesInput::default()).unwrap();
    resolve(&source, &parsed.recipe, &values, narrowing, Epoch::DEFAULT).map_err(shown)
}

/// What is said about one entry.
fn refused(entry: &str) -> String {
    let text = recipe_of(&[("one", &format!("  - {entry}\n"), "FROM scratch\\nCOPY . .")]);
    planned(&text, &Narrowing::default()).expect_err(entry)
}

#[test]
fn bad_entries_are_refused_at_their_place() {
    let entries = [
        "rootfs: {of: \"kubernetes:v1 9\"}",
        "rootfs: {of: \"{{ values.nothing }}\"}",
        "rootfs: {of: kubernetes:v1, paths: [/etc, ../x]}",
        "rootfs: {of: kubernetes:v1, paths: [\"etc/[\"]}",
        "rootfs: {of: kubernetes:v1, to: /etc}",
        "rootfs: {of: one:v1}",
        "directory: {path: ../charts}",
        "directory: {path: /charts}",
        "directory: {path: charts, to: ../x}",
    ];
    insta::assert_snapshot!("refused", entries.map(refused).join("\n"));
}

#[test]
fn a_root_file_system_is_taken_only_of_images_that_are_made_before() {
    let scratch = "FROM scratch\\nCOPY . .";
    let text = recipe_of(&[
        ("one", "  - rootfs: {of: two:v1}\n", scratch),
        ("two", "  - directory: {path: files}\n", scratch),
    ]);
    insta::assert_snapshot!("order", planned(&text, &Narrowing::default()).unwrap_err());
}

#[test]
fn a_stage_brings_along_those_whose_files_it_takes() {
    let scratch = "FROM scratch\\nCOPY . .";
    let text = recipe_of(&[
        ("one", "  - directory: {path: files}\n", scratch),
        ("two", "  - directory: {path: files}\n", scratch),
        ("three", "  - rootfs: {of: one:v1}\n", scratch),
    ]);
    let narrowing = Narrowing { stage: Some("three".to_owned()), ..Narrowing::default() };
    let stages: Vec<String> =
        planned(&text, &narrowing).unwrap().stages.into_iter().map(|stage| stage.work.stage).collect();
    assert_eq!(stages, ["one", "three"]);
}

#[test]
fn entries_are_planned_in_words_that_stay() {
    let context = "  - rootfs: {of: kubernetes:v1, paths: [etc], to: a}\n  - rootfs: {of: kubernetes:v1}\n  \
                   - directory: {path: ./charts/, to: charts}\n  - directory: {path: charts}\n";
    let plan = planned(&recipe_of(&[("one", context, "FROM scratch\\nCOPY . .")]), &Narrowing::default()).unwrap();
    let of = "registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes:v1";
    let expected = json!([
        {"rootfs": {"of": of, "paths": ["etc"], "to": "a"}},
        {"rootfs": {"of": of}},
        {"directory": {"path": "charts", "to": "charts"}},
        {"directory": {"path": "charts"}},
    ]);
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["stages"][0]["context"], expected);
    assert_eq!(serde_json::from_value::<Plan>(json).unwrap(), plan);
    let shown: Vec<String> = plan.stages[0].work.context.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    etc of all layers of kubernetes:v1, to a
    everything of all layers of kubernetes:v1
    everything of the folder charts next to the recipe, to charts
    everything of the folder charts next to the recipe
    ");
}

#[test]
fn the_recipes_own_folder_is_warned_of() {
    let text = recipe_of(&[("one", "  - directory: {path: ./}\n", "FROM scratch\\nCOPY . .")]);
    let source = Source::new("r.yaml", &text);
    let warnings = recipe::parse(&source).unwrap().warnings;
    insta::assert_snapshot!("own-folder", warnings.iter().map(|d| d.render(&source, false)).collect::<String>());
}

/// The recipe applied in a world; what went wrong, and that nothing was changed.
fn fails(world: &World, name: &str, entries: &str) {
    let recipe = world.write("recipe/r.yaml", recipe_of(&[("one", entries, "FROM scratch\\nCOPY . .")]));
    let before = tree(&world.root());
    let run = world.run(&["recipe", "apply", recipe.to_str().unwrap()]);
    assert_eq!(run.code, Some(1), "{run}");
    assert_eq!(tree(&world.root()), before);
    let message: Vec<&str> = run.stderr.lines().skip_while(|line| !line.contains(": error: ")).collect();
    insta::assert_snapshot!(name, message.join("\n"));
}

#[test]
fn what_is_not_there_is_told_with_what_is_near() {
    let world = World::new();
    world.write("recipe/charts/app/Chart.yaml", "name: app\n");
    let missing = "  - directory: {path: chart}\n  - layer: {of: kubernetes:v1.19.8, index: 0}\n  \
                   - directory: {path: charts/ap}\n";
    fails(&world, "directory-missing", missing);
    let paths = "  - rootfs: {of: kubernetes:v1.19.8, paths: [etc, etc/tigera-operater.yaml, \"*.txt\"]}\n";
    fails(&world, "rootfs-paths", paths);
    let paths = "  - layer: {of: kubernetes:v1.19.8, index: 0, paths: [etc/deamon.json]}\n";
    fails(&world, "layer-paths", paths);
}

/// The paths of the only layer of an image.
fn paths_of_the_layer(world: &World, report: &Value, image: usize) -> Vec<String> {
    let layers = report["images"][image]["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 1, "{report}");
    let id = layers[0]["id"].as_str().unwrap().strip_prefix("sha256:").unwrap().to_owned();
    let folder = world.root().join("data/overlay2").join(id);
    tree(&folder).keys().map(|path| path.display().to_string()).collect()
}

#[test]
fn entries_bring_their_files_and_the_later_ones_win() {
    let world = World::new();
    world.write("recipe/files/etc/daemon.json", "{}\n");
    world.write("recipe/files/.hidden", "");
    let first = "  - rootfs: {of: kubernetes:v1.19.8, paths: [etc, scripts/init*.sh]}\n  - directory: {path: files}\n  \
                 - directory: {path: files/etc, to: more/etc}\n";
    let second = "  - rootfs: {of: one:v1, paths: [etc/daemon.json], to: copied}\n";
    let scratch = "FROM scratch\\nCOPY . .";
    let recipe = world.write("recipe/r.yaml", recipe_of(&[("one", first, scratch), ("two", second, scratch)]));
    let run = world.succeed(&["recipe", "apply", recipe.to_str().unwrap(), "-o", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let expected = [
        ".hidden",
        "Kubefile",
        "etc",
        "etc/Clusterfile",
        "etc/custom-resources.yaml",
        "etc/daemon.json",
        "etc/kubeadm.yml",
        "etc/tigera-operator.yaml",
        "more",
        "more/etc",
        "more/etc/daemon.json",
        "scripts",
        "scripts/init-registry.sh",
        "scripts/init.sh",
    ];
    assert_eq!(paths_of_the_layer(&world, &report, 0), expected);
    let expected = ["Kubefile", "copied", "copied/etc", "copied/etc/daemon.json"];
    assert_eq!(paths_of_the_layer(&world, &report, 1), expected);
    let id = report["images"][1]["layers"][0]["id"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    let copied = world.root().join("data/overlay2").join(id).join("copied/etc/daemon.json");
    assert_eq!(fs_err::read_to_string(copied).unwrap(), "{}\n");
}

#[test]
fn the_modes_of_a_clone_do_not_reach_the_image() {
    use std::os::unix::fs::PermissionsExt;
    let mut ids = Vec::new();
    for (file, folder, time) in [(0o600, 0o700, 1), (0o666, 0o777, 2_000_000_000)] {
        let world = World::new();
        let plain = world.write("recipe/files/a/plain", "x");
        let program = world.write("recipe/files/a/run.sh", "#!/bin/sh\n");
        let recipe = world
            .write("recipe/r.yaml", recipe_of(&[("one", "  - directory: {path: files}\n", "FROM scratch\\nCOPY . .")]));
        let set = |path: &std::path::Path, mode| {
            fs_err::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(time);
            fs_err::File::open(path).unwrap().into_parts().0.set_modified(time).unwrap();
        };
        set(&plain, file);
        set(&program, file | 0o100);
        set(program.parent().unwrap(), folder);
        let run = world.succeed(&["recipe", "apply", recipe.to_str().unwrap(), "-o", "json"]);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        ids.push(report["images"][0]["layers"].clone());
    }
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn a_changed_layer_is_refused_and_a_doubtful_one_is_told() {
    let world = World::new();
    let entry = "  - rootfs: {of: kubernetes:v1.19.8, paths: [scripts]}\n";
    let recipe = world.write("recipe/r.yaml", recipe_of(&[("one", entry, "FROM scratch\\nCOPY . .")]));
    let recipe = recipe.to_str().unwrap();
    assert!(!world.succeed(&["recipe", "apply", recipe, "--sharing", "copy"]).stderr.contains("does not hash"));
    let inspected: Value =
        serde_json::from_str(&world.succeed(&["inspect", "-o", "json", "kubernetes:v1.19.8"]).stdout).unwrap();
    let layer = inspected[0]["spec"]["layers"][0]["id"].as_str().unwrap();
    let folder = world.root().join("data/overlay2").join(layer.strip_prefix("sha256:").unwrap());
    fs_err::write(folder.join("scripts/init.sh"), "changed").unwrap();
    let refused = world.run(&["recipe", "apply", recipe, "-o", "json"]);
    assert_eq!((refused.code, &*refused.stdout), (Some(4), ""), "{refused}");
    assert!(refused.stderr.contains(layer) && refused.stderr.contains("was changed on disk"), "{refused}");
    // Where nobody knows that it ever was what its id says, a real sealer may have filled it.
    let mark = world.root().join("recipe/verified").join(layer.strip_prefix("sha256:").unwrap());
    fs_err::remove_file(mark).unwrap();
    let run = world.succeed(&["recipe", "apply", recipe, "-o", "json"]);
    let warnings: Vec<&str> = run.stderr.lines().filter(|line| line.contains("does not hash to its id")).collect();
    assert!(matches!(warnings[..], [only] if only.contains(layer) && only.contains("kubernetes:v1.19.8")), "{run}");
}
