//! `symlink`: makes a symlink; what it points to is text of the image and never followed here.

use crate::plan::Symlink;

use super::{Context, Outcome, StepFailure};

pub(super) fn run(step: &Symlink, context: &Context) -> Result<Outcome, StepFailure> {
    let changed = context.symlink(&step.path, &step.target)?;
    Ok(Outcome::of(changed, format!("points to {}", step.target)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::tests::World;

    #[test]
    fn targets_are_text_and_only_symlinks_are_replaced() {
        let world = World::new().file("bin/file", "f", 0o644).link("bin/old", "file").folder("dir");
        let mut log = Vec::new();
        for (path, target) in [
            ("bin/new", "file"),
            ("usr/bin/x", "/usr/bin/y"),
            ("out", "../../../../etc/passwd"),
            ("bin/old", "file"),
            ("bin/old", "other"),
            ("bin/file", "x"),
            ("dir", "x"),
            ("bin/file/x", "x"),
        ] {
            log.push(format!("{path}: {}", world.run(json!({"symlink": {"path": path, "target": target}}))));
        }
        insta::assert_snapshot!(log.join("\n"), @r#"
        bin/new: Changed("points to file")
        usr/bin/x: Changed("points to /usr/bin/y")
        out: Changed("points to ../../../../etc/passwd")
        bin/old: Unchanged("points to file")
        bin/old: Changed("points to other")
        bin/file: path: Failed: error: the context already has `bin/file`, a file; `remove` it first if you want to replace it
        dir: path: Failed: error: the context already has `dir`, a folder; `remove` it first if you want to replace it
        bin/file/x: path: Failed: error: `bin/file/x` leads through `bin/file`, which is a file in the context, expected a folder
        "#);
        insta::assert_snapshot!(world.context().join("\n"), @"
        bin/ 0755 7
        bin/file 0644 7 f
        bin/new 1000 -> file
        bin/old 1000 -> other
        dir/ 0755 7
        out 1000 -> ../../../../etc/passwd
        usr/ 0755 1000
        usr/bin/ 0755 1000
        usr/bin/x 1000 -> /usr/bin/y
        ");
    }
}
