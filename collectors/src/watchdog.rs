//! Watchdog devices, from /sys/class/watchdog.

use crate::declare;
use crate::host::root::Names;
use crate::kit::attribute;
use crate::kit::parse::{AnyBase, FromText};
use crate::kit::prelude::*;
use crate::kit::read::{File, Read};

/// The watchdog collector.
#[derive(Default, Debug)]
pub struct Watchdog {
    names: Names,
    words: [Vec<u8>; TEXTS.len()],
}

declare! {
    Watchdog: "watchdog", on, "Watchdog devices: timeouts and boot status.";
    labels {
        InfoLabels { identity, name, options, pretimeout_governor, state, status }
        PerWatchdog { name }
    }
    reads {
        CLASS: Directory Sys "class/watchdog";
        ACCESS_CS0: File Sys "class/watchdog/*/access_cs0";
        BOOTSTATUS: File Sys "class/watchdog/*/bootstatus";
        FW_VERSION: File Sys "class/watchdog/*/fw_version";
        IDENTITY: File Sys "class/watchdog/*/identity";
        NOWAYOUT: File Sys "class/watchdog/*/nowayout";
        OPTIONS: File Sys "class/watchdog/*/options";
        PRETIMEOUT: File Sys "class/watchdog/*/pretimeout";
        PRETIMEOUT_GOVERNOR: File Sys "class/watchdog/*/pretimeout_governor";
        STATE: File Sys "class/watchdog/*/state";
        STATUS: File Sys "class/watchdog/*/status";
        TIMELEFT: File Sys "class/watchdog/*/timeleft";
        TIMEOUT: File Sys "class/watchdog/*/timeout";
    }
    families {
        INFO: Gauge "node_watchdog_info" InfoLabels "Identity, options and state of a watchdog; always 1.";
    }
    /// The numeric attributes.
    table NUMBERS: Attribute => PerWatchdog {
        ACCESS_CS0 => kept Gauge "node_watchdog_access_cs0" "1 if the device booted from its primary flash chip.";
        BOOTSTATUS => kept Gauge "node_watchdog_bootstatus" "Cause of the last reset, as status bits.";
        FW_VERSION => kept Gauge "node_watchdog_fw_version" "Firmware version of the watchdog.";
        NOWAYOUT => kept Gauge "node_watchdog_nowayout" "1 if the watchdog cannot be stopped once started.";
        PRETIMEOUT => Gauge "node_watchdog_pretimeout_seconds" "Time between the pretimeout warning and the timeout, in seconds.";
        TIMELEFT => Gauge "node_watchdog_timeleft_seconds" "Time left before a reset in seconds.";
        TIMEOUT => Gauge "node_watchdog_timeout_seconds" "Timeout of the watchdog in seconds.";
    }
}

type Attribute = Read<Watchdog, File, 1>;

/// The text attributes, which are labels of [`INFO`].
const TEXTS: [Attribute; 5] = [IDENTITY, OPTIONS, PRETIMEOUT_GOVERNOR, STATE, STATUS];

impl Collect for Watchdog {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { names, words } = self;
        cx.files.list(CLASS, [], names).map_err(|error| error.or_no_data(attribute::is_unavailable))?;
        for name in names.iter() {
            for (file, family) in NUMBERS {
                let Some(Some(text)) = cx.problems.value(cx.files.read_if_present(file, [name])) else { continue };
                let value = attribute::value(&text);
                let number = AnyBase::from_text(value);
                let number = number.ok_or_else(|| text.error("value", AnyBase::EXPECTED, value));
                if let Some(AnyBase(number)) = cx.problems.value(number) {
                    cx.page.tabled(family, PerWatchdog { name: &name }, number);
                }
            }
            let mut is_complete = true;
            for (file, word) in TEXTS.into_iter().zip(&mut *words) {
                word.clear();
                match cx.problems.value(cx.files.read_if_present(file, [name])) {
                    Some(Some(text)) => word.extend_from_slice(attribute::value(&text)),
                    Some(None) => {}
                    None => is_complete = false,
                }
            }
            if is_complete {
                let [identity, options, governor, state, status] = &*words;
                let labels =
                    InfoLabels { identity, name: &name, options, pretimeout_governor: governor, state, status };
                cx.page.gauge(INFO, labels, 1_u64);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    fn attributes(name: &str, attributes: &[(&str, &str)]) -> String {
        let file = |(attribute, value): &(&str, &str)| format!("== sys/class/watchdog/{name}/{attribute}\n{value}\n");
        attributes.iter().map(file).collect()
    }

    const BARE: &str =
        "node_watchdog_info{identity=\"\",name=\"w\",options=\"\",pretimeout_governor=\"\",state=\"\",status=\"\"} 1\n";

    #[test]
    fn attributes_are_exported_as_gauges_and_labels() {
        let all = attributes(
            "watchdog0",
            &[
                ("access_cs0", "0"),
                ("bootstatus", "32"),
                ("fw_version", "0x6"),
                ("identity", "Example Watchdog"),
                ("nowayout", "1"),
                ("options", "0x8180"),
                ("pretimeout", "10"),
                ("pretimeout_governor", "panic"),
                ("state", "active"),
                ("status", "0x100"),
                ("timeleft", "41"),
                ("timeout", "60"),
            ],
        );
        given(&all).emits::<Watchdog>(
            "node_watchdog_access_cs0{name=\"watchdog0\"} 0\nnode_watchdog_bootstatus{name=\"watchdog0\"} 32\n\
             node_watchdog_fw_version{name=\"watchdog0\"} 6\n\
             node_watchdog_info{identity=\"Example Watchdog\",name=\"watchdog0\",options=\"0x8180\",pretimeout_governor=\"panic\",state=\"active\",status=\"0x100\"} 1\n\
             node_watchdog_nowayout{name=\"watchdog0\"} 1\nnode_watchdog_pretimeout_seconds{name=\"watchdog0\"} 10\n\
             node_watchdog_timeleft_seconds{name=\"watchdog0\"} 41\nnode_watchdog_timeout_seconds{name=\"watchdog0\"} 60\n",
        );
    }

    #[test]
    fn attributes_may_be_missing() {
        given("== sys/class/watchdog/w/\n").emits::<Watchdog>(BARE);
    }

    #[test]
    fn a_missing_class_is_no_data_and_an_empty_one_is_valid() {
        given("").fails::<Watchdog>("", "sys/class/watchdog: no such file");
        given("== sys/class/watchdog/ error=EACCES\n").fails::<Watchdog>("", "permission denied");
        given("== sys/class/watchdog/\n").emits::<Watchdog>("");
    }

    #[test]
    fn a_bad_attribute_costs_only_its_own_samples() {
        let timeout = ("timeout", "60");
        let emitted = format!("{BARE}node_watchdog_timeout_seconds{{name=\"w\"}} 60\n");
        for value in ["x", "", "9223372036854775808"] {
            given(&attributes("w", &[timeout, ("timeleft", value)]))
                .fails::<Watchdog>(&emitted, "w/timeleft: value: expected an integer in decimal");
        }
        let tree = attributes("w", &[timeout]) + "== sys/class/watchdog/w/state error=EIO\n";
        given(&tree).fails::<Watchdog>("node_watchdog_timeout_seconds{name=\"w\"} 60\n", "sys/class/watchdog/w/state");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn numbers_round_trip(timeout: i32) {
            let samples = given(&attributes("w", &[("timeout", &timeout.to_string())])).scrape::<Watchdog>().samples();
            let found = samples.lines().find_map(|line| line.strip_prefix("node_watchdog_timeout_seconds{name=\"w\"} "));
            prop_assert_eq!(found.and_then(|found| found.parse().ok()), Some(f64::from(timeout)));
        }
    }
}
