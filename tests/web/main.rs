//! The exporter behind a web configuration, as clients meet it: over TLS, with logins, while files change.
#![cfg(all(target_os = "linux", feature = "tls"))]
#![expect(clippy::unwrap_used, reason = "all of this is tests")]
#![expect(clippy::disallowed_methods, reason = "clients have sockets, clocks and files of their own")]

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
