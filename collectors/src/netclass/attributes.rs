//! Devices of /sys/class/net: a directory per device, a file per attribute.

use super::{
    ADDR_ASSIGN_TYPE, ADDRESS, ADDRESS_ASSIGN_TYPE, BROADCAST, CARRIER, CARRIER_CHANGES, CARRIER_CHANGES_TOTAL,
    CARRIER_DOWN_COUNT, CARRIER_DOWN_TOTAL, CARRIER_STATE, CARRIER_UP_COUNT, CARRIER_UP_TOTAL, CLASS, DEV_ID, DEVICE,
    DEVICE_ID, DORMANT, DORMANT_STATE, DUPLEX, FLAG_BITS, FLAGS, IFACE_ID, IFACE_LINK, IFACE_LINK_MODE, IFALIAS,
    IFINDEX, IFLINK, INFO, InfoLabels, LINK_MODE, MTU, MTU_BYTES, NAME_ASSIGN, NAME_ASSIGN_TYPE, NET_DEV_GROUP,
    NETDEV_GROUP, Netclass, OPERSTATE, PROTOCOL_TYPE, PerDevice, SPEED_BYTES, SPEED_MEGABITS, TRANSMIT_QUEUE_LENGTH,
    TX_QUEUE_LEN, TYPE, UP,
};
use crate::host::root::Kind;
use crate::kit::attribute;
use crate::kit::family::{Counter, Family, Gauge};
use crate::kit::parse::{AnyBase, FromText};
use crate::kit::prelude::*;
use crate::kit::read::{File, Read};

type Attribute = Read<Netclass, File, 1>;

/// The numeric attributes exported as gauges.
const GAUGES: [(Attribute, Family<Netclass, Gauge, PerDevice<'static>>); 12] = [
    (ADDR_ASSIGN_TYPE, ADDRESS_ASSIGN_TYPE),
    (CARRIER_STATE, CARRIER),
    (DEV_ID, DEVICE_ID),
    (DORMANT_STATE, DORMANT),
    (IFINDEX, IFACE_ID),
    (IFLINK, IFACE_LINK),
    (LINK_MODE, IFACE_LINK_MODE),
    (MTU, MTU_BYTES),
    (NAME_ASSIGN, NAME_ASSIGN_TYPE),
    (NETDEV_GROUP, NET_DEV_GROUP),
    (TX_QUEUE_LEN, TRANSMIT_QUEUE_LENGTH),
    (TYPE, PROTOCOL_TYPE),
];
/// The numeric attributes exported as counters.
const COUNTERS: [(Attribute, Family<Netclass, Counter, PerDevice<'static>>); 3] = [
    (CARRIER_CHANGES, CARRIER_CHANGES_TOTAL),
    (CARRIER_DOWN_COUNT, CARRIER_DOWN_TOTAL),
    (CARRIER_UP_COUNT, CARRIER_UP_TOTAL),
];

/// `IFF_UP`.
const FLAG_UP: i64 = 1;

/// The text attributes of a device.
#[derive(Default, Debug)]
pub(super) struct TextAttributes {
    address: Vec<u8>,
    broadcast: Vec<u8>,
    duplex: Vec<u8>,
    alias: Vec<u8>,
    operstate: Vec<u8>,
}

/// Emits every device that is not ignored.
pub(super) fn emit(collector: &mut Netclass, cx: &mut Cx<'_, Netclass>) -> Result<(), Failure> {
    let Netclass { ignored, ignores_invalid_speed, names, words, .. } = collector;
    cx.files.list(CLASS, [], names).map_err(|error| error.or_no_data(attribute::is_hidden))?;
    for (device, kind) in names.iter_kinds() {
        // Files in the class directory are module settings, such as bonding_masters.
        if kind != Kind::File && !ignored.is_match(device) && is_present(cx, device) {
            emit_words(cx, device, words);
            emit_numbers(cx, device);
            emit_speed(cx, device, *ignores_invalid_speed);
        }
    }
    Ok(())
}

/// Whether the device's directory still exists: it may vanish during a scrape.
fn is_present(cx: &mut Cx<'_, Netclass>, device: &[u8]) -> bool {
    let found = cx.files.metadata(DEVICE, [device]).map_err(|error| error.or_no_data(attribute::is_hidden));
    cx.problems.value(found).is_some()
}

fn emit_words(cx: &mut Cx<'_, Netclass>, device: &[u8], words: &mut TextAttributes) {
    let TextAttributes { address, broadcast, duplex, alias, operstate } = words;
    word(cx, ADDRESS, device, address);
    word(cx, BROADCAST, device, broadcast);
    word(cx, DUPLEX, device, duplex);
    word(cx, IFALIAS, device, alias);
    word(cx, OPERSTATE, device, operstate);
    let flags = number(cx, FLAG_BITS, device);
    let adminstate = match flags {
        Some(flags) if flags & FLAG_UP != 0 => "up",
        Some(_) => "down",
        None => "unknown",
    };
    cx.page.gauge(UP, PerDevice { device: &device }, operstate.as_slice() == b"up");
    cx.page.gauge(
        INFO,
        InfoLabels { address, adminstate: &adminstate, broadcast, device: &device, duplex, ifalias: alias, operstate },
        true,
    );
    if let Some(flags) = flags {
        cx.page.gauge(FLAGS, PerDevice { device: &device }, flags);
    }
}

fn emit_numbers(cx: &mut Cx<'_, Netclass>, device: &[u8]) {
    for (attribute, family) in GAUGES {
        if let Some(value) = number(cx, attribute, device) {
            cx.page.gauge(family, PerDevice { device: &device }, value);
        }
    }
    for (attribute, family) in COUNTERS {
        if let Some(value) = number(cx, attribute, device) {
            cx.page.counter(family, PerDevice { device: &device }, value);
        }
    }
}

fn emit_speed(cx: &mut Cx<'_, Netclass>, device: &[u8], ignores_invalid: bool) {
    let Some(SpeedMegabits(megabits)) = parsed(cx, SPEED_MEGABITS, device) else { return };
    if megabits >= 0 || !ignores_invalid {
        cx.page.gauge(SPEED_BYTES, PerDevice { device: &device }, megabits * BITS_IN_A_MEGABIT / 8);
    }
}

const BITS_IN_A_MEGABIT: i64 = 1_000_000;

/// A link speed that fits into 64 bits when expressed in bits.
struct SpeedMegabits(i64);

impl FromText for SpeedMegabits {
    const EXPECTED: &'static str = "a speed below 2^63 bits per second, in megabits";

    fn from_text(text: &[u8]) -> Option<Self> {
        let AnyBase(megabits) = AnyBase::from_text(text)?;
        megabits.checked_mul(BITS_IN_A_MEGABIT).map(|_| Self(megabits))
    }
}

/// Reads a text attribute; one that the device does not have is empty.
fn word(cx: &mut Cx<'_, Netclass>, attribute: Attribute, device: &[u8], into: &mut Vec<u8>) {
    into.clear();
    match cx.files.read(attribute, [device]) {
        Ok(text) => into.extend_from_slice(attribute::value(&text)),
        Err(error) if attribute::is_unavailable(error.error) => {}
        Err(error) => cx.problems.report(error),
    }
}

/// Reads a numeric attribute; `None` if the device does not have it.
pub(super) fn number(cx: &mut Cx<'_, Netclass>, attribute: Attribute, device: &[u8]) -> Option<i64> {
    parsed(cx, attribute, device).map(|AnyBase(value)| value)
}

fn parsed<T: FromText>(cx: &mut Cx<'_, Netclass>, attribute: Attribute, device: &[u8]) -> Option<T> {
    match cx.files.read(attribute, [device]) {
        Ok(text) => {
            let found = attribute::value(&text);
            let value = T::from_text(found);
            if value.is_none() {
                // Like node_exporter, which ignores such an attribute without a failure.
                cx.problems.note(text.error("value", T::EXPECTED, found));
            }
            value
        }
        Err(error) if attribute::is_unavailable(error.error) => None,
        Err(error) => {
            cx.problems.report(error);
            None
        }
    }
}
