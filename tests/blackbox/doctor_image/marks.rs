//! A layer that somebody edited is refused wherever it is used; one that nobody has seen whole is not.

use std::collections::BTreeMap;

use sealer::testing::image::Descriptor;
use sealer::testing::image::model::{Image, ImageConfig, Layer, LayerKind};
use sealer::testing::image::pushed::{CONFIG_TYPE, LAYER_TYPE, merged_list, pushed_config, pushed_manifest};
use sealer::testing::sandbox::gzip;
use sealer::testing::types::{Digest, Platform};

use super::app::{App, made, write};
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
    // Whoever builds on it uses all its layers.
    write(&app.path("more/Kubefile"), "FROM app:v1\nCOPY a .\n");
    write(&app.path("more/a"), "a");
    let (kubefile, folder) = (app.path("more/Kubefile"), app.path("more"));
    let (kubefile, folder) = (kubefile.to_str().unwrap(), folder.to_str().unwrap());
    let run = app.run(&["build", "-t", "more:v1", "--platform", "linux/amd64", "-f", kubefile, folder]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(4), ""), "{run}");
    insta::assert_snapshot!("edited-from", errors(&run));
}

#[test]
fn a_layer_that_a_real_sealer_pulled_again_is_no_edited_one() {
    let app = App::new();
    // A folder of the same name with another content, as somebody who never heard of the marks leaves it.
    fs_err::rename(app.layer(0), app.path("old")).unwrap();
    write(&app.layer(0).join("etc/daemon.json"), "{\"other\": 1}");
    let [save, push, apply] = uses(&app);
    insta::assert_snapshot!(errors(&save.1), @"error: layer sha256:[LAYER 1] of image `registry.cn-qingdao.aliyuncs.com/sealer-io/app:v1` is damaged: its files hash to sha256:[OTHER]; it was changed on disk, or a real sealer unpacked it: load the image again, or remove it and pull it again");
    assert_eq!((save.1.code, push.1.code), (Some(4), Some(4)));
    assert_eq!(apply.1.code, Some(0), "{}", apply.1);
    let warning = apply.1.stderr.lines().find(|line| line.contains("does not hash")).unwrap();
    insta::assert_snapshot!(warning, @"warning: layer sha256:[LAYER 1] of `registry.cn-qingdao.aliyuncs.com/sealer-io/app:v1` does not hash to its id: it was changed on disk, or a real sealer unpacked it; it is used as it is");
}

#[test]
fn marks_go_with_their_layers_and_strays_with_prune() {
    let app = App::new();
    let marks = || fs_err::read_dir(app.root().join("recipe/verified")).unwrap().count();
    assert_eq!(marks(), 4);
    write(&app.root().join("recipe/verified").join(Digest::of(b"gone").hex()), "{}");
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
            run.stdout.starts_with("warning: [LAYERS]/[LAYER 1]: layer 1 (COPY etc .) does not hash to its id"),
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
    let archive = made().world.path("app.tar");
    assert_eq!(app.run(&["load", "-i", archive.to_str().unwrap()]).code, Some(0));
    assert_eq!(app.doctor(&[]).stdout, "app:v1 (linux/amd64): whole: 4 layers, 2 images in its registry\n");
    assert!(mark.exists());
    // And the new folder is known, too.
    write(&app.layer(0).join("etc/daemon.json"), "{\"edited\": 2}");
    assert_eq!(app.doctor(&[]).code, Some(4));
}

/// A layer's stream as another machine made it, where user 4321 has a name.
fn stream() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_path("file").unwrap();
    header.set_mode(0o644);
    header.set_uid(4321);
    header.set_gid(4321);
    header.set_username("bob").unwrap();
    header.set_mtime(1);
    header.set_size(1);
    header.set_cksum();
    builder.append(&header, &b"x"[..]).unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn a_layer_that_cannot_be_hashed_again_here_is_taken_unverified() {
    let app = App::new();
    let name = "registry.cn-qingdao.aliyuncs.com/sealer-io/foreign:v1";
    let stream = stream();
    let id = Digest::of(&stream);
    let layer = Layer { id: Some(id), kind: LayerKind::Copy, value: ". .".to_owned() };
    let platform: Platform = "linux/amd64".parse().unwrap();
    let image =
        Image::new(&name.parse().unwrap(), platform.clone(), vec![layer], ImageConfig::default(), BTreeMap::new());
    let (config, blob) = (pushed_config(&image), gzip(&stream));
    let described = |media_type: &str, bytes: &[u8]| {
        let (media_type, digest, size) = (media_type.to_owned(), Digest::of(bytes), bytes.len() as u64);
        Descriptor { media_type, digest, size }
    };
    let manifest = pushed_manifest(&described(CONFIG_TYPE, &config), &[described(LAYER_TYPE, &blob)]);
    let list = merged_list(None, &[(platform, manifest.descriptor.clone())]);
    made().world.server().registry(|registry| {
        registry.put_blob(name.trim_end_matches(":v1"), config);
        registry.put_blob(name.trim_end_matches(":v1"), blob);
        for (tag, document) in [(None, manifest), (Some("v1"), list)] {
            registry.put_manifest(name.trim_end_matches(":v1"), tag, &document.descriptor.media_type, document.bytes);
        }
    });
    let pulled = app.run(&["pull", "--platform", "linux/amd64", name]);
    assert_eq!(pulled.code, Some(0), "{pulled}");
    // Others cannot keep owners at all, and are told so.
    if rustix::process::geteuid().is_root() {
        let said: Vec<&str> = pulled.stderr.lines().filter(|line| line.contains("layer")).collect();
        insta::assert_snapshot!(said.join("\n"), @"warning: layer sha256:[OTHER] matched its id on arrival, but its files do not hash to it on this machine (owners have other names here, or attributes were left out); it is marked unverified");
    }
    assert!(app.store().is_unverified(&id).unwrap() && !app.store().was_verified(&id).unwrap());
    // So it is no damage, for the doctor and for those who use it.
    assert_eq!(app.run(&["doctor", "image", name]).code, Some(0));
    let saved = app.run(&["save", "-o", app.path("foreign.tar").to_str().unwrap(), name]);
    assert_eq!(saved.code, Some(0), "{saved}");
}
