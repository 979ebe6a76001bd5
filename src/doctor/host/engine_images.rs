//! Images that an engine already has: it does not pull them again, so a build with it does not cache them.

use super::engine::EngineState;
use super::places::{CLUSTER_HOST, listed};
use crate::doctor::{Finding, Verdict};

/// How many names are shown; `docker images` shows all of them.
const SAID: usize = 20;

pub(super) fn check(engine: &EngineState) -> Vec<Finding> {
    let Ok(about) = &engine.about else { return Vec::new() };
    let Some(names) = &about.images else {
        let found = "does not say which images it has";
        return vec![Finding::new(Verdict::Note, "engine-images", "the engine", found).for_engines()];
    };
    let finding = |verdict, found: String| Finding::new(verdict, "engine-images", "the engine", found).for_engines();
    let is_cluster_s = |name: &&String| {
        let host = name.split('/').next().unwrap_or_default();
        name.contains('/') && host.split(':').next().is_some_and(|host| host.eq_ignore_ascii_case(CLUSTER_HOST))
    };
    let (of_cluster, others): (Vec<&String>, Vec<&String>) = names.iter().partition(is_cluster_s);
    let mut findings = Vec::new();
    if !of_cluster.is_empty() {
        let found = format!(
            "has {} of `{CLUSTER_HOST}`, from a cluster or an earlier build: {}",
            count(&of_cluster),
            names_of(&of_cluster)
        );
        findings.push(
            finding(Verdict::Warning, found)
                .expected("none on a machine that builds: the engine uses them instead of the new image's registry")
                .remedy("`docker rmi` them; on a node of a cluster, build elsewhere"),
        );
    }
    if !others.is_empty() {
        let found = format!("has {} already: {}", count(&others), names_of(&others));
        findings.push(
            finding(Verdict::Warning, found)
                .expected("none that a build names: the engine does not pull an image that it has, and only pulled \
                           images are cached")
                .remedy("`docker rmi` those that the build names, or `docker system prune -a` for all that no container uses"),
        );
    }
    if findings.is_empty() {
        findings.push(finding(Verdict::Good, "has no images that would keep it from pulling".to_owned()));
    }
    findings
}

fn count(names: &[&String]) -> String {
    format!("{} image{}", names.len(), if names.len() == 1 { "" } else { "s" })
}

fn names_of(names: &[&String]) -> String {
    if names.len() <= SAID {
        return listed(names.iter().map(|name| name.as_str()));
    }
    let said: Vec<String> = names.iter().take(SAID).map(|name| format!("`{name}`")).collect();
    format!("{} and {} more", said.join(", "), names.len() - SAID)
}
