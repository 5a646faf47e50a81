//! Discipline of the system clock, by `adjtimex(2)`.

use crate::declare;
use crate::host::errno::Errno;
use crate::host::kernel::KernelError;
use crate::host::kernel::timex::{STATE_ERROR, STATUS_NANOSECONDS};
use crate::kit::prelude::*;

/// The timex collector.
#[derive(Debug)]
pub struct Timex;

declare! {
    Timex: "timex", on, "Synchronisation of the system clock, from adjtimex().";
    families {
        ESTIMATED_ERROR: Gauge "node_timex_estimated_error_seconds" () "Estimated error of the system clock in seconds.";
        FREQUENCY: Gauge "node_timex_frequency_adjustment_ratio" () "Ratio of the adjusted to the nominal clock frequency.";
        TIME_CONSTANT: Gauge "node_timex_loop_time_constant" () "Time constant of the phase-locked loop.";
        MAXIMUM_ERROR: Gauge "node_timex_maxerror_seconds" () "Maximum error of the system clock in seconds.";
        OFFSET: Gauge "node_timex_offset_seconds" () "Offset between the system clock and its reference in seconds.";
        PPS_CALIBRATIONS: Counter "node_timex_pps_calibration_total" () "Calibration intervals of the pulse-per-second signal.";
        PPS_ERRORS: Counter "node_timex_pps_error_total" () "Calibration errors of the pulse-per-second signal.";
        PPS_FREQUENCY: Gauge "node_timex_pps_frequency_hertz" () "Frequency deviation of the pulse-per-second signal.";
        PPS_JITTER: Gauge "node_timex_pps_jitter_seconds" () "Jitter of the pulse-per-second signal in seconds.";
        PPS_JITTER_EXCEEDED: Counter "node_timex_pps_jitter_total" () "Pulses whose jitter exceeded the limit.";
        PPS_SHIFT: Gauge "node_timex_pps_shift_seconds" () "Length of the calibration interval of the pulse-per-second signal: the exponent of two that the kernel reports.";
        PPS_STABILITY_EXCEEDED: Counter "node_timex_pps_stability_exceeded_total" () "Calibration intervals whose stability exceeded the limit.";
        PPS_STABILITY: Gauge "node_timex_pps_stability_hertz" () "Average of recent changes in the frequency of the pulse-per-second signal, in hertz.";
        STATUS: Gauge "node_timex_status" () "Status bits of the clock (STA_ of adjtimex).";
        SYNCHRONISED: Gauge "node_timex_sync_status" () "Synchronisation with a reliable reference: 1 yes, 0 no.";
        TAI_OFFSET: Gauge "node_timex_tai_offset_seconds" () "Offset of International Atomic Time from UTC in seconds.";
        TICK: Gauge "node_timex_tick_seconds" () "Time between clock ticks in seconds.";
    }
}

/// Frequencies are parts per million with 16 bits behind the point.
const FREQUENCY_UNIT: f64 = 1_000_000.0 * 65_536.0;
const MICROSECONDS: f64 = 1e6;
const NANOSECONDS: f64 = 1e9;

impl Collect for Timex {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let found = cx.kernel.timex().map_err(failure)?;
        let page = &mut cx.page;
        let unit = if found.status & STATUS_NANOSECONDS == 0 { MICROSECONDS } else { NANOSECONDS };
        page.gauge(ESTIMATED_ERROR, (), found.estimated_error_microseconds as f64 / MICROSECONDS);
        page.gauge(FREQUENCY, (), 1.0 + found.frequency as f64 / FREQUENCY_UNIT);
        page.gauge(TIME_CONSTANT, (), found.time_constant);
        page.gauge(MAXIMUM_ERROR, (), found.maximum_error_microseconds as f64 / MICROSECONDS);
        page.gauge(OFFSET, (), found.offset as f64 / unit);
        page.counter(PPS_CALIBRATIONS, (), found.pps_calibration_count);
        page.counter(PPS_ERRORS, (), found.pps_error_count);
        page.gauge(PPS_FREQUENCY, (), found.pps_frequency as f64 / FREQUENCY_UNIT);
        page.gauge(PPS_JITTER, (), found.pps_jitter as f64 / unit);
        page.counter(PPS_JITTER_EXCEEDED, (), found.pps_jitter_count);
        page.gauge(PPS_SHIFT, (), found.pps_shift);
        page.counter(PPS_STABILITY_EXCEEDED, (), found.pps_stability_count);
        page.gauge(PPS_STABILITY, (), found.pps_stability as f64 / FREQUENCY_UNIT);
        page.gauge(STATUS, (), found.status);
        page.gauge(SYNCHRONISED, (), found.state != STATE_ERROR);
        page.gauge(TAI_OFFSET, (), found.tai_offset_seconds);
        page.gauge(TICK, (), found.tick_microseconds as f64 / MICROSECONDS);
        Ok(())
    }
}

/// Like node_exporter, which reports no data where a sandbox forbids the call.
fn failure(error: KernelError) -> Failure {
    match error {
        KernelError::Errno(Errno::EPERM | Errno::EACCES) | KernelError::Unsupported => {
            Failure::no_data(format_args!("adjtimex: {error}"))
        }
        KernelError::Errno(_) => Failure::error(format_args!("adjtimex: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::kernel::{Kernel, Question};
    use crate::kit::testing::given;

    const CLOCK: &str = "== kernel/timex\nstate 0\nstatus 0x2001\noffset -68718\nfrequency -196608\n\
        maximum_error_microseconds 8500\nestimated_error_microseconds 125\ntime_constant 7\ntick_microseconds 10000\n\
        tai_offset_seconds 37\n";
    const CLOCK_EMITTED: &str = "node_timex_estimated_error_seconds 0.000125\n\
        node_timex_frequency_adjustment_ratio 0.999997\nnode_timex_loop_time_constant 7\n\
        node_timex_maxerror_seconds 0.0085\nnode_timex_offset_seconds -6.8718e-05\n\
        node_timex_pps_calibration_total 0\nnode_timex_pps_error_total 0\nnode_timex_pps_frequency_hertz 0\n\
        node_timex_pps_jitter_seconds 0\nnode_timex_pps_jitter_total 0\nnode_timex_pps_shift_seconds 0\n\
        node_timex_pps_stability_exceeded_total 0\nnode_timex_pps_stability_hertz 0\nnode_timex_status 8193\n\
        node_timex_sync_status 1\nnode_timex_tai_offset_seconds 37\nnode_timex_tick_seconds 0.01\n";

    /// A sample of a clock.
    #[track_caller]
    fn check(entries: &str, sample: &str) {
        let scraped = given(entries).scrape::<Timex>();
        assert!(scraped.samples().lines().any(|line| line == sample), "{sample} is not in {}", scraped.samples());
    }

    #[test]
    fn a_synchronised_clock_is_exported() {
        given(CLOCK).emits::<Timex>(CLOCK_EMITTED);
    }

    #[test]
    fn a_clock_is_not_synchronised_in_one_state_only() {
        for (state, synchronised) in [(0, 1), (1, 1), (4, 1), (5, 0)] {
            check(&format!("== kernel/timex\nstate {state}\n"), &format!("node_timex_sync_status {synchronised}"));
        }
    }

    #[test]
    fn offset_and_jitter_are_micro_or_nanoseconds() {
        let clock = |status: u32| format!("== kernel/timex\nstatus {status}\noffset 1500\npps_jitter 2500\n");
        check(&clock(0x2000), "node_timex_offset_seconds 1.5e-06");
        check(&clock(0x2000), "node_timex_pps_jitter_seconds 2.5e-06");
        check(&clock(0x1fff), "node_timex_offset_seconds 0.0015");
        check(&clock(0x1fff), "node_timex_pps_jitter_seconds 0.0025");
    }

    #[test]
    fn a_pulse_per_second_signal_has_its_counters() {
        let pulses = "== kernel/timex\npps_frequency 98304\npps_stability 32768\npps_shift 4\npps_jitter_count 1\n\
            pps_calibration_count 2\npps_error_count 3\npps_stability_count 4\n";
        for sample in [
            "node_timex_pps_frequency_hertz 1.5e-06",
            "node_timex_pps_stability_hertz 5e-07",
            "node_timex_pps_shift_seconds 4",
            "node_timex_pps_jitter_total 1",
            "node_timex_pps_calibration_total 2",
            "node_timex_pps_error_total 3",
            "node_timex_pps_stability_exceeded_total 4",
        ] {
            check(pulses, sample);
        }
    }

    /// A kernel that refuses.
    #[derive(Debug)]
    struct Refusing(KernelError);

    impl Kernel for Refusing {
        fn ask(&self, _: Question<'_>) -> Result<(), KernelError> {
            Err(self.0)
        }
    }

    #[test]
    fn a_sandbox_that_forbids_the_call_is_no_error() {
        assert!(matches!(failure(KernelError::Errno(Errno::EPERM)), Failure::NoData(_)));
        assert!(matches!(failure(KernelError::Unsupported), Failure::NoData(_)));
        assert!(matches!(failure(KernelError::Errno(Errno::EINVAL)), Failure::Error(_)));
        given("").kernel(Refusing(Errno::EPERM.into())).fails::<Timex>("", "adjtimex: operation not permitted (EPERM)");
        given("").fails::<Timex>("", "adjtimex: this host has no answer");
    }
}
