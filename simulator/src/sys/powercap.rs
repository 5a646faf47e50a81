//! /sys/class/powercap: the energy that sockets and their parts took

use super::relative;
use crate::layout::{Group, What, once};
use crate::machine::EnergyMeter;
use crate::moment::Moment;
use crate::text::put_line;

/// The folder of the control type, below /sys.
const FOLDER: &str = "devices/virtual/powercap/intel-rapl";

pub(super) static GROUPS: [Group; 3] = [
    Group { under: "class/powercap", each: each_name, entries: &[("", What::Link(class))] },
    Group { under: FOLDER, each: if_any, entries: &[("enabled", What::File(|_, _, into| put_line!(into, "1")))] },
    Group {
        under: FOLDER,
        each: each_path,
        entries: &[
            ("enabled", What::File(|_, _, into| put_line!(into, "1"))),
            ("energy_uj", What::File(|m, i, into| meter(m, i, |meter| put_line!(into, "{}", m.microjoules(meter))))),
            // The numbers of this host are too small for the counter to come round.
            ("max_energy_range_uj", What::File(|_, _, into| put_line!(into, "{}", u64::MAX))),
            ("name", What::File(|m, i, into| meter(m, i, |meter| put_line!(into, "{}", meter.name)))),
        ],
    },
];

fn meter(moment: &Moment<'_>, index: usize, write: impl FnOnce(&EnergyMeter)) {
    if let Some(found) = moment.machine.energy_meters.get(index) {
        write(found);
    }
}

fn if_any(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    if !moment.machine.energy_meters.is_empty() {
        once(moment, visit);
    }
}

fn each_path(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for (index, meter) in moment.machine.energy_meters.iter().enumerate() {
        visit(index, meter.path.as_bytes());
    }
}

/// All of them stand beside each other here.
fn each_name(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each_path(moment, &mut |index, path| {
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        visit(index, name);
    });
}

fn class(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    meter(moment, index, |meter| relative("class/powercap", &format!("{FOLDER}/{}", meter.path), into));
}
