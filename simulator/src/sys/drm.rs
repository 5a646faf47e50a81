//! /sys/class/drm and the graphics cards that it leads to

use super::relative;
use crate::layout::{Group, What, once};
use crate::machine::{AmdCard, GraphicsCard};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(super) static GROUPS: [Group; 5] = [
    Group { under: "class/drm", each: each_name, entries: &[("", What::Link(class))] },
    Group {
        under: "class/drm",
        each: if_any,
        entries: &[("version", What::File(|_, _, into| put_line!(into, "drm 1.1.0 20060810")))],
    },
    Group {
        under: "devices",
        each: each_card,
        entries: &[
            ("dev", What::File(|m, i, into| card(m, i, |card| put_line!(into, "226:{}", card.number)))),
            ("device", What::Link(|m, i, into| card(m, i, |card| device(card, into)))),
        ],
    },
    // What is on the bus has this file of the bus.
    Group {
        under: "devices",
        each: |m, visit| each_device(m, visit, |card| !card.device.starts_with("pci")),
        entries: &[("uevent", What::File(|m, i, into| card(m, i, |card| put_line!(into, "DRIVER={}", card.driver))))],
    },
    Group {
        under: "devices",
        each: |m, visit| each_device(m, visit, |card| card.amd.is_some()),
        entries: &[
            ("gpu_busy_percent", What::File(|m, i, into| amd(m, i, |card| put_line!(into, "{}", m.card_busy(card))))),
            ("mem_info_gtt_total", What::File(|m, i, into| amd(m, i, |card| put_line!(into, "{}", card.lent_bytes)))),
            ("mem_info_gtt_used", What::File(|m, i, into| amd(m, i, |c| put_line!(into, "{}", m.card_memory(c, 1).1)))),
            (
                "mem_info_vis_vram_total",
                What::File(|m, i, into| amd(m, i, |card| put_line!(into, "{}", card.memory_bytes))),
            ),
            (
                "mem_info_vis_vram_used",
                What::File(|m, i, into| amd(m, i, |card| put_line!(into, "{}", m.card_memory(card, 1).0))),
            ),
            (
                "mem_info_vram_total",
                What::File(|m, i, into| amd(m, i, |card| put_line!(into, "{}", card.memory_bytes))),
            ),
            (
                "mem_info_vram_used",
                What::File(|m, i, into| amd(m, i, |card| put_line!(into, "{}", m.card_memory(card, 1).0))),
            ),
            (
                "mem_info_vram_vendor",
                What::File(|m, i, into| amd(m, i, |card| put_line!(into, "{}", card.memory_vendor))),
            ),
            ("power_dpm_force_performance_level", What::File(|_, _, into| put_line!(into, "auto"))),
            ("unique_id", What::File(|m, i, into| amd(m, i, |card| put_line!(into, "{}", card.unique_id)))),
        ],
    },
];

fn if_any(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    if !moment.machine.graphics_cards.is_empty() {
        once(moment, visit);
    }
}

fn each_name(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for (index, card) in moment.machine.graphics_cards.iter().enumerate() {
        visit(index, format!("card{}", card.number).as_bytes());
    }
}

fn folder(card: &GraphicsCard) -> String {
    format!("{}/drm/card{}", card.device, card.number)
}

fn each_card(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for (index, card) in moment.machine.graphics_cards.iter().enumerate() {
        visit(index, folder(card).as_bytes());
    }
}

fn each_device(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8]), is_meant: impl Fn(&GraphicsCard) -> bool) {
    for (index, card) in moment.machine.graphics_cards.iter().enumerate() {
        if is_meant(card) {
            visit(index, card.device.as_bytes());
        }
    }
}

fn card(moment: &Moment<'_>, index: usize, write: impl FnOnce(&GraphicsCard)) {
    if let Some(card) = moment.machine.graphics_cards.get(index) {
        write(card);
    }
}

fn amd(moment: &Moment<'_>, index: usize, write: impl FnOnce(&AmdCard)) {
    if let Some(amd) = moment.machine.graphics_cards.get(index).and_then(|card| card.amd.as_ref()) {
        write(amd);
    }
}

fn class(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    card(moment, index, |card| relative("class/drm", &format!("devices/{}", folder(card)), into));
}

/// Three above, past `drm/cardN`.
fn device(card: &GraphicsCard, into: &mut Vec<u8>) {
    put!(into, "../../../{}", card.device.rsplit('/').next().unwrap_or_default());
}
