//! Recorded hosts: writing them ([`record`]), removing identities ([`scrub`]), playing them ([`replay`]), and packing
//! them ([`archive`]).
//!
//! Nothing here uses the simulated host.

#[cfg(feature = "tools")]
pub mod archive;
#[cfg(feature = "tools")]
pub mod record;
pub mod replay;
#[cfg(feature = "tools")]
pub mod scrub;
