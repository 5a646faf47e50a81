//! What the clients of this host ask NFS for: the procedures in the order of their numbers.

/// A procedure of NFS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// How often a busy client calls it in a thousand seconds.
    pub(crate) milli: u64,
    /// How much one call sends.
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
    /// How long it takes.
    pub(crate) milliseconds: u64,
}

const fn often(name: &'static str, milli: u64, [sent_bytes, received_bytes]: [u64; 2], milliseconds: u64) -> Operation {
    Operation { name, milli, sent_bytes, received_bytes, milliseconds }
}

const fn never(name: &'static str) -> Operation {
    often(name, 0, [0, 0], 0)
}

/// Of NFS 3.
pub(super) const VERSION_3: [Operation; 22] = [
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

/// Of NFS 4 with all its minor versions; the last of them came with later kernels.
pub(super) const VERSION_4: [Operation; 69] = [
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

/// Operations of NFS 4 by their numbers, of a busy client in a thousand seconds.
pub(super) const SERVER_VERSION_4: [u64; 76] = [
    0, 0, 0, 5_200, 3_200, 310, 60, 0, 910, 31_000, 6_100, 0, 70, 0, 70, 3_800, 0, 0, 3_300, 0, 0, 0, 34_000, 0, 12,
    8_900, 420, 30, 180, 90, 0, 0, 190, 0, 640, 0, 0, 0, 3_100, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 33_900, 0, 2,
    0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];
