//! Edits of files as they are in the wild.

use super::*;
use crate::types::golden::shared;

/// The lines that are only in `new`, with the number of those that are only in `old`; all others are in order.
fn new_lines<'n>(old: &str, new: &'n str) -> (usize, Vec<(usize, &'n str)>) {
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let same_start = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let rest = old.len().min(new.len()) - same_start;
    let same_end = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(old, new)| old == new).count();
    let added = (same_start..new.len() - same_end).map(|at| (at + 1, new[at])).collect();
    (old.len() - same_start - same_end, added)
}

#[test]
fn the_registry_of_calico_is_one_line_more() {
    let Some(old) = shared("data/calico/custom-resources.yaml") else { return };
    let selector = DocumentSelector {
        kind: Some("Installation".to_owned()),
        name: Some("default".to_owned()),
        ..DocumentSelector::default()
    };
    let add = Operation::Add { path: "/spec/registry".parse().unwrap(), value: "sea.hub:5000".into() };
    let new = patch(&old, Format::Yaml, Some(&selector), &[add]).unwrap();
    let (old, new) = (String::from_utf8(old).unwrap(), String::from_utf8(new).unwrap());
    assert_eq!(new_lines(&old, &new), (0, vec![(17, "  registry: sea.hub:5000\n")]));
    assert!(new.contains("nodeSelector: all()\n  registry"));
}

#[test]
fn the_engine_is_configured_without_the_mirrors() {
    const MIRRORS: &str = r#"  "mirror-registries": [
    {
      "domain": "*",
      "mirrors": [
        "http://sea.hub:5000"
      ]
    }
  ]"#;
    let debug = "  \"debug\": true";
    let options = "  \"log-opts\": {\n    \"max-size\": \"10m\",\n    \"max-file\":   \"3\"\n  }";
    let remove = [Operation::Remove { path: "/mirror-registries".parse().unwrap() }];
    let written = |entries: &[&str]| format!("{{\n{}\n}}\n", entries.join(",\n"));
    for (old, expected) in [
        (written(&[debug, MIRRORS, options]), written(&[debug, options])),
        (written(&[MIRRORS, debug, options]), written(&[debug, options])),
        (written(&[debug, options, MIRRORS]), written(&[debug, options])),
        (written(&[MIRRORS]), "{}\n".to_owned()),
    ] {
        let new = patch(old.as_bytes(), Format::Json, None, &remove).unwrap();
        assert_eq!(String::from_utf8(new).unwrap(), expected);
    }
}
