//! What arrays are about.

use super::Moment;
use crate::machine::Array;
use crate::wave::MICROS;

/// A check that is under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Progress {
    pub(crate) done_sectors: u64,
    pub(crate) of_sectors: u64,
    pub(crate) finish_seconds: u64,
    pub(crate) kilobytes_per_second: u64,
}

impl Moment<'_> {
    /// How far the check of an array has come, while there is one.
    pub(crate) fn check_of(&self, array: &Array) -> Option<Progress> {
        let check = array.check;
        let phase = (self.uptime_micros() / MICROS + check.offset_seconds).checked_rem(check.every_seconds)?;
        let left = check.lasts_seconds.checked_sub(phase).filter(|left| *left > 0)?;
        let of_sectors = array.member_sectors;
        let done = u128::from(of_sectors) * u128::from(phase) / u128::from(check.lasts_seconds);
        Some(Progress {
            done_sectors: u64::try_from(done).unwrap_or(of_sectors) / 256 * 256,
            of_sectors,
            finish_seconds: left,
            kilobytes_per_second: of_sectors / 2 / check.lasts_seconds,
        })
    }
}
