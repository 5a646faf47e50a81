//! systemd: its manager and its units, which follow from processes, mounts, swap areas and control groups.

use collectors::host::kernel::systemd::Unit;

use super::Moment;
use crate::machine::{
    FINISHED_UNITS, GROUP_UNITS, INACTIVE_UNITS, KernelVersion, MISSING_UNITS, SERVICE_UNITS, TARGETS, TIMED_UNITS,
};
use crate::wave::MICROS;

/// systemd's default for services of a host with 32,768 process numbers.
const TASKS_MAX: u64 = 4_915;
/// The first version of systemd that counts restarts.
const COUNTS_RESTARTS: u16 = 235;
/// The first version of systemd that counts refused connections.
const COUNTS_REFUSED: u16 = 239;

impl Moment<'_> {
    /// The version of systemd that the distribution of the kernel has, as a number and as it is written.
    pub(crate) fn systemd_version(&self) -> (u16, &'static str) {
        const VERSIONS: [(KernelVersion, u16, &str); 3] = [
            (KernelVersion::new(6, 0), 257, "257.9-1~deb13u1"),
            (KernelVersion::new(5, 0), 252, "252-46.el9_5.2"),
            (KernelVersion::new(4, 0), 239, "239 (239-82.el8_10.2)"),
        ];
        let found = VERSIONS.iter().find(|(since, ..)| self.kernel() >= *since);
        found.map_or((219, "219"), |(_, number, text)| (*number, text))
    }

    /// `degraded` while a unit has failed.
    pub(crate) fn system_state(&self) -> &'static str {
        let mut has_failed = false;
        self.units(&mut |unit| has_failed |= unit.active_state == b"failed");
        if has_failed { "degraded" } else { "running" }
    }

    /// Visits every unit once.
    pub(crate) fn units(&self, visit: &mut dyn FnMut(&Unit<'_>)) {
        let since = |name: &str| Some(self.activated_micros(name));
        let active = |name: &str, visit: &mut dyn FnMut(&Unit<'_>)| {
            visit(&Unit { active_since_micros: since(name), ..loaded(name.as_bytes(), b"active") });
        };
        self.service_units(visit);
        for timed in &TIMED_UNITS {
            let failed = self.past.failed_units.iter().any(|failed| failed == timed.service);
            let state: &[u8] = if failed { b"failed" } else { b"inactive" };
            let service = loaded(timed.service.as_bytes(), state);
            visit(&Unit { kind: Some(b"oneshot"), restarts: self.restarts(0), tasks_max: Some(TASKS_MAX), ..service });
            let timer = loaded(timed.timer.as_bytes(), b"active");
            let last_trigger_micros = Some(self.last_multiple_micros(timed.period_seconds));
            visit(&Unit { active_since_micros: since(timed.timer), last_trigger_micros, ..timer });
        }
        let groups = self.machine.control_groups.iter().map(|group| group.path.rsplit('/').next().unwrap_or_default());
        let groups = groups.filter(|name| matches!(name.rsplit_once('.'), Some((_, "slice" | "scope"))));
        for name in TARGETS.iter().chain(&GROUP_UNITS).copied().chain(groups) {
            active(name, visit);
        }
        for name in FINISHED_UNITS {
            let service = loaded(name.as_bytes(), b"active");
            let (kind, restarts, tasks_max) = (Some(&b"oneshot"[..]), self.restarts(0), Some(TASKS_MAX));
            visit(&Unit { kind, active_since_micros: since(name), restarts, tasks_max, ..service });
        }
        for name in INACTIVE_UNITS {
            let kind = name.ends_with(".service").then_some(&b"simple"[..]);
            visit(&Unit { kind, ..loaded(name.as_bytes(), b"inactive") });
        }
        for name in MISSING_UNITS {
            visit(&Unit { load_state: b"not-found", ..loaded(name.as_bytes(), b"inactive") });
        }
        let mounts = &self.machine.mounts;
        for (position, mount) in mounts.iter().enumerate() {
            let is_covered = mounts.iter().skip(position + 1).any(|later| later.point == mount.point);
            if !is_covered {
                let name = unit_of_path(&mount.point, ".mount");
                let unit = loaded(name.as_bytes(), b"active");
                visit(&Unit { kind: Some(mount.fs_type.as_bytes()), active_since_micros: since(&name), ..unit });
            }
        }
    }

    /// Services with a process, and their sockets. One whose process was killed has failed.
    fn service_units(&self, visit: &mut dyn FnMut(&Unit<'_>)) {
        for service in &SERVICE_UNITS {
            let process = self.machine.processes.iter().find(|process| process.name == service.process);
            let active_state: &[u8] = if process.is_some() { b"active" } else { b"failed" };
            visit(&Unit {
                kind: Some(service.kind.as_bytes()),
                active_since_micros: process.map(|_| self.activated_micros(service.name)),
                restarts: self.restarts(0),
                tasks: Some(process.map_or(u64::MAX, |process| process.threads.into())),
                tasks_max: Some(TASKS_MAX),
                ..loaded(service.name.as_bytes(), active_state)
            });
            if let Some(socket) = service.socket {
                let has_refused = self.systemd_version().0 >= COUNTS_REFUSED;
                visit(&Unit {
                    active_since_micros: Some(self.activated_micros(socket)),
                    // The service accepts connections itself.
                    accepted: Some(0),
                    connections: Some(0),
                    refused: has_refused.then_some(0),
                    ..loaded(socket.as_bytes(), b"active")
                });
            }
        }
    }

    fn restarts(&self, count: u32) -> Option<u32> {
        (self.systemd_version().0 >= COUNTS_RESTARTS).then_some(count)
    }

    /// Units are activated in the first seconds after the boot.
    fn activated_micros(&self, name: &str) -> u64 {
        self.booted_seconds() * MICROS + self.machine.seed.of("unit").of(name).between(900_000, 9_000_000)
    }

    /// The last time after the boot that is a multiple of a period; 0 before the first.
    fn last_multiple_micros(&self, period_seconds: u64) -> u64 {
        let now = self.now().as_secs();
        let last = now - now % period_seconds;
        if last >= self.booted_seconds() { last * MICROS } else { 0 }
    }
}

fn loaded<'a>(name: &'a [u8], active_state: &'a [u8]) -> Unit<'a> {
    Unit { name, load_state: b"loaded", active_state, ..Unit::default() }
}

/// The name of the unit of a path: `/var/lib/my-data` is `var-lib-my\x2ddata`.
fn unit_of_path(path: &str, suffix: &str) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    let trimmed = path.trim_matches('/');
    let mut name = String::with_capacity(path.len() + suffix.len());
    if trimmed.is_empty() {
        name.push('-');
    }
    for (position, byte) in trimmed.bytes().enumerate() {
        match byte {
            b'/' => name.push('-'),
            b'.' if position == 0 => name.push_str("\\x2e"),
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b':' | b'_' | b'.' => name.push(char::from(byte)),
            other => name.extend(['\\', 'x', digit(other >> 4), digit(other & 15)]),
        }
    }
    name.push_str(suffix);
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Machine, SERVICE_UNITS};
    use crate::past::State;
    use std::collections::BTreeMap;
    use std::time::Duration;

    #[test]
    fn paths_are_escaped_as_systemd_escapes_them() {
        for (path, name) in [
            ("/", "-.mount"),
            ("/boot/efi", "boot-efi.mount"),
            ("/var/lib/my-data", "var-lib-my\\x2ddata.mount"),
            ("/.snapshots/a b", "\\x2esnapshots-a\\x20b.mount"),
            ("/srv/é", "srv-\\xc3\\xa9.mount"),
        ] {
            assert_eq!(unit_of_path(path, ".mount"), name);
        }
    }

    fn units(state: &State) -> BTreeMap<String, String> {
        let mut units = BTreeMap::new();
        let moment = Moment::new(state, Duration::from_secs(state.machine.booted_seconds() + 86_400));
        moment.units(&mut |unit| {
            let [name, active] = [unit.name, unit.active_state].map(|text| String::from_utf8(text.to_vec()).unwrap());
            assert_eq!(units.insert(name.clone(), active), None, "{name}");
        });
        units
    }

    #[test]
    fn every_unit_of_every_profile_is_there_once_and_every_process_has_one() {
        for profile in crate::profiles() {
            let state = State::from(profile.machine(1, profile.small).unwrap());
            let units = units(&state);
            let services = state.machine.processes.iter().filter(|process| process.parent == 1 && !process.is_kernel());
            for process in services {
                let unit = SERVICE_UNITS.iter().find(|unit| unit.process == process.name);
                assert!(unit.is_some_and(|unit| units[unit.name] == "active"), "{}", process.name);
            }
            assert!(units.values().all(|state| state != "failed"), "{}", profile.name);
            let points = state.machine.mounts.iter().map(|mount| unit_of_path(&mount.point, ".mount"));
            assert!(points.into_iter().all(|unit| units.contains_key(&unit)), "{}", profile.name);
        }
    }

    #[test]
    fn a_service_without_its_process_has_failed() {
        let mut state = State::from(Machine::vm(1));
        state.machine.processes.retain(|process| process.name != "worker");
        assert_eq!(units(&state)["worker.service"], "failed");
        let moment = Moment::new(&state, Duration::from_secs(state.machine.booted_seconds() + 60));
        assert_eq!(moment.system_state(), "degraded");
    }

    #[test]
    fn timers_elapse_after_the_boot() {
        let state = State::from(Machine::vm(1).booted_at(1_700_000_000));
        let last = |now| Moment::new(&state, Duration::from_secs(now)).last_multiple_micros(86_400);
        assert_eq!([last(1_700_000_100), last(1_700_006_399)], [0, 0]);
        assert_eq!([last(1_700_006_400), last(1_700_092_799)], [1_700_006_400 * MICROS; 2]);
    }
}
