//! Counters of the NFS client and server.

use super::Moment;
use crate::machine::{KernelVersion, NfsMount, NfsServer, NfsVersion};
use crate::wave::MICROS;

/// The counters of one procedure of a mount.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OperationCounts {
    pub(crate) requests: u64,
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
    pub(crate) queue_milliseconds: u64,
    pub(crate) response_milliseconds: u64,
    pub(crate) all_milliseconds: u64,
}

/// The share of reads that miss the page cache, in thousandths.
const FETCHED_PERMILLE: u64 = 610;
/// The headers of a request and of its response.
const HEADER_BYTES: u64 = 160;

impl Moment<'_> {
    /// The procedures of a version that the kernel implements.
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

    /// Calls of each procedure of a version, over all mounts.
    pub(crate) fn nfs_calls(&self, version: NfsVersion) -> impl Iterator<Item = u64> {
        let mounts = &self.machine.storage.nfs_mounts;
        let of = move |operation: &Operation| {
            let mounts = mounts.iter().filter(|mount| mount.version == version);
            mounts.map(|mount| self.nfs_counts(mount, operation).requests).sum()
        };
        self.nfs_operations(version).iter().map(of)
    }

    /// The row `bytes`: reads and writes of programs, direct I/O, transfers, and pages.
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
        /// Rates in thousandths per second, in the order of the kernel.
        const RATES: [u64; 27] = [
            61_000, 92_000, 320, 2_900, 5_400, 8_700, 148_000, 9_900, 210, 2_600, 330, 1_400, 610, 910, 3_300, 240, 70,
            5_400, 0, 190, 3_800, 4, 0, 0, 0, 0, 0,
        ];
        RATES.map(|milli| self.counter_part(&mount.wave, mount.permille, milli))
    }

    /// Seconds since the mount.
    pub(crate) fn nfs_age_seconds(&self) -> u64 {
        (self.uptime_micros() / MICROS).saturating_sub(41)
    }

    /// Requests served, for a rate of a busy client.
    pub(crate) fn served(&self, server: &NfsServer, milli: u64) -> u64 {
        self.counter_part(&server.wave, server.permille, milli)
    }

    pub(crate) fn served_version_3(&self, server: &NfsServer) -> impl Iterator<Item = u64> {
        // Some clients use version 3.
        VERSION_3.iter().map(|operation| self.served(server, operation.milli / 8))
    }

    /// Operations by number, up to the last one that the kernel implements.
    pub(crate) fn served_version_4(&self, server: &NfsServer) -> impl Iterator<Item = u64> {
        let known = match self.kernel() {
            kernel if kernel >= KernelVersion::new(5, 9) => SERVER_VERSION_4.len(),
            kernel if kernel >= KernelVersion::new(4, 6) => 72,
            _ => 59,
        };
        SERVER_VERSION_4.into_iter().take(known).map(|milli| self.served(server, milli))
    }
}

/// A procedure of NFS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// Calls of a busy client in a thousand seconds.
    pub(crate) milli: u64,
    /// Bytes sent per call.
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
    /// Milliseconds per call.
    pub(crate) milliseconds: u64,
}

const fn often(name: &'static str, milli: u64, [sent_bytes, received_bytes]: [u64; 2], milliseconds: u64) -> Operation {
    Operation { name, milli, sent_bytes, received_bytes, milliseconds }
}

const fn never(name: &'static str) -> Operation {
    often(name, 0, [0, 0], 0)
}

/// Procedures of NFS 3.
const VERSION_3: [Operation; 22] = [
    never("NULL"),
    often("GETATTR", 11_800, [130, 112], 1),
    often("SETATTR", 190, [170, 144], 2),
    often("LOOKUP", 3_900, [150, 230], 1),
    often("ACCESS", 4_600, [140, 120], 1),
    often("READLINK", 40, [130, 160], 1),
    often("READ", 6_100, [150, 48_000], 2),
    often("WRITE", 700, [33_000, 160], 4),
    often("CREATE", 160, [190, 270], 2),
    often("MKDIR", 9, [180, 270], 2),
    never("SYMLINK"),
    never("MKNOD"),
    often("REMOVE", 110, [150, 144], 2),
    often("RMDIR", 5, [150, 144], 2),
    often("RENAME", 60, [230, 260], 2),
    never("LINK"),
    never("READDIR"),
    often("READDIRPLUS", 520, [160, 6_100], 2),
    often("FSSTAT", 210, [120, 168], 1),
    never("FSINFO"),
    never("PATHCONF"),
    often("COMMIT", 90, [150, 152], 9),
];

/// Procedures of NFS 4 with its minor versions; newer kernels know more of them.
const VERSION_4: [Operation; 69] = [
    never("NULL"),
    often("READ", 8_900, [208, 62_000], 2),
    often("WRITE", 3_100, [41_300, 180], 4),
    often("COMMIT", 310, [190, 110], 9),
    often("OPEN", 1_200, [290, 410], 1),
    never("OPEN_CONFIRM"),
    often("OPEN_NOATTR", 2_100, [270, 370], 1),
    never("OPEN_DOWNGRADE"),
    often("CLOSE", 3_200, [220, 240], 1),
    often("SETATTR", 640, [260, 250], 2),
    never("FSINFO"),
    never("RENEW"),
    never("SETCLIENTID"),
    never("SETCLIENTID_CONFIRM"),
    often("LOCK", 70, [280, 130], 1),
    never("LOCKT"),
    often("LOCKU", 70, [230, 110], 1),
    often("ACCESS", 5_200, [210, 170], 1),
    often("GETATTR", 14_600, [200, 250], 1),
    often("LOOKUP", 2_700, [220, 300], 1),
    never("LOOKUP_ROOT"),
    often("REMOVE", 180, [210, 120], 2),
    often("RENAME", 90, [300, 160], 2),
    never("LINK"),
    never("SYMLINK"),
    often("CREATE", 60, [260, 330], 2),
    never("PATHCONF"),
    often("STATFS", 210, [190, 150], 1),
    often("READLINK", 30, [190, 130], 1),
    often("READDIR", 420, [230, 7_400], 2),
    never("SERVER_CAPS"),
    often("DELEGRETURN", 910, [230, 170], 1),
    never("GETACL"),
    never("SETACL"),
    never("FS_LOCATIONS"),
    never("RELEASE_LOCKOWNER"),
    never("SECINFO"),
    never("FSID_PRESENT"),
    never("EXCHANGE_ID"),
    never("CREATE_SESSION"),
    never("DESTROY_SESSION"),
    often("SEQUENCE", 17, [140, 90], 1),
    never("GET_LEASE_TIME"),
    never("RECLAIM_COMPLETE"),
    never("LAYOUTGET"),
    never("GETDEVICEINFO"),
    never("LAYOUTCOMMIT"),
    never("LAYOUTRETURN"),
    never("SECINFO_NO_NAME"),
    often("TEST_STATEID", 2, [190, 110], 1),
    often("FREE_STATEID", 1, [190, 90], 1),
    never("GETDEVICELIST"),
    never("BIND_CONN_TO_SESSION"),
    never("DESTROY_CLIENTID"),
    never("SEEK"),
    never("ALLOCATE"),
    never("DEALLOCATE"),
    never("LAYOUTSTATS"),
    never("CLONE"),
    never("COPY"),
    never("OFFLOAD_CANCEL"),
    never("LOOKUPP"),
    never("LAYOUTERROR"),
    never("COPY_NOTIFY"),
    never("GETXATTR"),
    never("SETXATTR"),
    never("LISTXATTRS"),
    never("REMOVEXATTR"),
    never("READ_PLUS"),
];

/// Rates of the operations of NFS 4, by number, of a busy client in a thousand seconds.
const SERVER_VERSION_4: [u64; 76] = [
    0, 0, 0, 5_200, 3_200, 310, 60, 0, 910, 31_000, 6_100, 0, 70, 0, 70, 3_800, 0, 0, 3_300, 0, 0, 0, 34_000, 0, 12,
    8_900, 420, 30, 180, 90, 0, 0, 190, 0, 640, 0, 0, 0, 3_100, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 33_900, 0, 2,
    0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];
