//! What the HTTP client says of a failed request, in our words.

use std::error::Error;
use std::io::{self, ErrorKind};

use rustls::{AlertDescription, CertificateError};

use crate::transport::text::printable;

/// What is said where TLS was meant and something else came.
pub(crate) const NO_TLS: &str = "the server does not speak TLS";

/// What is said where the other side wants to see a client certificate, or another one.
pub(crate) const CLIENT_CERTIFICATE: &str = "the server asks for a client certificate that it knows";

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    /// On one line.
    pub(crate) reason: String,
    /// TLS has to do with it.
    pub(crate) is_tls: bool,
    /// A proxy wants to know who asks.
    pub(crate) is_proxy_login: bool,
}

/// Why a request failed: the usual causes in our words; of others the levels of the chain that say something.
pub(crate) fn reason(error: &(dyn Error + 'static)) -> Words {
    let words = |reason: String, is_tls| Words { is_proxy_login: reason == PROXY_LOGIN, reason, is_tls };
    let (mut reasons, mut is_tls): (Vec<String>, _) = (Vec::new(), false);
    let mut next = error.source();
    while let Some(error) = next {
        is_tls |= error.is::<rustls::Error>();
        if let Some(reason) = usual(error) {
            return words(reason, is_tls);
        }
        let reason = printable(&error.to_string());
        // The first levels are the client's own: that there was an error while it sent a request is known.
        let says_nothing = reason.starts_with("client error") || reason.starts_with("error ");
        if !says_nothing && reasons.last() != Some(&reason) {
            reasons.push(reason);
        }
        // An io::Error skips what it wraps when it is asked for its source.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map_or_else(|| error.source(), |wrapped| Some(wrapped as &(dyn Error + 'static)));
    }
    let reason = if reasons.is_empty() { printable(&error.to_string()) } else { reasons.join(": ") };
    words(reason, is_tls)
}

/// The client's word for a 407 of a proxy that was asked to open a way.
const PROXY_LOGIN: &str = "the proxy asks for a login";

/// What the client says of a proxy that did not open a way; its error has no type that could be named.
fn of_proxies(text: &str) -> Option<String> {
    let said = text.strip_prefix("tunnel error: ")?;
    let words = match said {
        "proxy authorization required" => PROXY_LOGIN,
        "unsuccessful" => "the proxy refuses to lead there",
        "unexpected end of file" => "the proxy ended the connection",
        // Its cause says more.
        _ => return None,
    };
    Some(words.to_owned())
}

fn usual(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return of_tls(error);
    }
    if let Some(words) = of_proxies(&error.to_string()) {
        return Some(words);
    }
    let words = match error.downcast_ref::<io::Error>()?.kind() {
        ErrorKind::ConnectionRefused => "connection refused",
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => "connection reset",
        ErrorKind::TimedOut => "timed out",
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "no way leads to the host",
        _ => return of_names(&error.to_string()),
    };
    Some(words.to_owned())
}

/// getaddrinfo(3) has no kinds of its own; these are the texts of glibc and musl.
fn of_names(text: &str) -> Option<String> {
    let said = text.strip_prefix("failed to lookup address information: ")?;
    let words = match said {
        "Name or service not known" | "No address associated with hostname" | "Name does not resolve" => "no such host",
        "Temporary failure in name resolution" | "Try again" => "no answer from the name servers",
        said => return Some(format!("the host's name cannot be looked up: {}", printable(said))),
    };
    Some(words.to_owned())
}

fn of_tls(error: &rustls::Error) -> Option<String> {
    let why = match error {
        rustls::Error::InvalidMessage(_) => return Some(NO_TLS.to_owned()),
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError,
        ) => return Some(CLIENT_CERTIFICATE.to_owned()),
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::UnknownIssuer => "its issuer is unknown".to_owned(),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "it is not valid yet; is the clock right?".to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "it is for another host".to_owned()
            }
            CertificateError::Revoked => "it was revoked".to_owned(),
            why => printable(&why.to_string()),
        },
        _ => return None,
    };
    Some(format!("the certificate is not trusted: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Level(&'static str, #[source] Box<dyn Error + Send + Sync>);

    fn said(inner: impl Into<Box<dyn Error + Send + Sync>>) -> (String, bool) {
        let words = reason(&Level("error sending request", Box::new(Level("client error (Connect)", inner.into()))));
        (words.reason, words.is_tls)
    }

    #[test]
    fn the_usual_causes_are_in_our_words() {
        let tcp = |kind: ErrorKind| said(Level("tcp connect error", io::Error::from(kind).into()));
        let system = |number| said(Level("tcp connect error", io::Error::from_raw_os_error(number).into())).0;
        assert_eq!(system(111), "connection refused");
        assert_eq!(tcp(ErrorKind::TimedOut).0, "timed out");
        assert_eq!((system(104), system(113)), ("connection reset".to_owned(), "no way leads to the host".to_owned()));
        let name = |text: &str| {
            let text = format!("failed to lookup address information: {text}");
            said(Level("dns error", io::Error::other(text).into())).0
        };
        assert_eq!(name("Name or service not known"), "no such host");
        assert_eq!(name("Temporary failure in name resolution"), "no answer from the name servers");
        assert_eq!(name("odd"), "the host's name cannot be looked up: odd");
        let tls = |error: rustls::Error| said(io::Error::new(ErrorKind::InvalidData, error));
        let untrusted = tls(CertificateError::UnknownIssuer.into());
        assert_eq!(untrusted, ("the certificate is not trusted: its issuer is unknown".to_owned(), true));
        let garbage = tls(rustls::InvalidMessage::InvalidContentType.into());
        assert_eq!(garbage, ("the server does not speak TLS".to_owned(), true));
        assert_eq!(said(Level("a", Level("b", "b".into()).into())), ("a: b".to_owned(), false));
    }

    #[test]
    fn a_name_that_is_none_is_no_such_host() {
        use std::net::ToSocketAddrs;

        // `.invalid` is never given away (RFC 6761); without a name server the answer is another one, also ours.
        let error = ("host.invalid", 443).to_socket_addrs().unwrap_err();
        let words = said(Level("dns error", error.into())).0;
        assert!(["no such host", "no answer from the name servers"].contains(&words.as_str()), "{words}");
    }
}
