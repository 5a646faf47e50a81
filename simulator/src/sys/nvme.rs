//! /sys/class/nvme and /sys/class/nvme-subsystem, and the devices that they link to

use super::relative;
use crate::layout::{Content, Group, Part, Table, each, each_with};
use crate::machine::{BlockDevice, KernelVersion, Machine, NvmeController};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(super) const GROUPS: Table = &[
    &Group::<NvmeController> {
        under: "class/nvme",
        parts: |machine| each(&machine.storage.nvme),
        path: |controller, _| format!("nvme{}", controller.number).into(),
        entries: &[("", Content::Link(|c, _, into| relative("class/nvme", &controller(c), into)))],
    },
    &Group::<NvmeController> {
        under: "devices",
        parts: |machine| each(&machine.storage.nvme),
        path: |controller, _| controller.path.as_str().into(),
        entries: &[
            ("address", Content::File(|c, _, into| put_line!(into, "{}", c.address))),
            ("cntlid", Content::File(|c, _, into| put_line!(into, "{}", c.controller_id))),
            ("device", Content::Link(|c, _, into| put!(into, "../../../{}", c.address))),
            ("firmware_rev", Content::File(|c, _, into| put_line!(into, "{:<8}", c.firmware))),
            ("model", Content::File(|c, _, into| put_line!(into, "{:<40}", c.model))),
            ("serial", Content::File(|c, _, into| put_line!(into, "{:<20}", c.serial))),
            ("state", Content::File(|_, _, into| put_line!(into, "live"))),
            ("subsysnqn", Content::File(|c, _, into| put_line!(into, "{}", qualified_name(c)))),
            ("transport", Content::File(|_, _, into| put_line!(into, "pcie"))),
        ],
    },
    &Group::<Namespace<'static>> {
        under: "devices",
        parts: |machine| Box::new(Namespace::each(machine)),
        path: |namespace, _| namespace.block.path.as_str().into(),
        entries: &[
            ("nsid", Content::File(|_, _, into| put_line!(into, "1"))),
            (
                "wwid",
                Content::File(|namespace, _, into| put_line!(into, "eui.{:0>16}", identity(namespace.controller))),
            ),
        ],
    },
    &Group::<Namespace<'static>> {
        under: "devices",
        parts: |machine| Box::new(Namespace::each(machine).filter(|_| machine.kernel() >= USAGE_SINCE)),
        path: |namespace, _| namespace.block.path.as_str().into(),
        entries: &[("nuse", Content::File(used_blocks))],
    },
    &Group::<Multipath<'static>> {
        under: "devices",
        parts: |machine| {
            Box::new(Namespace::each(machine).filter_map(Multipath::of).filter(|_| machine.kernel() >= MULTIPATH_SINCE))
        },
        path: |path, _| path.namespace.block.path.as_str().into(),
        entries: &[("ana_state", Content::File(|path, _, into| put_line!(into, "{}", path.state)))],
    },
    &Group::<NvmeController> {
        under: "class/nvme-subsystem",
        parts: |machine| each_with(&machine.storage.nvme, |_| machine.kernel() >= SUBSYSTEMS_SINCE),
        path: |controller, _| format!("nvme-subsys{}", controller.number).into(),
        entries: &[("", Content::Link(|c, _, into| relative("class/nvme-subsystem", &subsystem(c), into)))],
    },
    &Group::<NvmeController> {
        under: "devices/virtual/nvme-subsystem",
        parts: |machine| each_with(&machine.storage.nvme, |_| machine.kernel() >= SUBSYSTEMS_SINCE),
        path: |controller, _| format!("nvme-subsys{}", controller.number).into(),
        entries: &[
            ("firmware_rev", Content::File(|c, _, into| put_line!(into, "{:<8}", c.firmware))),
            ("model", Content::File(|c, _, into| put_line!(into, "{:<40}", c.model))),
            ("serial", Content::File(|c, _, into| put_line!(into, "{:<20}", c.serial))),
            ("subsysnqn", Content::File(|c, _, into| put_line!(into, "{}", qualified_name(c)))),
        ],
    },
    &Group::<NvmeController> {
        under: "devices/virtual/nvme-subsystem",
        parts: |machine| each_with(&machine.storage.nvme, |_| machine.kernel() >= POLICY_SINCE),
        path: |controller, _| format!("nvme-subsys{}", controller.number).into(),
        entries: &[("iopolicy", Content::File(|_, _, into| put_line!(into, "numa")))],
    },
    &Group::<NvmeController> {
        under: "devices/virtual/nvme-subsystem",
        parts: |machine| each_with(&machine.storage.nvme, |_| machine.kernel() >= SUBSYSTEMS_SINCE),
        path: |controller, _| format!("nvme-subsys{0}/nvme{0}", controller.number).into(),
        entries: &[("", Content::Link(|c, _, into| relative(&subsystem(c), &controller(c), into)))],
    },
    &Group::<NvmeController> {
        under: "devices",
        parts: |machine| each_with(&machine.storage.nvme, |_| machine.kernel() >= SUBSYSTEMS_SINCE),
        path: |controller, _| controller.path.as_str().into(),
        entries: &[("subsystem", Content::Link(|c, _, into| relative(&controller(c), "class/nvme", into)))],
    },
];

/// The number of used blocks is listed since 6.8, and by the 5.14 of servers, whose driver is newer.
const USAGE_SINCE: KernelVersion = KernelVersion::new(5, 14);
const MULTIPATH_SINCE: KernelVersion = KernelVersion::new(4, 19);
const SUBSYSTEMS_SINCE: KernelVersion = KernelVersion::new(4, 15);
const POLICY_SINCE: KernelVersion = KernelVersion::new(5, 0);

/// The namespace of a controller.
#[derive(Clone, Copy)]
struct Namespace<'a> {
    controller: &'a NvmeController,
    block: &'a BlockDevice,
}

impl Part for Namespace<'static> {
    type Of<'a> = Namespace<'a>;
}

impl<'a> Namespace<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        let controllers = machine.storage.nvme.iter();
        controllers
            .filter_map(|controller| Some(Self { controller, block: machine.block_devices.get(controller.namespace)? }))
    }
}

/// A namespace of a drive with two ports.
#[derive(Clone, Copy)]
struct Multipath<'a> {
    namespace: Namespace<'a>,
    state: &'static str,
}

impl Part for Multipath<'static> {
    type Of<'a> = Multipath<'a>;
}

impl<'a> Multipath<'a> {
    fn of(namespace: Namespace<'a>) -> Option<Self> {
        Some(Self { namespace, state: namespace.controller.access_state? })
    }
}

fn controller(controller: &NvmeController) -> String {
    format!("devices/{}", controller.path)
}

fn subsystem(controller: &NvmeController) -> String {
    format!("devices/virtual/nvme-subsystem/nvme-subsys{}", controller.number)
}

fn identity(controller: &NvmeController) -> String {
    controller.serial.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_lowercase()
}

/// The default qualified name, made of serial number and model.
fn qualified_name(controller: &NvmeController) -> String {
    format!("nqn.2014.08.org.nvmexpress:144d144d{:<20}{:<40}", controller.serial, controller.model)
}

fn used_blocks(Namespace { controller, block }: Namespace<'_>, _: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "{}", block.sectors / 1_000 * controller.used_permille);
}
