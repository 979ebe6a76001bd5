//! What was edited differs from the base in the places that the page names, and in nothing else.

use std::path::Path;

use serde_json::Value;

use super::job::{ALPINE, BASE, CALICO, Job, job};

/// A file of the base image's layer and of the new image's.
fn both(job: &Job, file: &str, old: (&str, usize), new: (&str, usize)) -> [String; 2] {
    [old, new].map(|(image, layer)| fs_err::read_to_string(job.layer_folders(image)[layer].join(file)).unwrap())
}

/// The lines that stand in one text only, for texts whose other lines are the same in the same order.
fn difference<'a>(old: &'a str, new: &'a str) -> [Vec<&'a str>; 2] {
    let (old, new): (Vec<_>, Vec<_>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[same..], &new[same..]);
    let same = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    [old[..old.len() - same].to_vec(), new[..new.len() - same].to_vec()]
}

#[test]
fn daemon_json_lacks_one_key() {
    let Some(job) = job() else { return };
    let [old, new] = both(job, "etc/daemon.json", (BASE, 0), (ALPINE, 0));
    let mut expected: Value = serde_json::from_str(&old).unwrap();
    // Not `remove`, which puts the last key in its place.
    assert!(expected.as_object_mut().unwrap().shift_remove("mirror-registries").is_some());
    let parsed: Value = serde_json::from_str(&new).unwrap();
    // As text, so the order counts.
    assert_eq!(serde_json::to_string(&parsed).unwrap(), serde_json::to_string(&expected).unwrap());
    let [gone, added] = difference(&old, &new);
    assert_eq!(added, [] as [&str; 0]);
    insta::assert_snapshot!(gone.concat(), @r#"
      "mirror-registries": [
        {
          "domain": "*",
          "mirrors": [
            "http://sea.hub:5000"
          ]
        }
      ],
    "#);
}

#[test]
fn one_line_of_six_thousand_of_the_operator_s_manifest_is_another() {
    let Some(job) = job() else { return };
    let [old, new] = both(job, "etc/tigera-operator.yaml", (BASE, 3), (CALICO, 2));
    assert!(old.lines().count() > 5_800, "the manifest as it is in the wild");
    let [gone, added] = difference(&old, &new);
    assert_eq!(gone, ["          image: quay.io/tigera/operator:v1.17.4\n"]);
    assert_eq!(added, ["          image: sea.hub:5000/tigera/operator:v1.17.4\n"]);
}

#[test]
fn one_line_more_is_in_the_custom_resources() {
    let Some(job) = job() else { return };
    let [old, new] = both(job, "etc/custom-resources.yaml", (BASE, 3), (CALICO, 2));
    let [gone, added] = difference(&old, &new);
    assert_eq!(gone, [] as [&str; 0]);
    assert_eq!(added, ["  registry: sea.hub:5000\n"]);
    let documents = serde_yaml::Deserializer::from_str(&new).map(|document| {
        use serde::Deserialize;
        Value::deserialize(document).unwrap()
    });
    let installation = documents.into_iter().find(|document| document["kind"] == "Installation").unwrap();
    assert_eq!(installation["spec"]["registry"], "sea.hub:5000");
}

#[test]
fn everything_else_of_the_root_file_system_is_the_base_s() {
    use crate::support::program::tree;
    let Some(job) = job() else { return };
    let (mut old, mut new) = (tree(&job.layer_folders(BASE)[0]), tree(&job.layer_folders(ALPINE)[0]));
    for changed in ["cri/docker.tar.gz", "images/registry.tar", "etc/daemon.json"] {
        let (old, new) = (old.remove(Path::new(changed)).unwrap(), new.remove(Path::new(changed)).unwrap());
        assert_ne!(old, new, "{changed}");
    }
    assert_eq!(new, old);
    let names =
        |layer: usize| tree(&job.layer_folders(CALICO)[layer]).into_keys().map(|path| path.display().to_string());
    assert_eq!(names(1).collect::<Vec<_>>(), ["manifests", "manifests/imageList"]);
    assert_eq!(names(2).collect::<Vec<_>>(), ["etc", "etc/custom-resources.yaml", "etc/tigera-operator.yaml"]);
    assert!(names(3).all(|path| path.starts_with("registry")));
}
