//! Watchdogs from /sys/class/watchdog.

use crate::declare;
use crate::host::root::Names;
use crate::kit::attribute;
use crate::kit::family::{Family, Gauge};
use crate::kit::parse::{AnyBase, FromText};
use crate::kit::prelude::*;
use crate::kit::read::{File, Read};

/// What watches over the host, and how long it still waits.
#[derive(Default, Debug)]
pub struct Watchdog {
    names: Names,
    words: [Vec<u8>; WORDS.len()],
}

declare! {
    Watchdog: "watchdog", on, "The watchdogs of this host, their timeouts and why they last reset it.";
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
        ACCESS: kept Gauge "node_watchdog_access_cs0" ["name"] "Whether the flash was read from its first chip, not the one for recovery.";
        BOOT_STATUS: kept Gauge "node_watchdog_bootstatus" ["name"] "Why the watchdog last reset the host, as bits.";
        FIRMWARE: kept Gauge "node_watchdog_fw_version" ["name"] "Version of the watchdog's firmware.";
        INFO: Gauge "node_watchdog_info" ["identity", "name", "options", "pretimeout_governor", "state", "status"] "What the watchdog is, in words; always 1.";
        NO_WAY_OUT: kept Gauge "node_watchdog_nowayout" ["name"] "Whether the watchdog cannot be stopped once it runs.";
        PRETIMEOUT_SECONDS: Gauge "node_watchdog_pretimeout_seconds" ["name"] "How long before its end the watchdog warns.";
        TIME_LEFT_SECONDS: Gauge "node_watchdog_timeleft_seconds" ["name"] "How long the watchdog still waits.";
        TIMEOUT_SECONDS: Gauge "node_watchdog_timeout_seconds" ["name"] "How long the watchdog waits for a sign of life.";
    }
}

type Attribute = Read<Watchdog, File, 1>;

/// The attributes that are numbers.
const NUMBERS: [(Attribute, Family<Watchdog, Gauge, crate::kit::family::Unnamed<1>>); 7] = [
    (ACCESS_CS0, ACCESS),
    (BOOTSTATUS, BOOT_STATUS),
    (FW_VERSION, FIRMWARE),
    (NOWAYOUT, NO_WAY_OUT),
    (PRETIMEOUT, PRETIMEOUT_SECONDS),
    (TIMELEFT, TIME_LEFT_SECONDS),
    (TIMEOUT, TIMEOUT_SECONDS),
];
/// The attributes that are labels of [`INFO`].
const WORDS: [Attribute; 5] = [IDENTITY, OPTIONS, PRETIMEOUT_GOVERNOR, STATE, STATUS];

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
                let number = number.ok_or_else(|| text.error("the attribute", AnyBase::EXPECTED, value));
                if let Some(AnyBase(number)) = cx.problems.value(number) {
                    cx.page.gauge(family, [&name], number);
                }
            }
            let mut is_complete = true;
            for (file, word) in WORDS.into_iter().zip(&mut *words) {
                word.clear();
                match cx.problems.value(cx.files.read_if_present(file, [name])) {
                    Some(Some(text)) => word.extend_from_slice(attribute::value(&text)),
                    Some(None) => {}
                    None => is_complete = false,
                }
            }
            if is_complete {
                let [identity, options, governor, state, status] = &*words;
                cx.page.gauge(INFO, [identity, &name, options, governor, state, status], 1_u64);
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
    fn attributes_are_gauges_and_labels() {
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
    fn a_host_without_watchdogs_has_no_data_or_none() {
        given("").fails::<Watchdog>("", "sys/class/watchdog: no such file");
        given("== sys/class/watchdog/ error=EACCES\n").fails::<Watchdog>("", "permission denied");
        given("== sys/class/watchdog/\n").emits::<Watchdog>("");
    }

    #[test]
    fn a_bad_attribute_costs_itself_alone() {
        let timeout = ("timeout", "60");
        let emitted = format!("{BARE}node_watchdog_timeout_seconds{{name=\"w\"}} 60\n");
        for value in ["x", "", "9223372036854775808"] {
            given(&attributes("w", &[timeout, ("timeleft", value)]))
                .fails::<Watchdog>(&emitted, "w/timeleft: the attribute: expected an integer in decimal");
        }
        let tree = attributes("w", &[timeout]) + "== sys/class/watchdog/w/state error=EIO\n";
        given(&tree).fails::<Watchdog>("node_watchdog_timeout_seconds{name=\"w\"} 60\n", "sys/class/watchdog/w/state");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn numbers_come_back(timeout: i32) {
            let samples = given(&attributes("w", &[("timeout", &timeout.to_string())])).scrape::<Watchdog>().samples();
            let found = samples.lines().find_map(|line| line.strip_prefix("node_watchdog_timeout_seconds{name=\"w\"} "));
            prop_assert_eq!(found.and_then(|found| found.parse().ok()), Some(f64::from(timeout)));
        }
    }
}
