//! One mount of /proc/self/mountstats: a line, and below it statistics if it is one of NFS.

use crate::kit::parse::Lines;
use crate::kit::prelude::*;
use crate::kit::rows;

/// A mount and the lines below its own.
#[derive(Clone, Debug)]
pub(super) struct Block<'a> {
    pub(super) device: &'a [u8],
    pub(super) mount_point: &'a [u8],
    line: Line<'a>,
    /// The version of the statistics; nothing where there are none.
    version: Option<&'a [u8]>,
    below: Lines<'a>,
}

/// What a transport counted: the columns of one over TCP, which has the most of those that are looked at.
pub(super) type Transport = [u64; 13];

/// An operation has so many numbers on every kernel; later ones count errors, too.
const OPERATION_NUMBERS_MIN: usize = 8;

const BEFORE_OPERATIONS: &[u8] = b"per-op";

/// The mounts in their order, those that cannot be read among them.
pub(super) fn blocks(text: Text<'_>) -> impl Iterator<Item = Result<Block<'_>, ParseError<'_>>> {
    let mut lines = text.lines();
    std::iter::from_fn(move || {
        let line = lines.find(|line| begins_block(*line))?;
        Some(read(line, lines.clone()))
    })
}

/// A mount without a device is told as `no device`.
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
        device = fields.text("the device")?;
    } else {
        fields.next();
    }
    for word in ["mounted", "on"] {
        expect(line, &mut fields, word)?;
    }
    let mount_point = fields.text("the mount point")?;
    for word in ["with", "fstype"] {
        expect(line, &mut fields, word)?;
    }
    let kind = fields.text("the type")?;
    let version = fields.next().map(|version| version.strip_prefix(b"statvers=").unwrap_or(version));
    if version.is_some() && !matches!(kind, b"nfs" | b"nfs4") {
        return Err(line.error("the type", "nfs or nfs4, which alone have statistics", kind));
    }
    Ok(Block { device, mount_point, line, version, below })
}

fn expect<'a>(
    line: Line<'a>,
    fields: &mut crate::kit::parse::Fields<'a>,
    word: &'static str,
) -> Result<(), ParseError<'a>> {
    let found = fields.text(word)?;
    if found == word.as_bytes() { Ok(()) } else { Err(line.error(word, "that word", found)) }
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

    /// The numbers of the row of this name.
    pub(super) fn row<const N: usize>(
        &self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<[u64; N], ParseError<'a>> {
        let row = self.rows_of_mount().find(|line| line.fields().next() == Some(name.as_bytes()));
        let row = row.ok_or_else(|| self.line.error(name, "a row of that name below it", b""))?;
        let mut fields = row.fields();
        fields.next();
        rows::exactly(row, fields, expected)
    }

    /// The protocol of each transport and what it counted.
    pub(super) fn transports(&self) -> impl Iterator<Item = Result<(&'a [u8], Transport), ParseError<'a>>> + use<'a> {
        let version = self.version.unwrap_or_default();
        let rows = self.rows_of_mount().filter(|line| line.fields().next() == Some(b"xprt:"));
        rows.map(move |row| transport(row, version))
    }

    /// The name of each operation, its counts and its times.
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
    let protocol = fields.text("the protocol")?;
    let (mut values, count): (Transport, usize) = rows::numbers(row, fields)?;
    let is_whole = match (version, protocol) {
        (b"1.0", b"tcp") | (b"1.1", b"udp") => count == 10,
        (b"1.0", b"udp") => count == 7,
        (b"1.1", b"tcp") => count == 13,
        (b"1.1", b"rdma") => count >= 20,
        (b"1.0" | b"1.1", _) => return Err(row.error("the protocol", "tcp, udp or rdma", protocol)),
        _ => return Err(row.error("the version", "statistics of version 1.0 or 1.1", version)),
    };
    if !is_whole {
        return Err(row.error("the row", "as many numbers as its protocol has", row.bytes));
    }
    match protocol {
        // UDP knows no connections: its row lacks three columns.
        b"udp" => {
            let [port, bind, rest @ .., _, _, _] = values;
            let [sends, receives, bad, active, backlog, slots, sending, pending] = rest;
            values = [port, bind, 0, 0, 0, sends, receives, bad, active, backlog, slots, sending, pending];
        }
        // What follows there counts something else.
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
    let name = fields.text("the operation")?;
    let (values, count) = rows::numbers(row, fields)?;
    if count < OPERATION_NUMBERS_MIN {
        return Err(row.error("the row", "8 numbers or more", row.bytes));
    }
    Ok((name.strip_suffix(b":").unwrap_or(name), values))
}

/// The server's address, as a line of mountinfo has it among the options of the file system; empty without one.
pub(super) fn address(line: Line<'_>) -> Result<&[u8], ParseError<'_>> {
    let mut last = line.bytes.rsplit(|&byte| byte == b' ');
    let options = last.next().unwrap_or_default();
    if last.nth(2) != Some(b"-") || line.bytes.split(|&byte| byte == b' ').count() < 10 {
        return Err(line.error("the mount", "10 columns or more, and - before the last three", line.bytes));
    }
    let mut addresses = options.split(|&byte| byte == b',').filter_map(|option| option.strip_prefix(b"addr="));
    let address = addresses.next_back().unwrap_or_default();
    Ok(address.split(|&byte| byte == b'=').next().unwrap_or_default())
}
