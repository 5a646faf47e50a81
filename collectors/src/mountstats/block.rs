//! Parser of /proc/self/mountstats: one line per mount, followed by indented statistics for NFS.

use crate::kit::parse::Lines;
use crate::kit::prelude::*;
use crate::kit::rows;

/// A mount and its statistics.
#[derive(Clone, Debug)]
pub(super) struct Block<'a> {
    pub(super) device: &'a [u8],
    pub(super) mount_point: &'a [u8],
    line: Line<'a>,
    /// The version of the statistics; `None` for a mount without any.
    version: Option<&'a [u8]>,
    below: Lines<'a>,
}

/// Counters of a transport, in the column order of TCP, which has the most.
pub(super) type Transport = [u64; 13];
/// The index of the idle time in a [`Transport`].
pub(super) const IDLE_COLUMN: usize = 4;
/// The index of the maximum number of RPC slots in a [`Transport`].
pub(super) const SLOTS_COLUMN: usize = 10;

/// Minimum number of columns of an operation; newer kernels append a count of errors.
const OPERATION_NUMBERS_MIN: usize = 8;

const BEFORE_OPERATIONS: &[u8] = b"per-op";

/// The mounts in file order, malformed ones as errors.
pub(super) fn blocks(text: Text<'_>) -> impl Iterator<Item = Result<Block<'_>, ParseError<'_>>> {
    let mut lines = text.lines();
    std::iter::from_fn(move || {
        let line = lines.find(|line| begins_block(*line))?;
        Some(read(line, lines.clone()))
    })
}

/// Whether a line starts a mount; one without a device starts with `no device`.
fn begins_block(line: Line<'_>) -> bool {
    let mut fields = line.fields();
    match fields.next() {
        Some(b"device") => true,
        Some(b"no") => fields.next() == Some(b"device"),
        _ => false,
    }
}

fn read<'a>(line: Line<'a>, below: Lines<'a>) -> Result<Block<'a>, ParseError<'a>> {
    let mut fields = line.fields();
    let mut device: &[u8] = b"";
    if fields.next() == Some(b"device") {
        device = fields.text("device")?;
    } else {
        fields.next();
    }
    for word in ["mounted", "on"] {
        expect(line, &mut fields, word)?;
    }
    let mount_point = fields.text("mount point")?;
    for word in ["with", "fstype"] {
        expect(line, &mut fields, word)?;
    }
    let kind = fields.text("file system type")?;
    let version = fields.next().map(|version| version.strip_prefix(b"statvers=").unwrap_or(version));
    if version.is_some() && !matches!(kind, b"nfs" | b"nfs4") {
        return Err(line.error("file system type", "nfs or nfs4 before statistics", kind));
    }
    Ok(Block { device, mount_point, line, version, below })
}

fn expect<'a>(
    line: Line<'a>,
    fields: &mut crate::kit::parse::Fields<'a>,
    word: &'static str,
) -> Result<(), ParseError<'a>> {
    let found = fields.text(word)?;
    if found == word.as_bytes() { Ok(()) } else { Err(line.error("mount", word, found)) }
}

impl<'a> Block<'a> {
    pub(super) fn has_statistics(&self) -> bool {
        self.version.is_some()
    }

    fn rows(&self) -> impl Iterator<Item = Line<'a>> + use<'a> {
        self.below.clone().take_while(|line| !begins_block(*line))
    }

    fn rows_of_mount(&self) -> impl Iterator<Item = Line<'a>> + use<'a> {
        self.rows().take_while(|line| line.fields().next() != Some(BEFORE_OPERATIONS))
    }

    /// The numbers in the row of this name.
    pub(super) fn row<const N: usize>(
        &self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<[u64; N], ParseError<'a>> {
        let row = self.rows_of_mount().find(|line| line.fields().next() == Some(name.as_bytes()));
        let row = row.ok_or_else(|| self.line.error(name, "a row of that name", b""))?;
        let mut fields = row.fields();
        fields.next();
        rows::exactly(row, fields, expected)
    }

    /// The protocol and counters of each transport.
    pub(super) fn transports(&self) -> impl Iterator<Item = Result<(&'a [u8], Transport), ParseError<'a>>> + use<'a> {
        let version = self.version.unwrap_or_default();
        let rows = self.rows_of_mount().filter(|line| line.fields().next() == Some(b"xprt:"));
        rows.map(move |row| transport(row, version))
    }

    /// The name, counts and times of each operation.
    pub(super) fn operations(
        &self,
    ) -> impl Iterator<Item = Result<(&'a [u8], [u64; OPERATION_NUMBERS_MIN]), ParseError<'a>>> + use<'a> {
        let rows = self.rows().skip_while(|line| line.fields().next() != Some(BEFORE_OPERATIONS)).skip(1);
        rows.take_while(|line| line.fields().next().is_some()).map(operation)
    }
}

fn transport<'a>(row: Line<'a>, version: &'a [u8]) -> Result<(&'a [u8], Transport), ParseError<'a>> {
    let mut fields = row.fields().clone();
    fields.next();
    let protocol = fields.text("protocol")?;
    let (mut values, count): (Transport, usize) = rows::numbers(row, fields)?;
    let is_whole = match (version, protocol) {
        (b"1.0", b"tcp") | (b"1.1", b"udp") => count == 10,
        (b"1.0", b"udp") => count == 7,
        (b"1.1", b"tcp") => count == 13,
        (b"1.1", b"rdma") => count >= 20,
        (b"1.0" | b"1.1", _) => return Err(row.error("protocol", "tcp, udp or rdma", protocol)),
        _ => return Err(row.error("statvers", "1.0 or 1.1", version)),
    };
    if !is_whole {
        return Err(row.error("xprt", "the number of columns of its protocol", row.bytes));
    }
    match protocol {
        // UDP has no connections: three columns are missing.
        b"udp" => {
            let [port, bind, rest @ .., _, _, _] = values;
            let [sends, receives, bad, active, backlog, slots, sending, pending] = rest;
            values = [port, bind, 0, 0, 0, sends, receives, bad, active, backlog, slots, sending, pending];
        }
        // The remaining columns of RDMA have other meanings.
        b"rdma" => {
            for value in values.iter_mut().skip(10) {
                *value = 0;
            }
        }
        _ => {}
    }
    Ok((protocol, values))
}

fn operation(row: Line<'_>) -> Result<(&[u8], [u64; OPERATION_NUMBERS_MIN]), ParseError<'_>> {
    let mut fields = row.fields();
    let name = fields.text("operation")?;
    let (values, count) = rows::numbers(row, fields)?;
    if count < OPERATION_NUMBERS_MIN {
        return Err(row.error("operation", "8 numbers or more", row.bytes));
    }
    Ok((name.strip_suffix(b":").unwrap_or(name), values))
}

/// The server's address in the mount options of a mountinfo line; empty if there is none.
pub(super) fn address(line: Line<'_>) -> Result<&[u8], ParseError<'_>> {
    let mut last = line.bytes.rsplit(|&byte| byte == b' ');
    let options = last.next().unwrap_or_default();
    if last.nth(2) != Some(b"-") || line.bytes.split(|&byte| byte == b' ').count() < 10 {
        return Err(line.error("mount", "10 columns or more, with - before the last three", line.bytes));
    }
    let mut addresses = options.split(|&byte| byte == b',').filter_map(|option| option.strip_prefix(b"addr="));
    let address = addresses.next_back().unwrap_or_default();
    Ok(address.split(|&byte| byte == b'=').next().unwrap_or_default())
}
