//! What happens to hosts: a machine that was started anew, a CPU or a disk that goes, a bond that fails over.
//!
//! An [`Event`] is a kind, a moment and settings, and part of the truth of a machine ([`Machine::with_events`]). It has
//! turns: moments at which it changes what the machine is made of. So the life of a host falls into eras, and within one
//! the machine is as constant as one without events: [`timeline`] makes the machine of any era out of the first one and
//! the turns before it. Nothing is remembered, and a moment of any era can be asked for in any order. What goes on
//! changing between turns (memory that leaks away) leaves a note in [`Past`], and `moment` makes numbers of it.
//!
//! # How to add a kind
//!
//! 1. Add `src/event/KIND.rs` with a `KIND`: its name, one line that says what it does, its settings, which counters
//!    fall by it (`tests/monotone/events.rs` holds it to that), its turns and what each of them does to the machine. A
//!    device that it names and that is not there is [`Event::no_such`].
//! 2. Add it to the table here. `tests/agreement/events.rs` puts every law to it, before, at and after its turns, on
//!    profiles that it is possible on.
//! 3. Say in `tests/events.rs` what it visibly does, and in `events.rs` of the harness what of that a page shows.

mod churn;
mod clock_step;
mod cpu_hotplug;
mod disks;
mod error;
mod fork_bomb;
mod links;
mod memory;
mod quirks;
mod reboot;
pub(crate) mod timeline;
mod usb;

use std::fmt;
use std::time::Duration;

use collectors::kit::nearest;

pub use error::EventError;
use timeline::Timeline;

use crate::machine::Machine;
use crate::past::{Absence, Failing, ForkBombStage, Growth, Past, Rebuild, State, Stint, Wrap};
use crate::profile::{Setting, Takes};
use crate::wave::{LAST_SECONDS, MICROS};

/// A kind of event.
pub struct EventKind {
    /// What it is called.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What of it can be set.
    pub settings: &'static [Setting],
    /// Which counters fall by it; all others go on, as they do where nothing happens.
    pub falls: &'static [Fall],
    /// When it changes what the machine is made of, in microseconds since 1970.
    turns: fn(&Event) -> Vec<u64>,
    /// Does so: the first, second and so on of them, at a moment.
    turn: fn(&Event, usize, &mut State, &Scene<'_>) -> Result<(), EventError>,
}

impl fmt::Debug for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventKind({})", self.name)
    }
}

/// Counters that fall by an event, or begin anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fall {
    /// Which: the path, the name of the row, or its number if it has none, and the column there, from 0 on. `*` is any
    /// part of these.
    pub counters: &'static str,
    /// When.
    pub at: FallsAt,
}

/// When counters fall by an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FallsAt {
    /// When it begins.
    Beginning,
    /// When it is over.
    End,
    /// When what was away is back as a new one.
    Return,
    /// When it begins, and again each time that they are full.
    Whenever,
}

impl fmt::Display for FallsAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Beginning => "when it begins",
            Self::End => "when it is over",
            Self::Return => "when it is back",
            Self::Whenever => "when it begins, and whenever they are full",
        })
    }
}

/// Where a turn takes place.
#[derive(Debug)]
struct Scene<'a> {
    /// In microseconds since 1970.
    micros: u64,
    /// The machine as it was made, before all events.
    first: &'a Machine,
}

/// All of them, in the order of their names.
static KINDS: [EventKind; 20] = [
    quirks::ATTRIBUTES,
    links::FAILOVER,
    clock_step::KIND,
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
    reboot::KIND,
    usb::DISK,
    usb::NETWORK,
];

/// Every kind of event that there is.
pub fn event_kinds() -> &'static [EventKind] {
    &KINDS
}

/// Something that happens to a host at a moment.
#[derive(Clone, Debug)]
pub struct Event {
    kind: &'static EventKind,
    at_micros: u64,
    /// In the order of the kind's settings.
    values: Vec<Value>,
}

/// What a setting is set to.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Value {
    /// A number, or the place of a word.
    Number(u64),
    /// Empty if nobody says.
    Name(String),
}

impl Event {
    /// An event of a kind ([`event_kinds`]) at a moment since 1970, with some of its settings changed. The error names
    /// what is nearest to a name that is not known, and what a setting takes.
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

    /// The kind of it.
    pub fn kind(&self) -> &'static EventKind {
        self.kind
    }

    /// When it begins, since 1970.
    pub fn at(&self) -> Duration {
        Duration::from_micros(self.at_micros)
    }

    /// The last setting of one counts.
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

    /// The value of a number, or the place of a word.
    ///
    /// # Panics
    /// When the kind does not declare the setting, which the tests of all kinds find.
    fn number(&self, setting: &Setting) -> u64 {
        match self.value(setting) {
            Value::Number(number) => *number,
            Value::Name(_) => 0,
        }
    }

    /// The name that was given, if one was.
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

    /// When it is over, in microseconds since 1970: so many seconds after it began, or never for none.
    fn end_micros(&self, seconds: &Setting) -> Option<u64> {
        match self.number(seconds) {
            0 => None,
            seconds => Some(self.at_micros.saturating_add(seconds * MICROS)),
        }
    }

    /// Its beginning and, if it has one, its end.
    fn beginning_and_end(&self, seconds: &Setting) -> Vec<u64> {
        std::iter::once(self.at_micros).chain(self.end_micros(seconds)).collect()
    }

    /// The error that says what of these was probably meant by a name.
    fn no_such(&self, what: &'static str, name: &str, known: &[String]) -> EventError {
        let nearest = nearest::among(name, known.iter().map(String::as_str)).map(str::to_owned);
        EventError::NoSuch { kind: self.kind.name, what, name: name.to_owned(), nearest, known: known.to_vec() }
    }

    /// The error that says why this cannot happen to a machine.
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
    fn what_is_not_known_is_refused_with_what_is() {
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
    fn what_a_host_does_not_have_is_refused_with_what_it_has() {
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
        refuse(
            "frequency-unknown",
            &[],
            "event frequency-unknown: nobody chooses the frequency of the CPUs of this host",
        );
    }

    #[test]
    fn every_setting_takes_what_it_says_and_nothing_beyond() {
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
    fn kinds_stand_in_order_and_say_what_they_do() {
        assert!(event_kinds().is_sorted_by(|one, next| one.name < next.name), "{:?}", event_kinds());
        assert!(event_kinds().iter().all(|kind| kind.summary.ends_with('.') && !kind.summary.contains('\n')));
    }
}
