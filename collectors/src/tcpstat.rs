//! TCP sockets by state, from /proc/net/tcp and tcp6.

use crate::declare;
use crate::kit::prelude::*;
use crate::kit::sockets::sockets;

/// The tcpstat collector.
#[derive(Debug)]
pub struct Tcpstat;

declare! {
    Tcpstat: "tcpstat", off, "TCP sockets by state, and bytes in their queues.";
    labels {
        PerState { state }
    }
    reads {
        IPV4: File Proc "net/tcp";
        IPV6: File Proc "net/tcp6";
    }
    families {
        STATES: kept Gauge "node_tcp_connection_states" PerState "TCP sockets by state, and bytes in their queues.";
    }
}

/// State names by kernel number, which starts at 1; index 0 stands for unknown states.
const NAMES: [&str; 12] = [
    "unknown",
    "established",
    "syn_sent",
    "syn_recv",
    "fin_wait1",
    "fin_wait2",
    "time_wait",
    "close",
    "close_wait",
    "last_ack",
    "listen",
    "closing",
];

/// Counts over both files.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Counts {
    states: [u64; NAMES.len()],
    receive_queue_bytes: u64,
    transmit_queue_bytes: u64,
}

impl Collect for Tcpstat {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let mut counts = Counts::default();
        // The counts include both protocols: without one of the files they would be wrong.
        counts.add(cx.files.read(IPV4, [])?)?;
        if let Some(text) = cx.files.read_if_present(IPV6, [])? {
            counts.add(text)?;
        }
        if counts.states == [0; NAMES.len()] {
            return Ok(());
        }
        cx.page.gauge(STATES, PerState { state: &"rx_queued_bytes" }, counts.receive_queue_bytes);
        cx.page.gauge(STATES, PerState { state: &"tx_queued_bytes" }, counts.transmit_queue_bytes);
        for (name, count) in NAMES.into_iter().zip(counts.states).filter(|(_, count)| *count > 0) {
            cx.page.gauge(STATES, PerState { state: &name }, count);
        }
        Ok(())
    }
}

impl Counts {
    fn add<'a>(&mut self, text: Text<'a>) -> Result<(), ParseError<'a>> {
        for socket in sockets(text) {
            let socket = socket?;
            let state = usize::try_from(socket.state).ok().filter(|&state| state < NAMES.len()).unwrap_or_default();
            if let Some(count) = self.states.get_mut(state) {
                *count += 1;
            }
            self.receive_queue_bytes = self.receive_queue_bytes.wrapping_add(socket.receive_queue_bytes);
            self.transmit_queue_bytes = self.transmit_queue_bytes.wrapping_add(socket.transmit_queue_bytes);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;

    fn table(file: &str, rows: &[&str]) -> String {
        let row = |state: &&str| {
            format!(
                "   0: 0100007F:0016 00000000:0000 {state} 00:00000000 00000000     0        0 17022 1 0000000000000000 100 0 0 10 0\n"
            )
        };
        let rows: String = rows.iter().map(row).collect();
        format!(
            "== proc/net/{file}\n  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n{rows}"
        )
    }

    #[test]
    fn sockets_of_both_protocols_are_summed() {
        let v4 = table("tcp", &["0A 00000000:00000003", "01 00000010:00000000", "06 00000000:00000000"]);
        given(&v4).emits::<Tcpstat>(
            "node_tcp_connection_states{state=\"established\"} 1\nnode_tcp_connection_states{state=\"listen\"} 1\n\
             node_tcp_connection_states{state=\"rx_queued_bytes\"} 3\nnode_tcp_connection_states{state=\"time_wait\"} 1\n\
             node_tcp_connection_states{state=\"tx_queued_bytes\"} 16\n",
        );
        let both =
            format!("{v4}{}", table("tcp6", &["01 00000001:00000001", "0D 00000000:00000000", "FF 00000000:00000000"]));
        given(&both).emits::<Tcpstat>(
            "node_tcp_connection_states{state=\"established\"} 2\nnode_tcp_connection_states{state=\"listen\"} 1\n\
             node_tcp_connection_states{state=\"rx_queued_bytes\"} 4\nnode_tcp_connection_states{state=\"time_wait\"} 1\n\
             node_tcp_connection_states{state=\"tx_queued_bytes\"} 17\nnode_tcp_connection_states{state=\"unknown\"} 2\n",
        );
    }

    #[test]
    fn every_state_has_its_name() {
        let rows: Vec<String> = (1..NAMES.len()).map(|state| format!("{state:02X} 00000000:00000000")).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let samples = given(&table("tcp", &rows)).scrape::<Tcpstat>().samples();
        for name in &NAMES[1..] {
            assert!(samples.contains(&format!("{{state=\"{name}\"}} 1\n")), "{name} is not in {samples}");
        }
    }

    #[test]
    fn a_host_without_sockets_has_no_samples() {
        given(&table("tcp", &[])).emits::<Tcpstat>("");
    }

    #[test]
    fn incomplete_counts_are_not_exported() {
        let v4 = table("tcp", &["0A 00000000:00000003"]);
        given("").fails::<Tcpstat>("", "proc/net/tcp: no such file");
        given(&format!("{v4}== proc/net/tcp6 error=EACCES\n")).fails::<Tcpstat>("", "proc/net/tcp6: permission denied");
        given(&format!("{v4}{}", table("tcp6", &["0A 0:x"])))
            .fails::<Tcpstat>("", "proc/net/tcp6:2: rx_queue: expected");
    }
}
