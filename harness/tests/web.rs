//! TLS of the exporter with other clients: openssl with every kind of certificate, and Prometheus.
#![expect(clippy::unwrap_used, reason = "all of this is tests")]
#![expect(clippy::disallowed_methods, reason = "the test starts servers and clients")]

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use collectors::kit::scraper::Scraper;
use harness::load;
use harness::peer::{Peer, free_address};
use harness::requirements::{self, Requirement};
use node_exporter::access::Access;
use node_exporter::flags;
use node_exporter::host;
use node_exporter::instruments::Instruments;
use node_exporter::log::{Format, Level, Log};
use node_exporter::serve::front::{Front, Stopper};
use node_exporter::serve::handler::Handler;
use node_exporter::serve::handler::answer::Handle;
use node_exporter::serve::listen;
use node_exporter::serve::web_config::WebConfig;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
};

/// Timeout for starting and scraping, for a busy machine.
const UP_MAX: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    requirements::run(&[
        ("openssl_is_let_in_as_the_file_says", &[Requirement::Openssl], clients),
        ("prometheus_scrapes_over_tls_with_a_login", &[Requirement::Prometheus], prometheus),
        (
            "configurations_of_exporter_toolkit_are_accepted_and_refused_as_there",
            &[Requirement::ConformanceData],
            configurations_of_exporter_toolkit_are_accepted_and_refused_as_there,
        ),
    ])
}

/// Files of one test, with a certificate authority.
struct Folder {
    root: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Folder {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Its name differs from those of its certificates, which would otherwise look self-signed.
        params.distinguished_name.push(DnType::CommonName, "authority");
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap().pem();
        let folder = Self { root: tempfile::tempdir().unwrap(), issuer: Issuer::new(params, key) };
        folder.write("authority.crt", &authority);
        folder.sign("server", |_| {});
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    /// A certificate for `localhost` signed by the authority, with its key.
    fn sign(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) {
        let (params, key) = params(change);
        self.write(&format!("{name}.crt"), &params.signed_by(&key, &self.issuer).unwrap().pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }

    /// A self-signed certificate.
    fn sign_itself(&self, name: &str) {
        let (params, key) = params(|_| {});
        self.write(&format!("{name}.crt"), &params.self_signed(&key).unwrap().pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }
}

fn params(change: impl FnOnce(&mut CertificateParams)) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    change(&mut params);
    (params, KeyPair::generate().unwrap())
}

/// Files that this exporter refuses though exporter-toolkit accepts them, with a part of the message; docs/WEB.md lists why.
const REFUSED_HERE: &[(&str, &str)] = &[
    ("web_config_noAuth.good.blocking.yml", "RequireAndVerifyClientCert needs client_ca_file"),
    ("web_config_noAuth_allCiphers.good.yml", "found `TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA`"),
    ("web_config_noAuth_allCurves.good.yml", "found `CurveP521`"),
    ("web_config_noAuth_someCurves.good.yml", "found `CurveP521`"),
];

/// Files that this exporter accepts though exporter-toolkit refuses them, or refuses the client of their test.
const ACCEPTED_HERE: &[(&str, &str)] = &[
    ("web_config_auth_client_san.bad.yaml", "the file is valid; its clients lack the name"),
    ("web_config_noAuth_noHTTP2Cipher.bad.yml", "HTTP/2 is not spoken"),
];

/// The files of exporter-toolkit's tests, beside a certificate and a key made here.
fn configurations_of_exporter_toolkit_are_accepted_and_refused_as_there() {
    let data = Requirement::ConformanceData.path().join("../exporter-toolkit");
    let folder = Folder::new();
    let is_configuration = |name: &String| [".yml", ".yaml"].iter().any(|end| name.ends_with(end));
    let names = load::names(&data).unwrap();
    for name in names.iter().filter(|name| *name != "server.crt") {
        fs::write(folder.path(name), load::bytes(&data.join(name)).unwrap()).unwrap();
    }
    let log = Arc::new(Log::new(Level::Error, Format::Logfmt, || Duration::ZERO, std::io::stderr()));
    let (mut refused_here, mut accepted_here, mut files) = (Vec::new(), Vec::new(), 0);
    for name in names.iter().filter(|name| is_configuration(name)) {
        files += 1;
        let is_bad = [".bad.", "junk"].iter().any(|part| name.contains(part));
        match WebConfig::open(&Access::File(folder.path(name)), &log) {
            Ok(_) if is_bad => accepted_here.push(name.as_str()),
            Err(error) if !is_bad => refused_here.push((name.as_str(), error)),
            Ok(_) | Err(_) => {}
        }
    }
    println!("{files} files, {} refused here alone, {} accepted here alone", refused_here.len(), accepted_here.len());
    assert!(files > 35, "{files} files");
    let expected: Vec<&str> = ACCEPTED_HERE.iter().map(|(name, _)| *name).collect();
    assert_eq!(accepted_here, expected);
    assert_eq!(
        refused_here.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        REFUSED_HERE.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        "{refused_here:?}"
    );
    for ((name, error), (_, part)) in refused_here.iter().zip(REFUSED_HERE) {
        assert!(error.contains(part), "{name}: {error}");
    }
}

/// An exporter of a simulated host with a web configuration.
struct Server {
    address: SocketAddr,
    stopper: Stopper,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(folder: &Folder, configuration: &str) -> Self {
        let files = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
        folder.write("web.yml", &format!("{files}{configuration}"));
        let arguments = ["--simulate", "--web.listen-address=127.0.0.1:0"].map(OsString::from);
        let Ok(flags::Command::Serve(settings)) = flags::parse(collectors::ALL, arguments) else {
            panic!("these flags are good")
        };
        let log = Arc::new(Log::new(Level::Warn, Format::Logfmt, || Duration::ZERO, std::io::stderr()));
        let web_config = WebConfig::open(&Access::File(folder.path("web.yml")), &log).unwrap().unwrap();
        web_config.watch().unwrap();
        let host = host::open(&settings).unwrap();
        let scraper = Scraper::build(collectors::ALL, &settings.values, host.roots, host.kernel).unwrap();
        let instruments = Instruments::new(true).unwrap();
        web_config.show(&instruments).unwrap();
        let handler = Handler::new(Arc::new(scraper), instruments, Arc::clone(&log), "/metrics", None);
        let handler: Arc<dyn Handle> = web_config.guard(Arc::new(handler));
        let address = free_address().unwrap();
        let listener = listen::listen(&address.to_string()).unwrap();
        let front = Front::new(vec![listener], web_config.secure()).unwrap();
        let stopper = front.stopper();
        let thread = std::thread::spawn(move || front.run(&handler, &log).unwrap());
        Self { address, stopper, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopper.stop();
        self.thread.take().map(JoinHandle::join).unwrap().unwrap();
    }
}

/// Every client authentication type with every certificate, in both versions of TLS.
fn clients() {
    let folder = Folder::new();
    folder.sign("good", |_| {});
    folder.sign("expired", |params| {
        params.not_before = date_time_ymd(2001, 2, 3);
        params.not_after = date_time_ymd(2004, 5, 6);
    });
    folder.sign("for_servers", |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    folder.sign_itself("itself");
    let certificates = [None, Some("good"), Some("expired"), Some("for_servers"), Some("itself")];
    let authority = "\n  client_ca_file: authority.crt";
    let (all, none, good) = ([true; 5], [false; 5], [false, true, false, false, false]);
    for (configuration, expected) in [
        ("NoClientCert", all),
        ("RequestClientCert", all),
        ("RequireAnyClientCert", [false, true, true, true, true]),
        (&format!("VerifyClientCertIfGiven{authority}"), [true, true, false, false, false]),
        (&format!("RequireAndVerifyClientCert{authority}"), good),
        (&format!("RequireAndVerifyClientCert{authority}\n  client_allowed_sans: [localhost]"), good),
        (&format!("RequireAndVerifyClientCert{authority}\n  client_allowed_sans: [other]"), none),
    ] {
        let server = Server::start(&folder, &format!("  client_auth_type: {configuration}\n"));
        for version in ["-tls1_2", "-tls1_3"] {
            let found = certificates.map(|certificate| openssl(&folder, server.address, version, certificate));
            assert_eq!(found, expected, "{configuration} {version}");
        }
        assert!(!openssl(&folder, server.address, "-tls1_1", None), "TLS 1.1 is not spoken");
    }
}

/// Whether openssl gets a page.
fn openssl(folder: &Folder, address: SocketAddr, version: &str, certificate: Option<&str>) -> bool {
    let mut command = Command::new(Requirement::Openssl.path());
    command.args(["s_client", "-quiet", "-verify_return_error", "-servername", "localhost", version]);
    command.arg("-connect").arg(address.to_string()).arg("-CAfile").arg(folder.path("authority.crt"));
    if let Some(name) = certificate {
        command.arg("-cert").arg(folder.path(&format!("{name}.crt")));
        command.arg("-key").arg(folder.path(&format!("{name}.key")));
    }
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("openssl starts");
    let mut input = child.stdin.take().unwrap();
    // Not read if the handshake failed.
    let _ = input.write_all(b"GET /metrics?collect[]=loadavg HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let output = child.wait_with_output().unwrap();
    drop(input);
    let page = String::from_utf8_lossy(&output.stdout);
    page.starts_with("HTTP/1.1 200 ") && page.contains("\nnode_load1 ")
}

fn prometheus() {
    let folder = Folder::new();
    // The password is `wonderland`.
    let users = "basic_auth_users:\n  alice: $2y$08$saltsaltsaltsaltsaltsOCEKUvDf5hCTRTYq1nwNldh3QOg1C9hW\n";
    let server = Server::start(&folder, users);
    let job = |name: &str, password: &str| {
        format!(
            "- job_name: {name}\n  scheme: https\n  tls_config: {{ca_file: authority.crt, server_name: localhost}}\n  \
             basic_auth: {{username: alice, password: {password}}}\n  static_configs: [{{targets: ['{}']}}]\n",
            server.address
        )
    };
    let jobs = format!("{}{}", job("right", "wonderland"), job("wrong", "looking-glass"));
    folder.write("prometheus.yml", &format!("global: {{scrape_interval: 1s}}\nscrape_configs:\n{jobs}"));
    let arguments = [
        format!("--config.file={}", folder.path("prometheus.yml").display()),
        format!("--storage.tsdb.path={}", folder.path("data").display()),
        "--log.level=error".to_owned(),
    ];
    let prometheus = Peer::start(&Requirement::Prometheus.path(), &arguments).expect("Prometheus starts");
    // Empty until Prometheus is ready.
    let query = |query: &str| {
        let answer = prometheus.get(&format!("/api/v1/query?query={query}"));
        String::from_utf8(answer.unwrap_or_default()).unwrap()
    };
    let begin = Instant::now();
    let both = |right: &str, wrong: &str| right.contains(",\"1\"]") && wrong.contains(",\"0\"]");
    loop {
        let up = |job: &str| query(&format!("up%7Bjob=%22{job}%22%7D"));
        let (right, wrong) = (up("right"), up("wrong"));
        if both(&right, &wrong) {
            break;
        }
        assert!(begin.elapsed() < UP_MAX, "right: {right}\nwrong: {wrong}");
        std::thread::sleep(Duration::from_millis(200));
    }
    println!("up after {:?}", begin.elapsed());
    let refused = query("node_exporter_web_requests_refused_total%7Breason=%22login%22%7D");
    assert!(refused.contains("\"job\":\"right\""), "{refused}");
}
