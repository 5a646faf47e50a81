//! /proc/drbd: devices that another host has, too

use crate::layout::{Group, What, once};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) static GROUPS: [Group; 1] =
    [Group { under: "", each: once_with_devices, entries: &[("drbd", What::File(drbd))] }];

fn once_with_devices(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    if !moment.machine.storage.drbd.is_empty() {
        once(moment, visit);
    }
}

fn drbd(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    put_line!(into, "version: 8.4.11 (api:1/proto:86-101)\nsrcversion: 211FB288A383ED945B83420");
    for device in &moment.machine.storage.drbd {
        let counts = moment.disk_counts(device.device);
        // All in KiB. What is written goes to the peer, too.
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
