//! CPU vulnerabilities from /sys/devices/system/cpu/vulnerabilities.

use crate::declare;
use crate::host::root::Names;
use crate::kit::prelude::*;

/// The cpu_vulnerabilities collector.
#[derive(Default, Debug)]
pub struct CpuVulnerabilities {
    names: Names,
    details: Vec<u8>,
}

declare! {
    CpuVulnerabilities: "cpu_vulnerabilities", off, "CPU vulnerabilities and their mitigations.";
    labels {
        PerVulnerability { codename, mitigation, state }
    }
    reads {
        ALL: Directory Sys "devices/system/cpu/vulnerabilities";
        ONE: File Sys "devices/system/cpu/vulnerabilities/*";
    }
    families {
        INFO: Gauge "node_cpu_vulnerabilities_info" PerVulnerability "State and mitigation of a CPU vulnerability, always 1.";
    }
}

impl Collect for CpuVulnerabilities {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { names, details } = self;
        match cx.files.list(ALL, [], names) {
            Ok(()) => {}
            Err(error) if error.is_missing() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        for name in names.iter() {
            let text = cx.files.read(ONE, [name]);
            if let Some(text) = cx.problems.value(text) {
                let state = parse(text.trimmed(), details);
                cx.page.gauge(INFO, PerVulnerability { codename: &name, mitigation: details, state: &state }, true);
            }
        }
        Ok(())
    }
}

/// The states, as lower-case prefixes of the kernel text.
const STATES: [&str; 4] = ["not affected", "vulnerable", "mitigation", "unknown"];

/// Parses the state, with the words after the first in `details`. Any other text becomes the details of an unknown state.
fn parse(value: &[u8], details: &mut Vec<u8>) -> &'static str {
    details.clear();
    let begins =
        |state: &&&str| value.get(..state.len()).is_some_and(|start| start.eq_ignore_ascii_case(state.as_bytes()));
    let Some(state) = STATES.iter().find(begins) else {
        details.extend_from_slice(value);
        return "unknown";
    };
    if *state != "not affected" {
        let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).skip(1);
        for word in words {
            if !details.is_empty() {
                details.push(b' ');
            }
            details.extend_from_slice(word);
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    #[track_caller]
    fn check(value: &str, expected: (&str, &str)) {
        let mut details = b"old".to_vec();
        let state = parse(value.as_bytes(), &mut details);
        assert_eq!((state, String::from_utf8_lossy(&details).as_ref()), expected, "{value}");
    }

    #[test]
    fn the_first_word_is_the_state() {
        check("Not affected", ("not affected", ""));
        check("Vulnerable", ("vulnerable", ""));
        check("Vulnerable: No microcode; SMT  on", ("vulnerable", "No microcode; SMT on"));
        check("Mitigation: PTI", ("mitigation", "PTI"));
        check("Unknown: no guest", ("unknown", "no guest"));
        check("KVM: Mitigation: VMX off", ("unknown", "KVM: Mitigation: VMX off"));
        check("", ("unknown", ""));
        check("Not", ("unknown", "Not"));
    }

    #[test]
    fn an_unreadable_vulnerability_costs_only_its_own_sample() {
        given("== sys/devices/system/cpu/vulnerabilities/mds error=EIO\n== sys/devices/system/cpu/vulnerabilities/l1tf\nMitigation: PTE Inversion\n")
            .fails::<CpuVulnerabilities>(
                "node_cpu_vulnerabilities_info{codename=\"l1tf\",mitigation=\"PTE Inversion\",state=\"mitigation\"} 1\n",
                "vulnerabilities/mds: input/output error",
            );
        given("").emits::<CpuVulnerabilities>("");
        given("== sys/devices/system/cpu/vulnerabilities/ error=EIO\n").fails::<CpuVulnerabilities>("", "input/output");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn details_come_back(words in prop::collection::vec("[a-zA-Z0-9;,:/]{1,9}", 0..6)) {
            let mut details = Vec::new();
            prop_assert_eq!(parse(format!("Mitigation: {}", words.join(" ")).as_bytes(), &mut details), "mitigation");
            prop_assert_eq!(details, words.join(" ").into_bytes());
        }

        #[test]
        fn any_bytes_have_a_state(bytes: Vec<u8>) {
            prop_assert!(STATES.contains(&parse(&bytes, &mut Vec::new())));
        }
    }
}
