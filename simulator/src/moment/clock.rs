//! The discipline of the system clock.

use std::time::Duration;

use collectors::host::kernel::timex::{STATE_ERROR, STATUS_NANOSECONDS, STATUS_PHASE_LOCKED, STATUS_UNSYNCHRONISED};
use collectors::host::kernel::{NtpAnswer, Timex};

use super::Moment;
use crate::wave::MICROS;

/// `NTP_PHASE_LIMIT`: both errors of a clock without a reference.
const UNKNOWN_ERROR_MICROS: i64 = 16_000_000;
/// `MAXPHASE`: the offset never exceeds half a second.
const OFFSET_CAP_NANOS: u64 = 500_000_000;
/// The kernel adds 500 parts per million to the maximum error while no answer comes.
const TOLERANCE_MICROS_PER_SECOND: i64 = 500;
/// The reference answers for the first time this long after the boot, at most.
const FIRST_ANSWER_SECONDS: u64 = 40;
/// Leap indicator and stratum of a server without a reference.
const LEAP_UNSYNCHRONISED: u8 = 3;
const STRATUM_UNSYNCHRONISED: u8 = 16;
/// The time constant that the kernel begins with.
const FIRST_TIME_CONSTANT: i64 = 2;

impl Moment<'_> {
    /// The answer of `adjtimex`. The reference answers in equal intervals; between them the maximum error grows, and the
    /// offset of the last answer is corrected.
    pub(crate) fn timex(&self) -> Timex {
        let clock = &self.machine.clock;
        let first = Timex {
            state: STATE_ERROR,
            status: STATUS_UNSYNCHRONISED,
            maximum_error_microseconds: UNKNOWN_ERROR_MICROS,
            estimated_error_microseconds: UNKNOWN_ERROR_MICROS,
            time_constant: FIRST_TIME_CONSTANT,
            tick_microseconds: 10_000,
            ..Timex::default()
        };
        let seed = self.machine.seed.of("clock");
        if self.uptime_micros() < seed.of("first").between(5, FIRST_ANSWER_SECONDS) * MICROS {
            return first;
        }
        let followed = Timex {
            frequency: clock.frequency,
            time_constant: i64::from(clock.poll_exponent.saturating_sub(4)),
            tai_offset_seconds: clock.tai_offset_seconds,
            ..first
        };
        if let Some(drifting) = self.past.unsynchronised {
            let elapsed_micros = self.micros.saturating_sub(drifting.from_micros);
            // A microsecond times parts per million is a thousandth of a nanosecond.
            let offset = (elapsed_micros.saturating_mul(drifting.ppm) / 1_000).min(OFFSET_CAP_NANOS);
            let status = STATUS_UNSYNCHRONISED | STATUS_PHASE_LOCKED | STATUS_NANOSECONDS;
            return Timex { status, offset: offset.cast_signed(), ..followed };
        }
        let interval_micros = MICROS << clock.poll_exponent;
        let (answer, since_micros) = (self.micros / interval_micros, self.micros % interval_micros);
        let remaining = i64::try_from(interval_micros - since_micros).unwrap_or_default();
        let offset_nanos = seed.of("offset").at(answer).below(400_001).cast_signed() - 200_000;
        let wander = seed.of("wander").at(answer).below(2_001).cast_signed() - 1_000;
        let since_seconds = i64::try_from(since_micros / MICROS).unwrap_or_default();
        Timex {
            state: 0,
            status: STATUS_PHASE_LOCKED | STATUS_NANOSECONDS,
            offset: offset_nanos * remaining / i64::try_from(interval_micros).unwrap_or(i64::MAX),
            frequency: clock.frequency + wander,
            maximum_error_microseconds: clock.distance_micros + TOLERANCE_MICROS_PER_SECOND * since_seconds,
            estimated_error_microseconds: offset_nanos.abs() / 1_000,
            ..followed
        }
    }

    /// The reply of the host's own NTP server, whose clock is that of the host.
    pub(crate) fn ntp(&self) -> NtpAnswer {
        let timex = self.timex();
        let (seed, interval_micros) = (self.machine.seed.of("ntp"), MICROS << self.machine.clock.poll_exponent);
        let now = self.now();
        let round_trip = Duration::from_nanos(seed.at(self.micros / MICROS).between(18_000, 95_000));
        let micros = |error: i64| Duration::from_micros(u64::try_from(error).unwrap_or_default());
        if timex.state == STATE_ERROR {
            let root_dispersion = micros(timex.maximum_error_microseconds);
            let reference = now.saturating_sub(Duration::from_secs(86_400));
            return NtpAnswer {
                leap: LEAP_UNSYNCHRONISED,
                stratum: STRATUM_UNSYNCHRONISED,
                offset_nanoseconds: 0,
                round_trip,
                minimum_error: Duration::ZERO,
                root_delay: Duration::ZERO,
                root_dispersion,
                transmitted: now,
                reference,
            };
        }
        NtpAnswer {
            leap: 0,
            stratum: u8::try_from(seed.of("stratum").between(2, 4)).unwrap_or(2),
            // The two ways to the server differ by less than they take.
            offset_nanoseconds: seed.at(self.micros / MICROS).of("offset").below(8_001).cast_signed() - 4_000,
            round_trip,
            minimum_error: Duration::ZERO,
            root_delay: micros(2 * self.machine.clock.distance_micros),
            root_dispersion: micros(timex.maximum_error_microseconds),
            transmitted: now,
            reference: now.saturating_sub(Duration::from_micros(self.micros % interval_micros)),
        }
    }
}
