//! The exporter around the collectors: command line, log, HTTP server and its own metrics.
//!
//! The binary is a thin [`flags::parse`] → [`host::open`] → [`collectors::kit::scraper::Scraper`] → [`serve`]. Programs
//! that have a `prometheus::Registry` of their own register the same collectors there: [`registry`].

pub mod access;
mod environment;
pub mod flags;
pub mod host;
pub mod instruments;
pub mod lifecycle;
pub mod log;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub mod memory;
pub mod minimums;
#[cfg(feature = "push")]
pub mod push;
pub mod registry;
#[cfg(target_os = "linux")]
pub mod sandbox;
pub mod serve;
pub mod summary;
pub mod target;
pub mod version;
mod yaml;
