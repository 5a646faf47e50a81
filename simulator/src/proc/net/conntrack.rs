//! /proc/net/stat/nf_conntrack: a row of hexadecimal numbers for each CPU

use super::of_process;
use crate::layout::{Content, Table};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(in crate::proc) const GROUPS: Table = &[&of_process(&[("stat/nf_conntrack", Content::File(nf_conntrack))])];

const HEADER: &str = "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop \
                      early_drop icmp_error  expect_new expect_create expect_delete search_restart";

fn nf_conntrack(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "{HEADER}");
    // Every row has the total number of entries.
    let entries = moment.tracked_connections();
    for cpu in moment.machine.processor.all() {
        let count = |micro| moment.counter_of_cpu(cpu, micro);
        // Rates in thousandths per second.
        let columns: [u64; 17] = [
            entries,
            count(2),
            count(140),
            0,
            count(31),
            0,
            0,
            count(9),
            0,
            0,
            count(1),
            0,
            count(4),
            0,
            0,
            0,
            count(1),
        ];
        for (position, column) in columns.into_iter().enumerate() {
            let separator = match position {
                0 => "",
                1 | 13 => "  ",
                _ => " ",
            };
            // These counters have 32 bits.
            put!(into, "{separator}{:08x}", column & 0xffff_ffff);
        }
        put_line!(into, "");
    }
}
