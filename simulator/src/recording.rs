//! Recorded hosts: recording (`record`), pseudonyms (`scrub`), replay ([`replay`]) and archive formats
//! (`archive`).
//!
//! Uses nothing of the simulated host; `harness/tests/tidy/layers.rs` checks that.

#[cfg(feature = "tools")]
pub mod archive;
#[cfg(feature = "tools")]
mod entries;
#[cfg(feature = "tools")]
pub mod record;
pub mod replay;
#[cfg(feature = "tools")]
pub mod scrub;
