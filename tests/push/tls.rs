//! Targets by HTTPS: authorities, names, client certificates, files that are replaced, and proxies.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::exporter::Exporter;
use crate::receiver::{Receiver, Reply};

/// An authority with its certificate and those that it signs, in files.
struct Authority {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.crt"), certificate.pem()).unwrap();
        Self { folder, issuer: Issuer::new(params, key), certificate: certificate.der().clone() }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Writes `NAME.crt` and `NAME.key`.
    fn certify(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        let path = |end: &str| PathBuf::from(self.path(&format!("{name}.{end}")));
        std::fs::write(path("crt"), pem).unwrap();
        std::fs::write(path("key"), key.serialize_pem()).unwrap();
    }

    /// A receiver with the certificate `server`. With an authority of clients it requires a certificate of theirs.
    fn receiver(&self, clients: Option<&Self>) -> Receiver {
        let chain = vec![CertificateDer::from_pem_file(self.path("server.crt")).unwrap()];
        let key = PrivateKeyDer::from_pem_file(self.path("server.key")).unwrap();
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.certificate.clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.unwrap())
            }
        };
        let config = Arc::new(builder.with_single_cert(chain, key).unwrap());
        let wrap = move |stream: TcpStream| -> Box<dyn crate::receiver::Wire> {
            let (mut stream, mut connection) = (stream, ServerConnection::new(Arc::clone(&config)).unwrap());
            if connection.complete_io(&mut stream).is_err() {
                // The alert arrives only if what the client sent is read before the connection closes.
                while connection.wants_write() && connection.write_tls(&mut stream).is_ok() {}
                _ = stream.shutdown(Shutdown::Write);
                _ = std::io::copy(&mut stream, &mut std::io::sink());
            }
            Box::new(StreamOwned::new(connection, stream))
        };
        Receiver::start_over("127.0.0.1:0".parse().unwrap(), wrap, |_, _| Reply::status(204))
    }
}

/// Pushes once with these keys of a target. The log, and whether the target took all samples.
fn push(url: &str, keys: &str, environment: &[(&str, &str)]) -> (String, bool) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f.yml");
    std::fs::write(
        &file,
        format!("push: {{timeout: 2s, targets: [{{to: import, url: '{url}', timeout: 5s, {keys}}}]}}\n"),
    )
    .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_node_exporter"));
    command.args(["--simulate", "--push.once", "--collector.disable-defaults"]);
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(variable).env_remove(variable.to_ascii_lowercase());
    }
    command.envs(environment.iter().copied());
    let output = command.args(["--collector.loadavg", &format!("--config.file={}", file.display())]).output().unwrap();
    (String::from_utf8(output.stderr).unwrap(), output.status.success())
}

#[track_caller]
fn accept(receiver: &Receiver, keys: &str) {
    let (log, is_good) = push(&format!("https://localhost:{}", receiver.address.port()), keys, &[]);
    assert!(is_good, "{log}");
    assert!(receiver.received().last().unwrap().target.starts_with("/api/v1/import/prometheus?timestamp="));
}

#[track_caller]
fn refuse(receiver: &Receiver, host: &str, keys: &str, expected: &str) {
    let before = receiver.received().len();
    let (log, is_good) = push(&format!("https://{host}:{}", receiver.address.port()), keys, &[]);
    assert!(!is_good && log.contains(expected), "{expected}\nis not in\n{log}");
    assert_eq!(receiver.received().len(), before, "samples came");
}

#[test]
fn a_receiver_by_https_needs_a_known_authority_and_its_name() {
    let authority = Authority::new();
    authority.certify("server", |_| {});
    let receiver = authority.receiver(None);
    let trust = format!("ca-file: '{}'", authority.path("ca.crt"));
    accept(&receiver, &trust);
    accept(&receiver, "insecure-skip-verify: true");
    let other = Authority::new();
    refuse(&receiver, "localhost", &format!("ca-file: '{}'", other.path("ca.crt")), UNKNOWN);
    refuse(&receiver, "localhost", "name: t", UNKNOWN);
    refuse(&receiver, "127.0.0.1", &trust, "the certificate is not for this host");
    authority.certify("server", |params| {
        params.not_before = date_time_ymd(2001, 2, 3);
        params.not_after = date_time_ymd(2004, 5, 6);
    });
    refuse(&authority.receiver(None), "localhost", &trust, "the certificate has expired");
}

/// An authority that is not known.
const UNKNOWN: &str = "the certificate is of an authority that is not trusted; set ca-file";

#[test]
fn a_receiver_that_requires_a_certificate_gets_one() {
    let (authority, other) = (Authority::new(), Authority::new());
    authority.certify("server", |_| {});
    authority.certify("client", |_| {});
    other.certify("client", |_| {});
    let receiver = authority.receiver(Some(&authority));
    let trust = format!("ca-file: '{}'", authority.path("ca.crt"));
    let keys = |of: &Authority| {
        format!("{trust}, cert-file: '{}', key-file: '{}'", of.path("client.crt"), of.path("client.key"))
    };
    accept(&receiver, &keys(&authority));
    refuse(&receiver, "localhost", &trust, "the target requires a client certificate");
    refuse(&receiver, "localhost", &keys(&other), "the target refused the client certificate");
    // Files that are none are told before anything is sent.
    let path = authority.path("ca.crt");
    std::fs::write(authority.path("client.key"), "geheim\n").unwrap();
    let (log, is_good) = push("https://localhost:1", &keys(&authority), &[]);
    assert!(
        !is_good && log.contains("client.key: expected a private key in PEM form") && !log.contains("geheim"),
        "{log}"
    );
    std::fs::write(&path, "geheim\n").unwrap();
    let (log, is_good) = push("https://localhost:1", &trust, &[]);
    assert!(!is_good && log.contains("ca.crt: expected certificates in PEM form") && !log.contains("geheim"), "{log}");
    std::fs::remove_file(&path).unwrap();
    let (log, is_good) = push("https://localhost:1", &trust, &[]);
    assert!(!is_good && log.contains("ca.crt: No such file"), "{log}");
}

#[test]
fn certificates_that_are_replaced_are_used_without_a_reload() {
    let (authority, other) = (Authority::new(), Authority::new());
    authority.certify("server", |_| {});
    authority.certify("client", |_| {});
    other.certify("client", |_| {});
    let receiver = authority.receiver(Some(&other));
    let file = authority.folder.path().join("f.yml");
    let text = format!(
        "push:\n  interval: 100ms\n  targets:\n  - {{to: import, url: 'https://localhost:{}', ca-file: '{}', cert-file: '{}', \
         key-file: '{}'}}\n",
        receiver.address.port(),
        authority.path("ca.crt"),
        authority.path("client.crt"),
        authority.path("client.key")
    );
    std::fs::write(&file, text).unwrap();
    let flag = format!("--config.file={}", file.display());
    let exporter = Exporter::simulated(&["--collector.disable-defaults", "--collector.loadavg", &flag]);
    let end = Instant::now() + Duration::from_secs(30);
    while !exporter.get("/").body.contains("the target refused the client certificate") {
        assert!(Instant::now() < end, "{}", exporter.get("/").body);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(receiver.received().len(), 0);
    for name in ["client.key", "client.crt"] {
        std::fs::copy(other.path(name), authority.path(name)).unwrap();
    }
    receiver.wait_for(1);
}

/// A proxy on loopback that connects every CONNECT to one address.
struct Proxy {
    address: SocketAddr,
    /// Heads of the requests.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&heads);
        // It ends with the test's process.
        std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let mut reader = BufReader::new(client.try_clone().unwrap());
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|count| count > 0) {}
                list.lock().unwrap().push(head);
                let mut target = TcpStream::connect(to).unwrap();
                (&client).write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
                let (mut back, mut client) = (target.try_clone().unwrap(), client);
                std::thread::spawn(move || std::io::copy(&mut reader, &mut target));
                std::thread::spawn(move || std::io::copy(&mut back, &mut client));
            }
        });
        Self { address, heads }
    }

    /// The heads since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.heads.lock().unwrap())
    }
}

#[test]
fn proxies_of_the_environment_are_asked_by_connect() {
    let authority = Authority::new();
    authority.certify("server", |_| {});
    let (secure, plain) = (authority.receiver(None), Receiver::start(|_, _| Reply::status(204)));
    let (for_secure, for_plain) = (Proxy::start(secure.address), Proxy::start(plain.address));
    let trust = format!("ca-file: '{}'", authority.path("ca.crt"));
    let https = format!("https://localhost:{}", secure.address.port());
    let (secure_proxy, plain_proxy) =
        (format!("http://u:p%40w@{}", for_secure.address), format!("http://{}", for_plain.address));
    let environment = [("HTTPS_PROXY", secure_proxy.as_str()), ("http_proxy", plain_proxy.as_str())];

    let (log, is_good) = push(&https, &trust, &environment);
    assert!(is_good, "{log}");
    let heads = for_secure.take();
    assert!(heads[0].starts_with(&format!("CONNECT localhost:{} HTTP/1.1\r\n", secure.address.port())), "{heads:?}");
    assert!(heads[0].contains("Proxy-Authorization: Basic dTpwQHc=\r\n"), "{heads:?}");

    let (log, is_good) = push("http://receiver.invalid", "name: t", &environment);
    assert!(is_good, "{log}");
    let heads = for_plain.take();
    assert!(heads[0].starts_with("CONNECT receiver.invalid:80 HTTP/1.1\r\n"), "{heads:?}");
    assert_eq!((for_secure.take().len(), plain.received().len()), (0, 1));

    for direct in ["localhost", "other.invalid, localhost", "*"] {
        let (log, is_good) = push(&https, &trust, &[environment[0], ("NO_PROXY", direct)]);
        assert!(is_good, "{direct}: {log}");
        assert_eq!(for_secure.take().len(), 0, "{direct}");
    }
    // The proxy of the other scheme is not asked.
    let (log, is_good) = push(&https, &trust, &[environment[1]]);
    assert!(is_good && for_plain.take().is_empty(), "{log}");
}
