//! runit services, from the status files of their supervisors.

use crate::declare;
use crate::host::root::{Kind, Names};
use crate::kit::prelude::*;

/// The runit collector.
#[derive(Debug)]
pub struct Runit {
    directory: String,
    entries: Names,
}

declare! {
    Runit: "runit", off, "State of runit services; deprecated in node_exporter.";
    labels {
        PerService { service, supervisor }
    }
    reads {
        SERVICES: Directory Host "*";
        STATUS: File Host "*/*/supervise/status";
        DOWN: File Host "*/*/supervise/down";
    }
    flags {
        DIRECTORY: Text "collector.runit.servicedir" = "/etc/service", "Directory of runit services.";
    }
    families {
        STATE: Gauge "node_service_state" PerService "State of a service: 0 down, 1 running, 2 finishing.";
        DESIRED_STATE: Gauge "node_service_desired_state" PerService "Desired state of a service: 1 for up.";
        NORMAL_STATE: Gauge "node_service_normal_state" PerService "1 for a service that starts automatically, 0 with a `down` file.";
        LAST_CHANGE: Gauge "node_service_state_last_change_timestamp_seconds" PerService "Last state change of a service in seconds since 1970.";
    }
}

const SUPERVISOR: &str = "runit";

/// The status file of a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Status {
    state: u8,
    is_wanted: bool,
    /// Seconds since 1970.
    changed_seconds: i64,
}

impl Collect for Runit {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        options
            .notice("the collector runit is deprecated in node_exporter and will be removed in its next major version");
        // Like in node_exporter, an empty flag means the default.
        let directory = match options.get(DIRECTORY) {
            "" => DIRECTORY.info().default,
            directory => directory,
        };
        Ok(Self { directory: directory.to_owned(), entries: Names::new() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { directory, entries } = self;
        let directory = directory.as_bytes();
        cx.files.list(SERVICES, [directory], entries)?;
        let services = entries.iter_kinds().filter(|(_, kind)| matches!(kind, Kind::Directory | Kind::Link));
        for (service, _) in services {
            let status = match cx.files.read(STATUS, [directory, service]) {
                Ok(text) => cx.problems.value(parse(text)),
                // The service is not supervised.
                Err(error) if error.is_missing() => None,
                // Only root may read the file; node_exporter ignores the error, too.
                Err(error) if error.error.is_denied() => {
                    cx.problems.note(error);
                    None
                }
                Err(error) => {
                    cx.problems.report(error);
                    None
                }
            };
            if let Some(status) = status {
                emit(cx, directory, service, status);
            }
        }
        Ok(())
    }
}

fn emit(cx: &mut Cx<'_, Runit>, directory: &[u8], service: &[u8], status: Status) {
    cx.page.gauge(STATE, PerService { service: &service, supervisor: &SUPERVISOR }, status.state);
    cx.page.gauge(DESIRED_STATE, PerService { service: &service, supervisor: &SUPERVISOR }, status.is_wanted);
    cx.page.gauge(LAST_CHANGE, PerService { service: &service, supervisor: &SUPERVISOR }, status.changed_seconds);
    match cx.files.metadata(DOWN, [directory, service]) {
        Ok(_) => cx.page.gauge(NORMAL_STATE, PerService { service: &service, supervisor: &SUPERVISOR }, false),
        Err(error) if error.is_missing() => {
            cx.page.gauge(NORMAL_STATE, PerService { service: &service, supervisor: &SUPERVISOR }, true);
        }
        Err(error) => cx.problems.report(error),
    }
}

/// The TAI64 label of 1970-01-01 00:00:00 UTC.
const TAI64_OF_1970: i64 = (1 << 62) + 10;

/// Parses a status file: 8 bytes of TAI64 seconds, 4 of nanoseconds, 4 of the process ID, the paused flag, the desired
/// state (`u` for up), the terminate flag and the state.
fn parse(text: Text<'_>) -> Result<Status, ParseError<'_>> {
    let [s0, s1, s2, s3, s4, s5, s6, s7, _, _, _, _, _, _, _, _, _, want, _, state] = *text.bytes else {
        return Err(text.error("status", "20 bytes", text.bytes));
    };
    let label = i64::from_be_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
    if label < 0 {
        return Err(text.error("timestamp", "a TAI64 label below 2^63", text.bytes));
    }
    Ok(Status { state, is_wanted: want == b'u', changed_seconds: label - TAI64_OF_1970 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    /// Since 1700000000, told to run, running.
    const UP: &str = "@\\x00\\x00\\x00eS\\xf1\\x0a\\x00\\x00\\x00\\x00\\x05\\x00\\x00\\x00\\x00u\\x00\\x01";

    fn service(name: &str, status: &str) -> String {
        format!("== host/etc/service/{name}/supervise/status escaped no-newline\n{status}\n")
    }

    fn samples(name: &str, desired: u8, normal: u8, state: u8) -> String {
        let labels = format!("{{service=\"{name}\",supervisor=\"runit\"}}");
        format!(
            "node_service_desired_state{labels} {desired}\nnode_service_normal_state{labels} {normal}\n\
             node_service_state{labels} {state}\nnode_service_state_last_change_timestamp_seconds{labels} 1.7e+09\n"
        )
    }

    #[test]
    fn a_service_has_the_state_of_its_status_file() {
        given(&service("web", UP)).emits::<Runit>(&samples("web", 1, 1, 1));
        let down = UP.replace("u\\x00\\x01", "d\\x00\\x00");
        given(&format!("== host/etc/service/web/supervise/down\n{}", service("web", &down)))
            .emits::<Runit>(&samples("web", 0, 0, 0));
        let finishing = UP.replace("u\\x00\\x01", "\\x00\\x00\\x02");
        given(&service("web", &finishing)).emits::<Runit>(&samples("web", 0, 1, 2));
    }

    #[test]
    fn services_are_directories_or_links() {
        let host = service("web", UP).replace("/service/", "/sv/");
        given(&format!("== host/etc/service/README\nx\n== host/etc/service/web -> ../sv/web\n{host}"))
            .emits::<Runit>(&samples("web", 1, 1, 1));
    }

    #[test]
    fn the_directory_is_set_by_flag() {
        let host = service("web", UP).replace("/etc/service", "/srv/runit");
        given(&host).flags(&["--collector.runit.servicedir=/srv/runit"]).emits::<Runit>(&samples("web", 1, 1, 1));
        given(&service("web", UP)).flags(&["--collector.runit.servicedir="]).emits::<Runit>(&samples("web", 1, 1, 1));
        given("").fails::<Runit>("", "/etc/service: no such file");
        given("== host/etc/service/\n").emits::<Runit>("");
    }

    #[test]
    fn a_service_without_a_status_is_left_out() {
        given(&format!("== host/etc/service/new/run\nx\n{}", service("web", UP)))
            .emits::<Runit>(&samples("web", 1, 1, 1));
        let denied = "== host/etc/service/own/supervise/status mode=0200\nx\n";
        let scraped = given(&format!("{denied}{}", service("web", UP))).scrape::<Runit>();
        assert_eq!(scraped.samples(), samples("web", 1, 1, 1));
        assert!(scraped.page.contains("node_scrape_collector_success{collector=\"runit\"} 1\n"), "{}", scraped.page);
        assert!(scraped.complaints[0].contains("own/supervise/status: permission denied"), "{:?}", scraped.complaints);
    }

    #[test]
    fn a_bad_status_costs_its_service_alone() {
        for (bad, complaint) in [
            ("", "bad/supervise/status: status: expected 20 bytes, found nothing"),
            ("@", "expected 20 bytes"),
            (&format!("{UP}x"), "expected 20 bytes"),
            (&UP.replace('@', "\\x80"), "expected a TAI64 label below 2^63"),
        ] {
            given(&format!("{}{}", service("bad", bad), service("web", UP)))
                .fails::<Runit>(&samples("web", 1, 1, 1), complaint);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_status_round_trips(seconds in 0_i64..1 << 40, is_wanted: bool, state in 0_u8..3) {
            let mut bytes = (seconds + TAI64_OF_1970).to_be_bytes().to_vec();
            bytes.extend([0, 0, 0, 0, 1, 2, 3, 4, 0, if is_wanted { b'u' } else { b'd' }, 0, state]);
            let status = parse(Text::new(Mount::Host, b"x", &bytes)).map_err(|error| error.to_string());
            prop_assert_eq!(status, Ok(Status { state, is_wanted, changed_seconds: seconds }));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
            prop_assert_eq!(parse(Text::new(Mount::Host, b"x", &bytes)).is_ok(), bytes.len() == 20 && bytes[0] < 0x80);
        }
    }
}
