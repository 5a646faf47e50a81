//! CPU hotplug: a CPU goes offline and usually returns.

use super::{Absence, Event, EventError, EventKind, Fall, FallsAt, Scene};
use crate::machine::Machine;
use crate::profile::Setting;

const CPU: Setting = Setting::number("cpu", 1, 0..=8_191, "CPU number.");
const SECONDS: Setting = Setting::number("seconds", 600, 0..=315_360_000, "Seconds of absence; 0 for ever.");
const COUNTERS: Setting = Setting::word(
    "counters",
    &["kept", "anew"],
    "Whether its times in /proc/stat continue, or restart at 0 as with a CPU that a hypervisor adds.",
);

pub(super) const KIND: EventKind = EventKind {
    name: "cpu-hotplug",
    summary: "A CPU goes offline and returns; meanwhile per-CPU tables have no row or column for it.",
    settings: &[CPU, SECONDS, COUNTERS],
    falls: &[
        // The total over all CPUs.
        Fall { counters: "proc/stat cpu *", at: FallsAt::End },
        Fall { counters: "proc/uptime * 1", at: FallsAt::End },
        Fall { counters: "proc/stat cpu* *", at: FallsAt::Return },
    ],
    turns: |event| event.beginning_and_end(&SECONDS),
    turn,
};

fn turn(event: &Event, step: usize, machine: &mut Machine, scene: &Scene<'_>) -> Result<(), EventError> {
    let cpu = usize::try_from(event.number(&CPU)).unwrap_or(usize::MAX);
    let processor = &mut machine.processor;
    if cpu >= processor.cpus {
        let known: Vec<String> = processor.all_cpus().iter().map(usize::to_string).collect();
        return Err(event.no_such("CPU", &cpu.to_string(), &known));
    }
    if !processor.is_removable(cpu) {
        return Err(event.impossible(format!("CPU {cpu} cannot be taken away on this architecture")));
    }
    let is_away = processor.offline.contains(&cpu);
    match step {
        0 if !is_away => {
            if processor.offline.len() + 1 == processor.cpus {
                return Err(event.impossible(format!("CPU {cpu} is the last one")));
            }
            processor.offline.push(cpu);
            let begins_anew = event.number(&COUNTERS) == 1;
            machine.past.absences.push(Absence { cpu, from_micros: scene.micros, until_micros: None, begins_anew });
        }
        1 if is_away => {
            processor.offline.retain(|&offline| offline != cpu);
            let absences = machine.past.absences.iter_mut();
            absences.filter(|absence| absence.cpu == cpu && absence.until_micros.is_none()).for_each(|absence| {
                absence.until_micros = Some(scene.micros);
            });
        }
        // Already offline, or brought back by a reboot.
        _ => {}
    }
    Ok(())
}
