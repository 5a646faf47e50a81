//! /sys/class/fc_host: Fibre Channel ports

use super::relative;
use crate::layout::{Content, Group, Table, each};
use crate::machine::FibreChannel;
use crate::text::put_line;

pub(super) const GROUPS: Table = &[
    &Group::<FibreChannel> {
        under: "class/fc_host",
        parts: |machine| each(&machine.storage.fibre_channel),
        path: |port, _| format!("host{}", port.host).into(),
        entries: &[(
            "",
            Content::Link(|p, _, into| relative("class/fc_host", &format!("devices/{}", folder(p)), into)),
        )],
    },
    &Group::<FibreChannel> {
        under: "devices",
        parts: |machine| each(&machine.storage.fibre_channel),
        path: |port, _| folder(port).into(),
        entries: &[
            ("dev_loss_tmo", Content::File(|_, _, into| put_line!(into, "30"))),
            ("fabric_name", Content::File(|p, _, into| put_line!(into, "{:#x}", p.fabric_name))),
            ("node_name", Content::File(|p, _, into| put_line!(into, "{:#x}", p.node_name))),
            ("port_id", Content::File(|p, _, into| put_line!(into, "{:#08x}", p.port_id))),
            ("port_name", Content::File(|p, _, into| put_line!(into, "{:#x}", p.port_name))),
            ("port_state", Content::File(|_, _, into| put_line!(into, "Online"))),
            ("port_type", Content::File(|_, _, into| put_line!(into, "NPort (fabric via point-to-point)"))),
            ("speed", Content::File(|_, _, into| put_line!(into, "16 Gbit"))),
            ("supported_classes", Content::File(|_, _, into| put_line!(into, "Class 3"))),
            ("supported_speeds", Content::File(|_, _, into| put_line!(into, "4 Gbit, 8 Gbit, 16 Gbit"))),
            ("symbolic_name", Content::File(|p, _, into| put_line!(into, "{} FW:v9.08.02 DVR:v10.02.09", p.model))),
        ],
    },
    &Group::<FibreChannel> {
        under: "devices",
        parts: |machine| each(&machine.storage.fibre_channel),
        path: |port, _| folder(port).into(),
        entries: &[
            ("statistics/dumped_frames", Content::File(|_, _, into| put_line!(into, "{:#x}", u64::MAX))),
            ("statistics/error_frames", Content::File(|_, _, into| put_line!(into, "0x0"))),
            ("statistics/fcp_control_requests", Content::File(|_, _, into| put_line!(into, "0x0"))),
            (
                "statistics/fcp_input_megabytes",
                Content::File(|p, m, into| put_line!(into, "{:#x}", m.port_counts(p).received_words >> 18)),
            ),
            (
                "statistics/fcp_input_requests",
                Content::File(|p, m, into| put_line!(into, "{:#x}", m.port_counts(p).inputs)),
            ),
            (
                "statistics/fcp_output_megabytes",
                Content::File(|p, m, into| put_line!(into, "{:#x}", m.port_counts(p).transmitted_words >> 18)),
            ),
            (
                "statistics/fcp_output_requests",
                Content::File(|p, m, into| put_line!(into, "{:#x}", m.port_counts(p).outputs)),
            ),
            ("statistics/fcp_packet_aborts", Content::File(|_, _, into| put_line!(into, "0x0"))),
            ("statistics/invalid_crc_count", Content::File(|_, _, into| put_line!(into, "0x0"))),
            ("statistics/invalid_tx_word_count", Content::File(|p, _, into| put_line!(into, "{:#x}", p.host))),
            ("statistics/link_failure_count", Content::File(|_, _, into| put_line!(into, "0x1"))),
            ("statistics/loss_of_signal_count", Content::File(|_, _, into| put_line!(into, "0x1"))),
            ("statistics/loss_of_sync_count", Content::File(|_, _, into| put_line!(into, "0x1"))),
            ("statistics/nos_count", Content::File(|_, _, into| put_line!(into, "0x0"))),
            (
                "statistics/rx_frames",
                Content::File(|p, m, into| put_line!(into, "{:#x}", m.port_counts(p).received_frames)),
            ),
            (
                "statistics/rx_words",
                Content::File(|p, m, into| put_line!(into, "{:#x}", m.port_counts(p).received_words)),
            ),
            (
                "statistics/seconds_since_last_reset",
                Content::File(|p, m, into| put_line!(into, "{:#x}", m.port_counts(p).seconds)),
            ),
            (
                "statistics/tx_frames",
                Content::File(|p, m, into| put_line!(into, "{:#x}", m.port_counts(p).transmitted_frames)),
            ),
            (
                "statistics/tx_words",
                Content::File(|p, m, into| put_line!(into, "{:#x}", m.port_counts(p).transmitted_words)),
            ),
        ],
    },
];

fn folder(port: &FibreChannel) -> String {
    format!("{0}/host{1}/fc_host/host{1}", port.path, port.host)
}
