//! Events of a simulated host: reboot, CPU or disk removal, bond failover and others.
//!
//! An [`Event`] is a kind, a time and settings, and part of a machine ([`Machine::with_events`]). Its turns are the times at
//! which it changes the machine, and divide the life of a host into eras with a constant machine each. [`timeline`] derives
//! the machine of an era from the first machine and the turns before it, without stored state. Effects that change between
//! turns, such as a memory leak, are recorded in [`Past`], from which `moment` computes numbers.
//!
//! # How to add a kind
//!
//! 1. Add `src/event/KIND.rs` with a `KIND`: name, one-line summary, settings, counters that fall (checked by
//!    `tests/monotone/events.rs`), turns, and the effect of each turn on the machine. [`Event::no_such`] is the error for a
//!    device that the host does not have.
//! 2. Add it to the table below. `tests/agreement/events.rs` checks every law before, at and after its turns, on profiles
//!    that it can happen to.
//! 3. Test its visible effect in `tests/events.rs`, and its effect on the metrics page in `harness/tests/events.rs`.

mod churn;
mod cpu_hotplug;
mod disks;
mod error;
mod fork_bomb;
mod links;
mod memory;
mod quirks;
mod time;
pub(crate) mod timeline;
mod unit;
mod usb;

use std::fmt;
use std::time::Duration;

use collectors::kit::nearest;

pub use error::EventError;
use timeline::Timeline;

use crate::machine::Machine;
use crate::past::{Absence, Drifting, Failing, ForkBombStage, Growth, Past, Rebuild, State, Stint, Wrap};
use crate::profile::{Setting, Takes};
use crate::wave::{LAST_SECONDS, MICROS};

/// Kind of an event.
pub struct EventKind {
    /// Name.
    pub name: &'static str,
    /// One-line description.
    pub summary: &'static str,
    /// Settings.
    pub settings: &'static [Setting],
    /// Counters that fall. All others keep rising.
    pub falls: &'static [Fall],
    /// Times at which it changes the machine, in microseconds since 1970.
    turns: fn(&Event) -> Vec<u64>,
    /// Applies the turn of an index to the state.
    turn: fn(&Event, usize, &mut State, &Scene<'_>) -> Result<(), EventError>,
}

impl fmt::Debug for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventKind({})", self.name)
    }
}

/// Counters that fall or restart because of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fall {
    /// Path, row name (or row number) and column from 0. `*` matches any part.
    pub counters: &'static str,
    /// Time.
    pub at: FallsAt,
}

/// Time at which counters fall.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FallsAt {
    /// Start of the event.
    Beginning,
    /// End of the event.
    End,
    /// When a removed part returns as a new one.
    Return,
    /// Start of the event, and each later overflow.
    Whenever,
}

impl fmt::Display for FallsAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Beginning => "at the start",
            Self::End => "at the end",
            Self::Return => "at the return",
            Self::Whenever => "at the start, and at each overflow",
        })
    }
}

/// Context of a turn.
#[derive(Debug)]
struct Scene<'a> {
    /// Time in microseconds since 1970.
    micros: u64,
    /// Machine before all events.
    first: &'a Machine,
}

/// Every kind, sorted by name.
static KINDS: [EventKind; 22] = [
    quirks::ATTRIBUTES,
    links::FAILOVER,
    time::CLOCK_STEP,
    time::CLOCK_UNSYNCHRONISED,
    quirks::WRAP,
    cpu_hotplug::KIND,
    disks::FAILS,
    disks::HOTPLUG,
    quirks::FABRIC,
    fork_bomb::KIND,
    quirks::FREQUENCY,
    quirks::INTERRUPTS,
    quirks::IOWAIT_FALLS,
    disks::REBUILD,
    memory::LEAK,
    links::HOTPLUG,
    memory::OUT_OF_MEMORY,
    churn::KIND,
    time::REBOOT,
    unit::FAILS,
    usb::DISK,
    usb::NETWORK,
];

/// Every kind of event.
pub fn event_kinds() -> &'static [EventKind] {
    &KINDS
}

/// Event that happens to a host at a time.
#[derive(Clone, Debug)]
pub struct Event {
    kind: &'static EventKind,
    at_micros: u64,
    /// Values in the order of the kind's settings.
    values: Vec<Value>,
}

/// Value of a setting.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Value {
    /// Number, or index of a choice.
    Number(u64),
    /// Name; empty for the default.
    Name(String),
}

impl Event {
    /// Creates an event of a kind ([`event_kinds`]) at a time since 1970, with settings changed from their defaults. The error
    /// suggests the nearest known name, or says which values a setting takes.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let at = Duration::from_secs(1_700_000_000);
    /// let event = simulator::Event::of("cpu-hotplug", at, &[("cpu", "2"), ("seconds", "60")]).unwrap();
    /// let error = simulator::Event::of("cpu-hotplug", at, &[("cpus", "2")]).unwrap_err();
    /// assert_eq!(error.to_string(), "event cpu-hotplug has no setting `cpus`; did you mean `cpu`?");
    /// let machine = simulator::Machine::vm(1).with_events(vec![event]).unwrap();
    /// # let _ = machine;
    /// ```
    pub fn of(kind: &str, at: Duration, settings: &[(&str, &str)]) -> Result<Self, EventError> {
        let known = || KINDS.iter().map(|kind| kind.name);
        let found = KINDS
            .iter()
            .find(|known| known.name == kind)
            .ok_or_else(|| EventError::UnknownKind { name: kind.to_owned(), nearest: nearest::among(kind, known()) })?;
        let latest = Duration::from_secs(LAST_SECONDS);
        let at_micros = u64::try_from(at.min(latest).as_micros()).unwrap_or(u64::MAX);
        let mut event = Self { kind: found, at_micros, values: found.settings.iter().map(Value::default_of).collect() };
        for (key, value) in settings {
            event.set(key, value)?;
        }
        Ok(event)
    }

    /// Name of its kind.
    pub fn kind(&self) -> &'static EventKind {
        self.kind
    }

    /// Start time since 1970.
    pub fn at(&self) -> Duration {
        Duration::from_micros(self.at_micros)
    }

    /// Of repeated settings the last one applies.
    fn set(&mut self, key: &str, value: &str) -> Result<(), EventError> {
        let EventKind { name: kind, settings, .. } = *self.kind;
        let place = settings.iter().position(|setting| setting.key == key);
        let Some((setting, held)) = place.and_then(|at| Some((settings.get(at)?, self.values.get_mut(at)?))) else {
            let nearest = nearest::among(key, settings.iter().map(|setting| setting.key));
            return Err(EventError::UnknownSetting { kind, key: key.to_owned(), nearest });
        };
        let parsed = match setting.takes {
            Takes::Name => Some(Value::Name(value.to_owned())).filter(|_| !value.is_empty()),
            Takes::Number { .. } | Takes::Word(_) => setting.parse(value).map(Value::Number),
        };
        *held = parsed.ok_or_else(|| EventError::Refused { kind, setting: *setting, value: value.to_owned() })?;
        Ok(())
    }

    /// Value of a number setting, or index of a choice.
    ///
    /// # Panics
    /// Panics if the kind does not declare the setting; the tests of all kinds detect that.
    fn number(&self, setting: &Setting) -> u64 {
        match self.value(setting) {
            Value::Number(number) => *number,
            Value::Name(_) => 0,
        }
    }

    /// Value of a name setting, if it is given.
    ///
    /// # Panics
    /// As [`Self::number`].
    fn name(&self, setting: &Setting) -> Option<&str> {
        match self.value(setting) {
            Value::Name(name) if !name.is_empty() => Some(name),
            Value::Name(_) | Value::Number(_) => None,
        }
    }

    fn value(&self, setting: &Setting) -> &Value {
        let place = self.kind.settings.iter().position(|known| known.key == setting.key);
        let value = place.and_then(|place| self.values.get(place));
        value.unwrap_or_else(|| panic!("event {} declares {}", self.kind.name, setting.key))
    }

    /// End time in microseconds since 1970: start plus a setting in seconds, or never if that is 0.
    fn end_micros(&self, seconds: &Setting) -> Option<u64> {
        match self.number(seconds) {
            0 => None,
            seconds => Some(self.at_micros.saturating_add(seconds * MICROS)),
        }
    }

    /// Start and, if it has one, end.
    fn beginning_and_end(&self, seconds: &Setting) -> Vec<u64> {
        std::iter::once(self.at_micros).chain(self.end_micros(seconds)).collect()
    }

    /// Error for an unknown name, with the nearest known one.
    fn no_such(&self, what: &'static str, name: &str, known: &[String]) -> EventError {
        let nearest = nearest::among(name, known.iter().map(String::as_str)).map(str::to_owned);
        EventError::NoSuch { kind: self.kind.name, what, name: name.to_owned(), nearest, known: known.to_vec() }
    }

    /// Error for an event that cannot happen to a machine.
    fn impossible(&self, why: impl Into<String>) -> EventError {
        EventError::Impossible { kind: self.kind.name, why: why.into() }
    }
}

impl Value {
    fn default_of(setting: &Setting) -> Self {
        match setting.takes {
            Takes::Name => Self::Name(String::new()),
            Takes::Number { .. } | Takes::Word(_) => Self::Number(setting.default()),
        }
    }
}

/// A machine and the events that happen to it.
#[derive(Clone, Debug)]
pub struct ScriptedMachine {
    pub(crate) machine: Machine,
    pub(crate) timeline: Timeline,
}

impl From<Machine> for ScriptedMachine {
    fn from(machine: Machine) -> Self {
        Self { machine, timeline: Timeline::default() }
    }
}

impl ScriptedMachine {
    /// Adds events, after those that were added before. An event before the boot of the host has happened when it
    /// boots. The error names the device that an event needs and the host lacks, and the devices that it has.
    pub fn with_events(self, events: Vec<Event>) -> Result<Self, EventError> {
        let timeline = self.timeline.with(events);
        timeline.state_at(&self.machine, u64::MAX)?;
        Ok(Self { timeline, ..self })
    }

    /// The events, in the order in which they were added.
    pub fn events(&self) -> &[Event] {
        self.timeline.events()
    }

    /// The machine before all events.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }
}

impl Machine {
    /// This machine with events: see [`ScriptedMachine::with_events`].
    pub fn with_events(self, events: Vec<Event>) -> Result<ScriptedMachine, EventError> {
        ScriptedMachine::from(self).with_events(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Duration = Duration::from_secs(1_700_000_000);

    #[track_caller]
    fn refuse(kind: &str, settings: &[(&str, &str)], expected: &str) {
        let host = || Machine::of("vm", 1, &[]).expect("a profile as it is");
        let error = Event::of(kind, AT, settings).and_then(|event| host().with_events(vec![event]).map(drop));
        assert_eq!(error.map_err(|error| error.to_string()), Err(expected.to_owned()), "{kind} {settings:?}");
    }

    #[test]
    fn unknown_names_are_refused_with_known_ones() {
        refuse("rebot", &[], "no event is called `rebot`; did you mean `reboot`?");
        let all = KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ");
        let error = Event::of("earthquake", AT, &[]).unwrap_err().to_string();
        let first = all.split(", ").take(12).collect::<Vec<_>>().join(", ");
        assert_eq!(error, format!("no event is called `earthquake`; there are {first} and {} more", KINDS.len() - 12));
        refuse("fork-bomb", &[("process", "9")], "event fork-bomb has no setting `process`; did you mean `processes`?");
        refuse("reboot", &[("elephants", "9")], "event reboot has no setting `elephants`; there are kernel");
        let numbers = "expected a whole number from 1 to 16777216, found `many`";
        refuse(
            "memory-leak",
            &[("mebibytes_per_hour", "many")],
            &format!("event memory-leak: mebibytes_per_hour: {numbers}"),
        );
        refuse(
            "clock-step",
            &[("direction", "up")],
            "event clock-step: direction: expected one of forward, back, found `up`",
        );
        refuse("bond-failover", &[("bond", "")], "event bond-failover: bond: expected a name, found ``");
    }

    #[test]
    fn missing_parts_are_refused_with_existing_ones() {
        refuse(
            "bond-failover",
            &[("bond", "bond1")],
            "event bond-failover: the host has no bond `bond1`; did you mean `bond0`?",
        );
        refuse(
            "nic-hotplug",
            &[("device", "eth9")],
            "event nic-hotplug: the host has no network device `eth9`; did you mean `eth0`?",
        );
        refuse(
            "disk-failing",
            &[("device", "elephant")],
            "event disk-failing: the host has no disk `elephant`; there are vda, vdb",
        );
        refuse("disk-hotplug", &[("device", "vda")], "event disk-hotplug: vda cannot be spared: / needs it");
        refuse("md-rebuild", &[], "event md-rebuild: the host has no array ``; there is none");
        refuse("cpu-hotplug", &[("cpu", "4")], "event cpu-hotplug: the host has no CPU `4`; there are 0, 1, 2, 3");
        refuse("cpu-hotplug", &[("cpu", "0")], "event cpu-hotplug: CPU 0 cannot be taken away on this architecture");
        let side = "expected a release that is 5.4 or newer, found `4.18.0`";
        refuse("reboot", &[("kernel", "4.18.0")], &format!("event reboot: kernel: {side}"));
        refuse("frequency-unknown", &[], "event frequency-unknown: the CPUs of this host have no frequency scaling");
    }

    #[test]
    fn settings_accept_values_within_their_limits_only() {
        for kind in event_kinds() {
            for setting in kind.settings {
                let make = |value: &str| Event::of(kind.name, AT, &[(setting.key, value)]).map(drop);
                match setting.takes {
                    Takes::Number { least, most, .. } => {
                        assert!(
                            make(&least.to_string()).is_ok() && make(&most.to_string()).is_ok(),
                            "{kind:?} {}",
                            setting.key
                        );
                        let below = least.checked_sub(1).map_or("-1".to_owned(), |below| below.to_string());
                        assert!(
                            make(&below).is_err() && make(&(most + 1).to_string()).is_err(),
                            "{kind:?} {}",
                            setting.key
                        );
                    }
                    Takes::Word(words) => assert!(words.iter().all(|word| make(word).is_ok()) && make("").is_err()),
                    Takes::Name => assert!(make("x").is_ok() && make("").is_err()),
                }
                assert!(setting.doc.ends_with('.'), "{kind:?} {}", setting.key);
            }
        }
    }

    #[test]
    fn kinds_are_sorted_and_documented() {
        assert!(event_kinds().is_sorted_by(|one, next| one.name < next.name), "{:?}", event_kinds());
        assert!(event_kinds().iter().all(|kind| kind.summary.ends_with('.') && !kind.summary.contains('\n')));
    }
}
