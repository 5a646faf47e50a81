//! What is asked over NFS: by this host, and of it.

mod operations;

use super::Moment;
pub(crate) use operations::Operation;
use operations::{SERVER_VERSION_4, VERSION_3, VERSION_4};

use crate::machine::{KernelVersion, NfsMount, NfsServer, NfsVersion};
use crate::wave::MICROS;

/// What a mount counts of one procedure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OperationCounts {
    pub(crate) requests: u64,
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
    pub(crate) queue_milliseconds: u64,
    pub(crate) response_milliseconds: u64,
    pub(crate) all_milliseconds: u64,
}

/// How much of a byte that a program reads comes from the server, in thousandths; the rest is in the page cache.
const FETCHED_PERMILLE: u64 = 610;
/// The headers of a request and of its answer.
const HEADER_BYTES: u64 = 160;

impl Moment<'_> {
    /// The procedures that this kernel knows of a version.
    pub(crate) fn nfs_operations(&self, version: NfsVersion) -> &'static [Operation] {
        let known = match (version, self.kernel()) {
            (NfsVersion::V3, _) => return &VERSION_3,
            (NfsVersion::V4, kernel) if kernel >= KernelVersion::new(5, 10) => VERSION_4.len(),
            (NfsVersion::V4, kernel) if kernel >= KernelVersion::new(4, 14) => 62,
            (NfsVersion::V4, _) => 54,
        };
        VERSION_4.get(..known).unwrap_or(&VERSION_4)
    }

    pub(crate) fn nfs_counts(&self, mount: &NfsMount, operation: &Operation) -> OperationCounts {
        let requests = self.counter_part(&mount.wave, mount.permille, operation.milli);
        let response = requests * operation.milliseconds;
        let queue = requests / 16;
        OperationCounts {
            requests,
            sent_bytes: requests * operation.sent_bytes,
            received_bytes: requests * operation.received_bytes,
            queue_milliseconds: queue,
            response_milliseconds: response,
            all_milliseconds: queue + response + requests / 64,
        }
    }

    /// All requests of a mount.
    pub(crate) fn nfs_requests(&self, mount: &NfsMount) -> u64 {
        self.nfs_operations(mount.version).iter().map(|operation| self.nfs_counts(mount, operation).requests).sum()
    }

    /// What was called, by the procedures of a version, over all mounts.
    pub(crate) fn nfs_calls(&self, version: NfsVersion) -> impl Iterator<Item = u64> {
        let mounts = &self.machine.storage.nfs_mounts;
        let of = move |operation: &Operation| {
            let mounts = mounts.iter().filter(|mount| mount.version == version);
            mounts.map(|mount| self.nfs_counts(mount, operation).requests).sum()
        };
        self.nfs_operations(version).iter().map(of)
    }

    /// The row `bytes`: what programs read and wrote, around the cache, from the server and to it, and pages.
    pub(crate) fn nfs_bytes(&self, mount: &NfsMount) -> [u64; 8] {
        let of = |name: &str| {
            let operation = self.nfs_operations(mount.version).iter().find(|operation| operation.name == name);
            operation.map(|operation| self.nfs_counts(mount, operation))
        };
        let data = |sum: u64, requests: u64| sum.saturating_sub(requests * HEADER_BYTES);
        let read = of("READ").map_or(0, |counts| data(counts.received_bytes, counts.requests));
        let written = of("WRITE").map_or(0, |counts| data(counts.sent_bytes, counts.requests));
        let page = self.page_kilobytes() * 1_024;
        [read / FETCHED_PERMILLE * 1_000, written, 0, 0, read, written, read / page, written / page]
    }

    /// The row `events`.
    pub(crate) fn nfs_events(&self, mount: &NfsMount) -> [u64; 27] {
        /// How often in a thousand seconds; dentries, data and attributes first, as the kernel counts them.
        const RATES: [u64; 27] = [
            61_000, 92_000, 320, 2_900, 5_400, 8_700, 148_000, 9_900, 210, 2_600, 330, 1_400, 610, 910, 3_300, 240, 70,
            5_400, 0, 190, 3_800, 4, 0, 0, 0, 0, 0,
        ];
        RATES.map(|milli| self.counter_part(&mount.wave, mount.permille, milli))
    }

    /// Seconds since the mount, which came soon after the start.
    pub(crate) fn nfs_age_seconds(&self) -> u64 {
        (self.uptime_micros() / MICROS).saturating_sub(41)
    }

    /// What is asked of this host's server in a time in which a busy client asks so often.
    pub(crate) fn served(&self, server: &NfsServer, milli: u64) -> u64 {
        self.counter_part(&server.wave, server.permille, milli)
    }

    pub(crate) fn served_version_3(&self, server: &NfsServer) -> impl Iterator<Item = u64> {
        // A part of the clients is old.
        VERSION_3.iter().map(|operation| self.served(server, operation.milli / 8))
    }

    /// By the numbers of the operations, as far as this kernel knows them.
    pub(crate) fn served_version_4(&self, server: &NfsServer) -> impl Iterator<Item = u64> {
        let known = match self.kernel() {
            kernel if kernel >= KernelVersion::new(5, 9) => SERVER_VERSION_4.len(),
            kernel if kernel >= KernelVersion::new(4, 6) => 72,
            _ => 59,
        };
        SERVER_VERSION_4.into_iter().take(known).map(|milli| self.served(server, milli))
    }
}
