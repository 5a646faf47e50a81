//! The machinery that collectors are made with.
//!
//! A collector declares itself with [`declare!`](crate::declare), implements [`declare::Collect`], and has nothing of
//! the outside but the [`declare::Cx`] that it is handed: declared files of an injectable [`root`](crate::host::root), questions to an
//! injectable [`kernel`](crate::host::kernel), its own families of the [`page`], and a place for [`failure`]s.

pub mod attribute;
mod bytes;
pub mod declare;
pub(crate) mod digits;
pub mod failure;
pub mod family;
pub mod files;
pub mod filter;
pub mod label;
pub mod line;
pub mod memory;
pub mod nearest;
pub mod number;
pub mod options;
pub mod page;
pub mod parse;
pub mod pattern;
pub mod pool;
pub mod prelude;
pub mod read;
pub mod rows;
pub mod scraper;
pub mod sockets;
pub mod table;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
