//! The user's mirrors for URLs: `PREFIX=LOCATION`.

use url::Url;

use crate::transport::redacted_url;

/// Sends URLs that start with a prefix to another place first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlMirror {
    prefix: String,
    location: String,
}

/// Why a text is no [`UrlMirror`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a URL mirror: {reason}; write PREFIX=LOCATION, as in `https://example.com/=https://mirror.local/`"
)]
pub struct MirrorError {
    text: String,
    reason: &'static str,
}

impl UrlMirror {
    /// Reads `PREFIX=LOCATION`; both are http or https URLs without query, and credentials only in the location.
    pub fn parse(text: &str) -> Result<Self, MirrorError> {
        // A location may contain a password: the error for a malformed text only shows the prefix.
        let (prefix, location) = text.split_once('=').unwrap_or((text, ""));
        let error = |reason| MirrorError { text: prefix.split('@').next_back().unwrap_or_default().to_owned(), reason };
        if location.is_empty() {
            return Err(error("it has no `=` with a location after it"));
        }
        let plain = |part: &str| {
            let url = Url::parse(part).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
            (url.query().is_none() && url.fragment().is_none()).then_some(url)
        };
        let prefix = plain(prefix).ok_or_else(|| error("its prefix is not an http or https URL without query"))?;
        let location =
            plain(location).ok_or_else(|| error("its location is not an http or https URL without query"))?;
        if !prefix.username().is_empty() || prefix.password().is_some() {
            return Err(error("its prefix has a user or password"));
        }
        Ok(Self { prefix: prefix.into(), location: location.into() })
    }

    /// Reads several, separated by commas; empty ones are skipped.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, MirrorError> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Self::parse).collect()
    }

    /// The mirror's URL for this URL; `None` if the mirror is not for it.
    ///
    /// A prefix ends where a part of the path ends: `https://a.b/c` is not a prefix of `https://a.b/cd`.
    #[must_use]
    pub fn apply(&self, url: &Url) -> Option<Url> {
        let rest = url.as_str().strip_prefix(&self.prefix)?;
        let is_whole = self.prefix.ends_with('/') || rest.is_empty() || rest.starts_with(['/', '?', '#']);
        let separator = if self.prefix.ends_with('/') && !self.location.ends_with('/') { "/" } else { "" };
        is_whole.then(|| Url::parse(&format!("{}{separator}{rest}", self.location)).ok()).flatten()
    }

    /// Whether it is used without TLS.
    #[must_use]
    pub(crate) fn is_http(&self) -> bool {
        self.location.starts_with("http:")
    }

    /// The location, for messages.
    #[must_use]
    pub fn shown(&self) -> String {
        Url::parse(&self.location).map(|url| redacted_url(&url)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_led_to_the_mirror() {
        for (mirror, url, expected) in [
            ("https://a.b/=http://m:1/x/", "https://a.b/c/d?e=f", Some("http://m:1/x/c/d?e=f")),
            ("https://a.b=http://m:1/x", "https://a.b/c", Some("http://m:1/x/c")),
            ("https://a.b/c=https://m/n", "https://a.b/c/d", Some("https://m/n/d")),
            ("https://a.b/c=https://m/n", "https://a.b/c?d", Some("https://m/n?d")),
            ("https://a.b/c=https://m/n", "https://a.b/cd", None),
            ("https://a.b/=https://m/", "https://a.bc/", None),
            ("https://a.b/=https://m/", "http://a.b/x", None),
            ("https://a.b/=https://user:pw@m/", "https://a.b/x", Some("https://user:pw@m/x")),
        ] {
            let led = UrlMirror::parse(mirror).unwrap().apply(&Url::parse(url).unwrap());
            assert_eq!(led.as_ref().map(Url::as_str), expected, "{mirror} {url}");
        }
    }

    #[test]
    fn lists_are_read_and_mistakes_named_without_secrets() {
        assert_eq!(UrlMirror::parse_list(" https://a/=https://b/,,https://c/=http://d/ ").unwrap().len(), 2);
        let messages: Vec<String> = [
            "https://a/",
            "https://a/=",
            "a=https://b/",
            "https://a/=ftp://user:secret@b/",
            "https://user:secret@a/=https://b/",
            "https://a/=https://b/?secret",
            "https://a/,https://b/=https://c/",
        ]
        .iter()
        .map(|text| UrlMirror::parse_list(text).unwrap_err().to_string())
        .collect();
        assert!(!messages.concat().contains("secret"));
        insta::assert_snapshot!(messages.join("\n"), @"
        `https://a/` is not a URL mirror: it has no `=` with a location after it; write PREFIX=LOCATION, as in `https://example.com/=https://mirror.local/`
        `https://a/` is not a URL mirror: it has no `=` with a location after it; write PREFIX=LOCATION, as in `https://example.com/=https://mirror.local/`
        `a` is not a URL mirror: its prefix is not an http or https URL without query; write PREFIX=LOCATION, as in `https://example.com/=https://mirror.local/`
        `https://a/` is not a URL mirror: its location is not an http or https URL without query; write PREFIX=LOCATION, as in `https://example.com/=https://mirror.local/`
        `a/` is not a URL mirror: its prefix has a user or password; write PREFIX=LOCATION, as in `https://example.com/=https://mirror.local/`
        `https://a/` is not a URL mirror: its location is not an http or https URL without query; write PREFIX=LOCATION, as in `https://example.com/=https://mirror.local/`
        `https://a/` is not a URL mirror: it has no `=` with a location after it; write PREFIX=LOCATION, as in `https://example.com/=https://mirror.local/`
        ");
    }
}
