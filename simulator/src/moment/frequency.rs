//! How fast the CPUs run.

use super::Moment;
use crate::machine::{Cpu, Model};
use crate::wave::MEAN;

impl Moment<'_> {
    /// How fast a CPU runs now: where somebody chooses, the busier the faster.
    pub(crate) fn kilohertz(&self, cpu: Cpu) -> u64 {
        let processor = &self.machine.processor;
        let Some(frequency) = &processor.frequency else {
            return match &processor.model {
                Model::X86(model) => model.kilohertz,
                Model::Arm(_) => 0,
                Model::Power(model) => model.kilohertz,
                Model::Mainframe(model) => model.megahertz * 1_000,
            };
        };
        let leading = if frequency.is_common { Cpu::new(0) } else { cpu };
        let load = processor.load(leading).map_or(MEAN, |load| self.recent(&load.wave, 1) * load.share / 1_000);
        let load = if self.runaway_processes() > 0 { 2 * MEAN } else { load };
        let range = frequency.most_kilohertz - frequency.least_kilohertz;
        frequency.least_kilohertz + range * load.min(2 * MEAN) / (2 * MEAN)
    }
}
