//! Tests of TLS configurations by handshakes in memory.

use std::path::Path;

use rustls::pki_types::ServerName;
use rustls::{CipherSuite, ClientConfig, ClientConnection, Error, ProtocolVersion, ServerConnection};

use super::any_certificate::AcceptAnyCertificate;
use super::pki::{self, Authority, Pair, self_signed};
use super::*;
use crate::serve::web_config::settings;

fn client(provider: CryptoProvider, pair: Option<&Pair>, protocol: &str) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&version::TLS12, &version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AcceptAnyCertificate));
    let mut config = match pair {
        Some(pair) => builder.with_client_auth_cert(pair.chain(), pair.key()).unwrap(),
        None => builder.with_no_client_auth(),
    };
    if !protocol.is_empty() {
        config.alpn_protocols = vec![b"h2".to_vec(), protocol.as_bytes().to_vec()];
    }
    config
}

/// Negotiated parameters of a handshake, or its error.
fn handshake(server: &Tls, client: ClientConfig) -> Result<(ProtocolVersion, CipherSuite, Option<Vec<u8>>), Error> {
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::clone(&server.config)).unwrap();
    while client.is_handshaking() || server.is_handshaking() || client.wants_write() || server.wants_write() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut &wire[..]).unwrap();
        server.process_new_packets()?;
        wire.clear();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut &wire[..]).unwrap();
        client.process_new_packets()?;
    }
    Ok((
        server.protocol_version().unwrap(),
        server.negotiated_cipher_suite().unwrap().suite(),
        server.alpn_protocol().map(<[u8]>::to_vec),
    ))
}

fn indented(pem: &str) -> String {
    format!("    {}\n", pem.trim_end().replace('\n', "\n    "))
}

/// A file with this certificate and these lines.
fn document(pair: &Pair, lines: &str) -> String {
    let (certificate, key) = (indented(&pair.certificate), indented(&pair.key));
    format!("tls_server_config:\n  cert: |\n{certificate}  key: |\n{key}{lines}")
}

fn built(document: &str) -> Result<Tls, String> {
    let section = settings::read(document).unwrap().tls.unwrap();
    let mut files = WatchedFiles::beside(Path::new("nowhere/web.yml"));
    let built = Choices::of(&section).and_then(|choices| {
        let client_auth = ClientRequirements::read(&section, &mut files)?;
        build(&section, &choices, &client_auth, &mut files)
    });
    built.map_err(|problem| problem.to_string())
}

fn server(lines: &str) -> Tls {
    built(&document(&self_signed(&["localhost"], |_| {}), lines)).unwrap()
}

#[track_caller]
fn refuse(lines: &str, expected: &str) {
    let document = format!("tls_server_config:\n  cert_file: a\n  key_file: b\n{lines}");
    let section = settings::read(&document).unwrap().tls.unwrap();
    assert_eq!(Choices::of(&section).unwrap_err().to_string(), expected);
}

#[test]
fn unsupported_names_are_refused_with_the_supported_ones() {
    refuse("  min_version: TLS10\n", "line 4: min_version: expected one of TLS12, TLS13, found `TLS10`");
    refuse("  max_version: TLS111\n", "line 4: max_version: expected one of TLS12, TLS13, found `TLS111`");
    refuse("  min_version: TLS13\n  max_version: TLS12\n", "line 5: max_version: lower than min_version");
    refuse(
        "  curve_preferences:\n  - X25519\n  - CurveP521\n",
        "line 6: curve_preferences: expected one of X25519, CurveP256, CurveP384, found `CurveP521`",
    );
    refuse(
        "  cipher_suites:\n  - TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA\n",
        "line 5: cipher_suites: expected one of TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256, \
         TLS_CHACHA20_POLY1305_SHA256, \
         TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, \
         TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, \
         TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, found \
         `TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA`",
    );
    refuse(
        "  max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\n",
        "line 5: cipher_suites: expected a suite of TLS12, because max_version excludes TLS13",
    );
}

#[test]
fn the_version_is_within_the_configured_bounds() {
    let version = |lines: &str| handshake(&server(lines), client(ring::default_provider(), None, "")).unwrap().0;
    assert_eq!(version(""), ProtocolVersion::TLSv1_3);
    assert_eq!(version("  max_version: TLS12\n"), ProtocolVersion::TLSv1_2);
    assert_eq!(version("  min_version: TLS13\n"), ProtocolVersion::TLSv1_3);
    assert_eq!(version("  cipher_suites: [TLS_AES_128_GCM_SHA256]\n"), ProtocolVersion::TLSv1_3);
    let mut old = ring::default_provider();
    old.cipher_suites.retain(|suite| suite.version() == &version::TLS12);
    assert!(handshake(&server("  min_version: TLS13\n"), client(old, None, "")).is_err());
}

#[test]
fn suites_are_chosen_in_the_order_of_the_file_or_of_the_client() {
    let suites = "  max_version: TLS12\n  cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256\n  \
                  - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\n";
    let suite = |lines: &str| handshake(&server(lines), client(ring::default_provider(), None, "")).unwrap().1;
    assert_eq!(suite(suites), CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256);
    let theirs = format!("{suites}  prefer_server_cipher_suites: false\n");
    assert_eq!(suite(&theirs), CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384);
    let mut other = ring::default_provider();
    other.cipher_suites.retain(|suite| suite.suite() == CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256);
    assert!(handshake(&server(suites), client(other, None, "")).is_err());
}

#[test]
fn curves_are_those_of_the_file() {
    let only = |group: NamedGroup| {
        let mut provider = ring::default_provider();
        provider.kx_groups.retain(|known| known.name() == group);
        client(provider, None, "")
    };
    let server = server("  curve_preferences: [CurveP384]\n");
    assert!(handshake(&server, only(NamedGroup::secp384r1)).is_ok());
    assert!(handshake(&server, only(NamedGroup::X25519)).is_err());
}

#[test]
fn alpn_selects_http_1_1() {
    let protocol = |protocol: &str| {
        handshake(&server(""), client(ring::default_provider(), None, protocol)).map(|parameters| parameters.2)
    };
    assert_eq!(protocol("http/1.1").unwrap().unwrap(), b"http/1.1");
    assert_eq!(protocol("").unwrap(), None);
    assert_eq!(protocol("h3").unwrap_err(), Error::NoApplicationProtocol);
}

#[test]
fn an_invalid_certificate_or_key_is_refused() {
    let (one, other) = (self_signed(&["localhost"], |_| {}), self_signed(&["localhost"], |_| {}));
    let refuse = |certificate: &str, key: &str, expected: &str| {
        let pair = Pair { certificate: certificate.to_owned(), key: key.to_owned() };
        let error = built(&document(&pair, "")).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    };
    refuse("x", &one.key, "cert: expected a certificate in PEM form");
    refuse(&one.key, &one.key, "cert: expected a certificate in PEM form");
    refuse("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", &one.key, "cert: the first certificate");
    refuse(&one.certificate[..200], &one.key, "cert: ");
    refuse(&one.certificate, "x", "key: expected a private key in PEM form; decrypt an encrypted key first");
    refuse(&one.certificate, &one.certificate, "key: expected a private key");
    refuse(&one.certificate, &one.key.replace('M', "N"), "key: ");
    refuse(
        &one.certificate,
        &other.key,
        "key: keys may not be consistent: KeyMismatch; expected the key of the certificate",
    );
    let missing = built("tls_server_config: {cert_file: a.crt, key_file: a.key}\n").unwrap_err();
    assert!(missing.starts_with("cert_file: nowhere"), "{missing}");
    let expired = built(&document(&self_signed(&["localhost"], pki::expired), "")).unwrap();
    assert_eq!(expired.not_after, 1_083_801_600);
}

#[test]
fn names_and_purposes_of_certificates_are_read() {
    let names = ["a.example", "me@example.net", "192.0.2.7", "2001:db8::7", "spiffe://example/x"];
    let read =
        |change: fn(&mut rcgen::CertificateParams)| Certificate::read(&self_signed(&names, change).chain()[0]).unwrap();
    let plain = read(|_| {});
    assert_eq!(plain.names, names);
    assert!(plain.is_for_clients && read(pki::for_clients).is_for_clients && !read(pki::for_servers).is_for_clients);
    assert_eq!(read(pki::not_yet).not_before, 32_474_995_200);
    let der = self_signed(&names, |_| {}).chain().remove(0);
    for length in 0..der.len() {
        assert_eq!(Certificate::read(&der[..length]), None, "cut at {length}");
    }
}

/// Checks whether handshakes succeed for clients in this order: without a certificate; and with one that is signed by
/// the authority, self-signed, itself trusted, expired, for servers only, signed by another authority.
#[track_caller]
fn check_clients(auth: &str, with_authority: bool, sans: &str, expected: [bool; 7]) {
    let (authority, other) = (Authority::new(), Authority::new());
    let names = ["client.example", "192.0.2.7"];
    let trusted = self_signed(&names, pki::authority);
    let clients = [
        None,
        Some(authority.sign(&names, pki::for_clients)),
        Some(self_signed(&names, |_| {})),
        Some(trusted.clone()),
        Some(authority.sign(&names, pki::expired)),
        Some(authority.sign(&names, pki::for_servers)),
        Some(other.sign(&names, |_| {})),
    ];
    let authorities = format!("  client_ca: |\n{}{}", indented(&authority.certificate), indented(&trusted.certificate));
    let authorities = if with_authority { &authorities } else { "" };
    let server = server(&format!("  client_auth_type: {auth}\n{authorities}{sans}"));
    for versions in [&version::TLS12, &version::TLS13] {
        let found = clients.each_ref().map(|pair| {
            let mut provider = ring::default_provider();
            provider.cipher_suites.retain(|suite| suite.version() == versions);
            handshake(&server, client(provider, pair.as_ref(), "")).is_ok()
        });
        assert_eq!(found, expected, "{auth} {sans} {versions:?}");
    }
}

const T: bool = true;
const F: bool = false;

#[test]
fn each_client_auth_type_accepts_its_clients() {
    check_clients("NoClientCert", F, "", [T; 7]);
    check_clients("RequestClientCert", T, "", [T; 7]);
    check_clients("RequireAnyClientCert", F, "", [F, T, T, T, T, T, T]);
    check_clients("RequireClientCert", T, "", [F, T, T, T, T, T, T]);
    check_clients("VerifyClientCertIfGiven", T, "", [T, T, F, T, F, F, F]);
    check_clients("RequireAndVerifyClientCert", T, "", [F, T, F, T, F, F, F]);
}

#[test]
fn without_an_authority_every_certificate_is_refused() {
    check_clients("VerifyClientCertIfGiven", F, "", [T, F, F, F, F, F, F]);
}

#[test]
fn client_certificates_need_an_allowed_name() {
    let allowed = "  client_allowed_sans: [other, 192.0.2.7]\n";
    check_clients("RequireAndVerifyClientCert", T, allowed, [F, T, F, T, F, F, F]);
    check_clients("VerifyClientCertIfGiven", T, allowed, [F, T, F, T, F, F, F]);
    check_clients("RequestClientCert", F, allowed, [F, T, T, T, T, T, T]);
    for sans in ["  client_allowed_sans: [example, CLIENT.example]\n", "  client_allowed_sans: []\n"] {
        check_clients("RequireAndVerifyClientCert", T, sans, [F; 7]);
    }
}

#[test]
fn a_trusted_certificate_is_checked_for_validity_and_purpose() {
    for (change, expected) in [
        (pki::for_clients as fn(&mut _), true),
        (pki::expired, false),
        (pki::not_yet, false),
        (pki::for_servers, false),
    ] {
        let pair = self_signed(&["x"], change);
        let authority = indented(&pair.certificate);
        let server = server(&format!("  client_auth_type: RequireAndVerifyClientCert\n  client_ca: |\n{authority}"));
        let result = handshake(&server, client(ring::default_provider(), Some(&pair), ""));
        assert_eq!(result.is_ok(), expected, "{result:?}");
    }
}
