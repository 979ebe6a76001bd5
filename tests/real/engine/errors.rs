//! What is said where an engine does not give what is asked for.

use std::os::unix::net::UnixListener;

use super::archive::{loadable, tar};
use crate::support::program::World;
use crate::support::real;

const HEAD: &str = "\
apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {name: local}
platforms: [linux/amd64]
stages:
  - name: made
    image: made:v1
";

/// What `recipe apply` says of a stage, with this `DOCKER_HOST`.
fn said(world: &World, host: &str, stage: &str) -> String {
    let recipe = world.write("recipe.yaml", format!("{HEAD}{stage}"));
    let mut command = world.command();
    command.env("DOCKER_HOST", host).args(["recipe", "apply", "--progress", "none"]).arg(recipe);
    let said = world.result(&command.output().unwrap()).to_string();
    said.replace(host.strip_prefix("unix://").unwrap_or(host), "[ENGINE]")
}

const STEP: &str = "    \
    steps:
      - imageList: {images: ['docker-daemon:team/app:v1']}
    kubefile: |
      FROM scratch
      COPY imageList manifests
";

#[test]
fn an_engine_that_does_not_answer_is_named_with_what_to_do() {
    let world = World::new();
    let socket = world.path("dead.sock");
    // Nobody listens on it any more when the test goes on.
    drop(UnixListener::bind(&socket).unwrap());
    let dead = format!("unix://{}", socket.display());
    insta::assert_snapshot!("no_socket", said(&world, "unix:///nowhere/docker.sock", STEP));
    insta::assert_snapshot!("dead_socket", said(&world, &dead, STEP));
    insta::assert_snapshot!("dead_port", said(&world, "tcp://127.0.0.1:1", STEP));
    insta::assert_snapshot!("ssh", said(&world, "ssh://user:secret@host", STEP));
}

#[test]
fn all_places_that_ask_for_it_are_named() {
    let stage = "    \
    context:
      - layer: {of: 'docker-daemon:team/app:v1', containing: x}
    steps:
      - replaceImage: {path: x, image: 'docker-daemon:team/app:v1'}
      - imageList: {images: ['docker-daemon:team/app:v1']}
    kubefile: |
      FROM docker-daemon:team/base
      COPY imageList manifests
";
    insta::assert_snapshot!(said(&World::new(), "unix:///nowhere/docker.sock", stage));
}

#[test]
fn names_that_cannot_be_are_seen_before_the_engine_is_asked() {
    let stage = "    \
    steps:
      - replaceImage: {path: x, image: 'docker-daemon:Team/app'}
      - replaceImage: {path: x, image: 'docker-daemon:team/app', as: 'docker-daemon:team/app'}
      - imageList: {images: ['docker-daemon:team/app', 'team/app']}
    kubefile: |
      FROM docker-daemon:sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
";
    insta::assert_snapshot!(said(&World::new(), "unix:///nowhere/docker.sock", stage));
}

#[test]
fn a_real_engine_s_images_are_named_where_another_was_meant() {
    let world = World::new();
    let Some(engine) = real::dockerd() else { return };
    let loaded = world.write("loaded.tar", loadable("arm64", "team/app:v1", &[tar(&[("x", b"x")])]));
    engine.docker(&["load", "-i", loaded.to_str().unwrap()]).unwrap();
    let loaded = world.write("loaded.tar", loadable("amd64", "team/tool:v2", &[tar(&[("x", b"x")])]));
    engine.docker(&["load", "-i", loaded.to_str().unwrap()]).unwrap();
    let ask = |name: &str| said(&world, &engine.host(), &STEP.replace("team/app:v1", name));
    insta::assert_snapshot!("other_platform", ask("team/app:v1"));
    insta::assert_snapshot!("near_name", ask("team/tol:v2"));
    insta::assert_snapshot!("other_tag", ask("team/tool:stable"));
    insta::assert_snapshot!("nothing_near", ask("something/else"));
}
