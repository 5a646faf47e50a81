//! System time, time zone and clock sources.

use crate::declare;
use crate::host::kernel::Zone;
use crate::host::root::Names;
use crate::kit::prelude::*;

/// The time collector.
#[derive(Debug)]
pub struct Time {
    zone: Zone,
    devices: Names,
}

declare! {
    Time: "time", on, "System time, time zone and clock sources.";
    labels {
        PerSource { clocksource, device }
        PerTimeZone { time_zone }
    }
    reads {
        DEVICES: Directory Sys "devices/system/clocksource";
        AVAILABLE: File Sys "devices/system/clocksource/clocksource*/available_clocksource";
        CURRENT: File Sys "devices/system/clocksource/clocksource*/current_clocksource";
    }
    families {
        SECONDS: Gauge "node_time_seconds" () "System time in seconds since 1970.";
        ZONE_OFFSET: Gauge "node_time_zone_offset_seconds" PerTimeZone "Offset of the time zone from UTC in seconds.";
        AVAILABLE_INFO: Gauge "node_time_clocksource_available_info" PerSource
            "Available clock source; always 1.";
        CURRENT_INFO: Gauge "node_time_clocksource_current_info" PerSource
            "Current clock source; always 1.";
    }
}

impl Collect for Time {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { zone: Zone::default(), devices: Names::new() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let now = cx.kernel.now();
        // Like node_exporter, convert to float before dividing, so that both print the same last digits.
        cx.page.gauge(SECONDS, (), now.as_nanos() as f64 / 1e9);
        match cx.kernel.zone(now, &mut self.zone) {
            Ok(()) => cx.page.gauge(ZONE_OFFSET, PerTimeZone { time_zone: &self.zone.name }, self.zone.offset_seconds),
            Err(error) => cx.problems.report(Failure::error(format_args!("time zone: {error}"))),
        }
        match cx.files.list(DEVICES, [], &mut self.devices) {
            Ok(()) => {}
            Err(error) if error.is_missing() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        // The label is the index in the list, not the number in the name.
        for (device, number) in self.devices.iter().filter_map(number_of).enumerate() {
            emit_sources(cx, device, number);
        }
        Ok(())
    }
}

/// The number in a directory name such as `clocksource0`.
fn number_of(name: &[u8]) -> Option<&[u8]> {
    name.strip_prefix(b"clocksource").filter(|number| number.first().is_some_and(u8::is_ascii_digit))
}

fn emit_sources(cx: &mut Cx<'_, Time>, device: usize, number: &[u8]) {
    match cx.files.read(AVAILABLE, [number]) {
        Ok(text) => {
            let mut sources = sources(text).peekable();
            // At least jiffies is always available.
            if sources.peek().is_none() {
                cx.problems.report(text.error("available_clocksource", "at least one name", b""));
            }
            for source in sources {
                cx.page.gauge(AVAILABLE_INFO, PerSource { clocksource: &source, device: &device }, 1_u64);
            }
        }
        Err(error) => cx.problems.report(error),
    }
    match cx.files.read(CURRENT, [number]) {
        Ok(text) if text.trimmed().is_empty() => {
            cx.problems.report(text.error("current_clocksource", "a name", b""));
        }
        Ok(text) => cx.page.gauge(CURRENT_INFO, PerSource { clocksource: &text.trimmed(), device: &device }, 1_u64),
        Err(error) => cx.problems.report(error),
    }
}

/// The names in a list.
fn sources(text: Text<'_>) -> impl Iterator<Item = &[u8]> {
    text.bytes.split(u8::is_ascii_whitespace).filter(|source| !source.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const CLOCK: &str = "== kernel/clock\nunix_seconds 1700000000.25\nzone CET 3600\n";
    const CLOCK_SAMPLES: &str =
        "node_time_seconds 1.7000000002499998e+09\nnode_time_zone_offset_seconds{time_zone=\"CET\"} 3600\n";

    #[test]
    fn the_clock_needs_no_files() {
        given(CLOCK).emits::<Time>(CLOCK_SAMPLES);
    }

    #[test]
    fn a_zone_west_of_greenwich_is_negative() {
        given("== kernel/clock\nunix_seconds 0\nzone -03 -10800\n")
            .emits::<Time>("node_time_seconds 0\nnode_time_zone_offset_seconds{time_zone=\"-03\"} -10800\n");
    }

    #[test]
    fn clock_sources_are_labels() {
        let sources = "== sys/devices/system/clocksource/clocksource0/available_clocksource\ntsc hpet acpi_pm \n\
            == sys/devices/system/clocksource/clocksource0/current_clocksource\ntsc\n\
            == sys/devices/system/clocksource/power/\n";
        given(&format!("{CLOCK}{sources}")).emits::<Time>(&format!(
            "node_time_clocksource_available_info{{clocksource=\"acpi_pm\",device=\"0\"}} 1\n\
            node_time_clocksource_available_info{{clocksource=\"hpet\",device=\"0\"}} 1\n\
            node_time_clocksource_available_info{{clocksource=\"tsc\",device=\"0\"}} 1\n\
            node_time_clocksource_current_info{{clocksource=\"tsc\",device=\"0\"}} 1\n{CLOCK_SAMPLES}"
        ));
    }

    #[test]
    fn devices_are_numbered_and_fail_separately() {
        let sources = "== sys/devices/system/clocksource/clocksource1/available_clocksource error=EIO\n\
            == sys/devices/system/clocksource/clocksource1/current_clocksource\ntsc\n\
            == sys/devices/system/clocksource/clocksource7/available_clocksource\njiffies\n";
        given(&format!("{CLOCK}{sources}")).fails::<Time>(
            &format!(
                "node_time_clocksource_available_info{{clocksource=\"jiffies\",device=\"1\"}} 1\n\
                node_time_clocksource_current_info{{clocksource=\"tsc\",device=\"0\"}} 1\n{CLOCK_SAMPLES}"
            ),
            "sys/devices/system/clocksource/clocksource7/current_clocksource: no such file or directory",
        );
    }

    #[test]
    fn a_missing_zone_costs_only_the_offset() {
        given("== kernel/clock\nunix_seconds 1\n").fails::<Time>("node_time_seconds 1\n", "time zone: this host");
    }

    #[test]
    fn empty_clock_source_files_are_reported() {
        let folder = "== sys/devices/system/clocksource/clocksource0";
        given(&format!("{CLOCK}{folder}/available_clocksource\n \n{folder}/current_clocksource\ntsc\n")).fails::<Time>(
            &format!("node_time_clocksource_current_info{{clocksource=\"tsc\",device=\"0\"}} 1\n{CLOCK_SAMPLES}"),
            "clocksource0/available_clocksource: available_clocksource: expected at least one name, found nothing",
        );
        given(&format!("{CLOCK}{folder}/available_clocksource\ntsc\n{folder}/current_clocksource\n")).fails::<Time>(
            &format!("node_time_clocksource_available_info{{clocksource=\"tsc\",device=\"0\"}} 1\n{CLOCK_SAMPLES}"),
            "clocksource0/current_clocksource: current_clocksource: expected a name, found nothing",
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn names_round_trip(names in prop::collection::vec("[a-z][a-z0-9_-]{0,12}", 0..6)) {
            // The kernel ends each name with a space, and the list with a line feed.
            let content: String = names.iter().map(|name| format!("{name} ")).chain(["\n".to_owned()]).collect();
            let found: Vec<_> = sources(Text::new(Mount::Sys, b"x", content.as_bytes())).collect();
            prop_assert_eq!(found, names.iter().map(String::as_bytes).collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_names_without_white_space(bytes: Vec<u8>) {
            for name in sources(Text::new(Mount::Sys, b"x", &bytes)) {
                prop_assert!(!name.is_empty() && !name.iter().any(u8::is_ascii_whitespace));
            }
        }
    }
}
