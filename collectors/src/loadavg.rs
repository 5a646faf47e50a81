//! Load averages from /proc/loadavg.

use crate::declare;
use crate::kit::prelude::*;

/// The loadavg collector.
#[derive(Debug)]
pub struct Loadavg;

declare! {
    Loadavg: "loadavg", on, "Load averages over 1, 5 and 15 minutes.";
    reads {
        LOADAVG: File Proc "loadavg";
    }
    /// Averages by field.
    table AVERAGES: &'static str => () {
        "load1" => Gauge "node_load1" "Load average over 1 minute.";
        "load5" => Gauge "node_load5" "Load average over 5 minutes.";
        "load15" => Gauge "node_load15" "Load average over 15 minutes.";
    }
}

impl Collect for Loadavg {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let text = cx.files.read(LOADAVG, [])?;
        for ((_, family), average) in AVERAGES.into_iter().zip(parse(text)) {
            if let Some(average) = cx.problems.value(average) {
                cx.page.tabled(family, (), average);
            }
        }
        Ok(())
    }
}

/// Parses the three averages at the start of the line, each with its own error.
fn parse(text: Text<'_>) -> [Result<f64, ParseError<'_>>; AVERAGES.len()] {
    let mut fields = text.lines().next().map(|line| line.fields());
    AVERAGES.map(|(name, _)| match &mut fields {
        Some(fields) => fields.number(name),
        None => Err(text.error(name, "a number", b"")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use procfs_core::FromRead;
    use proptest::prelude::*;

    #[test]
    fn three_averages_are_exported() {
        given("== proc/loadavg\n0.21 0.37 1e6 1/719 19737\n")
            .emits::<Loadavg>("node_load1 0.21\nnode_load15 1e+06\nnode_load5 0.37\n");
    }

    #[test]
    fn a_bad_average_costs_only_its_own_samples() {
        given("== proc/loadavg\n0.21 high 0.39 1/719 19737\n").fails::<Loadavg>(
            "node_load1 0.21\nnode_load15 0.39\n",
            "proc/loadavg:1: load5: expected a number, found \"high\"",
        );
        given("== proc/loadavg\n0.21 0.37\n").fails::<Loadavg>("node_load1 0.21\nnode_load5 0.37\n", "load15");
        given("== proc/loadavg\n").fails::<Loadavg>("", "proc/loadavg: load1: expected a number, found nothing");
        given("").fails::<Loadavg>("", "proc/loadavg: no such file or directory");
    }

    proptest! {
        #[test]
        fn averages_come_back_and_the_second_opinion_agrees(averages: [u16; 3]) {
            let [a, b, c] = averages.map(|hundredths| format!("{}.{:02}", hundredths / 100, hundredths % 100));
            let line = format!("{a} {b} {c} 1/719 19737\n");
            let parsed = parse(Text::new(Mount::Proc, b"loadavg", line.as_bytes())).map(Result::ok);
            prop_assert_eq!(parsed, [a, b, c].map(|text| text.parse::<f64>().ok()));
            // procfs-core keeps 32-bit floats.
            let second = procfs_core::LoadAverage::from_read(line.as_bytes()).expect("a line of the kernel");
            for (first, second) in parsed.into_iter().zip([second.one, second.five, second.fifteen]) {
                let difference = first.expect("a line of the kernel") - f64::from(second);
                prop_assert!(difference.abs() < 0.001, "{difference}");
            }
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            let _ = parse(Text::new(Mount::Proc, b"loadavg", &bytes));
        }
    }
}
