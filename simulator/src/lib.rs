//! Whole, coherent, living hosts out of a seed.
//!
//! A [`Machine`] is the truth about one host: what it is made of and how fast everything on it goes. A [`Host`] is a
//! machine with a clock; its [`Host::roots`] and [`Host::kernel`] are what a collector reads, and [`Host::tree_at`]
//! freezes all of it. Every file is a rendering of the truth at a moment, so files agree with each other: the line `cpu`
//! of /proc/stat is the sum of its CPUs, /proc/diskstats is /sys/block, rtnetlink's counters are those of /proc/net/dev.
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
//! # What holds for every value
//!
//! A value is a function of the seed, of what it is a value of, and of the moment. Nothing is remembered, so any moment
//! can be asked for, in any order, and thousands of hosts cost what those cost that are held ([`Fleet`]). The crate reads
//! no clock and no other file; it computes with whole numbers alone, and walks no hash map, so a seed gives the same bytes on
//! every system.
//! Counters are integrals of intensities that never fall below zero (the module `wave`), so they never fall, except
//! where an event says so.
//!
//! # From the truth to a file
//!
//! - `machine`: what a host is made of, one file for each part. No time, no files.
//! - `profile`: kinds of hosts, one file for each, as makers of machines out of a seed and settings; `profile/kit` has
//!   what several of them share.
//! - `event`: what happens to a host, and the machine that it is afterwards. Nobody below knows of events: a moment has
//!   the machine of its era, and a group's `each` visits what that one has.
//! - `moment`: what the numbers are at a moment. Whoever renders asks here and computes nothing of his own, since
//!   another file may tell the same number.
//! - `layout`: the tables of files and the search in them.
//! - `proc`, `sys`, `rootfs`, `udev`, `hostfs`: the tables themselves, one source file for each path or family of paths.
//! - `answers`: the kernel's answers, out of the same moments.
//!
//! # What goes wrong
//!
//! [`fault`] breaks answers of any roots and any kernel, these or others. `scenario` reads files that say what a host is,
//! what happens to it and what of it breaks.
//!
//! # How to add a part of the truth
//!
//! A part is what a few profiles have and others have not: a pool, a fabric, a battery.
//!
//! 1. Add `src/machine/PART.rs` with plain structs: names that profiles make up are `String`, rates are in thousandths
//!    a second, and a thing that counts has a `Wave` of its own or takes that of the host.
//! 2. Add a field to [`Machine`], a `Vec` or an `Option`, and its emptiness to `Machine::bare`. No profile changes by that.
//! 3. Fill it in the profiles that have it: `Machine { part, ..Machine::bare(seed, base) }`. What two profiles would
//!    make alike goes to `profile/kit`.
//!
//! # How to add a file
//!
//! 1. If its numbers are new: a method that tells them at a moment goes into `src/moment/PART.rs`. Counters are
//!    `Moment::counter` of a wave; what follows from the load is made of `Moment::recent`, so that it follows. Ask
//!    `moment.kernel() >= KernelVersion::new(5, 14)` where versions of the kernel differ, and the machine's
//!    `Architecture` where these do; a page has `moment.page_kilobytes()`.
//! 2. Add the source file that has the kernel's name: `proc/net/softnet_stat` goes to `src/proc/net/softnet_stat.rs`.
//!    It holds a table `GROUPS` and a function for each file that appends its text. A table row is
//!    `("softnet_stat", What::File(softnet_stat))`; `Fallible` is for files that answer with an error, `Link` for
//!    symbolic links. Files that stand once for each disk or CPU are in a group whose `each` visits these, with their
//!    numbers and their paths below `under`; one that visits nothing is not there at all. What `each` visits must not
//!    depend on the moment, only on the machine: what comes and goes does so with an era (`event`), which has a machine
//!    of its own. Names of many things are kept in order by `layout::Catalogue`, so that one of thousands is found at
//!    once.
//! 3. Name the table in `src/proc.rs` or `src/sys.rs`. Reads, listings, links and the frozen tree follow from that.
//! 4. If another file tells the same, add the law to `tests/agreement.rs`: it is put to every profile. If procfs-core
//!    parses it, add it to `tests/second_opinion.rs`. Say in `tests/monotone/counters.rs` which of its numbers count.
//! 5. `tests/fingerprint.rs` now fails and prints its new table: a change of the bytes is a decision. `harness` fails
//!    until the file's reads are struck off `WITHOUT_GENERATOR` in `harness/tests/simulated.rs`, and shows on which
//!    profiles which collector now says what (`INSTA_UPDATE=always cargo test -p harness --test simulated`).
//!
//! # How to add a profile
//!
//! 1. Add `src/profile/NAME.rs` with a `PROFILE`: name, one line that says what it is, its settings (each declared once:
//!    key, default, limits, a sentence), overrides that make it small for tests, and its maker.
//! 2. The maker asks `settings.get(&CPUS)`, and takes a `Processor`, a `Memory`, disks, mounts and devices from
//!    `profile/kit`, or makes what is special about it. Counters begin at the start of the host, so nothing has to be
//!    remembered. A disk stands before what is on it; the last process is the one that asks.
//! 3. Add it to the table in `src/profile.rs`. Every test of `tests/` and of `harness` then runs over it; the list of
//!    shapes in `tests/agreement.rs` is for settings that deserve a look of their own.

// Whole numbers have no last bit for systems to differ in, and what is hashed comes in another order on each run.
#![warn(clippy::float_arithmetic, clippy::iter_over_hash_type)]

mod answers;
mod event;
pub mod fault;
mod fleet;
pub mod glob;
mod host;
mod hostfs;
#[doc(hidden)]
pub mod layout;
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

/// The host that an exporter serves when it serves no real one. It was started some time ago, and an exporter that is
/// started again shows the same host further on.
pub fn embedded(machine: impl Into<ScriptedMachine>, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Host {
    let scripted = machine.into();
    let machine = started_before(scripted.machine, clock());
    Host::new(ScriptedMachine { machine, ..scripted }, clock)
}

/// The same machine, started some time before this moment.
fn started_before(machine: Machine, now: Duration) -> Machine {
    /// Hosts are started again at most this often, and have been up for as long at least.
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
