//! /sys/devices/system/cpu/cpu*/cpuidle and /sys/devices/system/cpu/cpuidle

use crate::layout::{Group, What, once};
use crate::machine::IdleState;
use crate::moment::Moment;
use crate::text::put_line;

pub(in crate::sys) static GROUPS: [Group; 2] = [
    Group {
        under: "devices/system/cpu/cpuidle",
        each: once,
        entries: &[
            ("available_governors", What::File(|_, _, into| put_line!(into, "menu teo"))),
            ("current_driver", What::File(|m, _, into| put_line!(into, "{}", m.machine.processor.idle_driver()))),
            ("current_governor", What::File(|_, _, into| put_line!(into, "menu"))),
        ],
    },
    Group {
        under: "devices/system/cpu",
        each: each_state,
        entries: &[
            ("above", What::File(|m, i, into| put_line!(into, "{}", idle(m, i).2 / 40))),
            ("below", What::File(|m, i, into| put_line!(into, "{}", idle(m, i).2 / 90))),
            ("default_status", What::File(|_, _, into| put_line!(into, "enabled"))),
            ("desc", What::File(|m, i, into| put_line!(into, "{}", idle(m, i).0.description))),
            ("disable", What::File(|_, _, into| put_line!(into, "0"))),
            ("latency", What::File(|m, i, into| put_line!(into, "{}", idle(m, i).0.latency_micros))),
            ("name", What::File(|m, i, into| put_line!(into, "{}", idle(m, i).0.name))),
            ("power", What::File(|_, _, into| put_line!(into, "0"))),
            ("rejected", What::File(|_, _, into| put_line!(into, "0"))),
            ("residency", What::File(|m, i, into| put_line!(into, "{}", idle(m, i).0.latency_micros * 2))),
            ("time", What::File(|m, i, into| put_line!(into, "{}", idle(m, i).1))),
            ("usage", What::File(|m, i, into| put_line!(into, "{}", idle(m, i).2))),
        ],
    },
];

/// A thing here is a state of a CPU: the number of the CPU times this, and the place of the state.
const STATES_MAX: usize = 16;

fn each_state(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    let processor = &moment.machine.processor;
    for cpu in processor.online() {
        for place in 0..processor.idle_states.len().min(STATES_MAX) {
            visit(cpu * STATES_MAX + place, format!("cpu{cpu}/cpuidle/state{place}").as_bytes());
        }
    }
}

/// The state, microseconds that the CPU has spent in it, and how often it went there.
fn idle(moment: &Moment<'_>, index: usize) -> (IdleState, u64, u64) {
    let state = moment.machine.processor.idle_states.get(index % STATES_MAX).copied().unwrap_or_default();
    let micros = moment.idle_micros(index / STATES_MAX) / 1_000 * state.share_permille;
    (state, micros, micros / (state.latency_micros * 40 + 300))
}
