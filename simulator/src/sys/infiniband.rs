//! /sys/class/infiniband and the adapters that it links to

use collectors::host::errno::Errno;

use super::relative;
use crate::layout::{Content, ContentOf, Group, Part, Table, each, each_with};
use crate::machine::{Adapter, FabricLink, KernelVersion};
use crate::moment::Moment;
use crate::moment::devices::Port;
use crate::text::{put, put_line};

pub(super) const GROUPS: Table = &[
    &Group::<Adapter> {
        under: "class/infiniband",
        parts: |machine| each(&machine.adapters),
        path: |adapter, _| adapter.name.as_str().into(),
        entries: &[("", Content::Link(class))],
    },
    &Group::<Adapter> {
        under: "devices",
        parts: |machine| each(&machine.adapters),
        path: |adapter, _| folder(adapter).into(),
        entries: &[
            ("device", Content::Link(|a, _, into| put!(into, "../../../{}", last(&a.device)))),
            ("fw_ver", Content::File(|a, _, into| put_line!(into, "{}", a.firmware))),
            ("node_desc", Content::File(|a, m, into| description(m, a, into))),
            ("node_guid", Content::File(|a, _, into| put_line!(into, "{}", guid(a)))),
            ("node_type", Content::File(|_, _, into| put_line!(into, "1: CA"))),
            ("sys_image_guid", Content::File(|a, _, into| put_line!(into, "{}", guid(a)))),
        ],
    },
    &Group::<Board<'static>> {
        under: "devices",
        parts: |machine| Box::new(machine.adapters.iter().filter_map(Board::of)),
        path: |board, _| folder(board.adapter).into(),
        entries: &[
            ("board_id", Content::File(|board, _, into| put_line!(into, "{}", board.id))),
            (
                "hca_type",
                Content::File(|board, _, into| put_line!(into, "{}", board.adapter.model.unwrap_or_default())),
            ),
            ("hw_rev", Content::File(|_, _, into| put_line!(into, "0"))),
        ],
    },
    &Group::<Adapter> {
        under: "devices",
        parts: |machine| each(&machine.adapters),
        path: |adapter, _| format!("{}/ports/1", folder(adapter)).into(),
        entries: &[
            ("cap_mask", Content::File(|_, _, into| put_line!(into, "0xa751e848"))),
            ("lid", Content::File(|a, _, into| put_line!(into, "{:#x}", a.lid))),
            ("link_layer", Content::File(|a, _, into| put_line!(into, "{}", layer(a)))),
            ("phys_state", Content::File(|a, _, into| put_line!(into, "{}", physical_state(a)))),
            ("rate", Content::File(|a, _, into| put_line!(into, "{}", a.rate))),
            ("sm_lid", Content::File(|a, _, into| put_line!(into, "{:#x}", u32::from(a.lid > 0)))),
            ("sm_sl", Content::File(|_, _, into| put_line!(into, "0"))),
            ("state", Content::File(|a, _, into| put_line!(into, "{}", state(a)))),
        ],
    },
    &Group::<Adapter> {
        under: "devices",
        parts: |machine| each(&machine.adapters),
        path: |adapter, _| format!("{}/ports/1/counters", folder(adapter)).into(),
        entries: &COUNTERS,
    },
    &Group::<Adapter> {
        under: "devices",
        parts: |machine| each_with(&machine.adapters, |_| machine.kernel() >= WIDE_SINCE),
        path: |adapter, _| format!("{}/ports/1/counters", folder(adapter)).into(),
        entries: &WIDE_COUNTERS,
    },
    &Group::<Adapter> {
        under: "devices",
        parts: |machine| each_with(&machine.adapters, |adapter| machine.kernel() < WIDE_SINCE && adapter.has_counters),
        path: |adapter, _| format!("{}/ports/1/counters_ext", folder(adapter)).into(),
        entries: &LEGACY_COUNTERS,
    },
    &Group::<Adapter> {
        under: "devices",
        parts: |machine| each_with(&machine.adapters, |_| machine.kernel() >= WIDE_SINCE),
        path: |adapter, _| format!("{}/ports/1/hw_counters", folder(adapter)).into(),
        entries: &[("lifespan", Content::File(|_, _, into| put_line!(into, "10")))],
    },
    &Group::<Adapter> {
        under: "devices",
        parts: |machine| {
            each_with(&machine.adapters, |adapter| machine.kernel() >= WIDE_SINCE && adapter.board.is_some())
        },
        path: |adapter, _| format!("{}/ports/1/hw_counters", folder(adapter)).into(),
        entries: &HARDWARE_COUNTERS,
    },
];

/// The version that added counters of 64 bits to `counters`, and `hw_counters`.
const WIDE_SINCE: KernelVersion = KernelVersion::new(4, 5);

macro_rules! counters {
    ($($name:literal: $count:expr,)*) => {
        [$(($name, Content::Fallible(|adapter, moment, into| counter(adapter, moment, $name, $count, into)))),*]
    };
}

/// Errors, with a rate in millionths per second that is higher on some ports.
fn errors(moment: &Moment<'_>, adapter: &Adapter, micro: u64) -> u64 {
    let worse = 1 + 9 * (moment.machine.seed.of("port").of(&adapter.name).below(5) / 4);
    moment.counter(&adapter.traffic.wave, micro * worse) / 1_000
}

static COUNTERS: [(&str, ContentOf<Adapter>); 17] = counters! {
    "VL15_dropped": |_, _, _| 0,
    "excessive_buffer_overrun_errors": |_, _, _| 0,
    "link_downed": |m, a, _| errors(m, a, 2).min(BYTE),
    "link_error_recovery": |m, a, _| errors(m, a, 3).min(BYTE),
    "local_link_integrity_errors": |_, _, _| 0,
    "port_rcv_constraint_errors": |_, _, _| 0,
    "port_rcv_data": |m, _, p| narrow(m, p.received_words),
    "port_rcv_errors": |m, a, _| errors(m, a, 11).min(SHORT),
    "port_rcv_packets": |m, _, p| narrow(m, p.received_unicast + p.received_multicast),
    "port_rcv_remote_physical_errors": |_, _, _| 0,
    "port_rcv_switch_relay_errors": |_, _, _| 0,
    "port_xmit_constraint_errors": |_, _, _| 0,
    "port_xmit_data": |m, _, p| narrow(m, p.sent_words),
    "port_xmit_discards": |m, a, _| errors(m, a, 40).min(SHORT),
    "port_xmit_packets": |m, _, p| narrow(m, p.sent_unicast + p.sent_multicast),
    "port_xmit_wait": |_, _, p| p.waits.min(WORD),
    "symbol_error": |m, a, _| errors(m, a, 19).min(SHORT),
};

static WIDE_COUNTERS: [(&str, ContentOf<Adapter>); 4] = counters! {
    "multicast_rcv_packets": |_, _, p| p.received_multicast,
    "multicast_xmit_packets": |_, _, p| p.sent_multicast,
    "unicast_rcv_packets": |_, _, p| p.received_unicast,
    "unicast_xmit_packets": |_, _, p| p.sent_unicast,
};

static LEGACY_COUNTERS: [(&str, ContentOf<Adapter>); 8] = counters! {
    "port_multicast_rcv_packets": |_, _, p| p.received_multicast,
    "port_multicast_xmit_packets": |_, _, p| p.sent_multicast,
    "port_rcv_data_64": |_, _, p| p.received_words,
    "port_rcv_packets_64": |_, _, p| p.received_unicast + p.received_multicast,
    "port_unicast_rcv_packets": |_, _, p| p.received_unicast,
    "port_unicast_xmit_packets": |_, _, p| p.sent_unicast,
    "port_xmit_data_64": |_, _, p| p.sent_words,
    "port_xmit_packets_64": |_, _, p| p.sent_unicast + p.sent_multicast,
};

static HARDWARE_COUNTERS: [(&str, ContentOf<Adapter>); 23] = counters! {
    "duplicate_request": |m, a, _| errors(m, a, 900),
    "implied_nak_seq_err": |_, _, _| 0,
    "local_ack_timeout_err": |m, a, _| errors(m, a, 700),
    "np_cnp_sent": |_, _, _| 0,
    "np_ecn_marked_roce_packets": |_, _, _| 0,
    "out_of_buffer": |m, a, _| errors(m, a, 2_100),
    "out_of_sequence": |m, a, _| errors(m, a, 400),
    "packet_seq_err": |m, a, _| errors(m, a, 390),
    "req_cqe_error": |m, a, _| errors(m, a, 120),
    "req_cqe_flush_error": |m, a, _| errors(m, a, 110),
    "req_remote_access_errors": |_, _, _| 0,
    "req_remote_invalid_request": |_, _, _| 0,
    "resp_cqe_error": |m, a, _| errors(m, a, 2_600),
    "resp_cqe_flush_error": |m, a, _| errors(m, a, 2_500),
    "resp_local_length_error": |_, _, _| 0,
    "resp_remote_access_errors": |_, _, _| 0,
    "rnr_nak_retry_err": |m, a, _| errors(m, a, 30),
    "rp_cnp_handled": |_, _, _| 0,
    "rp_cnp_ignored": |_, _, _| 0,
    "rx_atomic_requests": |_, _, p| p.received_unicast / 900,
    "rx_icrc_encapsulated": |_, _, _| 0,
    "rx_read_requests": |_, _, p| p.received_unicast / 31,
    "rx_write_requests": |_, _, p| p.received_unicast / 17,
};

/// Maxima of the standard counters, which saturate.
const BYTE: u64 = 0xff;
const SHORT: u64 = 0xffff;
const WORD: u64 = 0xffff_ffff;

/// A counter that has 32 bits on older kernels.
fn narrow(moment: &Moment<'_>, count: u64) -> u64 {
    if moment.kernel() < WIDE_SINCE { count.min(WORD) } else { count }
}

fn counter(
    adapter: &Adapter,
    moment: &Moment<'_>,
    name: &str,
    count: fn(&Moment<'_>, &Adapter, Port) -> u64,
    into: &mut Vec<u8>,
) -> Result<(), Errno> {
    if adapter.refused.contains(&name) {
        return Err(Errno::EINVAL);
    }
    if adapter.has_counters {
        put_line!(into, "{}", count(moment, adapter, moment.fabric_port(adapter)));
    } else {
        put_line!(into, "N/A (no PMA)");
    }
    Ok(())
}

/// An adapter whose driver names its board.
#[derive(Clone, Copy)]
struct Board<'a> {
    adapter: &'a Adapter,
    id: &'static str,
}

impl Part for Board<'static> {
    type Of<'a> = Board<'a>;
}

impl<'a> Board<'a> {
    fn of(adapter: &'a Adapter) -> Option<Self> {
        Some(Self { adapter, id: adapter.board? })
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn folder(adapter: &Adapter) -> String {
    format!("{}/infiniband/{}", adapter.device, adapter.name)
}

fn class(adapter: &Adapter, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative("class/infiniband", &format!("devices/{}", folder(adapter)), into);
}

/// The GUID as four groups of four digits.
fn guid(adapter: &Adapter) -> String {
    let part = |shift: u32| adapter.guid >> shift & 0xffff;
    format!("{:04x}:{:04x}:{:04x}:{:04x}", part(48), part(32), part(16), part(0))
}

fn description(moment: &Moment<'_>, adapter: &Adapter, into: &mut Vec<u8>) {
    put_line!(into, "{} {}", moment.machine.system.hostname, adapter.name);
}

fn layer(adapter: &Adapter) -> &'static str {
    match adapter.link {
        FabricLink::InfiniBand => "InfiniBand",
        FabricLink::Ethernet => "Ethernet",
    }
}

fn state(adapter: &Adapter) -> &'static str {
    if adapter.is_up { "4: ACTIVE" } else { "1: DOWN" }
}

fn physical_state(adapter: &Adapter) -> &'static str {
    match (adapter.is_up, adapter.link) {
        (true, _) => "5: LinkUp",
        (false, FabricLink::InfiniBand) => "2: Polling",
        (false, FabricLink::Ethernet) => "3: Disabled",
    }
}
