//! `copy`: a file from the recipe's folder.

use std::io::{Read, Write};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::beside::BesideContent;
use super::context::{Bits, Context};
use super::recipe_file;
use super::resolver::{Resolver, is_false};
use super::step::{Effect, FieldPaths, Planned, StepFiles, Written};
use super::work::{InField, Outcome, StepFailure, Tools};
use crate::document::{Scope, Text};
use crate::types::{ContextPath, Digest, DigestWriter, FailureKind, FileMode, Route, Source, Span};

const UNFINISHED: &str = "copy";

/// The longest template, in bytes.
const MAX_TEMPLATE: u64 = 1 << 20;

/// Copies a file from the recipe's folder. (For a whole folder, use the context entry `directory`.)
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"from": "files/motd", "path": "etc/motd"}))]
pub struct CopyFile {
    /// The file in the recipe's folder or below.
    #[schemars(example = &"files/motd")]
    pub from: Text,
    /// The file in the context. Missing folders are made.
    #[schemars(example = &"etc/motd")]
    pub path: Text,
    /// The permission bits, in octal and in quotes; default: those of the file that is there, else 0755 if the owner of
    /// `from` may execute it, else 0644.
    #[serde(default)]
    #[schemars(example = &"0755")]
    pub mode: Option<Text>,
    /// Whether `{{ … }}` works in the file's text, as in `content` of `write`; default: `false`, the bytes as they are.
    #[serde(default)]
    #[schemars(example = true)]
    pub template: bool,
    /// It is fine if `from` is not there.
    #[serde(default)]
    pub optional: bool,
}

/// Copies a file from the recipe's folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedCopyFile {
    /// The file in the recipe's folder or below.
    pub from: ContextPath,
    /// The file in the context.
    pub path: ContextPath,
    /// Its mode; `None`: that of the existing file, else 0755 if the owner of `from` may execute it, else 0644.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<FileMode>,
    /// The names that expressions in the file's text can use (`values`, `platform`, `recipe`), with sorted keys;
    /// `None`: the bytes are copied as they are.
    ///
    /// The text itself is read only when the step runs, like everything outside the recipe. So the plan has these
    /// names, and is complete without the recipe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Value>,
    /// It is fine if `from` is missing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

impl Written for CopyFile {
    type Planned = PlannedCopyFile;

    fn resolve(&self, _: Span, route: &Route, resolver: &mut Resolver<'_>) -> Option<PlannedCopyFile> {
        let from = resolver.beside_the_recipe(&self.from, &route.then("from"));
        let path = resolver.changed_file(&self.path, &route.then("path"));
        let mode = resolver.mode(self.mode.as_ref(), route);
        let template = self.template.then(|| resolver.names());
        Some(PlannedCopyFile { from: from?, path: path?, mode: mode?, template, optional: self.optional })
    }
}

impl Planned for PlannedCopyFile {
    const NAME: &str = "copy";

    fn files(&self) -> StepFiles<'_> {
        let beside = Some(("from", &self.from));
        StepFiles { written: FieldPaths::one("path", &self.path), beside, ..StepFiles::new(self.optional) }
    }

    fn effect(&self) -> Effect<'_> {
        Effect::MakesFile(&self.path)
    }

    fn run(&self, context: &Context, tools: &Tools<'_>) -> Result<Outcome, StepFailure> {
        let step = self;
        let Some((mut file, meta)) = recipe_file::open(tools.beside.folder(), &step.from, "from")? else {
            let missing = recipe_file::missing(&step.from, "from");
            return if step.optional { Ok(Outcome::Skipped(missing.failure.message)) } else { Err(missing) };
        };
        let bits = Bits::of_step(step.mode, if meta.mode & 0o100 == 0 { 0o644 } else { 0o755 });
        let (changed, digest) = if let Some(names) = &step.template {
            let (text, digest) = template(step, &mut file)?;
            let rendered = rendered(step, &text, names)?;
            (context.put_with(&step.path, rendered.as_bytes(), bits)?, digest)
        } else {
            let mut writer = DigestWriter::new(context.scratch_file(UNFINISHED)?);
            std::io::copy(&mut file, &mut writer).in_field("from")?;
            writer.flush().in_field("from")?;
            let (_, digest, _) = writer.finish();
            (context.put_scratch_with(UNFINISHED, &step.path, bits)?, digest)
        };
        let is_executable = meta.mode & 0o100 != 0;
        tools.beside.add(step.from.as_path(), BesideContent::File { digest, is_executable });
        Ok(Outcome::of(changed, format!("{} is {digest}", step.from)))
    }
}

/// The text of a file, and the digest of its bytes.
fn template(step: &PlannedCopyFile, file: &mut fs_err::File) -> Result<(String, Digest), StepFailure> {
    let mut bytes = Vec::new();
    file.take(MAX_TEMPLATE + 1).read_to_end(&mut bytes).in_field("from")?;
    if bytes.len() as u64 > MAX_TEMPLATE {
        let message = format!("`{}` has more than {MAX_TEMPLATE} bytes, the limit for a template", step.from);
        return Err(StepFailure::new("from", message));
    }
    let digest = Digest::of(&bytes);
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to() + 1;
        StepFailure::new("from", format!("`{}` is not UTF-8, but a template must be: byte {at}", step.from))
    })?;
    Ok((text, digest))
}

/// The text with its expressions evaluated. A mistake in it is reported like one in the recipe.
fn rendered(step: &PlannedCopyFile, text: &str, names: &Value) -> Result<String, StepFailure> {
    let source = Source::new(step.from.as_str(), text);
    Scope::of_names(&source, names.clone()).render_source().map_err(|mistake| {
        let mistake = mistake.expect("all values of a plan are known");
        let place = source.place(mistake.span);
        let mut failed = StepFailure::new("from", format!("{place}: {}", mistake.message));
        failed.failure.kind = FailureKind::Invalid;
        failed.failure.help = mistake.help;
        failed
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::tests::World;

    #[test]
    fn files_are_copied_with_the_modes_of_recipes() {
        let names = json!({"values": {"v": "1.2"}, "platform": {"os": "linux"}, "recipe": {"name": "demo"}});
        let template = "v={{ values.v }} {% raw %}{{ x }}{% endraw %}";
        let world = World::new()
            .file("old", "old", 0o4750)
            .file("same", "same", 0o600)
            .beside("f/plain", b"\xff{{ x }}", 0o600)
            .beside("f/program", "#!/bin/sh\n", 0o700)
            .beside("same", "same", 0o777)
            .beside("t", template, 0o644)
            .beside("wrong", "ok\n  {{ values.w }}\n", 0o644)
            .beside("bytes", b"\xff", 0o644)
            .beside("large", "x".repeat((1 << 20) + 1), 0o644);
        std::os::unix::fs::symlink("/etc/passwd", world.path("recipe/link")).unwrap();
        std::os::unix::fs::symlink("/etc", world.path("recipe/etc")).unwrap();
        let mut log = Vec::new();
        for step in [
            json!({"from": "f/plain", "path": "new/plain"}),
            json!({"from": "f/program", "path": "new/program"}),
            json!({"from": "f/program", "path": "new/plain-program", "mode": "0644"}),
            json!({"from": "f/program", "path": "old"}),
            json!({"from": "same", "path": "same"}),
            json!({"from": "t", "path": "t", "template": names}),
            json!({"from": "t", "path": "untouched"}),
            json!({"from": "none", "path": "x", "optional": true}),
            json!({"from": "none", "path": "x"}),
            json!({"from": "f", "path": "x"}),
            json!({"from": "link", "path": "x"}),
            json!({"from": "etc/passwd", "path": "x"}),
            json!({"from": "t/x", "path": "x"}),
            json!({"from": "wrong", "path": "x", "template": names}),
            json!({"from": "bytes", "path": "x", "template": names}),
            json!({"from": "large", "path": "x", "template": names}),
        ] {
            log.push(format!("{} to {}: {}", step["from"], step["path"], world.run(json!({"copy": step}))));
        }
        insta::assert_snapshot!(log.join("\n"), @r#"
        "f/plain" to "new/plain": Changed("f/plain is sha256:9ab8282f24a9cf7299662c934b5c33a9a705f81d5028cda6ffa1f41825198a47")
        "f/program" to "new/program": Changed("f/program is sha256:a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf")
        "f/program" to "new/plain-program": Changed("f/program is sha256:a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf")
        "f/program" to "old": Changed("f/program is sha256:a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf")
        "same" to "same": Unchanged("same is sha256:0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5")
        "t" to "t": Changed("t is sha256:b2560338505f5d7008149389047a9ee199ca61c4646a2f30908be60e92a5e7c6")
        "t" to "untouched": Changed("t is sha256:b2560338505f5d7008149389047a9ee199ca61c4646a2f30908be60e92a5e7c6")
        "none" to "x": Skipped("there is no `none` next to the recipe")
        "none" to "x": from: Failed: error: there is no `none` next to the recipe
        "f" to "x": from: Failed: error: `f` next to the recipe is a folder, expected a file
          help: for a whole folder, use the context entry `directory: {path: f}`
        "link" to "x": from: Failed: error: `link` next to the recipe is a symlink, expected a file
          help: symlinks are not followed: put the file itself there
        "etc/passwd" to "x": from: Failed: error: `etc` next to the recipe is a symlink, expected a folder
          help: symlinks are not followed: put the file itself there
        "t/x" to "x": from: Failed: error: `t` next to the recipe is a file, expected a folder
        "wrong" to "x": from: Invalid: error: wrong:2:13: there is no `values.w`
          help: did you mean `values.v`?
        "bytes" to "x": from: Failed: error: `bytes` is not UTF-8, but a template must be: byte 1
        "large" to "x": from: Failed: error: `large` has more than 1048576 bytes, the limit for a template
        "#);
        insta::assert_snapshot!(world.context().join("\n"), @r"
        new/ 0755 1000
        new/plain 0644 1000 \xff{{ x }}
        new/plain-program 0644 1000 #!/bin/sh\n
        new/program 0755 1000 #!/bin/sh\n
        old 4750 1000 #!/bin/sh\n
        same 0600 7 same
        t 0644 1000 v=1.2 {{ x }}
        untouched 0644 1000 v={{ values.v }} {% raw %}{{ x }}{% endraw %}
        ");
    }
}
