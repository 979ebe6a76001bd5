use std::net::Ipv4Addr;

use super::*;
use crate::transport::{EngineFault, EngineInfo};

/// What a resolver says.
type Said = io::Result<Vec<IpAddr>>;

/// What is said of a hosts file on a machine whose only address is 10.0.0.1, beside loopback.
fn said(text: &str, resolve: fn(&str) -> Said, is_running: bool) -> String {
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    fs_err::write(&hosts, text).unwrap();
    let is_own = |address: IpAddr| address.is_loopback() || address == Ipv4Addr::new(10, 0, 0, 1);
    let limit = std::time::Duration::from_millis(300);
    let base = HostPlaces::from_env(folder.path(), folder.path());
    let places = HostPlaces { hosts, limit, resolve, is_own, ..base };
    let about = EngineInfo { version: "1".to_owned(), running: None, images: None };
    let about = if is_running { Ok(about) } else { Err(EngineFault::NoSocket) };
    let engine = EngineState { about, flavour: None };
    let said: String = check(&places, &engine).iter().map(Finding::text).collect();
    said.replace(folder.path().to_str().unwrap(), "[DIR]").replace(" (only for builds with an engine)", "")
}

/// What the standard library says where the resolver knows nothing.
fn unknown(_: &str) -> Said {
    Err(io::Error::other("failed to lookup address information: Name or service not known"))
}

const LOOPBACK: fn(&str) -> Said = |host| {
    assert_eq!(host, "sea.hub");
    Ok(vec![Ipv4Addr::LOCALHOST.into()])
};

const ELSEWHERE: fn(&str) -> Said = |_| Ok(vec![Ipv4Addr::new(203, 0, 113, 7).into()]);

fn never(_: &str) -> Said {
    std::thread::sleep(std::time::Duration::from_secs(5));
    unknown("")
}

#[test]
fn lines_are_read_as_hosts_5_has_them() {
    let lines = |text: &str| {
        let entries = entries(text, CLUSTER_HOST);
        entries.iter().map(|entry| format!("{}:{}:{:?}", entry.line, entry.written, entry.address)).collect::<Vec<_>>()
    };
    for (text, expected) in [
        ("", vec![]),
        ("127.0.0.1 sea.hub", vec!["1:127.0.0.1:Some(127.0.0.1)"]),
        ("\n\t127.0.0.1\tlocalhost \t SEA.Hub\tx\n", vec!["2:127.0.0.1:Some(127.0.0.1)"]),
        ("127.0.0.1 localhost\r\n10.0.0.1 sea.hub\r\n", vec!["2:10.0.0.1:Some(10.0.0.1)"]),
        ("::1 sea.hub\nfe80::1%eth0 sea.hub", vec!["1:::1:Some(::1)", "2:fe80::1%eth0:Some(fe80::1)"]),
        ("127.0.0.1 mysea.hub sea.hub.example sea.hub. sea hub a.sea.hub sea.hubs", vec![]),
        ("# 127.0.0.1 sea.hub\n127.0.0.1 x # sea.hub\n127.0.0.1 sea.hub#comment", vec!["3:127.0.0.1:Some(127.0.0.1)"]),
        ("sea.hub 127.0.0.1\n", vec!["1:sea.hub:None"]),
        ("127.0.0 sea.hub\n127.0.0.1:5000 sea.hub\n", vec!["1:127.0.0:None", "2:127.0.0.1:5000:None"]),
        ("127.0.0.1 sea.hub sea.hub\n", vec!["1:127.0.0.1:Some(127.0.0.1)"]),
    ] {
        assert_eq!(lines(text), expected, "{text:?}");
    }
}

#[test]
fn the_name_has_to_lead_to_this_machine() {
    let cases = [
        ("nothing", said("127.0.0.1 localhost\n", unknown, false)),
        ("nothing, and an engine", said("127.0.0.1 localhost mysea.hub\n", unknown, true)),
        ("a name server", said("", ELSEWHERE, true)),
        ("a name server of this machine", said("", LOOPBACK, true)),
        ("loopback", said("127.0.0.1 localhost sea.hub\n", LOOPBACK, true)),
        (
            "an address of this machine",
            said("10.0.0.1 sea.hub\n", |_| Ok(vec![Ipv4Addr::new(10, 0, 0, 1).into()]), true),
        ),
        ("a cluster", said("# made by sealer\r\n203.0.113.7 sea.hub\r\n", ELSEWHERE, true)),
        ("two of them", said("127.0.0.1 sea.hub\n203.0.113.7 sea.hub\n", LOOPBACK, true)),
        ("the wrong way round", said("sea.hub 127.0.0.1\n", unknown, false)),
        ("a resolver that passes over the file", said("127.0.0.1 sea.hub\n", unknown, true)),
        ("a resolver that says something else", said("127.0.0.1 sea.hub\n", ELSEWHERE, true)),
        ("a resolver that waits", said("", never, false)),
    ];
    let cases: Vec<String> = cases.iter().map(|(case, said)| format!("{case}\n{said}")).collect();
    insta::assert_snapshot!(cases.join("\n"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let base = HostPlaces::from_env(folder.path(), folder.path());
    let places = HostPlaces { hosts: folder.path().join("none"), resolve: LOOPBACK, ..base };
    let engine = EngineState { about: Err(EngineFault::NoSocket), flavour: None };
    let said: String = check(&places, &engine).iter().map(Finding::text).collect();
    insta::assert_snapshot!(said.replace(folder.path().to_str().unwrap(), "[DIR]"));
}
