use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::*;
use crate::doctor::finding::Concern;
use crate::doctor::{Verdict, worst};
use crate::transport::EngineHost;
use crate::upstream::UpstreamPlaces;

/// What a path of the API gives: a status and a body.
type Answers = BTreeMap<&'static str, (u16, String)>;

/// An engine that gives what it is told on the socket `s` of a folder, and 404 for the rest.
fn engine(folder: &Path, answers: Answers) -> EngineHost {
    let listener = UnixListener::bind(folder.join("s")).unwrap();
    // It ends with the process: a test that is over asks nothing more.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let path = head.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_owned();
            head.find(String::is_empty);
            let missing = (404, "{\"message\":\"no such thing\"}".to_owned());
            let (status, body) = answers.get(path.as_str()).unwrap_or(&missing);
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
    });
    EngineHost::new(&format!("unix://{}", folder.join("s").display()))
}

fn version(version: &str) -> (&'static str, (u16, String)) {
    ("/version", (200, json!({"Version": version, "ApiVersion": "1.40", "Os": "linux"}).to_string()))
}

fn info(insecure: &[&str], proxy: &str, no_proxy: &str) -> (&'static str, (u16, String)) {
    let index: BTreeMap<&str, _> =
        insecure.iter().map(|name| (*name, json!({"Name": name, "Secure": false}))).collect();
    let info = json!({"HttpProxy": proxy, "HttpsProxy": proxy, "NoProxy": no_proxy,
        "RegistryConfig": {"IndexConfigs": index, "InsecureRegistryCIDRs": ["127.0.0.0/8"]}});
    ("/info", (200, info.to_string()))
}

fn images(tags: &[&str]) -> (&'static str, (u16, String)) {
    let image = |tags: serde_json::Value| {
        json!({"Id": "sha256:1", "ParentId": "", "RepoTags": tags, "RepoDigests": null, "Created": 0, "Size": 0,
            "SharedSize": 0, "Labels": null, "Containers": 0})
    };
    let list: Vec<_> = tags
        .iter()
        .map(|tag| image(json!([tag])))
        .chain([image(json!(null)), image(json!(["<none>:<none>"]))])
        .collect();
    ("/images/json", (200, json!(list).to_string()))
}

/// A machine of which nothing but the given is there.
fn machine(folder: &Path, engine: EngineHost) -> HostPlaces {
    for name in ["root", "cache", "tmp", "bin", "proc"] {
        fs_err::create_dir_all(folder.join(name)).unwrap();
    }
    fs_err::write(folder.join("proc/filesystems"), "nodev\toverlay\n").unwrap();
    fs_err::write(folder.join("hosts"), "127.0.0.1 localhost sea.hub\n").unwrap();
    let none = folder.join("none");
    let at = |name: &str| folder.join(name);
    let mut places = HostPlaces {
        temporary: at("tmp"),
        hosts: at("hosts"),
        proc: at("proc"),
        modules: none.clone(),
        daemon_json: at("daemon.json"),
        engine,
        engine_is_named: false,
        doubtful_proxies: Vec::new(),
        path: Some(at("bin").into()),
        upstream: UpstreamPlaces { path: at("bin").into(), ..UpstreamPlaces::default() },
        program: None,
        is_root: true,
        now: SystemTime::UNIX_EPOCH + Duration::from_hours(500_000),
        limit: Duration::from_secs(20),
        resolve: |_| Ok(vec![std::net::Ipv4Addr::LOCALHOST.into()]),
        is_own: |address| address.is_loopback(),
        ..HostPlaces::from_env(&at("root"), &at("cache"))
    };
    places.registries.named = None;
    places.registries.user = Some(none.clone());
    places.registries.system = Some(none.clone());
    places.logins.named = None;
    places.logins.usual = vec![none.clone()];
    places.certificates.folders = vec![none];
    places
}

fn said(folder: &Path, findings: &[Finding]) -> String {
    // How large the disk is, and what it is, is this machine's.
    let fixed = findings.iter().filter(|one| !one.check.starts_with("disk-") && one.check != "store-file-system");
    fixed.map(Finding::text).collect::<String>().replace(folder.to_str().unwrap(), "[DIR]")
}

/// Only what is about the engine, without the words that say so.
fn about_engine(folder: &Path, findings: &[Finding]) -> String {
    let engine: Vec<Finding> = findings.iter().filter(|one| one.concern == Concern::Engine).cloned().collect();
    said(folder, &engine).replace(" (only for builds with an engine)", "")
}

#[test]
fn a_machine_that_has_all_is_good_and_every_good_thing_is_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path();
    let insecure = ["sea.hub", "sea.hub:5000"];
    let answers = Answers::from([version("19.03.14-sealer"), info(&insecure, "", ""), images(&[])]);
    let places = machine(there, engine(there, answers));
    let mirrors = json!([{"domain": "*", "mirrors": ["http://sea.hub:5000"]}]);
    let settings = json!({"insecure-registries": insecure, "mirror-registries": mirrors});
    fs_err::write(&places.daemon_json, settings.to_string()).unwrap();
    fs_err::write(there.join("bin/sealer"), "#!/bin/sh\necho '{\"gitVersion\":\"v0.8.5\"}'\n").unwrap();
    fs_err::set_permissions(there.join("bin/sealer"), PermissionsExt::from_mode(0o755)).unwrap();
    let findings = check_host(&places);
    insta::assert_snapshot!(said(there, &findings));
    let others = findings.iter().filter(|one| !one.check.starts_with("disk-") && one.check != "store-file-system");
    assert!(others.into_iter().all(|finding| finding.verdict == Verdict::Good));
}

#[test]
fn an_upstream_engine_with_sealer_s_settings_and_images_is_told_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path();
    let many: Vec<String> = (10..35).map(|number| format!("team/app:v{number}")).collect();
    let mut tags: Vec<&str> = many.iter().map(String::as_str).collect();
    tags.extend(["sea.hub:5000/library/nginx:v1", "SEA.hub/x:v2", "mysea.hub/x:v3", "sea.hub:v4"]);
    let proxy = "http://bob:hunter2@proxy.corp:3128";
    let answers = Answers::from([version("20.10.24"), info(&[], proxy, "localhost"), images(&tags)]);
    let places = machine(there, engine(there, answers));
    fs_err::write(&places.daemon_json, "{\n  \"mirror-registries\": []\n}\n").unwrap();
    fs_err::write(&places.hosts, "203.0.113.7 sea.hub\n").unwrap();
    let findings = check_host(&places);
    let said = about_engine(there, &findings);
    assert!(!said.contains("hunter2") && !said.contains("bob"), "{said}");
    insta::assert_snapshot!(said);
    // None of it keeps this program from building.
    assert!(findings.iter().any(|finding| finding.verdict == Verdict::Error));
    assert!(worst(&findings) < Verdict::Error);
}

#[test]
fn engines_that_do_not_answer_are_told_from_each_other() {
    let mut cases = Vec::new();
    let mut case = |name: &str, change: &dyn Fn(&Path, &mut HostPlaces)| {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path();
        let mut places = machine(there, EngineHost::new(&format!("unix://{}", there.join("s").display())));
        change(there, &mut places);
        let findings = check_host(&places);
        cases.push(format!("{name}\n{}", about_engine(there, &findings)));
    };
    let dockerd = |there: &Path, version: &str| {
        let text = format!("#!/bin/sh\n[ \"$*\" = --version ] && echo 'Docker version {version}, build 711cc111cf'\n");
        fs_err::write(there.join("bin/dockerd"), text).unwrap();
        fs_err::set_permissions(there.join("bin/dockerd"), PermissionsExt::from_mode(0o755)).unwrap();
    };
    case("nothing is there", &|_, _| {});
    case("a socket was named", &|_, places| places.engine_is_named = true);
    case("nobody listens", &|there, _| drop(UnixListener::bind(there.join("s")).unwrap()));
    case("it is none of the places that are asked", &|_, places| places.engine = EngineHost::new("ssh://user@host"));
    case("something else listens", &|there, places| {
        fs_err::create_dir(there.join("x")).unwrap();
        places.engine = engine(&there.join("x"), Answers::from([("/version", (200, "<html>".to_owned()))]));
    });
    case("it is in trouble", &|there, places| {
        fs_err::create_dir(there.join("x")).unwrap();
        let trouble = "{\"message\":\"disk on fire\\u001b[2J\"}".to_owned();
        places.engine = engine(&there.join("x"), Answers::from([("/version", (500, trouble))]));
    });
    case("it says nothing", &|there, places| {
        let listener = UnixListener::bind(there.join("s")).unwrap();
        std::thread::spawn(move || {
            // They are held until the test is over.
            let mut held = Vec::new();
            for stream in listener.incoming() {
                held.push(stream);
            }
        });
        places.limit = Duration::from_millis(300);
    });
    case("an old one", &|there, places| {
        fs_err::create_dir(there.join("x")).unwrap();
        places.engine = engine(&there.join("x"), Answers::from([version("19.03.14-sealer")]));
    });
    case("it is installed and does not start for its settings", &|there, places| {
        dockerd(there, "20.10.24");
        fs_err::write(&places.daemon_json, "{\"mirror-registries\": []}").unwrap();
    });
    case("sealer's is installed", &|there, places| {
        dockerd(there, "19.03.14-sealer");
        fs_err::write(&places.daemon_json, "{\"insecure-registries\": [\"sea.hub\", \"sea.hub:5000\"]}").unwrap();
    });
    insta::assert_snapshot!(cases.join("\n"));
}

#[test]
fn a_clock_that_is_off_keeps_everybody_from_registries() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path();
    let program = there.join("program");
    let file = fs_err::File::create(&program).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_200_000)).unwrap();
    let places = machine(there, EngineHost::new("unix:///nowhere"));
    let clock = |seconds: u64| {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let places = HostPlaces { now, program: Some(program.clone()), ..places.clone() };
        clock::check(&places).iter().map(Finding::text).collect::<String>()
    };
    insta::assert_snapshot!([0, 1_735_689_599, 1_800_113_599, 1_800_113_600].map(clock).concat());
}

#[test]
fn words_of_strangers_stay_on_their_line() {
    let finding = Finding::new(Verdict::Note, "x", "a\nb\u{1b}[2J", "https://u:hunter2@h/?q=1").remedy("c\td");
    insta::assert_snapshot!(presentable(finding).text(), @r"
    note: a b\u{1b}[2J: https://u:*******@h/?***
      remedy: c d
    ");
}
