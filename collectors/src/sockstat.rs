//! Socket statistics by protocol, from /proc/net/sockstat and sockstat6.

use crate::declare;
use crate::kit::parse::AnyBase;
use crate::kit::prelude::*;
use crate::kit::table;

/// The sockstat collector.
#[derive(Debug)]
pub struct Sockstat;

declare! {
    Sockstat: "sockstat", on, "Sockets by protocol and state, and their memory.";
    reads {
        IPV4: File Proc "net/sockstat";
        IPV6: File Proc "net/sockstat6";
    }
    prefixes {
        FIELD: Gauge "node_sockstat_" () "Field {} of /proc/net/sockstat or sockstat6.";
    }
}

/// The exported fields of a protocol. `mem` is in pages, `memory` in bytes.
const STATES: [&str; 6] = ["inuse", "orphan", "tw", "alloc", "mem", "memory"];
/// The field that every protocol has; 0 if its line does not contain it.
const IN_USE: &str = "inuse";
/// The field of the row `sockets`, the total.
const TOTAL: &str = "used";
/// The field that is also exported in bytes.
const MEMORY_PAGES: &str = "mem";

impl Collect for Sockstat {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let page_size_bytes = i64::try_from(cx.kernel.page_size_bytes()).unwrap_or(i64::MAX);
        for (file, is_ipv4) in [(IPV4, true), (IPV6, false)] {
            // A kernel without one of the protocols does not have its file.
            let Some(Some(text)) = cx.problems.value(cx.files.read_if_present(file, [])) else { continue };
            for line in table::rows(text, cx.problems) {
                let Some(protocol) = cx.problems.value(protocol(line)) else { continue };
                for (name, count) in others(line) {
                    // Like node_exporter: a bad count of a state that is not exported fails the collector.
                    let _ = cx.problems.value(line.number::<AnyBase>(name, count));
                }
                let wanted: &[&'static str] = match (protocol, is_ipv4) {
                    (b"sockets", true) => &[TOTAL],
                    (b"sockets", false) => &[],
                    _ => &STATES,
                };
                for &state in wanted {
                    let Some(Some(count)) = cx.problems.value(value(line, state)) else { continue };
                    cx.page.named(FIELD, &[protocol, b"_", state.as_bytes()], (), count);
                    if state == MEMORY_PAGES {
                        let bytes = count.checked_mul(page_size_bytes);
                        let bytes = bytes.ok_or_else(|| line.error(state, "fewer than 2^63 bytes", line.bytes));
                        let Some(bytes) = cx.problems.value(bytes) else { continue };
                        cx.page.named(FIELD, &[protocol, b"_mem_bytes"], (), bytes);
                    }
                }
            }
        }
        Ok(())
    }
}

/// The protocol of a line, or `sockets` for the total.
fn protocol(line: Line<'_>) -> Result<&[u8], ParseError<'_>> {
    let count = line.fields().count();
    if count < 3 || count.is_multiple_of(2) {
        return Err(line.error("row", "a protocol and pairs of state and count", line.bytes));
    }
    let name = line.fields().next().unwrap_or_default();
    Ok(name.strip_suffix(b":").unwrap_or(name))
}

/// The names and counts of the states of a line.
fn states(line: Line<'_>) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut fields = line.fields().skip(1);
    std::iter::from_fn(move || fields.next().zip(fields.next()))
}

/// The states that are not exported.
fn others(line: Line<'_>) -> impl Iterator<Item = (&[u8], &[u8])> {
    states(line).filter(|(name, _)| *name != TOTAL.as_bytes() && !STATES.iter().any(|state| *name == state.as_bytes()))
}

/// The count of a state; the last one of duplicates.
fn value<'a>(line: Line<'a>, state: &'static str) -> Result<Option<i64>, ParseError<'a>> {
    let found = states(line).filter(|(name, _)| *name == state.as_bytes()).last();
    match found.map(|(_, count)| count) {
        Some(count) => line.number(state, count).map(|AnyBase(count)| Some(count)),
        None => Ok((state == IN_USE || state == TOTAL).then_some(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::kernel::canned::Canned;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    #[test]
    fn states_are_gauges_by_protocol() {
        given(
            "== proc/net/sockstat\nsockets: used 188\nTCP: inuse 12 orphan 1 tw 3 alloc 14 mem 2\nFRAG: inuse 0 memory 96\n\
             == proc/net/sockstat6\nTCP6: inuse 5\n",
        )
        .emits::<Sockstat>(
            "node_sockstat_FRAG_inuse 0\nnode_sockstat_FRAG_memory 96\nnode_sockstat_TCP6_inuse 5\n\
             node_sockstat_TCP_alloc 14\nnode_sockstat_TCP_inuse 12\nnode_sockstat_TCP_mem 2\n\
             node_sockstat_TCP_mem_bytes 8192\nnode_sockstat_TCP_orphan 1\nnode_sockstat_TCP_tw 3\n\
             node_sockstat_sockets_used 188\n",
        );
    }

    #[test]
    fn memory_is_converted_with_the_page_size() {
        given("== proc/net/sockstat\nUDP: mem 3\n")
            .kernel(Canned::default().with_system(100, 65_536))
            .emits::<Sockstat>(
                "node_sockstat_UDP_inuse 0\nnode_sockstat_UDP_mem 3\nnode_sockstat_UDP_mem_bytes 196608\n",
            );
    }

    #[test]
    fn only_sockstat_has_the_total() {
        given("== proc/net/sockstat6\nsockets: used 3\nTCP6: inuse 1 new 3\n")
            .emits::<Sockstat>("node_sockstat_TCP6_inuse 1\n");
    }

    #[test]
    fn a_missing_protocol_is_not_a_failure() {
        given("").emits::<Sockstat>("");
        given("== proc/net/sockstat error=EACCES\n== proc/net/sockstat6\nTCP6: inuse 5\n")
            .fails::<Sockstat>("node_sockstat_TCP6_inuse 5\n", "proc/net/sockstat: permission denied");
    }

    #[test]
    fn a_bad_line_costs_only_its_own_samples() {
        for (line, emitted, complaint) in [
            ("TCP:", "", "proc/net/sockstat:1: row: expected a protocol and pairs"),
            ("TCP: inuse", "", "1: row: expected"),
            ("TCP: inuse 1 orphan", "", "1: row: expected"),
            ("", "", "1: row: expected"),
            ("TCP: new x tw 2", "node_sockstat_TCP_inuse 0\nnode_sockstat_TCP_tw 2\n", "1: new: expected an integer"),
            ("TCP: inuse x tw 2", "node_sockstat_TCP_tw 2\n", "inuse: expected an integer in decimal"),
            (
                "TCP: inuse 9223372036854775808 tw 2",
                "node_sockstat_TCP_tw 2\n",
                "inuse: expected an integer in decimal",
            ),
            (
                "TCP: inuse 1 mem 9223372036854775807",
                "node_sockstat_TCP_inuse 1\nnode_sockstat_TCP_mem 9.223372036854776e+18\n",
                "mem: expected fewer than 2^63 bytes",
            ),
        ] {
            given(&format!("== proc/net/sockstat\n{line}\nUDP: inuse 6\n"))
                .fails::<Sockstat>(&format!("{emitted}node_sockstat_UDP_inuse 6\n"), complaint);
        }
    }

    #[test]
    fn an_empty_file_is_reported() {
        for (file, field) in [("sockstat", "sockstat: the file"), ("sockstat6", "sockstat6: the file")] {
            given(&format!("== proc/net/{file}\n")).fails::<Sockstat>("", field);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn counts_round_trip(in_use: i64, memory: Option<i64>) {
            let memory_text = memory.map(|memory| format!(" mem {memory}")).unwrap_or_default();
            let content = format!("TCP: inuse {in_use}{memory_text}\n");
            let line = Text::new(Mount::Proc, b"x", content.as_bytes()).lines().next().expect("one line");
            prop_assert_eq!(protocol(line).ok(), Some(&b"TCP"[..]));
            prop_assert_eq!(value(line, IN_USE).ok(), Some(Some(in_use)));
            prop_assert_eq!(value(line, MEMORY_PAGES).ok(), Some(memory));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for line in Text::new(Mount::Proc, b"x", &bytes).lines() {
                let _ = (protocol(line), value(line, IN_USE));
            }
        }
    }
}
