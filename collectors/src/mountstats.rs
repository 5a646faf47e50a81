//! Statistics of NFS mounts from /proc/self/mountstats.

mod block;

use crate::declare;
use crate::kit::family::{Counter, Family};
use crate::kit::label::Label;
use crate::kit::page::PageOf;
use crate::kit::prelude::*;
use crate::kit::table;
use block::Block;

/// What went through each NFS mount.
#[derive(Default, Debug)]
pub struct Mountstats {
    statistics: Vec<u8>,
    /// The labels of what was told already, each value ended by a NUL, and where each set of them ends.
    seen: Vec<u8>,
    seen_ends: Vec<usize>,
}

declare! {
    Mountstats: "mountstats", off, "What went through each NFS mount, by operation, event and transport.";
    reads {
        STATISTICS: File Proc "self/mountstats";
        MOUNTS: File Proc "self/mountinfo";
    }
    families {
        AGE: Counter "node_mountstats_nfs_age_seconds_total" ["export", "mountaddr", "protocol"] "Time since the mount.";
        INFO: Gauge "node_mountstats_nfs_mountpoint_info" ["export", "mountaddr", "mountpoint", "protocol"] "Where an export is mounted; always 1.";
        READ_BYTES: Counter "node_mountstats_nfs_read_bytes_total" ["export", "mountaddr", "protocol"] "Bytes that programs read.";
        WRITE_BYTES: Counter "node_mountstats_nfs_write_bytes_total" ["export", "mountaddr", "protocol"] "Bytes that programs wrote.";
        DIRECT_READ_BYTES: Counter "node_mountstats_nfs_direct_read_bytes_total" ["export", "mountaddr", "protocol"] "Bytes that programs read around the cache.";
        DIRECT_WRITE_BYTES: Counter "node_mountstats_nfs_direct_write_bytes_total" ["export", "mountaddr", "protocol"] "Bytes that programs wrote around the cache.";
        TOTAL_READ_BYTES: Counter "node_mountstats_nfs_total_read_bytes_total" ["export", "mountaddr", "protocol"] "Bytes that came from the server.";
        TOTAL_WRITE_BYTES: Counter "node_mountstats_nfs_total_write_bytes_total" ["export", "mountaddr", "protocol"] "Bytes that went to the server.";
        READ_PAGES: Counter "node_mountstats_nfs_read_pages_total" ["export", "mountaddr", "protocol"] "Pages that were read.";
        WRITE_PAGES: Counter "node_mountstats_nfs_write_pages_total" ["export", "mountaddr", "protocol"] "Pages that were written.";
        INODE_REVALIDATE: Counter "node_mountstats_nfs_event_inode_revalidate_total" ["export", "mountaddr", "protocol"] "Times that cached attributes of an inode were checked with the server.";
        DNODE_REVALIDATE: Counter "node_mountstats_nfs_event_dnode_revalidate_total" ["export", "mountaddr", "protocol"] "Times that cached names of a directory were checked with the server.";
        DATA_INVALIDATE: Counter "node_mountstats_nfs_event_data_invalidate_total" ["export", "mountaddr", "protocol"] "Times that the cache of an inode's data was thrown away.";
        ATTRIBUTE_INVALIDATE: Counter "node_mountstats_nfs_event_attribute_invalidate_total" ["export", "mountaddr", "protocol"] "Times that cached attributes of an inode were thrown away.";
        VFS_OPEN: Counter "node_mountstats_nfs_event_vfs_open_total" ["export", "mountaddr", "protocol"] "Files and directories that were opened.";
        VFS_LOOKUP: Counter "node_mountstats_nfs_event_vfs_lookup_total" ["export", "mountaddr", "protocol"] "Names that were looked up in a directory.";
        VFS_ACCESS: Counter "node_mountstats_nfs_event_vfs_access_total" ["export", "mountaddr", "protocol"] "Times that permissions were checked.";
        VFS_UPDATE_PAGE: Counter "node_mountstats_nfs_event_vfs_update_page_total" ["export", "mountaddr", "protocol"] "Pages that were changed.";
        VFS_READ_PAGE: Counter "node_mountstats_nfs_event_vfs_read_page_total" ["export", "mountaddr", "protocol"] "Pages that were read one by one.";
        VFS_READ_PAGES: Counter "node_mountstats_nfs_event_vfs_read_pages_total" ["export", "mountaddr", "protocol"] "Times that several pages were read at once.";
        VFS_WRITE_PAGE: Counter "node_mountstats_nfs_event_vfs_write_page_total" ["export", "mountaddr", "protocol"] "Pages that were written one by one.";
        VFS_WRITE_PAGES: Counter "node_mountstats_nfs_event_vfs_write_pages_total" ["export", "mountaddr", "protocol"] "Times that several pages were written at once.";
        VFS_GETDENTS: Counter "node_mountstats_nfs_event_vfs_getdents_total" ["export", "mountaddr", "protocol"] "Times that entries of a directory were read.";
        VFS_SETATTR: Counter "node_mountstats_nfs_event_vfs_setattr_total" ["export", "mountaddr", "protocol"] "Times that attributes were set.";
        VFS_FLUSH: Counter "node_mountstats_nfs_event_vfs_flush_total" ["export", "mountaddr", "protocol"] "Times that waiting writes were sent to the server.";
        VFS_FSYNC: Counter "node_mountstats_nfs_event_vfs_fsync_total" ["export", "mountaddr", "protocol"] "Calls of fsync on files and directories.";
        VFS_LOCK: Counter "node_mountstats_nfs_event_vfs_lock_total" ["export", "mountaddr", "protocol"] "Times that a lock was asked for.";
        VFS_FILE_RELEASE: Counter "node_mountstats_nfs_event_vfs_file_release_total" ["export", "mountaddr", "protocol"] "Files that were closed.";
        TRUNCATION: Counter "node_mountstats_nfs_event_truncation_total" ["export", "mountaddr", "protocol"] "Files that were cut.";
        WRITE_EXTENSION: Counter "node_mountstats_nfs_event_write_extension_total" ["export", "mountaddr", "protocol"] "Writes that made a file longer.";
        SILLY_RENAME: Counter "node_mountstats_nfs_event_silly_rename_total" ["export", "mountaddr", "protocol"] "Files that were removed while somebody had them open.";
        SHORT_READ: Counter "node_mountstats_nfs_event_short_read_total" ["export", "mountaddr", "protocol"] "Reads to which the server answered less than it was asked for.";
        SHORT_WRITE: Counter "node_mountstats_nfs_event_short_write_total" ["export", "mountaddr", "protocol"] "Writes of which the server took less than it was given.";
        JUKEBOX_DELAY: Counter "node_mountstats_nfs_event_jukebox_delay_total" ["export", "mountaddr", "protocol"] "Answers of the server that it has to fetch something from slow storage.";
        PNFS_READ: Counter "node_mountstats_nfs_event_pnfs_read_total" ["export", "mountaddr", "protocol"] "Reads over pNFS.";
        PNFS_WRITE: Counter "node_mountstats_nfs_event_pnfs_write_total" ["export", "mountaddr", "protocol"] "Writes over pNFS.";
        REQUESTS: Counter "node_mountstats_nfs_operations_requests_total" ["export", "mountaddr", "operation", "protocol"] "Requests by operation.";
        TRANSMISSIONS: Counter "node_mountstats_nfs_operations_transmissions_total" ["export", "mountaddr", "operation", "protocol"] "Times that requests were sent, by operation.";
        MAJOR_TIMEOUTS: Counter "node_mountstats_nfs_operations_major_timeouts_total" ["export", "mountaddr", "operation", "protocol"] "Requests that timed out for long, by operation.";
        SENT_BYTES: Counter "node_mountstats_nfs_operations_sent_bytes_total" ["export", "mountaddr", "operation", "protocol"] "Bytes that were sent, by operation.";
        RECEIVED_BYTES: Counter "node_mountstats_nfs_operations_received_bytes_total" ["export", "mountaddr", "operation", "protocol"] "Bytes that were received, by operation.";
        QUEUE_SECONDS: Counter "node_mountstats_nfs_operations_queue_time_seconds_total" ["export", "mountaddr", "operation", "protocol"] "Time that requests waited to be sent, by operation.";
        RESPONSE_SECONDS: Counter "node_mountstats_nfs_operations_response_time_seconds_total" ["export", "mountaddr", "operation", "protocol"] "Time that requests waited for their answer, by operation.";
        REQUEST_SECONDS: Counter "node_mountstats_nfs_operations_request_time_seconds_total" ["export", "mountaddr", "operation", "protocol"] "Time from the making of requests to their end, by operation.";
        BIND: Counter "node_mountstats_nfs_transport_bind_total" ["export", "mountaddr", "protocol", "transport"] "Ports that a transport bound.";
        CONNECT: Counter "node_mountstats_nfs_transport_connect_total" ["export", "mountaddr", "protocol", "transport"] "Connections that a transport made.";
        IDLE_SECONDS: Gauge "node_mountstats_nfs_transport_idle_time_seconds" ["export", "mountaddr", "protocol", "transport"] "Time since a transport was last used.";
        SENDS: Counter "node_mountstats_nfs_transport_sends_total" ["export", "mountaddr", "protocol", "transport"] "Requests that a transport sent.";
        RECEIVES: Counter "node_mountstats_nfs_transport_receives_total" ["export", "mountaddr", "protocol", "transport"] "Answers that a transport received.";
        BAD_TRANSACTIONS: Counter "node_mountstats_nfs_transport_bad_transaction_ids_total" ["export", "mountaddr", "protocol", "transport"] "Answers to requests that nobody knew.";
        BACKLOG: Counter "node_mountstats_nfs_transport_backlog_queue_total" ["export", "mountaddr", "protocol", "transport"] "Sum of the backlog's length at each request.";
        SLOTS: kept Gauge "node_mountstats_nfs_transport_maximum_rpc_slots" ["export", "mountaddr", "protocol", "transport"] "Most requests that were ever under way at once.";
        SENDING: Counter "node_mountstats_nfs_transport_sending_queue_total" ["export", "mountaddr", "protocol", "transport"] "Sum of the sending queue's length at each request.";
        PENDING: Counter "node_mountstats_nfs_transport_pending_queue_total" ["export", "mountaddr", "protocol", "transport"] "Sum of the pending queue's length at each request.";
    }
}

type PerMount = Family<Mountstats, Counter, crate::kit::family::Unnamed<3>>;
type PerTransport = Family<Mountstats, Counter, crate::kit::family::Unnamed<4>>;

/// In the order of the row `bytes`.
const BYTES: [PerMount; 8] = [
    READ_BYTES,
    WRITE_BYTES,
    DIRECT_READ_BYTES,
    DIRECT_WRITE_BYTES,
    TOTAL_READ_BYTES,
    TOTAL_WRITE_BYTES,
    READ_PAGES,
    WRITE_PAGES,
];
/// In the order of the row `events`. What the one without a name counts, nobody fills.
const EVENTS: [Option<PerMount>; 27] = [
    Some(INODE_REVALIDATE),
    Some(DNODE_REVALIDATE),
    Some(DATA_INVALIDATE),
    Some(ATTRIBUTE_INVALIDATE),
    Some(VFS_OPEN),
    Some(VFS_LOOKUP),
    Some(VFS_ACCESS),
    Some(VFS_UPDATE_PAGE),
    Some(VFS_READ_PAGE),
    Some(VFS_READ_PAGES),
    Some(VFS_WRITE_PAGE),
    Some(VFS_WRITE_PAGES),
    Some(VFS_GETDENTS),
    Some(VFS_SETATTR),
    Some(VFS_FLUSH),
    Some(VFS_FSYNC),
    Some(VFS_LOCK),
    Some(VFS_FILE_RELEASE),
    None,
    Some(TRUNCATION),
    Some(WRITE_EXTENSION),
    Some(SILLY_RENAME),
    Some(SHORT_READ),
    Some(SHORT_WRITE),
    Some(JUKEBOX_DELAY),
    Some(PNFS_READ),
    Some(PNFS_WRITE),
];
/// Counts of an operation, in the order of its row; times in milliseconds follow.
const OPERATION_COUNTS: [PerTransport; 5] = [REQUESTS, TRANSMISSIONS, MAJOR_TIMEOUTS, SENT_BYTES, RECEIVED_BYTES];
const OPERATION_TIMES: [PerTransport; 3] = [QUEUE_SECONDS, RESPONSE_SECONDS, REQUEST_SECONDS];

/// Times are shown up to this: beyond it a sample could not tell one from the next.
const TIME_MODULUS: u64 = 1 << 53;

impl Collect for Mountstats {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { statistics, seen, seen_ends } = self;
        seen.clear();
        seen_ends.clear();
        cx.files.read_into(STATISTICS, [], statistics)?;
        let text = Text::new(crate::host::root::Mount::Proc, STATISTICS.info().pattern.as_bytes(), statistics);
        // Both files tell of the same mounts in the same order.
        let mounts = cx.files.read(MOUNTS, [])?;
        let mut mount_lines = mounts.lines();
        let text = table::filled(text, cx.problems);
        let mut has_blocks = text.bytes.is_empty();
        for block in block::blocks(text) {
            has_blocks = true;
            let mount = mount_lines.next();
            let Some(block) = cx.problems.value(block) else { continue };
            if !block.has_statistics() {
                continue;
            }
            let address = mount.ok_or_else(|| mounts.error("the mount", "a line for each of mountstats", b""));
            let Some(address) = cx.problems.value(address.and_then(block::address)) else { continue };
            for transport in block.transports() {
                let Some((protocol, _)) = cx.problems.value(transport) else { continue };
                let (export, place) = (block.device, block.mount_point);
                if is_new(seen, seen_ends, &[export, protocol, address, place]) {
                    cx.page.gauge(INFO, [&export, &address, &place, &protocol], 1_u64);
                }
                if !is_new(seen, seen_ends, &[export, protocol, address]) {
                    break;
                }
                emit(cx.problems, &mut cx.page, &block, [export, address, protocol]);
            }
        }
        if !has_blocks {
            cx.problems.report(text.error(
                "the file",
                "a line of `device`, or `no device`, for each mount",
                text.first_line(),
            ));
        }
        Ok(())
    }
}

/// Whether these labels were not there before.
fn is_new(seen: &mut Vec<u8>, ends: &mut Vec<usize>, labels: &[&[u8]]) -> bool {
    let start = seen.len();
    for label in labels {
        seen.extend_from_slice(label);
        seen.push(0);
    }
    let (before, new) = seen.split_at(start);
    let mut from = 0;
    for &end in &*ends {
        if before.get(from..end) == Some(new) {
            seen.truncate(start);
            return false;
        }
        from = end;
    }
    ends.push(seen.len());
    true
}

fn emit(
    problems: &mut Problems,
    page: &mut PageOf<'_, Mountstats>,
    block: &Block<'_>,
    [export, address, protocol]: [&[u8]; 3],
) {
    if let Some([age]) = problems.value(block.row("age:", "a number of seconds")) {
        page.counter(AGE, [&export, &address, &protocol], age);
    }
    if let Some(bytes) = problems.value(block.row("bytes:", "8 numbers")) {
        for (family, value) in BYTES.into_iter().zip::<[u64; BYTES.len()]>(bytes) {
            page.counter(family, [&export, &address, &protocol], value);
        }
    }
    if let Some(events) = problems.value(block.row("events:", "27 numbers")) {
        for (family, value) in EVENTS.into_iter().zip::<[u64; EVENTS.len()]>(events) {
            if let Some(family) = family {
                page.counter(family, [&export, &address, &protocol], value);
            }
        }
    }
    for (number, transport) in block.transports().enumerate() {
        // What is wrong with it was noted when the mount's protocol was looked for.
        let Ok((_, values)) = transport else { continue };
        emit_transport(page, [export, address, protocol], number, values);
    }
    for operation in block.operations() {
        let Some((name, values)) = problems.value(operation) else { continue };
        for (family, value) in OPERATION_COUNTS.into_iter().zip(values) {
            page.counter(family, [&export, &address, &name, &protocol], value);
        }
        for (family, milliseconds) in OPERATION_TIMES.into_iter().zip(values.into_iter().skip(OPERATION_COUNTS.len())) {
            page.counter(family, [&export, &address, &name, &protocol], as_float(milliseconds) / 1000.0);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "below 2^53 every whole number is a float")]
fn as_float(value: u64) -> f64 {
    (value % TIME_MODULUS) as f64
}

fn emit_transport(
    page: &mut PageOf<'_, Mountstats>,
    [export, address, protocol]: [&[u8]; 3],
    number: usize,
    values: block::Transport,
) {
    let labels: [&dyn Label; 4] = [&export, &address, &protocol, &number];
    let [_, bind, connect, _, idle, sends, receives, bad_transactions, _, backlog, slots, sending, pending] = values;
    for (family, value) in [
        (BACKLOG, backlog),
        (BAD_TRANSACTIONS, bad_transactions),
        (BIND, bind),
        (CONNECT, connect),
        (PENDING, pending),
        (RECEIVES, receives),
        (SENDING, sending),
        (SENDS, sends),
    ] {
        page.counter(family, labels, value);
    }
    page.gauge(IDLE_SECONDS, labels, idle % TIME_MODULUS);
    page.gauge(SLOTS, labels, slots);
}

#[cfg(test)]
mod tests;
