//! `download`: a file by its URL, as it is.

use std::io::Write;

use crate::plan::{Download, Route};
use crate::words::FailureKind;

use super::context::Bits;
use super::{Context, Outcome, StepFailure, Tools};

const UNFINISHED: &str = "download";

pub(super) fn run(step: &Download, context: &Context, tools: &Tools<'_>) -> Result<Outcome, StepFailure> {
    let fetched = tools
        .supply
        .file(&step.url, step.sha256)
        .map_err(|failure| StepFailure { at: Route::stage().then("url"), failure })?;
    let read = |error: std::io::Error| StepFailure::from_error("url", FailureKind::Failed, &error);
    let mut from = fetched.open().map_err(read)?;
    let mut to = context.scratch_file(UNFINISHED)?;
    std::io::copy(&mut from, &mut to).map_err(read)?;
    to.flush().map_err(read)?;
    drop(to);
    let changed = context.put_scratch_with(UNFINISHED, &step.path, Bits::of_step(step.mode, 0o644))?;
    Ok(Outcome::of(changed, format!("{} bytes, {}", fetched.size, fetched.digest)))
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
    fn what_is_not_there_or_something_else_is_an_error_also_where_it_is_optional() {
        let world = World::with_sandbox();
        let zeros = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
        // Straight from the server, so that nobody else is asked after it.
        let url = world.url("/files/download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz");
        for (url, kind) in [(url.clone(), FailureKind::Verification), (format!("{url}x"), FailureKind::Failed)] {
            let step = json!({"download": {"url": url, "path": "x", "sha256": zeros, "optional": true}});
            let failure = world.try_run(step).unwrap_err();
            assert_eq!((failure.at.to_string().as_str(), failure.failure.kind), ("url", kind), "{url}");
        }
        assert_eq!(world.context(), [""; 0]);
    }
}
