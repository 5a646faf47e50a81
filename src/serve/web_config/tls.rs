//! Conversion of `tls_server_config` to a configuration of rustls.
//!
//! The cryptography is that of ring, which builds on every supported system with a C compiler alone. An algorithm that
//! ring lacks is refused with the list of the supported ones.

#[cfg(test)]
mod any_certificate;
pub(super) mod client;
#[cfg(test)]
pub(in crate::serve) mod pki;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::{NamedGroup, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion, version};

use super::certificate::Certificate;
use super::client_requirements::ClientRequirements;
use super::settings::{ClientAuth, TlsSection};
use super::watched_files::WatchedFiles;
use crate::yaml::Problem;

/// Protocol versions, oldest first.
const VERSIONS: [(&str, &SupportedProtocolVersion); 2] = [("TLS12", &version::TLS12), ("TLS13", &version::TLS13)];
const CURVES: [(&str, NamedGroup); 3] =
    [("X25519", NamedGroup::X25519), ("CurveP256", NamedGroup::secp256r1), ("CurveP384", NamedGroup::secp384r1)];

/// The only protocol that is negotiated by ALPN; HTTP/2 is not supported.
const PROTOCOL: &[u8] = b"http/1.1";

/// Algorithms and versions that the file selects.
#[derive(Debug)]
pub(super) struct Choices {
    provider: Arc<CryptoProvider>,
    versions: Vec<&'static SupportedProtocolVersion>,
}

/// TLS configuration of new connections.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    pub(super) config: Arc<ServerConfig>,
    /// End of the certificate's validity, in seconds since 1970.
    pub(super) not_after: i64,
}

impl Choices {
    /// Looks up the names of the file.
    pub(super) fn of(section: &TlsSection) -> Result<Self, Problem> {
        let (min, max) = (
            version(section.version_min.as_ref(), "min_version", 0)?,
            version(section.version_max.as_ref(), "max_version", 1)?,
        );
        if min > max {
            let line = section.version_max.as_ref().map_or(0, |(line, _)| *line);
            return Err(Problem::at(line, "max_version: lower than min_version"));
        }
        let mut provider = ring::default_provider();
        if !section.curves.is_empty() {
            provider.kx_groups = section.curves.iter().map(|name| curve(&provider, name)).collect::<Result<_, _>>()?;
        }
        if !section.cipher_suites.is_empty() {
            provider.cipher_suites = cipher_suites(&provider, &section.cipher_suites)?;
        }
        let has_suite =
            |version: &SupportedProtocolVersion| provider.cipher_suites.iter().any(|suite| suite.version() == version);
        let versions: Vec<_> = VERSIONS
            .iter()
            .take(max + 1)
            .skip(min)
            .map(|(_, version)| *version)
            .filter(|version| has_suite(version))
            .collect();
        if versions.is_empty() {
            let line = section.cipher_suites.first().map_or(0, |(line, _)| *line);
            return Err(Problem::at(
                line,
                "cipher_suites: expected a suite of TLS12, because max_version excludes TLS13",
            ));
        }
        Ok(Self { provider: Arc::new(provider), versions })
    }
}

fn unsupported(key: &str, (line, found): &(usize, String), known: &[&str]) -> Problem {
    let known = known.join(", ");
    Problem::at(*line, format!("{key}: expected one of {known}, found `{found}`"))
}

/// Index of a version in [`VERSIONS`].
fn version(name: Option<&(usize, String)>, key: &str, default: usize) -> Result<usize, Problem> {
    let Some(name) = name else { return Ok(default) };
    let found = VERSIONS.iter().position(|(known, _)| *known == name.1);
    found.ok_or_else(|| unsupported(key, name, &VERSIONS.map(|(known, _)| known)))
}

fn curve(provider: &CryptoProvider, name: &(usize, String)) -> Result<&'static dyn SupportedKxGroup, Problem> {
    let group = CURVES.iter().find(|(known, _)| *known == name.1).map(|(_, group)| *group);
    let found = provider.kx_groups.iter().find(|known| Some(known.name()) == group);
    found.copied().ok_or_else(|| unsupported("curve_preferences", name, &CURVES.map(|(known, _)| known)))
}

/// The suites of TLS 1.2 that the file names, in its order, after all suites of TLS 1.3, which are always enabled.
fn cipher_suites(provider: &CryptoProvider, names: &[(usize, String)]) -> Result<Vec<SupportedCipherSuite>, Problem> {
    let all = &provider.cipher_suites;
    let known: Vec<_> = all.iter().map(suite_name).collect();
    let mut chosen: Vec<_> = all.iter().copied().filter(|suite| suite.version() == &version::TLS13).collect();
    for name in names {
        let found = all.iter().zip(&known).find(|(_, known)| **known == name.1);
        let Some((suite, _)) = found else {
            return Err(unsupported("cipher_suites", name, &known.iter().map(String::as_str).collect::<Vec<_>>()));
        };
        if !chosen.contains(suite) {
            chosen.push(*suite);
        }
    }
    Ok(chosen)
}

/// The IANA name of a suite.
fn suite_name(suite: &SupportedCipherSuite) -> String {
    suite.suite().as_str().unwrap_or_default().replace("TLS13_", "TLS_")
}

/// Reads certificates and key, and builds the configuration of new connections.
pub(super) fn build(
    section: &TlsSection,
    choices: &Choices,
    client_auth: &ClientRequirements,
    files: &mut WatchedFiles,
) -> Result<Tls, Problem> {
    let (what, pem) = files.content(&section.certificate, "cert")?;
    let chain = certificates(&what, &pem)?;
    let own = chain.first().and_then(|own| Certificate::read(own));
    let own = own.ok_or_else(|| Problem::general(format!("{what}: the first certificate is malformed")))?;
    let (what, pem) = files.content(&section.key, "key")?;
    let key = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|error| Problem::general(format!("{what}: {}", key_error(&error))))?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&choices.provider))
        .with_protocol_versions(&choices.versions)
        .map_err(|error| Problem::general(format!("tls_server_config: {error}")))?;
    let builder = if client_auth.auth == ClientAuth::None {
        builder.with_no_client_auth()
    } else {
        builder.with_client_cert_verifier(Arc::new(client::Check::of(client_auth, &choices.provider)?))
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| {
        let kinds = "supported are RSA of 2048 bits or more, ECDSA on P-256 or P-384, and Ed25519";
        Problem::general(format!("{what}: {error}; expected the key of the certificate; {kinds}"))
    })?;
    config.ignore_client_order = section.prefers_own_order;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    // No session resumption: each connection shows its certificate, and a flood of connections takes no memory.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Tls { config: Arc::new(config), not_after: own.not_after })
}

fn certificates(what: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err(Problem::general(format!("{what}: expected a certificate in PEM form"))),
        Ok(found) => Ok(found),
        Err(error) => Err(Problem::general(format!("{what}: {error:?}"))),
    }
}

fn key_error(error: &PemError) -> String {
    match error {
        PemError::NoItemsFound => "expected a private key in PEM form; decrypt an encrypted key first".to_owned(),
        error => format!("{error:?}"),
    }
}
