//! /sys/class/powercap: the energy used by sockets and their parts

use super::relative;
use crate::layout::{Content, Group, Table, each, each_with};
use crate::machine::{EnergyMeter, Machine};
use crate::moment::Moment;
use crate::text::put_line;

/// The folder of the control type, below /sys.
const FOLDER: &str = "devices/virtual/powercap/intel-rapl";

pub(super) const GROUPS: Table = &[
    &Group::<EnergyMeter> {
        under: "class/powercap",
        parts: |machine| each(&machine.energy_meters),
        path: |meter, _| meter.path.rsplit('/').next().unwrap_or_default().into(),
        entries: &[("", Content::Link(class))],
    },
    &Group::<Machine> {
        under: FOLDER,
        parts: |machine| each_with([machine], |machine| !machine.energy_meters.is_empty()),
        path: |_, _| "".into(),
        entries: &[("enabled", Content::File(|_, _, into| put_line!(into, "1")))],
    },
    &Group::<EnergyMeter> {
        under: FOLDER,
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

fn class(meter: &EnergyMeter, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative("class/powercap", &format!("{FOLDER}/{}", meter.path), into);
}
