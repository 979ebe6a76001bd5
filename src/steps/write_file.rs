//! `write`: a file whose content stands in the recipe.

use crate::plan::WriteFile;

use super::context::Bits;
use super::{Context, Outcome, StepFailure};

pub(super) fn run(step: &WriteFile, context: &Context) -> Result<Outcome, StepFailure> {
    let bytes = step.content.as_bytes();
    let changed = context.put_with(&step.path, bytes, Bits::of_step(step.mode, 0o644))?;
    Ok(Outcome::of(changed, format!("{} bytes", bytes.len())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::tests::World;

    #[test]
    fn files_are_made_or_get_a_new_content() {
        let world =
            World::new().file("etc/a", "old", 0o4750).file("etc/b", "same", 0o600).folder("dir").link("l", "etc/a");
        let mut log = Vec::new();
        for step in [
            json!({"path": "etc/a", "content": "new"}),
            json!({"path": "etc/b", "content": "same"}),
            json!({"path": "etc/new/deep/c", "content": "c"}),
            json!({"path": "d", "content": "", "mode": "0755"}),
            json!({"path": "d", "content": "", "mode": "0755"}),
            json!({"path": "d", "content": "", "mode": "0700"}),
            json!({"path": "dir", "content": ""}),
            json!({"path": "l", "content": ""}),
            json!({"path": "etc/a/x", "content": ""}),
        ] {
            log.push(format!("{step}: {}", world.run(json!({"write": step}))));
        }
        insta::assert_snapshot!(log.join("\n"), @r#"
        {"path":"etc/a","content":"new"}: Changed("3 bytes")
        {"path":"etc/b","content":"same"}: Unchanged("4 bytes")
        {"path":"etc/new/deep/c","content":"c"}: Changed("1 bytes")
        {"path":"d","content":"","mode":"0755"}: Changed("0 bytes")
        {"path":"d","content":"","mode":"0755"}: Unchanged("0 bytes")
        {"path":"d","content":"","mode":"0700"}: Changed("0 bytes")
        {"path":"dir","content":""}: path: Failed: error: `dir` in the context is a folder, expected a file
        {"path":"l","content":""}: path: Failed: error: `l` in the context is a symlink, expected a file
        {"path":"etc/a/x","content":""}: path: Failed: error: `etc/a/x` leads through `etc/a`, which is a file in the context, expected a folder
        "#);
        insta::assert_snapshot!(world.context().join("\n"), @"
        d 0700 1000 
        dir/ 0755 7
        etc/ 0755 7
        etc/a 4750 1000 new
        etc/b 0600 7 same
        etc/new/ 0755 1000
        etc/new/deep/ 0755 1000
        etc/new/deep/c 0644 1000 c
        l 7 -> etc/a
        ");
    }
}
