//! /sys/class/nvme and /sys/class/nvme-subsystem, and the devices that they lead to

use super::relative;
use crate::layout::{Group, What};
use crate::machine::{BlockDevice, KernelVersion, NvmeController};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(super) static GROUPS: [Group; 10] = [
    Group {
        under: "class/nvme",
        each: each_name,
        entries: &[("", What::Link(|m, i, into| of(m, i, |c| relative("class/nvme", &controller(c), into))))],
    },
    Group {
        under: "devices",
        each: each_path,
        entries: &[
            ("address", What::File(|m, i, into| of(m, i, |c| put_line!(into, "{}", c.address)))),
            ("cntlid", What::File(|m, i, into| of(m, i, |c| put_line!(into, "{}", c.controller_id)))),
            ("device", What::Link(|m, i, into| of(m, i, |c| put!(into, "../../../{}", c.address)))),
            ("firmware_rev", What::File(|m, i, into| of(m, i, |c| put_line!(into, "{:<8}", c.firmware)))),
            ("model", What::File(|m, i, into| of(m, i, |c| put_line!(into, "{:<40}", c.model)))),
            ("serial", What::File(|m, i, into| of(m, i, |c| put_line!(into, "{:<20}", c.serial)))),
            ("state", What::File(|_, _, into| put_line!(into, "live"))),
            ("subsysnqn", What::File(|m, i, into| of(m, i, |c| put_line!(into, "{}", qualified_name(c))))),
            ("transport", What::File(|_, _, into| put_line!(into, "pcie"))),
        ],
    },
    Group {
        under: "devices",
        each: each_namespace,
        entries: &[
            ("nsid", What::File(|_, _, into| put_line!(into, "1"))),
            ("wwid", What::File(|m, i, into| of(m, i, |c| put_line!(into, "eui.{:0>16}", identity(c))))),
        ],
    },
    // How much of a namespace is used is told since 6.8, and by the 5.14 of servers, which has the later driver.
    Group {
        under: "devices",
        each: |moment, visit| since(moment, (5, 14), visit, each_namespace),
        entries: &[("nuse", What::File(used_blocks))],
    },
    // Drives with two ports tell through which of them they are best reached.
    Group {
        under: "devices",
        each: |moment, visit| since(moment, (4, 19), visit, each_way_of_several),
        entries: &[("ana_state", What::File(|m, i, into| of(m, i, |c| put_line!(into, "{}", access_state(c)))))],
    },
    Group {
        under: "class/nvme-subsystem",
        each: |moment, visit| since(moment, (4, 15), visit, each_subsystem),
        entries: &[("", What::Link(|m, i, into| of(m, i, |c| relative("class/nvme-subsystem", &subsystem(c), into))))],
    },
    Group {
        under: "devices/virtual/nvme-subsystem",
        each: |moment, visit| since(moment, (4, 15), visit, each_subsystem),
        entries: &[
            ("firmware_rev", What::File(|m, i, into| of(m, i, |c| put_line!(into, "{:<8}", c.firmware)))),
            ("model", What::File(|m, i, into| of(m, i, |c| put_line!(into, "{:<40}", c.model)))),
            ("serial", What::File(|m, i, into| of(m, i, |c| put_line!(into, "{:<20}", c.serial)))),
            ("subsysnqn", What::File(|m, i, into| of(m, i, |c| put_line!(into, "{}", qualified_name(c))))),
        ],
    },
    // Which of several ways is taken can be chosen since 5.0.
    Group {
        under: "devices/virtual/nvme-subsystem",
        each: |moment, visit| since(moment, (5, 0), visit, each_subsystem),
        entries: &[("iopolicy", What::File(|_, _, into| put_line!(into, "numa")))],
    },
    Group {
        under: "devices/virtual/nvme-subsystem",
        each: |moment, visit| since(moment, (4, 15), visit, each_way),
        entries: &[("", What::Link(|m, i, into| of(m, i, |c| relative(&subsystem(c), &controller(c), into))))],
    },
    Group {
        under: "devices",
        each: |moment, visit| since(moment, (4, 15), visit, each_path),
        entries: &[("subsystem", What::Link(|m, i, into| of(m, i, |c| relative(&controller(c), "class/nvme", into))))],
    },
];

fn of(moment: &Moment<'_>, index: usize, write: impl FnOnce(&NvmeController)) {
    if let Some(controller) = moment.machine.storage.nvme.get(index) {
        write(controller);
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

/// The name that the standard makes out of model and serial number where a vendor gives none.
fn qualified_name(controller: &NvmeController) -> String {
    format!("nqn.2014.08.org.nvmexpress:144d144d{:<20}{:<40}", controller.serial, controller.model)
}

type Visit<'a> = &'a mut dyn FnMut(usize, &[u8]);

/// On kernels of this version and later.
fn since(moment: &Moment<'_>, (major, minor): (u16, u16), visit: Visit<'_>, each: fn(&Moment<'_>, Visit<'_>)) {
    if moment.kernel() >= KernelVersion::new(major, minor) {
        each(moment, visit);
    }
}

fn each_name(moment: &Moment<'_>, visit: Visit<'_>) {
    for (index, controller) in moment.machine.storage.nvme.iter().enumerate() {
        visit(index, format!("nvme{}", controller.number).as_bytes());
    }
}

fn each_path(moment: &Moment<'_>, visit: Visit<'_>) {
    for (index, controller) in moment.machine.storage.nvme.iter().enumerate() {
        visit(index, controller.path.as_bytes());
    }
}

fn each_subsystem(moment: &Moment<'_>, visit: Visit<'_>) {
    for (index, controller) in moment.machine.storage.nvme.iter().enumerate() {
        visit(index, format!("nvme-subsys{}", controller.number).as_bytes());
    }
}

fn each_way(moment: &Moment<'_>, visit: Visit<'_>) {
    for (index, controller) in moment.machine.storage.nvme.iter().enumerate() {
        visit(index, format!("nvme-subsys{0}/nvme{0}", controller.number).as_bytes());
    }
}

fn namespace<'a>(moment: &Moment<'a>, controller: &NvmeController) -> Option<&'a BlockDevice> {
    moment.machine.block_devices.get(controller.namespace)
}

fn each_namespace(moment: &Moment<'_>, visit: Visit<'_>) {
    for (index, controller) in moment.machine.storage.nvme.iter().enumerate() {
        if let Some(namespace) = namespace(moment, controller) {
            visit(index, namespace.path.as_bytes());
        }
    }
}

fn each_way_of_several(moment: &Moment<'_>, visit: Visit<'_>) {
    each_namespace(moment, &mut |index, path| {
        if moment.machine.storage.nvme.get(index).is_some_and(|controller| controller.access_state.is_some()) {
            visit(index, path);
        }
    });
}

fn access_state(controller: &NvmeController) -> &'static str {
    controller.access_state.unwrap_or_default()
}

fn used_blocks(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    of(moment, index, |controller| {
        let sectors = namespace(moment, controller).map_or(0, |namespace| namespace.sectors);
        put_line!(into, "{}", sectors / 1_000 * controller.used_permille);
    });
}
