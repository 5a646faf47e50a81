//! /sys/devices/system/edac: memory errors

use crate::layout::{Content, Group, Part, Table, each};
use crate::machine::{Machine, MemoryControllers};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) const GROUPS: Table = &[
    &Group::<MemoryControllers> {
        under: "devices/system/edac/mc",
        parts: |machine| each(&machine.memory_controllers),
        path: |_, _| "".into(),
        entries: &[("uevent", Content::File(|_, _, _| {}))],
    },
    &Group::<Controller<'static>> {
        under: "devices/system/edac/mc",
        parts: |machine| Box::new(Controller::each(machine)),
        path: |controller, _| format!("mc{}", controller.number).into(),
        entries: &[
            ("ce_count", Content::File(|controller, m, into| put_line!(into, "{}", controller.corrected_errors(m)))),
            ("ce_noinfo_count", Content::File(|_, _, into| put_line!(into, "0"))),
            ("mc_name", Content::File(|controller, _, into| put_line!(into, "{}", controller.memory.name))),
            ("seconds_since_reset", Content::File(|_, m, into| put_line!(into, "{}", m.uptime_micros() / 1_000_000))),
            ("size_mb", Content::File(|controller, _, into| put_line!(into, "{}", controller.mebibytes()))),
            ("ue_count", Content::File(|_, _, into| put_line!(into, "0"))),
            ("ue_noinfo_count", Content::File(|_, _, into| put_line!(into, "0"))),
        ],
    },
    &Group::<ChipRow<'static>> {
        under: "devices/system/edac/mc",
        parts: |machine| Box::new(Controller::each(machine).flat_map(Controller::rows)),
        path: |row, _| row.path().into(),
        entries: &[
            ("ce_count", Content::File(|row, m, into| put_line!(into, "{}", row.corrected_errors(m)))),
            ("dev_type", Content::File(|_, _, into| put_line!(into, "x4"))),
            ("edac_mode", Content::File(|_, _, into| put_line!(into, "S4ECD4ED"))),
            ("mem_type", Content::File(|_, _, into| put_line!(into, "Registered-DDR4"))),
            ("size_mb", Content::File(|row, _, into| put_line!(into, "{}", row.controller.memory.row_mib))),
            ("ue_count", Content::File(|_, _, into| put_line!(into, "0"))),
        ],
    },
    &Group::<Channel<'static>> {
        under: "devices/system/edac/mc",
        parts: |machine| Box::new(Channel::each(machine)),
        path: |channel, _| channel.path("ce_count").into(),
        entries: &[("", Content::File(|channel, m, into| put_line!(into, "{}", channel.corrected_errors(m))))],
    },
    &Group::<Channel<'static>> {
        under: "devices/system/edac/mc",
        parts: |machine| Box::new(Channel::each(machine)),
        path: |channel, _| channel.path("dimm_label").into(),
        entries: &[("", Content::File(label))],
    },
    &Group::<Channel<'static>> {
        under: "devices/system/edac/mc",
        parts: |machine| Box::new(Channel::each(machine)),
        path: |channel, _| channel.path("ue_count").into(),
        entries: &[("", Content::File(|_, _, into| put_line!(into, "0")))],
    },
];

/// A memory controller.
#[derive(Clone, Copy)]
struct Controller<'a> {
    memory: &'a MemoryControllers,
    number: usize,
}

impl Part for Controller<'static> {
    type Of<'a> = Controller<'a>;
}

impl<'a> Controller<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        let memory = machine.memory_controllers.iter();
        memory.flat_map(|memory| (0..memory.controllers).map(move |number| Self { memory, number }))
    }

    fn rows(self) -> impl Iterator<Item = ChipRow<'a>> {
        (0..self.memory.rows).map(move |number| ChipRow { controller: self, number })
    }

    fn corrected_errors(self, moment: &Moment<'_>) -> u64 {
        self.rows().map(|row| row.corrected_errors(moment)).sum()
    }

    fn mebibytes(self) -> u64 {
        self.memory.row_mib * self.memory.rows as u64
    }
}

/// A row of chips of a controller.
#[derive(Clone, Copy)]
struct ChipRow<'a> {
    controller: Controller<'a>,
    number: usize,
}

impl Part for ChipRow<'static> {
    type Of<'a> = ChipRow<'a>;
}

impl<'a> ChipRow<'a> {
    fn channels(self) -> impl Iterator<Item = Channel<'a>> {
        (0..self.controller.memory.channels).map(move |number| Channel { row: self, number })
    }

    fn path(self) -> String {
        format!("mc{}/csrow{}", self.controller.number, self.number)
    }

    fn corrected_errors(self, moment: &Moment<'_>) -> u64 {
        self.channels().map(|channel| channel.corrected_errors(moment)).sum()
    }
}

/// A channel of a row.
#[derive(Clone, Copy)]
struct Channel<'a> {
    row: ChipRow<'a>,
    number: usize,
}

impl Part for Channel<'static> {
    type Of<'a> = Channel<'a>;
}

impl<'a> Channel<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        Controller::each(machine).flat_map(Controller::rows).flat_map(ChipRow::channels)
    }

    /// The path of one of its files, whose names begin with that of the channel.
    fn path(self, file: &str) -> String {
        format!("{}/ch{}_{file}", self.row.path(), self.number)
    }

    /// All errors are those of the first channel of the first row.
    fn corrected_errors(self, moment: &Moment<'_>) -> u64 {
        let ChipRow { controller, number: row } = self.row;
        let is_first = (controller.number, row, self.number) == (0, 0, 0);
        if is_first { moment.corrected_errors(controller.memory) } else { 0 }
    }
}

fn label(Channel { row, number }: Channel<'_>, _: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "mc#{}csrow#{}channel#{number}", row.controller.number, row.number);
}
