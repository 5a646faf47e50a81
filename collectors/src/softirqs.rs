//! Softirqs by CPU and type, from /proc/softirqs.

use crate::declare;
use crate::kit::prelude::*;
use crate::kit::table;

/// The softirqs collector.
#[derive(Debug)]
pub struct Softirqs;

declare! {
    Softirqs: "softirqs", off, "Softirqs by CPU and type.";
    labels {
        PerType { cpu, r#type }
    }
    reads {
        SOFTIRQS: File Proc "softirqs";
    }
    families {
        FUNCTIONS: Counter "node_softirqs_functions_total" PerType "Softirq handler runs since boot.";
    }
}

/// The exported types, as named by the kernel, sorted. Other types are ignored.
const TYPES: [&str; 10] =
    ["BLOCK", "HI", "HRTIMER", "IRQ_POLL", "NET_RX", "NET_TX", "RCU", "SCHED", "TASKLET", "TIMER"];

impl Collect for Softirqs {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let text = cx.files.read(SOFTIRQS, [])?;
        let mut rows = table::rows(text, cx.problems);
        if rows.next().is_none() {
            return Err(text.error("header", "the names of CPUs", b"").into());
        }
        // The last of duplicate rows is used.
        let mut found = [None; TYPES.len()];
        for line in rows {
            if let Some(place) = type_of(line).and_then(|kind| found.get_mut(kind)) {
                *place = Some(line);
            }
        }
        if found.iter().all(Option::is_none) {
            cx.problems.report(text.error("the file", "a row such as `NET_RX:`", text.first_line()));
        }
        for (kind, line) in TYPES.iter().zip(found) {
            let Some(line) = line else { continue };
            // Like node_exporter: the CPU is the index of the column, not the number in the header.
            for (cpu, count) in line.fields().skip(1).enumerate() {
                if let Some(count) = cx.problems.value(line.number::<u64>(*kind, count)) {
                    cx.page.counter(FUNCTIONS, PerType { cpu: &cpu, r#type: kind }, count);
                }
            }
        }
        Ok(())
    }
}

/// The index of a row's type in [`TYPES`].
fn type_of(line: Line<'_>) -> Option<usize> {
    let name = line.fields().next()?.strip_suffix(b":")?;
    TYPES.binary_search_by(|kind| kind.as_bytes().cmp(name)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const HEAD: &str = "== proc/softirqs\n                    CPU0       CPU1       \n";

    #[test]
    fn each_type_is_counted_by_cpu() {
        assert!(TYPES.is_sorted());
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
    fn unknown_types_are_ignored_and_the_last_duplicate_is_used() {
        given(&format!("{HEAD}ODD: 1 2\nHI 1\nHI:\n\nRCU: 1\nRCU: 5\n"))
            .emits::<Softirqs>("node_softirqs_functions_total{cpu=\"0\",type=\"RCU\"} 5\n");
    }

    #[test]
    fn a_bad_count_costs_only_its_own_samples() {
        let good = "node_softirqs_functions_total{cpu=\"1\",type=\"HI\"} 4\n";
        for bad in ["x", "-1", "18446744073709551616", "1.5"] {
            given(&format!("{HEAD}HI: {bad} 4\n"))
                .fails::<Softirqs>(good, "proc/softirqs:2: HI: expected an unsigned integer");
        }
        given("== proc/softirqs\n").fails::<Softirqs>("", "header: expected the names of CPUs, found nothing");
        given("== proc/softirqs\nx\n").fails::<Softirqs>("", "the file: expected a row such as `NET_RX:`, found \"x\"");
        given("").fails::<Softirqs>("", "proc/softirqs: no such file");
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_type_or_none(bytes: Vec<u8>) {
            for line in Text::new(Mount::Proc, b"softirqs", &bytes).lines() {
                let _ = type_of(line);
            }
        }
    }
}
