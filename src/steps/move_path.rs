//! `move`: gives a file, a symlink or a folder another path.

use crate::plan::MovePath;

use super::{Context, Outcome, StepFailure, missing_at};

pub(super) fn run(step: &MovePath, context: &Context) -> Result<Outcome, StepFailure> {
    let MovePath { from, to, optional } = step;
    if context.meta(from).map_err(|error| StepFailure::at("from", &error))?.is_none() {
        return missing_at("from", from, *optional, context);
    }
    context.rename(from, to).map_err(|error| StepFailure::at("to", &error))?;
    Ok(Outcome::Changed(format!("{from} becomes {to}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::tests::World;

    #[test]
    fn everything_can_be_moved_and_nothing_is_overwritten() {
        let world = World::new()
            .file("a/file", "f", 0o4711)
            .file("a/folder/x", "x", 0o600)
            .file("there", "t", 0o644)
            .link("a/link", "../there");
        // The second name of one file: rename(2) would do nothing there.
        fs_err::hard_link(world.path("context/there"), world.path("context/twin")).unwrap();
        let mut log = Vec::new();
        for (from, to) in [
            ("a/file", "b/new/file"),
            ("a/folder", "b/folder"),
            ("a/link", "link"),
            ("there", "twin"),
            ("there", "b"),
            ("there", "twin/x"),
            ("non", "x"),
            ("a/fil", "x"),
        ] {
            log.push(format!("{from} to {to}: {}", world.run(json!({"move": {"from": from, "to": to}}))));
        }
        log.push(world.run(json!({"move": {"from": "none", "to": "there", "optional": true}})));
        insta::assert_snapshot!(log.join("\n"), @r#"
        a/file to b/new/file: Changed("a/file becomes b/new/file")
        a/folder to b/folder: Changed("a/folder becomes b/folder")
        a/link to link: Changed("a/link becomes link")
        there to twin: to: Failed: error: the context already has `twin`, a file; `remove` it first if you want to replace it
        there to b: to: Failed: error: the context already has `b`, a folder; `remove` it first if you want to replace it
        there to twin/x: to: Failed: error: `twin/x` leads through `twin`, which is a file in the context, expected a folder
        non to x: from: Failed: error: `non` is not in the context
        a/fil to x: from: Failed: error: `a/fil` is not in the context
        Skipped("`none` is not in the context")
        "#);
        insta::assert_snapshot!(world.context().join("\n"), @"
        a/ 0755 7
        b/ 0755 1000
        b/folder/ 0755 7
        b/folder/x 0600 7 x
        b/new/ 0755 1000
        b/new/file 4711 7 f
        link 7 -> ../there
        there 0644 7 t
        twin 0644 7 t
        ");
    }
}
