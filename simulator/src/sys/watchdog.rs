//! /sys/class/watchdog

use super::relative;
use crate::layout::{Group, What};
use crate::machine::Watchdog;
use crate::moment::Moment;
use crate::text::put_line;

pub(super) static GROUPS: [Group; 3] = [
    Group { under: "class/watchdog", each: each_name, entries: &[("", What::Link(class))] },
    Group {
        under: "devices",
        each: each_path,
        entries: &[
            ("bootstatus", What::File(|m, i, into| of(m, i, |dog| put_line!(into, "{}", boot_status(dog))))),
            ("fw_version", What::File(|m, i, into| of(m, i, |dog| put_line!(into, "{}", dog.firmware)))),
            ("identity", What::File(|m, i, into| of(m, i, |dog| put_line!(into, "{}", dog.identity)))),
            ("nowayout", What::File(|_, _, into| put_line!(into, "0"))),
            ("options", What::File(|m, i, into| of(m, i, |dog| put_line!(into, "{}", dog.options)))),
            ("pretimeout", What::File(|_, _, into| put_line!(into, "0"))),
            ("pretimeout_governor", What::File(|_, _, into| put_line!(into, "noop"))),
            ("state", What::File(|m, i, into| of(m, i, |dog| put_line!(into, "{}", state(dog))))),
            ("status", What::File(|m, i, into| of(m, i, |dog| put_line!(into, "{:#x}", status(dog))))),
            ("timeleft", What::File(timeleft)),
            ("timeout", What::File(|m, i, into| of(m, i, |dog| put_line!(into, "{}", dog.timeout_seconds)))),
        ],
    },
    // Whether the first chip is in sight again, which somebody has to ask for.
    Group {
        under: "devices",
        each: each_recovered,
        entries: &[("access_cs0", What::File(|_, _, into| put_line!(into, "0")))],
    },
];

fn of(moment: &Moment<'_>, index: usize, write: impl FnOnce(&Watchdog)) {
    if let Some(found) = moment.machine.watchdogs.get(index) {
        write(found);
    }
}

/// The bit that says that the card was reset.
fn boot_status(dog: &Watchdog) -> u64 {
    if dog.has_recovered { 0x20 } else { 0 }
}

fn state(dog: &Watchdog) -> &'static str {
    if dog.is_active { "active" } else { "inactive" }
}

/// The bit that says that it is open.
fn status(dog: &Watchdog) -> u64 {
    if dog.is_active { 0x8000 } else { 0 }
}

/// Somebody pats it every ten seconds.
fn timeleft(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    const PERIOD_SECONDS: u64 = 10;
    of(moment, index, |dog| {
        let gone = if dog.is_active { moment.now().as_secs() % PERIOD_SECONDS } else { 0 };
        put_line!(into, "{}", dog.timeout_seconds.saturating_sub(gone));
    });
}

fn each_name(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    (0..moment.machine.watchdogs.len()).for_each(|index| visit(index, format!("watchdog{index}").as_bytes()));
}

fn folder(dog: &Watchdog, index: usize) -> String {
    format!("{}/watchdog/watchdog{index}", dog.device)
}

fn each_path(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for (index, dog) in moment.machine.watchdogs.iter().enumerate() {
        visit(index, folder(dog, index).as_bytes());
    }
}

fn each_recovered(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each_path(moment, &mut |index, path| {
        if moment.machine.watchdogs.get(index).is_some_and(|dog| dog.has_recovered) {
            visit(index, path);
        }
    });
}

fn class(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    of(moment, index, |dog| relative("class/watchdog", &format!("devices/{}", folder(dog, index)), into));
}
