//! /proc/swaps

use crate::layout::{Content, Group, Table};
use crate::machine::{KernelVersion, Machine};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) const GROUPS: Table = &[&Group::of_host("", &[("swaps", Content::File(swaps))])];

fn swaps(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    // Kernels before 5.11 had one tab between the numbers.
    let tabs = if moment.kernel() >= KernelVersion::new(5, 11) { "\t\t" } else { "\t" };
    put_line!(into, "Filename\t\t\t\tType\t\tSize{tabs}Used{tabs}Priority");
    let page = moment.page_kilobytes();
    for (swap, used) in moment.swaps() {
        let kind = if swap.is_partition { "partition" } else { "file\t" };
        put_line!(into, "{:<40}{kind}\t{}{tabs}{}{tabs}{}", swap.path, swap.pages * page, used * page, swap.priority);
    }
}
