//! Certificates of outbound connections: those of the system, or of a target's options.
#![expect(clippy::disallowed_methods, reason = "certificates and keys are read here")]

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, TlsProvider};

use crate::target::TargetOptions;

/// Paths of the bundle by system; the variable SSL_CERT_FILE takes precedence.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

fn certificates() -> Arc<Vec<Certificate<'static>>> {
    static CERTIFICATES: OnceLock<Arc<Vec<Certificate<'static>>>> = OnceLock::new();
    Arc::clone(CERTIFICATES.get_or_init(|| {
        let named = std::env::var("SSL_CERT_FILE").ok();
        let mut paths = named.as_deref().into_iter().chain(BUNDLES);
        let bundle = paths.find_map(|path| std::fs::read(path).ok()).unwrap_or_default();
        let items = ureq::tls::parse_pem(&bundle);
        Arc::new(items.filter_map(Result::ok).filter_map(certificate).collect())
    }))
}

fn certificate(item: PemItem<'_>) -> Option<Certificate<'static>> {
    if let PemItem::Certificate(certificate) = item { Some(certificate.to_owned()) } else { None }
}

fn builder() -> ureq::tls::TlsConfigBuilder {
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
}

/// TLS by the provider that the server uses, with the certificates of the system.
pub(super) fn system() -> TlsConfig {
    builder().root_certs(RootCerts::Specific(certificates())).build()
}

/// Time of the last change and size of a file; `None` where there is none.
pub(super) type Stamp = Option<(SystemTime, u64)>;

/// Stamps of the files of a target, to notice that one is replaced.
pub(super) fn stamps(options: &TargetOptions) -> [Stamp; 3] {
    [&options.ca_file, &options.cert_file, &options.key_file].map(|path| {
        let metadata = std::fs::metadata(path.as_ref()?).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

/// TLS with the certificates of a target.
pub(super) fn of(options: &TargetOptions) -> Result<TlsConfig, String> {
    let read = |path: &Path| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let all = |path: &Path| -> Result<Vec<Certificate<'static>>, String> {
        let bytes = read(path)?;
        let found: Vec<_> = ureq::tls::parse_pem(&bytes).filter_map(Result::ok).filter_map(certificate).collect();
        if found.is_empty() { Err(format!("{}: expected certificates in PEM form", path.display())) } else { Ok(found) }
    };
    let roots = match &options.ca_file {
        Some(path) => Arc::new(all(path)?),
        None => certificates(),
    };
    let mut config = builder().root_certs(RootCerts::Specific(roots)).disable_verification(options.skips_verification);
    if let (Some(chain), Some(key)) = (&options.cert_file, &options.key_file) {
        let parsed = PrivateKey::from_pem(&read(key)?);
        let key = parsed.map_err(|_| format!("{}: expected a private key in PEM form", key.display()))?;
        config = config.client_cert(Some(ClientCert::new_with_certs(&all(chain)?, key)));
    }
    Ok(config.build())
}

/// What a failed connection by TLS means for the operator; `None` for other failures.
pub(super) fn words(error: &ureq::Error) -> Option<String> {
    use rustls::{AlertDescription, CertificateError, Error};
    let error = match error {
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref::<Error>()?,
        ureq::Error::Rustls(error) => error,
        _ => return None,
    };
    let sentence = match error {
        Error::InvalidCertificate(invalid) => match invalid {
            // Two authorities may have the same name: then only the signature tells that this one is another.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "the certificate is of an authority that is not trusted; set ca-file"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the certificate is not for this host"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the certificate has expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the certificate is not valid yet"
            }
            other => return Some(format!("the certificate of the target is invalid: {other}")),
        },
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the target requires a client certificate; set cert-file and key-file"
        }
        Error::AlertReceived(
            AlertDescription::AccessDenied
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::DecryptError
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate,
        ) => "the target refused the client certificate",
        Error::InconsistentKeys(_) => "cert-file and key-file do not belong together",
        Error::InvalidMessage(_) => "the target does not speak TLS; is its address http://?",
        _ => return None,
    };
    Some(sentence.to_owned())
}
