//! `replaceText`: replaces text in a file that is neither JSON nor YAML.

use crate::edit::TextPattern;
use crate::plan::ReplaceText;
use crate::syntax::shortened;
use crate::types::FailureKind;

use super::context::MAX_DOCUMENT;
use super::{Context, Outcome, StepFailure, not_there};

pub(super) fn run(step: &ReplaceText, context: &Context) -> Result<Outcome, StepFailure> {
    let path = &step.path;
    let Some(old) = context.read(path)? else { return not_there(path, step.optional, context) };
    let pattern = if step.regex { TextPattern::regex(&step.find) } else { TextPattern::literal(&step.find) };
    let pattern = pattern.map_err(|error| StepFailure::from_error("find", FailureKind::Invalid, &error))?;
    let most = usize::try_from(MAX_DOCUMENT).unwrap_or(usize::MAX);
    let (new, count) = pattern
        .replace_all(&old, &step.replace, most)
        .map_err(|error| StepFailure::from_error("replace", FailureKind::Failed, &error))?;
    let nothing = if count == 0 {
        let find = shortened(&step.find);
        Some(if step.regex {
            format!("nothing in `{path}` matches `{find}`")
        } else {
            format!("`{path}` does not contain `{find}`")
        })
    } else if new == old {
        Some(format!("`{path}` already has the text of `replace`"))
    } else {
        None
    };
    if let Some(nothing) = nothing {
        return if step.optional { Ok(Outcome::Skipped(nothing)) } else { Err(StepFailure::new("find", nothing)) };
    }
    if let Some(expect) = step.expect.filter(|expect| usize::try_from(*expect) != Ok(count)) {
        let places = if count == 1 { "place" } else { "places" };
        let message = format!("{count} {places} in `{path}` would be replaced, expected {expect}");
        return Err(StepFailure::new("expect", message));
    }
    context.put(path, &new)?;
    Ok(Outcome::Changed(format!("{count} replaced")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::tests::World;

    fn check(content: &[u8], step: serde_json::Value) -> (String, Vec<String>) {
        let world = World::new().file("a.conf", content, 0o640);
        let mut step = step;
        step["path"] = json!("a.conf");
        (world.run(json!({"replaceText": step})), world.context())
    }

    #[test]
    fn text_is_replaced_in_bytes() {
        for (content, step, done, after) in [
            (
                &b"a=1\nb=1\n"[..],
                json!({"find": "=1", "replace": "=2"}),
                "Changed(\"2 replaced\")",
                "0640 1000 a=2\\nb=2\\n",
            ),
            (b"a\xff.b", json!({"find": ".", "replace": "$0"}), "Changed(\"1 replaced\")", "0640 1000 a\\xff$0b"),
            (
                b"a=1\r\nb=1\r\n",
                json!({"find": "^(b)=.*$", "replace": "${1}=2", "regex": true, "expect": 1}),
                "Changed(\"1 replaced\")",
                "0640 1000 a=1\\r\\nb=2\\r\\n",
            ),
            (
                b"a",
                json!({"find": "b", "replace": "c", "optional": true}),
                "Skipped(\"`a.conf` does not contain `b`\")",
                "0640 7 a",
            ),
            (
                b"a",
                json!({"find": "b", "replace": "c", "expect": 2, "optional": true}),
                "Skipped(\"`a.conf` does not contain `b`\")",
                "0640 7 a",
            ),
            (
                b"a",
                json!({"find": "[a]", "replace": "a", "regex": true, "optional": true}),
                "Skipped(\"`a.conf` already has the text of `replace`\")",
                "0640 7 a",
            ),
        ] {
            let (outcome, context) = check(content, step.clone());
            assert_eq!((outcome.as_str(), context), (done, vec![format!("a.conf {after}")]), "{step}");
        }
    }

    #[test]
    fn what_would_do_nothing_or_something_else_is_refused() {
        let table: Vec<String> = [
            json!({"find": "b", "replace": "c"}),
            json!({"find": "^b", "replace": "c", "regex": true}),
            json!({"find": "[a]", "replace": "a", "regex": true}),
            json!({"find": "a", "replace": "b", "expect": 1}),
            json!({"find": "a", "replace": "b", "expect": 3, "optional": true}),
            json!({"find": "(", "replace": "b", "regex": true}),
        ]
        .into_iter()
        .map(|step| {
            let (failure, context) = check(b"a a", step.clone());
            assert_eq!(context, ["a.conf 0640 7 a a"], "{step}");
            format!("{step}\n{failure}")
        })
        .collect();
        insta::assert_snapshot!(table.join("\n"), @r#"
        {"find":"b","replace":"c"}
        find: Failed: error: `a.conf` does not contain `b`
        {"find":"^b","replace":"c","regex":true}
        find: Failed: error: nothing in `a.conf` matches `^b`
        {"find":"[a]","replace":"a","regex":true}
        find: Failed: error: `a.conf` already has the text of `replace`
        {"find":"a","replace":"b","expect":1}
        expect: Failed: error: 2 places in `a.conf` would be replaced, expected 1
        {"find":"a","replace":"b","expect":3,"optional":true}
        expect: Failed: error: 2 places in `a.conf` would be replaced, expected 3
        {"find":"(","replace":"b","regex":true}
        find: Invalid: error: `(` is not a valid regular expression: a `(` is not closed
        "#);
        let world = World::new().file("etc/a.conf", "a", 0o644).folder("b");
        let step = |path: &str| json!({"replaceText": {"path": path, "find": "a", "replace": "b"}});
        insta::assert_snapshot!(world.run(step("a.conf")), @"
        path: Failed: error: `a.conf` is not in the context
          help: did you mean `etc/a.conf`?
        ");
        insta::assert_snapshot!(world.run(step("b")), @"path: Failed: error: `b` in the context is a folder, expected a file");
        insta::assert_snapshot!(world.run(step("etc/a.conf/x")), @"path: Failed: error: `etc/a.conf/x` leads through `etc/a.conf`, which is a file in the context, expected a folder");
    }
}
