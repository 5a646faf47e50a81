//! The info sample of a PCI device: addresses, IDs and names.

use super::device::{Hex, Identity, Location};
use super::ids::{Id, Ids};
use super::{ATTRIBUTE, INFO, InfoLabels, Pcidevice, bad_location};
use crate::kit::attribute;
use crate::kit::label::Label;
use crate::kit::prelude::*;

/// Emits the identity and parent of a device: IDs and, with `ids`, names.
pub(super) fn emit(cx: &mut Cx<'_, Pcidevice>, entry: &[u8], at: Location, parent: &[u8], ids: Option<&Ids>) {
    let above = Location::parse(parent);
    // The root of a bus is not a device: `pci0000:00`.
    if above.is_none() && !parent.starts_with(b"pci") {
        cx.problems.report(bad_location(entry, parent));
        return;
    }
    let mut number = |name: &[u8]| attribute::number(cx, ATTRIBUTE, [entry, name], attribute::never);
    let identity = [
        number(b"class"),
        number(b"vendor"),
        number(b"device"),
        number(b"subsystem_vendor"),
        number(b"subsystem_device"),
        number(b"revision"),
    ];
    // A sample with a label missing would be a different series.
    let [Some(class), Some(vendor), Some(device), Some(by), Some(other), Some(revision)] = identity else { return };
    let [Identity(class), Identity(vendor), Identity(device), Identity(by), Identity(other), Identity(revision)] =
        [class, vendor, device, by, other, revision];
    let short = |number: u32| u16::try_from(number).ok();
    let named =
        |number: u32, id: Option<Id>| ids.map(|ids| Name(id.and_then(|id| ids.name(id)), Hex::plain(number, 4)));
    let device_id = short(vendor).zip(short(device));
    let other_id = device_id.zip(short(by).zip(short(other)));
    let [parent_segment, parent_bus, parent_device, parent_function] =
        above.map_or([None; 4], |above| above.labels().map(Some)).map(OrStar);
    let [segment, bus, slot, function] = at.labels();
    let labels = InfoLabels {
        bus: &bus,
        class_id: &Hex::prefixed(class, 6),
        class_name: &ids.map(|ids| ClassName(ids, class)),
        device: &slot,
        device_id: &Hex::prefixed(device, 4),
        device_name: &named(device, device_id.map(|(vendor, device)| Id::Device([vendor, device]))),
        function: &function,
        parent_bus: &parent_bus,
        parent_device: &parent_device,
        parent_function: &parent_function,
        parent_segment: &parent_segment,
        revision: &Hex::prefixed(revision, 2),
        segment: &segment,
        subsystem_device_id: &Hex::prefixed(other, 4),
        subsystem_device_name: &named(
            other,
            other_id.map(|((vendor, device), (by, other))| Id::Subsystem([vendor, device, by, other])),
        ),
        subsystem_vendor_id: &Hex::prefixed(by, 4),
        subsystem_vendor_name: &named(by, short(by).map(Id::Vendor)),
        vendor_id: &Hex::prefixed(vendor, 4),
        vendor_name: &named(vendor, short(vendor).map(Id::Vendor)),
    };
    cx.page.gauge(INFO, labels, true);
}

/// A label value: the name, or the number without one.
struct Name<'a>(Option<&'a [u8]>, Hex);

impl Label for Name<'_> {
    fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Self(Some(name), _) => name.write_to(out),
            Self(None, number) => number.write_to(out),
        }
    }
}

/// A label value: a part of an address, or `*` without one.
#[derive(Clone, Copy)]
struct OrStar(Option<Hex>);

impl Label for OrStar {
    fn write_to(&self, out: &mut Vec<u8>) {
        match self.0 {
            Some(part) => part.write_to(out),
            None => out.push(b'*'),
        }
    }
}

/// A label value: the most specific name of a class.
struct ClassName<'a>(&'a Ids, u32);

impl Label for ClassName<'_> {
    fn write_to(&self, out: &mut Vec<u8>) {
        let Self(ids, number) = *self;
        let [_, class, subclass, interface] = number.to_be_bytes();
        let near = [Id::Interface([class, subclass, interface]), Id::Subclass([class, subclass]), Id::Class(class)];
        if let Some(name) = near.into_iter().find_map(|id| ids.name(id)) {
            return name.write_to(out);
        }
        out.extend_from_slice(b"Unknown class (");
        Hex::plain(number, 6).write_to(out);
        out.push(b')');
    }
}
