//! Pod and container churn.

use super::{Event, EventKind};
use crate::machine::{Machine, Tenant, Tenants};
use crate::profile::Setting;
use crate::wave::MICROS;

const PER_HOUR: Setting = Setting::number("per_hour", 60, 0..=36_000, "Replacements per hour; 0 ends the churn.");

pub(super) const KIND: EventKind = EventKind {
    name: "pod-churn",
    summary: "Pods or containers are replaced at a rate per hour, with their devices, cgroups, mounts and namespaces.",
    settings: &[PER_HOUR],
    falls: &[],
    turns: |event| vec![event.at_micros],
    // Changes are continuous: `churn` computes them, not turns.
    turn: |event, _, machine, _| match &machine.pods {
        Some(pods) if pods.count > 0 => Ok(()),
        _ => Err(event.impossible("the host has no pods or containers")),
    },
};

const HOUR_MICROS: u64 = 3_600 * MICROS;

/// Period with a constant churn rate per hour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Churn {
    from_micros: u64,
    per_hour: u64,
}

impl Churn {
    /// Churn of an event, if it is of this kind.
    pub(super) fn of(event: &Event) -> Option<Self> {
        let is_churn = event.kind.name == KIND.name;
        is_churn.then(|| Self { from_micros: event.at_micros, per_hour: event.number(&PER_HOUR) })
    }

    /// Number of replacements up to a time.
    fn count(self, micros: u64) -> u64 {
        let passed = u128::from(micros.saturating_sub(self.from_micros)) * u128::from(self.per_hour);
        u64::try_from(passed / u128::from(HOUR_MICROS)).unwrap_or(u64::MAX)
    }

    /// Time of the replacement of an index.
    fn moment(self, count: u64) -> u64 {
        let passed = u128::from(count) * u128::from(HOUR_MICROS);
        self.from_micros + u64::try_from(passed.div_ceil(u128::from(self.per_hour.max(1)))).unwrap_or(u64::MAX)
    }
}

/// Periods with their ends, each the start of the next.
fn spans(churns: &[Churn], micros: u64) -> impl Iterator<Item = (Churn, u64)> {
    let ends = churns.iter().skip(1).map(|next| next.from_micros).chain([u64::MAX]);
    churns.iter().copied().zip(ends).map(move |(churn, end)| (churn, end.min(micros)))
}

/// Number of replacements up to a time over all periods.
pub(super) fn changes(churns: &[Churn], micros: u64) -> u64 {
    spans(churns, micros).map(|(churn, end)| churn.count(end)).sum()
}

/// Time of a replacement by index from 0.
fn moment_of(churns: &[Churn], mut number: u64) -> u64 {
    for (churn, end) in spans(churns, u64::MAX) {
        let in_span = churn.count(end);
        if number < in_span {
            return churn.moment(number + 1);
        }
        number -= in_span;
    }
    u64::MAX
}

/// Occupant of each pod slot at a time. Slots are replaced in a scattered order.
pub(super) fn tenants(churns: &[Churn], micros: u64, first: &Machine) -> Tenants {
    let count = first.pods.as_ref().map_or(0, |pods| pods.count);
    let (places, seed, changes) = ((count as u64).max(1), first.seed.of("churn"), changes(churns, micros));
    let is_fit = |stride: &u64| greatest_common_divisor(*stride, places) == 1;
    let stride = (1 + seed.of("stride").below(places)..=2 * places).find(is_fit).unwrap_or(1);
    let offset = seed.of("offset").below(places);
    let mut tenants = Tenants::new(count);
    for turn in (0..places).take_while(|turn| *turn < changes) {
        let place = usize::try_from((turn * stride + offset) % places).unwrap_or_default();
        let rounds = (changes - 1 - turn) / places;
        tenants.set(place, Tenant { number: rounds + 1, born_micros: moment_of(churns, turn + rounds * places) });
    }
    tenants
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
