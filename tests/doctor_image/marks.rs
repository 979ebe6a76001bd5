//! A layer that somebody edited is refused wherever it is used; one that nobody has seen whole is not.

use crate::app::{App, write};
use crate::support::program::Run;

const RECIPE: &str = "apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {name: derived}
platforms: [linux/amd64]
stages:
  - name: one
    image: derived:v1
    context:
      - layer: {of: 'app:v1', index: 0}
    kubefile: |
      FROM scratch
      COPY etc .
";

fn uses(app: &App) -> [(&'static str, Run); 3] {
    let recipe = app.path("recipe.yaml");
    write(&recipe, RECIPE);
    let archive = app.path("saved.tar");
    [
        ("save", app.run(&["save", "-o", archive.to_str().unwrap(), "app:v1"])),
        ("push", app.run(&["push", "app:v1"])),
        ("apply", app.run(&["recipe", "apply", recipe.to_str().unwrap(), "--platform", "linux/amd64"])),
    ]
}

fn errors(run: &Run) -> String {
    let lines = run.stderr.lines().filter(|line| !line.starts_with("warning: ") && !line.starts_with("note: "));
    lines.skip_while(|line| !line.contains("error: ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_edited_layer_is_refused_by_all_who_use_it() {
    let app = App::new();
    write(&app.layer(0).join("etc/daemon.json"), "{\"edited\": 1}");
    for (what, run) in uses(&app) {
        assert_eq!((run.code, run.stdout.as_str()), (Some(4), ""), "{what}: {run}");
        insta::assert_snapshot!(format!("edited-{what}"), errors(&run));
    }
}

#[test]
fn a_layer_that_a_real_sealer_pulled_again_is_no_edited_one() {
    let app = App::new();
    // A folder of the same name with another content, as somebody who never heard of the marks leaves it.
    fs_err::rename(app.layer(0), app.path("old")).unwrap();
    write(&app.layer(0).join("etc/daemon.json"), "{\"other\": 1}");
    let [save, push, apply] = uses(&app);
    insta::assert_snapshot!(errors(&save.1), @"error: layer sha256:[LAYER 0] of image `registry.cn-qingdao.aliyuncs.com/sealer-io/app:v1` is damaged: its files hash to sha256:[OTHER]; it was changed on disk, or a real sealer filled it: load the image again, or remove it and pull it again");
    assert_eq!((save.1.code, push.1.code), (Some(4), Some(4)));
    assert_eq!(apply.1.code, Some(0), "{}", apply.1);
    let warning = apply.1.stderr.lines().find(|line| line.contains("does not hash")).unwrap();
    insta::assert_snapshot!(warning, @"warning: layer sha256:[LAYER 0] of `registry.cn-qingdao.aliyuncs.com/sealer-io/app:v1` does not hash to its id: it was changed on disk, or a real sealer filled it; what is there is taken as it is");
}

#[test]
fn marks_go_with_their_layers_and_strays_with_prune() {
    let app = App::new();
    let marks = || fs_err::read_dir(app.root().join("recipe/verified")).unwrap().count();
    assert_eq!(marks(), 4);
    write(&app.root().join("recipe/verified").join(sealer::words::Digest::of(b"gone").hex()), "{}");
    assert_eq!(app.run(&["rmi", "app:v1"]).code, Some(0));
    assert_eq!(marks(), 1);
    assert_eq!(app.run(&["prune"]).code, Some(0));
    assert_eq!(marks(), 0);
}

#[test]
fn a_mark_that_cannot_be_read_counts_as_none() {
    for mark in ["", "{}", "{\"inode\": 1}", "{\"inode\": \"x\"}"] {
        let app = App::new();
        write(&app.root().join("recipe/verified").join(app.layer_id(0).hex()), mark);
        assert_eq!(app.doctor(&[]).code, Some(0));
        write(&app.layer(0).join("etc/daemon.json"), "{\"edited\": 1}");
        let run = app.doctor(&["-v"]);
        assert_eq!(run.code, Some(0), "{mark}");
        assert!(
            run.stdout.starts_with("note: [LAYERS]/[LAYER 0]: layer 0 (COPY etc .) does not hash to its id"),
            "{run}"
        );
    }
}

#[test]
fn loading_again_heals_an_edited_layer_and_marks_what_was_not_marked() {
    let app = App::new();
    let mark = app.root().join("recipe/verified").join(app.layer_id(1).hex());
    fs_err::remove_file(&mark).unwrap();
    write(&app.layer(0).join("etc/daemon.json"), "{\"edited\": 1}");
    assert_eq!(app.doctor(&[]).code, Some(4));
    let archive = crate::app::made().world.path("app.tar");
    assert_eq!(app.run(&["load", "-i", archive.to_str().unwrap()]).code, Some(0));
    assert_eq!(app.doctor(&[]).stdout, "app:v1 (linux/amd64): whole: 4 layers, 2 images in its registry\n");
    assert!(mark.exists());
    // And the new folder is known, too.
    write(&app.layer(0).join("etc/daemon.json"), "{\"edited\": 2}");
    assert_eq!(app.doctor(&[]).code, Some(4));
}
