//! Interrupts: those of devices, which have lines, and those that CPUs send to themselves and each other.

use super::Cpu;

#[derive(Clone, Default, Debug)]
pub(crate) struct Interrupts {
    /// Sorted by number.
    pub(crate) lines: Vec<InterruptLine>,
    pub(crate) local: &'static [LocalInterrupt],
}

/// A line and who listens to it.
#[derive(Clone, Debug)]
pub(crate) struct InterruptLine {
    pub(crate) number: usize,
    /// Who passes it on: `IR-PCI-MSIX-0000:41:00.0`.
    pub(crate) chip: String,
    /// Its number there.
    pub(crate) hardware: u64,
    pub(crate) trigger: Trigger,
    pub(crate) action: String,
    /// How often it comes in a thousand seconds.
    pub(crate) milli: u64,
    /// The CPU that it goes to; otherwise all have their parts.
    pub(crate) cpu: Option<Cpu>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trigger {
    Edge,
    Level,
}

/// A kind that each CPU has of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalInterrupt {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// How often it comes in a thousand seconds on one CPU.
    pub(crate) milli: u64,
}
