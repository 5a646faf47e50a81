//! Parser of /proc/net/dev.

use super::{
    LINK_COUNTERS, RECEIVE_DROP, RECEIVE_ERRS, RECEIVE_FIFO, RECEIVE_FRAME, RECEIVE_MULTICAST, TRANSMIT_CARRIER,
    TRANSMIT_COLLS, TRANSMIT_DROP, TRANSMIT_ERRS, TRANSMIT_FIFO, Total,
};
use crate::kit::prelude::*;

/// Number of header lines.
pub(super) const HEADER_LINES: usize = 2;

/// The families of the columns.
pub(super) const SUMMED_FAMILIES: [Total; 16] = [
    LINK_COUNTERS.rx_bytes,
    LINK_COUNTERS.rx_packets,
    RECEIVE_ERRS,
    RECEIVE_DROP,
    RECEIVE_FIFO,
    RECEIVE_FRAME,
    LINK_COUNTERS.rx_compressed,
    RECEIVE_MULTICAST,
    LINK_COUNTERS.tx_bytes,
    LINK_COUNTERS.tx_packets,
    TRANSMIT_ERRS,
    TRANSMIT_DROP,
    TRANSMIT_FIFO,
    TRANSMIT_COLLS,
    TRANSMIT_CARRIER,
    LINK_COUNTERS.tx_compressed,
];

/// The families of the columns with detailed metrics: the file has no more detail, but four names differ.
pub(super) const DETAILED_FAMILIES: [Total; 16] = {
    let mut families = SUMMED_FAMILIES;
    families[2] = LINK_COUNTERS.rx_errors;
    families[3] = LINK_COUNTERS.rx_dropped;
    families[10] = LINK_COUNTERS.tx_errors;
    families[11] = LINK_COUNTERS.tx_dropped;
    families
};

/// The names of the columns in errors.
const COLUMNS: [&str; 16] = [
    "receive bytes",
    "receive packets",
    "receive errs",
    "receive drop",
    "receive fifo",
    "receive frame",
    "receive compressed",
    "receive multicast",
    "transmit bytes",
    "transmit packets",
    "transmit errs",
    "transmit drop",
    "transmit fifo",
    "transmit colls",
    "transmit carrier",
    "transmit compressed",
];

/// The device of a row, and the rest of the row. The last colon ends the name, since names of alias devices contain
/// colons. Old kernels print no space after it.
pub(super) fn device(line: Line<'_>) -> Result<(&[u8], &[u8]), ParseError<'_>> {
    let end = memchr::memrchr(b':', line.bytes);
    let cut = end.and_then(|end| Some((line.bytes.get(..end)?.trim_ascii(), line.bytes.get(end + 1..)?)));
    cut.filter(|(device, _)| !device.is_empty()).ok_or_else(|| line.error("device", "a name and a colon", line.bytes))
}

/// Parses the counters after the device.
pub(super) fn counters<'a>(line: Line<'a>, rest: &'a [u8]) -> Result<[u64; 16], ParseError<'a>> {
    let mut fields = line.fields_of(rest);
    let mut counters = [0; 16];
    for (counter, column) in counters.iter_mut().zip(COLUMNS) {
        *counter = fields.number(column)?;
    }
    Ok(counters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use procfs_core::FromRead;
    use proptest::prelude::*;

    fn rows(content: &str) -> Vec<(String, [u64; 16])> {
        let text = Text::new(Mount::Proc, b"net/dev", content.as_bytes());
        let row = |line| {
            let (device, rest) = device(line).expect("a row of the kernel");
            (String::from_utf8_lossy(device).into_owned(), counters(line, rest).expect("a row of the kernel"))
        };
        text.lines().skip(HEADER_LINES).map(row).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn counters_round_trip_and_procfs_core_agrees(
            devices in prop::collection::btree_map("[a-z][a-z0-9.-]{0,13}", any::<[u64; 16]>(), 0..5),
            space in " {0,3}",
        ) {
            let render = |before: &str, after: &str| {
                let row = |(device, counters): (&String, &[u64; 16])| {
                    let counters = counters.map(|counter| counter.to_string()).join("  ");
                    format!("{before}{device}:{after}{counters}\n")
                };
                let rows: Vec<_> = devices.iter().map(row).collect();
                format!("Inter-| Receive | Transmit\n face |bytes packets\n{}", rows.concat())
            };
            let (content, spaced) = (render(&space, &space), render("", " "));
            prop_assert_eq!(rows(&content), devices.into_iter().collect::<Vec<_>>());
            // procfs-core requires a space after the colon.
            let second = procfs_core::net::InterfaceDeviceStatus::from_read(spaced.as_bytes()).expect("rows of the kernel");
            for (device, counters) in rows(&spaced) {
                let status = &second.0[&device];
                prop_assert_eq!([counters[0], counters[7], counters[15]], [status.recv_bytes, status.recv_multicast, status.sent_compressed]);
            }
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for line in Text::new(Mount::Proc, b"x", &bytes).lines() {
                let _ = device(line).and_then(|(_, rest)| counters(line, rest));
            }
        }
    }
}
