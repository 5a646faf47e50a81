//! Events of memory management from /proc/vmstat.

use regex::bytes::Regex;

use crate::declare;
use crate::kit::filter;
use crate::kit::prelude::*;

/// How often memory management did what.
#[derive(Debug)]
pub struct Vmstat {
    fields: Option<Regex>,
}

declare! {
    Vmstat: "vmstat", on, "How often memory management paged, swapped, faulted and killed.";
    reads {
        VMSTAT: File Proc "vmstat";
    }
    flags {
        FIELDS: Text "collector.vmstat.fields" = "^(oom_kill|pgpg|pswp|pg.*fault).*",
            "Regexp of the fields of /proc/vmstat to pass on.";
    }
    prefixes {
        FIELD: Untyped "node_vmstat_" [] "Field {} of /proc/vmstat.";
    }
}

impl Collect for Vmstat {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { fields: filter::pattern_of(options, FIELDS)? })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let text = cx.files.read(VMSTAT, [])?;
        for line in text.lines() {
            let mut fields = line.fields();
            let Some(name) = fields.next() else { continue };
            if self.fields.as_ref().is_some_and(|wanted| !wanted.is_match(name)) {
                continue;
            }
            let value = line.number::<f64>(name, fields.next().unwrap_or_default());
            if let Some(value) = cx.problems.value(value) {
                cx.page.named(FIELD, &[name], [], value);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;

    const VMSTAT_FILE: &str =
        "== proc/vmstat\nnr_free_pages 977769\npgpgin 7344136\npswpout 0\npgfault 18446744073709551615\noom_kill 2\n";

    #[test]
    fn only_the_wanted_fields_are_passed_on() {
        given(VMSTAT_FILE).emits::<Vmstat>(
            "node_vmstat_oom_kill 2\nnode_vmstat_pgfault 1.8446744073709552e+19\nnode_vmstat_pgpgin 7.344136e+06\nnode_vmstat_pswpout 0\n",
        );
        given(VMSTAT_FILE)
            .flags(&["--collector.vmstat.fields=^nr_"])
            .emits::<Vmstat>("node_vmstat_nr_free_pages 977769\n");
    }

    #[test]
    fn a_bad_line_costs_itself_alone() {
        given("== proc/vmstat\npgpgin x\n\npswpin\npswpout 3\n")
            .fails::<Vmstat>("node_vmstat_pswpout 3\n", "proc/vmstat:1: pgpgin: expected a number, found `x`");
    }

    #[test]
    fn a_pattern_that_is_none_is_refused_by_its_flag() {
        given("").flags(&["--collector.vmstat.fields=("]).is_refused::<Vmstat>("--collector.vmstat.fields: `(`");
    }
}
