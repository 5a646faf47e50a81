//! Declared metric families: the only names under which a collector can emit.

use std::marker::PhantomData;

/// What the TYPE line of a family says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up.
    Counter,
    /// Nobody knows.
    Untyped,
    /// Counts in buckets; only foreign families have it.
    Histogram,
    /// Quantiles; only foreign families have it.
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

/// The types that mark what a family is.
pub trait Kinded {
    /// The same as a value.
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

/// A declared family as the tables see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FamilyInfo {
    /// Its name; for a [`Prefix`], what its names begin with.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Its labels, in alphabetical order, as the page prints them.
    pub labels: &'static [&'static str],
    /// The HELP text; for a [`Prefix`], `{}` stands for the rest of the name.
    pub help: &'static str,
    /// Whether its values are others in each scrape of the same host at the same moment: whoever compares pages leaves
    /// them out.
    pub is_volatile: bool,
}

/// A family of collector `C`, of type `K`, with `N` labels.
///
/// Names, labels and help are checked while compiling. Counters end in `_total`, unless node_exporter's name has to be
/// kept ([`Family::kept`]):
///
/// ```
/// use collectors::kit::family::{Counter, Family};
/// const FINE: Family<(), Counter, 1> = Family::new(0, "node_reads_total", &["device"], "Reads.");
/// # let _ = FINE;
/// ```
/// ```compile_fail,E0080
/// use collectors::kit::family::{Counter, Family};
/// const NO_TOTAL: Family<(), Counter, 1> = Family::new(0, "node_reads", &["device"], "Reads.");
/// # let _ = NO_TOTAL;
/// ```
/// ```compile_fail,E0080
/// use collectors::kit::family::{Family, Gauge};
/// const NO_BASE_UNIT: Family<(), Gauge, 0> = Family::new(0, "node_delay_milliseconds", &[], "Delay.");
/// # let _ = NO_BASE_UNIT;
/// ```
/// ```compile_fail,E0080
/// use collectors::kit::family::{Counter, Family};
/// const UNSORTED: Family<(), Counter, 2> = Family::new(0, "node_x_total", &["mode", "cpu"], "X.");
/// # let _ = UNSORTED;
/// ```
pub struct Family<C, K, const N: usize> {
    slot: usize,
    info: FamilyInfo,
    owner: PhantomData<fn() -> (C, K)>,
}

impl<C, K, const N: usize> Clone for Family<C, K, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C, K, const N: usize> Copy for Family<C, K, N> {}

impl<C, K, const N: usize> std::fmt::Debug for Family<C, K, N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.info.fmt(f)
    }
}

impl<C, K: Kinded, const N: usize> Family<C, K, N> {
    /// A family whose name keeps today's rules. `slot` is its place in its collector's declaration.
    pub const fn new(slot: usize, name: &'static str, labels: &'static [&'static str; N], help: &'static str) -> Self {
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
        Self::kept(slot, name, labels, help)
    }

    /// The same for one whose values the scrape itself makes, such as the time that it took.
    pub const fn volatile(
        slot: usize,
        name: &'static str,
        labels: &'static [&'static str; N],
        help: &'static str,
    ) -> Self {
        let steady = Self::new(slot, name, labels, help);
        Self { info: FamilyInfo { is_volatile: true, ..steady.info }, ..steady }
    }

    /// A family whose name breaks today's rules and is kept, because dashboards know it.
    pub const fn kept(slot: usize, name: &'static str, labels: &'static [&'static str; N], help: &'static str) -> Self {
        check_name(name);
        check_labels(labels);
        check_help(help);
        let info = FamilyInfo { name, kind: K::KIND, labels, help, is_volatile: false };
        Self { slot, info, owner: PhantomData }
    }

    /// The family as the tables see it.
    pub const fn info(&self) -> FamilyInfo {
        self.info
    }

    pub(crate) const fn slot(&self) -> usize {
        self.slot
    }
}

/// Families whose names the kernel makes: `C` owns every name that begins with the prefix.
pub struct Prefix<C, K, const N: usize> {
    info: FamilyInfo,
    owner: PhantomData<fn() -> (C, K)>,
}

impl<C, K, const N: usize> Clone for Prefix<C, K, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C, K, const N: usize> Copy for Prefix<C, K, N> {}

impl<C, K, const N: usize> std::fmt::Debug for Prefix<C, K, N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.info.fmt(f)
    }
}

impl<C, K: Kinded, const N: usize> Prefix<C, K, N> {
    /// All names that begin with `prefix`, which ends in `_`. `{}` in the help text is the rest of the name.
    pub const fn new(prefix: &'static str, labels: &'static [&'static str; N], help: &'static str) -> Self {
        check_name(prefix);
        assert!(ends_with(prefix, "_"), "a prefix ends in `_`");
        check_labels(labels);
        check_help(help);
        let info = FamilyInfo { name: prefix, kind: K::KIND, labels, help, is_volatile: false };
        Self { info, owner: PhantomData }
    }

    /// The prefix as the tables see it.
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
