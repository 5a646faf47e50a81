//! Pushing by the real binary, to receivers on loopback that answer as a test wants.
#![cfg(all(feature = "push", feature = "simulator"))]
#![expect(clippy::unwrap_used, reason = "all of this is tests")]
#![expect(clippy::disallowed_methods, reason = "the tests are receivers and read files")]

mod check;
mod delivery;
#[path = "../server/exporter.rs"]
mod exporter;
mod once;
mod receiver;
mod reload;
mod secrets;
#[cfg(feature = "tls")]
mod tls;
