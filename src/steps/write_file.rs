//! `write`: a file whose content is in the recipe.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::context::{Bits, Context};
use super::resolver::{Resolver, is_false};
use super::step::{Effect, FieldPaths, Planned, StepFiles, Written};
use super::work::{Outcome, StepFailure, Tools};
use crate::document::Text;
use crate::types::{ContextPath, FileMode, Route, Span};

/// Writes a new file, or replaces the content of a file that is there. Missing folders are made.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"path": "etc/motd", "content": "Made by {{ recipe.name }} for {{ platform.machine }}.\n"}))]
#[schemars(example = json!({
    "path": "scripts/pods.sh",
    "content": "#!/bin/sh\nkubectl get pods -o go-template='{{range .items}}{{.metadata.name}} {{end}}'\n",
    "mode": "0755",
    "template": false,
}))]
pub struct WriteFile {
    /// The file in the context.
    #[schemars(example = &"etc/motd")]
    pub path: Text,
    /// The whole content. `{{ … }}` works in it, and `{% raw %}…{% endraw %}` keeps the text between as it is.
    #[schemars(example = &"Made by {{ recipe.name }}.\n")]
    pub content: Text,
    /// The permission bits, in octal and in quotes; default: those of the file that is there, else 0644.
    #[serde(default)]
    #[schemars(example = &"0755")]
    pub mode: Option<Text>,
    /// Whether `{{ … }}` works in `content`; default: `true`.
    #[serde(default)]
    #[schemars(example = false)]
    pub template: Option<bool>,
    /// It has no effect here: there is always something to write.
    #[serde(default)]
    pub optional: bool,
}

/// Writes a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedWriteFile {
    /// The file in the context.
    pub path: ContextPath,
    /// Its content.
    pub content: String,
    /// Its mode; `None`: that of the existing file, else 0644.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<FileMode>,
    /// Set in the recipe; it has no effect here.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

impl Written for WriteFile {
    type Planned = PlannedWriteFile;

    fn resolve(&self, _: Span, route: &Route, resolver: &mut Resolver<'_>) -> Option<PlannedWriteFile> {
        let path = resolver.changed_file(&self.path, &route.then("path"));
        if path.is_some() && self.path.value.ends_with('/') {
            let message = format!("`{}` is the name of a folder: a file's name has no `/` at its end", self.path.value);
            resolver.mistake(self.path.span, message);
        }
        let content_route = route.then("content");
        let content = if self.template.unwrap_or(true) {
            resolver.render_content(&self.content, &content_route)
        } else {
            resolver.mark(&content_route, self.content.span);
            Some(self.content.value.clone())
        };
        let mode = resolver.mode(self.mode.as_ref(), route);
        Some(PlannedWriteFile { path: path?, content: content?, mode: mode?, optional: self.optional })
    }
}

impl Planned for PlannedWriteFile {
    const NAME: &str = "write";

    fn files(&self) -> StepFiles<'_> {
        StepFiles { written: FieldPaths::one("path", &self.path), ..StepFiles::new(self.optional) }
    }

    fn effect(&self) -> Effect<'_> {
        Effect::MakesFile(&self.path)
    }

    fn run(&self, context: &Context, _: &Tools<'_>) -> Result<Outcome, StepFailure> {
        let bytes = self.content.as_bytes();
        let changed = context.put_with(&self.path, bytes, Bits::of_step(self.mode, 0o644))?;
        Ok(Outcome::of(changed, format!("{} bytes", bytes.len())))
    }
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
