//! The clock of an NTP server, by one request of the simple network time protocol.

use std::time::Duration;

use crate::declare;
use crate::host::kernel::{KernelError, NtpAnswer, NtpQuery};
use crate::kit::prelude::*;

/// The ntp collector.
#[derive(Debug)]
pub struct Ntp {
    server: String,
    version: u8,
    ttl: u8,
    distance_max: Duration,
    offset_tolerance: Duration,
    /// The midnight of the last announced leap second. Servers drop the announcement just after it.
    leap_midnight: Option<Duration>,
}

declare! {
    Ntp: "ntp", off, "Offset, distance and sanity of an NTP server; deprecated in node_exporter.";
    flags {
        SERVER: Text "collector.ntp.server" = "127.0.0.1", "Address of the NTP server.";
        PORT: Whole "collector.ntp.server-port" = "123", "UDP port of the NTP server.";
        VERSION: Whole "collector.ntp.protocol-version" = "4", "Version of the protocol, 2 to 4.";
        IS_LOCAL: Switch "collector.ntp.server-is-local" = "false",
            "Accept a server whose address is not of the loopback device. The server must be of this host.";
        TTL: Whole "collector.ntp.ip-ttl" = "1", "IP time to live of requests; 0 for the system's default.";
        DISTANCE_MAX: Span "collector.ntp.max-distance" = "3.46608s",
            "Maximum distance of a sane server from its reference clock.";
        OFFSET_TOLERANCE: Span "collector.ntp.local-offset-tolerance" = "1ms",
            "Maximum offset between the local clock and that of a sane server.";
    }
    families {
        LEAP: Gauge "node_ntp_leap" () "Leap second: 0 none, 1 one is added, 2 one is removed, 3 the server is not synchronised.";
        OFFSET: Gauge "node_ntp_offset_seconds" () "Offset of the server's clock from the local one in seconds.";
        REFERENCE_TIME: Gauge "node_ntp_reference_timestamp_seconds" () "Last adjustment of the server's clock in seconds since 1970; 0 if unknown.";
        ROOT_DELAY: Gauge "node_ntp_root_delay_seconds" () "Round trip between the server and its reference clock in seconds.";
        ROOT_DISPERSION: Gauge "node_ntp_root_dispersion_seconds" () "Dispersion between the server and its reference clock in seconds.";
        ROUND_TRIP: Gauge "node_ntp_rtt_seconds" () "Round trip between this host and the server in seconds.";
        SANITY: Gauge "node_ntp_sanity" () "1 if the server's clock is valid, near its reference clock, and equal to the local clock.";
        STRATUM: Gauge "node_ntp_stratum" () "Distance to a reference clock in servers.";
    }
}

const DAY: Duration = Duration::from_secs(86_400);
/// How far clocks may differ around a leap second: some servers spread it over the day.
const LEAP_TOLERANCE: Duration = Duration::from_secs(1);

/// Values of the leap second indicator.
const LEAP_ADDED: u8 = 1;
const LEAP_REMOVED: u8 = 2;
const LEAP_UNSYNCHRONISED: u8 = 3;

/// The stratum of a server without a reference; servers of 1 to 15 have one.
const STRATUM_UNSYNCHRONISED: u8 = 16;
/// RFC 5905: the longest time between two polls of a reference clock, 2^17 seconds.
const POLL_MAX: Duration = Duration::from_secs(1 << 17);
/// RFC 5905: the maximum dispersion of a valid clock.
const DISPERSION_MAX: Duration = Duration::from_secs(16);

impl Collect for Ntp {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        options
            .notice("the collector ntp is deprecated in node_exporter and will be removed in its next major version");
        let (host, port) = (options.get(SERVER), options.get(PORT));
        let address = host.parse::<std::net::IpAddr>().ok();
        if !options.get(IS_LOCAL) && !address.is_some_and(|address| address.is_loopback()) {
            return Err(format!(
                "--{}: expected an address of the loopback device, found `{host}`; for a server of this host at another \
                 address, set --{}",
                SERVER.info().name,
                IS_LOCAL.info().name
            ));
        }
        if !(1..=65_535).contains(&port) {
            return Err(format!("--{}: expected a port from 1 to 65535, found {port}", PORT.info().name));
        }
        let version = options.get(VERSION);
        if !(2..=4).contains(&version) {
            return Err(format!("--{}: expected a version from 2 to 4, found {version}", VERSION.info().name));
        }
        let ttl = options.get(TTL);
        let small = |number: u64| u8::try_from(number);
        Ok(Self {
            server: if address.is_some_and(|address| address.is_ipv6()) {
                format!("[{host}]:{port}")
            } else {
                format!("{host}:{port}")
            },
            version: small(version).unwrap_or(4),
            ttl: small(ttl).map_err(|_| format!("--{}: expected at most 255 hops, found {ttl}", TTL.info().name))?,
            distance_max: options.get(DISTANCE_MAX),
            offset_tolerance: options.get(OFFSET_TOLERANCE),
            leap_midnight: None,
        })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let query = NtpQuery { server: &self.server, version: self.version, ttl: self.ttl };
        let found = cx.kernel.ntp(&query).map_err(|error| match error {
            KernelError::Unsupported => Failure::no_data("NTP: not supported by this host"),
            KernelError::Errno(_) => Failure::error(format_args!("NTP server {}: {error}", self.server)),
        })?;
        let is_sane = self.is_sane(&found);
        let page = &mut cx.page;
        page.gauge(LEAP, (), found.leap);
        page.gauge(OFFSET, (), found.offset_nanoseconds as f64 / 1e9);
        page.gauge(REFERENCE_TIME, (), found.reference.as_secs_f64());
        page.gauge(ROOT_DELAY, (), found.root_delay.as_secs_f64());
        page.gauge(ROOT_DISPERSION, (), found.root_dispersion.as_secs_f64());
        page.gauge(ROUND_TRIP, (), found.round_trip.as_secs_f64());
        page.gauge(SANITY, (), is_sane);
        page.gauge(STRATUM, (), found.stratum);
        Ok(())
    }
}

impl Ntp {
    fn is_sane(&mut self, found: &NtpAnswer) -> bool {
        let now = found.transmitted;
        if matches!(found.leap, LEAP_ADDED | LEAP_REMOVED) {
            let today = Duration::from_secs(now.as_secs() / DAY.as_secs() * DAY.as_secs());
            self.leap_midnight = Some(today + DAY);
        }
        let is_near_leap = self.leap_midnight.is_some_and(|midnight| midnight < now + DAY && now < midnight + DAY);
        let tolerance = self.offset_tolerance + if is_near_leap { LEAP_TOLERANCE } else { Duration::ZERO };
        let distance = (found.round_trip + found.root_delay) / 2 + found.root_dispersion;
        is_valid(found) && distance <= self.distance_max && found.minimum_error <= tolerance
    }
}

/// Whether the server's clock can be used for synchronisation, by RFC 5905.
fn is_valid(found: &NtpAnswer) -> bool {
    let has_reference = (1..STRATUM_UNSYNCHRONISED).contains(&found.stratum) && found.leap != LEAP_UNSYNCHRONISED;
    let age = found.transmitted.checked_sub(found.reference);
    let dispersion = found.root_delay / 2 + found.root_dispersion;
    has_reference && age.is_some_and(|age| age <= POLL_MAX) && dispersion <= DISPERSION_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;

    const NOON: Duration = Duration::from_secs(1_700_049_600);

    /// A server whose clock is sane.
    const SOUND: NtpAnswer = NtpAnswer {
        leap: 0,
        stratum: 2,
        offset_nanoseconds: 0,
        round_trip: Duration::from_millis(2),
        minimum_error: Duration::ZERO,
        root_delay: Duration::from_millis(30),
        root_dispersion: Duration::from_millis(20),
        transmitted: NOON,
        reference: Duration::from_secs(1_700_049_000),
    };

    fn collector() -> Ntp {
        Ntp {
            server: String::new(),
            version: 4,
            ttl: 1,
            distance_max: Duration::from_millis(3_466),
            offset_tolerance: Duration::from_millis(1),
            leap_midnight: None,
        }
    }

    #[track_caller]
    fn check(answer: NtpAnswer, is_sane: bool) {
        assert_eq!(collector().is_sane(&answer), is_sane, "{answer:?}");
    }

    #[test]
    fn a_reply_is_exported() {
        given(
            "== kernel/ntp\n127.0.0.1:123 stratum=2 leap=0 offset_nanoseconds=-1500 round_trip_seconds=0.0025 \
             root_delay_seconds=0.03 root_dispersion_seconds=0.02 transmitted_unix_seconds=1700049600 \
             reference_unix_seconds=1700049000.25\n",
        )
        .emits::<Ntp>(
            "node_ntp_leap 0\nnode_ntp_offset_seconds -1.5e-06\nnode_ntp_reference_timestamp_seconds 1.70004900025e+09\n\
             node_ntp_root_delay_seconds 0.03\nnode_ntp_root_dispersion_seconds 0.02\nnode_ntp_rtt_seconds 0.0025\n\
             node_ntp_sanity 1\nnode_ntp_stratum 2\n",
        );
    }

    #[test]
    fn a_clock_is_sane_within_its_limits() {
        check(SOUND, true);
        for stratum in [0, 16, 17] {
            check(NtpAnswer { stratum, ..SOUND }, false);
        }
        check(NtpAnswer { stratum: 15, ..SOUND }, true);
        check(NtpAnswer { leap: LEAP_UNSYNCHRONISED, ..SOUND }, false);
        check(NtpAnswer { minimum_error: Duration::from_micros(1_001), ..SOUND }, false);
        check(NtpAnswer { minimum_error: Duration::from_millis(1), ..SOUND }, true);
        check(NtpAnswer { root_dispersion: Duration::from_millis(3_450), ..SOUND }, true);
        check(NtpAnswer { root_dispersion: Duration::from_millis(3_451), ..SOUND }, false);
        check(NtpAnswer { round_trip: Duration::from_secs(7), ..SOUND }, false);
    }

    #[test]
    fn a_reference_that_is_too_old_or_in_the_future_is_not_sane() {
        let oldest = NOON.saturating_sub(POLL_MAX);
        check(NtpAnswer { reference: oldest, ..SOUND }, true);
        check(NtpAnswer { reference: oldest.saturating_sub(Duration::from_secs(1)), ..SOUND }, false);
        check(NtpAnswer { reference: NOON, ..SOUND }, true);
        check(NtpAnswer { reference: NOON + Duration::from_nanos(1), ..SOUND }, false);
    }

    #[test]
    fn clocks_may_differ_by_a_second_on_both_days_of_a_leap_second() {
        let off = NtpAnswer { minimum_error: Duration::from_millis(900), ..SOUND };
        check(off, false);
        let mut collector = collector();
        assert!(collector.is_sane(&NtpAnswer { leap: LEAP_ADDED, ..off }));
        let later = |time: Duration| NtpAnswer { transmitted: NOON + time, reference: NOON + time, ..off };
        assert!(collector.is_sane(&later(DAY)), "the announcement is gone after midnight");
        assert!(!collector.is_sane(&later(2 * DAY)));
        assert!(collector.is_sane(&NtpAnswer { leap: LEAP_REMOVED, ..later(2 * DAY) }));
    }

    #[test]
    fn only_servers_of_this_host_are_asked() {
        let refuse = |flags: &[&str], expected: &str| given("").flags(flags).is_refused::<Ntp>(expected);
        refuse(
            &["--collector.ntp.server=192.0.2.1"],
            "--collector.ntp.server: expected an address of the loopback device, found `192.0.2.1`; for a server of this \
             host at another address, set --collector.ntp.server-is-local",
        );
        refuse(
            &["--collector.ntp.server=localhost"],
            "--collector.ntp.server: expected an address of the loopback device, found `localhost`; for a server of this \
             host at another address, set --collector.ntp.server-is-local",
        );
        refuse(
            &["--collector.ntp.server-port=0"],
            "--collector.ntp.server-port: expected a port from 1 to 65535, found 0",
        );
        refuse(
            &["--collector.ntp.protocol-version=5"],
            "--collector.ntp.protocol-version: expected a version from 2 to 4, found 5",
        );
        refuse(&["--collector.ntp.ip-ttl=256"], "--collector.ntp.ip-ttl: expected at most 255 hops, found 256");
    }

    #[test]
    fn the_address_of_a_request_has_its_port() {
        let asked = |flags: &[&str], name: &str| {
            let given = given(&format!("== kernel/ntp\n{name} stratum=3\n")).flags(flags);
            assert!(given.scrape::<Ntp>().samples().contains("node_ntp_stratum 3\n"), "{name}");
        };
        asked(&["--collector.ntp.server=::1"], "[::1]:123");
        asked(&["--collector.ntp.server=127.0.0.9", "--collector.ntp.server-port=1123"], "127.0.0.9:1123");
        asked(&["--collector.ntp.server=ntp1", "--collector.ntp.server-is-local=true"], "ntp1:123");
    }

    #[test]
    fn silence_is_a_failure_and_a_host_without_answers_has_no_data() {
        given("== kernel/ntp\n127.0.0.1:123 error=ETIMEDOUT\n")
            .fails::<Ntp>("", "NTP server 127.0.0.1:123: connection timed out (ETIMEDOUT)");
        given("").fails::<Ntp>("", "NTP: not supported by this host");
    }
}
