//! Text from outside, made safe for messages: URLs and answers of servers.

use url::Url;

/// The most characters of an outside text that a message shows.
const WORDS: usize = 200;

/// The URL without credentials, query string and fragment, which may hold secrets.
#[must_use]
pub(crate) fn redacted_url(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // This fails only for a URL without host, which has no credentials to remove.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// A text from outside: short, on one line, and without terminal control codes.
pub(super) fn one_line(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(|c| !c.is_control()).take(WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_codes_are_not_shown() {
        let url = Url::parse("https://user:pass@host:1/a/b?X-Signature=1#f").unwrap();
        assert_eq!(redacted_url(&url), "https://host:1/a/b");
        assert_eq!(one_line("  a\n\u{1b}[31mb\tc "), "a [31mb c");
        assert_eq!(one_line(&"x".repeat(1000)).len(), WORDS);
    }
}
