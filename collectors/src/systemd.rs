//! Units of systemd and the state of its manager, by D-Bus.

use crate::declare;
use crate::host::kernel::KernelError;
use crate::host::kernel::systemd::{SystemdManager, SystemdSocket, Unit, UnitDetail, UnitQuery};
use crate::kit::filter::Filter;
use crate::kit::page::PageOf;
use crate::kit::prelude::*;

/// The systemd collector.
#[derive(Debug)]
pub struct Systemd {
    socket: SystemdSocket,
    units: Filter,
    details: Vec<UnitDetail>,
    manager: SystemdManager,
    /// States and how many units are in each.
    states: Vec<(Vec<u8>, u64)>,
}

declare! {
    Systemd: "systemd", off, "Units of systemd: states, restarts, tasks, sockets and timers.";
    labels {
        PerName { name }
        PerState { state }
        UnitState { name, state, r#type }
        VersionLabels { version }
        VirtualizationLabels { virtualization_type }
    }
    flags {
        INCLUDE: Text "collector.systemd.unit-include" = ".+", "Regexp of units to include; it has to match the whole name.",
            or(&["collector.systemd.unit-whitelist"]);
        EXCLUDE: Text "collector.systemd.unit-exclude" = r".+\.(automount|device|mount|scope|slice)",
            "Regexp of units to exclude; it has to match the whole name.", or(&["collector.systemd.unit-blacklist"]);
        PRIVATE: Switch "collector.systemd.private" = "false", "Ask systemd by its own socket, not by the system bus; needs root.",
            hidden();
        TASKS: Switch "collector.systemd.enable-task-metrics" = "false", "Show current and maximum tasks of services.";
        RESTARTS: Switch "collector.systemd.enable-restarts-metrics" = "false", "Show automatic restarts of services.";
        START_TIMES: Switch "collector.systemd.enable-start-time-metrics" = "false", "Show when units became active.";
    }
    families {
        SERVICE_RESTARTS: Counter "node_systemd_service_restart_total" PerName "Automatic restarts of a service.";
        ACCEPTED: Counter "node_systemd_socket_accepted_connections_total" PerName "Connections accepted by a socket unit.";
        CONNECTIONS: Gauge "node_systemd_socket_current_connections" PerName "Open connections of a socket unit.";
        REFUSED: kept Gauge "node_systemd_socket_refused_connections_total" PerName "Connections refused by a socket unit.";
        RUNNING: Gauge "node_systemd_system_running" () "1 if the system state is `running`.";
        LAST_TRIGGER: Gauge "node_systemd_timer_last_trigger_seconds" PerName "Last expiry of a timer in seconds since 1970.";
        START_TIME: Gauge "node_systemd_unit_start_time_seconds" PerName "Activation of a unit in seconds since 1970; 0 unless active.";
        STATE: Gauge "node_systemd_unit_state" UnitState "1 for the current state of a unit.";
        TASKS_CURRENT: Gauge "node_systemd_unit_tasks_current" PerName "Current tasks of a service.";
        TASKS_MAX: Gauge "node_systemd_unit_tasks_max" PerName "Maximum tasks of a service.";
        UNITS: Gauge "node_systemd_units" PerState "Units in a state.";
        VERSION: Gauge "node_systemd_version" VersionLabels "Version of systemd, without its last parts.";
        VIRTUALIZATION: Gauge "node_systemd_virtualization_info" VirtualizationLabels "Virtualization that systemd detected; always 1.";
    }
}

/// States that are always shown.
const STATES: [&str; 5] = ["active", "activating", "deactivating", "inactive", "failed"];
/// systemd without a system state and the last trigger of timers is older.
const MIN_VERSION_OF_STATE: f64 = 212.0;
const MICROS_PER_SECOND: f64 = 1e6;

impl Collect for Systemd {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        let mut details = vec![
            UnitDetail::Kind,
            UnitDetail::Accepted,
            UnitDetail::Connections,
            UnitDetail::Refused,
            UnitDetail::LastTrigger,
        ];
        if options.get(RESTARTS) {
            details.push(UnitDetail::Restarts);
        }
        if options.get(TASKS) {
            details.extend([UnitDetail::Tasks, UnitDetail::TasksMax]);
        }
        if options.get(START_TIMES) {
            details.push(UnitDetail::ActiveSince);
        }
        Ok(Self {
            socket: if options.get(PRIVATE) { SystemdSocket::Private } else { SystemdSocket::Bus },
            units: Filter::of_whole_names(options, INCLUDE, EXCLUDE)?,
            details,
            manager: SystemdManager::default(),
            states: STATES.iter().map(|state| (state.as_bytes().to_vec(), 0)).collect(),
        })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { socket, units, details, manager, states } = self;
        let Cx { page, kernel, .. } = cx;
        kernel.systemd_manager(*socket, manager).map_err(|error| failure("manager", error))?;
        let (version, label) = match number(&manager.version) {
            Some(version) => (version, &*manager.version),
            None => (0.0, &b""[..]),
        };
        page.gauge(VERSION, VersionLabels { version: &label }, version);
        page.gauge(VIRTUALIZATION, VirtualizationLabels { virtualization_type: &manager.virtualization }, true);
        let has_state = version >= MIN_VERSION_OF_STATE;

        let is_shown = |unit: &Unit<'_>| unit.load_state == b"loaded" && !units.ignores(unit.name);
        states.truncate(STATES.len());
        for (_, count) in states.iter_mut() {
            *count = 0;
        }
        let query = UnitQuery { socket: *socket, selects: &is_shown, details };
        let answer = kernel.units(&query, &mut |unit| {
            count(states, unit.active_state);
            if is_shown(unit) {
                emit(unit, details, has_state, page);
            }
        });
        answer.map_err(|error| failure("units", error))?;
        for (state, count) in states {
            page.gauge(UNITS, PerState { state }, *count);
        }
        if has_state {
            if manager.state.is_empty() {
                return Err(Failure::error("systemd query: system state: no answer"));
            }
            page.gauge(RUNNING, (), manager.state == b"running");
        }
        Ok(())
    }
}

fn failure(what: &str, error: KernelError) -> Failure {
    match error {
        KernelError::Unsupported => Failure::no_data(format_args!("systemd query: {what}: not supported by this host")),
        error @ KernelError::Errno(_) => Failure::error(format_args!("systemd query: {what}: {error}")),
    }
}

/// The number in a version: three digits at least, and a fraction.
fn number(version: &[u8]) -> Option<f64> {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = version;
    while !rest.is_empty() {
        let whole = digits(rest);
        if whole < 3 {
            rest = rest.get(whole.max(1)..).unwrap_or_default();
            continue;
        }
        let fraction = rest.get(whole + 1..).map_or(0, digits);
        let has_fraction = rest.get(whole) == Some(&b'.') && fraction > 0;
        let end = if has_fraction { whole + 1 + fraction } else { whole };
        return std::str::from_utf8(rest.get(..end)?).ok()?.parse().ok();
    }
    None
}

fn count(states: &mut Vec<(Vec<u8>, u64)>, state: &[u8]) {
    match states.iter_mut().find(|(known, _)| known == state) {
        Some((_, count)) => *count += 1,
        None => states.push((state.to_vec(), 1)),
    }
}

fn emit(unit: &Unit<'_>, details: &[UnitDetail], has_last_trigger: bool, page: &mut PageOf<'_, Systemd>) {
    let name = &unit.name;
    let kind = unit.kind.unwrap_or_default();
    for state in STATES {
        let is_current = unit.active_state == state.as_bytes();
        page.gauge(STATE, UnitState { name, state: &state, r#type: &kind }, is_current);
    }
    let shows = |detail| details.contains(&detail);
    if let Some(restarts) = unit.restarts.filter(|_| shows(UnitDetail::Restarts)) {
        page.counter(SERVICE_RESTARTS, PerName { name }, restarts);
    }
    if shows(UnitDetail::Tasks) {
        // Systemd's largest number means none.
        let is_number = |tasks: &u64| *tasks != u64::MAX;
        if let Some(tasks) = unit.tasks.filter(is_number) {
            page.gauge(TASKS_CURRENT, PerName { name }, tasks);
        }
        if let Some(tasks) = unit.tasks_max.filter(is_number) {
            page.gauge(TASKS_MAX, PerName { name }, tasks);
        }
    }
    if shows(UnitDetail::ActiveSince) {
        let is_active = unit.active_state == b"active";
        if let Some(micros) = if is_active { unit.active_since_micros } else { Some(0) } {
            page.gauge(START_TIME, PerName { name }, seconds(micros));
        }
    }
    if let Some(micros) = unit.last_trigger_micros.filter(|_| has_last_trigger) {
        page.gauge(LAST_TRIGGER, PerName { name }, seconds(micros));
    }
    if let Some(accepted) = unit.accepted {
        page.counter(ACCEPTED, PerName { name }, accepted);
    }
    if let Some(connections) = unit.connections {
        page.gauge(CONNECTIONS, PerName { name }, connections);
    }
    if let Some(refused) = unit.refused {
        page.gauge(REFUSED, PerName { name }, refused);
    }
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / MICROS_PER_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const MANAGER: &str = "== kernel/systemd\nversion 252.39-1~deb12u1\nvirtualization kvm\nstate running\n";
    const UNITS: &str = "== kernel/units\n\
        a.service load_state=loaded active_state=active type=notify active_since_micros=1700000000500000 restarts=2 \
        tasks=5 tasks_max=18446744073709551615\n\
        b.service load_state=loaded active_state=failed type=oneshot active_since_micros=7 restarts=0 \
        tasks=18446744073709551615 tasks_max=100\n\
        c.service load_state=not-found active_state=inactive\n\
        d.socket load_state=loaded active_state=active accepted=4 connections=1 refused=0\n\
        e.timer load_state=loaded active_state=active last_trigger_micros=1700000001250000\n\
        f.mount load_state=loaded active_state=active type=ext4\n\
        g.target load_state=loaded active_state=reloading\n";

    fn states(name: &str, kind: &str, current: &str) -> String {
        let mut states = STATES;
        states.sort_unstable();
        let line = |state: &str| {
            let value = u8::from(state == current);
            format!("node_systemd_unit_state{{name=\"{name}\",state=\"{state}\",type=\"{kind}\"}} {value}\n")
        };
        states.map(line).concat()
    }

    fn units(counts: &[(&str, u32)]) -> String {
        let line = |(state, count): &(&str, u32)| format!("node_systemd_units{{state=\"{state}\"}} {count}\n");
        counts.iter().map(line).collect()
    }

    const COUNTS: [(&str, u32); 6] =
        [("activating", 0), ("active", 4), ("deactivating", 0), ("failed", 1), ("inactive", 1), ("reloading", 1)];
    const VERSION_LINES: &str = "node_systemd_version{version=\"252.39-1~deb12u1\"} 252.39\n\
        node_systemd_virtualization_info{virtualization_type=\"kvm\"} 1\n";
    const SOCKET_LINES: &str = "node_systemd_socket_accepted_connections_total{name=\"d.socket\"} 4\n\
        node_systemd_socket_current_connections{name=\"d.socket\"} 1\n\
        node_systemd_socket_refused_connections_total{name=\"d.socket\"} 0\n";
    const TIMER_LINE: &str = "node_systemd_timer_last_trigger_seconds{name=\"e.timer\"} 1.70000000125e+09\n";

    fn shown() -> String {
        [
            states("a.service", "notify", "active"),
            states("b.service", "oneshot", "failed"),
            states("d.socket", "", "active"),
            states("e.timer", "", "active"),
            states("g.target", "", "reloading"),
        ]
        .concat()
    }

    #[test]
    fn units_are_shown_with_their_states() {
        let expected =
            [SOCKET_LINES, "node_systemd_system_running 1\n", TIMER_LINE, &shown(), &units(&COUNTS), VERSION_LINES]
                .concat();
        given(&(MANAGER.to_owned() + UNITS)).emits::<Systemd>(&expected);
    }

    #[test]
    fn restarts_tasks_and_start_times_are_shown_when_they_are_asked_for() {
        let start =
            |name: &str, value: &str| format!("node_systemd_unit_start_time_seconds{{name=\"{name}\"}} {value}\n");
        let expected = [
            "node_systemd_service_restart_total{name=\"a.service\"} 2\n",
            "node_systemd_service_restart_total{name=\"b.service\"} 0\n",
            "node_systemd_system_running 1\n",
            &start("a.service", "1.7000000005e+09"),
            &start("b.service", "0"),
            &states("a.service", "notify", "active"),
            &states("b.service", "oneshot", "failed"),
            "node_systemd_unit_tasks_current{name=\"a.service\"} 5\n",
            "node_systemd_unit_tasks_max{name=\"b.service\"} 100\n",
            &units(&COUNTS),
            VERSION_LINES,
        ]
        .concat();
        let flags = [
            "--collector.systemd.enable-restarts-metrics",
            "--collector.systemd.enable-task-metrics",
            "--collector.systemd.enable-start-time-metrics",
            "--collector.systemd.unit-include=[ab].*",
        ];
        given(&(MANAGER.to_owned() + UNITS)).flags(&flags).emits::<Systemd>(&expected);
    }

    #[test]
    fn patterns_match_whole_names_and_both_apply() {
        let shown_by = |flags: &[&str]| {
            let page = given(&(MANAGER.to_owned() + UNITS)).flags(flags).scrape::<Systemd>().page;
            let is_shown = |name: &&str| page.contains(&format!("unit_state{{name=\"{name}\""));
            let names = ["a.service", "b.service", "c.service", "d.socket", "e.timer", "f.mount", "g.target"];
            names.into_iter().filter(is_shown).collect::<Vec<_>>()
        };
        assert_eq!(shown_by(&["--collector.systemd.unit-include=a"]), <[&str; 0]>::default());
        assert_eq!(shown_by(&["--collector.systemd.unit-include=a|b.*|a\\.service"]), ["a.service", "b.service"]);
        assert_eq!(shown_by(&["--collector.systemd.unit-include="]), <[&str; 0]>::default());
        let excludes = ["--collector.systemd.unit-include=[a-e].*", "--collector.systemd.unit-exclude=.*service"];
        assert_eq!(shown_by(&excludes), ["d.socket", "e.timer"]);
        let all = ["a.service", "b.service", "d.socket", "e.timer", "f.mount", "g.target"];
        assert_eq!(shown_by(&["--collector.systemd.unit-exclude="]), all);
        for bad in ["(", "a)|(b"] {
            given("")
                .flags(&[&format!("--collector.systemd.unit-include={bad}")])
                .is_refused::<Systemd>("--collector.systemd.unit-include: ");
        }
    }

    #[test]
    fn a_mount_is_shown_with_its_file_system() {
        let page = given(&(MANAGER.to_owned() + UNITS))
            .flags(&["--collector.systemd.unit-exclude=", "--collector.systemd.unit-include=.*mount"])
            .scrape::<Systemd>();
        assert!(page.page.contains(&states("f.mount", "ext4", "active")), "{}", page.page);
    }

    #[test]
    fn a_system_that_is_not_running_says_so() {
        let manager = MANAGER.replace("running", "degraded");
        let counts = [("activating", 0), ("active", 0), ("deactivating", 0), ("failed", 0), ("inactive", 0)];
        let expected = ["node_systemd_system_running 0\n", &units(&counts), VERSION_LINES].concat();
        given(&(manager + "== kernel/units\n")).emits::<Systemd>(&expected);
    }

    /// Systemd 204 has no state, and timers without their last trigger.
    #[test]
    fn an_old_systemd_has_no_state() {
        let text = format!("== kernel/systemd\nversion systemd 204\nvirtualization unknown\n{UNITS}");
        let expected = [
            SOCKET_LINES,
            &shown(),
            &units(&COUNTS),
            "node_systemd_version{version=\"systemd 204\"} 204\n",
            "node_systemd_virtualization_info{virtualization_type=\"unknown\"} 1\n",
        ]
        .concat();
        given(&text).emits::<Systemd>(&expected);
    }

    #[test]
    fn a_system_state_that_is_missing_is_a_failure() {
        let manager = MANAGER.replace("state running\n", "");
        let counts = [("activating", 0), ("active", 0), ("deactivating", 0), ("failed", 0), ("inactive", 0)];
        let expected = [&units(&counts), VERSION_LINES].concat();
        given(&(manager + "== kernel/units\n")).fails::<Systemd>(&expected, "systemd query: system state: no answer");
    }

    #[test]
    fn a_host_without_systemd_has_no_data() {
        given("").fails::<Systemd>("", "systemd query: manager: not supported by this host");
        given(MANAGER).fails::<Systemd>(VERSION_LINES, "systemd query: units: not supported by this host");
    }

    #[test]
    fn the_number_of_a_version_is_its_first_one_of_three_digits() {
        for (version, expected) in [
            ("252.39-1~deb12u1", Some(252.39)),
            ("systemd 204", Some(204.0)),
            ("249.", Some(249.0)),
            ("v12-256.7.1", Some(256.7)),
            ("12.345", Some(345.0)),
            ("1.2", None),
            ("", None),
        ] {
            assert_eq!(number(version.as_bytes()), expected, "{version}");
        }
    }

    proptest! {
        #[test]
        fn the_number_of_a_version_is_what_gos_pattern_finds(version in "[0-9.a-z~-]{0,12}") {
            let pattern = regex::Regex::new(r"[0-9]{3,}(\.[0-9]+)?").expect("a pattern");
            let expected = pattern.find(&version).map(|found| found.as_str().parse().expect("a number"));
            prop_assert_eq!(number(version.as_bytes()), expected);
        }
    }
}
