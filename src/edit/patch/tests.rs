use super::*;

fn operations(text: &str) -> Vec<Operation> {
    serde_yaml::from_str(text).unwrap()
}

fn patched(format: Format, document: &str, ops: &str) -> Result<String, String> {
    patch(document.as_bytes(), format, None, &operations(ops))
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .map_err(|error| error.to_string())
}

/// Document, operations, document.
fn check(format: Format, table: &[(&str, &str, &str)]) {
    for (document, ops, expected) in table {
        let ops = format!("[{ops}]");
        assert_eq!(patched(format, document, &ops).as_deref(), Ok(*expected), "{ops} on {document:?}");
        // Where there is no line end, new lines have the usual one.
        for eol in ["\r\n", "\r"].into_iter().filter(|_| document.contains('\n')) {
            let (document, expected) = (document.replace('\n', eol), expected.replace('\n', eol));
            assert_eq!(patched(format, &document, &ops), Ok(expected), "{ops} on {document:?}");
        }
        let (document, expected) = (format!("\u{feff}{document}"), format!("\u{feff}{expected}"));
        assert_eq!(patched(format, &document, &ops), Ok(expected), "{ops} on {document:?}");
    }
}

#[test]
fn yaml_maps_get_new_keys() {
    check(
        Format::Yaml,
        &[
            ("a: 1\n", "{op: add, path: /b, value: x}", "a: 1\nb: x\n"),
            ("a: 1", "{op: add, path: /b, value: x}", "a: 1\nb: x"),
            ("a: 1 # c\n\n# d\n", "{op: add, path: /b, value: x}", "a: 1 # c\nb: x\n\n# d\n"),
            ("a:\n  c: 1\n  # d\n\nb: 2\n", "{op: add, path: /a/d, value: x}", "a:\n  c: 1\n  d: x\n  # d\n\nb: 2\n"),
            ("- a: 1\n- b\n", "{op: add, path: /0/c, value: x}", "- a: 1\n  c: x\n- b\n"),
            ("-   - a: 1\n", "{op: add, path: /0/0/c, value: x}", "-   - a: 1\n      c: x\n"),
            ("a:\n- x\n# c\nb:\n", "{op: add, path: /c, value: {d: [1]}}", "a:\n- x\n# c\nb:\nc:\n  d:\n  - 1\n"),
            ("a: |\n  x\n\n\n# c\n", "{op: add, path: /b, value: 1}", "a: |\n  x\nb: 1\n\n\n# c\n"),
            ("a: |+\n  x\n\n\n# c\n", "{op: add, path: /b, value: 1}", "a: |+\n  x\n\n\nb: 1\n# c\n"),
            ("a: >-\n  x\n   y\n", "{op: add, path: /b, value: \"l\\nm\\n\"}", "a: >-\n  x\n   y\nb: |\n  l\n  m\n"),
            ("z: 1\na: |\n  x", "{op: add, path: /b, value: 1}", "z: 1\nb: 1\na: |\n  x"),
            ("a: |-\n  x", "{op: add, path: /b, value: 1}", "a: |-\n  x\nb: 1"),
            ("? a\n: 1\n", "{op: add, path: /b, value: 1}", "? a\n: 1\nb: 1\n"),
            ("a: &x\n", "{op: add, path: /b, value: 1}", "a: &x\nb: 1\n"),
            ("a: {b: 1}\n", "{op: add, path: /a/c, value: [x, {z: 1}]}", "a: {b: 1, c: [x, {z: 1}]}\n"),
            ("a: {b: 1,}\n", "{op: add, path: /a/c, value: 2}", "a: {b: 1, c: 2,}\n"),
            ("a: {b}\n", "{op: add, path: /a/c, value: 2}", "a: {b, c: 2}\n"),
            ("a: {b: }\n", "{op: add, path: /a/c, value: 2}", "a: {b: , c: 2}\n"),
            ("a: {}\n", "{op: add, path: /a/c, value: sea.hub:5000}", "a: {c: sea.hub:5000}\n"),
            ("a: { } # c\n", "{op: add, path: /a/c, value: \"yes\"}", "a: {c: \"yes\"} # c\n"),
            (
                "a: {\n  b: 1, # b\n  c: 2  # c\n}\n",
                "{op: add, path: /a/d, value: 3}",
                "a: {\n  b: 1, # b\n  c: 2,  # c\n  d: 3\n}\n",
            ),
            ("a: {\n  b: 1, # b\n}\n", "{op: add, path: /a/d, value: 3}", "a: {\n  b: 1, # b\n  d: 3,\n}\n"),
            ("a: # c\nb:\n", "{op: add, path: /a, value: {x: 1}}", "a: # c\n  x: 1\nb:\n"),
            ("a:\n", "{op: add, path: /a, value: 1}", "a: 1\n"),
            ("a:   \n", "{op: add, path: /a, value: 1}", "a: 1\n"),
            ("---\na: 1\n...\n", "{op: add, path: /b, value: null}", "---\na: 1\nb: null\n...\n"),
            ("a: 1\t#\ttabs\n", "{op: add, path: /b, value: \"010\"}", "a: 1\t#\ttabs\nb: \"010\"\n"),
        ],
    );
}

#[test]
fn yaml_lists_get_new_elements() {
    check(
        Format::Yaml,
        &[
            ("a:\n  - x # x\n  # y\nb: 1\n", "{op: add, path: /a/-, value: z}", "a:\n  - x # x\n  - z\n  # y\nb: 1\n"),
            ("a:\n- x\nb: 1\n", "{op: add, path: /a/1, value: {c: 1, d: [2]}}", "a:\n- x\n- c: 1\n  d:\n  - 2\nb: 1\n"),
            ("a:\n- x\n# y\n- y\n", "{op: add, path: /a/1, value: z}", "a:\n- x\n- z\n# y\n- y\n"),
            ("a:\n  # x\n  - x\n", "{op: add, path: /a/0, value: z}", "a:\n  # x\n  - z\n  - x\n"),
            ("- - x\n  - y\n", "{op: add, path: /0/0, value: [z, w]}", "- - - z\n    - w\n  - x\n  - y\n"),
            ("- x", "{op: add, path: /-, value: z}", "- x\n- z"),
            ("-\n-\n", "{op: add, path: /1, value: z}", "-\n- z\n-\n"),
            ("[]", "{op: add, path: /0, value: z}", "[z]"),
            ("[a,b]", "{op: add, path: /1, value: z}", "[a,z,b]"),
            ("[a, b]", "{op: add, path: /2, value: z}", "[a, b, z]"),
            ("[a, b]", "{op: add, path: /0, value: z}", "[z, a, b]"),
            ("[\n  a, # a\n  b\n]", "{op: add, path: /1, value: z}", "[\n  a, # a\n  z,\n  b\n]"),
            ("- |\n  x\n\n- b\n", "{op: add, path: /1, value: z}", "- |\n  x\n- z\n\n- b\n"),
        ],
    );
}

#[test]
fn yaml_entries_are_removed() {
    check(
        Format::Yaml,
        &[
            ("a: 1\nb: 2 # b\nc: 3\n", "{op: remove, path: /b}", "a: 1\nc: 3\n"),
            ("a: 1\n# b\nb: 2\n\n# c\nc: 3\n", "{op: remove, path: /b}", "a: 1\n# b\n\n# c\nc: 3\n"),
            ("a: 1\nb: 2", "{op: remove, path: /b}", "a: 1"),
            ("a: |\n  x\nb: 2", "{op: remove, path: /b}", "a: |\n  x\n"),
            ("a: |+\n  x\nb: 2\n\n# c\n", "{op: remove, path: /b}", "a: |+\n  x\n# c\n"),
            ("a: |\n  x\nb:\n  c: 1\n  # c\n\n# d\nd: 1\n", "{op: remove, path: /b}", "a: |\n  x\n\n# d\nd: 1\n"),
            ("- a: 1\n  b: 2\n", "{op: remove, path: /0/a}", "- b: 2\n"),
            ("- a: 1 # a\n  # b\n  b: 2\n", "{op: remove, path: /0/a}", "-\n  # b\n  b: 2\n"),
            ("a:\n  b: 1 # b\nc: 2\n", "{op: remove, path: /a/b}", "a: {}\nc: 2\n"),
            ("a: # a\n  # b\n  b: 1\n", "{op: remove, path: /a/b}", "a: {} # a\n  # b\n"),
            ("a: &x # a\n  b: 1\n", "{op: remove, path: /a/b}", "a: &x {} # a\n"),
            ("a:\n- b\n", "{op: remove, path: /a/0}", "a: []\n"),
            ("- a: 1\n- b\n", "{op: remove, path: /0/a}", "- {}\n- b\n"),
            ("---\n# c\na: 1\n", "{op: remove, path: /a}", "---\n# c\n{}\n"),
            ("- a\n- b: 1\n  c: |\n   x\n- d\n", "{op: remove, path: /1}", "- a\n- d\n"),
            ("a: [x, y]\n", "{op: remove, path: /a/0}", "a: [y]\n"),
            ("a: [x, y]\n", "{op: remove, path: /a/1}", "a: [x]\n"),
            ("a: [x, y,]\n", "{op: remove, path: /a/1}", "a: [x,]\n"),
            ("a: [ x ]\n", "{op: remove, path: /a/0}", "a: []\n"),
            ("a: {x: 1, \"y\": [2]}\n", "{op: remove, path: /a/y}", "a: {x: 1}\n"),
            ("{\n  a: 1, # a\n  # b\n  b: 2 # bb\n}\n", "{op: remove, path: /b}", "{\n  a: 1 # a\n  # b\n}\n"),
            ("{\n  a: 1, # a\n  # b\n  b: 2\n}\n", "{op: remove, path: /a}", "{\n  # b\n  b: 2\n}\n"),
            ("a: 1\n<<: &x {b: 1}\nc: 2\n", "{op: remove, path: /<<}", "a: 1\nc: 2\n"),
            ("? a\n: 1\n? b\n: 2\n", "{op: remove, path: /a}", "? b\n: 2\n"),
        ],
    );
}

#[test]
fn yaml_values_are_replaced() {
    check(
        Format::Yaml,
        &[
            ("a: 1 # c\n", "{op: replace, path: /a, value: x y}", "a: x y # c\n"),
            ("a: 'x'\n", "{op: replace, path: /a, value: it's}", "a: 'it''s'\n"),
            ("a: \"x\"\n", "{op: replace, path: /a, value: y}", "a: \"y\"\n"),
            ("a: \"x\"\n", "{op: replace, path: /a, value: 1}", "a: 1\n"),
            ("a: x\n", "{op: replace, path: /a, value: \"on\"}", "a: \"on\"\n"),
            ("a: &x 1\n", "{op: replace, path: /a, value: 2}", "a: &x 2\n"),
            ("a: !!str 1\n", "{op: replace, path: /a, value: 2}", "a: 2\n"),
            ("a: !t\n  b: 1\nc: 1\n", "{op: replace, path: /a, value: 2}", "a: 2\nc: 1\n"),
            ("a: 1 # c\nb: 2\n", "{op: replace, path: /a, value: {x: 1}}", "a: # c\n  x: 1\nb: 2\n"),
            ("a: |  # c\n  x\n\nb: 2\n", "{op: replace, path: /a, value: 1}", "a: 1  # c\n\nb: 2\n"),
            ("a: |-\n  x", "{op: replace, path: /a, value: 1}", "a: 1"),
            ("a: x # c\nb: 2\n", "{op: replace, path: /a, value: \"l\\nm\"}", "a: |- # c\n  l\n  m\nb: 2\n"),
            ("a: # c\n  b: 1\n  # d\n  d: 1 # d\n# e\n", "{op: replace, path: /a, value: 1}", "a: 1 # c\n# e\n"),
            ("a: # c\n  b: 1\n  d: 1\n", "{op: replace, path: /a, value: {e: 1}}", "a: # c\n  e: 1\n"),
            ("- a: 1\n  b: 2\n- c\n", "{op: replace, path: /0, value: {e: 1, f: 2}}", "- e: 1\n  f: 2\n- c\n"),
            (
                "- a: 1\n  b: 2\n- c\n",
                "{op: replace, path: /1, value: {e: 1, f: 2}}",
                "- a: 1\n  b: 2\n- e: 1\n  f: 2\n",
            ),
            ("-\n  a: 1\n- c\n", "{op: replace, path: /0, value: x}", "- x\n- c\n"),
            ("a: {b: 1}\n", "{op: replace, path: /a/b, value: \"x, y\"}", "a: {b: \"x, y\"}\n"),
            ("a: {b: }\n", "{op: replace, path: /a/b, value: 1}", "a: {b: 1}\n"),
            ("a: {b}\n", "{op: replace, path: /a/b, value: 1}", "a: {b: 1}\n"),
            ("a: {}\n", "{op: replace, path: /a, value: {b: {c: 1}}}", "a:\n  b:\n    c: 1\n"),
            ("a: 1\n", "{op: replace, path: '', value: {b: 1, c: [2]}}", "b: 1\nc:\n  - 2\n"),
            ("a: 1\n", "{op: replace, path: '', value: x}", "x\n"),
            (
                "a: multi\n  line # c\nb: \"x\n  y\"\n",
                "{op: replace, path: /a, value: 1}, {op: replace, path: /b, value: z}",
                "a: 1 # c\nb: \"z\"\n",
            ),
            ("b: &x 1\na: *x\n", "{op: replace, path: /a, value: 1}", "b: &x 1\na: 1\n"),
        ],
    );
}

#[test]
fn values_are_moved_copied_and_tested() {
    check(
        Format::Yaml,
        &[
            (
                "a: {x: [1, 'b']}\nc:\n  d: 0x1F\n",
                "{op: copy, from: /a, path: /c/e}",
                "a: {x: [1, 'b']}\nc:\n  d: 0x1F\n  e:\n    x:\n      - 1\n      - b\n",
            ),
            (
                "a: 123456789012345678901234567890.10\nb: {}\n",
                "{op: move, from: /a, path: /b/c}",
                "b: {c: 123456789012345678901234567890.10}\n",
            ),
            ("- a\n- b\n- c\n", "{op: move, from: /0, path: /2}", "- b\n- c\n- a\n"),
            ("b: &x {y: yes}\na: *x\n", "{op: copy, from: /a/y, path: /c}", "b: &x {y: yes}\na: *x\nc: yes\n"),
            (
                "a: [1.0, {b: 2, c: ~}]\n",
                "{op: test, path: /a, value: [1, {c: null, b: 2}]}",
                "a: [1.0, {b: 2, c: ~}]\n",
            ),
            ("a: 1\n", "{op: move, from: /a, path: /a}", "a: 1\n"),
        ],
    );
}

#[test]
fn json_stays_tidy() {
    check(
        Format::Json,
        &[
            ("{\n  \"a\": 1,\n  \"b\": 2\n}\n", "{op: remove, path: /b}", "{\n  \"a\": 1\n}\n"),
            ("{\n  \"a\": 1,\n  \"b\": 2\n}\n", "{op: remove, path: /a}", "{\n  \"b\": 2\n}\n"),
            ("{\n  \"a\": 1\n}\n", "{op: remove, path: /a}", "{}\n"),
            ("{\"a\":1,\"b\":2,\"c\":3}", "{op: remove, path: /b}", "{\"a\":1,\"c\":3}"),
            ("[1, 2, 3]", "{op: remove, path: /2}", "[1, 2]"),
            (
                "{\"a\":1,\"b\":2}",
                "{op: add, path: /c, value: {d: [1, x]}}",
                "{\"a\":1,\"b\":2,\"c\":{\"d\":[1,\"x\"]}}",
            ),
            ("{\"a\": 1}", "{op: add, path: /c, value: {d: [1]}}", "{\"a\": 1, \"c\": {\"d\": [1]}}"),
            (
                "{\n\t\"a\": {\n\t\t\"b\": 1\n\t}\n}\n",
                "{op: add, path: /a/c, value: {d: []}}",
                "{\n\t\"a\": {\n\t\t\"b\": 1,\n\t\t\"c\": {\n\t\t\t\"d\": []\n\t\t}\n\t}\n}\n",
            ),
            ("{\n    \"a\": {}\n}", "{op: add, path: /a/b, value: 1}", "{\n    \"a\": {\n        \"b\": 1\n    }\n}"),
            ("{}", "{op: add, path: /b, value: \"é\\\"\"}", "{\"b\": \"é\\\"\"}"),
            ("{\n  \"a\": [\n    1\n  ]\n}", "{op: add, path: /a/-, value: 2}", "{\n  \"a\": [\n    1,\n    2\n  ]\n}"),
            ("{\n  \"a\": [\n    1\n  ]\n}", "{op: add, path: /a/0, value: 2}", "{\n  \"a\": [\n    2,\n    1\n  ]\n}"),
            ("{\"a\": 1e5 , \"b\": 2}", "{op: replace, path: /b, value: [1]}", "{\"a\": 1e5 , \"b\": [1]}"),
            ("{\n  \"a\": 1\n}", "{op: replace, path: /a, value: {b: 1}}", "{\n  \"a\": {\n    \"b\": 1\n  }\n}"),
            (
                "{\"a\": 12345678901234567890123, \"b\": {}}",
                "{op: copy, from: /a, path: /b/x}",
                "{\"a\": 12345678901234567890123, \"b\": {\"x\": 12345678901234567890123}}",
            ),
            ("[1]", "{op: replace, path: '', value: {a: 1}}", "{\"a\": 1}"),
        ],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn refusals_say_what_is_wrong() {
    let table = [
        ("a: {b: 1}\n", "{op: add, path: /a/cde/d, value: 1}", "`ops[0]` (`add /a/cde/d`): `/a` has no key `cde`"),
        (
            "spec: {}\n",
            "{op: test, path: /spec, value: {}}, {op: remove, path: /sepc}",
            "`ops[1]` (`remove /sepc`): `/` has no key `sepc`; did you mean `spec`?",
        ),
        (
            "a: [1]\n",
            "{op: replace, path: /a/1, value: 1}",
            "`ops[0]` (`replace /a/1`): `/a` has 1 elements, so it has no element `1`",
        ),
        (
            "a: [1]\n",
            "{op: remove, path: /a/-}",
            "`ops[0]` (`remove /a/-`): `/a` has 1 elements, so it has no element `-`",
        ),
        (
            "a: [1]\n",
            "{op: add, path: /a/01, value: 1}",
            "`ops[0]` (`add /a/01`): `/a` is a list, and `01` is not an index: expected a number from 0, or `-` for \
             the end of the list",
        ),
        (
            "a:\n",
            "{op: add, path: /a/b, value: 1}",
            "`ops[0]` (`add /a/b`): `/a` is null and has no keys; replace it with a map first",
        ),
        (
            "a: &x {b: 1}\nc: *x\n",
            "{op: add, path: /c/d, value: 1}",
            "`ops[0]` (`add /c/d`): `/c` is the alias `*x`: edit the value at `&x`, or replace the alias as a whole",
        ),
        (
            "a: &x {b: 1}\nc: *x\n",
            "{op: add, path: /a/d, value: 1}",
            "`ops[0]` (`add /a/d`): `&x` at `/a` is used by `*x` in line 2, which would change as well",
        ),
        (
            "a: &x {b: 1}\nc: *x\n",
            "{op: remove, path: /a}",
            "`ops[0]` (`remove /a`): `&x` at `/a` is used by `*x` in line 2, which would change as well",
        ),
        (
            "a: {b: &x 1}\nc: *x\n",
            "{op: remove, path: /a}",
            "`ops[0]` (`remove /a`): `&x` inside `/a` is needed by `*x` in line 2",
        ),
        (
            "a: 1\n",
            "{op: remove, path: ''}",
            "`ops[0]` (`remove `): a document cannot be removed from its file; replace its root instead",
        ),
        (
            "a: {b: 1}\n",
            "{op: move, from: /a, path: /a/c}",
            "`ops[0]` (`move /a /a/c`): a value cannot be moved into itself",
        ),
        (
            "a: !x 1\n",
            "{op: copy, from: /a, path: /b}",
            "`ops[0]` (`copy /a /b`): the value has the tag `!x`, which cannot be copied; add the value itself instead",
        ),
        (
            "a: 1\n",
            "{op: test, path: /a, value: \"1\"}",
            "`ops[0]` (`test /a`): the value is not the expected one: found `1`, expected `\"1\"`",
        ),
        (
            "[a: 1]\n",
            "{op: add, path: /0/b, value: 1}",
            "`ops[0]` (`add /0/b`): the layout of the document does not allow this edit without changing more: a pair \
             in a list has no braces of its own; add braces first",
        ),
        (
            "- |\n  x",
            "{op: add, path: /-, value: 1}",
            "`ops[0]` (`add /-`): the layout of the document does not allow this edit without changing more: the file \
             ends inside a block scalar; add a line end to the file first",
        ),
        (
            "a: 1\na: 2\n",
            "{op: remove, path: /a}",
            "`ops[0]` (`remove /a`): `/` has the key `a` twice; remove one of the two first",
        ),
        ("# c\n---\n", "{op: remove, path: /a}", "the file has no document, only blanks and comments"),
        (
            "kind: A\n---\nkind: B\nmetadata: {name: x}\n",
            "{op: remove, path: /kind}",
            "the file has 2 documents; choose one with `document`: 0: A, 1: B x",
        ),
    ];
    for (document, ops, expected) in table {
        assert_eq!(patched(Format::Yaml, document, &format!("[{ops}]")), Err(expected.to_owned()));
    }
}

#[test]
fn one_document_of_several_is_picked() {
    let text = "# head\nkind: A\nmetadata:\n  name: x\n---\n---\n# b\nkind: B\nmetadata: {name: x, namespace: n}\n...\n---\nkind: B\nmetadata: {name: y}\n";
    let ops = operations("[{op: add, path: /new, value: 1}]");
    let picked = |selector: &str| {
        let selector: DocumentSelector = serde_yaml::from_str(selector).unwrap();
        let out = patch(text.as_bytes(), Format::Yaml, Some(&selector), &ops).map_err(|error| error.to_string())?;
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out.replacen("new: 1\n", "", 1), text);
        Ok::<_, String>(out[..out.find("new").unwrap()].lines().last().unwrap().to_owned())
    };
    assert_eq!(picked("{kind: A}").unwrap(), "  name: x");
    assert_eq!(picked("{kind: B, name: x}").unwrap(), "metadata: {name: x, namespace: n}");
    assert_eq!(picked("{namespace: n}").unwrap(), "metadata: {name: x, namespace: n}");
    assert_eq!(picked("{index: 2}").unwrap(), "metadata: {name: y}");
    assert_eq!(
        picked("{kind: B}").unwrap_err(),
        "`document: {kind: B}` matches 2 documents; the file has 0: A x, 1: B n/x, 2: B y"
    );
    assert_eq!(
        picked("{kind: A, name: y}").unwrap_err(),
        "`document: {kind: A, name: y}` matches no document; the file has 0: A x, 1: B n/x, 2: B y"
    );
}
