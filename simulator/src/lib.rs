//! Whole, coherent, living hosts out of a seed.
//!
//! A [`Machine`] is the truth about one host: what it is made of and how fast everything on it goes. A [`Host`] is a
//! machine with a clock; its [`Host::roots`] and [`Host::kernel`] are what a collector reads, and [`Host::tree_at`]
//! freezes all of it. Every file is a rendering of the truth at a moment, so files agree with each other: the line `cpu`
//! of /proc/stat is the sum of its CPUs, /proc/diskstats is /sys/block, rtnetlink's counters are those of /proc/net/dev.
//!
//! ```
//! use collectors::kit::root::Mount;
//! use std::time::Duration;
//!
//! let host = simulator::embedded(1, || Duration::from_secs(1_700_000_000));
//! let mut text = Vec::new();
//! host.roots().get(Mount::Proc).read(b"net/arp", &mut text, 4096).unwrap();
//! assert!(text.starts_with(b"IP address"));
//! ```
//!
//! # What holds for every value
//!
//! A value is a function of the seed, of what it is a value of, and of the moment. Nothing is remembered, so any moment
//! can be asked for, in any order, and a host costs a few kilobytes. The crate reads no clock and no other file; it
//! computes with whole numbers alone, and walks no hash map, so a seed gives the same bytes on every system.
//! Counters are integrals of intensities that never fall below zero (the module `wave`), so they never fall.
//!
//! # From the truth to a file
//!
//! - `machine`: what a host is made of. No time, no files.
//! - `profile`: kinds of hosts, as makers of machines.
//! - `moment`: what the numbers are at a moment. Whoever renders asks here and computes nothing of his own, since
//!   another file may tell the same number.
//! - `layout`: the tables of files and the search in them.
//! - `proc`, `sys`, `rootfs`, `udev`, `hostfs`: the tables themselves, one source file for each path or family of paths.
//! - `answers`: the kernel's answers, out of the same moments.
//!
//! # How to add a file
//!
//! 1. If its numbers are new: put what does not change into `machine` (and into the profiles), and a method that tells
//!    the numbers at a moment into `moment`. Counters are `Moment::counter` of a wave; what follows from the
//!    load is made of `recent`, so that it follows.
//! 2. Add the source file that has the kernel's name: `proc/net/softnet_stat` goes to `src/proc/net/softnet_stat.rs`.
//!    It holds a table `GROUPS` and a function for each file that appends its text. A table row is
//!    `("softnet_stat", What::File(softnet_stat))`; files that stand once for each disk or CPU are in a group whose
//!    `each` visits these.
//! 3. Name the table in `src/proc.rs` or `src/sys.rs`. Reads, listings, links and the frozen tree follow from that.
//! 4. If another file tells the same, add the law to `tests/agreement.rs`. If procfs-core parses it, add it to
//!    `tests/second_opinion.rs`. Counters in files of names and numbers are found by `tests/monotone.rs`.
//! 5. `tests/fingerprint.rs` now fails and says the new hash: a change of the bytes is a decision.

mod answers;
mod host;
mod hostfs;
mod layout;
mod machine;
mod moment;
mod proc;
mod profile;
mod rootfs;
mod seed;
mod sys;
mod text;
mod udev;
mod wave;

use std::time::Duration;

use collectors::kit::root::tree::Tree;
use collectors::kit::tree_text;

pub use host::{Clock, Host};
pub use hostfs::TEXTFILE_DIRECTORY;
pub use machine::Machine;

/// The host that an exporter serves when it serves no real one. It was started some time ago, and an exporter that is
/// started again shows the same host further on.
pub fn embedded(seed: u64, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Host {
    /// Hosts are started again at most this often, and have been up for as long at least.
    const PERIOD_SECONDS: u64 = 28 * 86_400;
    const LEAST_UPTIME_SECONDS: u64 = 3 * 86_400;
    let period = clock().as_secs().saturating_sub(LEAST_UPTIME_SECONDS) / PERIOD_SECONDS;
    let spread = seed::Seed::new(seed).of("embedded").below(86_400);
    let booted = (period * PERIOD_SECONDS + spread).min(clock().as_secs());
    Host::new(Machine::vm(seed).booted_at(booted), clock)
}

/// A hash of a whole host: FNV-1a, 64 bits, over its `.tree` file.
pub fn fingerprint(tree: &Tree) -> u64 {
    seed::fnv1a(&tree_text::write(tree))
}
