//! Declared metric families: the only names under which a collector can emit.

use std::marker::PhantomData;

use super::label::Labels;

/// The type of a family, as its TYPE line states it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A value that rises and falls.
    Gauge,
    /// A value that only rises.
    Counter,
    /// A value of unknown type.
    Untyped,
    /// Observations in buckets; foreign families only.
    Histogram,
    /// Observations as quantiles; foreign families only.
    Summary,
}

impl Kind {
    /// The word of the TYPE line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Untyped => "untyped",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }
}

/// Marks a [`Family`] of gauges.
#[derive(Clone, Copy, Debug)]
pub struct Gauge;
/// Marks a [`Family`] of counters.
#[derive(Clone, Copy, Debug)]
pub struct Counter;
/// Marks a [`Family`] without a type.
#[derive(Clone, Copy, Debug)]
pub struct Untyped;
/// Marks a [`Family`] of a table, whose row states the type.
#[derive(Clone, Copy, Debug)]
pub struct Tabled;

/// The marker types that stand for a [`Kind`].
pub trait Kinded {
    /// The kind that the marker stands for.
    const KIND: Kind;
}

impl Kinded for Gauge {
    const KIND: Kind = Kind::Gauge;
}
impl Kinded for Counter {
    const KIND: Kind = Kind::Counter;
}
impl Kinded for Untyped {
    const KIND: Kind = Kind::Untyped;
}

/// A declared family without its type parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FamilyInfo {
    /// The metric name; for a [`Prefix`], the start of its metric names.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// The label names, in alphabetical order, as the page prints them.
    pub labels: &'static [&'static str],
    /// The HELP text; for a [`Prefix`], `{}` stands for the rest of the name.
    pub help: &'static str,
    /// Whether two scrapes of an unchanged host give different values. Comparisons of pages leave such a family out.
    pub is_volatile: bool,
}

impl FamilyInfo {
    /// The initial value of arrays of families.
    pub const UNNAMED: Self = Self { name: "", kind: Kind::Untyped, labels: &[], help: "", is_volatile: false };
}

/// Marks the type parameters of a family.
type Marks<C, K, L> = PhantomData<fn() -> (C, K, L)>;

/// A family of collector `C`, of type `K`, with the labels `L`.
///
/// Names, labels and help are checked at compile time. A counter's name ends in `_total`, unless node_exporter's name has
/// to be kept ([`Family::kept`]):
///
/// ```
/// use collectors::kit::family::{Counter, Family};
/// const FINE: Family<(), Counter, ()> = Family::new(0, "node_reads_total", "Reads.");
/// # let _ = FINE;
/// ```
/// ```compile_fail,E0080
/// use collectors::kit::family::{Counter, Family};
/// const NO_TOTAL: Family<(), Counter, ()> = Family::new(0, "node_reads", "Reads.");
/// # let _ = NO_TOTAL;
/// ```
/// ```compile_fail,E0080
/// use collectors::kit::family::{Family, Gauge};
/// const NO_BASE_UNIT: Family<(), Gauge, ()> = Family::new(0, "node_delay_milliseconds", "Delay.");
/// # let _ = NO_BASE_UNIT;
/// ```
/// ```compile_fail,E0080
/// use collectors::kit::family::{Counter, Family};
/// collectors::label_sets! { PerMode { mode, cpu } }
/// const UNSORTED: Family<(), Counter, PerMode<'static>> = Family::new(0, "node_x_total", "X.");
/// # let _ = UNSORTED;
/// ```
pub struct Family<C, K, L> {
    slot: usize,
    info: FamilyInfo,
    marks: Marks<C, K, L>,
}

typed_constant!(Family<C, K, L>);

impl<C, K: Kinded, L: Labels> Family<C, K, L> {
    /// A family whose name follows today's rules. `slot` is its position in its collector's declaration.
    pub const fn new(slot: usize, name: &'static str, help: &'static str) -> Self {
        let kind = K::KIND;
        assert!(
            !matches!(kind, Kind::Counter) || ends_with(name, "_total"),
            "a counter's name ends in `_total`; write `kept` where node_exporter's does not"
        );
        assert!(
            matches!(kind, Kind::Counter) || !ends_with(name, "_total"),
            "only a counter's name ends in `_total`; write `kept` where node_exporter's does otherwise"
        );
        check_unit(name);
        Self::kept(slot, name, help)
    }

    /// A family whose values depend on the scrape itself, such as its duration.
    pub const fn volatile(slot: usize, name: &'static str, help: &'static str) -> Self {
        let steady = Self::new(slot, name, help);
        Self { info: FamilyInfo { is_volatile: true, ..steady.info }, ..steady }
    }

    /// A family whose name breaks today's rules and is kept because dashboards query it.
    pub const fn kept(slot: usize, name: &'static str, help: &'static str) -> Self {
        check_name(name);
        check_labels(L::NAMES);
        check_help(help);
        let info = FamilyInfo { name, kind: K::KIND, labels: L::NAMES, help, is_volatile: false };
        Self { slot, info, marks: PhantomData }
    }

    /// The family as a row of a table, which forgets the type: the row has stated it.
    pub const fn tabled(self) -> Family<C, Tabled, L> {
        Family { slot: self.slot, info: self.info, marks: PhantomData }
    }
}

impl<C, K, L> Family<C, K, L> {
    /// The family without its type parameters.
    pub const fn info(&self) -> FamilyInfo {
        self.info
    }

    pub(crate) const fn slot(&self) -> usize {
        self.slot
    }
}

/// Families that the kernel names: `C` owns every name that starts with the prefix.
pub struct Prefix<C, K, L> {
    info: FamilyInfo,
    marks: Marks<C, K, L>,
}

typed_constant!(Prefix<C, K, L>);

impl<C, K: Kinded, L: Labels> Prefix<C, K, L> {
    /// All names that start with `prefix`, which ends in `_`. `{}` in the help text is the rest of the name.
    pub const fn new(prefix: &'static str, help: &'static str) -> Self {
        check_name(prefix);
        assert!(ends_with(prefix, "_"), "a prefix ends in `_`");
        check_labels(L::NAMES);
        check_help(help);
        let info = FamilyInfo { name: prefix, kind: K::KIND, labels: L::NAMES, help, is_volatile: false };
        Self { info, marks: PhantomData }
    }

    /// The prefix without its type parameters.
    pub const fn info(&self) -> FamilyInfo {
        self.info
    }
}

const fn ends_with(text: &str, end: &str) -> bool {
    let (text, end) = (text.as_bytes(), end.as_bytes());
    if text.len() < end.len() {
        return false;
    }
    let offset = text.len() - end.len();
    let mut at = 0;
    while at < end.len() {
        if text[offset + at] != end[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Units that have a base unit to be used in their place.
const NO_BASE_UNITS: &[&str] = &[
    "_milliseconds",
    "_microseconds",
    "_nanoseconds",
    "_minutes",
    "_hours",
    "_kilobytes",
    "_kb",
    "_megabytes",
    "_percent",
    "_bits_total",
    "_ms",
    "_us",
    "_mhz",
    "_millivolts",
];

const fn check_unit(name: &str) {
    let mut at = 0;
    while at < NO_BASE_UNITS.len() {
        assert!(!ends_with(name, NO_BASE_UNITS[at]), "use the base unit: seconds, bytes, hertz, ratio, volts");
        at += 1;
    }
}

const fn check_name(name: &str) {
    let bytes = name.as_bytes();
    assert!(!bytes.is_empty() && !bytes[0].is_ascii_digit(), "a metric name begins with a letter or `_`");
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        assert!(byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':', "a metric name is made of [a-zA-Z0-9_:]");
        at += 1;
    }
}

const fn check_labels(labels: &[&str]) {
    let mut at = 0;
    while at < labels.len() {
        check_name(labels[at]);
        assert!(at == 0 || is_before(labels[at - 1], labels[at]), "labels stand in alphabetical order, each once");
        at += 1;
    }
}

const fn is_before(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return a[at] < b[at];
        }
        at += 1;
    }
    a.len() < b.len()
}

const fn check_help(help: &str) {
    let bytes = help.as_bytes();
    assert!(!bytes.is_empty(), "a family has a help text");
    let mut at = 0;
    while at < bytes.len() {
        assert!(bytes[at] != b'\n' && bytes[at] != b'\\', "a help text is one line without `\\`");
        at += 1;
    }
}
