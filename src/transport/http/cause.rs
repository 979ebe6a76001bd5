//! Why the HTTP client failed, from the types of its errors.

use std::error::Error;
use std::io::{self, ErrorKind};

use hyper_util::client::legacy;
use rustls::{AlertDescription, CertificateError};

use crate::transport::text::one_line;

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    Tls(TlsFault),
    /// A proxy asks for a login.
    ProxyLogin,
    /// On one line.
    Other(String),
}

/// Why there is no trusted connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// The server does not speak TLS.
    #[error("the server does not speak TLS")]
    NoTls,
    /// The server asks for a client certificate, or for another one.
    #[error("the server asks for a client certificate that it knows")]
    ClientCertificate,
    /// The server's certificate is not accepted.
    #[error("the certificate is not trusted: {0}")]
    Certificate(&'static str),
    /// Client and server have no common version or cipher, or the server ended the handshake.
    #[error("{0}")]
    Handshake(&'static str),
}

impl Cause {
    /// The usual causes in our words; for others, the informative levels of the error chain.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        let mut reasons: Vec<String> = Vec::new();
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(usual) = usual(error) {
                return usual;
            }
            // `io::Error::source` skips the error that it wraps.
            let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            next = wrapped.map_or_else(|| error.source(), |wrapped| Some(wrapped as &(dyn Error + 'static)));
            // The client's own levels only say that sending a request failed.
            let is_client_s = error.is::<reqwest::Error>() || error.is::<legacy::Error>() || error.is::<hyper::Error>();
            let reason = one_line(&error.to_string());
            if !(is_client_s && next.is_some()) && reasons.last() != Some(&reason) {
                reasons.push(reason);
            }
        }
        Self::Other(reasons.join(": "))
    }
}

fn usual(error: &(dyn Error + 'static)) -> Option<Cause> {
    if let Some(error) = error.downcast_ref() {
        return Some(Cause::Tls(TlsFault::of(error)));
    }
    let known = match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(ErrorKind::ConnectionRefused) => "connection refused",
        Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe) => "connection reset",
        Some(ErrorKind::TimedOut) => "timed out",
        Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) => "there is no route to the host",
        _ => return untyped(&error.to_string()),
    };
    Some(Cause::Other(known.to_owned()))
}

/// Two kinds of errors have a fixed text each and no type: the client does not export the one of its tunnels through
/// proxies, and the standard library puts the error numbers of getaddrinfo(3) into the words of glibc or musl.
fn untyped(text: &str) -> Option<Cause> {
    let known = match text {
        "tunnel error: proxy authorization required" => return Some(Cause::ProxyLogin),
        "tunnel error: unsuccessful" => "the proxy refuses to connect to the server",
        "tunnel error: unexpected end of file" => "the proxy ended the connection",
        _ => match text.strip_prefix("failed to lookup address information: ")? {
            "Name or service not known" | "No address associated with hostname" | "Name does not resolve" => {
                "no such host"
            }
            "Temporary failure in name resolution" | "Try again" => "no answer from the name servers",
            said => {
                return Some(Cause::Other(format!("the host's name cannot be looked up: {}", one_line(said))));
            }
        },
    };
    Some(Cause::Other(known.to_owned()))
}

impl TlsFault {
    /// Not the library's text, which is often meant for programmers.
    pub(super) fn of(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidMessage(_) => Self::NoTls,
            rustls::Error::AlertReceived(alert) => match alert {
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied
                | AlertDescription::DecryptError => Self::ClientCertificate,
                AlertDescription::HandshakeFailure
                | AlertDescription::ProtocolVersion
                | AlertDescription::InsufficientSecurity => Self::Handshake(NOTHING_IN_COMMON),
                AlertDescription::UnrecognisedName => Self::Handshake("the server does not know a host with this name"),
                _ => Self::Handshake("the server ended the handshake"),
            },
            rustls::Error::PeerIncompatible(_) => Self::Handshake(NOTHING_IN_COMMON),
            rustls::Error::InvalidCertificate(why) => Self::Certificate(of_certificate(why)),
            rustls::Error::InconsistentKeys(_) => Self::Handshake("the key is not that of the client certificate"),
            _ => Self::Handshake("the server violates the rules of TLS"),
        }
    }
}

const NOTHING_IN_COMMON: &str = "the server does not speak a safe version of TLS, or has no safe cipher";

fn of_certificate(why: &CertificateError) -> &'static str {
    match why {
        CertificateError::UnknownIssuer => "its issuer is unknown",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; is the clock right?"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => "it is for another host",
        CertificateError::Revoked => "it was revoked",
        CertificateError::BadSignature => "its signature is wrong",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => "it is not for servers",
        CertificateError::Other(error) if is_ca(error) => "it is the certificate of a CA, not of a server",
        _ => "it violates the rules for certificates",
    }
}

fn is_ca(error: &rustls::OtherError) -> bool {
    matches!(error.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Level(&'static str, #[source] Box<dyn Error + Send + Sync>);

    fn said(inner: impl Into<Box<dyn Error + Send + Sync>>) -> Cause {
        Cause::of(&*inner.into())
    }

    fn other(reason: &str) -> Cause {
        Cause::Other(reason.to_owned())
    }

    #[test]
    fn the_usual_causes_are_in_our_words() {
        let tcp = |error: io::Error| said(Level("tcp connect error", error.into()));
        assert_eq!(tcp(io::Error::from_raw_os_error(111)), other("connection refused"));
        assert_eq!(tcp(ErrorKind::TimedOut.into()), other("timed out"));
        assert_eq!(tcp(io::Error::from_raw_os_error(104)), other("connection reset"));
        assert_eq!(tcp(io::Error::from_raw_os_error(113)), other("there is no route to the host"));
        let name = |text: &str| {
            let text = format!("failed to lookup address information: {text}");
            said(Level("dns error", io::Error::other(text).into()))
        };
        assert_eq!(name("Name or service not known"), other("no such host"));
        assert_eq!(name("Temporary failure in name resolution"), other("no answer from the name servers"));
        assert_eq!(name("odd"), other("the host's name cannot be looked up: odd"));
        assert_eq!(said(Level("a", Level("b", "b".into()).into())), other("a: b"));
    }

    #[test]
    fn no_text_of_the_tls_library_is_shown() {
        let tls = |error: rustls::Error| match said(io::Error::new(ErrorKind::InvalidData, error)) {
            Cause::Tls(fault) => fault.to_string(),
            cause => panic!("{cause:?}"),
        };
        let unnamed = |error| CertificateError::Other(rustls::OtherError(Arc::new(error)));
        let said = [
            tls(rustls::InvalidMessage::InvalidContentType.into()),
            tls(rustls::Error::AlertReceived(AlertDescription::CertificateRequired)),
            tls(rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)),
            tls(rustls::Error::AlertReceived(AlertDescription::InternalError)),
            tls(CertificateError::UnknownIssuer.into()),
            tls(unnamed(webpki::Error::CaUsedAsEndEntity).into()),
            tls(unnamed(webpki::Error::UnsupportedCertVersion).into()),
            tls(rustls::Error::PeerMisbehaved(rustls::PeerMisbehaved::UnsolicitedEchExtension)),
        ];
        insta::assert_snapshot!(said.join("\n"), @"
        the server does not speak TLS
        the server asks for a client certificate that it knows
        the server does not speak a safe version of TLS, or has no safe cipher
        the server ended the handshake
        the certificate is not trusted: its issuer is unknown
        the certificate is not trusted: it is the certificate of a CA, not of a server
        the certificate is not trusted: it violates the rules for certificates
        the server violates the rules of TLS
        ");
    }

    #[test]
    fn a_name_that_is_none_is_no_such_host() {
        use std::net::ToSocketAddrs;

        // `.invalid` is never assigned (RFC 6761); without a name server the message differs, but is also ours.
        let error = ("host.invalid", 443).to_socket_addrs().unwrap_err();
        let cause = said(Level("dns error", error.into()));
        assert!([other("no such host"), other("no answer from the name servers")].contains(&cause), "{cause:?}");
    }
}
