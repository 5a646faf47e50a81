//! Queues of UDP sockets, from /proc/net/udp and udp6.

use crate::declare;
use crate::kit::prelude::*;
use crate::kit::sockets::sockets;

/// The udp_queues collector.
#[derive(Debug)]
pub struct UdpQueues;

declare! {
    UdpQueues: "udp_queues", on, "Bytes in the queues of UDP sockets.";
    labels {
        PerQueue { ip, queue }
    }
    reads {
        IPV4: File Proc "net/udp";
        IPV6: File Proc "net/udp6";
    }
    families {
        QUEUES: kept Gauge "node_udp_queues" PerQueue "Bytes queued in all UDP sockets.";
    }
}

impl Collect for UdpQueues {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let mut missing = 0;
        for (file, ip) in [(IPV4, "v4"), (IPV6, "v6")] {
            let Some(text) = cx.problems.value(cx.files.read_if_present(file, [])) else { continue };
            let Some(text) = text else {
                missing += 1;
                continue;
            };
            // A sum without some of the sockets would be wrong: a bad row drops the sums.
            if let Some([transmit, receive]) = cx.problems.value(sums(text)) {
                cx.page.gauge(QUEUES, PerQueue { ip: &ip, queue: &"rx" }, receive);
                cx.page.gauge(QUEUES, PerQueue { ip: &ip, queue: &"tx" }, transmit);
            }
        }
        if missing == 2 { Err(Failure::no_data("proc/net/udp, proc/net/udp6: no such files")) } else { Ok(()) }
    }
}

/// Sums of the transmit and receive queues.
fn sums(text: Text<'_>) -> Result<[u64; 2], ParseError<'_>> {
    sockets(text).try_fold([0_u64; 2], |[transmit, receive], socket| {
        let socket = socket?;
        Ok([transmit.wrapping_add(socket.transmit_queue_bytes), receive.wrapping_add(socket.receive_queue_bytes)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;

    const HEADLINE: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n";

    fn table(file: &str, rows: &[&str]) -> String {
        let row = |queues: &&str| {
            format!(
                "  37: 0100007F:0035 00000000:0000 07 {queues} 00:00000000 00000000   101        0 20311 2 0000000000000000 0\n"
            )
        };
        let rows: String = rows.iter().map(row).collect();
        format!("== proc/net/{file}\n{HEADLINE}{rows}")
    }

    const V4: &str = "node_udp_queues{ip=\"v4\",queue=\"rx\"} 512\nnode_udp_queues{ip=\"v4\",queue=\"tx\"} 26\n";

    #[test]
    fn queues_are_summed_by_protocol() {
        let v4 = table("udp", &["00000015:00000100", "00000005:00000100"]);
        given(&v4).emits::<UdpQueues>(V4);
        let both = format!("{v4}{}", table("udp6", &["0000000A:00000000"]));
        let v6 = "node_udp_queues{ip=\"v6\",queue=\"rx\"} 0\nnode_udp_queues{ip=\"v6\",queue=\"tx\"} 10\n";
        given(&both).emits::<UdpQueues>(&format!("{V4}{v6}"));
        given(&table("udp", &[])).emits::<UdpQueues>(
            "node_udp_queues{ip=\"v4\",queue=\"rx\"} 0\nnode_udp_queues{ip=\"v4\",queue=\"tx\"} 0\n",
        );
    }

    #[test]
    fn a_host_without_both_files_has_no_data() {
        given("").fails::<UdpQueues>("", "proc/net/udp, proc/net/udp6: no such files");
        given("== proc/net/udp error=EACCES\n").fails::<UdpQueues>("", "proc/net/udp: permission denied");
    }

    #[test]
    fn a_bad_row_costs_the_sums_of_its_protocol() {
        let v4 = table("udp", &["00000015:00000100", "00000005:00000100"]);
        given(&format!("{v4}{}", table("udp6", &["0:0", "-1:0"]))).fails::<UdpQueues>(V4, "proc/net/udp6:3: tx_queue");
    }
}
