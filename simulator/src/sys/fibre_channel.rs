//! /sys/class/fc_host: the ports of adapters of Fibre Channel

use super::relative;
use crate::layout::{Group, What};
use crate::machine::FibreChannel;
use crate::moment::Moment;
use crate::text::put_line;

pub(super) static GROUPS: [Group; 3] = [
    Group {
        under: "class/fc_host",
        each: |moment, visit| each(moment, visit, |port| format!("host{}", port.host)),
        entries: &[(
            "",
            What::Link(|m, i, into| of(m, i, |p| relative("class/fc_host", &format!("devices/{}", folder(p)), into))),
        )],
    },
    Group {
        under: "devices",
        each: |moment, visit| each(moment, visit, folder),
        entries: &[
            ("dev_loss_tmo", What::File(|_, _, into| put_line!(into, "30"))),
            ("fabric_name", What::File(|m, i, into| of(m, i, |p| put_line!(into, "{:#x}", p.fabric_name)))),
            ("node_name", What::File(|m, i, into| of(m, i, |p| put_line!(into, "{:#x}", p.node_name)))),
            ("port_id", What::File(|m, i, into| of(m, i, |p| put_line!(into, "{:#08x}", p.port_id)))),
            ("port_name", What::File(|m, i, into| of(m, i, |p| put_line!(into, "{:#x}", p.port_name)))),
            ("port_state", What::File(|_, _, into| put_line!(into, "Online"))),
            ("port_type", What::File(|_, _, into| put_line!(into, "NPort (fabric via point-to-point)"))),
            ("speed", What::File(|_, _, into| put_line!(into, "16 Gbit"))),
            ("supported_classes", What::File(|_, _, into| put_line!(into, "Class 3"))),
            ("supported_speeds", What::File(|_, _, into| put_line!(into, "4 Gbit, 8 Gbit, 16 Gbit"))),
            (
                "symbolic_name",
                What::File(|m, i, into| of(m, i, |p| put_line!(into, "{} FW:v9.08.02 DVR:v10.02.09", p.model))),
            ),
        ],
    },
    Group {
        under: "devices",
        each: |moment, visit| each(moment, visit, folder),
        entries: &[
            ("statistics/dumped_frames", What::File(|_, _, into| put_line!(into, "{:#x}", u64::MAX))),
            ("statistics/error_frames", What::File(|_, _, into| put_line!(into, "0x0"))),
            ("statistics/fcp_control_requests", What::File(|_, _, into| put_line!(into, "0x0"))),
            (
                "statistics/fcp_input_megabytes",
                What::File(|m, i, into| of(m, i, |p| put_line!(into, "{:#x}", m.port_counts(p).received_words >> 18))),
            ),
            (
                "statistics/fcp_input_requests",
                What::File(|m, i, into| of(m, i, |p| put_line!(into, "{:#x}", m.port_counts(p).inputs))),
            ),
            (
                "statistics/fcp_output_megabytes",
                What::File(|m, i, into| {
                    of(m, i, |p| put_line!(into, "{:#x}", m.port_counts(p).transmitted_words >> 18));
                }),
            ),
            (
                "statistics/fcp_output_requests",
                What::File(|m, i, into| of(m, i, |p| put_line!(into, "{:#x}", m.port_counts(p).outputs))),
            ),
            ("statistics/fcp_packet_aborts", What::File(|_, _, into| put_line!(into, "0x0"))),
            ("statistics/invalid_crc_count", What::File(|_, _, into| put_line!(into, "0x0"))),
            (
                "statistics/invalid_tx_word_count",
                What::File(|m, i, into| of(m, i, |p| put_line!(into, "{:#x}", p.host))),
            ),
            ("statistics/link_failure_count", What::File(|_, _, into| put_line!(into, "0x1"))),
            ("statistics/loss_of_signal_count", What::File(|_, _, into| put_line!(into, "0x1"))),
            ("statistics/loss_of_sync_count", What::File(|_, _, into| put_line!(into, "0x1"))),
            ("statistics/nos_count", What::File(|_, _, into| put_line!(into, "0x0"))),
            (
                "statistics/rx_frames",
                What::File(|m, i, into| of(m, i, |p| put_line!(into, "{:#x}", m.port_counts(p).received_frames))),
            ),
            (
                "statistics/rx_words",
                What::File(|m, i, into| of(m, i, |p| put_line!(into, "{:#x}", m.port_counts(p).received_words))),
            ),
            (
                "statistics/seconds_since_last_reset",
                What::File(|m, i, into| of(m, i, |p| put_line!(into, "{:#x}", m.port_counts(p).seconds))),
            ),
            (
                "statistics/tx_frames",
                What::File(|m, i, into| of(m, i, |p| put_line!(into, "{:#x}", m.port_counts(p).transmitted_frames))),
            ),
            (
                "statistics/tx_words",
                What::File(|m, i, into| of(m, i, |p| put_line!(into, "{:#x}", m.port_counts(p).transmitted_words))),
            ),
        ],
    },
];

fn folder(port: &FibreChannel) -> String {
    format!("{0}/host{1}/fc_host/host{1}", port.path, port.host)
}

fn each(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8]), path: impl Fn(&FibreChannel) -> String) {
    for (index, port) in moment.machine.storage.fibre_channel.iter().enumerate() {
        visit(index, path(port).as_bytes());
    }
}

fn of(moment: &Moment<'_>, index: usize, write: impl FnOnce(&FibreChannel)) {
    if let Some(port) = moment.machine.storage.fibre_channel.get(index) {
        write(port);
    }
}
