//! Ports of Fibre Channel adapters from /sys/class/fc_host.

use crate::declare;
use crate::host::errno::Errno;
use crate::host::root::{Names, RootError};
use crate::kit::attribute;
use crate::kit::family::{Counter, Family};
use crate::kit::parse::{FromText, Hexadecimal};
use crate::kit::prelude::*;

/// What each port of a Fibre Channel adapter is, and what went through it.
#[derive(Default, Debug)]
pub struct Fibrechannel {
    hosts: Names,
    statistics: Names,
    words: [Vec<u8>; WORDS.len()],
}

declare! {
    Fibrechannel: "fibrechannel", on, "What each port of a Fibre Channel adapter is, what went through it and what went wrong.";
    reads {
        CLASS: Directory Sys "class/fc_host";
        ATTRIBUTE: File Sys "class/fc_host/*/*";
        STATISTICS: Directory Sys "class/fc_host/*/statistics";
        STATISTIC: File Sys "class/fc_host/*/statistics/*";
    }
    families {
        INFO: Gauge "node_fibrechannel_info" [
            "dev_loss_tmo", "fabric_name", "fc_host", "port_id", "port_name", "port_state", "port_type", "speed",
            "supported_classes", "supported_speeds", "symbolic_name"
        ] "Always 1: what is known of a port beside numbers.";
        DUMPED_FRAMES: Counter "node_fibrechannel_dumped_frames_total" ["fc_host"] "Frames that were dumped.";
        ERROR_FRAMES: Counter "node_fibrechannel_error_frames_total" ["fc_host"] "Frames with an error.";
        PACKET_ABORTS: Counter "node_fibrechannel_fcp_packet_aborts_total" ["fc_host"] "Packets that were aborted.";
        INVALID_CRC: Counter "node_fibrechannel_invalid_crc_total" ["fc_host"] "Frames with a wrong checksum.";
        INVALID_TX_WORDS: Counter "node_fibrechannel_invalid_tx_words_total" ["fc_host"] "Invalid transmission words.";
        LINK_FAILURE: Counter "node_fibrechannel_link_failure_total" ["fc_host"] "How often the link failed.";
        LOSS_OF_SIGNAL: Counter "node_fibrechannel_loss_of_signal_total" ["fc_host"] "How often the signal was lost.";
        LOSS_OF_SYNC: Counter "node_fibrechannel_loss_of_sync_total" ["fc_host"] "How often the beginning of words was lost.";
        NOS: Counter "node_fibrechannel_nos_total" ["fc_host"] "How often the other side said that it is not operational.";
        RX_FRAMES: Counter "node_fibrechannel_rx_frames_total" ["fc_host"] "Frames received.";
        RX_WORDS: Counter "node_fibrechannel_rx_words_total" ["fc_host"] "Words received.";
        SINCE_RESET: Counter "node_fibrechannel_seconds_since_last_reset_total" ["fc_host"] "Seconds since the statistics were reset.";
        TX_FRAMES: Counter "node_fibrechannel_tx_frames_total" ["fc_host"] "Frames sent.";
        TX_WORDS: Counter "node_fibrechannel_tx_words_total" ["fc_host"] "Words sent.";
    }
}

type Total = Family<Fibrechannel, Counter, crate::kit::family::Unnamed<1>>;

/// The attributes that are words, in the order of the labels; the name of the port stands between them.
const WORDS: [&[u8]; 10] = [
    b"dev_loss_tmo",
    b"fabric_name",
    b"port_id",
    b"port_name",
    b"port_state",
    b"port_type",
    b"speed",
    b"supported_classes",
    b"supported_speeds",
    b"symbolic_name",
];

/// Words that are hexadecimal numbers, told without the `0x` before them.
const NUMBERS: [&[u8]; 3] = [b"fabric_name", b"port_id", b"port_name"];

const COUNTERS: [(&[u8], Total); 14] = [
    (b"dumped_frames", DUMPED_FRAMES),
    (b"error_frames", ERROR_FRAMES),
    (b"fcp_packet_aborts", PACKET_ABORTS),
    (b"invalid_crc_count", INVALID_CRC),
    (b"invalid_tx_word_count", INVALID_TX_WORDS),
    (b"link_failure_count", LINK_FAILURE),
    (b"loss_of_signal_count", LOSS_OF_SIGNAL),
    (b"loss_of_sync_count", LOSS_OF_SYNC),
    (b"nos_count", NOS),
    (b"rx_frames", RX_FRAMES),
    (b"rx_words", RX_WORDS),
    (b"seconds_since_last_reset", SINCE_RESET),
    (b"tx_frames", TX_FRAMES),
    (b"tx_words", TX_WORDS),
];

impl Collect for Fibrechannel {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { hosts, statistics, words } = self;
        cx.files.list(CLASS, [], hosts).map_err(|error| error.or_no_data(RootError::is_missing))?;
        for host in hosts.iter() {
            emit_info(cx, host, words);
            match cx.files.list(STATISTICS, [host], statistics) {
                Ok(()) => emit_statistics(cx, host, statistics),
                Err(error) if error.is_missing() => {}
                Err(error) => cx.problems.report(error),
            }
        }
        Ok(())
    }
}

fn emit_info(cx: &mut Cx<'_, Fibrechannel>, host: &[u8], words: &mut [Vec<u8>; WORDS.len()]) {
    let problems = cx.problems.count();
    for (attribute, word) in WORDS.into_iter().zip(&mut *words) {
        attribute::word(cx, ATTRIBUTE, [host, attribute], RootError::is_missing, word);
        if NUMBERS.contains(&attribute) && word.len() > 2 {
            word.drain(..2);
        }
    }
    // Without one of its labels it would be another series.
    if cx.problems.count() == problems {
        let [loss, fabric, id, name, state, kind, speed, classes, speeds, symbol] = words;
        cx.page.gauge(INFO, [loss, fabric, &host, id, name, state, kind, speed, classes, speeds, symbol], true);
    }
}

/// What the port does not count it does not show, or refuses to tell.
fn emit_statistics(cx: &mut Cx<'_, Fibrechannel>, host: &[u8], statistics: &Names) {
    let is_not_counted = |error: RootError| error.is_missing() || error == RootError::Errno(Errno::EOPNOTSUPP);
    for (file, family) in COUNTERS {
        if statistics.contains(file)
            && let Some(Count(count)) = attribute::number(cx, STATISTIC, [host, file], is_not_counted)
            && count != NOT_COUNTED
        {
            cx.page.counter(family, [&host], count);
        }
    }
}

/// What an adapter says that does not count something.
const NOT_COUNTED: u64 = u64::MAX;

/// A count in decimal, or in hexadecimal after `0x`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Count(u64);

impl FromText for Count {
    const EXPECTED: &'static str = "a whole number of up to 64 bits, or a hexadecimal one after 0x";

    fn from_text(text: &[u8]) -> Option<Self> {
        if text.starts_with(b"0x") {
            return Hexadecimal::from_text(text).map(|Hexadecimal(count)| Self(count));
        }
        u64::from_text(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const HOST: &str = "== sys/class/fc_host/host3/port_id\n0x010203\n== sys/class/fc_host/host3/port_state\nOnline\n\
        == sys/class/fc_host/host3/statistics/reset_statistics mode=0200\n\n== sys/class/fc_host/host3/statistics/rx_frames\n0x1f\n\
        == sys/class/fc_host/host3/statistics/tx_frames\n7\n";
    const INFO_LINE: &str = "node_fibrechannel_info{dev_loss_tmo=\"\",fabric_name=\"\",fc_host=\"host3\",port_id=\"010203\",\
        port_name=\"\",port_state=\"Online\",port_type=\"\",speed=\"\",supported_classes=\"\",supported_speeds=\"\",symbolic_name=\"\"} 1\n";
    const RECEIVED: &str = "node_fibrechannel_rx_frames_total{fc_host=\"host3\"} 31\n";
    const SENT: &str = "node_fibrechannel_tx_frames_total{fc_host=\"host3\"} 7\n";

    #[test]
    fn a_port_shows_what_it_has() {
        given(HOST).emits::<Fibrechannel>(&[INFO_LINE, RECEIVED, SENT].concat());
        let refused = "== sys/class/fc_host/host3/statistics/nos_count error=EOPNOTSUPP\n";
        let unknown = "== sys/class/fc_host/host3/statistics/rx_words\n0xffffffffffffffff\n";
        given(&format!("{HOST}{refused}{unknown}")).emits::<Fibrechannel>(&[INFO_LINE, RECEIVED, SENT].concat());
    }

    #[test]
    fn a_host_without_ports_has_no_data() {
        given("").fails::<Fibrechannel>("", "sys/class/fc_host: no such file");
        given("== sys/class/fc_host/\n").emits::<Fibrechannel>("");
    }

    #[test]
    fn what_cannot_be_read_costs_itself_alone() {
        for bad in ["0x", "-1", "many", "", "0x1ffffffffffffffff", "18446744073709551616"] {
            given(&HOST.replace("0x1f", bad))
                .fails::<Fibrechannel>(&[INFO_LINE, SENT].concat(), "host3/statistics/rx_frames: value: expected");
        }
        given(&format!("{HOST}== sys/class/fc_host/host3/speed error=EIO\n"))
            .fails::<Fibrechannel>(&[RECEIVED, SENT].concat(), "host3/speed: input/output error");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn counts_come_back(count: u64) {
            prop_assert_eq!(Count::from_text(format!("{count:#x}").as_bytes()), Some(Count(count)));
            prop_assert_eq!(Count::from_text(format!("{count}").as_bytes()), Some(Count(count)));
        }

        #[test]
        fn any_bytes_are_a_count_or_none(bytes: Vec<u8>) {
            let _ = Count::from_text(&bytes);
        }
    }
}
