//! NFS mount statistics, from /proc/self/mountstats.

mod block;

use crate::declare;
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
    labels {
        InfoLabels { export, mountaddr, mountpoint, protocol }
        PerMount { export, mountaddr, protocol }
        PerOperation { export, mountaddr, operation, protocol }
        PerTransport { export, mountaddr, protocol, transport }
    }
    reads {
        STATISTICS: File Proc "self/mountstats";
        MOUNTS: File Proc "self/mountinfo";
    }
    families {
        AGE: Counter "node_mountstats_nfs_age_seconds_total" PerMount "Age of the mount in seconds.";
        INFO: Gauge "node_mountstats_nfs_mountpoint_info" InfoLabels "Mount point of an export; always 1.";
        IDLE_SECONDS: Gauge "node_mountstats_nfs_transport_idle_time_seconds" PerTransport "Idle time of a transport in seconds.";
        SLOTS: kept Gauge "node_mountstats_nfs_transport_maximum_rpc_slots" PerTransport "Maximum of RPC slots in use.";
    }
    /// The columns of the row `bytes`, by index.
    table BYTES: usize => PerMount {
        0 => Counter "node_mountstats_nfs_read_bytes_total" "Bytes read by applications through the page cache.";
        1 => Counter "node_mountstats_nfs_write_bytes_total" "Bytes written by applications through the page cache.";
        2 => Counter "node_mountstats_nfs_direct_read_bytes_total" "Bytes read by applications with O_DIRECT.";
        3 => Counter "node_mountstats_nfs_direct_write_bytes_total" "Bytes written by applications with O_DIRECT.";
        4 => Counter "node_mountstats_nfs_total_read_bytes_total" "Bytes read from the server.";
        5 => Counter "node_mountstats_nfs_total_write_bytes_total" "Bytes written to the server.";
        6 => Counter "node_mountstats_nfs_read_pages_total" "Pages read through mmap and the page cache.";
        7 => Counter "node_mountstats_nfs_write_pages_total" "Pages written through mmap and the page cache.";
    }
    /// The columns of the row `events`, by index; the kernel never increments the missing one.
    table EVENTS: usize => PerMount {
        0 => Counter "node_mountstats_nfs_event_inode_revalidate_total" "Revalidations of cached inode attributes.";
        1 => Counter "node_mountstats_nfs_event_dnode_revalidate_total" "Revalidations of cached directory entries.";
        2 => Counter "node_mountstats_nfs_event_data_invalidate_total" "Invalidations of cached inode data.";
        3 => Counter "node_mountstats_nfs_event_attribute_invalidate_total" "Invalidations of cached inode attributes.";
        4 => Counter "node_mountstats_nfs_event_vfs_open_total" "Files and directories opened.";
        5 => Counter "node_mountstats_nfs_event_vfs_lookup_total" "Directory lookups.";
        6 => Counter "node_mountstats_nfs_event_vfs_access_total" "Permission checks.";
        7 => Counter "node_mountstats_nfs_event_vfs_update_page_total" "Page updates, which may lead to writes.";
        8 => Counter "node_mountstats_nfs_event_vfs_read_page_total" "Single-page reads.";
        9 => Counter "node_mountstats_nfs_event_vfs_read_pages_total" "Multi-page reads.";
        10 => Counter "node_mountstats_nfs_event_vfs_write_page_total" "Single-page writes.";
        11 => Counter "node_mountstats_nfs_event_vfs_write_pages_total" "Multi-page writes.";
        12 => Counter "node_mountstats_nfs_event_vfs_getdents_total" "Directory reads with getdents().";
        13 => Counter "node_mountstats_nfs_event_vfs_setattr_total" "Attribute changes.";
        14 => Counter "node_mountstats_nfs_event_vfs_flush_total" "Flushes of pending writes to the server.";
        15 => Counter "node_mountstats_nfs_event_vfs_fsync_total" "fsync() calls on files and directories.";
        16 => Counter "node_mountstats_nfs_event_vfs_lock_total" "Lock requests.";
        17 => Counter "node_mountstats_nfs_event_vfs_file_release_total" "Files closed.";
        19 => Counter "node_mountstats_nfs_event_truncation_total" "File truncations.";
        20 => Counter "node_mountstats_nfs_event_write_extension_total" "Writes beyond the end of a file.";
        21 => Counter "node_mountstats_nfs_event_silly_rename_total" "Files removed while open, renamed until closed.";
        22 => Counter "node_mountstats_nfs_event_short_read_total" "Reads with less data than requested.";
        23 => Counter "node_mountstats_nfs_event_short_write_total" "Writes with less data accepted than sent.";
        24 => Counter "node_mountstats_nfs_event_jukebox_delay_total" "Delays while the server fetches data from slow storage.";
        25 => Counter "node_mountstats_nfs_event_pnfs_read_total" "Reads over pNFS.";
        26 => Counter "node_mountstats_nfs_event_pnfs_write_total" "Writes over pNFS.";
    }
    /// The leading columns of an operation's row: counts.
    table OPERATION_COUNTS: usize => PerOperation {
        0 => Counter "node_mountstats_nfs_operations_requests_total" "Requests by operation.";
        1 => Counter "node_mountstats_nfs_operations_transmissions_total" "Transmissions of requests by operation, retries included.";
        2 => Counter "node_mountstats_nfs_operations_major_timeouts_total" "Major timeouts of requests by operation.";
        3 => Counter "node_mountstats_nfs_operations_sent_bytes_total" "Bytes sent by operation, RPC headers included.";
        4 => Counter "node_mountstats_nfs_operations_received_bytes_total" "Bytes received by operation, RPC headers included.";
    }
    /// The columns of an operation's row after the counts: milliseconds.
    table OPERATION_TIMES: usize => PerOperation {
        5 => Counter "node_mountstats_nfs_operations_queue_time_seconds_total" "Queue time of requests before transmission in seconds.";
        6 => Counter "node_mountstats_nfs_operations_response_time_seconds_total" "Time between transmission and reply in seconds.";
        7 => Counter "node_mountstats_nfs_operations_request_time_seconds_total" "Time from the creation of requests to their completion, in seconds.";
    }
    /// The counters of a transport, by their index in [`block::Transport`].
    table TRANSPORT_COUNTS: usize => PerTransport {
        1 => Counter "node_mountstats_nfs_transport_bind_total" "Port binds of a transport.";
        2 => Counter "node_mountstats_nfs_transport_connect_total" "Connections established by a transport.";
        5 => Counter "node_mountstats_nfs_transport_sends_total" "Requests sent by a transport.";
        6 => Counter "node_mountstats_nfs_transport_receives_total" "Replies received by a transport.";
        7 => Counter "node_mountstats_nfs_transport_bad_transaction_ids_total" "Replies with an unknown transaction ID.";
        9 => Counter "node_mountstats_nfs_transport_backlog_queue_total" "Backlog queue length, summed over all requests.";
        11 => Counter "node_mountstats_nfs_transport_sending_queue_total" "Sending queue length, summed over all requests.";
        12 => Counter "node_mountstats_nfs_transport_pending_queue_total" "Pending queue length, summed over all requests.";
    }
}

/// Number of columns of the row `bytes`.
const BYTE_COLUMNS: usize = 8;
/// Number of columns of the row `events`.
const EVENT_COLUMNS: usize = 27;

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
            let address = mount.ok_or_else(|| mounts.error("mount", "a line for each mount of mountstats", b""));
            let Some(address) = cx.problems.value(address.and_then(block::address)) else { continue };
            for transport in block.transports() {
                let Some((protocol, _)) = cx.problems.value(transport) else { continue };
                let (export, place) = (block.device, block.mount_point);
                if is_new(seen, seen_ends, &[export, protocol, address, place]) {
                    cx.page.gauge(
                        INFO,
                        InfoLabels { export: &export, mountaddr: &address, mountpoint: &place, protocol: &protocol },
                        1_u64,
                    );
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
    let labels = PerMount { export: &export, mountaddr: &address, protocol: &protocol };
    if let Some([age]) = problems.value(block.row("age:", "a number of seconds")) {
        page.counter(AGE, labels, age);
    }
    if let Some(bytes) = problems.value(block.row::<BYTE_COLUMNS>("bytes:", "8 numbers")) {
        for (column, family) in BYTES {
            page.tabled(family, labels, bytes[column]);
        }
    }
    if let Some(events) = problems.value(block.row::<EVENT_COLUMNS>("events:", "27 numbers")) {
        for (column, family) in EVENTS {
            page.tabled(family, labels, events[column]);
        }
    }
    for (number, transport) in block.transports().enumerate() {
        // Errors were reported by the loop over transports in `collect`.
        let Ok((_, values)) = transport else { continue };
        let labels = PerTransport { export: &export, mountaddr: &address, protocol: &protocol, transport: &number };
        emit_transport(page, labels, values);
    }
    for operation in block.operations() {
        let Some((name, values)) = problems.value(operation) else { continue };
        let labels = PerOperation { export: &export, mountaddr: &address, operation: &name, protocol: &protocol };
        for (column, family) in OPERATION_COUNTS {
            page.tabled(family, labels, values[column]);
        }
        for (column, family) in OPERATION_TIMES {
            page.tabled(family, labels, as_float(values[column]) / 1000.0);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "an f64 represents every integer below 2^53")]
fn as_float(value: u64) -> f64 {
    (value % TIME_MODULUS) as f64
}

fn emit_transport(page: &mut PageOf<'_, Mountstats>, labels: PerTransport<'_>, values: block::Transport) {
    for (column, family) in TRANSPORT_COUNTS {
        page.tabled(family, labels, values[column]);
    }
    page.gauge(IDLE_SECONDS, labels, values[block::IDLE_COLUMN] % TIME_MODULUS);
    page.gauge(SLOTS, labels, values[block::SLOTS_COLUMN]);
}

#[cfg(test)]
mod tests;
