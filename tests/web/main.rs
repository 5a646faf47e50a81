//! The exporter with a web configuration: TLS, authentication, reload.
#![cfg(all(target_os = "linux", feature = "tls"))]
#![expect(clippy::unwrap_used, reason = "all of this is tests")]
#![expect(clippy::disallowed_methods, reason = "the test starts clients")]

mod certificates;
mod client;
#[path = "../server/exporter.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod exporter;
mod folder;
mod half_open;
mod logins;
#[path = "../attacks/processor.rs"]
mod processor;
