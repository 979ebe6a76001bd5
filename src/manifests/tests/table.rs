use super::*;

#[test]
fn every_shape_is_searched_and_rewritten_as_it_is_meant() {
    let all = shapes::ALL.iter().map(|shape| {
        let found = told(&scanned(shape.text, shape.listed));
        format!(
            "## {}\n{found}\n-> {}\n",
            shape.name,
            changed(shape.text, shape.listed).replace('\r', "\\r").replace('\n', "\n   ")
        )
    });
    insta::assert_snapshot!("shapes", all.collect::<Vec<_>>().join("\n"));
}

#[test]
fn utf_16_is_told() {
    for (order, mark) in [(0, vec![0xff, 0xfe]), (1, vec![0xfe, 0xff]), (0, vec![]), (1, vec![])] {
        let text = "kind: Pod\nspec: {containers: [{image: nginx}]}\n";
        let units =
            text.encode_utf16().flat_map(|unit| if order == 0 { unit.to_le_bytes() } else { unit.to_be_bytes() });
        let bytes: Vec<u8> = mark.into_iter().chain(units).collect();
        let scanned = scanned(bytes, &[]);
        assert_eq!(told(&scanned), "1:1 Utf16");
        insta::allow_duplicates! {
            insta::assert_snapshot!(scanned.check().unwrap_err(), @"it is UTF-16, which Kubernetes does not read; convert it to UTF-8 first");
        }
    }
}

#[test]
fn templates_are_searched_as_text() {
    let text = "\
{{- if .x }}
kind: Pod
      - image: quay.io/a/b:v1 # c
        image: \"nginx\"
  initImage: 'busybox:1',
\"image\": \"sea.hub:5000/x:1\",
- {image: y:1, name: z}
        image: {{ .Values.image }}
        image: repo/x:{{ .tag }}
        imagePullPolicy: Always
  # an image: x
  image:
  image: Bad Ref
  image: ''
  args: [--x=quay.io/c/d:1]
{{- end }}\r
image: last\r
";
    let listed = BTreeSet::new();
    let scanned = scan(text.as_bytes(), &Scan { form: Form::Template, registry: REGISTRY, listed: &listed });
    insta::assert_snapshot!(told(&scanned), @r#"
    3:16 Key certain quay.io/a/b:v1 at 0
    4:17 Key certain nginx = docker.io/library/nginx:latest at 0
    5:15 Key likely busybox:1 = docker.io/library/busybox:1 at 0
    6:11 Key certain sea.hub:5000/x:1 at 0
    7:11 Key certain y:1 = docker.io/library/y:1 at 0
    15:14 Value likely quay.io/c/d:1 at 0
    17:8 Key certain last = docker.io/library/last:latest at 0
    8:16 Template { text: "{{ .Values.image }}" }
    9:16 Template { text: "repo/x:{{ .tag }}" }
    13:10 NotAReference { text: "Bad", is_container: false, why: "`Bad` is not an image reference: a repository must be in lower case" }
    "#);
    let new = String::from_utf8(scanned.rewrite(REGISTRY, &|_| true).unwrap().bytes).unwrap();
    let expected = text
        .replace("quay.io/a/b", "sea.hub:5000/a/b")
        .replace("\"nginx\"", "\"sea.hub:5000/library/nginx\"")
        .replace("'busybox:1'", "'sea.hub:5000/library/busybox:1'")
        .replace("image: y:1", "image: sea.hub:5000/library/y:1")
        .replace("quay.io/c/d", "sea.hub:5000/c/d")
        .replace("image: last", "image: sea.hub:5000/library/last");
    assert_eq!(new, expected);
}

#[test]
fn what_is_wanted_is_rewritten_and_said_with_its_line() {
    let text =
        "kind: Pod\nspec:\n  containers:\n  - image: a/b:1\n  - image: keep/me:1\n    args: [--x=quay.io/c/d:1]\n";
    let result = scanned(text, &[]).rewrite("[::1]:5000", &|image| image.repository() != "keep/me").unwrap();
    let changes: Vec<_> =
        result.changes.iter().map(|change| format!("{} {} {}", change.line, change.old, change.new)).collect();
    assert_eq!(changes, ["4 a/b:1 [::1]:5000/a/b:1", "6 quay.io/c/d:1 [::1]:5000/c/d:1"]);
    // What YAML would take for a list gets quotes.
    let expected =
        text.replace("a/b:1", "\"[::1]:5000/a/b:1\"").replace("--x=quay.io/c/d:1", "\"--x=[::1]:5000/c/d:1\"");
    assert_eq!(String::from_utf8(result.bytes).unwrap(), expected);
}

#[test]
fn a_registry_is_a_host_with_or_without_a_port() {
    for good in ["sea.hub:5000", "quay.io", "localhost", "10.0.0.1:5000", "[::1]:5000"] {
        let new = scanned("image: a/b", &[]).rewrite(good, &|_| true).unwrap();
        assert_eq!(scanned(&new.bytes, &[]).mentions[0].reference, format!("{good}/a/b"));
    }
    for bad in ["", "hub", "https://x.io", "x.io/y", "x.io:", "x y"] {
        let error = scanned("image: a/b", &[]).rewrite(bad, &|_| true).unwrap_err();
        assert_eq!(error, ManifestError::Registry(bad.to_owned()));
    }
}

#[test]
fn the_largest_manifests_take_no_time() {
    let pod = "---\nkind: Pod\nmetadata: {name: a, labels: {a: b, c: d}}\nspec:\n  containers:\n  - image: quay.io/a/b:1\n    args: [--x=quay.io/c/d:1, \"a\", 'b']\n    env: [{name: A, value: b}]\n";
    let config = "---\nkind: ConfigMap\ndata:\n  a.yaml: |\n    kind: Pod\n    spec: {containers: [{image: nginx}]}\n";
    let text = pod.repeat(4000) + &config.repeat(4000);
    let started = std::time::Instant::now();
    let scanned = scanned(&text, &[]);
    assert_eq!(scanned.mentions.len(), 12_000);
    let new = scanned.rewrite(REGISTRY, &|_| true).unwrap();
    assert_eq!(new.changes.len(), 12_000);
    assert!(started.elapsed() < std::time::Duration::from_mins(1), "{:?}", started.elapsed());
}

#[test]
fn the_operator_of_calico_is_one_line_that_changes() {
    let Some(old) = crate::types::golden::shared("data/calico/tigera-operator.yaml") else { return };
    let old = String::from_utf8(old).unwrap();
    insta::assert_snapshot!(told(&scanned(&old, &[])), @"5872:18 Container certain quay.io/tigera/operator:v1.17.4 at 26/spec/template/spec/containers/0/image");
    assert_eq!(changed(&old, &[]), "5872|           image: sea.hub:5000/tigera/operator:v1.17.4");
}
