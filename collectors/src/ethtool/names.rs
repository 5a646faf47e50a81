//! Metric names of driver statistics.

use rustc_hash::FxHashMap;

use super::COMMON;
use crate::kit::filter::Pattern;

/// The family of a statistic.
#[derive(Debug)]
pub(super) enum Target {
    /// The one of this row of [`COMMON`].
    Common(usize),
    /// One that is named after the statistic, without the prefix.
    Named(Box<[u8]>),
    /// The statistic has no letter, digit or underscore.
    Nameless,
}

/// Maximum number of remembered names. The largest drivers have some thousands.
const NAMES_MAX: usize = 65_536;

/// Names of statistics, as drivers spell them, and their families. Names repeat in every scrape.
#[derive(Debug)]
pub(super) struct StatisticNames {
    pattern: Pattern,
    /// Numbers of names; `None` for names that the flag does not select.
    by_name: FxHashMap<Box<[u8]>, Option<usize>>,
    /// The metric and the family of each name, by its number.
    names: Vec<(usize, Target)>,
    /// Numbers of metric names.
    metrics: FxHashMap<Box<[u8]>, usize>,
}

impl StatisticNames {
    /// Only statistics that match the pattern are exported.
    pub(super) fn new(pattern: Pattern) -> Self {
        Self { pattern, by_name: FxHashMap::default(), names: Vec::new(), metrics: FxHashMap::default() }
    }

    /// Forgets names if there are too many. Numbers of earlier devices are then invalid.
    pub(super) fn begin_device(&mut self) {
        if self.by_name.len() > NAMES_MAX {
            self.by_name.clear();
            self.names.clear();
            self.metrics.clear();
        }
    }

    /// The numbers of a statistic's metric name and of its name; `None` if the flag does not select it.
    pub(super) fn metric_and_name(&mut self, name: &[u8]) -> Option<(usize, usize)> {
        let number = match self.by_name.get(name) {
            Some(known) => *known,
            None => self.learn(name),
        }?;
        self.names.get(number).map(|(metric, _)| (*metric, number))
    }

    /// The family of the name with this number.
    pub(super) fn target(&self, name: usize) -> &Target {
        self.names.get(name).map_or(&Target::Nameless, |(_, target)| target)
    }

    fn learn(&mut self, name: &[u8]) -> Option<usize> {
        let sanitized = sanitized(name);
        let number = self.pattern.is_match(&sanitized).then(|| {
            let metric = metric_name(&sanitized);
            let target = match COMMON.iter().position(|(common, _)| common.as_bytes() == sanitized) {
                Some(row) => Target::Common(row),
                None if metric.is_empty() => Target::Nameless,
                None => Target::Named(metric.as_slice().into()),
            };
            let next = self.metrics.len();
            let metric = *self.metrics.entry(metric.into()).or_insert(next);
            self.names.push((metric, target));
            self.names.len() - 1
        });
        self.by_name.insert(name.into(), number);
        number
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Replaces each run of other characters by `_`, with the underscores around it.
fn sanitized(name: &[u8]) -> Vec<u8> {
    let length_of = |text: &[u8], is_part: fn(u8) -> bool| text.iter().take_while(|byte| is_part(**byte)).count();
    let is_underscore = |byte| byte == b'_';
    let (mut out, mut rest) = (Vec::with_capacity(name.len()), name);
    while !rest.is_empty() {
        let (underscores, after) = rest.split_at(length_of(rest, is_underscore));
        let run = length_of(after, |byte| !is_word(byte));
        if run > 0 {
            out.push(b'_');
            let after = after.get(run..).unwrap_or_default();
            rest = after.get(length_of(after, is_underscore)..).unwrap_or_default();
        } else {
            out.extend_from_slice(underscores);
            let (word, after) = after.split_at(length_of(after, |byte| byte.is_ascii_alphanumeric()));
            out.extend_from_slice(word);
            rest = after;
        }
    }
    out
}

/// The metric name of a sanitized name, without its prefix: lower case, and `rx` and `tx` written out.
fn metric_name(sanitized: &[u8]) -> Vec<u8> {
    let lower = sanitized.to_ascii_lowercase();
    let start = lower.iter().take_while(|byte| **byte == b'_').count();
    let received = replaced(lower.get(start..).unwrap_or_default(), *b"rx", b"received");
    replaced(&received, *b"tx", b"transmitted")
}

/// Replaces a word between underscores. The underscores around it are a part of the match, so that of two such words in a
/// row only the first is replaced.
fn replaced(name: &[u8], word: [u8; 2], replacement: &[u8]) -> Vec<u8> {
    let (mut out, mut at, mut is_start) = (Vec::with_capacity(name.len()), 0, true);
    while let Some(&byte) = name.get(at) {
        let before = usize::from(!is_start);
        let rest = name.get(at + before..).unwrap_or_default();
        let is_between = rest.starts_with(&word) && matches!(rest.get(word.len()), None | Some(b'_'));
        if is_between && (is_start || byte == b'_') {
            out.extend_from_slice(name.get(at..at + before).unwrap_or_default());
            out.extend_from_slice(replacement);
            at += before + word.len();
            if name.get(at) == Some(&b'_') {
                out.push(b'_');
                at += 1;
            }
        } else {
            out.push(byte);
            at += 1;
        }
        is_start = false;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex::bytes::{NoExpand, Regex};

    #[track_caller]
    fn check(name: &str, expected: &str) {
        assert_eq!(String::from_utf8_lossy(&metric_name(&sanitized(name.as_bytes()))), expected, "{name}");
    }

    #[test]
    fn names_of_drivers_become_metric_names() {
        check("port.rx_dropped", "port_received_dropped");
        check("rx_missed", "received_missed");
        check("Queue[3] TxBytes", "queue_3_txbytes");
        check("Rx Pause Frames", "received_pause_frames");
        check("[7]: tx_bytes", "7_transmitted_bytes");
        check("  err", "err");
        check("rx-0.packets", "received_0_packets");
        check("tx_queue_12_xdp_tx", "transmitted_queue_12_xdp_transmitted");
        check("ch0_arm", "ch0_arm");
    }

    #[test]
    fn underscores_beside_other_characters_are_joined() {
        check("a_-_b", "a_b");
        check("a__b", "a__b");
        check("a-_-b", "a__b");
        check("__a__", "a__");
        check("caf\u{e9} au lait", "caf_au_lait");
        check("---", "");
        check("___", "");
        check("", "");
    }

    #[test]
    fn only_whole_words_are_written_out() {
        check("rx", "received");
        check("tx", "transmitted");
        check("rxq_tx0", "rxq_tx0");
        check("rx_rx_rx", "received_rx_received");
        check("rx_tx", "received_transmitted");
    }

    /// The patterns of node_exporter.
    fn by_patterns(name: &[u8]) -> Vec<u8> {
        let pattern = |text| Regex::new(text).expect("a pattern");
        let name = pattern(r"_*(?-u:[^0-9A-Za-z_])+_*").replace_all(name, NoExpand(b"_")).to_ascii_lowercase();
        let start = name.iter().take_while(|byte| **byte == b'_').count();
        let name = pattern("(^|_)rx(_|$)").replace_all(&name[start..], &b"${1}received${2}"[..]).into_owned();
        pattern("(^|_)tx(_|$)").replace_all(&name, &b"${1}transmitted${2}"[..]).into_owned()
    }

    proptest! {
        #[test]
        fn any_name_becomes_what_the_patterns_make_of_it(
            name in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..33),
                "([rR][xX]|tx|_|[a-z0-9]|[-.\\[ ]){0,12}".prop_map(String::into_bytes),
            ],
        ) {
            prop_assert_eq!(metric_name(&sanitized(&name)), by_patterns(&name));
        }
    }
}
