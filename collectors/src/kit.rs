//! The machinery that collectors are made with.
//!
//! A collector declares itself with [`declare!`](crate::declare), implements [`declare::Collect`], and has nothing of
//! the outside but the [`declare::Cx`] that it is handed: declared files of an injectable [`root`](crate::host::root), questions to an
//! injectable [`kernel`](crate::host::kernel), its own families of the [`page`], and a place for [`failure`]s.

/// Implements `Clone`, `Copy` and `Debug` for a constant with marker type parameters. A derive would require the traits of
/// the markers. `Debug` prints the field `info`.
macro_rules! typed_constant {
    ($name:ident<$($marker:ident),+ $(; const $count:ident: usize)?>) => {
        impl<$($marker,)+ $(const $count: usize)?> Clone for $name<$($marker,)+ $($count)?> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$($marker,)+ $(const $count: usize)?> Copy for $name<$($marker,)+ $($count)?> {}

        impl<$($marker,)+ $(const $count: usize)?> std::fmt::Debug for $name<$($marker,)+ $($count)?> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.info.fmt(f)
            }
        }
    };
}

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
