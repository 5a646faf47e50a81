//! /sys/class/scsi_tape: tape drives, each under eight names

use super::relative;
use crate::layout::{Group, What};
use crate::machine::Tape;
use crate::moment::Moment;
use crate::text::put_line;

pub(super) static GROUPS: [Group; 2] = [
    Group {
        under: "class/scsi_tape",
        each: each_name,
        entries: &[(
            "",
            What::Link(|m, i, into| of(m, i, |t, name| relative("class/scsi_tape", &folder(t, name), into))),
        )],
    },
    Group {
        under: "devices",
        each: each_folder,
        entries: &[
            (
                "stats/in_flight",
                What::File(|m, i, into| of(m, i, |t, _| put_line!(into, "{}", m.tape_counts(t).in_flight))),
            ),
            (
                "stats/io_ns",
                What::File(|m, i, into| of(m, i, |t, _| put_line!(into, "{}", m.tape_counts(t).all_nanos()))),
            ),
            (
                "stats/other_cnt",
                What::File(|m, i, into| of(m, i, |t, _| put_line!(into, "{}", m.tape_counts(t).others))),
            ),
            (
                "stats/read_byte_cnt",
                What::File(|m, i, into| of(m, i, |t, _| put_line!(into, "{}", m.tape_counts(t).read_bytes))),
            ),
            ("stats/read_cnt", What::File(|m, i, into| of(m, i, |t, _| put_line!(into, "{}", m.tape_counts(t).reads)))),
            (
                "stats/read_ns",
                What::File(|m, i, into| of(m, i, |t, _| put_line!(into, "{}", m.tape_counts(t).read_nanos))),
            ),
            (
                "stats/resid_cnt",
                What::File(|m, i, into| of(m, i, |t, _| put_line!(into, "{}", m.tape_counts(t).residuals))),
            ),
            (
                "stats/write_byte_cnt",
                What::File(|m, i, into| of(m, i, |t, _| put_line!(into, "{}", m.tape_counts(t).written_bytes))),
            ),
            (
                "stats/write_cnt",
                What::File(|m, i, into| of(m, i, |t, _| put_line!(into, "{}", m.tape_counts(t).writes))),
            ),
            (
                "stats/write_ns",
                What::File(|m, i, into| of(m, i, |t, _| put_line!(into, "{}", m.tape_counts(t).write_nanos))),
            ),
        ],
    },
];

/// Four modes of density and compression, each with rewinding at the end and without.
const MODES: [(&str, &str); 8] =
    [("", ""), ("", "l"), ("", "m"), ("", "a"), ("n", ""), ("n", "l"), ("n", "m"), ("n", "a")];

fn name(tape: &Tape, mode: usize) -> String {
    let (front, back) = MODES.get(mode).copied().unwrap_or_default();
    format!("{front}st{}{back}", tape.number)
}

fn folder(tape: &Tape, name: &str) -> String {
    format!("devices/{}/scsi_tape/{name}", tape.scsi.path)
}

fn each(moment: &Moment<'_>, mut visit: impl FnMut(usize, &Tape, &str)) {
    for (index, tape) in moment.machine.storage.tapes.iter().enumerate() {
        for mode in 0..MODES.len() {
            visit(index * MODES.len() + mode, tape, &name(tape, mode));
        }
    }
}

fn each_name(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each(moment, |index, _, name| visit(index, name.as_bytes()));
}

fn each_folder(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each(moment, |index, tape, name| visit(index, format!("{}/scsi_tape/{name}", tape.scsi.path).as_bytes()));
}

fn of(moment: &Moment<'_>, index: usize, write: impl FnOnce(&Tape, &str)) {
    if let Some(tape) = moment.machine.storage.tapes.get(index / MODES.len()) {
        write(tape, &name(tape, index % MODES.len()));
    }
}
