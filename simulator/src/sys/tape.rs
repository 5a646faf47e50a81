//! /sys/class/scsi_tape: tape drives, each with a device for each of eight modes

use super::relative;
use crate::layout::{Content, Group, Part, Table};
use crate::machine::{Machine, Tape};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) const GROUPS: Table = &[
    &Group::<TapeMode<'static>> {
        under: "class/scsi_tape",
        parts: |machine| Box::new(TapeMode::each(machine)),
        path: |mode, _| mode.name().into(),
        entries: &[("", Content::Link(class))],
    },
    &Group::<TapeMode<'static>> {
        under: "devices",
        parts: |machine| Box::new(TapeMode::each(machine)),
        path: |mode, _| mode.folder().into(),
        entries: &[
            (
                "stats/in_flight",
                Content::File(|mode, m, into| put_line!(into, "{}", m.tape_counts(mode.tape).in_flight)),
            ),
            ("stats/io_ns", Content::File(|mode, m, into| put_line!(into, "{}", m.tape_counts(mode.tape).all_nanos()))),
            ("stats/other_cnt", Content::File(|mode, m, into| put_line!(into, "{}", m.tape_counts(mode.tape).others))),
            (
                "stats/read_byte_cnt",
                Content::File(|mode, m, into| put_line!(into, "{}", m.tape_counts(mode.tape).read_bytes)),
            ),
            ("stats/read_cnt", Content::File(|mode, m, into| put_line!(into, "{}", m.tape_counts(mode.tape).reads))),
            (
                "stats/read_ns",
                Content::File(|mode, m, into| put_line!(into, "{}", m.tape_counts(mode.tape).read_nanos)),
            ),
            (
                "stats/resid_cnt",
                Content::File(|mode, m, into| put_line!(into, "{}", m.tape_counts(mode.tape).residuals)),
            ),
            (
                "stats/write_byte_cnt",
                Content::File(|mode, m, into| put_line!(into, "{}", m.tape_counts(mode.tape).written_bytes)),
            ),
            ("stats/write_cnt", Content::File(|mode, m, into| put_line!(into, "{}", m.tape_counts(mode.tape).writes))),
            (
                "stats/write_ns",
                Content::File(|mode, m, into| put_line!(into, "{}", m.tape_counts(mode.tape).write_nanos)),
            ),
        ],
    },
];

/// Prefix and suffix of the names: four modes of density and compression, each rewinding when closed or not.
const MODES: [(&str, &str); 8] =
    [("", ""), ("", "l"), ("", "m"), ("", "a"), ("n", ""), ("n", "l"), ("n", "m"), ("n", "a")];

/// A tape drive in one of its modes.
#[derive(Clone, Copy)]
struct TapeMode<'a> {
    tape: &'a Tape,
    prefix: &'static str,
    suffix: &'static str,
}

impl Part for TapeMode<'static> {
    type Of<'a> = TapeMode<'a>;
}

impl<'a> TapeMode<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        let mode = |tape| MODES.into_iter().map(move |(prefix, suffix)| Self { tape, prefix, suffix });
        machine.storage.tapes.iter().flat_map(mode)
    }

    fn name(self) -> String {
        format!("{}st{}{}", self.prefix, self.tape.number, self.suffix)
    }

    /// Below /sys/devices.
    fn folder(self) -> String {
        format!("{}/scsi_tape/{}", self.tape.scsi.path, self.name())
    }
}

fn class(mode: TapeMode<'_>, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative("class/scsi_tape", &format!("devices/{}", mode.folder()), into);
}
