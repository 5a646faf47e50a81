//! HTTP clients with and without TLS.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::any_certificate::AcceptAnyCertificate;
use crate::exporter::{Answer, Connection};

const TIMEOUT: Duration = Duration::from_secs(30);

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

    /// The response, and the server's certificate.
    fn ask(&self, address: SocketAddr, url: &str) -> io::Result<(Answer, Vec<u8>)> {
        let mut wire = self.connect(address);
        let mut connection = Connection::over(&mut wire);
        connection.try_send("GET", url, &format!("Connection: close\r\n{}", self.headers))?;
        let answer = connection.try_receive("GET")?;
        Ok((answer, wire.certificate()))
    }

    pub(crate) fn get(&self, address: SocketAddr, url: &str) -> io::Result<Answer> {
        Ok(self.ask(address, url)?.0)
    }

    pub(crate) fn status(&self, address: SocketAddr) -> u16 {
        self.get(address, "/metrics").unwrap().status
    }

    /// The server's certificate; empty without TLS.
    pub(crate) fn certificate(&self, address: SocketAddr) -> Vec<u8> {
        self.ask(address, "/metrics").unwrap().1
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
