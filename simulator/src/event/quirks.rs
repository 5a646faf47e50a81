//! Kernel quirks.

use super::{Event, EventError, EventKind, Fall, FallsAt};
use crate::machine::{Kind, Machine};
use crate::profile::Setting;

const TICKS: Setting = Setting::number("ticks", 300, 1..=1_000_000, "Decrease per CPU in hundredths of a second.");

/// A waiting task is counted on the CPU where it wakes up, so that iowait of the other CPU falls.
pub(super) const IOWAIT_FALLS: EventKind = EventKind {
    name: "iowait-falls",
    summary: "The iowait time of CPUs falls slightly, and counts as idle.",
    settings: &[TICKS],
    falls: &[Fall { counters: "proc/stat cpu* 5", at: FallsAt::Beginning }],
    turns: |event| vec![event.at_micros],
    turn: |event, _, machine, scene| {
        machine.past.iowait_falls.push((scene.micros, event.number(&TICKS)));
        Ok(())
    },
};

const SECONDS: Setting = Setting::number("seconds", 600, 0..=315_360_000, "Duration in seconds; 0 for ever.");
const THEN: Setting = Setting::word(
    "then",
    &["goes-on", "wraps"],
    "Whether the total continues beyond 2^32 or wraps, depending on the kernel.",
);

pub(super) const INTERRUPTS: EventKind = EventKind {
    name: "interrupts-beyond-32-bits",
    summary: "The interrupt total in /proc/stat reaches a multiple of 2^32.",
    settings: &[THEN],
    falls: &[Fall { counters: "proc/stat intr 1", at: FallsAt::Whenever }],
    turns: |_| vec![0],
    turn: |event, _, machine, _| {
        machine.past.interrupts_reach = Some((event.at_micros, event.number(&THEN) == 1));
        Ok(())
    },
};

pub(super) const FREQUENCY: EventKind = EventKind {
    name: "frequency-unknown",
    summary: "The frequency of all CPUs reads `<unknown>`, as with drivers that cannot query the hardware.",
    settings: &[SECONDS],
    falls: &[],
    turns: |event| event.beginning_and_end(&SECONDS),
    turn: |event, step, machine, _| {
        if machine.processor.frequency.is_none() {
            return Err(event.impossible("the CPUs of this host have no frequency scaling"));
        }
        machine.past.is_frequency_unknown = step == 0;
        Ok(())
    },
};

const ADAPTER: Setting = Setting::name("adapter", "Adapter. Default: the first with readable counters.");

pub(super) const FABRIC: EventKind = EventKind {
    name: "fabric-counters-missing",
    summary: "The counters of an InfiniBand port read `N/A (no PMA)`.",
    settings: &[ADAPTER, SECONDS],
    falls: &[],
    turns: |event| event.beginning_and_end(&SECONDS),
    turn: |event, step, machine, scene| {
        // Adapters without counters are unaffected.
        let name = match event.name(&ADAPTER) {
            Some(name) => name,
            None => {
                scene.first.adapters.iter().find(|adapter| adapter.has_counters).map_or("", |adapter| &adapter.name)
            }
        };
        let known = || scene.first.adapters.iter().map(|adapter| adapter.name.clone()).collect::<Vec<_>>();
        let of_first = scene.first.adapters.iter().find(|adapter| adapter.name == name);
        let of_first = of_first.ok_or_else(|| event.no_such("adapter", name, &known()))?;
        for adapter in machine.adapters.iter_mut().filter(|adapter| adapter.name == name) {
            adapter.has_counters = of_first.has_counters && step == 1;
        }
        Ok(())
    },
};

const DEVICE: Setting = Setting::name("device", "Network device. Default: the first physical one.");

pub(super) const ATTRIBUTES: EventKind = EventKind {
    name: "attributes-refused",
    summary: "Reading the speed of a network device fails with EINVAL, as with drivers that have none.",
    settings: &[DEVICE, SECONDS],
    falls: &[],
    turns: |event| event.beginning_and_end(&SECONDS),
    turn: refuse,
};

fn refuse(event: &Event, step: usize, machine: &mut Machine, _: &super::Scene<'_>) -> Result<(), EventError> {
    let links = || machine.interfaces.iter().filter(|link| link.kind != Kind::Loopback);
    let found = match event.name(&DEVICE) {
        Some(name) => links().find(|link| link.name == name),
        None => links().find(|link| link.kind.bus_device().is_some()),
    };
    let known = || links().map(|link| link.name.clone()).collect::<Vec<_>>();
    let found = found.ok_or_else(|| event.no_such("network device", event.name(&DEVICE).unwrap_or_default(), &known()));
    let refusing = &mut machine.past.refusing;
    match step {
        0 => refusing.push(found?.name.clone()),
        // It may have been removed by then.
        _ => refusing.retain(|name| found.as_ref().is_ok_and(|found| found.name != *name)),
    }
    Ok(())
}

const COUNTS_BITS: Setting = Setting::word("bits", &["32", "64"], "How many bits its counters have.");
const WRAPS: Setting = Setting::name("device", "Physical network device or disk. Default: the first network device.");

pub(super) const WRAP: EventKind = EventKind {
    name: "counter-wrap",
    summary: "Byte or sector counters of a device wrap to 0.",
    settings: &[WRAPS, COUNTS_BITS],
    falls: &[
        Fall { counters: "proc/*/net/dev * *", at: FallsAt::Whenever },
        Fall { counters: "sys/devices/*/statistics/*_bytes * *", at: FallsAt::Whenever },
        Fall { counters: "proc/diskstats * *", at: FallsAt::Whenever },
        Fall { counters: "sys/devices/*/stat * *", at: FallsAt::Whenever },
    ],
    turns: |_| vec![0],
    turn: |event, _, machine, _| {
        let links = machine.interfaces.iter().filter(|link| link.kind.bus_device().is_some()).map(|link| &link.name);
        let disks = machine.block_devices.iter().filter(|block| block.device.is_disk()).map(|block| &block.name);
        let known: Vec<String> = links.chain(disks).cloned().collect();
        let name = event.name(&WRAPS).map_or_else(|| known.first().cloned().unwrap_or_default(), str::to_owned);
        if !known.contains(&name) {
            return Err(event.no_such("device", &name, &known));
        }
        let bits = if event.number(&COUNTS_BITS) == 0 { 32 } else { 64 };
        machine.past.wraps.push(super::Wrap { device: name, bits, at_micros: event.at_micros });
        Ok(())
    },
};
