//! What the HTTP client says of a failed request, in our words.

use std::error::Error;
use std::io::{self, ErrorKind};

use rustls::CertificateError;

use super::shown::printable;

/// Why a request failed, on one line, and whether TLS has to do with it.
///
/// The usual causes in our words; of others the levels of the chain that say something.
pub(super) fn reason(error: &(dyn Error + 'static)) -> (String, bool) {
    let (mut reasons, mut is_tls): (Vec<String>, _) = (Vec::new(), false);
    let mut next = error.source();
    while let Some(error) = next {
        is_tls |= error.is::<rustls::Error>();
        if let Some(words) = usual(error) {
            return (words, is_tls);
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
    (reason, is_tls)
}

fn usual(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return of_tls(error);
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
        rustls::Error::InvalidMessage(_) => return Some("the server does not speak TLS".to_owned()),
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
        reason(&Level("error sending request", Box::new(Level("client error (Connect)", inner.into()))))
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
