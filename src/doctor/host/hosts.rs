//! `sea.hub`: the entries in the hosts file for the name of the cluster's registry, and the resolver's answer.
//!
//! A build with an engine starts a registry on this machine and pulls through it, so the name must point here. On a
//! node of a cluster it points to the cluster's first master. A build without an engine never uses the name.

use std::io;
use std::net::IpAddr;
use std::sync::mpsc;

use super::engine::EngineState;
use super::folders::reason;
use super::places::{CLUSTER_HOST, HostPlaces};
use crate::doctor::{Finding, Verdict};

/// A line that has the name.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    /// From 1.
    line: usize,
    /// The first word as it is written.
    written: String,
    /// The address; `None` if the first word is not one.
    address: Option<IpAddr>,
}

/// The lines that have a name, hosts(5): an address and names, separated by blanks and tabs; the rest after a `#` is a
/// comment. A line's own end may be CRLF.
fn entries(text: &str, name: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let Some(first) = words.next() else { continue };
        // If the name is in the place of the address, the line is the wrong way round.
        if first.eq_ignore_ascii_case(name) || words.any(|word| word.eq_ignore_ascii_case(name)) {
            // A zone says which network a local address belongs to.
            let address = first.split('%').next().unwrap_or_default().parse().ok();
            found.push(Entry { line: index + 1, written: first.to_owned(), address });
        }
    }
    found
}

pub(super) fn check(places: &HostPlaces, engine: &EngineState) -> Vec<Finding> {
    let file = places.hosts.display().to_string();
    let finding = |verdict, subject: &str, found: String| Finding::new(verdict, "hosts", subject, found).for_engines();
    let mut findings = Vec::new();
    let text = fs_err::read(&places.hosts).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_else(|error| {
        findings.push(
            finding(Verdict::Warning, &file, format!("cannot be read: {}", reason(&error)))
                .expected("a file that everybody can read, with the names of this machine")
                .remedy("create it with mode 0644, with at least `127.0.0.1 localhost`"),
        );
        String::new()
    });
    let mut written = Vec::new();
    for entry in entries(&text, CLUSTER_HOST) {
        let place = format!("{file}:{}", entry.line);
        written.extend(entry.address);
        findings.push(match entry.address {
            None => finding(
                Verdict::Warning,
                &place,
                format!("`{}` is not an address, so the line does nothing", entry.written),
            )
            .expected(format!("an address first, then names: `127.0.0.1 {CLUSTER_HOST}`"))
            .remedy(format!("fix line {}, or delete it", entry.line)),
            Some(address) if (places.is_own)(address) => {
                finding(Verdict::Good, &place, format!("`{CLUSTER_HOST}` is {}", of_this_machine(address)))
            }
            Some(address) => foreign(finding(
                Verdict::Error,
                &place,
                format!("`{CLUSTER_HOST}` is {address}, which is not an address of this machine"),
            ))
            .remedy(format!(
                "write an address of this machine in line {}; on a node of a cluster, leave it and build elsewhere",
                entry.line
            )),
        });
    }
    findings.extend(resolved(places, engine, &written));
    findings
}

fn of_this_machine(address: IpAddr) -> String {
    let which = if address.is_loopback() { "loopback" } else { "an address of this machine" };
    format!("{address}, {which}")
}

fn foreign(finding: Finding) -> Finding {
    finding.expected("an address of this machine: a build with an engine starts its registry here and pulls through it")
}

/// The resolver's answer, if it adds something to the file. `written` are the file's addresses.
fn resolved(places: &HostPlaces, engine: &EngineState, written: &[IpAddr]) -> Option<Finding> {
    let finding = |verdict, found: String| Finding::new(verdict, "resolver", CLUSTER_HOST, found).for_engines();
    let said = ask(places);
    let addresses = match &said {
        Ok(addresses) => addresses.as_slice(),
        Err(_) => &[],
    };
    let why = || match &said {
        Ok(_) => String::new(),
        Err(why) => format!(" ({why})"),
    };
    let other = addresses.iter().find(|address| !written.contains(address) && !(places.is_own)(**address));
    if let Some(other) = other {
        let found =
            format!("the resolver says {other}, which is not in the hosts file and not an address of this machine");
        return Some(foreign(finding(Verdict::Error, found)).remedy(format!(
            "write `127.0.0.1 {CLUSTER_HOST}` in the hosts file, and `files` first under `hosts:` in /etc/nsswitch.conf"
        )));
    }
    match (written.is_empty(), addresses.first()) {
        (false, None) => Some(
            finding(
                Verdict::Warning,
                format!("the resolver does not know this host{}, but the hosts file has it", why()),
            )
            .expected("what the hosts file says")
            .remedy("write `files` first under `hosts:` in /etc/nsswitch.conf"),
        ),
        (false, Some(_)) => None,
        (true, Some(address)) => {
            Some(finding(Verdict::Good, format!("the resolver says {}", of_this_machine(*address))))
        }
        (true, None) => {
            // Without an engine, there are no builds with one.
            let verdict = if engine.is_running() { Verdict::Warning } else { Verdict::Note };
            Some(
                finding(verdict, format!("neither the hosts file nor the resolver knows this host{}", why()))
                    .expected("an address of this machine, for builds with an engine")
                    .remedy(format!("for such builds, add `127.0.0.1 {CLUSTER_HOST}` to {}", places.hosts.display())),
            )
        }
    }
}

/// It does not wait for a slow resolver.
fn ask(places: &HostPlaces) -> Result<Vec<IpAddr>, String> {
    let (resolve, limit) = (places.resolve, places.limit);
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || drop(sender.send(resolve(CLUSTER_HOST))));
    match receiver.recv_timeout(limit) {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => Err(short(&error)),
        Err(_) => Err(format!("no answer within {} s", limit.as_secs_f32())),
    }
}

/// The last part of what the standard library says: the resolver's own words.
fn short(error: &io::Error) -> String {
    let text = error.to_string();
    text.rsplit(": ").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests;
