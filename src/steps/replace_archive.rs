//! `replaceArchive`: replaces an archive with the content of another one, and checks that nothing of the old one is
//! missing.

use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use super::beside::BesideContent;
use super::context::Context;
use super::recipe_file;
use super::resolver::{Resolver, is_false};
use super::step::{Planned, StepFiles, Written};
use super::work::{InField, Outcome, StepFailure, Tools, not_there};
use crate::archive::{ArchiveError, PackedForm, ReplaceOptions, ReplaceReport, replace};
use crate::document::{Sink, Text, exactly_one, span_of};
use crate::sources::Need;
use crate::tar::{EntryPath, Limits};
use crate::transport::redacted_url;
use crate::types::{
    ContextPath, Diagnostic, Digest, DigestWriter, Failure, FailureKind, Platform, Route, Span, glob_set,
};

const UNFINISHED: &str = "archive";

/// Replaces an archive with what is under `root` in another one. The name of `path` decides how it is packed.
///
/// The new archive must have every path of the old one, and a file that was executable must be so again. A file with an
/// execute bit must be a program for the platform or start with `#!`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["url"]}, {"required": ["file"]}]))]
#[schemars(example = json!({
    "path": "cri/docker.tar.gz",
    "url": "https://download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz",
    "root": "docker",
}))]
pub struct ReplaceArchive {
    /// The archive in the context.
    #[schemars(example = &"cri/docker.tar.gz")]
    pub path: Text,
    /// Where the new archive is fetched from. One of `url` and `file` is needed.
    #[serde(default)]
    #[schemars(
        example = &"https://download.docker.com/linux/static/stable/{{ platform.machine }}/docker-{{ values.docker }}.tgz"
    )]
    pub url: Option<Text>,
    /// The new archive, in the recipe's folder or below.
    #[serde(default)]
    #[schemars(example = &"docker.tgz")]
    pub file: Option<Text>,
    /// The sha256 of the new archive as 64 hex digits; needed if `url` is plain http.
    #[serde(default)]
    #[schemars(example = &"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")]
    pub sha256: Option<Text>,
    /// The folder of the new archive to take the content of; default: the whole archive.
    #[serde(default)]
    #[schemars(example = &"docker")]
    pub root: Option<Text>,
    /// Globs of old paths that may be missing in the new archive.
    #[serde(default)]
    #[schemars(example = ["docker-init"])]
    pub allow_missing: Vec<Text>,
    /// It is fine if there is nothing to replace.
    #[serde(default)]
    pub optional: bool,
}

/// Replaces an archive with what is under `root` in another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedReplaceArchive {
    /// The archive in the context.
    pub path: ContextPath,
    /// The new archive.
    pub source: ArchiveSource,
    /// Its sha256, if the recipe has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<Digest>,
    /// The folder in the new archive.
    #[serde(default, skip_serializing_if = "ContextPath::is_root")]
    pub root: ContextPath,
    /// Globs of old paths that may be missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_missing: Vec<String>,
    /// It is fine if there is nothing to replace.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

/// Where a new archive comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ArchiveSource {
    /// A URL, http or https.
    Url(Url),
    /// A file in the recipe's folder or below.
    File(ContextPath),
}

impl Written for ReplaceArchive {
    type Planned = PlannedReplaceArchive;

    fn check(&mut self, at: Span, sink: &Sink) {
        if self.path.span == Span::default() {
            return;
        }
        let fields = [("url", span_of(self.url.as_ref())), ("file", span_of(self.file.as_ref()))];
        exactly_one(&fields, at, "where the new archive comes from", sink);
    }

    fn resolve(&self, at: Span, route: &Route, resolver: &mut Resolver<'_>) -> Option<PlannedReplaceArchive> {
        let path = resolver.changed_file(&self.path, &route.then("path"));
        if let Some(Err(error)) = path.as_ref().map(|path| PackedForm::of_name(path.as_str())) {
            resolver.mistake(self.path.span, error.to_string());
        }
        let source = match (&self.url, &self.file) {
            (Some(url), None) => resolver.url(url, self.sha256.as_ref(), &route.then("url")).map(ArchiveSource::Url),
            (None, Some(file)) => resolver.beside_the_recipe(file, &route.then("file")).map(ArchiveSource::File),
            (url, _) => {
                let found = if url.is_some() { "both are given" } else { "neither is given" };
                let message = format!("where the new archive comes from: of `url` and `file`, {found}");
                resolver.mistakes.push(Diagnostic::error(at, message).with_label("expected one of `url` and `file`"));
                None
            }
        };
        let sha256 = match &self.sha256 {
            Some(text) => Some(resolver.sha256(text, &route.then("sha256"))?),
            None => None,
        };
        let root = resolver.parsed_or_default(self.root.as_ref(), &route.then("root"));
        let allow_missing = resolver.globs(&self.allow_missing, &route.then("allowMissing"));
        Some(PlannedReplaceArchive {
            path: path?,
            source: source?,
            sha256,
            root: root?,
            allow_missing: allow_missing?,
            optional: self.optional,
        })
    }
}

impl Planned for PlannedReplaceArchive {
    const NAME: &str = "replaceArchive";

    fn files(&self) -> StepFiles<'_> {
        let beside = match &self.source {
            ArchiveSource::File(file) => Some(("file", file)),
            ArchiveSource::Url(_) => None,
        };
        StepFiles { beside, ..StepFiles::edited(&self.path, self.optional) }
    }

    fn needs(&self, _: &Platform) -> Vec<(Route, Need)> {
        match &self.source {
            ArchiveSource::Url(url) => vec![(Route::stage().then("url"), Need::File(url.clone(), self.sha256))],
            ArchiveSource::File(_) => Vec::new(),
        }
    }

    fn replaces_archives(&self) -> bool {
        true
    }

    fn run(&self, context: &Context, tools: &Tools<'_>) -> Result<Outcome, StepFailure> {
        let Some((old, _)) = context.open(&self.path)? else { return not_there(&self.path, self.optional, context) };
        let form = PackedForm::of_name(self.path.as_str()).in_field("path")?;
        let (new, from) = self.new_archive(context, tools)?;
        // The root of the whole archive is parsed to `None`, and that takes everything.
        let root = EntryPath::parse(if self.root.is_root() { b"." } else { self.root.as_str().as_bytes() })
            .map_err(|error| StepFailure::of("root", Failure::from_error(FailureKind::Invalid, &error)))?;
        let options = ReplaceOptions {
            root,
            allow_missing: &glob_set(&self.allow_missing),
            platform: tools.platform,
            epoch: context.epoch(),
            form,
            threads: NonZeroUsize::new(tools.threads).unwrap_or(NonZeroUsize::MIN),
            limits: Limits::default(),
        };
        let scratch = [context.anonymous_file()?, context.anonymous_file()?];
        let mut out = BufWriter::with_capacity(1 << 18, context.scratch_file(UNFINISHED)?);
        let report = replace(BufReader::new(old), BufReader::new(new), scratch, &options, &mut out)
            .map_err(|error| self.refused(error))?;
        out.flush().in_field("path")?;
        drop(out);
        self.report_changes(&report, tools);
        let done = format!(
            "{} entries from {from}, {} new",
            report.replaced.len() + report.unchanged.len(),
            report.added.len()
        );
        let changed = context.put_scratch(UNFINISHED, &self.path)?;
        Ok(if changed { Outcome::Changed(done) } else { Outcome::Unchanged(done) })
    }
}

impl PlannedReplaceArchive {
    /// The failure for one of the archives, at the field that it belongs to.
    fn refused(&self, error: ArchiveError) -> StepFailure {
        let field = match &error {
            ArchiveError::Old(_) | ArchiveError::Write(_) | ArchiveError::Scratch(_) => "path",
            ArchiveError::Root { .. } => "root",
            ArchiveError::New(_)
            | ArchiveError::Contract(_)
            | ArchiveError::Read(_)
            | ArchiveError::Damaged(..)
            | ArchiveError::Window(_)
            | ArchiveError::NotTar
            | ArchiveError::Tar(_) => self.field(),
        };
        StepFailure::of(field, error)
    }

    /// The field that names the new archive; mistakes in the archive are reported there.
    fn field(&self) -> &'static str {
        match &self.source {
            ArchiveSource::Url(_) => "url",
            ArchiveSource::File(_) => "file",
        }
    }

    /// The new archive, verified, and its name in messages.
    fn new_archive(&self, context: &Context, tools: &Tools<'_>) -> Result<(Box<dyn Read>, String), StepFailure> {
        let field = self.field();
        match &self.source {
            ArchiveSource::Url(url) => {
                let fetched = tools
                    .sources
                    .file(url, self.sha256)
                    .map_err(|failure| StepFailure { at: Route::stage().then(field), failure })?;
                let file = tools.sources.cache().open_verified(fetched.digest).in_field(field)?;
                Ok((Box::new(file), redacted_url(url)))
            }
            ArchiveSource::File(path) => {
                let opened = recipe_file::open(tools.beside.folder(), path, field)?;
                let (file, meta) = opened.ok_or_else(|| recipe_file::missing(path, field))?;
                let (copy, digest) = self.copied(&file, context)?;
                self.verify(digest, &file)?;
                let is_executable = meta.mode & 0o100 != 0;
                tools.beside.add(path.as_path(), BesideContent::File { digest, is_executable });
                Ok((Box::new(copy), path.to_string()))
            }
        }
    }

    /// A copy of a file, from its start, with its sha256: if the file is edited in the meantime, neither changes.
    fn copied(&self, mut file: &fs_err::File, context: &Context) -> Result<(std::fs::File, Digest), StepFailure> {
        let mut hashing = DigestWriter::new(context.anonymous_file()?);
        std::io::copy(&mut file, &mut hashing).in_field(self.field())?;
        let (mut copy, digest, _) = hashing.finish();
        copy.rewind().in_field(self.field())?;
        Ok((copy, digest))
    }

    /// Compares a file's digest with the recipe's, if the recipe has one.
    fn verify(&self, found: Digest, file: &fs_err::File) -> Result<(), StepFailure> {
        let Some(expected) = self.sha256.filter(|expected| *expected != found) else { return Ok(()) };
        let mut failed =
            StepFailure::new("sha256", format!("`{}` is {found}, expected {expected}", file.path().display()));
        failed.failure.kind = FailureKind::Verification;
        Err(failed)
    }

    fn report_changes(&self, report: &ReplaceReport, tools: &Tools<'_>) {
        let rows = [
            ("has new entries", &report.added),
            ("no longer has", &report.missing_allowed),
            ("takes only what is under the root, not", &report.left_out),
        ];
        for (what, paths) in rows {
            if !paths.is_empty() {
                let names: Vec<String> = paths.iter().map(ToString::to_string).collect();
                tools.warn(format!("{} {what}: {}", self.path, names.join(", ")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::tests::World;

    /// A tar of programs.
    fn archive(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o755);
            header.set_size(content.len() as u64);
            tar.append_data(&mut header, path, content.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap()
    }

    #[test]
    fn archives_are_replaced_under_the_contract() {
        let old = archive(&[("a", "#!old"), ("b", "#!old")]);
        let new = archive(&[("root/a", "#!new"), ("root/b", "#!new"), ("root/c", "#!new")]);
        let digest = crate::types::Digest::of(&new);
        let world = World::new().file("x.tar", old, 0o600).beside("f/new.tar", new, 0o644);
        let world = world.beside("less.tar", archive(&[("a", "#!new")]), 0o644);
        let step = |path: &str, file: &str, rest: serde_json::Value| {
            let mut step = json!({"path": path, "source": {"file": file}, "root": "root"});
            step.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            world.run(json!({"replaceArchive": step}))
        };
        let zeros = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
        let mut log = vec![
            step("x.tar", "f/new.tar", json!({"sha256": zeros})),
            step("x.tar", "less.tar", json!({"root": "."})),
            step("x.tar", "f/new.tar", json!({"root": "none"})),
            step("x.tar", "none.tar", json!({})),
            step("x.tar", "f", json!({})),
            step("y.tar", "f/new.tar", json!({})),
            step("y.tar", "f/new.tar", json!({"optional": true})),
        ];
        assert!(world.context()[0].starts_with("x.tar 0600 7 "), "nothing was changed");
        log.push(step("x.tar", "f/new.tar", json!({"sha256": digest.to_string()})));
        log.push(step("x.tar", "f/new.tar", json!({})));
        log.push(step("x.tar", "less.tar", json!({"root": ".", "allowMissing": ["[bc]"]})));
        insta::assert_snapshot!(log.join("\n").replace(&digest.to_string(), "[DIGEST]"), @r#"
        sha256: Verification: error: `[WORLD]/recipe/f/new.tar` is [DIGEST], expected sha256:0000000000000000000000000000000000000000000000000000000000000000
        file: Failed: error: the new archive cannot replace the old one:
          `b` is missing: if that is intended, add it to `allowMissing`
        root: Failed: error: the new archive has nothing under `none`; its top has `root`
        file: Failed: error: there is no `none.tar` next to the recipe
        file: Failed: error: `f` next to the recipe is a folder, expected a file
          help: for a whole folder, use the context entry `directory: {path: f}`
        path: Failed: error: `y.tar` is not in the context
          help: did you mean `x.tar`?
        Skipped("`y.tar` is not in the context")
        Changed("2 entries from f/new.tar, 1 new")
        Unchanged("3 entries from f/new.tar, 0 new")
        Changed("1 entries from less.tar, 0 new")
        "#);
        assert!(world.context()[0].starts_with("x.tar 0600 1000 "));
    }
}
