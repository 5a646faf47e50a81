//! The udev database of block devices: a file for each, named by its device number.

use crate::layout::{Content, Group, Table, each};
use crate::machine::BlockDevice;
use crate::moment::Moment;
use crate::text::put_line;

/// All tables of this mount.
pub(crate) const TABLES: &[Table] = &[GROUPS];

const GROUPS: Table = &[&Group::<BlockDevice> {
    under: "",
    parts: |machine| each(&machine.block_devices),
    path: |block, _| format!("b{}:{}", block.major, block.minor).into(),
    entries: &[("", Content::File(properties))],
}];

fn properties(block: &BlockDevice, _: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "I:{}", block.initialised_micros);
    for property in &block.properties {
        put_line!(into, "E:{property}");
    }
    put_line!(into, "G:systemd\nQ:systemd\nV:1");
}
