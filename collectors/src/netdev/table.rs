//! The rows of /proc/net/dev.

use super::{
    RECEIVE_BYTES, RECEIVE_COMPRESSED, RECEIVE_DROP, RECEIVE_DROPPED, RECEIVE_ERRORS, RECEIVE_ERRS, RECEIVE_FIFO,
    RECEIVE_FRAME, RECEIVE_MULTICAST, RECEIVE_PACKETS, TRANSMIT_BYTES, TRANSMIT_CARRIER, TRANSMIT_COLLS,
    TRANSMIT_COMPRESSED, TRANSMIT_DROP, TRANSMIT_DROPPED, TRANSMIT_ERRORS, TRANSMIT_ERRS, TRANSMIT_FIFO,
    TRANSMIT_PACKETS, Total,
};
use crate::kit::prelude::*;

/// The file begins with two headlines.
pub(super) const HEADLINES: usize = 2;

/// Where the columns go.
pub(super) const OLDER_NAMES: [Total; 16] = [
    RECEIVE_BYTES,
    RECEIVE_PACKETS,
    RECEIVE_ERRS,
    RECEIVE_DROP,
    RECEIVE_FIFO,
    RECEIVE_FRAME,
    RECEIVE_COMPRESSED,
    RECEIVE_MULTICAST,
    TRANSMIT_BYTES,
    TRANSMIT_PACKETS,
    TRANSMIT_ERRS,
    TRANSMIT_DROP,
    TRANSMIT_FIFO,
    TRANSMIT_COLLS,
    TRANSMIT_CARRIER,
    TRANSMIT_COMPRESSED,
];

/// Where they go when details are wanted: the file has none, but four names change.
pub(super) const OWN_NAMES: [Total; 16] = {
    let mut families = OLDER_NAMES;
    families[2] = RECEIVE_ERRORS;
    families[3] = RECEIVE_DROPPED;
    families[10] = TRANSMIT_ERRORS;
    families[11] = TRANSMIT_DROPPED;
    families
};

/// The columns as errors call them.
const COLUMNS: [&str; 16] = [
    "received bytes",
    "received packets",
    "received errs",
    "received drop",
    "received fifo",
    "received frame",
    "received compressed",
    "received multicast",
    "sent bytes",
    "sent packets",
    "sent errs",
    "sent drop",
    "sent fifo",
    "sent colls",
    "sent carrier",
    "sent compressed",
];

/// The device of a row, and what stands behind it. The last colon ends the name, which may have colons itself: those
/// of alias devices do. Old kernels leave no space behind it.
pub(super) fn device(line: Line<'_>) -> Result<(&[u8], &[u8]), ParseError<'_>> {
    let end = memchr::memrchr(b':', line.bytes);
    let cut = end.and_then(|end| Some((line.bytes.get(..end)?.trim_ascii(), line.bytes.get(end + 1..)?)));
    cut.filter(|(device, _)| !device.is_empty())
        .ok_or_else(|| line.error("the device", "a name and a colon", line.bytes))
}

/// The counters of a row, from what stands behind the device.
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
        text.lines().skip(HEADLINES).map(row).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn counters_come_back_and_the_second_opinion_agrees(
            devices in prop::collection::btree_map("[a-z][a-z0-9.-]{0,13}", any::<[u64; 16]>(), 0..5),
            space in " {0,3}",
        ) {
            let render = |before: &str, behind: &str| {
                let row = |(device, counters): (&String, &[u64; 16])| {
                    let counters = counters.map(|counter| counter.to_string()).join("  ");
                    format!("{before}{device}:{behind}{counters}\n")
                };
                let rows: Vec<_> = devices.iter().map(row).collect();
                format!("Inter-| Receive | Transmit\n face |bytes packets\n{}", rows.concat())
            };
            let (content, spaced) = (render(&space, &space), render("", " "));
            prop_assert_eq!(rows(&content), devices.into_iter().collect::<Vec<_>>());
            // It wants a space behind the colon.
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
