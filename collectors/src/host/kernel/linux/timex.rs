//! The discipline of the system clock, by `adjtimex(2)`.

#![expect(unsafe_code, reason = "no crate has a safe call for adjtimex")]

use crate::host::errno::Errno;
use crate::host::kernel::Timex;

/// Asks the kernel. It never waits, and every user may ask without changes.
pub(super) fn ask() -> Result<Timex, Errno> {
    // SAFETY: the structure is made of numbers and padding, of which zeros are a value.
    let mut found: libc::timex = unsafe { std::mem::zeroed() };
    // No mode is set, so nothing is changed.
    // SAFETY: the kernel reads and writes one structure of this type behind the pointer, and does not keep it.
    let state = unsafe { libc::adjtimex(&raw mut found) };
    let state = u32::try_from(state).map_err(|_| super::last_error())?;
    Ok(Timex {
        state,
        status: found.status.cast_unsigned(),
        offset: wide(found.offset),
        frequency: wide(found.freq),
        maximum_error_microseconds: wide(found.maxerror),
        estimated_error_microseconds: wide(found.esterror),
        time_constant: wide(found.constant),
        tick_microseconds: wide(found.tick),
        pps_frequency: wide(found.ppsfreq),
        pps_jitter: wide(found.jitter),
        pps_shift: found.shift,
        pps_stability: wide(found.stabil),
        pps_jitter_count: wide(found.jitcnt),
        pps_calibration_count: wide(found.calcnt),
        pps_error_count: wide(found.errcnt),
        pps_stability_count: wide(found.stbcnt),
        tai_offset_seconds: found.tai,
    })
}

/// A number of the C library, whose width depends on the architecture.
fn wide(number: impl Into<i64>) -> i64 {
    number.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::kernel::timex::{STATE_ERROR, STATUS_UNSYNCHRONISED};

    #[test]
    fn the_answer_is_plausible() {
        let found = ask().expect("every user may ask");
        assert!((0..=STATE_ERROR).contains(&found.state), "{found:?}");
        assert!((900..=1_100).contains(&(1_000_000 / found.tick_microseconds * 10)), "a tick of 1/100 s: {found:?}");
        assert!(found.maximum_error_microseconds >= 0 && found.estimated_error_microseconds >= 0, "{found:?}");
        assert!(found.frequency.abs() <= 500 << 16, "at most 500 ppm: {found:?}");
        assert!(found.status & STATUS_UNSYNCHRONISED == 0 || found.state == STATE_ERROR, "{found:?}");
    }
}
