//! /proc/swaps

use crate::layout::{Group, What, once};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) static GROUPS: [Group; 1] = [Group { under: "", each: once, entries: &[("swaps", What::File(swaps))] }];

fn swaps(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    put_line!(into, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority");
    let total = moment.machine.memory.swap_pages;
    let page = moment.page_kilobytes();
    if total > 0 {
        let used = total - moment.memory().swap_free;
        put_line!(into, "{:<40}file\t\t{}\t\t{}\t\t-2", "/swapfile", total * page, used * page);
    }
}
