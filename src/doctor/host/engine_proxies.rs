//! The proxies of an engine: if a proxy is used for the cluster's registry, nothing is cached.

use super::engine::EngineState;
use super::places::{CLUSTER_HOST, listed};
use crate::doctor::{Finding, Verdict};

pub(super) fn check(engine: &EngineState) -> Vec<Finding> {
    let running = engine.about.as_ref().ok().and_then(|about| about.running.as_ref());
    let Some(running) = running.filter(|running| !running.proxies.is_empty()) else { return Vec::new() };
    let proxies = listed(running.proxies.iter().map(String::as_str));
    let finding = |verdict, found: String| Finding::new(verdict, "engine-proxy", "the engine", found).for_engines();
    if is_left_out(&running.no_proxy) {
        return vec![finding(Verdict::Good, format!("asks `{CLUSTER_HOST}` itself, and others through {proxies}"))];
    }
    vec![
        finding(Verdict::Warning, format!("asks `{CLUSTER_HOST}`, which is this machine, through {proxies}"))
            .expected(format!("`{CLUSTER_HOST}` in the engine's NO_PROXY"))
            .remedy(format!("add `{CLUSTER_HOST}` to NO_PROXY where the engine gets its proxies, and start it again")),
    ]
}

/// Whether `NO_PROXY` names the cluster's registry, by the rules of Go's programs.
fn is_left_out(no_proxy: &str) -> bool {
    no_proxy.split(',').map(|entry| entry.trim().to_lowercase()).any(|entry| {
        let name = entry.strip_prefix("*.").map_or_else(|| entry.clone(), |rest| format!(".{rest}"));
        let name = name.strip_suffix(":5000").unwrap_or(&name);
        match name.strip_prefix('.') {
            Some(domain) => CLUSTER_HOST.ends_with(&format!(".{domain}")),
            None => name == "*" || name == CLUSTER_HOST || CLUSTER_HOST.ends_with(&format!(".{name}")),
        }
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_proxy_names_hosts_and_domains() {
        for (no_proxy, is) in [
            ("", false),
            ("localhost,127.0.0.1", false),
            ("localhost, sea.hub", true),
            ("SEA.HUB:5000", true),
            ("sea.hub:443", false),
            (".hub", true),
            ("*.hub", true),
            ("hub", true),
            ("ub", false),
            ("*", true),
            ("a.sea.hub", false),
            (".sea.hub", false),
            (",", false),
        ] {
            assert_eq!(super::is_left_out(no_proxy), is, "{no_proxy}");
        }
    }
}
