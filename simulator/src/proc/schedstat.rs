//! /proc/schedstat

use crate::layout::{Content, Group, Table};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::text::put_line;

pub(super) const GROUPS: Table = &[&Group::of_host("", &[("schedstat", Content::File(schedstat))])];

/// Ticks of 4 milliseconds at the boot: five minutes before 32 bits wrap.
const FIRST_TIMESTAMP: u64 = 4_294_892_296;

fn schedstat(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "version 16");
    put_line!(into, "timestamp {}", FIRST_TIMESTAMP + moment.uptime_hundredths() * 10 / 4);
    for cpu in moment.machine.processor.online() {
        let [running, waiting, timeslices] = moment.scheduled(cpu);
        put_line!(into, "cpu{cpu} 0 0 0 0 0 0 {running} {waiting} {timeslices}");
    }
}
