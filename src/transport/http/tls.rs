//! Which server certificates are accepted, and which client certificate is sent.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier as SystemVerifier;

use super::certificates::HostCertificates;
use super::trust::Trust;

/// The settings for a host: the system's CAs, `roots`, and the certificates in the host's own folder.
pub(super) fn settings(
    trust: Trust,
    roots: &[CertificateDer<'static>],
    host: HostCertificates,
) -> Result<ClientConfig, Error> {
    // Ring, which is the one that builds without cmake.
    let provider = Arc::new(ring::default_provider());
    let HostCertificates { authorities, identity } = host;
    let verifier = Verifier::new(trust, roots, authorities, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match identity {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[derive(Debug)]
struct Verifier {
    /// `None` if every certificate is accepted.
    system: Option<SystemVerifier>,
    /// Certificates of the host's folder. As in Docker and skopeo, a server's own certificate is accepted without an
    /// issuer; its name and dates are still checked.
    named: Vec<CertificateDer<'static>>,
    schemes: Vec<SignatureScheme>,
}

impl Verifier {
    fn new(
        trust: Trust,
        roots: &[CertificateDer<'static>],
        named: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let system = match trust {
            Trust::Insecure => None,
            Trust::Verified => {
                let roots = roots.iter().chain(&named).cloned();
                Some(SystemVerifier::new_with_extra_roots(roots, Arc::clone(provider))?)
            }
        };
        Ok(Self { system, named, schemes: provider.signature_verification_algorithms.supported_schemes() })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(system) = &self.system else { return Ok(ServerCertVerified::assertion()) };
        match system.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // These errors come after the check of its dates: a leaf whose issuer is missing or is another one of that
            // name, and a CA's own certificate.
            Err(Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature | CertificateError::Other(_),
            )) if self.named.contains(certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match &self.system {
            Some(system) => system.verify_tls12_signature(message, certificate, signature),
            None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match &self.system {
            Some(system) => system.verify_tls13_signature(message, certificate, signature),
            None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

    use super::*;
    use CertificateError::{ExpiredContext, NotValidForNameContext, NotValidYetContext};

    /// Certificates for `r.example` of the year 2020: one that signs itself as a CA, one that does not, and a CA's leaf.
    fn certificates() -> [(&'static str, CertificateDer<'static>); 3] {
        let params = |is_ca| {
            let mut params = CertificateParams::new(["r.example".to_owned()]).unwrap();
            (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
            params.is_ca = if is_ca { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::NoCa };
            params
        };
        let key = KeyPair::generate().unwrap();
        let own = |is_ca| params(is_ca).self_signed(&key).unwrap().into();
        let issuer = Issuer::new(params(true), KeyPair::generate().unwrap());
        let leaf = params(false).signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        [("self-signed CA", own(true)), ("self-signed", own(false)), ("leaf", leaf.into())]
    }

    #[test]
    fn a_certificate_that_lies_in_the_host_s_folder_is_taken_for_its_name_and_its_days() {
        let provider = Arc::new(ring::default_provider());
        let root = certificates()[0].1.clone();
        let year = |year: u64| UnixTime::since_unix_epoch(Duration::from_secs((year - 1970) * 31_557_600 + 2_000_000));
        for (what, certificate) in certificates() {
            let verify = |named: &[CertificateDer<'static>], name: &'static str, now| {
                let roots = std::slice::from_ref(&root);
                let verifier = Verifier::new(Trust::Verified, roots, named.to_vec(), &provider).unwrap();
                let name = ServerName::try_from(name).unwrap();
                match verifier.verify_server_cert(&certificate, &[], &name, &[], now) {
                    Ok(_) => None,
                    Err(Error::InvalidCertificate(why)) => Some(why),
                    Err(error) => panic!("{what}: {error}"),
                }
            };
            let named = [certificate.clone()];
            assert_eq!(verify(&named, "r.example", year(2020)), None, "{what}");
            assert!(verify(&[], "r.example", year(2020)).is_some(), "{what}");
            let elsewhere = verify(&named, "other.example", year(2020));
            assert!(matches!(elsewhere, Some(NotValidForNameContext { .. })), "{what}: {elsewhere:?}");
            let late = verify(&named, "r.example", year(2022));
            assert!(matches!(late, Some(ExpiredContext { .. })), "{what}: {late:?}");
            let early = verify(&named, "r.example", year(2019));
            assert!(matches!(early, Some(NotValidYetContext { .. })), "{what}: {early:?}");
        }
    }
}
