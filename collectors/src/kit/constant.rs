//! Common code of typed constants.

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

pub(crate) use typed_constant;
