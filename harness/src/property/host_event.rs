//! Events of random hosts: every kind, before and between the two scrapes.

use std::fmt::Write as _;
use std::time::Duration;

use proptest::prelude::*;
use simulator::{Event, EventKind, Setting, Takes, event_kinds};

/// Maximum default duration of an event.
const LASTS_MAX: Duration = Duration::from_secs(7_200);

/// The counters of these events fall again and again, also before and after the time of the event.
const GO_ON: [&str; 3] = ["counter-wrap", "interrupts-beyond-32-bits", "pod-churn"];

/// An event, for hosts that allow it.
#[derive(Clone, Debug)]
pub(super) struct HostEvent {
    kind: &'static EventKind,
    when: EventTime,
    settings: Vec<(&'static str, String)>,
}

/// Time of an event, relative to the two scrapes.
#[derive(Clone, Copy, Debug)]
enum EventTime {
    /// Seconds before the first scrape.
    Before(u64),
    /// Between the scrapes, in thousandths of the interval.
    Between(u64),
}

/// Settings are at most their defaults, so that hosts stay small and events short.
pub(super) fn host_events() -> impl Strategy<Value = HostEvent> {
    let kinds: Vec<&'static EventKind> = event_kinds().iter().collect();
    let when = prop_oneof![(1_u64..86_400).prop_map(EventTime::Before), (1_u64..=1_000).prop_map(EventTime::Between)];
    (prop::sample::select(kinds), when).prop_flat_map(|(kind, when)| {
        // An event without a name picks its own target.
        let settings = kind.settings.iter().filter(|setting| setting.takes != Takes::Name).collect::<Vec<_>>();
        let chosen = prop::sample::subsequence(settings.clone(), 0..=settings.len());
        let set =
            chosen.prop_flat_map(|chosen| chosen.into_iter().map(|setting| value(setting, None)).collect::<Vec<_>>());
        set.prop_map(move |settings| HostEvent { kind, when, settings })
    })
}

impl HostEvent {
    fn at_seconds(&self, first: u64, later: u64) -> u64 {
        match self.when {
            EventTime::Before(seconds) => first - seconds,
            EventTime::Between(thousandths) => first + (later * thousandths).div_ceil(1_000),
        }
    }

    /// The event on a host that is scraped at `first`, and again `later` seconds after.
    ///
    /// # Panics
    /// If its kind refuses a setting of its own range.
    pub(super) fn event(&self, first: u64, later: u64) -> Event {
        let settings: Vec<(&str, &str)> = self.settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let at = Duration::from_secs(self.at_seconds(first, later));
        Event::of(self.kind.name, at, &settings).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The event as an entry of a scenario file.
    pub(super) fn write(&self, first: u64, later: u64, text: &mut String) {
        let at = self.at_seconds(first, later);
        let _ = write!(text, "\n[[event]]\nat = {at}\nkind = '{}'\n", self.kind.name);
        for (key, value) in &self.settings {
            let _ = writeln!(text, "{key} = '{value}'");
        }
    }
}

/// Whether an event may make a counter fall between two times.
pub(super) fn may_lower_counters(event: &Event, from: Duration, until: Duration) -> bool {
    let reach = event.at().saturating_sub(LASTS_MAX)..=event.at() + LASTS_MAX;
    GO_ON.contains(&event.kind().name) || (*reach.start() <= until && *reach.end() >= from)
}

/// A value of a setting: numbers are at most `number_max`, or at most their default.
pub(super) fn value(setting: &'static Setting, number_max: Option<u64>) -> BoxedStrategy<(&'static str, String)> {
    match setting.takes {
        Takes::Number { least, most, default } => {
            let largest = number_max.map_or(default, |number_max| most.min(least.max(number_max)));
            (least..=largest).prop_map(|number| (setting.key, number.to_string())).boxed()
        }
        // Names depend on the host; an event without a name picks its own target.
        Takes::Name => unreachable!("{} is a name", setting.key),
        Takes::Word(words) => prop::sample::select(words).prop_map(|word| (setting.key, (*word).to_owned())).boxed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: &str, at: u64, expected: bool) {
        let event = Event::of(kind, Duration::from_secs(at), &[]).unwrap();
        let [from, until] = [1_000_000, 1_000_060].map(Duration::from_secs);
        assert_eq!(may_lower_counters(&event, from, until), expected, "{kind} at {at}");
    }

    #[test]
    fn an_event_may_make_counters_fall_while_it_lasts() {
        let lasts = LASTS_MAX.as_secs();
        check("reboot", 1_000_030, true);
        check("reboot", 1_000_000 - lasts, true);
        check("reboot", 1_000_000 - lasts - 1, false);
        check("reboot", 1_000_060 + lasts, true);
        check("reboot", 1_000_061 + lasts, false);
        check("pod-churn", 1, true);
    }

    #[test]
    fn the_declared_durations_of_events_are_right() {
        let kinds = event_kinds();
        assert!(GO_ON.iter().all(|name| kinds.iter().any(|kind| kind.name == *name)), "{GO_ON:?}");
        let seconds = kinds.iter().flat_map(|kind| kind.settings).filter(|setting| setting.key.ends_with("seconds"));
        for setting in seconds {
            let Takes::Number { default, .. } = setting.takes else { panic!("{}: no number", setting.key) };
            assert!(Duration::from_secs(default) <= LASTS_MAX, "{} is {default}", setting.key);
        }
    }
}
