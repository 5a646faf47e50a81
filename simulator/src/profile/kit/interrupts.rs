//! Interrupt lines by architecture.

use crate::machine::{InterruptLine, Interrupts, LocalInterrupt, Trigger};

const fn local(name: &'static str, description: &'static str, milli: u64) -> LocalInterrupt {
    LocalInterrupt { name, description, milli }
}

static PC: [LocalInterrupt; 17] = [
    local("NMI", "Non-maskable interrupts", 31),
    local("LOC", "Local timer interrupts", 184_000),
    local("SPU", "Spurious interrupts", 0),
    local("PMI", "Performance monitoring interrupts", 31),
    local("IWI", "IRQ work interrupts", 110),
    local("RTR", "APIC ICR read retries", 0),
    local("RES", "Rescheduling interrupts", 9_800),
    local("CAL", "Function call interrupts", 18_600),
    local("TLB", "TLB shootdowns", 2_300),
    local("TRM", "Thermal event interrupts", 0),
    local("THR", "Threshold APIC interrupts", 0),
    local("DFR", "Deferred Error APIC interrupts", 0),
    local("MCE", "Machine check exceptions", 0),
    local("MCP", "Machine check polls", 3_300),
    local("PIN", "Posted-interrupt notification event", 0),
    local("NPI", "Nested posted-interrupt event", 0),
    local("PIW", "Posted-interrupt wakeup event", 0),
];

static ARM: [LocalInterrupt; 7] = [
    local("IPI0", "Rescheduling interrupts", 9_700),
    local("IPI1", "Function call interrupts", 11_400),
    local("IPI2", "CPU stop interrupts", 0),
    local("IPI3", "CPU stop NMIs", 0),
    local("IPI4", "Timer broadcast interrupts", 0),
    local("IPI5", "IRQ work interrupts", 210),
    local("IPI6", "CPU backtrace interrupts", 0),
];

static POWER: [LocalInterrupt; 6] = [
    local("LOC", "Local timer interrupts for timer event device", 171_000),
    local("BCT", "Broadcast timer interrupts for timer event device", 0),
    local("SPU", "Spurious interrupts", 0),
    local("PMI", "Performance monitoring interrupts", 0),
    local("MCE", "Machine check exceptions", 0),
    local("DBL", "Doorbell interrupts", 8_800),
];

static MAINFRAME: [LocalInterrupt; 29] = [
    local("CLK", "[EXT] Clock Comparator", 96_000),
    local("EXC", "[EXT] External Call", 6_100),
    local("EMS", "[EXT] Emergency Signal", 4_300),
    local("TMR", "[EXT] CPU Timer", 0),
    local("TAL", "[EXT] Timing Alert", 0),
    local("PFL", "[EXT] Pseudo Page Fault", 0),
    local("DSD", "[EXT] DASD Diag", 0),
    local("VRT", "[EXT] Virtio", 0),
    local("SCP", "[EXT] Service Call", 3),
    local("IUC", "[EXT] IUCV", 0),
    local("CMS", "[EXT] CPU-Measurement: Sampling", 0),
    local("CMC", "[EXT] CPU-Measurement: Counter", 0),
    local("FTP", "[EXT] HMC FTP Service", 0),
    local("CIO", "[I/O] Common I/O Layer Interrupt", 2),
    local("DAS", "[I/O] DASD", 11_000),
    local("C15", "[I/O] 3215", 0),
    local("C70", "[I/O] 3270", 0),
    local("TAP", "[I/O] Tape", 0),
    local("VMR", "[I/O] Unit Record Devices", 0),
    local("CTC", "[I/O] CTC", 0),
    local("ADM", "[I/O] EADM Subchannel", 0),
    local("CSC", "[I/O] CHSC Subchannel", 0),
    local("VIR", "[I/O] Virtual I/O Devices", 0),
    local("QAI", "[AIO] QDIO Adapter Interrupt", 24_000),
    local("APB", "[AIO] AP Bus", 0),
    local("PCF", "[AIO] PCI Floating Interrupt", 0),
    local("GAL", "[AIO] GIB Alert", 0),
    local("NMI", "[NMI] Machine Check", 1),
    local("RST", "[CPU] CPU Restart", 0),
];

/// Interrupt lines of a POWER partition before those of devices.
pub(in crate::profile) fn power() -> Interrupts {
    Interrupts { lines: Vec::new(), local: &POWER }
}

/// Interrupt lines of a mainframe, where devices have none.
pub(in crate::profile) fn mainframe() -> Interrupts {
    Interrupts { lines: Vec::new(), local: &MAINFRAME }
}

/// Legacy line of a PC, such as keyboard or clock.
fn wired(number: usize, hardware: u64, trigger: Trigger, action: &str, milli: u64) -> InterruptLine {
    let chip = "IO-APIC".to_owned();
    InterruptLine { number, chip, hardware, trigger, action: action.to_owned(), milli, cpu: Some(0) }
}

/// Interrupt lines of a PC before those of devices.
pub(in crate::profile) fn pc() -> Interrupts {
    let lines = vec![
        wired(1, 1, Trigger::Edge, "i8042", 9),
        wired(4, 4, Trigger::Edge, "ttyS0", 3),
        wired(8, 8, Trigger::Edge, "rtc0", 0),
        wired(9, 9, Trigger::Level, "acpi", 1),
        wired(12, 12, Trigger::Edge, "i8042", 0),
    ];
    Interrupts { lines, local: &PC }
}

/// Interrupt lines of an ARM board before those of devices.
pub(in crate::profile) fn arm() -> Interrupts {
    let timer = InterruptLine {
        number: 10,
        chip: "GICv2".to_owned(),
        hardware: 30,
        trigger: Trigger::Level,
        action: "arch_timer".to_owned(),
        milli: 420_000,
        cpu: None,
    };
    Interrupts { lines: vec![timer], local: &ARM }
}

impl Interrupts {
    /// Appends a line.
    pub(in crate::profile) fn with_line(mut self, chip: &str, hardware: u64, action: &str, milli: u64) -> Self {
        self.push(chip, hardware, action, milli, None);
        self
    }

    /// Appends the queues of a device, each on a CPU of its own while there are enough.
    pub(in crate::profile) fn with_queues(mut self, chip: &str, names: &[String], cpus: usize, milli: u64) -> Self {
        for (queue, name) in (0_usize..).zip(names) {
            self.push(chip, queue as u64, name, milli, Some(queue % cpus.max(1)));
        }
        self
    }

    fn push(&mut self, chip: &str, hardware: u64, action: &str, milli: u64, cpu: Option<usize>) {
        let number = self.lines.last().map_or(0, |line| line.number + 1).max(24);
        let (chip, action) = (chip.to_owned(), action.to_owned());
        let trigger = if chip.starts_with("GIC") { Trigger::Level } else { Trigger::Edge };
        self.lines.push(InterruptLine { number, chip, hardware, trigger, action, milli, cpu });
    }
}
