//! Secrets that must not be shown: a diff is pasted into pull requests.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::syntax::{Node, Value};

/// What is shown in place of a secret.
pub(super) const HIDDEN: &str = "(hidden)";

static LINE: LazyLock<Regex> = LazyLock::new(|| {
    let line = r#"(?i)((?:password|passwd|secret|token|apikey|api_key|private_key|auth)["']?\s*[:=]\s*)\S.*"#;
    Regex::new(line).expect("a constant that a test compiles")
});

static SECRET_KIND: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^[\s-]*["']?kind["']?\s*:\s*["']?Secret["']?\s*(#.*)?$"#).expect("a constant that a test compiles")
});

static DATA: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"^[\s-]*["']?(data|stringData)["']?\s*:"#).expect("a constant that a test compiles"));

/// Whether a key's name says that its value is a secret.
pub(super) fn is_secret(key: &str) -> bool {
    const WORDS: [&str; 6] = ["password", "passwd", "secret", "token", "apikey", "privatekey"];
    let key: String = key.to_ascii_lowercase().chars().filter(|c| !matches!(c, '_' | '-' | '.')).collect();
    // `imagePullSecrets`, `secretName` and the like only name things; so does everything that is not a scalar.
    WORDS.iter().any(|word| key.ends_with(word)) || key == "auth"
}

/// Whether a value is a Secret of Kubernetes.
pub(super) fn is_secret_object(node: &Node) -> bool {
    node.get("kind").and_then(Node::scalar) == Some("Secret")
}

/// Whether a value has such a key, or has a part that is a Secret with content.
pub(super) fn holds_secret(node: &Node) -> bool {
    if is_secret_object(node) && ["data", "stringData"].iter().any(|field| node.get(field).is_some()) {
        return true;
    }
    match &node.followed().value {
        Value::Map(entries) => entries.iter().any(|(key, value)| {
            (is_secret(key.scalar().unwrap_or_default()) && value.scalar().is_some()) || holds_secret(value)
        }),
        Value::List(elements) => elements.iter().any(holds_secret),
        Value::Plain(text) | Value::Text(text) => LINE.is_match(text),
        Value::Alias(_) => false,
    }
}

/// The lines of a text that are content of a Secret of Kubernetes, whether the text is YAML or a template of it: in a
/// document that says `kind: Secret`, what is deeper than a `data:` or `stringData:`.
pub(super) fn lines_of_secrets<'t>(lines: &[&'t str]) -> BTreeSet<&'t str> {
    let mut found = BTreeSet::new();
    for document in lines.split(|line| line.starts_with("---")) {
        if !document.iter().any(|line| SECRET_KIND.is_match(line)) {
            continue;
        }
        let mut data_at = None;
        for line in document {
            let depth = line.len() - line.trim_start_matches([' ', '-']).len();
            match data_at {
                // Lines of templates may have any indentation.
                Some(data) if depth > data || line.trim().is_empty() || line.trim_start().starts_with("{{") => {
                    found.insert(*line);
                }
                Some(_) | None => data_at = DATA.is_match(line).then_some(depth),
            }
        }
    }
    found
}

/// A line of a Secret without its value.
pub(super) fn without_value(line: &str) -> String {
    match line.split_once(':') {
        Some((key, _)) => format!("{key}: {HIDDEN}"),
        None => HIDDEN.to_owned(),
    }
}

/// A line of text without what looks like the value of a secret.
pub(super) fn without_secrets(line: &str) -> std::borrow::Cow<'_, str> {
    LINE.replace(line, format!("${{1}}{HIDDEN}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for (key, expected) in [
            ("password", true),
            ("REGISTRY_PASSWORD", true),
            ("client-secret", true),
            ("auth", true),
            ("bearer.token", true),
            ("secretName", false),
            ("imagePullSecrets", false),
            ("author", false),
        ] {
            assert_eq!(is_secret(key), expected, "{key}");
        }
        for (line, expected) in [
            ("  password: hunter2", "  password: (hidden)"),
            ("\"auth\": \"dXNlcg==\",", "\"auth\": (hidden)"),
            ("export TOKEN=abc def", "export TOKEN=(hidden)"),
            ("token:", "token:"),
            ("tokens are fine", "tokens are fine"),
        ] {
            assert_eq!(without_secrets(line), expected);
        }
    }
}
