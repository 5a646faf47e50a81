//! What arrays are about.

use super::Moment;
use crate::machine::Array;
use crate::past::Rebuild;
use crate::wave::MICROS;

/// A check that is under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Progress {
    pub(crate) done_sectors: u64,
    pub(crate) of_sectors: u64,
    pub(crate) finish_seconds: u64,
    pub(crate) kilobytes_per_second: u64,
    /// Whether a member gets its part again, rather than that all are compared.
    pub(crate) is_rebuild: bool,
}

impl Moment<'_> {
    /// How far the rebuild or the check of an array has come, while there is one.
    pub(crate) fn check_of(&self, array: &Array) -> Option<Progress> {
        let name = self.machine.block_devices.get(array.device).map(|block| &block.name);
        let rebuild = self.past.rebuilds.iter().find(|rebuild| Some(&rebuild.array) == name && !rebuild.is_done);
        if let Some(rebuild) = rebuild {
            let lasts = (rebuild.until_micros - rebuild.from_micros).max(1);
            return Some(Progress {
                done_sectors: self.rebuilt_sectors(rebuild, array.member_sectors) / 256 * 256,
                of_sectors: array.member_sectors,
                finish_seconds: rebuild.until_micros.saturating_sub(self.micros) / MICROS,
                kilobytes_per_second: array.member_sectors / 2 / (lasts / MICROS).max(1),
                is_rebuild: true,
            });
        }
        let check = array.check;
        let phase = (self.age_micros() / MICROS + check.offset_seconds).checked_rem(check.every_seconds)?;
        let left = check.lasts_seconds.checked_sub(phase).filter(|left| *left > 0)?;
        let of_sectors = array.member_sectors;
        let done = u128::from(of_sectors) * u128::from(phase) / u128::from(check.lasts_seconds);
        Some(Progress {
            done_sectors: u64::try_from(done).unwrap_or(of_sectors) / 256 * 256,
            of_sectors,
            finish_seconds: left,
            kilobytes_per_second: of_sectors / 2 / check.lasts_seconds,
            is_rebuild: false,
        })
    }

    /// How much of a member has its data again.
    fn rebuilt_sectors(&self, rebuild: &Rebuild, member_sectors: u64) -> u64 {
        let lasts = u128::from((rebuild.until_micros - rebuild.from_micros).max(1));
        // What was done before a start is not done again, nor counted.
        let passed =
            |micros: u64| u128::from(micros.clamp(rebuild.from_micros, rebuild.until_micros) - rebuild.from_micros);
        u64::try_from(u128::from(member_sectors) * passed(self.micros) / lasts).unwrap_or(member_sectors)
    }

    /// What rebuilds have read from a block device since the start, and written to it, in sectors.
    pub(super) fn rebuilding_sectors(&self, name: &str) -> [u64; 2] {
        let devices = &self.machine.block_devices;
        let name_of = |device: usize| devices.get(device).map_or("", |block| block.name.as_str());
        let mut sums = [0; 2];
        for rebuild in &self.past.rebuilds {
            let array = self.machine.storage.arrays.iter().find(|array| name_of(array.device) == rebuild.array);
            let is_of = |array: &&Array| array.members.iter().any(|member| name_of(member.device) == name);
            let Some(array) = array.filter(is_of) else { continue };
            let [now, before] = [self.micros, self.start_micros]
                .map(|micros| Self { micros, ..*self }.rebuilt_sectors(rebuild, array.member_sectors) / 8 * 8);
            sums[usize::from(rebuild.member == name)] += now - before;
        }
        sums
    }
}
