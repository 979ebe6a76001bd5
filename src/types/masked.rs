//! Masks passwords and tokens in URLs.

use std::borrow::Cow;

/// The text with the passwords, queries and fragments of the URLs in it masked: a `*` for each of their bytes, so that
/// every other byte stays where it is. Templates (`{{ … }}`) are no secrets and stay.
#[must_use]
pub(crate) fn masked(text: &str) -> Cow<'_, str> {
    let mut spans = Vec::new();
    for (scheme, _) in text.match_indices("://") {
        let start = scheme + "://".len();
        secrets_of(&text[start..], start, &mut spans);
    }
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in spans {
        // A URL in the query of a URL is masked already.
        let start = start.max(done).min(end);
        masked.push_str(&text[done.min(start)..start]);
        cover(&text[start..end.max(start)], &mut masked);
        done = done.max(end);
    }
    masked.push_str(&text[done..]);
    Cow::Owned(masked)
}

/// The spans of the secrets of the URL whose part after `://` begins `rest`, which begins at byte `at`.
fn secrets_of(rest: &str, at: usize, spans: &mut Vec<(usize, usize)>) {
    let url = &rest[..end_of(rest)];
    let tail = url.find(['?', '#']).unwrap_or(url.len());
    let authority = url.find(['/', '?', '#']).unwrap_or(url.len());
    // A password may contain characters that end the host; then it is not a URL, and the error shows this line.
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) || text.contains("{{");
    let user = match (url[..authority].rfind('@'), url[..authority].find(':')) {
        (Some(user), _) => Some(user),
        (None, Some(colon)) if !url.starts_with('[') && !is_port(&url[colon + 1..authority]) => url.rfind('@'),
        (None, _) => None,
    };
    if let Some(user) = user {
        let start = url[..user].find(':').map_or(0, |colon| colon + 1);
        // Help texts use this form as a placeholder.
        if &url[start..user] != "PASSWORD" {
            spans.push((at + start, at + user));
        }
    }
    let query = tail.max(user.unwrap_or(0));
    if query + 1 < url.len() {
        spans.push((at + query + 1, at + url.len()));
    }
}

/// The byte behind a URL: at a blank or a quote, not counting what closes brackets around it. Blanks in templates
/// belong to it.
fn end_of(text: &str) -> usize {
    let mut end = text.len();
    let mut templates = 0_usize;
    for (at, char) in text.char_indices() {
        match char {
            '{' if text[at..].starts_with("{{") => templates += 1,
            '}' if text[at..].starts_with("}}") => templates = templates.saturating_sub(1),
            _ => {}
        }
        let ends = matches!(char, '"' | '\'' | '`' | '<' | '>') || char.is_whitespace();
        if matches!(char, '\n' | '\r') || (ends && templates == 0) {
            end = at;
            break;
        }
    }
    let url = &text[..end];
    if url.ends_with("}}") && url.contains("{{") {
        end
    } else {
        url.trim_end_matches([',', ';', ':', '.', ')', ']', '}']).len()
    }
}

/// Writes a `*` for each byte, and templates as they are.
fn cover(secret: &str, masked: &mut String) {
    let mut rest = secret;
    while !rest.is_empty() {
        let start = rest.find("{{").unwrap_or(rest.len());
        masked.extend(std::iter::repeat_n('*', start));
        let template = rest[start..].find("}}").map_or(rest.len(), |end| start + end + "}}".len());
        masked.push_str(&rest[start..template]);
        rest = &rest[template..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_urls_are_masked_and_the_rest_stays_in_its_place() {
        for (text, expected) in [
            ("plain: text? @ #", "plain: text? @ #"),
            ("url: https://h:1/x?token=abc # c", "url: https://h:1/x?********* # c"),
            ("{url: \"https://u:hunter2@h/x\", a: b}", "{url: \"https://u:*******@h/x\", a: b}"),
            ("[https://h/x?ab, HTTPS://token@h/]", "[https://h/x?**, HTTPS://*****@h/]"),
            ("{url: https://h/?a=b}", "{url: https://h/?***}"),
            ("https://u:p@a:b@h/@scope/x", "https://u:*****@h/@scope/x"),
            ("https://h:8/@scope/x https://[::1]/@a", "https://h:8/@scope/x https://[::1]/@a"),
            ("https://u:pa/ss@h/x https://u:pa?ss@h/x", "https://u:*****@h/x https://u:*****@***"),
            ("is `https://h/x`? https://h/x?", "is `https://h/x`? https://h/x?"),
            ("https://h/{{ values.a }}?t={{ values.t }}&s=x", "https://h/{{ values.a }}?**{{ values.t }}****"),
            ("https://h/?r=https://u:p@g/?x y", "https://h/?****************** y"),
            ("https://h/x#söd, a", "https://h/x#****, a"),
            ("https://h/{{ values.a\nb?c", "https://h/{{ values.a\nb?c"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_moves(text in "(://|[?#@:/{}\"' \na]|\\PC)*") {
            let masked = masked(&text);
            proptest::prop_assert_eq!(masked.len(), text.len());
            for (at, char) in masked.char_indices() {
                proptest::prop_assert!(char == '*' || text[at..].starts_with(char));
            }
        }
    }
}
