//! HTTP clients with and without TLS.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, StreamOwned,
};

const TIMEOUT: Duration = Duration::from_secs(30);

/// A response.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
    /// The server's certificate, with TLS.
    pub(crate) certificate: Vec<u8>,
}

/// A client.
#[derive(Clone)]
pub(crate) struct Client {
    tls: Option<Arc<ClientConfig>>,
    headers: String,
}

impl Client {
    /// A client without TLS.
    pub(crate) fn plain() -> Self {
        Self { tls: None, headers: String::new() }
    }

    /// A client that trusts certificates of this authority.
    pub(crate) fn trusting(authority: &str) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let config = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        Self { tls: Some(Arc::new(config.with_no_client_auth())), headers: String::new() }
    }

    /// A client that trusts any certificate.
    pub(crate) fn accepting_any_certificate() -> Self {
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let config = builder.with_safe_default_protocol_versions().unwrap().dangerous();
        let config = config.with_custom_certificate_verifier(Arc::new(AcceptAnyCertificate)).with_no_client_auth();
        Self { tls: Some(Arc::new(config)), headers: String::new() }
    }

    pub(crate) fn with_login(mut self, login: &str) -> Self {
        self.headers = format!("Authorization: Basic {}\r\n", base64(login.as_bytes()));
        self
    }

    /// A connection; the handshake happens with the first bytes.
    pub(crate) fn connect(&self, address: SocketAddr) -> Box<dyn Wire> {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_nodelay(true).unwrap();
        match &self.tls {
            None => Box::new(stream),
            Some(config) => {
                let name = ServerName::try_from("localhost").unwrap();
                Box::new(StreamOwned::new(ClientConnection::new(Arc::clone(config), name).unwrap(), stream))
            }
        }
    }

    pub(crate) fn get(&self, address: SocketAddr, url: &str) -> io::Result<Answer> {
        let mut wire = self.connect(address);
        write!(wire, "GET {url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}\r\n", self.headers)?;
        let mut text = String::new();
        wire.read_to_string(&mut text)?;
        let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        Ok(Answer { status, head: head.to_owned(), body: body.to_owned(), certificate: wire.certificate() })
    }

    pub(crate) fn status(&self, address: SocketAddr) -> u16 {
        self.get(address, "/metrics").unwrap().status
    }
}

/// A connection with or without TLS.
pub(crate) trait Wire: Read + Write {
    fn certificate(&self) -> Vec<u8>;
}

impl Wire for TcpStream {
    fn certificate(&self) -> Vec<u8> {
        Vec::new()
    }
}

impl Wire for StreamOwned<ClientConnection, TcpStream> {
    fn certificate(&self) -> Vec<u8> {
        self.conn.peer_certificates().map_or_else(Vec::new, |chain| chain[0].to_vec())
    }
}

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < TIMEOUT, "not within {TIMEOUT:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(three.get(at).copied().unwrap_or_default()));
        for at in 0..4 {
            text.push(if at > three.len() { '=' } else { char::from(LETTERS[bits >> (18 - 6 * at) & 63]) });
        }
    }
    text
}

#[derive(Debug)]
struct AcceptAnyCertificate;

impl ServerCertVerifier for AcceptAnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}
