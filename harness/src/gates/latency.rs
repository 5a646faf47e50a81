//! Latency of scrapes on a virtual clock that only file accesses advance, so that it is exactly repeatable.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use collectors::host::root::tree::Tree;
use collectors::host::root::{Metadata, Mount, Names, Root, RootError, Roots};
use simulator::profiles;

use super::{Measured, figure};
use crate::subject::{self, Subject};

/// Number of scrapes.
const SCRAPES: usize = 200;
/// One access in this many is slow, as if it waited for another process or a device.
const WAITS_ONE_IN: u64 = 100;
/// Factor by which a slow access takes longer.
const WAITS_TIMES: u32 = 10;
/// Time to open, read and close most files of /proc and /sys.
const FILE: Duration = Duration::from_micros(15);
/// Time to read the frequency of a sleeping CPU.
const FREQUENCY: Duration = Duration::from_millis(20);
/// Time to read the temperature of a sleeping NVMe disk.
const DISK_SENSOR: Duration = Duration::from_secs(6);

/// A host with slow files.
struct Case {
    name: &'static str,
    profile: &'static str,
    settings: &'static [(&'static str, &'static str)],
    slow: fn(&Tree) -> BTreeSet<Vec<u8>>,
    cost: Duration,
}

const CASES: &[Case] = &[
    Case { name: "vm/usual", profile: "vm", settings: &[], slow: |_| BTreeSet::new(), cost: FILE },
    Case {
        name: "epyc256/scaling_cur_freq_20ms",
        profile: "epyc256",
        settings: &[("cpus", "32"), ("nodes", "4"), ("memory_gib", "64")],
        slow: |_| BTreeSet::from([b"/scaling_cur_freq".to_vec()]),
        cost: FREQUENCY,
    },
    Case { name: "laptop/nvme_sensor_6s", profile: "laptop", settings: &[], slow: disk_sensors, cost: DISK_SENSOR },
];

fn ending(tree: &Tree, end: &[u8]) -> BTreeSet<Vec<u8>> {
    tree.iter().map(|(path, _)| path).filter(|path| path.ends_with(end)).map(<[u8]>::to_vec).collect()
}

/// Temperature files of the chips named nvme.
fn disk_sensors(tree: &Tree) -> BTreeSet<Vec<u8>> {
    let is_disk = |path: &&Vec<u8>| tree.content(path).is_some_and(|name| name.trim_ascii() == b"nvme");
    let names = ending(tree, b"/name");
    let chips: Vec<&[u8]> = names.iter().filter(is_disk).filter_map(|path| path.strip_suffix(b"name")).collect();
    let sensors = ending(tree, b"_input").into_iter();
    let slow = sensors.filter(|path| chips.iter().any(|chip| path.starts_with(chip)));
    // /sys/class consists of links: the common part of all names of a file is its end, such as hwmon1/temp1_input.
    let end = |path: Vec<u8>| {
        let slashes = path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
        let from = slashes.map(|(at, _)| at).nth(1).unwrap_or(0);
        path.get(from..).unwrap_or_default().to_vec()
    };
    slow.map(end).collect()
}

pub(super) fn measure(measured: &mut Measured) -> io::Result<()> {
    for case in CASES {
        let profile = profiles().iter().find(|profile| profile.name == case.profile);
        let profile = profile.ok_or_else(|| io::Error::other(format!("{}: no such profile", case.profile)))?;
        let subject = Subject::of(profile, case.settings)?;
        let slow = (case.slow)(subject.tree());
        if slow.is_empty() && case.cost > FILE {
            return Err(io::Error::other(format!("{}: no slow file found", case.name)));
        }
        let times = times(&subject, Costs { slow, cost: case.cost })?;
        let at = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        for (figure, percent) in [(figure::LATENCY_MEDIAN, 50), (figure::LATENCY_P99, 99)] {
            measured.set(case.name, figure, at(percent).unwrap_or_default().as_micros());
        }
    }
    Ok(())
}

/// The durations of the scrapes, sorted.
fn times(subject: &Subject, costs: Costs) -> io::Result<Vec<Duration>> {
    let clock = Clock::default();
    let shared = (Arc::new(costs), clock.clone());
    let scraper = subject.scraper(|below| {
        Roots::new(|mount| {
            let (costs, clock) = (Arc::clone(&shared.0), shared.1.clone());
            Arc::new(Slow { mount, below: below.clone(), costs, clock })
        })
    })?;
    let mut page = Vec::new();
    let mut times: Vec<Duration> = (0..SCRAPES)
        .map(|_| {
            clock.reset();
            subject::scrape(&scraper, &mut page);
            clock.passed()
        })
        .collect();
    times.sort_unstable();
    Ok(times)
}

/// A clock that file accesses advance. Threads wait in parallel: the elapsed time is that of the thread that waited
/// longest.
#[derive(Clone, Debug, Default)]
struct Clock(Arc<Mutex<Waited>>);

#[derive(Debug, Default)]
struct Waited {
    by: HashMap<ThreadId, Duration>,
    asked: u64,
}

impl Clock {
    fn with<T>(&self, change: impl FnOnce(&mut Waited) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn reset(&self) {
        self.with(|waited| waited.by.clear());
    }

    fn passed(&self) -> Duration {
        self.with(|waited| waited.by.values().max().copied().unwrap_or_default())
    }

    fn wait(&self, cost: Duration) {
        self.with(|waited| {
            waited.asked += 1;
            // Pseudo-random, and the same in every run.
            let is_late = waited.asked.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 < (1 << 32) / WAITS_ONE_IN;
            *waited.by.entry(thread::current().id()).or_default() += cost * if is_late { WAITS_TIMES } else { 1 };
        });
    }
}

/// Durations of file accesses.
#[derive(Debug)]
struct Costs {
    /// Suffixes of the paths with slow accesses.
    slow: BTreeSet<Vec<u8>>,
    cost: Duration,
}

/// A root whose accesses take virtual time.
#[derive(Debug)]
struct Slow {
    mount: Mount,
    below: Roots,
    costs: Arc<Costs>,
    clock: Clock,
}

impl Slow {
    fn root(&self, cost: Duration) -> &dyn Root {
        self.clock.wait(cost);
        self.below.get(self.mount)
    }
}

impl Root for Slow {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        let is_slow = self.costs.slow.iter().any(|end| path.ends_with(end));
        self.root(if is_slow { self.costs.cost } else { FILE }).read(path, into, cap_bytes)
    }

    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        self.root(FILE).list(path, into)
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        self.root(FILE).read_link(path, into)
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        self.root(FILE).metadata(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_includes_the_time_of_slow_files() {
        let mut measured = Measured::default();
        measure(&mut measured).expect("figures");
        print!("{}", crate::gates::budget::write(&measured.figures));
        for case in CASES.iter().filter(|case| case.cost > FILE) {
            let key = (case.name.to_owned(), figure::LATENCY_MEDIAN.name.to_owned());
            let least = u64::try_from(case.cost.as_micros()).expect("a time");
            assert!(measured.figures.get(&key).is_some_and(|found| *found > least), "{}", case.name);
        }
    }

    #[test]
    fn the_clock_shows_the_longest_wait_of_any_thread() {
        let clock = Clock::default();
        clock.wait(FILE);
        clock.wait(FILE);
        thread::scope(|scope| drop(scope.spawn(|| clock.wait(FREQUENCY)).join()));
        assert_eq!(clock.passed(), FREQUENCY);
        clock.reset();
        assert_eq!(clock.passed(), Duration::ZERO);
    }

    #[test]
    fn one_access_in_many_takes_longer() {
        let clock = Clock::default();
        let questions = 100_000_u32;
        (0..questions).for_each(|_| clock.wait(Duration::from_micros(1)));
        let late = (clock.passed().as_micros() - u128::from(questions)) / u128::from(WAITS_TIMES - 1);
        assert!((900..1_100).contains(&late), "{late} of {questions}");
    }
}
