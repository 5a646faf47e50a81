//! Ports of Fibre Channel adapters from /sys/class/fc_host.

use crate::declare;
use crate::host::errno::Errno;
use crate::host::root::{Names, RootError};
use crate::kit::attribute;
use crate::kit::parse::{FromText, Hexadecimal};
use crate::kit::prelude::*;

/// The fibrechannel collector.
#[derive(Default, Debug)]
pub struct Fibrechannel {
    hosts: Names,
    statistics: Names,
    words: [Vec<u8>; WORDS.len()],
}

declare! {
    Fibrechannel: "fibrechannel", on, "Fibre Channel port state, traffic and errors.";
    labels {
        PortInfo { dev_loss_tmo, fabric_name, fc_host, port_id, port_name, port_state, port_type, speed, supported_classes, supported_speeds, symbolic_name }
        PerPort { fc_host }
    }
    reads {
        CLASS: Directory Sys "class/fc_host";
        ATTRIBUTE: File Sys "class/fc_host/*/*";
        STATISTICS: Directory Sys "class/fc_host/*/statistics";
        STATISTIC: File Sys "class/fc_host/*/statistics/*";
    }
    families {
        INFO: Gauge "node_fibrechannel_info" PortInfo "State, names and speeds of a port, always 1.";
    }
    /// Statistics of a port, by file.
    table COUNTERS: &'static [u8] => PerPort {
        b"dumped_frames" => Counter "node_fibrechannel_dumped_frames_total" "Frames dumped.";
        b"error_frames" => Counter "node_fibrechannel_error_frames_total" "Frames with errors.";
        b"fcp_packet_aborts" => Counter "node_fibrechannel_fcp_packet_aborts_total" "FCP packets aborted.";
        b"invalid_crc_count" => Counter "node_fibrechannel_invalid_crc_total" "Frames with an invalid checksum.";
        b"invalid_tx_word_count" => Counter "node_fibrechannel_invalid_tx_words_total" "Invalid transmission words received.";
        b"link_failure_count" => Counter "node_fibrechannel_link_failure_total" "Link failures.";
        b"loss_of_signal_count" => Counter "node_fibrechannel_loss_of_signal_total" "Losses of signal.";
        b"loss_of_sync_count" => Counter "node_fibrechannel_loss_of_sync_total" "Losses of word synchronization.";
        b"nos_count" => Counter "node_fibrechannel_nos_total" "Not-operational sequences received.";
        b"rx_frames" => Counter "node_fibrechannel_rx_frames_total" "Frames received.";
        b"rx_words" => Counter "node_fibrechannel_rx_words_total" "Words received.";
        b"seconds_since_last_reset" => Counter "node_fibrechannel_seconds_since_last_reset_total" "Time since the last statistics reset, in seconds.";
        b"tx_frames" => Counter "node_fibrechannel_tx_frames_total" "Frames sent.";
        b"tx_words" => Counter "node_fibrechannel_tx_words_total" "Words sent.";
    }
}

/// The attributes that are labels.
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

/// Attributes that are hexadecimal numbers, exported without their `0x`.
const NUMBERS: [&[u8]; 3] = [b"fabric_name", b"port_id", b"port_name"];

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
    // A missing label would make another series.
    if cx.problems.count() == problems {
        let [loss, fabric, id, name, state, kind, speed, classes, speeds, symbol] = words;
        cx.page.gauge(
            INFO,
            PortInfo {
                dev_loss_tmo: loss,
                fabric_name: fabric,
                fc_host: &host,
                port_id: id,
                port_name: name,
                port_state: state,
                port_type: kind,
                speed,
                supported_classes: classes,
                supported_speeds: speeds,
                symbolic_name: symbol,
            },
            true,
        );
    }
}

/// Emits the statistics. Files of statistics that the adapter does not count are missing or unreadable.
fn emit_statistics(cx: &mut Cx<'_, Fibrechannel>, host: &[u8], statistics: &Names) {
    let is_not_counted = |error: RootError| error.is_missing() || error == RootError::Errno(Errno::EOPNOTSUPP);
    for (file, family) in COUNTERS {
        if statistics.contains(file)
            && let Some(Count(count)) = attribute::number(cx, STATISTIC, [host, file], is_not_counted)
            && count != NOT_COUNTED
        {
            cx.page.tabled(family, PerPort { fc_host: &host }, count);
        }
    }
}

/// The value of a statistic that the adapter does not count.
const NOT_COUNTED: u64 = u64::MAX;

/// A count in decimal, or in hexadecimal after `0x`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Count(u64);

impl FromText for Count {
    const EXPECTED: &'static str = "an unsigned integer in decimal, or in hexadecimal after 0x";

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
    fn the_attributes_of_a_port_are_exported() {
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
    fn an_unreadable_file_costs_only_its_own_samples() {
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
