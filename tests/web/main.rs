//! The exporter with a web configuration: TLS, authentication, reload.
#![cfg(all(target_os = "linux", feature = "tls"))]
#![expect(clippy::unwrap_used, reason = "all of this is tests")]
#![expect(clippy::disallowed_methods, reason = "the test starts clients")]

#[path = "../../src/serve/web_config/tls/any_certificate.rs"]
mod any_certificate;
mod certificates;
mod client;
mod config_folder;
#[path = "../attacks/cpu_wait.rs"]
mod cpu_wait;
#[path = "../server/exporter.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod exporter;
mod half_open;
mod logins;
