//! /sys/class/power_supply

use super::relative;
use crate::layout::{Group, What};
use crate::machine::{PowerSupply, SupplyKind};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) static GROUPS: [Group; 3] = [
    Group { under: "class/power_supply", each: each_name, entries: &[("", What::Link(class))] },
    Group {
        under: "devices",
        each: |m, visit| each(m, visit, |kind| matches!(kind, SupplyKind::Mains)),
        entries: &[
            ("online", What::File(|_, _, into| put_line!(into, "1"))),
            ("type", What::File(|_, _, into| put_line!(into, "Mains"))),
        ],
    },
    Group {
        under: "devices",
        each: |m, visit| each(m, visit, |kind| matches!(kind, SupplyKind::Battery { .. })),
        entries: &[
            ("alarm", What::File(|m, i, into| put_line!(into, "{}", battery(m, i).full / 20))),
            ("capacity", What::File(|m, i, into| put_line!(into, "{}", battery(m, i).percent))),
            ("capacity_level", What::File(|_, _, into| put_line!(into, "Normal"))),
            ("charge_control_end_threshold", What::File(|_, _, into| put_line!(into, "{CHARGED_PERCENT}"))),
            ("cycle_count", What::File(|m, i, into| put_line!(into, "{}", battery(m, i).cycles))),
            ("energy_full", What::File(|m, i, into| put_line!(into, "{}", battery(m, i).full))),
            ("energy_full_design", What::File(|m, i, into| put_line!(into, "{}", battery(m, i).full / 20 * 21))),
            ("energy_now", What::File(|m, i, into| put_line!(into, "{}", battery(m, i).now))),
            ("manufacturer", What::File(|m, i, into| put_line!(into, "{}", battery(m, i).manufacturer))),
            ("model_name", What::File(|m, i, into| put_line!(into, "{}", battery(m, i).model))),
            ("power_now", What::File(|_, _, into| put_line!(into, "0"))),
            ("present", What::File(|_, _, into| put_line!(into, "1"))),
            ("serial_number", What::File(|m, i, into| put_line!(into, "{}", battery(m, i).serial))),
            ("status", What::File(|_, _, into| put_line!(into, "Not charging"))),
            ("technology", What::File(|_, _, into| put_line!(into, "Li-poly"))),
            ("type", What::File(|_, _, into| put_line!(into, "Battery"))),
            ("voltage_min_design", What::File(|_, _, into| put_line!(into, "15440000"))),
            ("voltage_now", What::File(|_, _, into| put_line!(into, "16518000"))),
        ],
    },
];

/// Up to here it is charged, so that it lives longer.
const CHARGED_PERCENT: u64 = 80;

/// A battery with its numbers.
#[derive(Default)]
struct Battery<'a> {
    manufacturer: &'a str,
    model: &'a str,
    serial: &'a str,
    full: u64,
    now: u64,
    percent: u64,
    cycles: u64,
}

/// On the mains, where it loses a little now and then.
fn battery<'a>(moment: &Moment<'a>, index: usize) -> Battery<'a> {
    let Some(PowerSupply { kind, .. }) = moment.machine.power_supplies.get(index) else { return Battery::default() };
    let SupplyKind::Battery { manufacturer, model, serial, full_microwatthours: full, cycles } = kind else {
        return Battery::default();
    };
    let percent = CHARGED_PERCENT - (moment.now().as_secs() / 86_400) % 4;
    Battery { manufacturer, model, serial, full: *full, now: full / 100 * percent, percent, cycles: *cycles }
}

fn folder(supply: &PowerSupply) -> String {
    format!("{}/power_supply/{}", supply.device, supply.name)
}

fn each(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8]), is_meant: impl Fn(&SupplyKind) -> bool) {
    for (index, supply) in moment.machine.power_supplies.iter().enumerate() {
        if is_meant(&supply.kind) {
            visit(index, folder(supply).as_bytes());
        }
    }
}

fn each_name(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for (index, supply) in moment.machine.power_supplies.iter().enumerate() {
        visit(index, supply.name.as_bytes());
    }
}

fn class(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    if let Some(supply) = moment.machine.power_supplies.get(index) {
        relative("class/power_supply", &format!("devices/{}", folder(supply)), into);
    }
}
