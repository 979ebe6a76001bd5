//! `doctor host`: what a machine needs to build, and the checks of sealer's FAQ.
//!
//! ```text
//! this program   store, cache, temporary folder ─ room on their disks ─ overlay for RUN
//! its settings   registries.conf ─ logins ─ certificates ─ proxies ─ clock
//! next to it     a real sealer, for commands on clusters
//! an engine      its version ─ daemon.json ─ proxies ─ `sea.hub` ─ images that it already has
//! ```
//!
//! Findings about the engine are marked ([`Finding::for_engines`]): this program's builder needs no engine. Only builds
//! as in sealer v0.5 do, and there each of these problems silently keeps images out of the cache.
//!
//! Everything that is checked is a field of [`HostPlaces`]. Programs are asked for their version with a limit of time;
//! nothing is written.

mod certificates;
mod clock;
mod daemon_json;
mod dockerds;
mod engine;
mod engine_images;
mod engine_proxies;
mod folders;
mod hosts;
mod keys;
mod logins;
mod overlay;
mod places;
mod program;
mod sealers;
mod settings;
mod space;

pub(crate) use places::HostPlaces;

use crate::types::{masked, printable};

use super::Finding;
use engine::EngineState;

/// Checks the machine. The findings, including good ones, are in the order of the picture above.
#[must_use]
pub(crate) fn check_host(places: &HostPlaces) -> Vec<Finding> {
    let engine = EngineState::ask(places);
    let findings = [
        folders::check(places),
        space::check(places),
        overlay::check(places),
        settings::check(places),
        logins::check(&places.logins, places.path.as_deref()),
        certificates::check(&places.certificates),
        clock::check(places),
        sealers::check(places),
        engine::check(places, &engine),
        daemon_json::check(places, &engine),
        engine_proxies::check(&engine),
        hosts::check(places, &engine),
        engine_images::check(&engine),
    ];
    findings.into_iter().flatten().map(presentable).collect()
}

/// Files and engines may contain unsafe text, and URLs with passwords.
fn presentable(finding: Finding) -> Finding {
    let clean = |text: String| printable(&masked(&text)).replace(['\n', '\t'], " ");
    Finding {
        subject: clean(finding.subject),
        found: clean(finding.found),
        expected: finding.expected.map(clean),
        remedy: finding.remedy.map(clean),
        ..finding
    }
}

#[cfg(test)]
mod tests;
