//! /sys/class/power_supply; /sys/class/powercap: the energy used by sockets and their parts

use super::relative;
use crate::layout::{Content, Group, Part, Table, each, each_with};
use crate::machine::{EnergyMeter, Machine, PowerSupply, SupplyKind};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) const GROUPS: Table = &[
    &Group::<PowerSupply> {
        under: "class/power_supply",
        parts: |machine| each(&machine.power_supplies),
        path: |supply, _| supply.name.into(),
        entries: &[("", Content::Link(class))],
    },
    &Group::<PowerSupply> {
        under: "devices",
        parts: |machine| each_with(&machine.power_supplies, |supply| matches!(supply.kind, SupplyKind::Mains)),
        path: |supply, _| folder(supply).into(),
        entries: &[
            ("online", Content::File(|_, _, into| put_line!(into, "1"))),
            ("type", Content::File(|_, _, into| put_line!(into, "Mains"))),
        ],
    },
    &Group::<Battery<'static>> {
        under: "devices",
        parts: |machine| Box::new(machine.power_supplies.iter().filter_map(Battery::of)),
        path: |battery, _| folder(battery.supply).into(),
        entries: &[
            ("alarm", Content::File(|battery, _, into| put_line!(into, "{}", battery.full / 20))),
            ("capacity", Content::File(|_, m, into| put_line!(into, "{}", charge_percent(m)))),
            ("capacity_level", Content::File(|_, _, into| put_line!(into, "Normal"))),
            ("charge_control_end_threshold", Content::File(|_, _, into| put_line!(into, "{CHARGED_PERCENT}"))),
            ("cycle_count", Content::File(|battery, _, into| put_line!(into, "{}", battery.cycles))),
            ("energy_full", Content::File(|battery, _, into| put_line!(into, "{}", battery.full))),
            ("energy_full_design", Content::File(|battery, _, into| put_line!(into, "{}", battery.full / 20 * 21))),
            (
                "energy_now",
                Content::File(|battery, m, into| put_line!(into, "{}", battery.full / 100 * charge_percent(m))),
            ),
            ("manufacturer", Content::File(|battery, _, into| put_line!(into, "{}", battery.manufacturer))),
            ("model_name", Content::File(|battery, _, into| put_line!(into, "{}", battery.model))),
            ("power_now", Content::File(|_, _, into| put_line!(into, "0"))),
            ("present", Content::File(|_, _, into| put_line!(into, "1"))),
            ("serial_number", Content::File(|battery, _, into| put_line!(into, "{}", battery.serial))),
            ("status", Content::File(|_, _, into| put_line!(into, "Not charging"))),
            ("technology", Content::File(|_, _, into| put_line!(into, "Li-poly"))),
            ("type", Content::File(|_, _, into| put_line!(into, "Battery"))),
            ("voltage_min_design", Content::File(|_, _, into| put_line!(into, "15440000"))),
            ("voltage_now", Content::File(|_, _, into| put_line!(into, "16518000"))),
        ],
    },
    &Group::<EnergyMeter> {
        under: "class/powercap",
        parts: |machine| each(&machine.energy_meters),
        path: |meter, _| meter.path.rsplit('/').next().unwrap_or_default().into(),
        entries: &[("", Content::Link(meter_class))],
    },
    &Group::<Machine> {
        under: POWERCAP_FOLDER,
        parts: |machine| each_with([machine], |machine| !machine.energy_meters.is_empty()),
        path: |_, _| "".into(),
        entries: &[("enabled", Content::File(|_, _, into| put_line!(into, "1")))],
    },
    &Group::<EnergyMeter> {
        under: POWERCAP_FOLDER,
        parts: |machine| each(&machine.energy_meters),
        path: |meter, _| meter.path.as_str().into(),
        entries: &[
            ("enabled", Content::File(|_, _, into| put_line!(into, "1"))),
            ("energy_uj", Content::File(|meter, m, into| put_line!(into, "{}", m.microjoules(meter)))),
            // The counter does not wrap at the rates of the simulation.
            ("max_energy_range_uj", Content::File(|_, _, into| put_line!(into, "{}", u64::MAX))),
            ("name", Content::File(|meter, _, into| put_line!(into, "{}", meter.name))),
        ],
    },
];

/// The charge limit, which makes the battery last longer.
const CHARGED_PERCENT: u64 = 80;

/// A battery of a host on mains.
#[derive(Clone, Copy)]
struct Battery<'a> {
    supply: &'a PowerSupply,
    manufacturer: &'static str,
    model: &'static str,
    serial: &'a str,
    /// In microwatt hours.
    full: u64,
    cycles: u64,
}

impl Part for Battery<'static> {
    type Of<'a> = Battery<'a>;
}

impl<'a> Battery<'a> {
    fn of(supply: &'a PowerSupply) -> Option<Self> {
        let SupplyKind::Battery { manufacturer, model, serial, full_microwatthours: full, cycles } = &supply.kind
        else {
            return None;
        };
        Some(Self { supply, manufacturer, model, serial, full: *full, cycles: *cycles })
    }
}

/// The charge of a battery: it falls by some percent before it is charged again.
fn charge_percent(moment: &Moment<'_>) -> u64 {
    CHARGED_PERCENT - (moment.now().as_secs() / 86_400) % 4
}

fn folder(supply: &PowerSupply) -> String {
    format!("{}/power_supply/{}", supply.device, supply.name)
}

fn class(supply: &PowerSupply, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative("class/power_supply", &format!("devices/{}", folder(supply)), into);
}

/// The folder of the control type, below /sys.
const POWERCAP_FOLDER: &str = "devices/virtual/powercap/intel-rapl";

fn meter_class(meter: &EnergyMeter, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative("class/powercap", &format!("{POWERCAP_FOLDER}/{}", meter.path), into);
}
