//! /sys/class/thermal

use crate::layout::{Content, Group, Part, Table};
use crate::machine::{CoolingDevice, Machine, ThermalZone};
use crate::text::{put, put_line};

pub(super) const GROUPS: Table = &[
    &Group::<Zone<'static>> {
        under: "class/thermal",
        parts: |machine| Box::new(Zone::each(machine)),
        path: |zone, _| format!("thermal_zone{}", zone.number).into(),
        entries: &[(
            "",
            Content::Link(|zone, _, into| put!(into, "../../devices/virtual/thermal/thermal_zone{}", zone.number)),
        )],
    },
    &Group::<Cooler<'static>> {
        under: "class/thermal",
        parts: |machine| Box::new(Cooler::each(machine)),
        path: |cooler, _| format!("cooling_device{}", cooler.number).into(),
        entries: &[(
            "",
            Content::Link(|cooler, _, into| {
                put!(into, "../../devices/virtual/thermal/cooling_device{}", cooler.number);
            }),
        )],
    },
    &Group::<Zone<'static>> {
        under: "devices/virtual/thermal",
        parts: |machine| Box::new(Zone::each(machine)),
        path: |zone, _| format!("thermal_zone{}", zone.number).into(),
        entries: &[
            ("mode", Content::File(|_, _, into| put_line!(into, "enabled"))),
            ("policy", Content::File(|_, _, into| put_line!(into, "step_wise"))),
            ("temp", Content::File(|z, m, into| put_line!(into, "{}", m.warmed(z.zone.base, z.zone.per_load)))),
            ("trip_point_0_hyst", Content::File(|_, _, into| put_line!(into, "0"))),
            ("trip_point_0_temp", Content::File(|z, _, into| put_line!(into, "{}", z.zone.critical))),
            ("trip_point_0_type", Content::File(|_, _, into| put_line!(into, "critical"))),
            ("type", Content::File(|z, _, into| put_line!(into, "{}", z.zone.kind))),
        ],
    },
    &Group::<Cooler<'static>> {
        under: "devices/virtual/thermal",
        parts: |machine| Box::new(Cooler::each(machine)),
        path: |cooler, _| format!("cooling_device{}", cooler.number).into(),
        entries: &[
            ("cur_state", Content::File(|_, _, into| put_line!(into, "0"))),
            ("max_state", Content::File(|cooler, _, into| put_line!(into, "{}", cooler.device.states))),
            ("type", Content::File(|cooler, _, into| put_line!(into, "{}", cooler.device.kind))),
        ],
    },
];

/// A thermal zone with its number.
#[derive(Clone, Copy)]
struct Zone<'a> {
    zone: &'a ThermalZone,
    number: usize,
}

impl Part for Zone<'static> {
    type Of<'a> = Zone<'a>;
}

impl<'a> Zone<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        machine.thermal_zones.iter().enumerate().map(|(number, zone)| Self { zone, number })
    }
}

/// A cooling device with its number.
#[derive(Clone, Copy)]
struct Cooler<'a> {
    device: &'a CoolingDevice,
    number: usize,
}

impl Part for Cooler<'static> {
    type Of<'a> = Cooler<'a>;
}

impl<'a> Cooler<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        machine.cooling_devices.iter().enumerate().map(|(number, device)| Self { device, number })
    }
}
