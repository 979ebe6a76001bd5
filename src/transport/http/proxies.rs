//! Proxies, as the usual variables name them: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in capitals or not.
//!
//! As with Docker and skopeo, loopback is never asked through a proxy, whatever the variables say.

use hyper_util::client::proxy::matcher::Matcher;
use url::{Host, Url};

/// Which proxy is used for which URL; only for messages, the client decides by the same rules.
pub(crate) struct Proxies(Matcher);

impl Proxies {
    pub(crate) fn from_env() -> Self {
        Self(Matcher::from_env())
    }

    /// The proxy for the URL, without its user and password.
    pub(crate) fn on_the_way_to(&self, url: &Url) -> Option<String> {
        if is_loopback(url) {
            return None;
        }
        let proxy = self.0.intercept(&url.as_str().parse().ok()?)?;
        let uri = proxy.uri();
        let authority = uri.authority()?.as_str();
        // The matcher removes user and password; nothing depends on that here.
        let authority = authority.rsplit('@').next().unwrap_or(authority);
        Some(format!("{}://{authority}", uri.scheme_str().unwrap_or("http")))
    }
}

/// Problems with the variables that name proxies: one sentence for each one that the client would ignore.
#[must_use]
pub(crate) fn doubtful_proxies() -> Vec<String> {
    let names = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];
    let names = names.into_iter().flat_map(|name| [name.to_owned(), name.to_lowercase()]);
    let set = names.filter_map(|name| Some((std::env::var(&name).ok().filter(|value| !value.is_empty())?, name)));
    let wrong = set.filter(|(value, _)| !is_proxy(value));
    // The value may hold a password.
    wrong.map(|(_, name)| format!("`{name}` is not the URL of a proxy and is ignored")).collect()
}

fn is_proxy(value: &str) -> bool {
    let text = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let is_known = |url: &Url| matches!(url.scheme(), "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h");
    Url::parse(&text).is_ok_and(|url| is_known(&url) && url.has_host())
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_recognised() {
        let is = |url| is_loopback(&Url::parse(url).unwrap());
        assert!(
            ["http://127.0.0.1:5/", "http://[::1]/", "http://localhost/", "http://a.localhost/"]
                .map(is)
                .iter()
                .all(|is| *is)
        );
        assert!(!["http://10.0.0.1/", "http://localhost.com/", "http://127.0.0.1.com/"].map(is).iter().any(|is| *is));
    }

    #[test]
    fn proxies_are_shown_without_their_login() {
        let matcher = Matcher::builder().all("http://bob:s3cret@proxy.corp:3128").no("inside.corp").build();
        let proxies = Proxies(matcher);
        let on_the_way = |url| proxies.on_the_way_to(&Url::parse(url).unwrap());
        assert_eq!(on_the_way("https://quay.io/x").as_deref(), Some("http://proxy.corp:3128"));
        assert_eq!([on_the_way("https://a.inside.corp/x"), on_the_way("http://127.0.0.1:1/x")], [None, None]);
        for (value, is) in [
            ("http://p:1", true),
            ("p.corp:3128", true),
            ("socks5h://u:p@p:1080", true),
            ("ftp://p", false),
            ("http://", false),
            ("http://[", false),
        ] {
            assert_eq!(is_proxy(value), is, "{value}");
        }
    }
}
