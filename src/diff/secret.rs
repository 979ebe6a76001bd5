//! What must not be told: a diff is pasted into pull requests.

use std::sync::LazyLock;

use regex::Regex;

use crate::syntax::{Node, Value};

/// What is shown in place of a secret.
pub(super) const HIDDEN: &str = "(hidden)";

static LINE: LazyLock<Regex> = LazyLock::new(|| {
    let line = r#"(?i)((?:password|passwd|secret|token|apikey|api_key|private_key|auth)["']?\s*[:=]\s*)\S.*"#;
    Regex::new(line).expect("a constant that a test compiles")
});

/// Whether a key's name says that its value is nobody's business.
pub(super) fn is_secret(key: &str) -> bool {
    const WORDS: [&str; 6] = ["password", "passwd", "secret", "token", "apikey", "privatekey"];
    let key: String = key.to_ascii_lowercase().chars().filter(|c| !matches!(c, '_' | '-' | '.')).collect();
    // `imagePullSecrets`, `secretName` and the like only name things; so does everything that is no scalar.
    WORDS.iter().any(|word| key.ends_with(word)) || key == "auth"
}

/// Whether one of the keys in a value is such a one.
pub(super) fn holds_secret(node: &Node) -> bool {
    match &node.followed().value {
        Value::Map(entries) => entries.iter().any(|(key, value)| {
            (is_secret(key.scalar().unwrap_or_default()) && value.scalar().is_some()) || holds_secret(value)
        }),
        Value::List(elements) => elements.iter().any(holds_secret),
        Value::Plain(text) | Value::Text(text) => LINE.is_match(text),
        Value::Alias(_) => false,
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
