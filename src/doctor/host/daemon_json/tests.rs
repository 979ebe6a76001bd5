use std::path::Path;

use super::*;

/// The example of sealer's FAQ.
const FAQ: &str = r#"{
  "debug": true,
  "max-concurrent-downloads": 20,
  "log-driver": "json-file",
  "log-level": "info",
  "log-opts": {
    "max-size": "10m",
    "max-file": "3"
  },
  "insecure-registries": [
    "sea.hub",
    "sea.hub:5000"
  ],
  "mirror-registries": [
    {
      "domain": "*",
      "mirrors": [
        "http://sea.hub:5000"
      ]
    }
  ],
  "data-root": "/var/lib/docker"
}
"#;

fn sealer() -> Flavour {
    Flavour::of("19.03.14-sealer")
}

fn upstream() -> Flavour {
    Flavour::of("20.10.24")
}

fn running(insecure: &[&str]) -> EngineSettings {
    EngineSettings { insecure: insecure.iter().map(|name| (*name).to_owned()).collect(), ..EngineSettings::default() }
}

fn said(text: &str, flavour: Option<&Flavour>, running: Option<&EngineSettings>) -> String {
    let findings = judge(Path::new("/etc/docker/daemon.json"), &Ok(text.as_bytes().to_vec()), flavour, running);
    assert!(findings.iter().all(|finding| finding.concern == crate::doctor::finding::Concern::Engine));
    let said: String = findings.iter().map(Finding::text).collect();
    said.replace(" (only for builds with an engine)", "")
}

#[test]
fn the_faq_s_example_is_right_for_sealer_s_engine_and_stops_another() {
    let without = FAQ.replace("mirror-registries", "x");
    let cases = [
        said(FAQ, Some(&sealer()), None),
        said(FAQ, Some(&upstream()), None),
        said(FAQ, None, None),
        said(&without, Some(&upstream()), None),
        said(&without, Some(&sealer()), None),
    ];
    insta::assert_snapshot!(cases.join("\n"));
}

#[test]
fn what_no_engine_starts_on_is_shown_with_its_place() {
    // Tried with Docker 20.10, all of them.
    let cases = [
        "",
        " \n",
        "\u{feff}{}",
        "[]",
        "{\"debug\": true,}",
        "{\n  \"insecure-registries\": [\"sea.hub\", \"sea.hub:5000\"]\n  \"debug\": true\n}",
        "{\"insecure-registries\": \"sea.hub\"}",
        "{\"insecure-registries\": [\"sea.hub\", \"sea.hub:5000\", 1]}",
        "{\"insecure-registries\": [\"sea.hub\", \"sea.hub:5000\"], \"log-opts\": {\n  \"max-file\": 3}}",
        "{\"insecure-registries\": [\"sea.hub\", \"sea.hub:5000\"], \"debug\": \"true\"}",
        "{\"insecure-registries\": [\"sea.hub\", \"sea.hub:5000\"], \"max-concurrent-downloads\": 20.5}",
        "{\"insecure-registries\": [\"sea.hub\", \"sea.hub:5000\"], \"Debug\": true}",
    ];
    let cases: Vec<String> =
        cases.iter().map(|text| format!("{text:?}\n{}", said(text, Some(&upstream()), None))).collect();
    assert!(cases.iter().all(|case| case.contains("\nerror: ")), "{cases:?}");
    insta::assert_snapshot!(cases.join("\n"));
}

#[test]
fn what_engines_take_and_do_nothing_with_is_a_warning() {
    let cases = [
        "{\"debug\": true, \"debug\": false}",
        "{\"insecure-registry\": [\"sea.hub\", \"sea.hub:5000\"]}",
        "{\"insecure-registries\": null, \"debug\": null}",
        "{\"insecure-registries\": [\"http://sea.hub/\", \"x\"]}",
    ];
    let cases: Vec<String> =
        cases.iter().map(|text| format!("{text}\n{}", said(text, Some(&upstream()), None))).collect();
    assert!(cases.iter().all(|case| !case.contains("\nerror: ")), "{cases:?}");
    insta::assert_snapshot!(cases.join("\n"));
}

#[test]
fn mirrors_have_to_lead_all_pulls_to_the_cluster_s_registry() {
    let insecure = "\"insecure-registries\": [\"sea.hub\", \"sea.hub:5000\"]";
    let with =
        |mirrors: &str| said(&format!("{{{insecure},\n\"mirror-registries\": {mirrors}}}"), Some(&sealer()), None);
    let good = "good: /etc/docker/daemon.json: is valid for the engine, and lists the cluster's registry\n";
    for mirrors in [
        r#"[{"domain": "*", "mirrors": ["http://sea.hub:5000"]}]"#,
        r#"[{"domain": "r.example", "mirrors": []}, {"domain": "*", "mirrors": ["https://m", "http://sea.hub:5000/"]}]"#,
    ] {
        assert_eq!(with(mirrors), good, "{mirrors}");
    }
    for mirrors in [
        "[]",
        r#"[{"domain": "r.example", "mirrors": ["http://sea.hub:5000"]}]"#,
        r#"[{"domain": "*", "mirrors": ["https://sea.hub:5000"]}]"#,
        r#"[{"domain": "*", "mirrors": "http://sea.hub:5000"}]"#,
    ] {
        let said = with(mirrors);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(
            lines[0],
            "warning: /etc/docker/daemon.json:2:22: `mirror-registries` does not send all pulls to this machine's \
             registry: nothing is cached",
            "{mirrors}"
        );
        assert_eq!(lines.len(), 3, "{said}");
    }
    assert!(
        with("[\"sea.hub\"]").starts_with("error: /etc/docker/daemon.json:2:23: `mirror-registries` has a value of")
    );
}

#[test]
fn the_engine_that_runs_is_asked_whether_it_knows() {
    let knows = running(&["sea.hub", "sea.hub:5000", "x"]);
    let half = running(&["sea.hub"]);
    let written = "{\"insecure-registries\": [\"sea.hub\", \"sea.hub:5000\"]}";
    let flavour = upstream();
    let absent = |running| {
        let missing = Err(io::Error::from(io::ErrorKind::NotFound));
        let findings = judge(Path::new("/d.json"), &missing, Some(&flavour), running);
        findings.iter().map(Finding::text).collect::<String>()
    };
    let cases = [
        said(written, Some(&flavour), Some(&knows)),
        said(written, Some(&flavour), Some(&half)),
        said("{}", Some(&flavour), Some(&knows)),
        said("{}", Some(&flavour), Some(&half)),
        absent(Some(&knows)),
        absent(Some(&half)),
    ];
    insta::assert_snapshot!(cases.join("\n"));
}

#[test]
fn a_file_that_is_not_there_or_not_for_us() {
    let said = |kind: io::ErrorKind, flavour: Option<Flavour>| {
        let findings = judge(Path::new("/d.json"), &Err(io::Error::from(kind)), flavour.as_ref(), None);
        findings.iter().map(Finding::text).collect::<String>()
    };
    let cases = [
        said(io::ErrorKind::NotFound, None),
        said(io::ErrorKind::NotFound, Some(sealer())),
        said(io::ErrorKind::PermissionDenied, Some(upstream())),
    ];
    insta::assert_snapshot!(cases.join("\n"));
}
