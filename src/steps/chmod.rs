//! `chmod`: sets permission bits.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::context::Context;
use super::resolver::{Resolver, is_false};
use super::step::{FieldPaths, Planned, StepFiles, Written};
use super::work::{InField, Outcome, StepFailure, Tools};
use crate::disk::Kind;
use crate::document::{Sink, Text, some_paths};
use crate::types::{ContextPath, FileMode, Route, Span};

/// The bits that the owner of a folder needs to list and reach its content.
const LEAST_OF_A_FOLDER: u32 = 0o500;

/// Sets permission bits.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"paths": ["scripts/*.sh"], "mode": "0700"}))]
pub struct Chmod {
    /// Paths or globs of what to change; each must match something. A glob matches only files, not folders
    /// (`scripts/**`: all files below `scripts`). A path without `*`, `?`, `[` and `{` is one file or folder; what is
    /// in the folder stays as it is.
    #[schemars(length(min = 1), example = ["scripts/*.sh"])]
    pub paths: Vec<Text>,
    /// The permission bits, in octal and in quotes.
    #[schemars(example = &"0755")]
    pub mode: Text,
    /// It is fine if a glob matches nothing.
    #[serde(default)]
    pub optional: bool,
}

/// Sets permission bits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedChmod {
    /// Globs of files; a path without wildcards is that file or folder itself.
    pub paths: Vec<String>,
    /// The bits.
    pub mode: FileMode,
    /// It is fine if a glob matches nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

impl Written for Chmod {
    type Planned = PlannedChmod;

    fn check(&mut self, at: Span, sink: &Sink) {
        some_paths(&self.paths, at, sink);
    }

    fn resolve(&self, _: Span, route: &Route, resolver: &mut Resolver<'_>) -> Option<PlannedChmod> {
        let paths = resolver.globs(&self.paths, &route.then("paths"));
        let mode = resolver.mode(Some(&self.mode), route)??;
        Some(PlannedChmod { paths: paths?, mode, optional: self.optional })
    }
}

impl Planned for PlannedChmod {
    const NAME: &str = "chmod";

    fn title(&self) -> String {
        format!("chmod {} {}", self.mode, self.paths.join(" "))
    }

    fn files(&self) -> StepFiles<'_> {
        StepFiles { found: FieldPaths::list("paths", &self.paths), ..StepFiles::new(self.optional) }
    }

    fn run(&self, context: &Context, _: &Tools<'_>) -> Result<Outcome, StepFailure> {
        let mut found: BTreeSet<ContextPath> = BTreeSet::new();
        let mut unmatched = Vec::new();
        for (index, glob) in self.paths.iter().enumerate() {
            let in_list = |mut failed: StepFailure| {
                failed.at = Route::stage().then("paths").then(index);
                failed
            };
            let exact = exact(glob, context).map_err(in_list)?;
            if let Some((path, is_folder)) = exact {
                if is_folder && self.mode.bits() & LEAST_OF_A_FOLDER != LEAST_OF_A_FOLDER {
                    return Err(in_list(closed(&path, self.mode)));
                }
                found.insert(path);
                continue;
            }
            let matching = context.matching(std::slice::from_ref(glob))?;
            unmatched.extend(matching.unmatched);
            found.extend(matching.files);
        }
        if !unmatched.is_empty() && !self.optional {
            return Err(StepFailure::unmatched("paths", &self.paths, &unmatched));
        }
        if found.is_empty() {
            return Ok(Outcome::Skipped("there is nothing to set the mode of".to_owned()));
        }
        let mut changed = Vec::new();
        for path in &found {
            if context.set_mode(path, self.mode.bits()).in_field("paths")? {
                changed.push(path.to_string());
            }
        }
        Ok(if changed.is_empty() {
            Outcome::Unchanged(format!("{} already", self.mode))
        } else {
            Outcome::Changed(changed.join(", "))
        })
    }
}

/// The file or folder that a path without wildcards names, and whether it is a folder; `None` if the path is a glob, or
/// nothing is there.
fn exact(glob: &str, context: &Context) -> Result<Option<(ContextPath, bool)>, StepFailure> {
    if glob.contains(['*', '?', '[', '{', '\\']) {
        return Ok(None);
    }
    let Ok(path) = glob.parse::<ContextPath>() else { return Ok(None) };
    if path.is_root() {
        return Ok(None);
    }
    let meta = context.meta(&path)?;
    Ok(meta.map(|meta| (path, meta.kind == Kind::Folder)))
}

fn closed(path: &ContextPath, mode: FileMode) -> StepFailure {
    let message = format!("`{path}` is a folder, and with {mode} even its owner cannot enter it");
    StepFailure::new("paths", message).with_help(Some(format!("`{path}/**` means the files in it")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::tests::World;

    #[test]
    fn globs_mean_files_and_paths_what_they_name() {
        let world = World::new()
            .file("bin/a", "a", 0o644)
            .file("bin/deep/b", "b", 0o755)
            .file("etc/c", "c", 0o600)
            .link("bin/l", "a");
        let mut log = Vec::new();
        for (paths, mode) in [
            (json!(["bin/*"]), "0755"),
            (json!(["bin/**"]), "0755"),
            (json!(["bin/**"]), "0500"),
            (json!(["bin/deep"]), "0700"),
            (json!(["bin/deep"]), "0644"),
            (json!(["bin/deep/"]), "0700"),
            (json!(["bin/l"]), "0755"),
            (json!(["bin/d*"]), "0755"),
            (json!(["etc/c", "none"]), "0644"),
            (json!(["."]), "0755"),
            (json!(["etc/c"]), "6777"),
        ] {
            log.push(format!("{mode} {paths}: {}", world.run(json!({"chmod": {"paths": paths, "mode": mode}}))));
        }
        for paths in [json!(["none", "etc/c"]), json!(["none"])] {
            let step = json!({"chmod": {"paths": paths, "mode": "0640", "optional": true}});
            log.push(format!("0640 {paths}: {}", world.run(step)));
        }
        insta::assert_snapshot!(log.join("\n"), @r#"
        0755 ["bin/*"]: Changed("bin/a")
        0755 ["bin/**"]: Unchanged("0755 already")
        0500 ["bin/**"]: Changed("bin/a, bin/deep/b")
        0700 ["bin/deep"]: Changed("bin/deep")
        0644 ["bin/deep"]: paths/0: Failed: error: `bin/deep` is a folder, and with 0644 even its owner cannot enter it
          help: `bin/deep/**` means the files in it
        0700 ["bin/deep/"]: Unchanged("0700 already")
        0755 ["bin/l"]: paths: Failed: error: `bin/l` in the context is a symlink, expected a file or folder
        0755 ["bin/d*"]: paths/0: Failed: error: no file of the context matches `bin/d*`
        0644 ["etc/c","none"]: paths/1: Failed: error: no file of the context matches `none`
        0755 ["."]: paths/0: Failed: error: no file of the context matches `.`
        6777 ["etc/c"]: Changed("etc/c")
        0640 ["none","etc/c"]: Changed("etc/c")
        0640 ["none"]: Skipped("there is nothing to set the mode of")
        "#);
        insta::assert_snapshot!(world.context().join("\n"), @"
        bin/ 0755 7
        bin/a 0500 1000 a
        bin/deep/ 0700 7
        bin/deep/b 0500 1000 b
        bin/l 7 -> a
        etc/ 0755 7
        etc/c 0640 1000 c
        ");
    }
}
