//! Visible effects of each event.
#![expect(clippy::unwrap_used, reason = "what is not as it should be fails the test")]

#[path = "events/cpus.rs"]
mod cpus;
#[path = "events/disks.rs"]
mod disks;
#[path = "events/memory.rs"]
mod memory;
#[path = "events/network.rs"]
mod network;
#[path = "events/time.rs"]
mod time;

use std::collections::BTreeSet;
use std::time::Duration;

use collectors::host::kernel::canned::Canned;
use collectors::host::root::resolve::{Last, PathBuffer, resolve};
use collectors::host::root::tree::Tree;
use simulator::{Event, Host, Machine};

/// Time of the events.
const AT: u64 = 1_700_000_000;

/// Host with events.
struct Story {
    host: Host,
}

impl Story {
    #[track_caller]
    fn of(profile: &str, overrides: &[(&str, &str)], kind: &str, settings: &[(&str, &str)]) -> Self {
        let event = Event::of(kind, Duration::from_secs(AT), settings).unwrap();
        let machine = Machine::of(profile, 1, overrides).unwrap().with_events(vec![event]).unwrap();
        Self { host: Host::new(machine, || Duration::ZERO) }
    }

    /// Snapshot a number of seconds after the event.
    fn after(&self, seconds: i64) -> Scene {
        Scene(self.host.tree_at(AT.saturating_add_signed(seconds)))
    }
}

/// Snapshot of a host.
struct Scene(Tree);

impl Scene {
    /// Content of a file, with links followed.
    fn find(&self, path: &str) -> Option<&str> {
        let mut resolved = PathBuffer::new();
        let (mount, rest) = path.split_once('/').unwrap();
        resolved.append(mount.as_bytes()).unwrap();
        resolve(&self.0, rest.as_bytes(), Last::Followed, &mut resolved).ok()?;
        std::str::from_utf8(self.0.content(resolved.as_bytes())?).ok()
    }

    #[track_caller]
    fn text(&self, path: &str) -> &str {
        self.find(path).unwrap_or_else(|| panic!("{path} is there"))
    }

    /// Numbers of the first line with a given first word.
    #[track_caller]
    fn row(&self, path: &str, name: &str) -> Vec<u64> {
        let mut lines = self.text(path).lines();
        let line =
            lines.find(|line| line.split_whitespace().next().is_some_and(|word| word.trim_end_matches(':') == name));
        let words = line.unwrap_or_else(|| panic!("{path} has a line {name}")).split_whitespace().skip(1);
        words.filter_map(|word| word.replace('.', "").parse().ok()).collect()
    }

    #[track_caller]
    fn number(&self, path: &str, name: &str) -> u64 {
        self.row(path, name)[0]
    }

    /// Sorted names of a directory.
    fn names(&self, folder: &str) -> Vec<String> {
        let below = format!("{folder}/");
        let paths = self.0.iter().filter_map(|(path, _)| std::str::from_utf8(path).unwrap().strip_prefix(&below));
        let names: BTreeSet<&str> = paths.map(|path| path.split('/').next().unwrap()).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    fn kernel(&self) -> Canned {
        Canned::parse(|entry| self.0.content(entry)).unwrap()
    }
}

#[test]
fn moments_can_be_asked_for_in_any_order() {
    let story = Story::of("vm", &[], "cpu-hotplug", &[("seconds", "60")]);
    let order = |moments: [i64; 4]| moments.map(|after| (after, story.after(after).text("proc/stat").to_owned()));
    let (forward, mut back) = (order([-10, 30, 90, 5_000]), order([5_000, 90, 30, -10]));
    back.reverse();
    assert_eq!(forward, back);
}

#[test]
fn before_an_event_a_host_is_as_one_without_it() {
    let story = Story::of("vm", &[], "reboot", &[]);
    let without = Host::new(Machine::vm(1), || Duration::ZERO).tree_at(AT - 1);
    assert_eq!(simulator::fingerprint(&story.after(-1).0), simulator::fingerprint(&without));
}
