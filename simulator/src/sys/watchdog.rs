//! /sys/class/watchdog

use super::relative;
use crate::layout::{Content, Group, Part, Table};
use crate::machine::{Machine, Watchdog};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) const GROUPS: Table = &[
    &Group::<Numbered<'static>> {
        under: "class/watchdog",
        parts: |machine| Box::new(Numbered::each(machine)),
        path: |dog, _| format!("watchdog{}", dog.number).into(),
        entries: &[("", Content::Link(class))],
    },
    &Group::<Numbered<'static>> {
        under: "devices",
        parts: |machine| Box::new(Numbered::each(machine)),
        path: |dog, _| dog.folder().into(),
        entries: &[
            ("bootstatus", Content::File(|dog, _, into| put_line!(into, "{}", boot_status(dog.watchdog)))),
            ("fw_version", Content::File(|dog, _, into| put_line!(into, "{}", dog.watchdog.firmware))),
            ("identity", Content::File(|dog, _, into| put_line!(into, "{}", dog.watchdog.identity))),
            ("nowayout", Content::File(|_, _, into| put_line!(into, "0"))),
            ("options", Content::File(|dog, _, into| put_line!(into, "{}", dog.watchdog.options))),
            ("pretimeout", Content::File(|_, _, into| put_line!(into, "0"))),
            ("pretimeout_governor", Content::File(|_, _, into| put_line!(into, "noop"))),
            ("state", Content::File(|dog, _, into| put_line!(into, "{}", state(dog.watchdog)))),
            ("status", Content::File(|dog, _, into| put_line!(into, "{:#x}", status(dog.watchdog)))),
            ("timeleft", Content::File(timeleft)),
            ("timeout", Content::File(|dog, _, into| put_line!(into, "{}", dog.watchdog.timeout_seconds))),
        ],
    },
    // Whether the first flash chip is selected again, which a program has to request.
    &Group::<Numbered<'static>> {
        under: "devices",
        parts: |machine| Box::new(Numbered::each(machine).filter(|dog| dog.watchdog.has_recovered)),
        path: |dog, _| dog.folder().into(),
        entries: &[("access_cs0", Content::File(|_, _, into| put_line!(into, "0")))],
    },
];

/// The status bit of a reset by the watchdog.
fn boot_status(watchdog: &Watchdog) -> u64 {
    if watchdog.has_recovered { 0x20 } else { 0 }
}

fn state(watchdog: &Watchdog) -> &'static str {
    if watchdog.is_active { "active" } else { "inactive" }
}

/// The status bit of an active watchdog.
fn status(watchdog: &Watchdog) -> u64 {
    if watchdog.is_active { 0x8000 } else { 0 }
}

/// The number of seconds to the timeout of a watchdog that is reset periodically.
fn timeleft(Numbered { watchdog, .. }: Numbered<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    const PERIOD_SECONDS: u64 = 10;
    let gone = if watchdog.is_active { moment.now().as_secs() % PERIOD_SECONDS } else { 0 };
    put_line!(into, "{}", watchdog.timeout_seconds.saturating_sub(gone));
}

/// A watchdog with its number.
#[derive(Clone, Copy)]
struct Numbered<'a> {
    watchdog: &'a Watchdog,
    number: usize,
}

impl Part for Numbered<'static> {
    type Of<'a> = Numbered<'a>;
}

impl<'a> Numbered<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        machine.watchdogs.iter().enumerate().map(|(number, watchdog)| Self { watchdog, number })
    }

    /// Below /sys/devices.
    fn folder(self) -> String {
        format!("{}/watchdog/watchdog{}", self.watchdog.device, self.number)
    }
}

fn class(dog: Numbered<'_>, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative("class/watchdog", &format!("devices/{}", dog.folder()), into);
}
