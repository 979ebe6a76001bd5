//! What is whole gives one line.

use super::app::App;
use crate::support::program::{World, tree};
use crate::support::shared_file;

#[test]
fn a_whole_image_gives_one_line_and_the_store_stays_as_it_is() {
    let app = App::new();
    let before = tree(&app.root());
    for arguments in
        [&[][..], &["-v"], &["--deep"], &["--platform", "linux/amd64"], &["--platform", "all"], &["--repair"]]
    {
        let run = app.doctor(arguments);
        assert_eq!(run.code, Some(0), "{run}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(run.stdout, @"app:v1 (linux/amd64): whole: 4 layers, 2 images in its registry");
        }
        assert_eq!(run.stderr, "", "{arguments:?}");
    }
    assert_eq!(tree(&app.root()), before);
    let json: serde_json::Value = serde_json::from_str(&app.doctor(&["-o", "json"]).stdout).unwrap();
    assert_eq!(
        (&json[0]["verdict"], &json[0]["images"], &json[0]["findings"]),
        (&"good".into(), &2.into(), &serde_json::json!([]))
    );
    assert_eq!(json[0]["layers"][3]["state"], "whole");
}

#[test]
fn what_is_not_there_is_no_finding() {
    let app = App::new();
    let none = app.run(&["doctor", "image", "nothing:v1"]);
    assert_eq!(none.code, Some(1));
    insta::assert_snapshot!(none.stderr, @"error: image `registry.cn-qingdao.aliyuncs.com/sealer-io/nothing:v1` is not in the store; `sealer images` lists the images");
    let other = app.doctor(&["--platform", "linux/arm64"]);
    assert_eq!(other.code, Some(1));
    insta::assert_snapshot!(other.stderr, @"error: the store does not have image `registry.cn-qingdao.aliyuncs.com/sealer-io/app:v1` for linux/arm64; it has it for linux/amd64");
}

#[test]
fn a_real_sealer_s_base_image_is_whole() {
    let Some(golden) = shared_file("golden/kubernetes-v1.19.8.save.tar") else { return };
    let world = World::new();
    world.succeed(&["load", "-i", golden.to_str().unwrap()]);
    for arguments in
        [&["doctor", "image", "kubernetes:v1.19.8"][..], &["doctor", "image", "kubernetes:v1.19.8", "--deep"]]
    {
        let run = world.succeed(arguments);
        assert_eq!(run.stderr, "");
        insta::allow_duplicates! {
            insta::assert_snapshot!(run.stdout, @"kubernetes:v1.19.8 (linux/amd64): whole: 5 layers, 13 images in its registry, 1 note (`-v` shows it)");
        }
    }
}

#[test]
fn all_platforms_of_the_shipped_recipe_are_whole() {
    let world = World::new();
    for platform in ["linux/amd64", "linux/arm64"] {
        world.succeed(&["recipe", "apply", "recipes/rawdocker.yaml", "--platform", platform]);
    }
    let run = world.succeed(&["doctor", "image", "kubernetes-rawdocker:v1.19.8", "--deep", "-v"]);
    insta::assert_snapshot!(run.stdout, @"
    note: [WORLD]/root/data/overlay2/afbe9ebe946c9d57fb7a2717ed8860d8fd40d396d39527c07bc0548d4404985a/etc/kubeadm.yml:5: every node that joins needs `sea.hub:5000/fanux/lvscare:latest`, which the image's own registry does not have: the cluster can only have masters (in layer 1 (COPY . .))
      remedy: list the source image in manifests/imageList
    kubernetes-rawdocker:v1.19.8 (linux/amd64): whole: 4 layers, 13 images in its registry, 1 note
    note: [WORLD]/root/data/overlay2/34e11871349d849598c22f507320ca6f5080d45381d9dc78a520d98f855a1433/etc/kubeadm.yml:5: every node that joins needs `sea.hub:5000/fanux/lvscare:latest`, which the image's own registry does not have: the cluster can only have masters (in layer 1 (COPY . .))
      remedy: list the source image in manifests/imageList
    kubernetes-rawdocker:v1.19.8 (linux/arm64): whole: 4 layers, 13 images in its registry, 1 note
    the machines of a cluster also need:
    - root by ssh, systemd, and bash as `sh`: with dash, init-registry.sh does not notice that the registry has failed
    - no Docker of their own: an installed Docker is used as it is, and cri/docker.tar.gz is not
    - the kernel modules br_netfilter, overlay and ip_vs: without ip_vs no other machine can join
    - in a cluster of masters only: pods that tolerate the taint NoSchedule of masters; all other pods stay Pending
    - a platform that the image has: a cluster of amd64 and arm64 machines needs an image for both
    ");
    // Pulled for it.
    let run = world.succeed(&["doctor", "image", "kubernetes:v1.19.8", "--deep", "-v"]);
    insta::assert_snapshot!(run.stdout, @"
    note: [WORLD]/root/data/overlay2/b6303e7bac030e31991e47c33cfc457a27aa5830764c72acf03f38b005861405/etc/kubeadm.yml:5: every node that joins needs `sea.hub:5000/fanux/lvscare:latest`, which the image's own registry does not have: the cluster can only have masters (in layer 1 (COPY . .))
      remedy: list the source image in manifests/imageList
    kubernetes:v1.19.8 (linux/amd64): whole: 5 layers, 13 images in its registry, 1 note
    note: [WORLD]/root/data/overlay2/806cc943f0474daf52417b619d563d05f75e50556b8fe60348852ea316114e77/etc/kubeadm.yml:5: every node that joins needs `sea.hub:5000/fanux/lvscare:latest`, which the image's own registry does not have: the cluster can only have masters (in layer 1 (COPY . .))
      remedy: list the source image in manifests/imageList
    kubernetes:v1.19.8 (linux/arm64): whole: 5 layers, 13 images in its registry, 1 note
    the machines of a cluster also need:
    - root by ssh, systemd, and bash as `sh`: with dash, init-registry.sh does not notice that the registry has failed
    - no Docker of their own: an installed Docker is used as it is, and cri/docker.tar.gz is not
    - the kernel modules br_netfilter, overlay and ip_vs: without ip_vs no other machine can join
    - in a cluster of masters only: pods that tolerate the taint NoSchedule of masters; all other pods stay Pending
    - a platform that the image has: a cluster of amd64 and arm64 machines needs an image for both
    ");
}

/// What an image's clusters call its registry is known from how it was made.
#[test]
fn an_image_is_held_to_its_own_cluster_registry() {
    let world = World::new();
    let recipe = "apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {name: own}
clusterRegistry: hub.example:5001
platforms: [linux/amd64]
stages:
  - name: one
    image: own:v1
    steps:
      - imageList: {images: ['registry:2.7.1']}
      - write:
          path: pod.yaml
          content: |
            kind: Pod
            spec: {containers: [{image: 'hub.example:5001/library/registry:2.7.1'}]}
    kubefile: |
      FROM scratch
      COPY imageList manifests
      COPY pod.yaml manifests
";
    let file = world.write("own.yaml", recipe);
    world.succeed(&["recipe", "apply", file.to_str().unwrap()]);
    let whole = world.succeed(&["doctor", "image", "own:v1"]);
    assert_eq!(whole.stdout, "own:v1 (linux/amd64): whole: 3 layers, 1 image in its registry\n");
}
