//! Trusted certificates of outbound connections: those of the system.
#![expect(clippy::disallowed_methods, reason = "the bundle of the system is read here")]

use std::sync::{Arc, OnceLock};

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider};

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

/// TLS by the provider that the server uses.
pub(super) fn tls_config() -> TlsConfig {
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::Specific(certificates()))
        .build()
}
