//! Certificates that are replaced, expire or are invalid while clients send requests.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rcgen::date_time_ymd;

use crate::client::{Client, wait_until};
use crate::config_folder::{Folder, TLS, log_of};
use crate::exporter::Connection;

/// Whether the last reload of the configuration succeeded, from the page.
fn is_good(page: &str) -> bool {
    page.contains("\nnode_exporter_web_config_last_reload_successful 1\n")
}

#[test]
fn certificates_are_reloaded_under_traffic() {
    let folder = Folder::new();
    folder.certify(|_| {});
    let exporter = folder.serve(TLS);
    let address = exporter.address();
    let (trusting, accepting_any_certificate) =
        (Client::trusting(&folder.authority), Client::accepting_any_certificate());
    let page = |client: &Client| client.get(address, "/metrics").unwrap();
    let kept = trusting.connect(address);
    let (is_over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    assert_eq!(accepting_any_certificate.status(address), 200);
                    answered.fetch_add(1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(5));
                }
            });
        }
        let first = page(&trusting);
        assert!(is_good(&first.body), "{}", first.body);
        let first = trusting.certificate(address);

        folder.certify(|_| {});
        wait_until("another certificate", || trusting.certificate(address) != first);
        wait_until("a valid configuration", || is_good(&page(&trusting).body));
        let second = trusting.certificate(address);

        folder.write("server.crt", "-----BEGIN CERTIFICATE-----\nbroken");
        wait_until("an invalid configuration", || !is_good(&page(&trusting).body));
        assert_eq!(trusting.certificate(address), second);

        folder.certify(|params| {
            params.not_before = date_time_ymd(2001, 2, 3);
            params.not_after = date_time_ymd(2004, 5, 6);
        });
        wait_until("a refused certificate", || trusting.get(address, "/metrics").is_err());
        let expired = page(&accepting_any_certificate);
        assert!(
            expired.body.contains("\nnode_exporter_web_certificate_expiry_timestamp_seconds 1.0838016e+09\n"),
            "{}",
            expired.body
        );

        folder.certify(|_| {});
        wait_until("a valid certificate", || trusting.get(address, "/metrics").is_ok());
        wait_until("a valid configuration", || is_good(&page(&trusting).body));
        is_over.store(true, Ordering::SeqCst);
    });
    // An old connection is still open.
    let answer = Connection::over(kept).ask("GET", "/metrics");
    assert_eq!(answer.status, 200, "{}", answer.body);
    println!("{} requests were answered during the reloads", answered.load(Ordering::SeqCst));
    let log = log_of(exporter);
    for expected in [
        "The web configuration was reloaded",
        "The web configuration is partly invalid, the previous certificate stays in use\" err=",
        "The certificate has expired",
    ] {
        assert!(log.contains(expected), "{expected}\nis not in\n{log}");
    }
}

#[test]
fn an_invalid_file_refuses_all_requests_until_it_is_fixed() {
    let folder = Folder::new();
    folder.certify(|_| {});
    let exporter = folder.serve(TLS);
    let (address, client) = (exporter.address(), Client::trusting(&folder.authority));
    assert_eq!(client.status(address), 200);
    folder.write("web.yml", &format!("{TLS}frobs: 1\n"));
    wait_until("all requests refused", || client.status(address) == 500);
    folder.write("web.yml", TLS);
    wait_until("requests admitted", || client.status(address) == 200);
    // TLS that is in force does not end while the exporter runs.
    folder.write("web.yml", "rate_limit: {interval: 0}\n");
    let page = || client.get(address, "/metrics").unwrap().body;
    wait_until("a failed reload", || !is_good(&page()));
    let log = log_of(exporter);
    for expected in ["web.yml: line 4: unknown key `frobs`", "the file lacks the logins or the TLS that are in force"] {
        assert!(log.contains(expected), "{expected}\nis not in\n{log}");
    }
}

#[test]
fn an_invalid_file_never_weakens_client_authentication() {
    let folder = Folder::new();
    folder.certify(|_| {});
    let exporter = folder.serve(TLS);
    let (address, client) = (exporter.address(), Client::trusting(&folder.authority));
    let becomes = |what: &str, status: u16| wait_until(what, || client.status(address) == status);
    assert_eq!(client.status(address), 200);
    // Client authentication cannot be decided.
    let strict = format!("{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: missing.crt\n");
    folder.write("web.yml", &strict);
    becomes("all requests refused: no authority", 500);
    // The previous settings with an invalid key: the previous certificate remains.
    folder.write("server.key", "broken");
    folder.write("web.yml", TLS);
    becomes("requests admitted as before", 200);
    // The previous certificate may not be kept if other clients are admitted.
    folder.write("clients.crt", &folder.authority);
    let strict = strict.replace("missing", "clients");
    folder.write("web.yml", &strict);
    becomes("all requests refused: no key", 500);
    folder.certify(|_| {});
    wait_until("requests without a certificate refused", || client.get(address, "/metrics").is_err());
}

#[test]
fn plain_http_on_a_tls_port_gets_an_error() {
    let folder = Folder::new();
    folder.certify(|_| {});
    let exporter = folder.serve(TLS);
    let answer = Client::plain().get(exporter.address(), "/metrics").unwrap();
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("https://"), "{}", answer.body);
    let page = Client::accepting_any_certificate().get(exporter.address(), "/metrics").unwrap().body;
    assert!(page.contains("\nnode_exporter_web_tls_handshakes_failed_total 1\n"), "{page}");
}

#[test]
fn an_invalid_file_at_start_ends_the_exporter() {
    for (configuration, expected) in [
        ("frobs: 1\n", "web.yml: line 1: unknown key `frobs` in the file; known keys: tls_server_config, "),
        (TLS, "web.yml: cert_file: "),
        ("basic_auth_users: {john: doe}\n", "web.yml: line 1: user `john`: expected a bcrypt hash: "),
    ] {
        let folder = Folder::new();
        folder.write("web.yml", configuration);
        let flag = format!("--web.config.file={}", folder.path("web.yml").display());
        let ended = std::process::Command::new(env!("CARGO_BIN_EXE_node_exporter")).arg(flag).output().unwrap();
        assert_eq!(ended.status.code(), Some(1));
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(said.contains(expected), "{expected}\nis not in\n{said}");
    }
}
