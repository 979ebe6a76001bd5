//! What a plan says is needed is what apply asks the network for: shown on random recipes.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use crate::support::program::World;

const DOCKER: &str = "https://download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz";
const KYVERNO: &str = "https://raw.githubusercontent.com/kyverno/kyverno/v1.5.1/definitions/release/install.yaml";
const BASE: &str = "kubernetes:v1.19.8";
const IMAGES: [&str; 4] =
    ["registry:2.7.1", "calico/cni:v3.19.1", "quay.io/tigera/operator:v1.17.4", "ghcr.io/kyverno/kyverno:v1.5.1"];

/// A step that can follow any other, on the files that the context has from its start.
fn any_step() -> impl Strategy<Value = String> {
    let image = (0..IMAGES.len()).prop_map(|index| IMAGES[index]);
    let path = "[a-c]";
    prop_oneof![
        (image.clone(), path).prop_map(|(image, path)| format!(
            "write: {{path: manifests/{path}.yaml, content: \"kind: Pod\\nspec: {{containers: [{{image: '{image}'}}]}}\\n\"}}"
        )),
        path.prop_map(|path| format!("download: {{url: '{DOCKER}', path: cri/{path}.tgz}}")),
        path.prop_map(|path| format!("download: {{url: '{DOCKER}', path: bin/{path}, member: docker/runc}}")),
        path.prop_map(|path| format!("download: {{url: '{KYVERNO}', path: manifests/{path}.yaml}}")),
        image.clone().prop_map(|image| format!("replaceImage: {{path: images/old.tar, image: '{image}'}}")),
        image.clone().prop_map(|image| format!("imageList: {{path: manifests/imageList, images: ['{image}']}}")),
        Just("imageList: {path: manifests/imageList, from: ['manifests/*.yaml'], optional: true}".to_owned()),
        Just("rewriteImages: {paths: ['manifests/*.yaml'], to: 'sea.hub:5000', optional: true}".to_owned()),
        image.prop_map(|image| format!("replaceText: {{path: etc/note.txt, find: x, replace: '{image}'}}")),
        Just("move: {from: manifests/a.yaml, to: manifests/d.yaml, optional: true}".to_owned()),
        Just("remove: {paths: ['manifests/b.yaml'], optional: true}".to_owned()),
    ]
}

fn any_stage() -> impl Strategy<Value = (bool, bool, Vec<String>, Vec<&'static str>)> {
    let copies = prop::sample::subsequence(
        vec!["COPY manifests manifests", "COPY etc etc", "COPY https://X/install.yaml etc"],
        0..=3,
    );
    (any::<bool>(), prop::bool::weighted(0.3), prop::collection::vec(any_step(), 0..5), copies)
}

fn recipe((takes_base, is_on_base, steps, copies): &(bool, bool, Vec<String>, Vec<&'static str>)) -> String {
    let base = if *takes_base {
        format!("      - layer: {{of: '{BASE}', containing: cri/docker.tar.gz}}\n")
    } else {
        String::new()
    };
    let steps = steps.iter().fold(String::new(), |steps, step| steps + "      - " + step + "\n");
    let from = if *is_on_base { BASE } else { "scratch" };
    let copies = copies.iter().map(|copy| copy.replace("https://X/install.yaml", KYVERNO));
    let copies = copies.fold(String::new(), |copies, copy| copies + "      " + &copy + "\n");
    let steps = if steps.is_empty() { String::new() } else { format!("    steps:\n{steps}") };
    format!(
        "apiVersion: recipe.sealer.io/v1alpha1\nkind: Recipe\nmetadata: {{name: r}}\nplatforms: [linux/amd64]\nstages:\n  - name: one\n    \
         image: one:v1\n    context:\n      - directory: {{path: files}}\n{base}{steps}    kubefile: |\n      FROM {from}\n{copies}"
    )
}

/// The names of all inputs of a preview that are not at hand, and whether there may be more.
fn needed(plan: &Value) -> (BTreeSet<String>, bool) {
    fn collect(value: &Value, names: &mut BTreeSet<String>, is_open: &mut bool) {
        match value {
            Value::Object(entries) => {
                let text = |key: &str| entries.get(key).and_then(Value::as_str);
                if let (Some(name), Some("absent" | "asked" | "partly" | "cachedAsLast")) =
                    (text("name"), text("state"))
                {
                    names.insert(name.to_owned());
                }
                *is_open |= entries.get("later").is_some_and(|later| later.as_str() != Some("when it is fetched"));
                entries.values().for_each(|value| collect(value, names, is_open));
            }
            Value::Array(elements) => elements.iter().for_each(|value| collect(value, names, is_open)),
            _ => {}
        }
    }
    let (mut names, mut is_open) = (BTreeSet::new(), false);
    collect(&plan["preview"]["stages"], &mut names, &mut is_open);
    (names, is_open)
}

/// The names of all that the servers were asked for.
fn asked(world: &World) -> BTreeSet<String> {
    let name = |path: &str| {
        if let Some(file) = path.strip_prefix("/files/") {
            return Some(format!("https://{file}"));
        }
        let (repository, reference) = path.strip_prefix("/v2/")?.split_once("/manifests/")?;
        // The platform's manifest of a list is asked for by its digest.
        (!reference.starts_with("sha256:")).then(|| format!("{repository}:{reference}"))
    };
    world.server().requests().iter().filter_map(|asked| name(&asked.path)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_plan_says_is_what_apply_asks_for(stage in any_stage(), is_second in any::<bool>()) {
        let world = World::new();
        world.write("recipe/files/manifests/a.yaml", "kind: Pod\nspec: {containers: [{image: 'calico/node:v3.19.1'}]}\n");
        world.write("recipe/files/images/old.tar", "x");
        world.write("recipe/files/etc/note.txt", "x");
        let text = recipe(&stage);
        let file = world.write("recipe/r.yaml", &text);
        let file = file.to_str().unwrap();
        if is_second {
            world.run(&["recipe", "apply", file]);
        }
        world.server().forget_requests();
        let plan = world.run(&["recipe", "plan", file, "-o", "json"]);
        prop_assert!(world.server().requests().is_empty(), "a plan asks nobody");
        let json: Value = serde_json::from_str(&plan.stdout).unwrap();
        let (needed, is_open) = needed(&json);
        // Without it, tags that the lock pins are asked whether they moved.
        let locked: &[&str] = if is_second { &["--locked"] } else { &[] };
        let applied = world.run(&[&["recipe", "apply", file], locked].concat());
        // What only the finished image shows (its closure) no plan knows.
        prop_assert!(plan.code == Some(0) || applied.code != Some(0), "{text}\n{plan}\n{applied}");
        if applied.code == Some(0) {
            let asked = asked(&world);
            let missed: Vec<_> = asked.difference(&needed).collect();
            prop_assert!(is_open || missed.is_empty(), "not in the plan: {missed:?}\n{text}\n{plan}");
            let too_much: Vec<_> = needed.difference(&asked).collect();
            prop_assert!(too_much.is_empty(), "only in the plan: {too_much:?}\n{text}\n{plan}");
        }
    }
}
