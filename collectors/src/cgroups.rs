//! Control group controllers from /proc/cgroups.

use crate::declare;
use crate::kit::prelude::*;
use crate::kit::table;

/// The cgroups collector.
#[derive(Debug)]
pub struct Cgroups;

declare! {
    Cgroups: "cgroups", off, "Number of control groups and state of each controller.";
    labels {
        PerController { subsys_name }
    }
    reads {
        CGROUPS: File Proc "cgroups";
    }
    families {
        GROUPS: Gauge "node_cgroups_cgroups" PerController "Control groups in the controller's hierarchy.";
        ENABLED: Gauge "node_cgroups_enabled" PerController "1 for an enabled controller, 0 for a disabled one.";
    }
}

impl Collect for Cgroups {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let text = cx.files.read(CGROUPS, [])?;
        if text.bytes.is_empty() {
            return Err(table::empty(text).into());
        }
        for line in text.lines() {
            if line.bytes.starts_with(b"#") {
                continue;
            }
            if let Some((name, [_, groups, enabled])) = cx.problems.value(parse(line)) {
                cx.page.gauge(GROUPS, PerController { subsys_name: &name }, groups);
                cx.page.gauge(ENABLED, PerController { subsys_name: &name }, enabled);
            }
        }
        Ok(())
    }
}

/// `name hierarchy groups enabled`
fn parse(line: Line<'_>) -> Result<(&[u8], [u64; 3]), ParseError<'_>> {
    let mut fields = line.fields();
    let name = fields.text("subsys_name")?;
    Ok((name, table::numbers(line, &mut fields, ["hierarchy", "num_cgroups", "enabled"])?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use procfs_core::FromRead;
    use proptest::prelude::*;

    #[test]
    fn each_controller_has_two_gauges() {
        given("== proc/cgroups\n#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t5\t47\t1\nmemory\t0\t108\t0\n")
            .emits::<Cgroups>(
            "node_cgroups_cgroups{subsys_name=\"cpuset\"} 47\nnode_cgroups_cgroups{subsys_name=\"memory\"} 108\n\
                node_cgroups_enabled{subsys_name=\"cpuset\"} 1\nnode_cgroups_enabled{subsys_name=\"memory\"} 0\n",
        );
    }

    #[test]
    fn a_bad_row_costs_only_its_own_samples() {
        let good = "node_cgroups_cgroups{subsys_name=\"cpu\"} 2\nnode_cgroups_enabled{subsys_name=\"cpu\"} 1\n";
        for (bad, complaint) in [
            ("cpuset\t1\tmany\t1\n", "cgroups:1: num_cgroups: expected an unsigned integer"),
            ("cpuset\t1\t-4\t1\n", "num_cgroups: expected an unsigned integer, found \"-4\""),
            ("cpuset\tx\t1\t1\n", "hierarchy"),
            ("cpuset\t1\t1\n", "enabled: expected an unsigned integer, found nothing"),
            ("\n", "subsys_name: expected a field"),
        ] {
            given(&format!("== proc/cgroups\n{bad}cpu\t0\t2\t1\n")).fails::<Cgroups>(good, complaint);
        }
        given("== proc/cgroups no-newline\ncpu\t0\t2\t1\n").emits::<Cgroups>(good);
        given("").fails::<Cgroups>("", "proc/cgroups: no such file");
    }

    proptest! {
        #[test]
        fn rows_come_back_and_the_second_opinion_agrees(hierarchy: u32, groups: u32, enabled: bool) {
            let row = format!("#head\nmemory\t{hierarchy}\t{groups}\t{}\n", u8::from(enabled));
            let text = Text::new(Mount::Proc, b"cgroups", row.as_bytes());
            let (name, numbers) = parse(text.lines().nth(1).expect("a row")).expect("a row of the kernel");
            prop_assert_eq!(name, b"memory");
            prop_assert_eq!(numbers, [hierarchy.into(), groups.into(), enabled.into()]);
            let second = procfs_core::CGroupControllers::from_read(row.as_bytes()).expect("a file of the kernel").0;
            prop_assert_eq!((u64::from(second[0].num_cgroups), second[0].enabled), (numbers[1], enabled));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for line in Text::new(Mount::Proc, b"cgroups", &bytes).lines() {
                let _ = parse(line);
            }
        }
    }
}
