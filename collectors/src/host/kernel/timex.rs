//! The discipline of the system clock, as `adjtimex(2)` reports it.

/// `TIME_ERROR`: the state of a clock that is not synchronised.
pub const STATE_ERROR: u32 = 5;
/// `STA_UNSYNC`: the clock is not synchronised.
pub const STATUS_UNSYNCHRONISED: u32 = 0x40;
/// `STA_PLL`: a phase-locked loop adjusts the clock.
pub const STATUS_PHASE_LOCKED: u32 = 0x1;
/// `STA_NANO`: [`Timex::offset`] and [`Timex::pps_jitter`] are in nanoseconds, not microseconds.
pub const STATUS_NANOSECONDS: u32 = 0x2000;

/// `struct timex` and the call's result, in the kernel's units.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Timex {
    /// The result of the call: `TIME_OK` (0) to [`STATE_ERROR`].
    pub state: u32,
    /// `STA_` bits.
    pub status: u32,
    /// Offset between the system clock and its reference, in units of [`STATUS_NANOSECONDS`].
    pub offset: i64,
    /// Correction of the frequency in parts per million, times 65,536.
    pub frequency: i64,
    /// Maximum error in microseconds.
    pub maximum_error_microseconds: i64,
    /// Estimated error in microseconds.
    pub estimated_error_microseconds: i64,
    /// Time constant of the phase-locked loop.
    pub time_constant: i64,
    /// Microseconds between clock ticks.
    pub tick_microseconds: i64,
    /// Frequency of the pulse-per-second signal in parts per million, times 65,536.
    pub pps_frequency: i64,
    /// Jitter of the pulse-per-second signal, in units of [`STATUS_NANOSECONDS`].
    pub pps_jitter: i64,
    /// Interval of the pulse-per-second signal's calibration in seconds, as a power of 2.
    pub pps_shift: i32,
    /// Stability of the pulse-per-second signal in parts per million, times 65,536.
    pub pps_stability: i64,
    /// Pulses whose jitter exceeded the limit.
    pub pps_jitter_count: i64,
    /// Calibration intervals.
    pub pps_calibration_count: i64,
    /// Calibration errors.
    pub pps_error_count: i64,
    /// Intervals whose stability exceeded the limit.
    pub pps_stability_count: i64,
    /// Offset of International Atomic Time from UTC in seconds.
    pub tai_offset_seconds: i32,
}
