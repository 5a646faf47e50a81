//! Simulated hosts: coherent files and kernel answers, derived from a seed and a clock.
//!
//! A [`Machine`] is one host as plain data: its parts, and the mean rates of what they do. A [`ScriptedMachine`] adds
//! events. A [`Host`] adds a clock: collectors read its [`Host::roots`] and [`Host::kernel`], and [`Host::tree_at`] is
//! a copy of everything at one moment. All files are rendered from the same values, so they agree with each other: the
//! line `cpu` of /proc/stat is the sum of its CPUs, /proc/diskstats equals /sys/block, and the counters of rtnetlink equal
//! those of /proc/net/dev.
//!
//! ```
//! use collectors::host::root::Mount;
//! use std::time::Duration;
//!
//! let host = simulator::embedded(simulator::Machine::vm(1), || Duration::from_secs(1_700_000_000));
//! let mut text = Vec::new();
//! host.roots().get(Mount::Proc).read(b"net/arp", &mut text, 4096).unwrap();
//! assert!(text.starts_with(b"IP address"));
//! ```
//!
//! # Properties of every value
//!
//! A value is a function of the seed, of its name, and of the moment. No history is stored, so moments can be read in any
//! order, and a [`Fleet`] of thousands of hosts needs memory only for the hosts in use. The crate reads no clock and no
//! other file; it computes with integers and iterates over no hash map, so that a seed gives the same bytes on every
//! system. Counters are integrals of positive rates (module `wave`), so they never fall, except by an event.
//!
//! # Modules, from data to files
//!
//! - `machine`: the parts of a host, as plain data. No time, files, events or profiles.
//! - `profile`: kinds of hosts: functions that make machines from a seed and settings. `profile/kit` has the parts that
//!   several profiles share.
//! - `past`: the traces of events that change numbers rather than parts.
//! - `event`: events, and the state of a host (machine and past) after them.
//! - `moment`: the values at a moment, computed from a state. Files and answers compute nothing themselves, since
//!   another file may contain the same value.
//! - `layout`: typed groups of files, and the search in their tables.
//! - `proc`, `sys`, `rootfs`, `udev`, `hostfs`: the tables, one source file per path or family of paths.
//! - `answers`: the answers of the kernel.
//! - `host`: machine, events, index of files and clock together.
//!
//! [`fault`] injects faults into any roots and any kernel. `scenario` reads files that describe a host, its events and
//! its faults. [`recording`] records and replays hosts.
//!
//! # How to add a part
//!
//! A part is something that only some profiles have: a pool, a fabric, a battery.
//!
//! 1. Add plain structs to the file of their subject in `src/machine`: names are `String`, rates are in thousandths per
//!    second, and a part with counters has its own `Wave` or uses that of the host.
//! 2. Add a `Vec` or an `Option` to [`Machine`] that is empty in `Machine::bare`.
//! 3. Set it in the profiles that have it: `Machine { part, ..Machine::bare(seed, base) }`. Parts that two profiles share
//!    belong to `profile/kit`.
//!
//! # How to add a file
//!
//! 1. For new values, add a method to the file of their subject in `src/moment`. It takes the part, not its position:
//!    `moment.disk_counts(block)`. Counters are `Moment::counter` of a wave; values that follow the load use
//!    `Moment::recent`. Compare versions of the kernel with `machine.kernel() >= KernelVersion::new(5, 14)`.
//! 2. Add a source file with the kernel's name: `proc/net/softnet_stat` is `src/proc/net/softnet_stat.rs`. It contains a
//!    table `GROUPS` and a function per file, `fn(&Part, &Moment, &mut Vec<u8>)`. A group names the type of its parts
//!    ([`layout::Part`]), the parts of a machine, the path of each part, and its entries:
//!    `("softnet_stat", Content::File(softnet_stat))`. `Content::Fallible` can return an error, `Content::Link` is a
//!    symbolic link. Files of the whole host are a `Group::of_host`. The parts depend on the machine only, so parts that
//!    come and go change with an event.
//! 3. Add the table to `src/proc.rs` or `src/sys.rs`. Reads, listings, links and the tree follow from it.
//! 4. If another file contains the same values, add a law to `tests/agreement.rs`, which checks it on every profile. If
//!    procfs-core parses the file, add it to `tests/second_opinion.rs`. Declare its counters in
//!    `tests/monotone/counters.rs`.
//! 5. `tests/fingerprint.rs` fails and prints a new table, since changed bytes are a decision. `harness` fails until the
//!    reads are removed from `WITHOUT_GENERATOR` in `harness/tests/simulated.rs`, and shows the collectors and profiles
//!    whose pages changed (`INSTA_UPDATE=always cargo test -p harness --test simulated`).
//!
//! # How to add a profile
//!
//! 1. Add `src/profile/NAME.rs` with a `PROFILE`: name, summary, settings (each declared once: key, default, limits, a
//!    sentence), overrides that make it small for tests, and its maker.
//! 2. The maker reads `settings.get(&CPUS)` and uses `profile/kit` for the processor, memory, disks, mounts and devices.
//!    A block device precedes those that are made of it. The last process is the one that reads.
//! 3. Add it to the table in `src/profile.rs`. The tests of `tests/` and `harness` then include it; the list of shapes in
//!    `tests/agreement.rs` is for settings that need their own check.

// Floating-point results differ between systems, and hash maps change their order from run to run.
#![warn(clippy::float_arithmetic, clippy::iter_over_hash_type)]

mod event;
pub mod fault;
mod fleet;
mod host;
mod hostfs;
#[doc(hidden)]
pub mod layout;
pub mod list;
mod machine;
mod moment;
mod past;
mod proc;
mod profile;
pub mod recording;
mod rootfs;
#[cfg(feature = "scenario")]
pub mod scenario;
mod seed;
pub mod span;
mod sys;
mod text;
mod udev;
mod wave;

use std::time::Duration;

use collectors::host::root::tree::Tree;
use collectors::host::tree_text;

pub use event::{Event, EventError, EventKind, Fall, FallsAt, ScriptedMachine, event_kinds};
pub use fleet::Fleet;
pub use host::{Clock, Host};
pub use hostfs::TEXTFILE_DIRECTORY;
pub use machine::Machine;
pub use profile::{Profile, ProfileError, Setting, Takes, profiles};

/// The host that an exporter serves instead of a real one. Its boot is some days ago, and an exporter that is restarted
/// shows the same host at a later time.
pub fn embedded(machine: impl Into<ScriptedMachine>, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Host {
    let scripted = machine.into();
    let machine = started_before(scripted.machine, clock());
    Host::new(ScriptedMachine { machine, ..scripted }, clock)
}

/// The machine with a boot some days before a moment.
fn started_before(machine: Machine, now: Duration) -> Machine {
    // A host reboots once per period, and its uptime has a minimum.
    const PERIOD_SECONDS: u64 = 28 * 86_400;
    const LEAST_UPTIME_SECONDS: u64 = 3 * 86_400;
    let period = now.as_secs().saturating_sub(LEAST_UPTIME_SECONDS) / PERIOD_SECONDS;
    let spread = machine.seed.of("embedded").below(86_400);
    let booted = (period * PERIOD_SECONDS + spread).min(now.as_secs());
    machine.booted_at(booted)
}

/// A hash of a whole host: FNV-1a, 64 bits, over its `.tree` file.
pub fn fingerprint(tree: &Tree) -> u64 {
    seed::fnv1a(&tree_text::write(tree))
}
