//! daemon.json, the engine's settings, against the engine that reads them.
//!
//! Tested with Docker 20.10, the engine does not start with: keys that it does not know (`mirror-registries`, `Debug`),
//! values of another kind, an empty file, a byte order mark. It accepts a repeated key (the last one is used), and
//! `null`.

use std::io;
use std::path::Path;

use serde_json::Value as Json;

use super::dockerds;
use super::engine::{EngineState, Flavour};
use super::folders::reason;
use super::keys::{self, FLAGS};
use super::places::{CLUSTER_HOST, HostPlaces, listed};
use crate::doctor::{Finding, Verdict};
use crate::syntax::{Limits, Node, Value, parse_json};
use crate::transport::EngineSettings;
use crate::types::{Source, Span};

const MIRRORS: &str = "mirror-registries";
const INSECURE: &str = "insecure-registries";
/// The setting that makes sealer's own engine ask the cluster's registry first.
const WANTED_MIRRORS: &str = r#"`"mirror-registries": [{"domain": "*", "mirrors": ["http://sea.hub:5000"]}]`"#;

pub(super) fn check(places: &HostPlaces, engine: &EngineState) -> Vec<Finding> {
    let file = dockerds::settings(places);
    let running = engine.about.as_ref().ok().filter(|_| places.engine.is_local());
    let running = running.and_then(|about| about.running.as_ref());
    judge(&file, &fs_err::read(&file), engine.flavour.as_ref(), running)
}

fn judge(
    file: &Path,
    bytes: &io::Result<Vec<u8>>,
    flavour: Option<&Flavour>,
    running: Option<&EngineSettings>,
) -> Vec<Finding> {
    let name = file.display().to_string();
    let finding = |verdict, found: &str| Finding::new(verdict, "daemon-json", &name, found).for_engines();
    let text = match bytes {
        Ok(bytes) => String::from_utf8_lossy(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return vec![absent(flavour, running, &finding)],
        Err(error) => {
            return vec![
                finding(Verdict::Note, &format!("cannot be read: {}", reason(error)))
                    .remedy("run this as a user who may read it"),
            ];
        }
    };
    let source = Source::new(&name, &text);
    let not_started = match running {
        Some(_) => "the running engine will not start with it again",
        None => "the engine does not start with it",
    };
    let mut page = Page { source: &source, not_started, findings: Vec::new() };
    if text.trim().is_empty() || text.starts_with('\u{feff}') {
        let what = if text.trim().is_empty() { "is empty" } else { "starts with a byte order mark" };
        page.say(Verdict::Error, Span::new(0, 0), &format!("{what}: engines up to version 20.10 do not start with it"))
            .remedy("write `{}` if there is nothing to set, in UTF-8 without a byte order mark");
        return page.findings;
    }
    match parse_json(&text, Limits::document()) {
        Err(error) if serde_json::from_str::<Json>(&text).is_ok() => {
            page.say(Verdict::Warning, error.span, &format!("{}; the engine uses the last one", error.message))
                .remedy("remove one of them; the rest of the file was not checked");
        }
        Err(error) => {
            page.say(Verdict::Error, error.span, &format!("this is not valid JSON: {}", error.message))
                .expected("one object: engines do not start with anything else, or ignore what follows it")
                .remedy("fix the file; the rest of it was not checked");
        }
        Ok(Node { value: Value::Map(entries), .. }) => {
            page.keys(&entries);
            page.mirrors(&entries, flavour);
            page.insecure(&entries, running);
        }
        Ok(root) => {
            page.say(Verdict::Error, root.span, &format!("this is not an object: {not_started}"))
                .remedy("write `{}` if there is nothing to set");
        }
    }
    if page.findings.is_empty() {
        page.findings.push(finding(Verdict::Good, "is valid for the engine, and lists the cluster's registry"));
    }
    page.findings
}

/// Without a file.
fn absent(
    flavour: Option<&Flavour>,
    running: Option<&EngineSettings>,
    finding: &dyn Fn(Verdict, &str) -> Finding,
) -> Finding {
    let missing =
        "does not exist: the engine does not ask the cluster's registry first, and does not use it without https";
    match flavour {
        None => finding(Verdict::Good, "does not exist, and there is no engine that would read it"),
        Some(Flavour::Sealer(_)) => finding(Verdict::Warning, missing)
            .expected(format!("{WANTED_MIRRORS}, and {} in `{INSECURE}`", hosts_wanted()))
            .remedy("copy `etc/daemon.json` of a base image there, and restart the engine"),
        Some(Flavour::Upstream(_)) if running.is_some_and(takes_cluster_s) => {
            finding(Verdict::Good, "does not exist; the engine's flags allow the cluster's registry without https")
        }
        Some(Flavour::Upstream(_)) => finding(Verdict::Note, "does not exist: the engine runs with its defaults")
            .expected(format!("{} in `{INSECURE}`, for builds with the engine", hosts_wanted())),
    }
}

fn hosts() -> [String; 2] {
    [CLUSTER_HOST.to_owned(), format!("{CLUSTER_HOST}:5000")]
}

fn hosts_wanted() -> String {
    listed(hosts().iter().map(String::as_str))
}

/// Whether the running engine uses the cluster's registry without https, by file or flags.
fn takes_cluster_s(running: &EngineSettings) -> bool {
    hosts().iter().all(|host| running.insecure.contains(host))
}

/// The file, and what was found in it.
struct Page<'a> {
    source: &'a Source,
    /// The consequence of an invalid setting.
    not_started: &'static str,
    findings: Vec<Finding>,
}

/// A finding in the list, to complete with more sentences.
struct Said<'a>(&'a mut Finding);

impl Said<'_> {
    fn expected(self, expected: impl Into<String>) -> Self {
        self.0.expected = Some(expected.into());
        self
    }

    fn remedy(self, remedy: impl Into<String>) {
        self.0.remedy = Some(remedy.into());
    }
}

impl Page<'_> {
    fn say(&mut self, verdict: Verdict, span: Span, found: &str) -> Said<'_> {
        let place = self.source.place(span).to_string();
        self.findings.push(Finding::new(verdict, "daemon-json", place, found).for_engines());
        Said(self.findings.last_mut().expect("it was just pushed"))
    }

    /// Values of the wrong type, and unknown keys.
    fn keys(&mut self, entries: &[(Node, Node)]) {
        let not_started = self.not_started;
        for (key, value) in entries {
            let Some(name) = key.scalar() else { continue };
            if let Some((node, kind)) = keys::wrong(name, value) {
                let found = format!("`{name}` has a value of the wrong type: {not_started}");
                self.say(Verdict::Error, node.span, &found).expected(kind.wanted()).remedy("change it to that");
            }
            if let Some(known) = keys::in_small_letters(name) {
                let found = format!("the engine does not know the key `{name}`: {not_started}");
                self.say(Verdict::Error, key.span, &found).remedy(format!("write `{known}`"));
            }
            if let Some((_, meant)) = FLAGS.iter().find(|(flag, _)| *flag == name) {
                let found = format!("`{name}` is the name of a flag, and does nothing here");
                self.say(Verdict::Warning, key.span, &found).remedy(format!("write `{meant}`, which is a list"));
            }
        }
    }

    /// Checks where the engine asks first.
    fn mirrors(&mut self, entries: &[(Node, Node)], flavour: Option<&Flavour>) {
        let written = entries.iter().find(|(key, _)| key.scalar() == Some(MIRRORS));
        match (written, flavour) {
            (Some((key, _)), Some(Flavour::Upstream(version))) => {
                let found = format!(
                    "version {version} is not sealer's own engine and does not know `{MIRRORS}`: {}",
                    self.not_started
                );
                self.say(Verdict::Error, key.span, &found)
                    .expected("no such key, or an engine whose version ends in `-sealer`")
                    .remedy(format!("delete `{MIRRORS}`, or run the engine of a base image's `cri/docker.tar.gz`"));
            }
            (Some((key, _)), None) => {
                let found = format!(
                    "only sealer's own engine knows `{MIRRORS}`, and it is not known which engine this machine has"
                );
                self.say(Verdict::Warning, key.span, &found)
                    .expected("no such key for Docker's own engine, which does not start with it")
                    .remedy("run `dockerd --version`: the version of sealer's engine ends in `-sealer`");
            }
            (Some((_, value)), Some(Flavour::Sealer(_))) if !leads_to_cluster_s(value) => {
                let found =
                    format!("`{MIRRORS}` does not send all pulls to this machine's registry: nothing is cached");
                self.say(Verdict::Warning, value.span, &found).expected(WANTED_MIRRORS).remedy("change it to that");
            }
            (None, Some(Flavour::Sealer(_))) => {
                let found = format!(
                    "there is no `{MIRRORS}`: the engine asks registries like any other engine, and nothing is cached"
                );
                self.say(Verdict::Warning, Span::new(0, 0), &found)
                    .expected(WANTED_MIRRORS)
                    .remedy("add it, and restart the engine");
            }
            (Some(_), Some(Flavour::Sealer(_))) | (None, Some(Flavour::Upstream(_)) | None) => {}
        }
    }

    /// The cluster's registry speaks http.
    fn insecure(&mut self, entries: &[(Node, Node)], running: Option<&EngineSettings>) {
        let written = entries.iter().find(|(key, _)| key.scalar() == Some(INSECURE)).map(|(_, value)| value);
        if written.is_some_and(|value| keys::wrong(INSECURE, value).is_some()) {
            return;
        }
        let named: Vec<&str> = match written {
            Some(Node { value: Value::List(all), .. }) => all.iter().filter_map(Node::scalar).collect(),
            _ => Vec::new(),
        };
        // Engines ignore the scheme.
        let bare = |name: &str| name.rsplit_once("://").map_or(name, |(_, host)| host).trim_end_matches('/').to_owned();
        let named: Vec<String> = named.into_iter().map(bare).collect();
        let missing: Vec<String> = hosts().into_iter().filter(|host| !named.contains(host)).collect();
        let span = written.map_or(Span::new(0, 0), |value| value.span);
        if missing.is_empty() {
            if running.is_some_and(|running| !takes_cluster_s(running)) {
                let found = "the running engine does not know these registries: it was started before they were added";
                self.say(Verdict::Warning, span, found).remedy("restart the engine");
            }
        } else if !running.is_some_and(takes_cluster_s) {
            let missing = listed(missing.iter().map(String::as_str));
            let found = format!(
                "`{INSECURE}` lacks {missing}: the engine asks the cluster's registry over https, but that registry \
                 speaks only http"
            );
            self.say(Verdict::Warning, span, &found)
                .expected(format!("{} in it", hosts_wanted()))
                .remedy("add them, and restart the engine");
        }
    }
}

/// Whether requests to any registry go to this machine's registry first.
fn leads_to_cluster_s(value: &Node) -> bool {
    let Value::List(all) = &value.value else { return false };
    let is_it = |mirror: &Node| mirror.scalar().is_some_and(|url| url.trim_end_matches('/') == "http://sea.hub:5000");
    all.iter().filter(|one| one.get("domain").and_then(Node::scalar) == Some("*")).any(
        |one| matches!(one.get("mirrors"), Some(Node { value: Value::List(mirrors), .. }) if mirrors.iter().any(is_it)),
    )
}

#[cfg(test)]
mod tests;
