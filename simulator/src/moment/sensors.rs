//! What sensors and meters say.

use super::Moment;
use crate::machine::{EnergyMeter, MemoryControllers, Sensor};

impl Moment<'_> {
    /// What goes with the load of the last half minute: from a base, so much more at the mean.
    pub(crate) fn warmed(&self, base: u64, per_load: u64) -> u64 {
        base + per_load * self.busy_recently(30) / 1_000
    }

    pub(crate) fn sensor(&self, sensor: &Sensor) -> u64 {
        self.warmed(sensor.base, sensor.per_load)
    }

    /// Since the start, in microjoules.
    pub(crate) fn microjoules(&self, meter: &EnergyMeter) -> u64 {
        self.counter(&self.machine.load, meter.milliwatts * 1_000_000)
    }

    /// Memory errors of the faulty channel that were corrected.
    pub(crate) fn corrected_errors(&self, memory: &MemoryControllers) -> u64 {
        self.counter(&self.machine.load, memory.corrected_micro) / 1_000
    }
}
