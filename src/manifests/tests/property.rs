//! What holds for all documents.

use proptest::prelude::*;

use super::*;

const WORDS: &[&str] = &[
    "nginx",
    "nginx:1.25",
    "quay.io/a/b:v1",
    "rook/ceph:v1.9",
    "sea.hub:5000/x/y:1",
    "--x=quay.io/c/d:2",
    "it's",
    "a: b",
    "\"quoted\"",
    "{{ .x }}",
    "é\u{1f600}",
    "",
    "12:30",
    "localhost:8080",
    "Bad Ref",
    "#x",
    "kind: Pod\nimage: \"busybox:1\"\n",
    "a\n  docker pull quay.io/e/f:1\n\nb",
    "{\"image\": \"quay.io/j/s:1\", \"x\": [1, \"it's\"]}",
];

const KEYS: &[&str] = &[
    "image",
    "kind",
    "containers",
    "volumes",
    "brokerImage",
    "repository",
    "tag",
    "registry",
    "args",
    "name",
    "data",
    "spec",
    "apiVersion",
    "version",
    "status",
    "reference",
];

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        4 => prop::sample::select(WORDS).prop_map(serde_json::Value::from),
        1 => prop_oneof![Just(serde_json::json!(5)), Just(serde_json::json!(true)), Just(serde_json::Value::Null)],
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            2 => prop::collection::vec((prop::sample::select(KEYS), inner.clone()), 0..5).prop_map(|entries| {
                serde_json::Value::Object(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::Array),
            // A document inside of a string.
            1 => inner.clone().prop_map(|inner| serde_json::Value::String(serde_yaml::to_string(&inner).unwrap())),
            1 => inner.prop_map(|inner| serde_json::Value::String(inner.to_string())),
        ]
    })
}

fn names(scanned: &Scanned) -> BTreeSet<String> {
    scanned.mentions.iter().map(|mention| format!("{}{}", mention.image.repository(), tag(&mention.image))).collect()
}

fn tag(image: &ImageRef) -> String {
    image.to_string()[image.registry().len() + 1 + image.repository().len()..].to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_listed_is_rewritten_and_demanded(value in value(), as_json in any::<bool>(), is_object in any::<bool>()) {
        let value = if is_object { serde_json::json!({"kind": "X", "spec": value}) } else { value };
        let text = if as_json { serde_json::to_string_pretty(&value).unwrap() } else { serde_yaml::to_string(&value).unwrap() };
        let before = scanned(&text, &["rook/ceph:v1.9"]);
        let result = match before.rewrite(REGISTRY, &|_| true) {
            Ok(result) => result,
            // A container names no image.
            Err(ManifestError::NotAReference { .. }) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(format!("{error}\n{text}"))),
        };
        let new = String::from_utf8(result.bytes).unwrap();
        let after = scanned(&new, &[]);
        // The same images are named, all of them at the cluster's own registry.
        prop_assert_eq!(names(&before), names(&after), "{}\n{}", text, new);
        prop_assert!(after.mentions.iter().all(|mention| mention.image.registry() == REGISTRY), "{}", new);
        prop_assert_eq!(before.mentions.len(), after.mentions.len(), "{}\n{}", text, new);
        let elsewhere = before.mentions.iter().filter(|mention| mention.image.registry() != REGISTRY);
        prop_assert_eq!(result.changes.len(), elsewhere.count());
        // Twice changes nothing.
        let again = after.rewrite(REGISTRY, &|_| true).unwrap();
        prop_assert_eq!(String::from_utf8(again.bytes).unwrap(), new.clone());
        prop_assert!(again.changes.is_empty());
        // What is no mention means what it did.
        let strip = |text: &str| text.replace("sea.hub:5000/", "").replace("quay.io/", "").replace("library/", "");
        let read = |text: &str| serde_yaml::from_str::<serde_json::Value>(&strip(text)).unwrap();
        if before.mentions.iter().all(|mention| mention.kind != Kind::Parts) {
            prop_assert_eq!(read(&text), read(&new));
            prop_assert_eq!(strip(&text), strip(&new));
        }
    }

    #[test]
    fn any_text_is_searched_without_harm(text in "[a-z:/.@{}\\[\\]\"'|>#&*\\-= \n\t0-9\u{e9}]{0,60}") {
        let found = scanned(&text, &[]);
        for mention in &found.mentions {
            prop_assert!(text.get(mention.place.span.range()).is_some());
        }
        if let Ok(new) = found.rewrite(REGISTRY, &|_| true) {
            let after = scanned(&new.bytes, &[]);
            prop_assert!(after.mentions.iter().all(|mention| mention.image.registry() == REGISTRY));
        }
    }
}
