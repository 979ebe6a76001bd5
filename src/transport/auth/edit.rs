//! Edits of the text of a file with logins.

use serde_json::Value as Json;

use crate::edit::{EditError, Format, Operation, Pointer, patch};
use crate::syntax::{Limits, Value, parse_json};

/// The text after setting `put` (a key and its entry) and removing the keys `out`. All other bytes stay the same. A
/// text without content becomes a file as Docker writes it.
pub(crate) fn edited(text: &str, put: Option<(&str, &Json)>, out: &[String]) -> Result<String, EditError> {
    let auths = Pointer::root().child("auths");
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Ok(put.map_or_else(|| text.to_owned(), |(key, entry)| fresh(key, entry)));
    }
    let has_auths = parse_json(text, Limits::document())
        .is_ok_and(|root| root.get("auths").is_some_and(|auths| matches!(auths.value, Value::Map(_))));
    let put = put.map(|(key, entry)| {
        let (path, value) = if has_auths {
            (auths.child(key), entry.clone())
        } else {
            (auths.clone(), serde_json::json!({key: entry}))
        };
        Operation::Add { path, value }
    });
    let out = out.iter().map(|key| Operation::Remove { path: auths.child(key) });
    // Insert first, while the other entries still show how entries are formatted here.
    let operations: Vec<_> = put.into_iter().chain(out).collect();
    let bytes = patch(text.as_bytes(), Format::Json, None, &operations)?;
    Ok(String::from_utf8(bytes).expect("splices of texts into a text"))
}

fn fresh(key: &str, entry: &Json) -> String {
    let mut bytes = Vec::new();
    let tabs = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, tabs);
    serde::Serialize::serialize(&serde_json::json!({"auths": {key: entry}}), &mut writer)
        .expect("a tree of strings can be written as JSON");
    bytes.push(b'\n');
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(text: &str, out: &[&str]) -> String {
        let out: Vec<String> = out.iter().map(|key| (*key).to_owned()).collect();
        edited(text, Some(("r.example", &serde_json::json!({"auth": "bmV3"}))), &out).unwrap()
    }

    #[test]
    fn only_the_entry_changes() {
        let docker = "{\n\t\"auths\": {\n\t\t\"a.example\": {\n\t\t\t\"auth\": \"b2xk\"\n\t\t}\n\t},\n\t\"credHelpers\":  {\"x\":\"y\"},\n\t\"HttpHeaders\": {\"User-Agent\": \"\\u0041\"}, \"n\": 1.0e5\n}";
        insta::assert_snapshot!(put(docker, &[]), @r#"
        {
        	"auths": {
        		"a.example": {
        			"auth": "b2xk"
        		},
        		"r.example": {
        			"auth": "bmV3"
        		}
        	},
        	"credHelpers":  {"x":"y"},
        	"HttpHeaders": {"User-Agent": "\u0041"}, "n": 1.0e5
        }
        "#);
        let renewed = docker.replace("a.example", "r.example");
        insta::assert_snapshot!(put(&renewed, &[]), @r#"
        {
        	"auths": {
        		"r.example": {
        			"auth": "bmV3"
        		}
        	},
        	"credHelpers":  {"x":"y"},
        	"HttpHeaders": {"User-Agent": "\u0041"}, "n": 1.0e5
        }
        "#);
        let twice = docker.replace("\t\t\"a.example\"", "\t\t\"https://r.example/v1/\": {},\n\t\t\"a.example\"");
        insta::assert_snapshot!(put(&twice, &["https://r.example/v1/"]), @r#"
        {
        	"auths": {
        		"a.example": {
        			"auth": "b2xk"
        		},
        		"r.example": {
        			"auth": "bmV3"
        		}
        	},
        	"credHelpers":  {"x":"y"},
        	"HttpHeaders": {"User-Agent": "\u0041"}, "n": 1.0e5
        }
        "#);
        insta::assert_snapshot!(edited(&renewed, None, &["r.example".to_owned()]).unwrap(), @r#"
        {
        	"auths": {},
        	"credHelpers":  {"x":"y"},
        	"HttpHeaders": {"User-Agent": "\u0041"}, "n": 1.0e5
        }
        "#);
        for (text, expected) in [
            ("{}", r#"{"auths": {"r.example": {"auth": "bmV3"}}}"#),
            (" {\"auths\":{}} ", " {\"auths\":{\"r.example\":{\"auth\":\"bmV3\"}}} "),
            (r#"{"auths":null,"x":1}"#, r#"{"auths":{"r.example":{"auth":"bmV3"}},"x":1}"#),
            (
                "{\r\n  \"a\": 1\r\n}\r\n",
                "{\r\n  \"a\": 1,\r\n  \"auths\": {\r\n    \"r.example\": {\r\n      \"auth\": \"bmV3\"\r\n    }\r\n  }\r\n}\r\n",
            ),
            ("", "{\n\t\"auths\": {\n\t\t\"r.example\": {\n\t\t\t\"auth\": \"bmV3\"\n\t\t}\n\t}\n}\n"),
            ("\u{feff}{}", "\u{feff}{\"auths\": {\"r.example\": {\"auth\": \"bmV3\"}}}"),
        ] {
            assert_eq!(put(text, &[]), expected, "{text:?}");
        }
        assert_eq!(edited("", None, &[]).unwrap(), "");
    }

    proptest::proptest! {
        #[test]
        fn what_others_have_stays(keys in proptest::collection::btree_set("[a-z/.:~\"\\\\é]{0,6}", 0..6), indent in "[ \t]{0,3}") {
            let break_ = if indent.is_empty() { "" } else { "\n" };
            let entries: Vec<String> =
                keys.iter().map(|key| format!("{break_}{indent}{}: {{\"auth\":  \"eDp5\"}}", Json::from(key.as_str()))).collect();
            let text = format!("{{\"x\":  [1 ,2], \"auths\": {{{}{break_}}} ,\"y\": {{}} }}\n", entries.join(","));
            let with = put(&text, &[]);
            for entry in &entries {
                proptest::prop_assert!(with.contains(entry.as_str()), "{}", with);
            }
            let (start, end) = ("{\"x\":  [1 ,2], \"auths\": {", "} ,\"y\": {} }\n");
            proptest::prop_assert!(with.starts_with(start) && with.ends_with(end), "{}", with);
            let without = edited(&with, None, &["r.example".to_owned()]).unwrap();
            let value = |text: &str| serde_json::from_str::<Json>(text).unwrap();
            proptest::prop_assert_eq!(value(&without), value(&text));
        }
    }
}
