use proptest::prelude::*;

use super::*;

/// Every change of a comparison in a line.
fn changes(format: Format, old: &str, new: &str) -> Vec<String> {
    let changes = compare(format, old, new).unwrap();
    let line = |change: KeyChange| {
        let document = change.document.map(|document| format!("{{{document}}}")).unwrap_or_default();
        format!("{document}{} {} {}", change.route, change.what.word(), change.what.detail())
    };
    changes.into_iter().map(line).collect()
}

#[test]
fn keys_elements_and_references_are_told_by_their_routes() {
    let cases: [(&str, &str, &[&str]); 14] = [
        ("a: 1\nb: 2\n", "# new\nb: 2\na: 1\n", &[]),
        ("a: 'x'\n", "a: x\n", &[]),
        ("a: 1\n", "a: '1'\n", &["/a value 1 → \"1\""]),
        ("a: 1\nb: 2\n", "a: 1\n", &["/b removed 2"]),
        ("a: {b: {c: 1}}\n", "a: {b: {c: 2, d: 3}}\n", &["/a/b/c value 1 → 2", "/a/b/d added 3"]),
        ("a: {b: 1}\n", "a: [1]\n", &["/a value {\"b\": 1} → [1]"]),
        ("a: [1, 2, 3]\n", "a: [1, 3]\n", &["/a/1 removed 2"]),
        ("a: [1, 3]\n", "a: [0, 1, 2, 3]\n", &["/a/0 added 0", "/a/2 added 2"]),
        ("a: [x]\n", "a: [y, z]\n", &["/a/0 value x → y", "/a/1 added z"]),
        (
            "c:\n- {name: a, image: 'r/a:1'}\n- {name: b, image: 'r/b:1'}\n",
            "c:\n- {name: b, image: 'r/b:2'}\n",
            &["/c/0 removed {\"name\": \"a\", \"image\": \"r/a:1\"}", "/c/0/image image reference r/b:1 → r/b:2"],
        ),
        ("image: a b\n", "image: c d\n", &["/image value a b → c d"]),
        ("a/b: {'~': 1}\n", "a/b: {'~': 2}\n", &["/a~1b/~0 value 1 → 2"]),
        ("x: &a {k: 1}\ny: *a\n", "x: {k: 1}\ny: {k: 2}\n", &["/y/k value 1 → 2"]),
        ("a: \"x\\u001b[0m\\n\"\n", "a: y\n", &["/a value \"x\\u{1b}[0m\\n\" → y"]),
    ];
    for (old, new, expected) in cases {
        assert_eq!(changes(Format::Yaml, old, new), expected, "{old:?} {new:?}");
    }
}

#[test]
fn documents_are_known_by_kind_namespace_and_name() {
    let old = "---\nkind: A\nmetadata: {name: x}\nv: 1\n---\nkind: B\nmetadata: {name: y, namespace: n}\n---\nv: 3\n";
    let new = "kind: New\n---\nkind: B\nmetadata: {namespace: n, name: y}\n---\nkind: A\nmetadata: {name: x}\nv: 2\n---\n# none\n---\nv: 3\n";
    let expected = [
        "{A x}/v value 1 → 2",
        "{document 3} removed {\"v\": 3}",
        "{New} added {\"kind\": \"New\"}",
        "{document 4} added {\"v\": 3}",
    ];
    assert_eq!(changes(Format::Yaml, old, new), expected);
    let twice = "kind: A\nv: 1\n---\nkind: A\nv: 1\n";
    let expected = ["{A, document 2}/v value 1 → 2"];
    assert_eq!(changes(Format::Yaml, twice, "kind: A\nv: 1\n---\nkind: A\nv: 2\n"), expected);
    // One document each: another name is a change in it.
    assert_eq!(changes(Format::Yaml, "kind: A\n", "kind: B\n"), ["/kind value A → B"]);
}

#[test]
fn passwords_and_kubernetes_secrets_are_not_shown() {
    let hidden = |old: &str, new: &str| changes(Format::Yaml, old, new).join("\n");
    for (old, new) in [
        ("- {registry: r, username: u, password: hunter1}\n", "- {registry: r, username: u, password: hunter2}\n"),
        ("a: 1\n", "a: 1\nregistries: [{password: hunter2}]\n"),
        ("kind: Secret\ndata: {x: hunter1}\n", "kind: Secret\ndata: {x: hunter2, y: hunter3}\n"),
        ("kind: A\n---\nkind: B\n", "kind: A\n---\nkind: B\n---\nkind: Secret\nstringData: {x: hunter2}\n"),
        (
            "kind: List\nitems:\n- kind: Secret\n  metadata: {name: a}\n  data: {x: hunter1}\n",
            "kind: List\nitems:\n- kind: Secret\n  metadata: {name: a}\n  data: {x: hunter2}\n",
        ),
        ("kind: List\nitems: []\n", "kind: List\nitems: [{kind: Secret, data: {x: hunter2}}]\n"),
        (
            "kind: Secret\nmetadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: 'x: hunter1'}}\n",
            "kind: Secret\nmetadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: 'x: hunter2'}}\n",
        ),
        ("command: [run]\n", "command: [run, --password=hunter2]\n"),
    ] {
        let said = hidden(old, new);
        assert!(said.contains("(hidden)") && !said.contains("hunter"), "{said}");
    }
}

#[test]
fn what_is_not_understood_is_no_document() {
    for text in ["a: [", "a: 1\na: 2\n", "{{ template }}: {{ x }}"] {
        assert_eq!(compare(Format::Yaml, text, "a: 1\n"), None, "{text}");
    }
    assert_eq!(compare(Format::Json, "{} x", "{}"), None);
}

/// Documents of nested maps, and of lists where they may be among them.
fn tree(with_lists: bool) -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![(0..5).prop_map(serde_json::Value::from), "[a-c]{0,2}".prop_map(serde_json::Value::from)];
    let longest = if with_lists { 4 } else { 1 };
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..longest).prop_map(serde_json::Value::from),
            prop::collection::btree_map("[a-d]", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// As seen from the other side.
fn mirrored(change: &Change) -> Change {
    match change.clone() {
        Change::KeyAdded { new } => Change::KeyRemoved { old: new },
        Change::KeyRemoved { old } => Change::KeyAdded { new: old },
        Change::Value { old, new } => Change::Value { old: new, new: old },
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn equal_documents_have_no_difference_and_others_have_some(old in tree(true), new in tree(true)) {
        let (one, other) = (old.to_string(), serde_json::to_string_pretty(&new).unwrap());
        let changes = compare(Format::Json, &one, &other).unwrap();
        prop_assert_eq!(changes.is_empty(), old == new);
        prop_assert_eq!(compare(Format::Json, &one, &serde_json::to_string_pretty(&old).unwrap()).unwrap(), vec![]);
    }

    #[test]
    // Lists may be matched in several ways that are as good as one another; maps in one.
    fn the_other_way_round_it_is_the_mirror_image(old in tree(false), new in tree(false)) {
        let (old, new) = (old.to_string(), new.to_string());
        let key = |changes: Vec<KeyChange>, mirror: bool| {
            let what = |change: &Change| if mirror { mirrored(change) } else { change.clone() };
            let mut keys: Vec<_> =
                changes.iter().map(|change| (change.route.clone(), format!("{:?}", what(&change.what)))).collect();
            keys.sort();
            keys
        };
        let there = key(compare(Format::Json, &old, &new).unwrap(), false);
        let back = key(compare(Format::Json, &new, &old).unwrap(), true);
        prop_assert_eq!(there, back);
    }
}
