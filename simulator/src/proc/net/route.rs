//! /proc/net/route, if_inet6 and vlan/config: routes, IPv6 addresses and VLANs

use std::net::{IpAddr, Ipv4Addr};

use collectors::host::kernel::IpNetwork;

use super::{folder, of_process};
use crate::layout::{Content, Group, Table, each_with};
use crate::machine::{Kind, Machine};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(in crate::proc) const GROUPS: Table = &[
    &of_process(&[("route", Content::File(routes)), ("if_inet6", Content::File(addresses))]),
    &Group::<Machine> {
        under: "",
        parts: |machine| each_with([machine], |machine| machine.interfaces.iter().any(|link| link.kind.is_vlan())),
        path: |_, machine| format!("{}/vlan", folder(machine)).into(),
        entries: &[("config", Content::File(virtual_networks))],
    },
];

/// `RTF_UP` and `RTF_GATEWAY`.
const UP: u16 = 1;
const GATEWAY: u16 = 2;
/// The width to which rows are padded.
const ROW_WIDTH: usize = 127;

fn routes(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(
        into,
        "{:<ROW_WIDTH$}",
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
    );
    for route in moment.routes() {
        let (destination, prefix) = match route.destination {
            Some(IpNetwork { address: IpAddr::V4(address), prefix_length }) => (address, prefix_length),
            None => (Ipv4Addr::UNSPECIFIED, 0),
            Some(IpNetwork { address: IpAddr::V6(_), .. }) => continue,
        };
        let gateway = match route.gateway {
            Some(IpAddr::V4(gateway)) => gateway,
            _ => Ipv4Addr::UNSPECIFIED,
        };
        let mask = Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or_default());
        let flags = UP | if gateway.is_unspecified() { 0 } else { GATEWAY };
        let [destination, gateway, mask] =
            [destination, gateway, mask].map(|address| moment.machine.system.architecture.word(address.octets()));
        let metric = route.priority;
        let row = format!(
            "{}\t{destination:08X}\t{gateway:08X}\t{flags:04X}\t0\t0\t{metric}\t{mask:08X}\t0\t0\t0",
            route.link.name
        );
        put_line!(into, "{row:<ROW_WIDTH$}");
    }
}

fn addresses(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    /// Permanent.
    const FLAGS: u8 = 0x80;
    for link in &moment.machine.interfaces {
        for (address, prefix) in &link.addresses {
            let IpAddr::V6(address) = address else { continue };
            let scope = match address {
                address if address.is_loopback() => 0x10,
                address if address.is_unicast_link_local() => 0x20,
                _ => 0,
            };
            for byte in address.octets() {
                put!(into, "{byte:02x}");
            }
            put_line!(into, " {:02x} {prefix:02x} {scope:02x} {FLAGS:02x} {:>8}", link.index, link.name);
        }
    }
}

fn virtual_networks(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "VLAN Dev name\t | VLAN ID\nName-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD");
    for link in &moment.machine.interfaces {
        if let Kind::Vlan { lower, number, .. } = link.kind {
            let lower = moment.machine.interfaces.get(lower).map_or("", |lower| &lower.name);
            put_line!(into, "{:<15}| {number}  | {lower}", link.name);
        }
    }
}
