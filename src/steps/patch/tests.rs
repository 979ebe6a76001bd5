use serde_json::json;

use crate::steps::tests::World;

const DOCUMENT: &str = "{\n  \"a\": 1, \"b\": [1]\n}\n";

#[test]
fn documents_are_patched_and_merged() {
    let mut log = Vec::new();
    for step in [
        json!({"ops": [{"op": "replace", "path": "/a", "value": 2}]}),
        json!({"ops": [{"op": "test", "path": "/a", "value": 1}]}),
        json!({"ops": [{"op": "remove", "path": "/c"}], "optional": true}),
        json!({"ops": [{"op": "remove", "path": "/c"}, {"op": "remove", "path": "/a"}], "optional": true}),
        json!({"merge": {"a": null, "b": {"c": [2]}}}),
        json!({"merge": {"none": null}}),
        json!({"merge": {"a": 2, "none": null}}),
        json!({"merge": {"a": 2, "none": null}, "optional": true}),
        json!({"merge": {"none": null}, "optional": true}),
        json!({"merge": {"a": 1}}),
        json!({"ops": [{"op": "remove", "path": "/c"}]}),
        json!({"ops": [{"op": "remove", "path": "/c"}, {"op": "replace", "path": "/d", "value": 1}], "optional": true}),
        json!({"merge": {"a": 1}, "document": {"index": 1}}),
    ] {
        let world = World::new().file("a.json", DOCUMENT, 0o600);
        let mut whole = step.clone();
        whole["path"] = json!("a.json");
        log.push(format!("{step}\n{}\n{}\n", world.run(json!({"patch": whole})), world.context()[0]));
    }
    insta::assert_snapshot!(log.join("\n"), @r#"
    {"ops":[{"op":"replace","path":"/a","value":2}]}
    Changed("replace /a")
    a.json 0600 1000 {\n  \"a\": 2, \"b\": [1]\n}\n

    {"ops":[{"op":"test","path":"/a","value":1}]}
    Unchanged("test /a")
    a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n

    {"ops":[{"op":"remove","path":"/c"}],"optional":true}
    Skipped("`a.json`: `/` has no key `c`; did you mean `a`?")
    a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n

    {"ops":[{"op":"remove","path":"/c"},{"op":"remove","path":"/a"}],"optional":true}
    Changed("remove /a")
    a.json 0600 1000 {\n  \"b\": [1]\n}\n

    {"merge":{"a":null,"b":{"c":[2]}}}
    Changed("merge a, b")
    a.json 0600 1000 {\n  \"b\": {\n    \"c\": [\n      2\n    ]\n  }\n}\n

    {"merge":{"none":null}}
    merge: Failed: error: `a.json`: `merge` (`remove /none`): `/` has no key `none`
    a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n

    {"merge":{"a":2,"none":null}}
    merge: Failed: error: `a.json`: `merge` (`remove /none`): `/` has no key `none`
    a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n

    {"merge":{"a":2,"none":null},"optional":true}
    Changed("merge a, none")
    a.json 0600 1000 {\n  \"a\": 2, \"b\": [1]\n}\n

    {"merge":{"none":null},"optional":true}
    Skipped("`a.json`: `/` has no key `none`")
    a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n

    {"merge":{"a":1}}
    Unchanged("merge a")
    a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n

    {"ops":[{"op":"remove","path":"/c"}]}
    ops/0/path: Failed: error: `a.json`: `ops[0]` (`remove /c`): `/` has no key `c`; did you mean `a`?
    a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n

    {"ops":[{"op":"remove","path":"/c"},{"op":"replace","path":"/d","value":1}],"optional":true}
    ops/1/path: Failed: error: `a.json`: `ops[1]` (`replace /d`): `/` has no key `d`; did you mean `a`?
    a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n

    {"merge":{"a":1},"document":{"index":1}}
    document: Failed: error: `a.json`: `document: {index: 1}` matches no document; the file has 0: no kind
    a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n
    "#);
}

#[test]
fn what_cannot_be_patched_is_said() {
    let world = World::new()
        .file("etc/a.json", DOCUMENT, 0o600)
        .file("empty.yaml", "", 0o644)
        .file("alias.yaml", "a: &x {b: 1}\nc: *x\n", 0o644)
        .file("a.txt", "", 0o644)
        .folder("dir.json");
    let mut log = Vec::new();
    for path in ["a.json", "empty.yaml", "alias.yaml", "a.txt", "dir.json"] {
        log.push(format!("{path}: {}", world.run(json!({"patch": {"path": path, "merge": {"a": {"b": 2}}}}))));
    }
    log.push(world.run(json!({"patch": {"path": "a.json", "merge": {"a": 2}, "optional": true}})));
    insta::assert_snapshot!(log.join("\n"), @r#"
    a.json: path: Failed: error: `a.json` is not in the context
      help: did you mean `etc/a.json`?
    empty.yaml: path: Failed: error: `empty.yaml`: the file has no document, only blanks and comments
    alias.yaml: merge: Failed: error: `alias.yaml`: `merge` (`add /a/b`): `&x` at `/a` is used by `*x` in line 2, which would change as well
    a.txt: path: Failed: error: `a.txt` is neither JSON nor YAML
      help: the name must end in .json, .yaml or .yml
    dir.json: path: Failed: error: `dir.json` in the context is a folder, expected a file
    Skipped("`a.json` is not in the context")
    "#);
}
