//! /sys/fs/xfs: what each mounted XFS counts

use crate::layout::{Group, What};
use crate::machine::KernelVersion;
use crate::moment::Moment;
use crate::text::{put_line, put_numbers};

pub(super) static GROUPS: [Group; 1] = [Group {
    under: "fs/xfs",
    each,
    entries: &[
        ("stats/stats", What::File(statistics)),
        ("error/fail_at_unmount", What::File(|_, _, into| put_line!(into, "1"))),
    ],
}];

/// Each file system has its own since 4.4.
fn each(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    if moment.kernel() >= KernelVersion::new(4, 4) {
        moment.xfs_devices().for_each(|(index, block)| visit(index, block.name.as_bytes()));
    }
}

fn statistics(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    let Some(block) = moment.machine.block_devices.get(index) else { return };
    moment.xfs_rows(block, |name, counts| {
        into.extend_from_slice(name.as_bytes());
        put_numbers(counts, into);
        into.push(b'\n');
    });
}
