//! Each form of COPY puts things where sealer puts them: `tests/data/copy-cases.json` was asked of sealer v0.8.5.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::support::program::{World, project};

#[derive(Deserialize)]
struct Table {
    context: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    line: String,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    error: bool,
}

/// Sealer ignores the third word; here it is an error.
const THREE_WORDS: &str = "COPY a.yaml b.yaml both";

fn paths(folder: &Path, above: &str, found: &mut Vec<String>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{above}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.push(format!("{name}/"));
            paths(&entry.path(), &format!("{name}/"), found);
        } else {
            found.push(name);
        }
    }
}

#[test]
fn every_form_of_copy_lands_where_sealer_lands_it() {
    let table = fs_err::read_to_string(project().join("tests/data/copy-cases.json")).unwrap();
    let table: Table = serde_json::from_str(&table).unwrap();
    assert_eq!(table.cases.len(), 24);
    let world = World::new();
    let mut wrong = Vec::new();
    for (index, case) in table.cases.iter().enumerate() {
        let folder = format!("context-{index}");
        for (name, content) in &table.context {
            world.write(&format!("{folder}/{name}"), content);
        }
        world.write(&format!("{folder}/Kubefile"), format!("FROM scratch\n{}\n", case.line));
        let context = world.path(&folder);
        let context = context.to_str().unwrap();
        let kubefile = format!("{context}/Kubefile");
        let arguments = ["build", "-t", "copy:v1", "--platform", "linux/amd64", "-o", "json", "-f", &kubefile, context];
        let run = world.run(&arguments);
        let expects_error = case.error || case.line == THREE_WORDS;
        if expects_error || run.code != Some(0) {
            if expects_error == (run.code == Some(0)) || !run.stderr.contains("Kubefile:2:") {
                wrong.push(format!("{}: {run}", case.line));
            }
            continue;
        }
        let built: Value = serde_json::from_str(&run.stdout).unwrap();
        let layer = built["layers"][0]["id"].as_str().unwrap().strip_prefix("sha256:").unwrap();
        let mut found = Vec::new();
        paths(&world.root().join("data/overlay2").join(layer), "", &mut found);
        found.sort();
        let mut expected = case.paths.clone();
        expected.sort();
        if found != expected {
            wrong.push(format!("{}: {found:?}, expected {expected:?}", case.line));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
