//! What looks like an image in a manifest: asked for, left out where its registry refuses it, and kept so in the lock.

use sealer::testing::sandbox::{Fault, When};
use serde_json::Value;

use crate::support::program::{Run, World};

const RECIPE: &str = r#"apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {name: likely}
platforms: [linux/amd64]
stages:
  - name: app
    image: app:v1
    steps:
      - write:
          path: manifests/app.yaml
          content: |
            apiVersion: argoproj.io/v1alpha1
            kind: Application
            spec:
              containers: [{image: "registry:2.7.1", args: ["--sidecar=docker.io/calico/typha:v3.19.1"]}]
              kindOfIt: "quay.io/argoproj/v1alpha1:Application"
      - imageList: {from: [manifests/*.yaml]}
      - rewriteImages: {paths: [manifests/*.yaml], to: "sea.hub:5000"}
    kubefile: |
      FROM scratch
      COPY manifests manifests
      COPY imageList manifests
"#;
const NONE: &str = "/v2/quay.io/argoproj/v1alpha1/";

struct Likely(World);

impl Likely {
    fn new(recipe: &str) -> Self {
        let world = World::new();
        world.write("likely.yaml", recipe);
        Self(world)
    }

    fn recipe(&self, command: &str, more: &[&str]) -> Run {
        let file = self.0.path("likely.yaml");
        self.0.run(&[&["recipe", command, file.to_str().unwrap()], more].concat())
    }

    fn lock(&self) -> String {
        fs_err::read_to_string(self.0.path("likely.lock.yaml")).unwrap()
    }

    fn times_asked(&self) -> usize {
        self.0.server().requests_for(NONE).len()
    }
}

fn images(run: &Run) -> Value {
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    report["images"].clone()
}

/// What is said of warnings and errors.
fn said(run: &Run) -> String {
    let lines = run.stderr.lines().skip_while(|line| !line.contains("warning: ") && !line.contains("error: "));
    format!("exit {}\n{}", run.code.unwrap(), lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn what_is_refused_is_left_out_and_the_lock_keeps_it() {
    let likely = Likely::new(RECIPE);
    let first = likely.recipe("apply", &["-o", "json"]);
    let lock = likely.lock();
    assert!(likely.times_asked() > 0);
    assert!(
        lock.contains("- image: quay.io/argoproj/v1alpha1:Application\n  platform: linux/amd64\n  refused: true\n"),
        "{lock}"
    );
    likely.0.server().forget_requests();
    let again = likely.recipe("apply", &["-o", "json", "--frozen"]);
    assert_eq!(images(&first), images(&again));
    assert_eq!((likely.times_asked(), likely.lock()), (0, lock));
    let strict = likely.recipe("apply", &["--strict"]);
    insta::assert_snapshot!([said(&first), said(&again), said(&strict)].join("\n"));
}

#[test]
fn what_the_lock_has_is_an_image_whatever_its_registry_says_today() {
    let likely = Likely::new(RECIPE);
    assert_eq!(likely.recipe("apply", &[]).code, Some(0));
    let lock = likely.lock();
    fs_err::remove_dir_all(likely.0.cache()).unwrap();
    likely.0.server().fault(When::path("/v2/docker.io/calico/typha/"), Fault::NotFound);
    for more in [&[][..], &["--locked"]] {
        let run = likely.recipe("apply", more);
        assert_eq!((run.code, likely.lock()), (Some(4), lock.clone()), "{run}");
    }
}

#[test]
fn what_is_refused_stands_in_nobody_s_way() {
    // Both would fall on one path of the image's registry.
    let likely =
        Likely::new(&RECIPE.replace("quay.io/argoproj/v1alpha1:Application", "quay.io/library/registry:2.7.1"));
    let run = likely.recipe("apply", &["-o", "json"]);
    assert_eq!(run.code, Some(0), "{run}");
    let cached: Vec<String> = images(&run)[0]["cachedImages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| image["reference"].to_string())
        .collect();
    assert_eq!(cached, ["\"docker.io/calico/typha:v3.19.1\"", "\"docker.io/library/registry:2.7.1\""]);
    let doctor = likely.0.run(&["doctor", "image", "app:v1"]);
    assert_eq!(doctor.code, Some(0), "{doctor}");
}

#[test]
fn what_does_not_answer_may_be_an_image() {
    let likely = Likely::new(RECIPE);
    likely.0.server().fault(When::path(NONE), Fault::Status(503, Vec::new()));
    let run = likely.recipe("apply", &[]);
    assert_eq!(run.code, Some(5), "{run}");
    assert!(!likely.0.path("likely.lock.yaml").exists() || !likely.lock().contains("refused"));
}

#[test]
fn what_is_ignored_is_not_asked_for() {
    let ignore = ", ignore: [\"quay.io/argoproj/**\"]}";
    let recipe = RECIPE.replace("from: [manifests/*.yaml]}", &format!("from: [manifests/*.yaml]{ignore}"));
    let recipe = recipe.replace("to: \"sea.hub:5000\"}", &format!("to: \"sea.hub:5000\"{ignore}"));
    let likely = Likely::new(&recipe);
    let run = likely.recipe("apply", &["--strict"]);
    assert_eq!((run.code, likely.times_asked()), (Some(0), 0), "{run}");
    assert!(!run.stderr.contains("warning"), "{run}");
}
