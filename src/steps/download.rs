//! `download`: fetches a file by its URL, as it is or out of an archive.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::context::{Bits, Context};
use super::resolver::{Resolver, is_false};
use super::step::{Effect, FieldPaths, Planned, StepFiles, Written};
use super::work::{InField, Outcome, StepFailure, Tools};
use crate::archive::Spool;
use crate::document::Text;
use crate::fetch::FetchedFile;
use crate::sources::Need;
use crate::tar::Limits;
use crate::types::{ContextPath, Digest, Failure, FailureKind, FileMode, Platform, Route, Span, nearest};

const UNFINISHED: &str = "download";

/// Fetches a file and puts it into the context. With `member`, it fetches an archive and takes one file out of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({
    "url": "https://download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz",
    "path": "cri/docker-upstream.tgz",
}))]
pub struct Download {
    /// Where the file is fetched from, https or http.
    #[schemars(example = &"https://download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz")]
    pub url: Text,
    /// The sha256 of the file as 64 hex digits; needed if `url` is plain http.
    #[serde(default)]
    #[schemars(example = &"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")]
    pub sha256: Option<Text>,
    /// The file in the context. Missing folders are made.
    #[schemars(example = &"cri/docker-upstream.tgz")]
    pub path: Text,
    /// The path of a file in the fetched archive (tar, .gz, .xz, .zst, .bz2): only that file is taken.
    #[serde(default)]
    #[schemars(example = &"docker/runc")]
    pub member: Option<Text>,
    /// The permission bits, in octal and in quotes; default: those of the file that is there, else 0755 for a `member` that
    /// may be executed, else 0644.
    #[serde(default)]
    #[schemars(example = &"0755")]
    pub mode: Option<Text>,
    /// It has no effect here: a file that cannot be fetched is always an error.
    #[serde(default)]
    pub optional: bool,
}

/// Fetches a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedDownload {
    /// Where it is fetched from, http or https.
    pub url: url::Url,
    /// Its sha256, if the recipe has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// The file in the context.
    pub path: ContextPath,
    /// The file to take out of the fetched archive; `None`: the fetched file itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<ContextPath>,
    /// Its mode; `None`: that of the existing file, else 0755 for a member that may be executed, else 0644.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<FileMode>,
    /// Set in the recipe; it has no effect here.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

impl Written for Download {
    type Planned = PlannedDownload;

    fn resolve(&self, _: Span, route: &Route, resolver: &mut Resolver<'_>) -> Option<PlannedDownload> {
        let url = resolver.url(&self.url, self.sha256.as_ref(), &route.then("url"));
        let sha256 = match &self.sha256 {
            Some(text) => resolver.sha256(text, &route.then("sha256")).map(Some),
            None => Some(None),
        };
        let path = resolver.changed_file(&self.path, &route.then("path"));
        let member = match &self.member {
            Some(text) => resolver.parsed_or_default(Some(text), &route.then("member")).map(Some),
            None => Some(None),
        };
        let mode = resolver.mode(self.mode.as_ref(), route);
        let (url, sha256, path, member, mode) = (url?, sha256?, path?, member?, mode?);
        Some(PlannedDownload { url, sha256, path, member, mode, optional: self.optional })
    }
}

impl Planned for PlannedDownload {
    const NAME: &str = "download";

    fn files(&self) -> StepFiles<'_> {
        StepFiles { written: FieldPaths::one("path", &self.path), ..StepFiles::new(self.optional) }
    }

    fn effect(&self) -> Effect<'_> {
        Effect::MakesFile(&self.path)
    }

    fn needs(&self, _: &Platform) -> Vec<(Route, Need)> {
        vec![(Route::stage().then("url"), Need::File(self.url.clone(), self.sha256))]
    }

    fn run(&self, context: &Context, tools: &Tools<'_>) -> Result<Outcome, StepFailure> {
        let step = self;
        let fetched = tools
            .sources
            .file(&step.url, step.sha256)
            .map_err(|failure| StepFailure { at: Route::stage().then("url"), failure })?;
        if let Some(member) = &step.member {
            return take_member(step, member, &fetched, context);
        }
        let mut from = fetched.open().in_field("url")?;
        let mut to = context.scratch_file(UNFINISHED)?;
        io::copy(&mut from, &mut to).in_field("url")?;
        to.flush().in_field("url")?;
        drop(to);
        let changed = context.put_scratch_with(UNFINISHED, &step.path, Bits::of_step(step.mode, 0o644))?;
        Ok(Outcome::of(changed, format!("{} bytes, {}", fetched.size, fetched.digest)))
    }
}

/// Puts one file of the fetched archive into the context.
fn take_member(
    step: &PlannedDownload,
    member: &ContextPath,
    fetched: &FetchedFile,
    context: &Context,
) -> Result<Outcome, StepFailure> {
    let archive = fetched.open().in_field("url")?;
    let spool = Spool::fill(archive, context.anonymous_file()?, &Limits::RECIPE).in_field("url")?;
    let files = || spool.members().iter().filter(|member| member.file_size().is_some());
    let Some(found) = files().find(|file| file.path.as_bytes() == member.as_str().as_bytes()) else {
        let failure = Failure::new(FailureKind::Failed, format!("the archive has no file `{member}`"));
        let names: Vec<String> = files().map(|file| file.path.to_string()).collect();
        let same = names.iter().find(|name| name.rsplit('/').next() == member.file_name()).map(String::as_str);
        let near = same.or_else(|| nearest(member.as_str(), names.iter().map(String::as_str)));
        let help = near.map_or_else(|| listing(&names), |near| format!("did you mean `{near}`?"));
        return Err(StepFailure { at: Route::stage().then("member"), failure: failure.with_help(help) });
    };
    let mut to = context.scratch_file(UNFINISHED)?;
    let size = io::copy(&mut spool.content(found), &mut to).in_field("url")?;
    to.flush().in_field("url")?;
    drop(to);
    let new = if found.mode & 0o111 == 0 { 0o644 } else { 0o755 };
    let changed = context.put_scratch_with(UNFINISHED, &step.path, Bits::of_step(step.mode, new))?;
    Ok(Outcome::of(changed, format!("`{member}` of {}, {size} bytes", fetched.digest)))
}

/// The content of an archive, in one line.
fn listing(names: &[String]) -> String {
    match names {
        [] => "it has no files at all".to_owned(),
        [shown @ .., _] if names.len() > 10 => {
            format!("it has `{}` and {} more", shown[..9].join("`, `"), names.len() - 9)
        }
        names => format!("it has `{}`", names.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::steps::tests::World;

    #[test]
    fn files_come_as_they_are() {
        let world = World::with_sandbox().file("old", "old", 0o700);
        let url = "https://download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz";
        for (path, mode) in [("cri/new.tgz", None), ("bin/tool", Some("0755")), ("old", None)] {
            let outcome = world.try_run(json!({"download": {"url": url, "path": path, "mode": mode}})).unwrap();
            assert!(matches!(outcome, Outcome::Changed(_)), "{outcome:?}");
        }
        let again = world.try_run(json!({"download": {"url": url, "path": "cri/new.tgz"}})).unwrap();
        assert!(matches!(again, Outcome::Unchanged(_)), "{again:?}");
        let bytes = fs_err::read(world.path("context/cri/new.tgz")).unwrap();
        assert!(bytes.starts_with(&[0x1f, 0x8b]));
        let size = bytes.len();
        let expected = [
            "bin/ 0755 1000".to_owned(),
            format!("bin/tool 0755 1000 {size} bytes"),
            "cri/ 0755 1000".to_owned(),
            format!("cri/new.tgz 0644 1000 {size} bytes"),
            format!("old 0700 1000 {size} bytes"),
        ];
        assert_eq!(world.context(), expected);
    }

    #[test]
    fn one_file_of_an_archive_can_be_taken() {
        let world = World::with_sandbox();
        let url = "https://download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz";
        let step = |member: &str, mode: Option<&str>| json!({"download": {"url": url, "path": "bin/x", "member": member, "mode": mode}});
        assert!(matches!(world.try_run(step("docker/runc", None)), Ok(Outcome::Changed(_))));
        assert!(matches!(world.try_run(step("docker/runc", None)), Ok(Outcome::Unchanged(_))));
        assert!(fs_err::read(world.path("context/bin/x")).unwrap().starts_with(b"\x7fELF"));
        let size = fs_err::metadata(world.path("context/bin/x")).unwrap().len();
        assert_eq!(world.context(), ["bin/ 0755 1000".to_owned(), format!("bin/x 0755 1000 {size} bytes")]);
        insta::assert_snapshot!(world.run(step("runc", None)), @r"
        member: Failed: error: the archive has no file `runc`
          help: did you mean `docker/runc`?
        ");
        insta::assert_snapshot!(world.run(step("docker", None)), @r"
        member: Failed: error: the archive has no file `docker`
          help: did you mean `docker/docker`?
        ");
        let plain = json!({"download": {"url": "https://raw.githubusercontent.com/kyverno/kyverno/v1.5.1/definitions/release/install.yaml", "path": "y", "member": "z"}});
        insta::assert_snapshot!(world.run(plain), @r"url: Failed: error: this is not an archive: expected a tar, plain or in gzip, xz, zstd or bzip2");
    }

    #[test]
    fn what_is_not_there_or_something_else_is_an_error_also_where_it_is_optional() {
        let world = World::with_sandbox();
        let zeros = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
        // This asks the server directly, so that the test asks no other host.
        let url = world.url("/files/download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz");
        for (url, kind) in [(url.clone(), FailureKind::Verification), (format!("{url}x"), FailureKind::Failed)] {
            let step = json!({"download": {"url": url, "path": "x", "sha256": zeros, "optional": true}});
            let failure = world.try_run(step).unwrap_err();
            assert_eq!((failure.at.to_string().as_str(), failure.failure.kind), ("url", kind), "{url}");
        }
        assert_eq!(world.context(), [""; 0]);
    }
}
