//! Devices by netlink, with the few attributes that only sysfs has.

use super::shown::OPERSTATES;
use super::{
    ADDR_ASSIGN_TYPE, ADDRESS_ASSIGN_TYPE, ALTNAMES_INFO, AltnameLabels, CARRIER, CARRIER_CHANGES_TOTAL,
    CARRIER_DOWN_TOTAL, CARRIER_UP_TOTAL, DEV_ID, DEVICE_ID, DORMANT, FLAGS, IFACE_ID, IFACE_LINK, IFACE_LINK_MODE,
    INFO, InfoLabels, LINK_COUNTERS, MTU_BYTES, NAME_ASSIGN, NAME_ASSIGN_TYPE, NET_DEV_GROUP, Netclass, PROTOCOL_TYPE,
    PerDevice, SPEED_BYTES, TRANSMIT_QUEUE_LENGTH, UP, attributes,
};
use crate::host::errno::Errno;
use crate::host::kernel::{KernelError, Link, LinkModes};
use crate::kit::label::HardwareAddress;
use crate::kit::prelude::*;

const OPERSTATE_UP: u8 = 6;

/// The speed exported where ethtool does not know it, as in node_exporter.
const SPEED_UNKNOWN_MEGABITS: u32 = u32::MAX;

/// Emits every device that is not ignored; `false` if the kernel does not support the query.
pub(super) fn emit(collector: &Netclass, cx: &mut Cx<'_, Netclass>) -> Result<bool, Failure> {
    let answer = cx.kernel.links(&mut |link| {
        if !collector.ignored.is_match(link.name) {
            let modes = modes(cx, link.name);
            emit_modes(cx, link, modes);
            emit_numbers(cx, link);
            emit_attributes(cx, link.name);
            if collector.has_statistics {
                emit_statistics(cx, link);
            }
        }
    });
    match answer {
        Ok(()) => {}
        Err(KernelError::Unsupported) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    let answer = cx.kernel.alternative_names(&mut |found| {
        if !found.name.is_empty() && !collector.ignored.is_match(found.device) {
            cx.page.gauge(ALTNAMES_INFO, AltnameLabels { altname: &found.name, device: &found.device }, true);
        }
    });
    match answer {
        Ok(()) | Err(KernelError::Unsupported) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Speed and duplex, if the kernel and the device support the query.
fn modes(cx: &mut Cx<'_, Netclass>, device: &[u8]) -> Option<LinkModes> {
    match cx.kernel.link_modes(device) {
        Ok(modes) => Some(modes),
        Err(KernelError::Unsupported | KernelError::Errno(Errno::EOPNOTSUPP | Errno::ENODEV)) => None,
        Err(error) => {
            cx.problems.report(error);
            None
        }
    }
}

fn emit_modes(cx: &mut Cx<'_, Netclass>, link: &Link<'_>, modes: Option<LinkModes>) {
    let duplex = match modes.map(|modes| modes.duplex) {
        Some(0) => "Half",
        Some(1) => "Full",
        Some(_) => "Unknown",
        None => "",
    };
    if let Some(modes) = modes {
        let megabits = modes.speed_megabits.unwrap_or(SPEED_UNKNOWN_MEGABITS);
        cx.page.gauge(SPEED_BYTES, PerDevice { device: &link.name }, u64::from(megabits) * 1_000_000 / 8);
    }
    let operstate = link.operstate.unwrap_or_default();
    let word = OPERSTATES.get(usize::from(operstate)).unwrap_or(&OPERSTATES[0]);
    let [address, broadcast] = [link.address, link.broadcast].map(|found| HardwareAddress(found.unwrap_or_default()));
    let alias = link.alias.unwrap_or_default();
    let adminstate: Option<&str> = None;
    cx.page.gauge(UP, PerDevice { device: &link.name }, operstate == OPERSTATE_UP);
    cx.page.gauge(
        INFO,
        InfoLabels {
            address: &address,
            adminstate: &adminstate,
            broadcast: &broadcast,
            device: &link.name,
            duplex: &duplex,
            ifalias: &alias,
            operstate: word,
        },
        true,
    );
}

fn emit_numbers(cx: &mut Cx<'_, Netclass>, link: &Link<'_>) {
    let link_mode = link.link_mode.map(u32::from);
    let below = link.link.filter(|&below| below > 0).unwrap_or(link.index);
    for (family, value) in [
        (CARRIER, link.carrier.map(u32::from)),
        // node_exporter exports the link mode under this name, not what sysfs calls dormant.
        (DORMANT, link_mode),
        (FLAGS, Some(link.flags)),
        (IFACE_ID, Some(link.index)),
        (IFACE_LINK, Some(below)),
        (IFACE_LINK_MODE, link_mode),
        (MTU_BYTES, Some(link.mtu.unwrap_or_default())),
        (NET_DEV_GROUP, link.group),
        (PROTOCOL_TYPE, Some(link.protocol_type.into())),
        (TRANSMIT_QUEUE_LENGTH, link.transmit_queue_length),
    ] {
        if let Some(value) = value {
            cx.page.gauge(family, PerDevice { device: &link.name }, value);
        }
    }
    for (family, value) in [
        (CARRIER_CHANGES_TOTAL, link.carrier_changes),
        (CARRIER_DOWN_TOTAL, link.carrier_down_changes),
        (CARRIER_UP_TOTAL, link.carrier_up_changes),
    ] {
        if let Some(value) = value {
            cx.page.counter(family, PerDevice { device: &link.name }, value);
        }
    }
}

fn emit_attributes(cx: &mut Cx<'_, Netclass>, device: &[u8]) {
    for (attribute, family) in
        [(ADDR_ASSIGN_TYPE, ADDRESS_ASSIGN_TYPE), (DEV_ID, DEVICE_ID), (NAME_ASSIGN, NAME_ASSIGN_TYPE)]
    {
        if let Some(value) = attributes::number(cx, attribute, device) {
            cx.page.gauge(family, PerDevice { device: &device }, value);
        }
    }
}

fn emit_statistics(cx: &mut Cx<'_, Netclass>, link: &Link<'_>) {
    let Some(statistics) = link.statistics else { return };
    for (family, value) in LINK_COUNTERS.with(&statistics) {
        cx.page.gauge(family, PerDevice { device: &link.name }, value);
    }
}
