//! Queueing disciplines of network devices, by netlink.

use crate::declare;
use crate::host::kernel::KernelError;
use crate::kit::filter::Filter;
use crate::kit::options::FlagInfo;
use crate::kit::prelude::*;

/// The qdisc collector.
#[derive(Debug)]
pub struct Qdisc {
    devices: Filter,
}

declare! {
    Qdisc: "qdisc", off, "Root queueing disciplines of network devices: packets, drops and backlog.";
    labels {
        PerQdisc { device, kind }
    }
    flags {
        INCLUDE: Text "collector.qdisc.device-include" = "", "Regexp of devices to include; not together with device-exclude.",
            or(&["collector.qdisk.device-include"]);
        EXCLUDE: Text "collector.qdisc.device-exclude" = "", "Regexp of devices to exclude; not together with device-include.",
            or(&["collector.qdisk.device-exclude"]);
        FIXTURES: Text "collector.qdisc.fixtures" = "", "Directory of recorded netlink answers to use instead of the kernel's, for tests.";
    }
    families {
        BACKLOG: kept Gauge "node_qdisc_backlog" PerQdisc "Bytes queued for transmission.";
        BYTES: Counter "node_qdisc_bytes_total" PerQdisc "Bytes sent.";
        LENGTH: kept Gauge "node_qdisc_current_queue_length" PerQdisc "Packets queued for transmission.";
        DROPS: Counter "node_qdisc_drops_total" PerQdisc "Packets dropped.";
        OVERLIMITS: Counter "node_qdisc_overlimits_total" PerQdisc "Packets delayed or dropped by a rate limit.";
        PACKETS: Counter "node_qdisc_packets_total" PerQdisc "Packets sent.";
        REQUEUES: Counter "node_qdisc_requeues_total" PerQdisc "Packets requeued because the device was busy.";
    }
}

/// The flag of recorded answers, for code that makes the kernel: the collector asks that.
pub const FIXTURES_FLAG: FlagInfo = FIXTURES.info();

impl Collect for Qdisc {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { devices: Filter::from_flags(options, INCLUDE, EXCLUDE)? })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Cx { page, kernel, .. } = cx;
        let answer = kernel.qdiscs(&mut |found| {
            // The root's counters include those of its children.
            if !found.is_root() || self.devices.ignores(found.device) {
                return;
            }
            let (device, kind) = (&found.device, &found.kind);
            page.gauge(BACKLOG, PerQdisc { device, kind }, found.backlog_bytes);
            page.counter(BYTES, PerQdisc { device, kind }, found.bytes);
            page.gauge(LENGTH, PerQdisc { device, kind }, found.queue_length);
            page.counter(DROPS, PerQdisc { device, kind }, found.drops);
            page.counter(OVERLIMITS, PerQdisc { device, kind }, found.overlimits);
            page.counter(PACKETS, PerQdisc { device, kind }, found.packets);
            page.counter(REQUEUES, PerQdisc { device, kind }, found.requeues);
        });
        match answer {
            Ok(()) => Ok(()),
            Err(KernelError::Unsupported) => Err(Failure::no_data("qdisc query: not supported by this host")),
            Err(error) => Err(Failure::error(format_args!("qdisc query: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;

    const KERNEL: &str = "== kernel/qdiscs\n\
        wlan0 kind=fq bytes=42 packets=41 drops=1 requeues=2 overlimits=3 queue_length=4 backlog_bytes=5\n\
        eth0 kind=mq parent=0xffffffff bytes=9 packets=4294967297\n\
        eth0 kind=fq_codel parent=0x1 bytes=9 packets=1\n\
        eth0 kind=clsact parent=0xfffffff1 bytes=7\n";

    fn emitted(of: &[(&str, [u64; 7])]) -> String {
        let names =
            ["backlog", "bytes_total", "current_queue_length", "drops_total", "overlimits_total", "packets_total"];
        let names = names.into_iter().chain(["requeues_total"]).enumerate();
        let line = |name: &str, at: usize, (labels, values): &(&str, [u64; 7])| match values[at] {
            4_294_967_297 => format!("node_qdisc_{name}{{{labels}}} 4.294967297e+09\n"),
            value => format!("node_qdisc_{name}{{{labels}}} {value}\n"),
        };
        names.flat_map(|(at, name)| of.iter().map(move |of| line(name, at, of))).collect()
    }

    const ETH0: (&str, [u64; 7]) = ("device=\"eth0\",kind=\"mq\"", [0, 9, 0, 0, 0, 4_294_967_297, 0]);
    const WLAN0: (&str, [u64; 7]) = ("device=\"wlan0\",kind=\"fq\"", [5, 42, 4, 1, 3, 41, 2]);

    #[test]
    fn only_root_qdiscs_are_exported() {
        given(KERNEL).emits::<Qdisc>(&emitted(&[ETH0, WLAN0]));
        given("== kernel/qdiscs\n").emits::<Qdisc>("");
    }

    #[test]
    fn a_host_without_the_query_has_no_data() {
        given("").fails::<Qdisc>("", "qdisc query: not supported by this host");
    }

    #[test]
    fn devices_are_included_or_excluded_by_name() {
        let (include, exclude) = ("--collector.qdisc.device-include=^eth", "--collector.qdisc.device-exclude=^eth");
        given(KERNEL).flags(&[include]).emits::<Qdisc>(&emitted(&[ETH0]));
        given(KERNEL).flags(&[exclude]).emits::<Qdisc>(&emitted(&[WLAN0]));
        given(KERNEL).flags(&[include, exclude]).is_refused::<Qdisc>(
            "--collector.qdisc.device-include and --collector.qdisc.device-exclude are mutually exclusive",
        );
        given(KERNEL).flags(&["--collector.qdisc.fixtures="]).emits::<Qdisc>(&emitted(&[ETH0, WLAN0]));
        given(KERNEL)
            .flags(&["--collector.qdisc.device-include=("])
            .is_refused::<Qdisc>("--collector.qdisc.device-include: expected a regular expression, found `(`");
    }
}
