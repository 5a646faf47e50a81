//! Virtual memory statistics, from /proc/vmstat.

use crate::declare;
use crate::kit::filter::{self, Pattern};
use crate::kit::prelude::*;
use crate::kit::table;

/// The vmstat collector.
#[derive(Debug)]
pub struct Vmstat {
    fields: Option<Pattern>,
}

declare! {
    Vmstat: "vmstat", on, "Virtual memory statistics: paging, swapping, faults and OOM kills.";
    reads {
        VMSTAT: File Proc "vmstat";
    }
    flags {
        FIELDS: Text "collector.vmstat.fields" = "^(oom_kill|pgpg|pswp|pg.*fault).*",
            "Regexp of the fields of /proc/vmstat to export.";
    }
    prefixes {
        FIELD: Untyped "node_vmstat_" () "Field {} of /proc/vmstat.";
    }
}

impl Collect for Vmstat {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { fields: filter::pattern_of(options, FIELDS)? })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        for line in table::rows(cx.files.read(VMSTAT, [])?, cx.problems) {
            // Parsed before the filter is applied, since a malformed line may be a selected one.
            let Some(Some((name, value))) = cx.problems.value(parse(line).transpose()) else { continue };
            if self.fields.as_ref().is_none_or(|fields| fields.is_match(name)) {
                cx.page.named(FIELD, &[name], (), value);
            }
        }
        Ok(())
    }
}

/// The name and value of a line; `None` for a blank one.
fn parse(line: Line<'_>) -> Option<Result<(&[u8], f64), ParseError<'_>>> {
    let mut fields = line.fields();
    let name = fields.next()?;
    Some(line.number(name, fields.next().unwrap_or_default()).map(|value| (name, value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use procfs_core::FromRead;
    use proptest::prelude::*;

    const VMSTAT_FILE: &str =
        "== proc/vmstat\nnr_free_pages 977769\npgpgin 7344136\npswpout 0\npgfault 18446744073709551615\noom_kill 2\n";

    #[test]
    fn only_selected_fields_are_exported() {
        given(VMSTAT_FILE).emits::<Vmstat>(
            "node_vmstat_oom_kill 2\nnode_vmstat_pgfault 1.8446744073709552e+19\nnode_vmstat_pgpgin 7.344136e+06\nnode_vmstat_pswpout 0\n",
        );
        given(VMSTAT_FILE)
            .flags(&["--collector.vmstat.fields=^nr_"])
            .emits::<Vmstat>("node_vmstat_nr_free_pages 977769\n");
    }

    #[test]
    fn a_bad_line_costs_only_its_own_samples() {
        given("== proc/vmstat\npgpgin x\n\npswpin\npswpout 3\n")
            .fails::<Vmstat>("node_vmstat_pswpout 3\n", "proc/vmstat:1: pgpgin: expected a number, found \"x\"");
    }

    #[test]
    fn bad_lines_are_reported_even_if_not_selected() {
        given("== proc/vmstat\nnr_free_pages x\npswpout 3\n")
            .fails::<Vmstat>("node_vmstat_pswpout 3\n", "proc/vmstat:1: nr_free_pages: expected a number, found \"x\"");
    }

    #[test]
    fn an_empty_file_and_a_missing_one_are_reported() {
        given("== proc/vmstat\n")
            .fails::<Vmstat>("", "proc/vmstat: the file: expected at least one line, found nothing");
        given("").fails::<Vmstat>("", "proc/vmstat: no such file");
    }

    #[test]
    fn a_bad_pattern_is_refused_with_its_flag() {
        given("")
            .flags(&["--collector.vmstat.fields=("])
            .is_refused::<Vmstat>("--collector.vmstat.fields: expected a regular expression, found `(`");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn values_round_trip_and_procfs_core_agrees(
            values in prop::collection::btree_map("[a-z][a-z0-9_]{0,20}", 0..=i64::MAX, 1..9),
        ) {
            let lines: Vec<_> = values.iter().map(|(name, value)| format!("{name} {value}\n")).collect();
            let content = lines.concat();
            let text = Text::new(Mount::Proc, b"vmstat", content.as_bytes());
            let parsed: Vec<_> = text.lines().map(|line| parse(line).and_then(Result::ok).expect("a line")).collect();
            let expected: Vec<_> = values.iter().map(|(name, &value)| (name.as_bytes(), value as f64)).collect();
            prop_assert_eq!(&parsed, &expected);
            let second = procfs_core::VmStat::from_read(content.as_bytes()).expect("lines of the kernel").0;
            for (name, value) in parsed {
                let name = std::str::from_utf8(name).expect("a name");
                prop_assert_eq!(second.get(name).map(|&value| value as f64), Some(value));
            }
            prop_assert_eq!(second.len(), expected.len());
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for line in Text::new(Mount::Proc, b"x", &bytes).lines() {
                let _ = parse(line);
            }
        }
    }
}
