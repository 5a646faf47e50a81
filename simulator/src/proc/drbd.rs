//! /proc/drbd: block devices mirrored to another host

use crate::layout::{Content, Group, Table, each_with};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::text::put_line;

pub(super) const GROUPS: Table = &[&Group::<Machine> {
    under: "",
    parts: |machine| each_with([machine], |machine| !machine.storage.drbd.is_empty()),
    path: |_, _| "".into(),
    entries: &[("drbd", Content::File(drbd))],
}];

fn drbd(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "version: 8.4.11 (api:1/proto:86-101)\nsrcversion: 211FB288A383ED945B83420");
    for device in &moment.machine.storage.drbd {
        let Some(block) = moment.machine.block(device.device) else { continue };
        let counts = moment.disk_counts(block);
        // All in KiB. Writes are also sent to the peer.
        let (written, read) = (counts.writes.sectors / 2, counts.reads.sectors / 2);
        let log_writes = counts.writes.requests / 640;
        put_line!(into, "{:2}: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----", device.minor);
        put_line!(
            into,
            "    ns:{written} nr:0 dw:{written} dr:{read} al:{log_writes} bm:0 lo:0 pe:{0} ua:0 ap:{0} ep:1 wo:f oos:0",
            counts.in_flight
        );
    }
}
