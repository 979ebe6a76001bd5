//! What `doctor host` says of a real engine, and that the engine does what it says.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use super::archive::{loadable, tar};
use crate::support::program::World;
use crate::support::real::{self, Dockerd, dockerd_from};

const CHECKS: [&str; 4] = ["engine", "daemon-json", "engine-proxy", "engine-images"];
const DOCKERD: &str = "/usr/sbin/dockerd";

/// The findings about the engine itself, as people read them; what differs from machine to machine as words.
fn said(world: &World, engine: &Dockerd) -> String {
    let mut command = world.command();
    command.env("DOCKER_HOST", engine.host()).args(["doctor", "host", "-o", "json"]);
    let run = world.result(&command.output().unwrap());
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
    let mut text = String::new();
    for finding in report["findings"].as_array().unwrap() {
        if CHECKS.contains(&finding["check"].as_str().unwrap()) {
            assert_eq!(finding["concern"], "engine");
            let word = |key: &str| finding[key].as_str().unwrap().to_owned();
            writeln!(text, "{}: {}: {}", word("verdict"), word("subject"), word("found")).unwrap();
        }
    }
    let version = engine.docker(&["version", "--format", "{{.Server.Version}}"]).unwrap();
    let folder = engine.data_root().parent().unwrap().to_owned();
    text.replace(folder.to_str().unwrap(), "[ENGINE]").replace(version.trim(), "[VERSION]")
}

/// An engine on these settings; its log where it does not start.
fn start(world: &World, settings: &str) -> Option<Result<Dockerd, String>> {
    let there = real::available("dockerd") && real::available("containerd") && real::available("docker");
    if !there || !real::is_root() {
        return None;
    }
    Some(dockerd_from(Path::new(DOCKERD), Some(&world.write("daemon.json", settings))))
}

#[test]
fn version_settings_and_images_of_a_real_engine_are_told() {
    let world = World::new();
    let Some(engine) = start(&world, r#"{"insecure-registries": ["sea.hub", "sea.hub:5000"]}"#) else { return };
    let engine = engine.unwrap();
    insta::assert_snapshot!("as_it_should_be", said(&world, &engine));
    for name in ["sea.hub:5000/team/app:v1", "team/tool:v2"] {
        let image = world.write("image.tar", loadable("amd64", name, &[tar(&[("x", name.as_bytes())])]));
        engine.docker(&["load", "-i", image.to_str().unwrap()]).unwrap();
    }
    insta::assert_snapshot!("with_images", said(&world, &engine));
}

#[test]
fn an_engine_does_not_start_on_what_the_doctor_says_that_it_does_not() {
    let world = World::new();
    let Some(engine) = start(&world, "{}") else { return };
    let engine = engine.unwrap();
    let file = engine.data_root().with_file_name("daemon.json");
    let insecure = r#""insecure-registries": ["sea.hub", "sea.hub:5000"]"#;
    let bad = [
        (
            format!(
                "{{{insecure},\n \"mirror-registries\": [{{\"domain\": \"*\", \"mirrors\": [\"http://sea.hub:5000\"]}}]}}"
            ),
            "the following directives don't match any configuration option: mirror-registries",
        ),
        (r#"{"insecure-registries": "sea.hub"}"#.to_owned(), "cannot unmarshal string into Go struct field"),
        (format!("{{{insecure}, \"log-opts\": {{\"max-file\": 3}}}}"), "cannot unmarshal number into Go struct field"),
        (format!("{{{insecure}, \"Debug\": true}}"), "don't match any configuration option: Debug"),
    ];
    let mut cases = String::new();
    for (settings, log) in &bad {
        fs_err::write(&file, settings).unwrap();
        write!(cases, "{settings}\n{}", said(&world, &engine)).unwrap();
        let refused = start(&world, settings).unwrap().unwrap_err();
        assert!(refused.contains(log), "{settings}: {refused}");
    }
    insta::assert_snapshot!("refused", cases);

    // What the doctor only warns of, an engine starts on.
    let doubtful = format!("{{{insecure}, \"debug\": false, \"debug\": true, \"insecure-registry\": [\"x\"]}}");
    fs_err::write(&file, &doubtful).unwrap();
    insta::assert_snapshot!("doubtful", said(&world, &engine));
    start(&world, &doubtful).unwrap().unwrap();
}
