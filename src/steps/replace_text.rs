//! `replaceText`: replaces text in a file that is neither JSON nor YAML.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::context::{Context, MAX_DOCUMENT};
use super::resolver::{Resolver, is_false};
use super::step::{Planned, StepFiles, Written};
use super::work::{InField, Outcome, StepFailure, Tools, not_there};
use crate::document::{Sink, Spanned, Text, not_empty};
use crate::edit::{Format, TextPattern};
use crate::syntax::shortened;
use crate::types::{ContextPath, Diagnostic, Route, Span};

/// Replaces text in a file that is neither JSON nor YAML (`patch` edits those). All places that match are replaced.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"path": "scripts/init.sh", "find": "prepare the node", "replace": "prepare this node", "expect": 1}))]
#[schemars(example = json!({
    "path": "scripts/docker.sh",
    "find": r"^# A stand-in for (?<name>\S+) from .*$",
    "replace": "# ${name}",
    "regex": true,
}))]
pub struct ReplaceText {
    /// The file in the context. It need not be UTF-8.
    #[schemars(example = &"scripts/init.sh")]
    pub path: Text,
    /// The text to look for; a regular expression if `regex` is set.
    #[schemars(length(min = 1), example = &"prepare the node")]
    pub find: Text,
    /// The text to put in its place; an empty one removes it. If `regex` is set, `$1` and `${name}` are what the groups
    /// of `find` matched, and `$$` is a dollar sign.
    #[schemars(example = &"prepare this node")]
    pub replace: Text,
    /// `find` is a regular expression in the syntax of Rust's `regex`. `^` and `$` match at the start and the end of
    /// every line, with Unix and with Windows line ends. `.` does not match a line end (`(?s).` does). Look-around and
    /// backreferences do not work.
    #[serde(default)]
    #[schemars(example = true)]
    pub regex: bool,
    /// How many places must be replaced; default: at least one.
    #[serde(default)]
    #[schemars(range(min = 1), example = 1)]
    pub expect: Option<Spanned<u32>>,
    /// It is fine if the file is not there, and if there is nothing to replace.
    #[serde(default)]
    pub optional: bool,
}

/// Replaces text in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedReplaceText {
    /// The file in the context.
    pub path: ContextPath,
    /// The text to look for.
    pub find: String,
    /// The text to put in its place.
    pub replace: String,
    /// `find` is a regular expression, and `replace` names its groups.
    #[serde(default, skip_serializing_if = "is_false")]
    pub regex: bool,
    /// How many places must be replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<u32>,
    /// It is fine if there is nothing to replace.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

impl Written for ReplaceText {
    type Planned = PlannedReplaceText;

    fn check(&mut self, _: Span, sink: &Sink) {
        not_empty(&self.find, "find", sink);
        if let Some(expect) = &self.expect
            && expect.value == 0
            && !sink.has_error_at(expect.span)
        {
            let help = "with `optional: true`, it is fine if there is nothing to replace";
            sink.add(Diagnostic::error(expect.span, "`expect` is 0: the step would do nothing").with_help(help));
        }
    }

    fn resolve(&self, _: Span, route: &Route, resolver: &mut Resolver<'_>) -> Option<PlannedReplaceText> {
        let path = resolver.changed_file(&self.path, &route.then("path"));
        if let Some(path) = path.as_ref().filter(|path| Format::of_path(path).is_some()) {
            let message =
                format!("`{path}` has the name of a JSON or YAML file, and `replaceText` does not edit those");
            let help = "use `patch`: it finds a value by its path, however the file is formatted";
            resolver.mistakes.push(Diagnostic::error(self.path.span, message).with_help(help));
        }
        let find = resolver.render(&self.find, &route.then("find"));
        let replace = resolver.render(&self.replace, &route.then("replace"));
        let expect = self.expect.as_ref().map(|expect| {
            resolver.mark(&route.then("expect"), expect.span);
            expect.value
        });
        let (find, replace) = (find?, replace?);
        if find.is_empty() {
            resolver.mistake(self.find.span, "`find` is empty: it must say what to replace");
        } else if self.regex {
            match TextPattern::regex(&find) {
                Ok(pattern) => {
                    if let Some(unknown) = pattern.unknown_group(&replace) {
                        let mistake = Diagnostic::error(self.replace.span, unknown.to_string());
                        resolver.mistakes.push(mistake.with_help(unknown.help()));
                    }
                }
                Err(error) => resolver.mistake(self.find.span, error.to_string()),
            }
        } else if find == replace {
            resolver.mistake(self.replace.span, "`find` and `replace` are the same: the step would do nothing");
        }
        Some(PlannedReplaceText { path: path?, find, replace, regex: self.regex, expect, optional: self.optional })
    }
}

impl Planned for PlannedReplaceText {
    const NAME: &str = "replaceText";

    fn files(&self) -> StepFiles<'_> {
        StepFiles::edited(&self.path, self.optional)
    }

    fn run(&self, context: &Context, _: &Tools<'_>) -> Result<Outcome, StepFailure> {
        let path = &self.path;
        let Some(old) = context.read(path)? else { return not_there(path, self.optional, context) };
        let pattern = if self.regex { TextPattern::regex(&self.find) } else { TextPattern::literal(&self.find) };
        let pattern = pattern.in_field("find")?;
        let most = usize::try_from(MAX_DOCUMENT).unwrap_or(usize::MAX);
        let (new, count) = pattern.replace_all(&old, &self.replace, most).in_field("replace")?;
        let nothing = if count == 0 {
            let find = shortened(&self.find);
            Some(if self.regex {
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
            return if self.optional { Ok(Outcome::Skipped(nothing)) } else { Err(StepFailure::new("find", nothing)) };
        }
        if let Some(expect) = self.expect.filter(|expect| usize::try_from(*expect) != Ok(count)) {
            let places = if count == 1 { "place" } else { "places" };
            let message = format!("{count} {places} in `{path}` would be replaced, expected {expect}");
            return Err(StepFailure::new("expect", message));
        }
        context.put(path, &new)?;
        Ok(Outcome::Changed(format!("{count} replaced")))
    }
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
