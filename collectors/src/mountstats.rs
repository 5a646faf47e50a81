//! NFS mount statistics, from /proc/self/mountstats.

mod block;

use crate::declare;
use crate::kit::family::{Counter, Family};
use crate::kit::label::Label;
use crate::kit::page::PageOf;
use crate::kit::prelude::*;
use crate::kit::table;
use block::Block;

/// The mountstats collector.
#[derive(Default, Debug)]
pub struct Mountstats {
    statistics: Vec<u8>,
    /// The label sets already emitted, each value terminated by NUL.
    seen: Vec<u8>,
    /// The end of each label set in `seen`.
    seen_ends: Vec<usize>,
}

declare! {
    Mountstats: "mountstats", off, "NFS mount statistics by operation, event and transport.";
    reads {
        STATISTICS: File Proc "self/mountstats";
        MOUNTS: File Proc "self/mountinfo";
    }
    families {
        AGE: Counter "node_mountstats_nfs_age_seconds_total" ["export", "mountaddr", "protocol"] "Age of the mount in seconds.";
        INFO: Gauge "node_mountstats_nfs_mountpoint_info" ["export", "mountaddr", "mountpoint", "protocol"] "Mount point of an export; always 1.";
        READ_BYTES: Counter "node_mountstats_nfs_read_bytes_total" ["export", "mountaddr", "protocol"] "Bytes read by applications through the page cache.";
        WRITE_BYTES: Counter "node_mountstats_nfs_write_bytes_total" ["export", "mountaddr", "protocol"] "Bytes written by applications through the page cache.";
        DIRECT_READ_BYTES: Counter "node_mountstats_nfs_direct_read_bytes_total" ["export", "mountaddr", "protocol"] "Bytes read by applications with O_DIRECT.";
        DIRECT_WRITE_BYTES: Counter "node_mountstats_nfs_direct_write_bytes_total" ["export", "mountaddr", "protocol"] "Bytes written by applications with O_DIRECT.";
        TOTAL_READ_BYTES: Counter "node_mountstats_nfs_total_read_bytes_total" ["export", "mountaddr", "protocol"] "Bytes read from the server.";
        TOTAL_WRITE_BYTES: Counter "node_mountstats_nfs_total_write_bytes_total" ["export", "mountaddr", "protocol"] "Bytes written to the server.";
        READ_PAGES: Counter "node_mountstats_nfs_read_pages_total" ["export", "mountaddr", "protocol"] "Pages read through mmap and the page cache.";
        WRITE_PAGES: Counter "node_mountstats_nfs_write_pages_total" ["export", "mountaddr", "protocol"] "Pages written through mmap and the page cache.";
        INODE_REVALIDATE: Counter "node_mountstats_nfs_event_inode_revalidate_total" ["export", "mountaddr", "protocol"] "Revalidations of cached inode attributes.";
        DNODE_REVALIDATE: Counter "node_mountstats_nfs_event_dnode_revalidate_total" ["export", "mountaddr", "protocol"] "Revalidations of cached directory entries.";
        DATA_INVALIDATE: Counter "node_mountstats_nfs_event_data_invalidate_total" ["export", "mountaddr", "protocol"] "Invalidations of cached inode data.";
        ATTRIBUTE_INVALIDATE: Counter "node_mountstats_nfs_event_attribute_invalidate_total" ["export", "mountaddr", "protocol"] "Invalidations of cached inode attributes.";
        VFS_OPEN: Counter "node_mountstats_nfs_event_vfs_open_total" ["export", "mountaddr", "protocol"] "Files and directories opened.";
        VFS_LOOKUP: Counter "node_mountstats_nfs_event_vfs_lookup_total" ["export", "mountaddr", "protocol"] "Directory lookups.";
        VFS_ACCESS: Counter "node_mountstats_nfs_event_vfs_access_total" ["export", "mountaddr", "protocol"] "Permission checks.";
        VFS_UPDATE_PAGE: Counter "node_mountstats_nfs_event_vfs_update_page_total" ["export", "mountaddr", "protocol"] "Page updates, which may lead to writes.";
        VFS_READ_PAGE: Counter "node_mountstats_nfs_event_vfs_read_page_total" ["export", "mountaddr", "protocol"] "Single-page reads.";
        VFS_READ_PAGES: Counter "node_mountstats_nfs_event_vfs_read_pages_total" ["export", "mountaddr", "protocol"] "Multi-page reads.";
        VFS_WRITE_PAGE: Counter "node_mountstats_nfs_event_vfs_write_page_total" ["export", "mountaddr", "protocol"] "Single-page writes.";
        VFS_WRITE_PAGES: Counter "node_mountstats_nfs_event_vfs_write_pages_total" ["export", "mountaddr", "protocol"] "Multi-page writes.";
        VFS_GETDENTS: Counter "node_mountstats_nfs_event_vfs_getdents_total" ["export", "mountaddr", "protocol"] "Directory reads with getdents().";
        VFS_SETATTR: Counter "node_mountstats_nfs_event_vfs_setattr_total" ["export", "mountaddr", "protocol"] "Attribute changes.";
        VFS_FLUSH: Counter "node_mountstats_nfs_event_vfs_flush_total" ["export", "mountaddr", "protocol"] "Flushes of pending writes to the server.";
        VFS_FSYNC: Counter "node_mountstats_nfs_event_vfs_fsync_total" ["export", "mountaddr", "protocol"] "fsync() calls on files and directories.";
        VFS_LOCK: Counter "node_mountstats_nfs_event_vfs_lock_total" ["export", "mountaddr", "protocol"] "Lock requests.";
        VFS_FILE_RELEASE: Counter "node_mountstats_nfs_event_vfs_file_release_total" ["export", "mountaddr", "protocol"] "Files closed.";
        TRUNCATION: Counter "node_mountstats_nfs_event_truncation_total" ["export", "mountaddr", "protocol"] "File truncations.";
        WRITE_EXTENSION: Counter "node_mountstats_nfs_event_write_extension_total" ["export", "mountaddr", "protocol"] "Writes beyond the end of a file.";
        SILLY_RENAME: Counter "node_mountstats_nfs_event_silly_rename_total" ["export", "mountaddr", "protocol"] "Files removed while open, renamed until closed.";
        SHORT_READ: Counter "node_mountstats_nfs_event_short_read_total" ["export", "mountaddr", "protocol"] "Reads with less data than requested.";
        SHORT_WRITE: Counter "node_mountstats_nfs_event_short_write_total" ["export", "mountaddr", "protocol"] "Writes with less data accepted than sent.";
        JUKEBOX_DELAY: Counter "node_mountstats_nfs_event_jukebox_delay_total" ["export", "mountaddr", "protocol"] "Delays while the server fetches data from slow storage.";
        PNFS_READ: Counter "node_mountstats_nfs_event_pnfs_read_total" ["export", "mountaddr", "protocol"] "Reads over pNFS.";
        PNFS_WRITE: Counter "node_mountstats_nfs_event_pnfs_write_total" ["export", "mountaddr", "protocol"] "Writes over pNFS.";
        REQUESTS: Counter "node_mountstats_nfs_operations_requests_total" ["export", "mountaddr", "operation", "protocol"] "Requests by operation.";
        TRANSMISSIONS: Counter "node_mountstats_nfs_operations_transmissions_total" ["export", "mountaddr", "operation", "protocol"] "Transmissions of requests by operation, retries included.";
        MAJOR_TIMEOUTS: Counter "node_mountstats_nfs_operations_major_timeouts_total" ["export", "mountaddr", "operation", "protocol"] "Major timeouts of requests by operation.";
        SENT_BYTES: Counter "node_mountstats_nfs_operations_sent_bytes_total" ["export", "mountaddr", "operation", "protocol"] "Bytes sent by operation, RPC headers included.";
        RECEIVED_BYTES: Counter "node_mountstats_nfs_operations_received_bytes_total" ["export", "mountaddr", "operation", "protocol"] "Bytes received by operation, RPC headers included.";
        QUEUE_SECONDS: Counter "node_mountstats_nfs_operations_queue_time_seconds_total" ["export", "mountaddr", "operation", "protocol"] "Queue time of requests before transmission in seconds.";
        RESPONSE_SECONDS: Counter "node_mountstats_nfs_operations_response_time_seconds_total" ["export", "mountaddr", "operation", "protocol"] "Time between transmission and reply in seconds.";
        REQUEST_SECONDS: Counter "node_mountstats_nfs_operations_request_time_seconds_total" ["export", "mountaddr", "operation", "protocol"] "Time between creation and completion of requests in seconds.";
        BIND: Counter "node_mountstats_nfs_transport_bind_total" ["export", "mountaddr", "protocol", "transport"] "Port binds of a transport.";
        CONNECT: Counter "node_mountstats_nfs_transport_connect_total" ["export", "mountaddr", "protocol", "transport"] "Connections established by a transport.";
        IDLE_SECONDS: Gauge "node_mountstats_nfs_transport_idle_time_seconds" ["export", "mountaddr", "protocol", "transport"] "Idle time of a transport in seconds.";
        SENDS: Counter "node_mountstats_nfs_transport_sends_total" ["export", "mountaddr", "protocol", "transport"] "Requests sent by a transport.";
        RECEIVES: Counter "node_mountstats_nfs_transport_receives_total" ["export", "mountaddr", "protocol", "transport"] "Replies received by a transport.";
        BAD_TRANSACTIONS: Counter "node_mountstats_nfs_transport_bad_transaction_ids_total" ["export", "mountaddr", "protocol", "transport"] "Replies with an unknown transaction ID.";
        BACKLOG: Counter "node_mountstats_nfs_transport_backlog_queue_total" ["export", "mountaddr", "protocol", "transport"] "Backlog queue length, summed over all requests.";
        SLOTS: kept Gauge "node_mountstats_nfs_transport_maximum_rpc_slots" ["export", "mountaddr", "protocol", "transport"] "Maximum of RPC slots in use.";
        SENDING: Counter "node_mountstats_nfs_transport_sending_queue_total" ["export", "mountaddr", "protocol", "transport"] "Sending queue length, summed over all requests.";
        PENDING: Counter "node_mountstats_nfs_transport_pending_queue_total" ["export", "mountaddr", "protocol", "transport"] "Pending queue length, summed over all requests.";
    }
}

type PerMount = Family<Mountstats, Counter, crate::kit::family::Unnamed<3>>;
type PerTransport = Family<Mountstats, Counter, crate::kit::family::Unnamed<4>>;

/// The columns of the row `bytes`.
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
/// The columns of the row `events`; the kernel never increments the `None` one.
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
/// The leading columns of an operation's row: counts.
const OPERATION_COUNTS: [PerTransport; 5] = [REQUESTS, TRANSMISSIONS, MAJOR_TIMEOUTS, SENT_BYTES, RECEIVED_BYTES];
/// The columns of an operation's row after the counts: milliseconds.
const OPERATION_TIMES: [PerTransport; 3] = [QUEUE_SECONDS, RESPONSE_SECONDS, REQUEST_SECONDS];

/// Times wrap at this value, since an `f64` cannot represent every integer beyond it.
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
        // Both files list the same mounts in the same order.
        let (mounts, _cut) = cx.files.read(MOUNTS, [])?.whole_lines();
        let mut mount_lines = mounts.lines();
        let whole = table::filled(text, cx.problems);
        for block in block::blocks(whole) {
            let mount = mount_lines.next();
            let Some(block) = cx.problems.value(block) else { continue };
            if !block.has_statistics() {
                continue;
            }
            let address = mount.ok_or_else(|| mounts.error("mount", "a line for each mount of mountstats", b""));
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
        Ok(())
    }
}

/// Adds a label set to `seen`; `false` if it is there already.
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
        // Errors were reported by the loop over transports in `collect`.
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

#[expect(clippy::cast_precision_loss, reason = "an f64 represents every integer below 2^53")]
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
