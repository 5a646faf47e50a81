//! The statistics files of the NFS client and server: their rows, and the procedures and operations by number.

use crate::host::root::RootError;
use crate::kit::page::PageOf;
use crate::kit::prelude::*;
use crate::kit::read::{File, Read};
use crate::kit::rows::{Row, Rows};
use crate::kit::table;

/// The columns of a row, followed by zeros.
pub(crate) type Columns = [u64; CLIENT_VERSION_4.len()];

/// The rows of a statistics file.
pub(crate) struct StatisticsRows<C, const N: usize> {
    /// Names of the rows. A missing row is exported as zeros: the kernel does not count it.
    pub(crate) names: [&'static str; N],
    /// Describes the rows in the error of an unknown one.
    pub(crate) expected: &'static str,
    /// Parses the row of a name.
    pub(crate) parse: for<'a> fn(&str, Row<'a>) -> Result<Columns, ParseError<'a>>,
    /// Exports the row of a name.
    pub(crate) emit: fn(&mut PageOf<'_, C>, &str, &Columns),
}

impl<C, const N: usize> StatisticsRows<C, N> {
    /// Reads the file and exports its rows. A host that does not use NFS does not have the file.
    pub(crate) fn collect(&self, cx: &mut Cx<'_, C>, file: Read<C, File, 0>) -> Result<(), Failure> {
        let text = cx.files.read(file, []).map_err(|error| error.or_no_data(RootError::is_missing))?;
        // Like node_exporter: an empty file has zeros in every row, and is not a failure.
        if text.bytes.is_empty() {
            cx.problems.note(table::empty(text));
            for name in self.names {
                (self.emit)(&mut cx.page, name, &[0; _]);
            }
            return Ok(());
        }
        let name_of = |at| self.names.get(at).copied().unwrap_or_default();
        let rows = Rows::of(text, self.names, cx.problems, |line| Err(line.error("row", self.expected, line.bytes)))?;
        for (at, columns) in rows.each(|at, row| (self.parse)(name_of(at), row)) {
            if let Some(columns) = cx.problems.value(columns) {
                (self.emit)(&mut cx.page, name_of(at), &columns.unwrap_or([0; _]));
            }
        }
        Ok(())
    }
}

/// Parses a row of exactly `count` numbers, which `expected` describes.
pub(crate) fn exactly<'a>(row: Row<'a>, count: usize, expected: &'static str) -> Result<Columns, ParseError<'a>> {
    let (columns, found) = row.numbers()?;
    if found == count { Ok(columns) } else { Err(row.line.error("row", expected, row.line.bytes)) }
}

/// Parses the procedures of NFS version 2.
pub(crate) fn version_2(row: Row<'_>) -> Result<Columns, ParseError<'_>> {
    row.counted(18, "a count of 18 or more and as many numbers")
}

/// Parses the procedures of NFS version 3.
pub(crate) fn version_3(row: Row<'_>) -> Result<Columns, ParseError<'_>> {
    row.counted(22, "a count of 22 or more and as many numbers")
}

/// Procedures of NFS version 2.
pub(crate) const VERSION_2: [&str; 18] = [
    "Null", "GetAttr", "SetAttr", "Root", "Lookup", "ReadLink", "Read", "WrCache", "Write", "Create", "Remove",
    "Rename", "Link", "SymLink", "MkDir", "RmDir", "ReadDir", "FsStat",
];

/// Procedures of NFS version 3.
pub(crate) const VERSION_3: [&str; 22] = [
    "Null",
    "GetAttr",
    "SetAttr",
    "Lookup",
    "Access",
    "ReadLink",
    "Read",
    "Write",
    "Create",
    "MkDir",
    "SymLink",
    "MkNod",
    "Remove",
    "RmDir",
    "Rename",
    "Link",
    "ReadDir",
    "ReadDirPlus",
    "FsStat",
    "FsInfo",
    "PathConf",
    "Commit",
];

/// Operations of NFS version 4 counted by the client, in column order. Older kernels have fewer columns.
pub(crate) const CLIENT_VERSION_4: [&str; 59] = [
    "Null",
    "Read",
    "Write",
    "Commit",
    "Open",
    "OpenConfirm",
    "OpenNoattr",
    "OpenDowngrade",
    "Close",
    "Setattr",
    "FsInfo",
    "Renew",
    "SetClientID",
    "SetClientIDConfirm",
    "Lock",
    "Lockt",
    "Locku",
    "Access",
    "Getattr",
    "Lookup",
    "LookupRoot",
    "Remove",
    "Rename",
    "Link",
    "Symlink",
    "Create",
    "Pathconf",
    "StatFs",
    "ReadLink",
    "ReadDir",
    "ServerCaps",
    "DelegReturn",
    "GetACL",
    "SetACL",
    "FsLocations",
    "ReleaseLockowner",
    "Secinfo",
    "FsidPresent",
    "ExchangeID",
    "CreateSession",
    "DestroySession",
    "Sequence",
    "GetLeaseTime",
    "ReclaimComplete",
    "GetDeviceInfo",
    "LayoutGet",
    "LayoutCommit",
    "LayoutReturn",
    "SecinfoNoName",
    "TestStateID",
    "FreeStateID",
    "GetDeviceList",
    "BindConnToSession",
    "DestroyClientID",
    "Seek",
    "Allocate",
    "DeAllocate",
    "LayoutStats",
    "Clone",
];

/// Operations of NFS version 4 counted by the server, in column order. Unnamed columns are not exported: unassigned
/// numbers, and operations without state.
pub(crate) const SERVER_VERSION_4: [&str; 40] = [
    "",
    "",
    "",
    "Access",
    "Close",
    "Commit",
    "Create",
    "DelegPurge",
    "DelegReturn",
    "GetAttr",
    "GetFH",
    "Link",
    "Lock",
    "Lockt",
    "Locku",
    "Lookup",
    "LookupRoot",
    "Nverify",
    "Open",
    "OpenAttr",
    "OpenConfirm",
    "OpenDgrd",
    "PutFH",
    "",
    "",
    "Read",
    "ReadDir",
    "ReadLink",
    "Remove",
    "Rename",
    "Renew",
    "RestoreFH",
    "SaveFH",
    "SecInfo",
    "SetAttr",
    "SetClientID",
    "SetClientIDConfirm",
    "Verify",
    "Write",
    "RelLockOwner",
];

#[cfg(test)]
pub(crate) mod testing {
    use crate::kit::declare::Collect;
    use crate::kit::testing::given;

    /// Checks the non-zero samples, the number of all samples, and the reported problems.
    #[track_caller]
    pub(crate) fn check<C: Collect>(file: &str, content: &str, count: usize, expected: &str, complaint: &str) {
        let scraped = given(&format!("== {file}\n{content}")).scrape::<C>();
        let samples = scraped.samples();
        let shown: String = samples.split_inclusive('\n').filter(|line| !line.ends_with(" 0\n")).collect();
        assert_eq!(shown, expected);
        assert_eq!(samples.lines().count(), count, "{samples}");
        assert_eq!(scraped.complaints.is_empty(), complaint.is_empty(), "{:?}", scraped.complaints);
        assert!(scraped.complaints.iter().all(|found| found.contains(complaint)), "{:?}", scraped.complaints);
    }
}
