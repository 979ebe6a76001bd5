//! `recipe explain` and `recipe init`, and that every example that they print does what it says.

use sealer::testing::recipe::{self, Explanation, PartKind, explain, explained};
use sealer::testing::types::Digest;
use serde_json::{Map, Value, json};

use crate::support::program::World;

const SCRATCH: &str = "FROM scratch\nCOPY . .\n";

/// What downloads and files that examples name, and that the sandbox does not play, hold.
const STAND_IN: &str = "#!/bin/sh\necho hello from {{ recipe.name }}\n";

/// Gives everything that an example's fields name from outside: a server's file for a URL, files beside the recipe.
fn provide(world: &World, folder: &str, name: &str, fields: &mut Map<String, Value>) {
    let text = |fields: &Map<String, Value>, field: &str| fields.get(field)?.as_str().map(str::to_owned);
    if let Some(url) = text(fields, "url") {
        let path = url.split_once("://").unwrap().1.to_owned();
        let played = world.server().files(|files| {
            let played = files.get(&path).is_some();
            if !played {
                files.put(path, STAND_IN);
            }
            played
        });
        if !played && fields.contains_key("sha256") {
            // The digest is that of what stands upstream.
            fields["sha256"] = json!(Digest::of(STAND_IN.as_bytes()).hex());
        }
    }
    let beside = match name {
        "directory" => text(fields, "path").map(|path| format!("{path}/file.yaml")),
        "copy" => text(fields, "from"),
        _ => text(fields, "file"),
    };
    if let Some(path) = beside {
        world.write(&format!("{folder}/{path}"), STAND_IN);
    }
}

/// A recipe around one example: a context entry of its own, or a step on the whole base image.
fn around(explanation: &Explanation, example: &Value) -> Value {
    let whole = json!({"rootfs": {"of": "kubernetes:v1.19.8"}});
    let (context, steps) = match explanation.kind {
        PartKind::ContextEntry => (vec![example.clone()], vec![]),
        PartKind::Step => (vec![whole], vec![example.clone()]),
        PartKind::Recipe | PartKind::Stage => unreachable!("they have no examples to be executed"),
    };
    json!({
        "apiVersion": recipe::API_VERSION,
        "kind": recipe::KIND,
        "metadata": {"name": "example"},
        "platforms": ["linux/amd64"],
        "stages": [{"name": "one", "image": "example:v1", "context": context, "steps": steps, "kubefile": SCRATCH}],
    })
}

#[test]
fn the_example_of_every_step_and_context_entry_works() {
    let world = World::new();
    let mut executed = 0;
    for name in explained() {
        let explanation = explain(&name).unwrap();
        if matches!(explanation.kind, PartKind::Recipe | PartKind::Stage) {
            continue;
        }
        assert!(!explanation.examples.is_empty(), "`{name}` has no example");
        for (number, example) in explanation.examples.iter().enumerate() {
            let folder = format!("{name}-{number}");
            let mut example = example.clone();
            provide(&world, &folder, &name, example[&name].as_object_mut().unwrap());
            let recipe = serde_yaml::to_string(&around(&explanation, &example)).unwrap();
            let file = world.write(&format!("{folder}/recipe.yaml"), &recipe);
            let mut command = world.command();
            // The servers may play hosts that they did not play when the world began.
            command.env("SEALER_URL_MIRRORS", world.server().url_mirrors().join(","));
            command.args(["recipe", "apply", "-o", "json"]).arg(file);
            let run = world.result(&command.output().unwrap());
            assert_eq!(run.code, Some(0), "{name}: {recipe}\n{run}");
            let report: Value = serde_json::from_str(&run.stdout).unwrap();
            let steps = report["steps"].as_array().unwrap();
            assert!(steps.iter().all(|step| step["status"] == "changed"), "{name}: {report}");
            assert_eq!(steps.len(), usize::from(explanation.kind == PartKind::Step), "{name}: {report}");
            executed += 1;
        }
    }
    assert!(executed >= 8, "{executed}");
}

#[test]
fn explain_prints_what_the_library_knows() {
    let world = World::new();
    let overview = world.succeed(&["recipe", "explain"]);
    assert_eq!((overview.stdout, overview.stderr.as_str()), (recipe::overview().to_string(), ""));
    let text = world.succeed(&["recipe", "explain", "directory"]).stdout;
    insta::assert_snapshot!("explain-directory", text);
    let parsed = |arguments: &[&str]| -> Value { serde_json::from_str(&world.succeed(arguments).stdout).unwrap() };
    let all = parsed(&["recipe", "explain", "-o", "json"]);
    assert_eq!(all["contextEntries"][0]["name"], "layer");
    let directory = parsed(&["recipe", "explain", "directory", "-o", "json"]);
    let mut fields = directory["fields"].as_array().unwrap().iter();
    assert_eq!(directory["kind"], "contextEntry");
    assert_eq!(directory["examples"], json!([{"directory": {"path": "charts/my-app", "to": "charts/my-app"}}]));
    let path = fields.next().unwrap();
    assert_eq!((&path["name"], &path["type"], &path["required"]), (&json!("path"), &json!("text"), &json!(true)));
}

#[test]
fn an_unknown_name_is_wrong_usage() {
    let run = World::new().run(&["recipe", "explain", "replaceArchiv"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    let message = "error: there is no step or context entry `replaceArchiv` (did you mean `replaceArchive`?); the \
                   names are layer, ";
    assert!(run.stderr.starts_with(message), "{run}");
}

#[test]
fn init_writes_a_recipe_that_is_valid_and_works_as_it_is() {
    let world = World::new();
    let within = |arguments: &[&str]| {
        let mut command = world.command();
        // A sandbox stays where temporary files are made, for people to look at.
        command.current_dir(world.path("")).env("TMPDIR", world.path("")).args(arguments);
        world.result(&command.output().unwrap())
    };
    let written = within(&["recipe", "init"]);
    insta::assert_snapshot!(written.to_string(), @"
    exit 0
    --- stdout
    recipe.yaml: a first recipe; edit it, then run `sealer recipe validate recipe.yaml`
    --- stderr
    ");
    assert_eq!(fs_err::read_to_string(world.path("recipe.yaml")).unwrap(), recipe::FIRST_RECIPE);
    assert_eq!(within(&["recipe", "init", "-"]).stdout, recipe::FIRST_RECIPE);

    let valid = within(&["recipe", "validate", "--strict", "recipe.yaml"]);
    assert_eq!((valid.code, valid.stderr.as_str()), (Some(0), ""), "{valid}");
    let applied = within(&["recipe", "apply", "recipe.yaml", "--platform", "linux/amd64", "-o", "json"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    let report: Value = serde_json::from_str(&applied.stdout).unwrap();
    let id = report["images"][0]["layers"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
    let layer = world.root().join("data/overlay2").join(id.trim_start_matches("sha256:"));
    let daemon: Value = serde_json::from_str(&fs_err::read_to_string(layer.join("etc/daemon.json")).unwrap()).unwrap();
    assert_eq!(daemon["log-opts"], json!({"max-size": "50m"}));
    let sandbox = within(&["recipe", "apply", "--sandbox", "recipe.yaml", "--platform", "linux/amd64", "-o", "json"]);
    let report_of_sandbox: Value = serde_json::from_str(&sandbox.stdout).unwrap();
    assert_eq!(report_of_sandbox["images"], report["images"]);
}

#[test]
fn what_the_first_recipe_offers_in_comments_is_valid_too() {
    let text = recipe::FIRST_RECIPE;
    let mut offered = 0;
    let lines = text.lines().map(|line| {
        // What is commented out is YAML with a `# ` in front; the rest are sentences.
        let (indent, comment) = line.split_at(line.len() - line.trim_start().len());
        let yaml = ["# platforms:", "# - ", "#     ", "#       "];
        let is_offer = yaml.iter().any(|start| comment.starts_with(start));
        offered += usize::from(is_offer);
        if is_offer { format!("{indent}{}", &comment[2..]) } else { line.to_owned() }
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    assert_eq!(offered, 6, "{text}");
    let world = World::new();
    let file = world.write("recipe.yaml", text);
    world.write("files/motd", "");
    let run = world.run(&["recipe", "validate", "--strict", file.to_str().unwrap()]);
    assert_eq!(run.code, Some(0), "{run}");
}

#[test]
fn init_never_overwrites() {
    let world = World::new();
    let file = world.write("mine.yaml", "mine");
    let run = world.run(&["recipe", "init", file.to_str().unwrap()]);
    insta::assert_snapshot!(run.to_string(), @"
    exit 1
    --- stdout
    --- stderr
    error: `[WORLD]/mine.yaml` already exists, and was not changed
      help: name another file, or `-` to print the recipe
    ");
    assert_eq!(fs_err::read_to_string(&file).unwrap(), "mine");
    let new = world.path("new.yaml");
    let run = world.succeed(&["recipe", "init", new.to_str().unwrap(), "-o", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), json!({"file": "[WORLD]/new.yaml"}));
    assert_eq!(world.run(&["recipe", "init", "-", "-o", "json"]).code, Some(2));
    let nowhere = world.path("none/new.yaml");
    assert_eq!(world.run(&["recipe", "init", nowhere.to_str().unwrap()]).code, Some(1));
}
