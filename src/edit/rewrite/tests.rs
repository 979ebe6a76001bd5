use super::super::find_images;
use super::*;

fn rewritten(manifest: &str) -> Result<(String, Vec<String>), String> {
    let wanted = |image: &ImageRef| image.repository() != "keep/me";
    let Rewritten { bytes, changes } =
        rewrite_images(manifest.as_bytes(), "sea.hub:5000", &wanted).map_err(|error| error.to_string())?;
    let changes = changes.into_iter().map(|change| format!("{} {} {}", change.line, change.old, change.new)).collect();
    Ok((String::from_utf8(bytes).unwrap(), changes))
}

const DIGEST: &str = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

#[test]
fn every_kind_of_workload_and_only_its_references() {
    let manifest = format!(
        "\
# image: not/this:1
apiVersion: v1
kind: List
items:
- kind: CronJob
  spec: {{jobTemplate: {{spec: {{template: {{spec: {{containers: [{{image: nginx, imagePullPolicy: Always}}]}}}}}}}}}}
- kind: Deployment
  spec:
    template:
      spec:
        initContainers:
          - image: 'quay.io/tigera/operator:v1'   # why
        containers:
          - {{\"image\":\"calico/node@{DIGEST}\"}}
          - image: sea.hub:5000/a/b:1
          - image: keep/me:1
          - image: \"localhost:5001/x:2@{DIGEST}\"
---
kind: Custom
spec: {{image: >-\r
  docker.io/nginx:1, x: 1}}
"
    );
    // A block scalar cannot stand in brackets: that document is replaced by one where it can.
    let manifest =
        manifest.replace("spec: {image: >-\r\n  docker.io/nginx:1, x: 1}", "image: >-\r\n  docker.io/nginx:1");
    let (text, changes) = rewritten(&manifest).unwrap();
    insta::assert_snapshot!(changes.join("\n"), @"
    6 nginx sea.hub:5000/library/nginx
    12 quay.io/tigera/operator:v1 sea.hub:5000/tigera/operator:v1
    14 calico/node@sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 sea.hub:5000/calico/node@sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
    17 localhost:5001/x:2@sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 sea.hub:5000/x:2@sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
    20 docker.io/nginx:1 sea.hub:5000/library/nginx:1
    ");
    let expected = manifest
        .replace("image: nginx,", "image: sea.hub:5000/library/nginx,")
        .replace("'quay.io/", "'sea.hub:5000/")
        .replace("\"calico/node@", "\"sea.hub:5000/calico/node@")
        .replace("localhost:5001", "sea.hub:5000")
        .replace("docker.io/nginx", "sea.hub:5000/library/nginx");
    assert_eq!(text, expected);
    assert_eq!(rewritten(&text).unwrap(), (text, vec![]));
}

#[test]
fn schemas_of_definitions_hold_no_references() {
    let manifest = "\
kind: CustomResourceDefinition
metadata: {annotations: {image: a/b:1}}
spec:
  validation: {openAPIV3Schema: {example: {image: c/d:1}}}
  versions:
  - name: v1
    image: e/f:1
    schema: {openAPIV3Schema: {properties: {image: {type: string, default: {image: g/h:1}}}}}
";
    let found: Vec<_> = find_images(manifest.as_bytes()).unwrap().into_iter().map(|found| found.route).collect();
    assert_eq!(found, ["/metadata/annotations/image"]);
}

#[test]
fn json_is_a_manifest_too() {
    let manifest = "\u{feff}{\"kind\": \"Pod\",\r\n\t\"image\": \"quay.io\\/a/b:1\", \"n\": 1.10,\r\n\"x\": [{\"image\":\"nginx\"}]}";
    let (text, changes) = rewritten(manifest).unwrap();
    assert_eq!(
        text,
        "\u{feff}{\"kind\": \"Pod\",\r\n\t\"image\": \"sea.hub:5000/a/b:1\", \"n\": 1.10,\r\n\"x\": [{\"image\":\"sea.hub:5000/library/nginx\"}]}"
    );
    assert_eq!(changes.len(), 2);
}

#[test]
fn anchors_and_aliases_become_what_they_mean() {
    let (text, changes) = rewritten("a: {image: &x nginx:1}\nb: {image: *x}\n").unwrap();
    assert_eq!(text, "a: {image: &x sea.hub:5000/library/nginx:1}\nb: {image: sea.hub:5000/library/nginx:1}\n");
    assert_eq!(changes.len(), 2);
    // Collections are repeated with what is in them.
    let (text, changes) = rewritten("a: &x {image: nginx:1}\nb: *x\n").unwrap();
    assert_eq!(text, "a: &x {image: sea.hub:5000/library/nginx:1}\nb: *x\n");
    assert_eq!(changes.len(), 1);
    // A value that is no reference would change as well.
    assert_eq!(
        rewritten("a: {image: &x nginx:1}\nb: {name: *x}\n").unwrap_err(),
        "line 1: the reference `nginx:1` cannot be changed in place; write it as plain text on one line"
    );
}

#[test]
fn a_registry_is_a_host_with_or_without_a_port() {
    for good in ["sea.hub:5000", "quay.io", "localhost", "10.0.0.1:5000", "[::1]:5000"] {
        let out = rewrite_images(b"image: a/b", good, &|_| true).unwrap();
        let reread = find_images(&out.bytes).unwrap();
        assert_eq!(reread[0].reference, format!("{good}/a/b"));
    }
    for bad in ["", "hub", "https://x.io", "x.io/y", "x.io:", "x y"] {
        assert!(rewrite_images(b"image: a/b", bad, &|_| true).is_err(), "{bad}");
    }
}
