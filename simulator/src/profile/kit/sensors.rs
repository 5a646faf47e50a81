//! Hardware sensors.

use crate::machine::{Chip, EnergyMeter, Sensor};

pub(in crate::profile) fn sensor(
    name: &str,
    label: Option<&str>,
    (base, per_load): (u64, u64),
    fixed: &'static [(&'static str, u64)],
) -> Sensor {
    Sensor { name: name.to_owned(), label: label.map(str::to_owned), base, per_load, fixed }
}

pub(in crate::profile) fn chip(name: &'static str, device: &str, sensors: Vec<Sensor>) -> Chip {
    Chip { name, device: (!device.is_empty()).then(|| device.to_owned()), sensors }
}

/// Intel CPU sensors: package and cores.
pub(in crate::profile) fn coretemp(socket: usize, cores: usize) -> Chip {
    const LIMITS: &[(&str, u64)] = &[("crit", 100_000), ("crit_alarm", 0), ("max", 100_000)];
    let mut sensors = vec![sensor("temp1", Some(&format!("Package id {socket}")), (36_000, 9_000), LIMITS)];
    sensors.extend((0..cores).map(|core| {
        let base = 33_000 + 1_000 * (core as u64 * 7 % 5);
        sensor(&format!("temp{}", core + 2), Some(&format!("Core {core}")), (base, 8_000), LIMITS)
    }));
    chip("coretemp", &format!("platform/coretemp.{socket}"), sensors)
}

/// AMD CPU sensors: control temperature and core complex dies.
pub(in crate::profile) fn k10temp(socket: usize, dies: usize) -> Chip {
    let mut sensors = vec![sensor("temp1", Some("Tctl"), (39_500, 11_250), &[])];
    sensors.extend((0..dies).map(|die| {
        let label = format!("Tccd{}", die + 1);
        sensor(&format!("temp{}", die + 3), Some(&label), (36_750 + 250 * (die as u64 * 5 % 7), 9_500), &[])
    }));
    chip("k10temp", &format!("pci0000:{:02x}/0000:{:02x}:18.3", socket * 0x80, socket * 0x80), sensors)
}

/// Temperature sensor of a disk.
pub(in crate::profile) fn nvme(device: &str) -> Chip {
    const LIMITS: &[(&str, u64)] = &[("alarm", 0), ("crit", 84_850), ("max", 81_850), ("min", 0)];
    chip("nvme", device, vec![sensor("temp1", Some("Composite"), (36_850, 4_000), LIMITS)])
}

/// Mainboard sensors: voltages, fans, temperatures.
pub(in crate::profile) fn nct6798() -> Chip {
    let sensors = vec![
        sensor("in0", None, (880, 96), &[("alarm", 0), ("max", 1_744), ("min", 0)]),
        sensor("in1", None, (1_008, 0), &[("alarm", 0), ("max", 0), ("min", 0)]),
        sensor("in2", None, (3_376, 0), &[("alarm", 0), ("max", 3_632), ("min", 2_976)]),
        sensor("fan1", None, (2_310, 410), &[("alarm", 0), ("min", 0), ("pulses", 2)]),
        sensor("fan2", None, (2_280, 430), &[("alarm", 0), ("min", 0), ("pulses", 2)]),
        sensor("temp1", Some("SYSTIN"), (31_000, 2_000), &[("max", 80_000), ("max_hyst", 75_000), ("type", 4)]),
        sensor("temp2", Some("CPUTIN"), (38_000, 9_000), &[("max", 80_000), ("max_hyst", 75_000), ("type", 4)]),
    ];
    chip("nct6798", "platform/nct6775.656", sensors)
}

/// RAPL zones of a socket: package, cores and, where available, memory.
pub(in crate::profile) fn rapl(socket: usize, milliwatts: u64, has_memory: bool) -> Vec<EnergyMeter> {
    let whole = format!("intel-rapl:{socket}");
    let meter = |path: String, name: &str, milliwatts| EnergyMeter { path, name: name.to_owned(), milliwatts };
    let part = |number: usize| format!("{whole}/{whole}:{number}");
    let mut meters = vec![
        meter(whole.clone(), &format!("package-{socket}"), milliwatts),
        meter(part(0), "core", milliwatts * 7 / 10),
    ];
    if has_memory {
        meters.push(meter(part(1), "dram", milliwatts / 8));
    }
    meters
}
