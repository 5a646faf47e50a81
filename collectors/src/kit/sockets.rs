//! Rows of /proc/net/{tcp,udp}{,6}.

use super::failure::ParseError;
use super::parse::{Hexadecimal, Line, Text};
use super::table;

/// State and queues of a socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Socket {
    /// The kernel's number of the state.
    pub state: u64,
    /// Bytes not yet sent or acknowledged.
    pub transmit_queue_bytes: u64,
    /// Bytes not yet read by the application.
    pub receive_queue_bytes: u64,
}

/// Number of columns up to the inode, which every kernel has.
const COLUMNS_MIN: usize = 10;

/// The sockets of a table, without its header.
pub fn sockets(text: Text<'_>) -> impl Iterator<Item = Result<Socket, ParseError<'_>>> {
    // The header exists even without sockets.
    let empty = text.bytes.is_empty().then(|| Err(table::empty(text)));
    text.lines().skip(1).map(socket).chain(empty)
}

fn socket(line: Line<'_>) -> Result<Socket, ParseError<'_>> {
    let mut fields = line.fields().skip(3);
    let (Some(state), Some(queues)) = (fields.next(), fields.next()) else { return Err(too_short(line)) };
    if 5 + fields.count() < COLUMNS_MIN {
        return Err(too_short(line));
    }
    let colon = memchr::memchr(b':', queues);
    let colon = colon.ok_or_else(|| line.error("the queues", "two numbers with a colon between", queues))?;
    let (transmit, receive) = queues.split_at(colon);
    let Hexadecimal(state) = line.number("st", state)?;
    let Hexadecimal(transmit_queue_bytes) = line.number("tx_queue", transmit)?;
    let Hexadecimal(receive_queue_bytes) = line.number("rx_queue", receive.get(1..).unwrap_or_default())?;
    Ok(Socket { state, transmit_queue_bytes, receive_queue_bytes })
}

fn too_short(line: Line<'_>) -> ParseError<'_> {
    line.error("the row", "10 columns or more", line.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use procfs_core::{FromBufReadSI, SystemInfoInterface, net::TcpNetEntries};
    use proptest::prelude::*;

    const HEADLINE: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    fn rendered(rows: &[(u8, u32, u32)]) -> String {
        let rows = rows.iter().enumerate().map(|(at, (state, transmit, receive))| {
            format!(
                "{at:4}: 0100007F:0CEA 00000000:0000 {state:02X} {transmit:08X}:{receive:08X} 00:00000000 00000000   \
                 101        0 {} 1 0000000000000000 100 0 0 10 0\n",
                20_000 + at
            )
        });
        HEADLINE.to_owned() + &rows.collect::<String>()
    }

    #[track_caller]
    fn check_refused(row: &str, complaint: &str) {
        let text = format!("{HEADLINE}{row}");
        let text = Text::new(Mount::Proc, b"net/udp", text.as_bytes());
        let errors: Vec<_> = sockets(text).filter_map(Result::err).map(|error| error.to_string()).collect();
        assert!(matches!(&*errors, [error] if error.contains(complaint)), "`{complaint}` is not in {errors:?}");
    }

    #[test]
    fn malformed_rows_are_refused() {
        check_refused("\n", "net/udp:2: the row: expected 10 columns or more, found nothing");
        check_refused("0: 0:0 0:0 07 0:0 00:0 0 0 0\n", "10 columns or more");
        check_refused("0: 0:0 0:0 07 00 00:0 0 0 0 1\n", "the queues: expected two numbers with a colon between");
        check_refused("0: 0:0 0:0 07 0:x 00:0 0 0 0 1\n", "rx_queue: expected a hexadecimal number");
        check_refused("0: 0:0 0:0 07 -1:0 00:0 0 0 0 1\n", "tx_queue: expected a hexadecimal number");
        check_refused("0: 0:0 0:0 zz 0:0 00:0 0 0 0 1\n", "st: expected");
    }

    struct Machine;

    impl SystemInfoInterface for Machine {
        fn boot_time_secs(&self) -> procfs_core::ProcResult<u64> {
            Ok(0)
        }
        fn ticks_per_second(&self) -> u64 {
            100
        }
        fn page_size(&self) -> u64 {
            4096
        }
        fn is_little_endian(&self) -> bool {
            true
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn rows_come_back_and_the_second_opinion_agrees(rows in prop::collection::vec((1_u8..12, any::<u32>(), any::<u32>()), 0..9)) {
            let text = rendered(&rows);
            let found: Result<Vec<_>, _> = sockets(Text::new(Mount::Proc, b"net/tcp", text.as_bytes())).collect();
            let found = found.expect("rows of the kernel");
            let second = TcpNetEntries::from_buf_read(text.as_bytes(), &Machine).expect("rows of the kernel").0;
            prop_assert_eq!(found.len(), rows.len());
            prop_assert_eq!(found.len(), second.len());
            for ((socket, row), second) in found.into_iter().zip(rows).zip(second) {
                let expected = (u64::from(row.0), u64::from(row.1), u64::from(row.2));
                prop_assert_eq!((socket.state, socket.transmit_queue_bytes, socket.receive_queue_bytes), expected);
                let second_queues = (u64::from(second.tx_queue), u64::from(second.rx_queue));
                prop_assert_eq!((socket.transmit_queue_bytes, socket.receive_queue_bytes), second_queues);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = sockets(Text::new(Mount::Proc, b"net/tcp", &bytes)).count();
        }
    }
}
