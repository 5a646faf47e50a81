//! Verification of client certificates.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};

use super::super::certificate::Certificate;
use super::super::client_requirements::ClientRequirements;
use super::super::settings::ClientAuth;
use crate::yaml::Problem;

/// A verifier of client certificates.
#[derive(Debug)]
pub(super) struct Check {
    is_mandatory: bool,
    trust: Trust,
    /// Allowed subject alternative names; a certificate needs one of them.
    allowed_sans: Option<Vec<String>>,
    algorithms: WebPkiSupportedAlgorithms,
}

/// The authorities that are trusted.
#[derive(Debug)]
enum Trust {
    /// Certificates are not verified.
    Unverified,
    /// Certificates are verified, and none is trusted.
    NoAuthorities,
    /// The certificates of `own` and those that they sign.
    Authorities { own: Vec<CertificateDer<'static>>, verifier: Arc<dyn ClientCertVerifier> },
}

impl Check {
    pub(super) fn of(client_auth: &ClientRequirements, provider: &Arc<CryptoProvider>) -> Result<Self, Problem> {
        let authorities = client_auth.authorities.as_ref();
        let authorities = authorities.map(|(what, pem)| Ok((super::certificates(what, pem)?, what))).transpose()?;
        let trust = match (client_auth.auth, authorities) {
            (ClientAuth::None | ClientAuth::Request | ClientAuth::RequireAny, _) => Trust::Unverified,
            (_, None) => Trust::NoAuthorities,
            (_, Some((own, what))) => {
                let verifier =
                    verifier(&own, provider).map_err(|error| Problem::general(format!("{what}: {error}")))?;
                Trust::Authorities { own, verifier }
            }
        };
        let is_required = matches!(client_auth.auth, ClientAuth::RequireAny | ClientAuth::RequireAndVerify);
        Ok(Self {
            // A client without a certificate has no allowed name.
            is_mandatory: is_required || client_auth.allowed_sans.is_some(),
            trust,
            allowed_sans: client_auth.allowed_sans.clone(),
            algorithms: provider.signature_verification_algorithms,
        })
    }

    fn is_allowed(&self, certificate: &Certificate) -> bool {
        let is_allowed = |allowed: &Vec<String>| certificate.names.iter().any(|name| allowed.contains(name));
        self.allowed_sans.as_ref().is_none_or(is_allowed)
    }
}

fn verifier(
    authorities: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority.clone()).map_err(|error| error.to_string())?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    builder.build().map_err(|error| error.to_string())
}

/// Checks validity period and purpose of a certificate that is itself trusted, so that no signature needs a check.
fn check_validity(certificate: &Certificate, now: UnixTime) -> Result<(), CertificateError> {
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < certificate.not_before {
        Err(CertificateError::NotValidYet)
    } else if now > certificate.not_after {
        Err(CertificateError::Expired)
    } else if certificate.is_for_clients {
        Ok(())
    } else {
        Err(CertificateError::InvalidPurpose)
    }
}

impl ClientCertVerifier for Check {
    fn client_auth_mandatory(&self) -> bool {
        self.is_mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        match &self.trust {
            Trust::Authorities { verifier, .. } => verifier.root_hint_subjects(),
            Trust::Unverified | Trust::NoAuthorities => &[],
        }
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let certificate = Certificate::read(end_entity).ok_or(CertificateError::BadEncoding)?;
        match &self.trust {
            Trust::Unverified => {}
            Trust::NoAuthorities => return Err(CertificateError::UnknownIssuer.into()),
            Trust::Authorities { own, .. } if own.contains(end_entity) => check_validity(&certificate, now)?,
            Trust::Authorities { verifier, .. } => {
                verifier.verify_client_cert(end_entity, intermediates, now)?;
            }
        }
        if !self.is_allowed(&certificate) {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
