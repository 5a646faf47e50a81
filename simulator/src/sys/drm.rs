//! /sys/class/drm and the graphics cards that it links to

use super::relative;
use crate::layout::{Content, Group, Part, Table, each, each_with};
use crate::machine::{AmdCard, GraphicsCard, Machine};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(super) const GROUPS: Table = &[
    &Group::<GraphicsCard> {
        under: "class/drm",
        parts: |machine| each(&machine.graphics_cards),
        path: |card, _| format!("card{}", card.number).into(),
        entries: &[("", Content::Link(class))],
    },
    &Group::<Machine> {
        under: "class/drm",
        parts: |machine| each_with([machine], |machine| !machine.graphics_cards.is_empty()),
        path: |_, _| "".into(),
        entries: &[("version", Content::File(|_, _, into| put_line!(into, "drm 1.1.0 20060810")))],
    },
    &Group::<GraphicsCard> {
        under: "devices",
        parts: |machine| each(&machine.graphics_cards),
        path: |card, _| folder(card).into(),
        entries: &[
            ("dev", Content::File(|card, _, into| put_line!(into, "226:{}", card.number))),
            ("device", Content::Link(|card, _, into| device(card, into))),
        ],
    },
    // On PCI, the bus provides this file.
    &Group::<GraphicsCard> {
        under: "devices",
        parts: |machine| each_with(&machine.graphics_cards, |card| !card.device.starts_with("pci")),
        path: |card, _| card.device.as_str().into(),
        entries: &[("uevent", Content::File(|card, _, into| put_line!(into, "DRIVER={}", card.driver)))],
    },
    &Group::<AmdDevice<'static>> {
        under: "devices",
        parts: |machine| Box::new(machine.graphics_cards.iter().filter_map(AmdDevice::of)),
        path: |of, _| of.device.into(),
        entries: &[
            ("gpu_busy_percent", Content::File(|of, m, into| put_line!(into, "{}", m.card_busy(of.card)))),
            ("mem_info_gtt_total", Content::File(|of, _, into| put_line!(into, "{}", of.card.lent_bytes))),
            ("mem_info_gtt_used", Content::File(|of, m, into| put_line!(into, "{}", m.card_memory(of.card, 1).1))),
            ("mem_info_vis_vram_total", Content::File(|of, _, into| put_line!(into, "{}", of.card.memory_bytes))),
            ("mem_info_vis_vram_used", Content::File(|of, m, into| put_line!(into, "{}", m.card_memory(of.card, 1).0))),
            ("mem_info_vram_total", Content::File(|of, _, into| put_line!(into, "{}", of.card.memory_bytes))),
            ("mem_info_vram_used", Content::File(|of, m, into| put_line!(into, "{}", m.card_memory(of.card, 1).0))),
            ("mem_info_vram_vendor", Content::File(|of, _, into| put_line!(into, "{}", of.card.memory_vendor))),
            ("power_dpm_force_performance_level", Content::File(|_, _, into| put_line!(into, "auto"))),
            ("unique_id", Content::File(|of, _, into| put_line!(into, "{}", of.card.unique_id))),
        ],
    },
];

fn folder(card: &GraphicsCard) -> String {
    format!("{}/drm/card{}", card.device, card.number)
}

fn class(card: &GraphicsCard, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative("class/drm", &format!("devices/{}", folder(card)), into);
}

/// The device of a card with the driver amdgpu.
#[derive(Clone, Copy)]
struct AmdDevice<'a> {
    device: &'a str,
    card: &'a AmdCard,
}

impl Part for AmdDevice<'static> {
    type Of<'a> = AmdDevice<'a>;
}

impl<'a> AmdDevice<'a> {
    fn of(card: &'a GraphicsCard) -> Option<Self> {
        Some(Self { device: &card.device, card: card.amd.as_ref()? })
    }
}

/// The device is three folders above, past `drm/cardN`.
fn device(card: &GraphicsCard, into: &mut Vec<u8>) {
    put!(into, "../../../{}", card.device.rsplit('/').next().unwrap_or_default());
}
