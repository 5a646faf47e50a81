//! Devices of the running host as /sys/class/net shows them, from one netlink dump instead of 22 files each.
//!
//! The dump has all attributes but five: `addr_assign_type`, `dev_id`, `duplex`, `name_assign_type` and `speed`. These
//! are read once and kept while the device has the same index, address, carrier and admin state, for at most
//! [`KEPT_FOR`]. /sys may show another network namespace than the one that netlink answers for: the dump is used only
//! after every device of /sys was found in it, with the same index, address and MTU.

use std::ops::Range;
use std::time::Duration;

use crate::host::kernel::Link;
use crate::kit::attribute;
use crate::kit::label::{HardwareAddress, Label};

/// Names of the values of `IFLA_OPERSTATE`.
pub(super) const OPERSTATES: [&str; 7] =
    ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"];

/// How long attributes that the dump lacks are kept: drivers may change a speed without a carrier change.
const KEPT_FOR: Duration = Duration::from_secs(300);

const IFF_UP: u32 = 1;
const IFF_PROMISC: u32 = 0x100;
const IFF_ALLMULTI: u32 = 0x200;
const IFF_DORMANT: u32 = 0x2_0000;
/// `IFF_RUNNING`, `IFF_LOWER_UP` and `IFF_DORMANT`, which netlink adds to the flags of sysfs.
const IFF_OF_NETLINK: u32 = 0x40 | 0x1_0000 | IFF_DORMANT;

/// The text attributes of a device.
#[derive(Clone, Default, Debug)]
pub(super) struct Words {
    pub(super) address: Vec<u8>,
    pub(super) broadcast: Vec<u8>,
    pub(super) duplex: Vec<u8>,
    pub(super) alias: Vec<u8>,
    pub(super) operstate: Vec<u8>,
}

/// The numeric attributes of a device, by the names of their files. `None` for one that the device does not have.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub(super) struct Numbers {
    pub(super) addr_assign_type: Option<i64>,
    pub(super) carrier: Option<i64>,
    pub(super) carrier_changes: Option<i64>,
    pub(super) carrier_down_count: Option<i64>,
    pub(super) carrier_up_count: Option<i64>,
    pub(super) dev_id: Option<i64>,
    pub(super) dormant: Option<i64>,
    pub(super) flags: Option<i64>,
    pub(super) ifindex: Option<i64>,
    pub(super) iflink: Option<i64>,
    pub(super) link_mode: Option<i64>,
    pub(super) mtu: Option<i64>,
    pub(super) name_assign_type: Option<i64>,
    pub(super) netdev_group: Option<i64>,
    pub(super) speed_megabits: Option<i64>,
    pub(super) tx_queue_len: Option<i64>,
    pub(super) kind: Option<i64>,
}

/// Links of a dump in reusable memory.
#[derive(Default, Debug)]
struct Dump {
    bytes: Vec<u8>,
    rows: Vec<DumpedLink>,
}

#[derive(Debug)]
struct DumpedLink {
    name: Range<usize>,
    address: Range<usize>,
    broadcast: Range<usize>,
    alias: Range<usize>,
    link: Link<'static>,
}

impl Dump {
    fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
    }

    fn push(&mut self, link: &Link<'_>) {
        let mut keep = |text: &[u8]| {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(text);
            start..self.bytes.len()
        };
        let name = keep(link.name);
        let [address, broadcast, alias] =
            [link.address, link.broadcast, link.alias].map(|text| keep(text.unwrap_or_default()));
        let link = Link { name: b"", address: None, broadcast: None, alias: None, ..*link };
        self.rows.push(DumpedLink { name, address, broadcast, alias, link });
    }

    fn name(&self, row: &DumpedLink) -> &[u8] {
        &self.bytes[row.name.clone()]
    }

    fn address(&self, row: &DumpedLink) -> &[u8] {
        &self.bytes[row.address.clone()]
    }
}

/// Cached attributes of a device that the netlink dump lacks.
#[derive(Debug)]
struct Known {
    name: Vec<u8>,
    index: u32,
    address: Vec<u8>,
    state: LinkState,
    addr_assign_type: Option<i64>,
    dev_id: Option<i64>,
    name_assign_type: Option<i64>,
    speed_megabits: Option<i64>,
    duplex: Vec<u8>,
}

/// State of a link; speed and duplex change only together with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct LinkState {
    is_up: bool,
    carrier: Option<u8>,
    carrier_changes: Option<u32>,
}

impl LinkState {
    fn of(link: &Link<'_>) -> Self {
        Self { is_up: link.flags & IFF_UP != 0, carrier: link.carrier, carrier_changes: link.carrier_changes }
    }
}

/// The dump of this scrape and what is known of its devices.
#[derive(Default, Debug)]
pub(super) struct Shown {
    dump: Dump,
    /// Sorted by name. Empty if /sys and the dump do not agree, or were not compared yet.
    known: Vec<Known>,
    /// When the attributes that the dump lacks were read.
    read: Duration,
}

impl Shown {
    /// Begins a dump.
    pub(super) fn clear(&mut self) {
        self.dump.clear();
    }

    /// Adds a device of the dump.
    pub(super) fn push(&mut self, link: &Link<'_>) {
        self.dump.push(link);
    }

    /// Whether the dump has exactly the devices that are known, each as it was, so that no file has to be read.
    pub(super) fn is_current(&self, now: Duration) -> bool {
        let Self { dump, known, read } = self;
        let is_known = |row: &DumpedLink| {
            let found = known.binary_search_by(|known| known.name.as_slice().cmp(dump.name(row)));
            let Some(known) = found.ok().and_then(|index| known.get(index)) else { return false };
            let is_unchanged = known.index == row.link.index && known.state == LinkState::of(&row.link);
            is_unchanged && dump.address(row) == known.address
        };
        !known.is_empty()
            && known.len() == dump.rows.len()
            && now.saturating_sub(*read) < KEPT_FOR
            && dump.rows.iter().all(is_known)
    }

    /// The attributes of each device of a current dump, by name. `flags` are `None` where the kernel does not tell all of
    /// their bits.
    pub(super) fn each(&mut self, words: &mut Words, mut visit: impl FnMut(&[u8], &Words, Numbers)) {
        let Self { dump, known, .. } = self;
        for row in &dump.rows {
            let name = dump.name(row);
            let Ok(found) = known.binary_search_by(|known| known.name.as_slice().cmp(name)) else { continue };
            let known = &known[found];
            let Words { address, broadcast, duplex, alias, operstate } = &mut *words;
            let state = usize::from(row.link.operstate.unwrap_or_default());
            let state = OPERSTATES.get(state).unwrap_or(&OPERSTATES[0]);
            for (into, text) in [
                (&mut *duplex, known.duplex.as_slice()),
                (alias, attribute::trimmed(&dump.bytes[row.alias.clone()])),
                (operstate, state.as_bytes()),
            ] {
                into.clear();
                into.extend_from_slice(text);
            }
            for (into, bytes) in [(address, &row.address), (broadcast, &row.broadcast)] {
                into.clear();
                HardwareAddress(&dump.bytes[bytes.clone()]).write_to(into);
            }
            visit(name, words, numbers(&row.link, known));
        }
    }

    /// Begins to compare the dump with /sys; devices are then added by [`Shown::learn`].
    pub(super) fn begin(&mut self, now: Duration) {
        self.known.clear();
        self.read = now;
    }

    /// Compares a device of /sys with the dump and keeps what the dump lacks; `false` if they do not agree.
    pub(super) fn learn(&mut self, name: &[u8], words: &Words, numbers: &Numbers) -> bool {
        let Self { dump, known, .. } = self;
        let Some(row) = dump.rows.iter().find(|row| dump.name(row) == name) else { return false };
        let mut address = Vec::new();
        HardwareAddress(dump.address(row)).write_to(&mut address);
        let agrees = Some(i64::from(row.link.index)) == numbers.ifindex
            && address == words.address
            && row.link.mtu.map(i64::from) == numbers.mtu;
        if agrees {
            known.push(Known {
                name: name.to_owned(),
                index: row.link.index,
                address: dump.address(row).to_vec(),
                state: LinkState::of(&row.link),
                addr_assign_type: numbers.addr_assign_type,
                dev_id: numbers.dev_id,
                name_assign_type: numbers.name_assign_type,
                speed_megabits: numbers.speed_megabits,
                duplex: words.duplex.clone(),
            });
        }
        agrees
    }

    /// Ends the comparison. Without full agreement nothing is known, and the next scrape reads files again.
    pub(super) fn end(&mut self, agrees: bool) {
        if !agrees {
            self.known.clear();
        }
        self.known.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    }
}

/// The numbers of a device as the files of sysfs have them.
fn numbers(link: &Link<'_>, known: &Known) -> Numbers {
    let is_up = link.flags & IFF_UP != 0;
    let number = |value: Option<u32>| value.map(i64::from);
    Numbers {
        addr_assign_type: known.addr_assign_type,
        // Reading these two of a device that is down is EINVAL.
        carrier: link.carrier.filter(|_| is_up).map(i64::from),
        dormant: is_up.then_some(i64::from(link.flags & IFF_DORMANT != 0)),
        carrier_changes: number(link.carrier_changes),
        carrier_down_count: number(link.carrier_down_changes),
        carrier_up_count: number(link.carrier_up_changes),
        dev_id: known.dev_id,
        flags: flags(link).map(i64::from),
        ifindex: Some(link.index.into()),
        iflink: Some(link.link.unwrap_or(link.index).into()),
        link_mode: link.link_mode.map(i64::from),
        mtu: number(link.mtu),
        name_assign_type: known.name_assign_type,
        netdev_group: number(link.group),
        speed_megabits: known.speed_megabits,
        tx_queue_len: number(link.transmit_queue_length),
        kind: Some(link.protocol_type.into()),
    }
}

/// The flags as sysfs has them; `None` before Linux 6.0, which does not tell all of them by netlink.
fn flags(link: &Link<'_>) -> Option<u32> {
    let (promiscuity, all_multicast) = (link.promiscuity?, link.all_multicast?);
    let mut flags = link.flags & !(IFF_OF_NETLINK | IFF_PROMISC | IFF_ALLMULTI);
    for (count, bit) in [(promiscuity, IFF_PROMISC), (all_multicast, IFF_ALLMULTI)] {
        if count > 0 {
            flags |= bit;
        }
    }
    Some(flags)
}
