//! A folder with a web configuration and its files.

use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::exporter::Exporter;

/// Configuration with the files that [`Folder::certify`] writes.
pub(crate) const TLS: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";

/// Alice's password is `wonderland`, with cost 8.
pub(crate) const USERS: &str =
    "basic_auth_users:\n  alice: $2y$08$saltsaltsaltsaltsaltsOCEKUvDf5hCTRTYq1nwNldh3QOg1C9hW\n";

/// The folder, and an authority that signs its certificates.
pub(crate) struct Folder {
    root: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
    /// The authority's certificate in PEM form.
    pub(crate) authority: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap().pem();
        let root = tempfile::tempdir().unwrap();
        Self { root, issuer: Issuer::new(params, key), authority }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Replaces a file atomically, as programs do that renew certificates.
    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.path("new"), content).unwrap();
        fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    /// Writes a new certificate of the server.
    pub(crate) fn certify(&self, change: impl FnOnce(&mut CertificateParams)) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        // Certificate first: until the key follows, the two do not match.
        self.write("server.crt", &certificate);
        self.write("server.key", &key.serialize_pem());
    }

    /// Starts an exporter with this configuration.
    pub(crate) fn serve(&self, configuration: &str) -> Exporter {
        self.write("web.yml", configuration);
        let flag = format!("--web.config.file={}", self.path("web.yml").display());
        Exporter::simulated(&[&flag, "--collector.disable-defaults", "--collector.loadavg"])
    }
}

/// Ends an exporter and returns its log since it listened.
pub(crate) fn log_of(mut exporter: Exporter) -> String {
    exporter.child.kill().unwrap();
    let mut log = String::new();
    std::io::Read::read_to_string(&mut exporter.log, &mut log).unwrap();
    log
}
