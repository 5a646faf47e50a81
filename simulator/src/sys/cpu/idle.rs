//! /sys/devices/system/cpu/cpu*/cpuidle and /sys/devices/system/cpu/cpuidle

use crate::layout::{Content, Group, Part, Table};
use crate::machine::{Cpu, IdleState, Machine};
use crate::moment::Moment;
use crate::text::put_line;

pub(in crate::sys) const GROUPS: Table = &[
    &Group::of_host(
        "devices/system/cpu/cpuidle",
        &[
            ("available_governors", Content::File(|_, _, into| put_line!(into, "menu teo"))),
            ("current_driver", Content::File(|_, m, into| put_line!(into, "{}", m.machine.processor.idle_driver()))),
            ("current_governor", Content::File(|_, _, into| put_line!(into, "menu"))),
        ],
    ),
    &Group::<CpuIdleState<'static>> {
        under: "devices/system/cpu",
        parts: |machine| Box::new(CpuIdleState::each(machine)),
        path: |of, _| format!("cpu{}/cpuidle/state{}", of.cpu, of.number).into(),
        entries: &[
            ("above", Content::File(|of, m, into| put_line!(into, "{}", of.usage(m) / 40))),
            ("below", Content::File(|of, m, into| put_line!(into, "{}", of.usage(m) / 90))),
            ("default_status", Content::File(|_, _, into| put_line!(into, "enabled"))),
            ("desc", Content::File(|of, _, into| put_line!(into, "{}", of.state.description))),
            ("disable", Content::File(|_, _, into| put_line!(into, "0"))),
            ("latency", Content::File(|of, _, into| put_line!(into, "{}", of.state.latency_micros))),
            ("name", Content::File(|of, _, into| put_line!(into, "{}", of.state.name))),
            ("power", Content::File(|_, _, into| put_line!(into, "0"))),
            ("rejected", Content::File(|_, _, into| put_line!(into, "0"))),
            ("residency", Content::File(|of, _, into| put_line!(into, "{}", of.state.latency_micros * 2))),
            ("time", Content::File(|of, m, into| put_line!(into, "{}", of.micros(m)))),
            ("usage", Content::File(|of, m, into| put_line!(into, "{}", of.usage(m)))),
        ],
    },
];

/// An idle state of a CPU.
#[derive(Clone, Copy)]
struct CpuIdleState<'a> {
    cpu: Cpu,
    state: &'a IdleState,
    /// The number of the state among those of the CPU.
    number: usize,
}

impl Part for CpuIdleState<'static> {
    type Of<'a> = CpuIdleState<'a>;
}

impl<'a> CpuIdleState<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        let states = || machine.processor.idle_states.iter().enumerate();
        machine.processor.online().flat_map(move |cpu| states().map(move |(number, state)| Self { cpu, state, number }))
    }

    /// The time that the CPU spent in the state.
    fn micros(self, moment: &Moment<'_>) -> u64 {
        moment.idle_micros(self.cpu) / 1_000 * self.state.share_permille
    }

    /// How often the CPU entered the state.
    fn usage(self, moment: &Moment<'_>) -> u64 {
        self.micros(moment) / (self.state.latency_micros * 40 + 300)
    }
}
