//! What graphics cards, ports of fabrics, the load balancer and control groups count.

use super::Moment;
use crate::machine::{Adapter, AmdCard, Balancer, ControlGroup, GroupLoad};
use crate::wave::MEAN;

/// Of the mean, in percent: what a card does at the mean load.
const CARD_BUSY_PERCENT: u64 = 58;

/// What the balancer passed on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Balanced {
    pub(crate) connections: u64,
    pub(crate) received_packets: u64,
    pub(crate) sent_packets: u64,
    pub(crate) received_bytes: u64,
    pub(crate) sent_bytes: u64,
}

/// What went through a port of a fabric.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Port {
    /// Words of four bytes.
    pub(crate) received_words: u64,
    pub(crate) sent_words: u64,
    pub(crate) received_multicast: u64,
    pub(crate) sent_multicast: u64,
    pub(crate) received_unicast: u64,
    pub(crate) sent_unicast: u64,
    pub(crate) waits: u64,
}

impl Moment<'_> {
    /// In percent.
    pub(crate) fn card_busy(&self, card: &AmdCard) -> u64 {
        (self.recent(&card.wave, 1) * CARD_BUSY_PERCENT / MEAN).min(100)
    }

    /// How much of its own memory and of the host's a card has in use.
    pub(crate) fn card_memory(&self, card: &AmdCard, least_percent: u64) -> (u64, u64) {
        let percent = (self.recent(&card.wave, 600) * CARD_BUSY_PERCENT / MEAN).clamp(least_percent, 97);
        (card.memory_bytes / 100 * percent, card.lent_bytes / 4_000 * percent)
    }

    pub(crate) fn fabric_port(&self, adapter: &Adapter) -> Port {
        let traffic = &adapter.traffic;
        let count = |milli| if adapter.is_up { self.counter(&traffic.wave, milli) } else { 0 };
        Port {
            received_words: count(traffic.received_bytes_milli / 4),
            sent_words: count(traffic.transmitted_bytes_milli / 4),
            received_multicast: count(traffic.multicast_milli),
            sent_multicast: count(traffic.multicast_milli / 12),
            received_unicast: count(traffic.received_packets_milli),
            sent_unicast: count(traffic.transmitted_packets_milli),
            waits: count(traffic.transmitted_packets_milli / 19),
        }
    }

    pub(crate) fn balanced(&self, balancer: &Balancer) -> Balanced {
        let count = |each: u64| self.counter(&balancer.wave, balancer.connections_milli.saturating_mul(each));
        Balanced {
            connections: count(1),
            received_packets: count(14),
            sent_packets: count(11),
            received_bytes: count(2_100),
            sent_bytes: count(38_400),
        }
    }

    /// Connections of one server of the balancer: those that are active, and those that were not long ago.
    pub(crate) fn balanced_server(&self, balancer: &Balancer, service: usize, server: usize) -> (u64, u64) {
        let seed = self.machine.seed.of("server").at(service as u64).at(server as u64);
        let now = seed.at(self.now().as_secs() / 5).below(4);
        let recent = self.recent(&balancer.wave, 30) * seed.of("share").below(40) / MEAN;
        (recent + now, recent / 3 + now / 2)
    }

    /// Microseconds of all CPUs that a control group took.
    pub(crate) fn group_cpu_micros(&self, group: &ControlGroup, load: &GroupLoad) -> u64 {
        self.since(group.born_micros).nanoseconds(&load.wave, load.cpu_permille) / 1_000
    }

    /// Bytes of memory of a control group.
    pub(crate) fn group_memory_bytes(&self, load: &GroupLoad) -> u64 {
        let page = self.page_kilobytes() * 1_024;
        (load.memory_bytes + load.memory_bytes * self.recent(&load.wave, 300) / (4 * MEAN)) / page * page
    }
}
