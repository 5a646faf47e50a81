//! The sample of what a device is: places, numbers and names.

use super::device::{Hex, Identity, Location};
use super::ids::{Id, Ids};
use super::{ATTRIBUTE, INFO, Pcidevice, misplaced};
use crate::kit::attribute;
use crate::kit::label::Label;
use crate::kit::prelude::*;

/// Emits what a device is and below which one it sits, by number and, where there are `ids`, by name.
pub(super) fn emit(cx: &mut Cx<'_, Pcidevice>, entry: &[u8], at: Location, parent: &[u8], ids: Option<&Ids>) {
    let above = Location::parse(parent);
    // What the bus itself hangs on is no device of it: `pci0000:00`.
    if above.is_none() && !parent.starts_with(b"pci") {
        cx.problems.report(misplaced(entry, parent));
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
    // Without one of its labels it would be another series.
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
    cx.page.gauge(
        INFO,
        [
            &bus,
            &Hex::prefixed(class, 6),
            &ids.map(|ids| ClassName(ids, class)),
            &slot,
            &Hex::prefixed(device, 4),
            &named(device, device_id.map(|(vendor, device)| Id::Device([vendor, device]))),
            &function,
            &parent_bus,
            &parent_device,
            &parent_function,
            &parent_segment,
            &Hex::prefixed(revision, 2),
            &segment,
            &Hex::prefixed(other, 4),
            &named(other, other_id.map(|((vendor, device), (by, other))| Id::Subsystem([vendor, device, by, other]))),
            &Hex::prefixed(by, 4),
            &named(by, short(by).map(Id::Vendor)),
            &Hex::prefixed(vendor, 4),
            &named(vendor, short(vendor).map(Id::Vendor)),
        ],
        true,
    );
}

/// A name, or the number of what has none.
struct Name<'a>(Option<&'a [u8]>, Hex);

impl Label for Name<'_> {
    fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Self(Some(name), _) => name.write_to(out),
            Self(None, number) => number.write_to(out),
        }
    }
}

/// A part of a place, or `*` where there is none.
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

/// The name of a class: as near as there is one.
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
