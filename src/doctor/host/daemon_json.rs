//! daemon.json, the engine's settings, against the engine that reads them.
//!
//! What an engine does not start on was tried with Docker 20.10: keys that it does not know (`mirror-registries`, `Debug`),
//! values of another kind, an empty file, a byte order mark. It takes a key twice (the last counts), and `null`.

use std::io;
use std::path::Path;

use serde_json::Value as Json;

use super::engine::{EngineState, Flavour};
use super::folders::reason;
use super::keys::{self, FLAGS};
use super::{CLUSTER_HOST, HostPlaces, dockerds, listed};
use crate::doctor::{Finding, Verdict};
use crate::syntax::{Limits, Node, Value, parse_json};
use crate::transport::EngineSettings;
use crate::types::{Source, Span};

const MIRRORS: &str = "mirror-registries";
const INSECURE: &str = "insecure-registries";
/// How sealer's own engine is told where to ask first.
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
                    .remedy("run this as one who may read it"),
            ];
        }
    };
    let source = Source::new(&name, &text);
    let not_started = match running {
        Some(_) => "the engine that runs does not start on it again",
        None => "the engine does not start on it",
    };
    let mut page = Page { source: &source, not_started, findings: Vec::new() };
    if text.trim().is_empty() || text.starts_with('\u{feff}') {
        let what = if text.trim().is_empty() { "is empty" } else { "starts with a byte order mark" };
        page.say(Verdict::Error, Span::new(0, 0), &format!("{what}: engines up to version 20.10 do not start on it"))
            .remedy("write `{}` where nothing is to be set, in UTF-8 without a byte order mark");
        return page.findings;
    }
    match parse_json(&text, Limits::document()) {
        Err(error) if serde_json::from_str::<Json>(&text).is_ok() => {
            page.say(Verdict::Warning, error.span, &format!("{}; of two the engine takes the last", error.message))
                .remedy("leave one; the rest of the file was not looked at");
        }
        Err(error) => {
            page.say(Verdict::Error, error.span, &format!("this is no JSON: {}", error.message))
                .expected("one object: engines do not start on anything else, or pass over what stands behind it")
                .remedy("mend the file; the rest of it was not looked at");
        }
        Ok(Node { value: Value::Map(entries), .. }) => {
            page.keys(&entries);
            page.mirrors(&entries, flavour);
            page.insecure(&entries, running);
        }
        Ok(root) => {
            page.say(Verdict::Error, root.span, &format!("this is no object: {not_started}"))
                .remedy("write `{}` where nothing is to be set");
        }
    }
    if page.findings.is_empty() {
        page.findings.push(finding(Verdict::Good, "is what the engine takes, and has the cluster's registry in it"));
    }
    page.findings
}

/// Without a file.
fn absent(
    flavour: Option<&Flavour>,
    running: Option<&EngineSettings>,
    finding: &dyn Fn(Verdict, &str) -> Finding,
) -> Finding {
    let missing = "is not there: the engine neither asks the cluster's registry first nor takes it without https";
    match flavour {
        None => finding(Verdict::Good, "is not there, and no engine to read it"),
        Some(Flavour::Sealer(_)) => finding(Verdict::Warning, missing)
            .expected(format!("{WANTED_MIRRORS}, and {} in `{INSECURE}`", hosts_wanted()))
            .remedy("copy `etc/daemon.json` of a base image there, and start the engine again"),
        Some(Flavour::Upstream(_)) if running.is_some_and(takes_cluster_s) => {
            finding(Verdict::Good, "is not there; the engine takes the cluster's registry without https by its flags")
        }
        Some(Flavour::Upstream(_)) => finding(Verdict::Note, "is not there: the engine runs with its defaults")
            .expected(format!("{} in `{INSECURE}`, for builds with it", hosts_wanted())),
    }
}

fn hosts() -> [String; 2] {
    [CLUSTER_HOST.to_owned(), format!("{CLUSTER_HOST}:5000")]
}

fn hosts_wanted() -> String {
    listed(hosts().iter().map(String::as_str))
}

/// Whether the engine that runs takes the cluster's registry without https, wherever it was told to.
fn takes_cluster_s(running: &EngineSettings) -> bool {
    hosts().iter().all(|host| running.insecure.contains(host))
}

/// The file, and what was found in it.
struct Page<'a> {
    source: &'a Source,
    /// What comes of what no engine takes.
    not_started: &'static str,
    findings: Vec<Finding>,
}

/// A finding that is in the list and gets its other sentences.
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

    /// Values of the wrong kind, and keys that are no keys.
    fn keys(&mut self, entries: &[(Node, Node)]) {
        let not_started = self.not_started;
        for (key, value) in entries {
            let Some(name) = key.scalar() else { continue };
            if let Some((node, kind)) = keys::wrong(name, value) {
                let found = format!("`{name}` has a value of another kind than the engine wants: {not_started}");
                self.say(Verdict::Error, node.span, &found).expected(kind.wanted()).remedy("write it so");
            }
            if let Some(known) = keys::in_small_letters(name) {
                let found = format!("the engine knows no key `{name}`: {not_started}");
                self.say(Verdict::Error, key.span, &found).remedy(format!("write `{known}`"));
            }
            if let Some((_, meant)) = FLAGS.iter().find(|(flag, _)| *flag == name) {
                let found = format!("`{name}` is a flag's name, and does nothing here");
                self.say(Verdict::Warning, key.span, &found).remedy(format!("write `{meant}`, which is a list"));
            }
        }
    }

    /// Where the engine asks first.
    fn mirrors(&mut self, entries: &[(Node, Node)], flavour: Option<&Flavour>) {
        let written = entries.iter().find(|(key, _)| key.scalar() == Some(MIRRORS));
        match (written, flavour) {
            (Some((key, _)), Some(Flavour::Upstream(version))) => {
                let found = format!(
                    "version {version} is not sealer's own engine and knows no `{MIRRORS}`: {}",
                    self.not_started
                );
                self.say(Verdict::Error, key.span, &found)
                    .expected("no such key, or an engine whose version ends in `-sealer`")
                    .remedy(format!("delete `{MIRRORS}`, or run the engine of a base image's `cri/docker.tar.gz`"));
            }
            (Some((key, _)), None) => {
                let found =
                    format!("only sealer's own engine knows `{MIRRORS}`, and which one this machine has is not known");
                self.say(Verdict::Warning, key.span, &found)
                    .expected("no such key with Docker's own engine, which does not start on it")
                    .remedy("look at `dockerd --version`: sealer's ends in `-sealer`");
            }
            (Some((_, value)), Some(Flavour::Sealer(_))) if !leads_to_cluster_s(value) => {
                let found =
                    format!("`{MIRRORS}` does not lead all pulls to this machine's registry: nothing is cached");
                self.say(Verdict::Warning, value.span, &found).expected(WANTED_MIRRORS).remedy("write it so");
            }
            (None, Some(Flavour::Sealer(_))) => {
                let found =
                    format!("there is no `{MIRRORS}`: the engine asks registries as any other, and nothing is cached");
                self.say(Verdict::Warning, Span::new(0, 0), &found)
                    .expected(WANTED_MIRRORS)
                    .remedy("write it so, and start the engine again");
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
        // Engines take the scheme away, which belongs to no host.
        let bare = |name: &str| name.rsplit_once("://").map_or(name, |(_, host)| host).trim_end_matches('/').to_owned();
        let named: Vec<String> = named.into_iter().map(bare).collect();
        let missing: Vec<String> = hosts().into_iter().filter(|host| !named.contains(host)).collect();
        let span = written.map_or(Span::new(0, 0), |value| value.span);
        if missing.is_empty() {
            if running.is_some_and(|running| !takes_cluster_s(running)) {
                let found =
                    "the engine that runs does not know these registries: it was started before they were written";
                self.say(Verdict::Warning, span, found).remedy("start the engine again");
            }
        } else if !running.is_some_and(takes_cluster_s) {
            let missing = listed(missing.iter().map(String::as_str));
            let found = format!(
                "`{INSECURE}` is without {missing}: the engine asks the cluster's registry by https, which it does not speak"
            );
            self.say(Verdict::Warning, span, &found)
                .expected(format!("{} in it", hosts_wanted()))
                .remedy("add them, and start the engine again");
        }
    }
}

/// Whether what is asked of any registry is asked of this machine's first.
fn leads_to_cluster_s(value: &Node) -> bool {
    let Value::List(all) = &value.value else { return false };
    let is_it = |mirror: &Node| mirror.scalar().is_some_and(|url| url.trim_end_matches('/') == "http://sea.hub:5000");
    all.iter().filter(|one| one.get("domain").and_then(Node::scalar) == Some("*")).any(
        |one| matches!(one.get("mirrors"), Some(Node { value: Value::List(mirrors), .. }) if mirrors.iter().any(is_it)),
    )
}

#[cfg(test)]
mod tests;
