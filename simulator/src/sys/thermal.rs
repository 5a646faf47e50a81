//! /sys/class/thermal

use crate::layout::{Group, What};
use crate::machine::{CoolingDevice, ThermalZone};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(super) static GROUPS: [Group; 4] = [
    Group {
        under: "class/thermal",
        each: each_zone,
        entries: &[("", What::Link(|_, i, into| put!(into, "../../devices/virtual/thermal/thermal_zone{i}")))],
    },
    Group {
        under: "class/thermal",
        each: each_device,
        entries: &[("", What::Link(|_, i, into| put!(into, "../../devices/virtual/thermal/cooling_device{i}")))],
    },
    Group {
        under: "devices/virtual/thermal",
        each: each_zone,
        entries: &[
            ("mode", What::File(|_, _, into| put_line!(into, "enabled"))),
            ("policy", What::File(|_, _, into| put_line!(into, "step_wise"))),
            ("temp", What::File(|m, i, into| zone(m, i, |z| put_line!(into, "{}", m.warmed(z.base, z.per_load))))),
            ("trip_point_0_hyst", What::File(|_, _, into| put_line!(into, "0"))),
            ("trip_point_0_temp", What::File(|m, i, into| zone(m, i, |z| put_line!(into, "{}", z.critical)))),
            ("trip_point_0_type", What::File(|_, _, into| put_line!(into, "critical"))),
            ("type", What::File(|m, i, into| zone(m, i, |z| put_line!(into, "{}", z.kind)))),
        ],
    },
    Group {
        under: "devices/virtual/thermal",
        each: each_device,
        entries: &[
            ("cur_state", What::File(|_, _, into| put_line!(into, "0"))),
            ("max_state", What::File(|m, i, into| device(m, i, |d| put_line!(into, "{}", d.states)))),
            ("type", What::File(|m, i, into| device(m, i, |d| put_line!(into, "{}", d.kind)))),
        ],
    },
];

fn zone(moment: &Moment<'_>, index: usize, write: impl FnOnce(&ThermalZone)) {
    if let Some(found) = moment.machine.thermal_zones.get(index) {
        write(found);
    }
}

fn device(moment: &Moment<'_>, index: usize, write: impl FnOnce(&CoolingDevice)) {
    if let Some(found) = moment.machine.cooling_devices.get(index) {
        write(found);
    }
}

fn each_zone(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    (0..moment.machine.thermal_zones.len()).for_each(|index| visit(index, format!("thermal_zone{index}").as_bytes()));
}

fn each_device(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    let devices = 0..moment.machine.cooling_devices.len();
    devices.for_each(|index| visit(index, format!("cooling_device{index}").as_bytes()));
}
