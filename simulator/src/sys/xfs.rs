//! /sys/fs/xfs: statistics of each mounted XFS

use crate::layout::{Content, Group, Table};
use crate::machine::{BlockDevice, KernelVersion};
use crate::moment::Moment;
use crate::text::{put_line, put_numbers};

pub(super) const GROUPS: Table = &[&Group::<BlockDevice> {
    under: "fs/xfs",
    parts: |machine| Box::new(machine.xfs_devices().filter(|_| machine.kernel() >= OWN_STATISTICS_SINCE)),
    path: |block, _| block.name.as_str().into(),
    entries: &[
        ("stats/stats", Content::File(statistics)),
        ("error/fail_at_unmount", Content::File(|_, _, into| put_line!(into, "1"))),
    ],
}];

/// Older kernels have statistics of all file systems together only.
const OWN_STATISTICS_SINCE: KernelVersion = KernelVersion::new(4, 4);

fn statistics(block: &BlockDevice, moment: &Moment<'_>, into: &mut Vec<u8>) {
    moment.xfs_rows(block, |name, counts| {
        into.extend_from_slice(name.as_bytes());
        put_numbers(counts, into);
        into.push(b'\n');
    });
}
