//! /sys/devices/system/edac: errors of memory

use crate::layout::{Group, What, once};
use crate::machine::MemoryControllers;
use crate::moment::Moment;
use crate::text::put_line;

pub(super) static GROUPS: [Group; 4] = [
    Group { under: "devices/system/edac/mc", each: if_any, entries: &[("uevent", What::File(|_, _, _| {}))] },
    Group {
        under: "devices/system/edac/mc",
        each: each_controller,
        entries: &[
            ("ce_count", What::File(|m, i, into| put_line!(into, "{}", of_controller(m, i)))),
            ("ce_noinfo_count", What::File(|_, _, into| put_line!(into, "0"))),
            ("mc_name", What::File(|m, _, into| of(m, |memory| put_line!(into, "{}", memory.name)))),
            ("seconds_since_reset", What::File(|m, _, into| put_line!(into, "{}", m.uptime_micros() / 1_000_000))),
            ("size_mb", What::File(|m, _, into| of(m, |c| put_line!(into, "{}", c.row_mib * c.rows as u64)))),
            ("ue_count", What::File(|_, _, into| put_line!(into, "0"))),
            ("ue_noinfo_count", What::File(|_, _, into| put_line!(into, "0"))),
        ],
    },
    Group {
        under: "devices/system/edac/mc",
        each: each_row,
        entries: &[
            ("ce_count", What::File(|m, i, into| put_line!(into, "{}", of_row(m, i)))),
            ("dev_type", What::File(|_, _, into| put_line!(into, "x4"))),
            ("edac_mode", What::File(|_, _, into| put_line!(into, "S4ECD4ED"))),
            ("mem_type", What::File(|_, _, into| put_line!(into, "Registered-DDR4"))),
            ("size_mb", What::File(|m, _, into| of(m, |memory| put_line!(into, "{}", memory.row_mib)))),
            ("ue_count", What::File(|_, _, into| put_line!(into, "0"))),
        ],
    },
    Group { under: "devices/system/edac/mc", each: each_channel, entries: &[("", What::File(channel))] },
];

/// Rows and channels are numbered through all controllers.
const PARTS: usize = 1 << 8;
/// The files of a channel.
const FILES: [&str; 3] = ["ce_count", "dimm_label", "ue_count"];

fn of(moment: &Moment<'_>, write: impl FnOnce(&MemoryControllers)) {
    if let Some(found) = moment.machine.memory_controllers.as_ref() {
        write(found);
    }
}

fn if_any(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    of(moment, |_| once(moment, visit));
}

fn each_controller(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    of(moment, |memory| (0..memory.controllers).for_each(|number| visit(number, format!("mc{number}").as_bytes())));
}

fn each_row(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    of(moment, |memory| {
        for controller in 0..memory.controllers {
            for row in 0..memory.rows {
                visit(controller * PARTS + row, format!("mc{controller}/csrow{row}").as_bytes());
            }
        }
    });
}

fn each_channel(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each_row(moment, &mut |row, path| {
        of(moment, |memory| {
            for channel in 0..memory.channels {
                for (place, file) in FILES.iter().enumerate() {
                    let file = format!("/ch{channel}_{file}");
                    visit((row * PARTS + channel) * FILES.len() + place, &[path, file.as_bytes()].concat());
                }
            }
        });
    });
}

fn of_row(moment: &Moment<'_>, index: usize) -> u64 {
    let (controller, row) = (index / PARTS, index % PARTS);
    let channels = |memory: &MemoryControllers| {
        let counts = (0..memory.channels).map(|channel| moment.corrected_errors(memory, controller, row, channel));
        counts.sum()
    };
    moment.machine.memory_controllers.as_ref().map_or(0, channels)
}

fn of_controller(moment: &Moment<'_>, controller: usize) -> u64 {
    let rows = moment.machine.memory_controllers.as_ref().map_or(0, |memory| memory.rows);
    (0..rows).map(|row| of_row(moment, controller * PARTS + row)).sum()
}

fn channel(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    let (rest, file) = (index / FILES.len(), FILES.get(index % FILES.len()).copied());
    let (controller, row, channel) = (rest / PARTS / PARTS, rest / PARTS % PARTS, rest % PARTS);
    of(moment, |memory| match file {
        Some("ce_count") => put_line!(into, "{}", moment.corrected_errors(memory, controller, row, channel)),
        Some("dimm_label") => put_line!(into, "mc#{controller}csrow#{row}channel#{channel}"),
        _ => put_line!(into, "0"),
    });
}
