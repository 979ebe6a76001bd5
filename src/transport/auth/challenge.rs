//! What a registry asks for: `WWW-Authenticate`.

/// A way to authenticate that a registry offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// A token from `realm`. Format: distribution's token authentication specification.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
    /// User and password with each request. RFC 7617.
    Basic,
}

/// The first supported challenge of a header; a bearer token is preferred over a password. RFC 9110, 11.6.1.
pub(crate) fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let mut found = None;
    for header in headers {
        for (scheme, parameters) in challenges(header) {
            let get = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
            match scheme.as_str() {
                "bearer" => {
                    if let Some(realm) = get("realm") {
                        return Some(Challenge::Bearer { realm, service: get("service"), scope: get("scope") });
                    }
                }
                "basic" => found = Some(Challenge::Basic),
                _ => {}
            }
        }
    }
    found
}

/// Schemes, in lower case, each with its parameters, their names in lower case.
fn challenges(header: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut all: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find(|c: char| !is_token(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            // The end, or something outside this grammar.
            return all;
        }
        let spaces_skipped = after.trim_start_matches([' ', '\t']);
        match (spaces_skipped.strip_prefix('='), all.last_mut()) {
            (Some(value), Some((_, parameters))) => {
                let (value, left) = value_of(value.trim_start_matches([' ', '\t']));
                parameters.push((word.to_ascii_lowercase(), value));
                rest = left;
            }
            (Some(_), None) => return all,
            (None, _) => {
                all.push((word.to_ascii_lowercase(), Vec::new()));
                rest = after;
            }
        }
    }
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// A token or a quoted text at the start, and what is left.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        // Registries write URLs and scopes without quotes too: up to the comma.
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Challenge::Bearer { realm: realm.to_owned(), service: own(service), scope: own(scope) }
    }

    #[test]
    fn challenges_of_registries_are_understood() {
        let scope = "repository:library/nginx:pull,push";
        for (header, expected) in [
            (
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull,push""#,
                Some(bearer("https://auth.docker.io/token", Some("registry.docker.io"), Some(scope))),
            ),
            (r#"bearer  Realm = "https://a/t" , service="x""#, Some(bearer("https://a/t", Some("x"), None))),
            ("Bearer realm=https://a/t,service=x y", Some(bearer("https://a/t", Some("x"), None))),
            (r#"Bearer realm="a\"b",error="invalid_token""#, Some(bearer("a\"b", None, None))),
            (r#"Basic realm="x, y", Bearer realm="https://a/t""#, Some(bearer("https://a/t", None, None))),
            (r#"Negotiate, Basic realm="Registry""#, Some(Challenge::Basic)),
            (r#"Bearer realm="unclosed"#, Some(bearer("unclosed", None, None))),
            ("Bearer service=\"x\"", None),
            ("Negotiate", None),
            ("=x", None),
            ("\"", None),
            ("", None),
        ] {
            assert_eq!(parse(std::iter::once(header)), expected, "{header}");
        }
        let several = ["Basic realm=\"x\"", "Bearer realm=\"https://a/t\""];
        assert_eq!(parse(several.into_iter()), Some(bearer("https://a/t", None, None)));
    }

    proptest::proptest! {
        #[test]
        fn any_header_ends(header in ".{0,80}") {
            parse(std::iter::once(header.as_str()));
        }
    }
}
