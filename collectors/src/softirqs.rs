//! Deferred interrupt work of each CPU from /proc/softirqs.

use crate::declare;
use crate::kit::prelude::*;
use crate::kit::table;

/// How much deferred interrupt work each CPU did.
#[derive(Debug)]
pub struct Softirqs;

declare! {
    Softirqs: "softirqs", off, "How much deferred interrupt work of each kind each CPU did.";
    reads {
        SOFTIRQS: File Proc "softirqs";
    }
    families {
        FUNCTIONS: Counter "node_softirqs_functions_total" ["cpu", "type"] "Deferred interrupt work that the CPU did since boot.";
    }
}

/// The kinds that are passed on, as the kernel names them. What it has beside them is left out.
const KINDS: [&str; 10] =
    ["BLOCK", "HI", "HRTIMER", "IRQ_POLL", "NET_RX", "NET_TX", "RCU", "SCHED", "TASKLET", "TIMER"];

impl Collect for Softirqs {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let text = cx.files.read(SOFTIRQS, [])?;
        let mut rows = table::rows(text, cx.problems);
        if rows.next().is_none() {
            return Err(text.error("first row", "the names of CPUs", b"").into());
        }
        // Of two rows of one kind the last counts.
        let mut found = [None; KINDS.len()];
        for line in rows {
            if let Some(place) = kind_of(line).and_then(|kind| found.get_mut(kind)) {
                *place = Some(line);
            }
        }
        if found.iter().all(Option::is_none) {
            cx.problems.report(text.error("the file", "a row such as `NET_RX:`", text.first_line()));
        }
        for (kind, line) in KINDS.iter().zip(found) {
            let Some(line) = line else { continue };
            // node_exporter counts the columns, whatever CPUs stand above them.
            for (cpu, count) in line.fields().skip(1).enumerate() {
                if let Some(count) = cx.problems.value(line.number::<u64>(*kind, count)) {
                    cx.page.counter(FUNCTIONS, [&cpu, kind], count);
                }
            }
        }
        Ok(())
    }
}

/// The row's place in [`KINDS`].
fn kind_of(line: Line<'_>) -> Option<usize> {
    let name = line.fields().next()?.strip_suffix(b":")?;
    KINDS.binary_search_by(|kind| kind.as_bytes().cmp(name)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const HEAD: &str = "== proc/softirqs\n                    CPU0       CPU1       \n";

    #[test]
    fn each_kind_is_counted_for_each_cpu() {
        assert!(KINDS.is_sorted());
        given(&format!(
            "{HEAD}          HI:          7          1\n      NET_TX:       2301       18446744073709551615\n"
        ))
        .emits::<Softirqs>(
            "node_softirqs_functions_total{cpu=\"0\",type=\"HI\"} 7\n\
                node_softirqs_functions_total{cpu=\"0\",type=\"NET_TX\"} 2301\n\
                node_softirqs_functions_total{cpu=\"1\",type=\"HI\"} 1\n\
                node_softirqs_functions_total{cpu=\"1\",type=\"NET_TX\"} 1.8446744073709552e+19\n",
        );
    }

    #[test]
    fn what_is_unknown_or_empty_is_left_out_and_the_last_row_of_a_kind_counts() {
        given(&format!("{HEAD}ODD: 1 2\nHI 1\nHI:\n\nRCU: 1\nRCU: 5\n"))
            .emits::<Softirqs>("node_softirqs_functions_total{cpu=\"0\",type=\"RCU\"} 5\n");
    }

    #[test]
    fn a_bad_count_costs_itself_alone() {
        let good = "node_softirqs_functions_total{cpu=\"1\",type=\"HI\"} 4\n";
        for bad in ["x", "-1", "18446744073709551616", "1.5"] {
            given(&format!("{HEAD}HI: {bad} 4\n"))
                .fails::<Softirqs>(good, "proc/softirqs:2: HI: expected an unsigned integer");
        }
        given("== proc/softirqs\n").fails::<Softirqs>("", "first row: expected the names of CPUs, found nothing");
        given("== proc/softirqs\nx\n").fails::<Softirqs>("", "the file: expected a row such as `NET_RX:`, found \"x\"");
        given("").fails::<Softirqs>("", "proc/softirqs: no such file");
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_kind_or_none(bytes: Vec<u8>) {
            for line in Text::new(Mount::Proc, b"softirqs", &bytes).lines() {
                let _ = kind_of(line);
            }
        }
    }
}
