//! Devices of /sys/class/net: a directory per device, a file per attribute.

use super::shown::{Numbers, Words};
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
use crate::kit::parse::{AnyBase, FromText};
use crate::kit::prelude::*;
use crate::kit::read::{File, Read};

type Attribute = Read<Netclass, File, 1>;

/// `IFF_UP`.
const FLAG_UP: i64 = 1;

/// Emits every device that is not ignored.
pub(super) fn emit(collector: &mut Netclass, cx: &mut Cx<'_, Netclass>) -> Result<(), Failure> {
    let Netclass { ignored, ignores_invalid_speed, names, words, shown, .. } = collector;
    let is_dumped = cx.files.is_live() && {
        shown.clear();
        cx.kernel.links(&mut |link| shown.push(link)).is_ok()
    };
    let now = cx.kernel.monotonic();
    if is_dumped && shown.is_current(now) {
        shown.each(words, |device, words, numbers| {
            if !ignored.is_match(device) {
                let flags = numbers.flags.or_else(|| number(cx, FLAG_BITS, device));
                emit_device(cx, device, words, &Numbers { flags, ..numbers }, *ignores_invalid_speed);
            }
        });
        return Ok(());
    }
    cx.files.list(CLASS, [], names).map_err(|error| error.or_no_data(attribute::is_hidden))?;
    shown.begin(now);
    let mut agrees = is_dumped;
    for (device, kind) in names.iter_kinds() {
        // Files in the class directory are module settings, such as bonding_masters.
        if kind == Kind::File || !is_present(cx, device) {
            continue;
        }
        let is_ignored = ignored.is_match(device);
        if is_ignored && !agrees {
            continue;
        }
        read_words(cx, device, words);
        let numbers = read_numbers(cx, device);
        agrees = agrees && shown.learn(device, words, &numbers);
        if !is_ignored {
            emit_device(cx, device, words, &numbers, *ignores_invalid_speed);
        }
    }
    shown.end(agrees);
    Ok(())
}

/// Whether the device's directory still exists: it may vanish during a scrape.
fn is_present(cx: &mut Cx<'_, Netclass>, device: &[u8]) -> bool {
    let found = cx.files.metadata(DEVICE, [device]).map_err(|error| error.or_no_data(attribute::is_hidden));
    cx.problems.value(found).is_some()
}

fn read_words(cx: &mut Cx<'_, Netclass>, device: &[u8], words: &mut Words) {
    let Words { address, broadcast, duplex, alias, operstate } = words;
    word(cx, ADDRESS, device, address);
    word(cx, BROADCAST, device, broadcast);
    word(cx, DUPLEX, device, duplex);
    word(cx, IFALIAS, device, alias);
    word(cx, OPERSTATE, device, operstate);
}

fn read_numbers(cx: &mut Cx<'_, Netclass>, device: &[u8]) -> Numbers {
    let mut read = |attribute| number(cx, attribute, device);
    Numbers {
        flags: read(FLAG_BITS),
        addr_assign_type: read(ADDR_ASSIGN_TYPE),
        carrier: read(CARRIER_STATE),
        dev_id: read(DEV_ID),
        dormant: read(DORMANT_STATE),
        ifindex: read(IFINDEX),
        iflink: read(IFLINK),
        link_mode: read(LINK_MODE),
        mtu: read(MTU),
        name_assign_type: read(NAME_ASSIGN),
        netdev_group: read(NETDEV_GROUP),
        tx_queue_len: read(TX_QUEUE_LEN),
        kind: read(TYPE),
        carrier_changes: read(CARRIER_CHANGES),
        carrier_down_count: read(CARRIER_DOWN_COUNT),
        carrier_up_count: read(CARRIER_UP_COUNT),
        speed_megabits: parsed(cx, SPEED_MEGABITS, device).map(|SpeedMegabits(megabits)| megabits),
    }
}

fn emit_device(
    cx: &mut Cx<'_, Netclass>,
    device: &[u8],
    words: &Words,
    numbers: &Numbers,
    ignores_invalid_speed: bool,
) {
    let Words { address, broadcast, duplex, alias, operstate } = words;
    let adminstate = match numbers.flags {
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
    for (family, value) in [
        (FLAGS, numbers.flags),
        (ADDRESS_ASSIGN_TYPE, numbers.addr_assign_type),
        (CARRIER, numbers.carrier),
        (DEVICE_ID, numbers.dev_id),
        (DORMANT, numbers.dormant),
        (IFACE_ID, numbers.ifindex),
        (IFACE_LINK, numbers.iflink),
        (IFACE_LINK_MODE, numbers.link_mode),
        (MTU_BYTES, numbers.mtu),
        (NAME_ASSIGN_TYPE, numbers.name_assign_type),
        (NET_DEV_GROUP, numbers.netdev_group),
        (TRANSMIT_QUEUE_LENGTH, numbers.tx_queue_len),
        (PROTOCOL_TYPE, numbers.kind),
    ] {
        if let Some(value) = value {
            cx.page.gauge(family, PerDevice { device: &device }, value);
        }
    }
    for (family, value) in [
        (CARRIER_CHANGES_TOTAL, numbers.carrier_changes),
        (CARRIER_DOWN_TOTAL, numbers.carrier_down_count),
        (CARRIER_UP_TOTAL, numbers.carrier_up_count),
    ] {
        if let Some(value) = value {
            cx.page.counter(family, PerDevice { device: &device }, value);
        }
    }
    if let Some(megabits) = numbers.speed_megabits.filter(|&megabits| megabits >= 0 || !ignores_invalid_speed) {
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
