use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::*;
use crate::host::errno::Errno;
use crate::host::kernel::canned::{Canned, HANG_CAP, Refusal};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;

/// Reads each text as the entry and compares the error.
#[track_caller]
fn check_errors(cases: &[(&str, &str, &str)]) {
    for &(entry, text, expected) in cases {
        let error = Answers::read(|name| (name == entry).then_some(text.as_bytes())).unwrap_err();
        assert_eq!(error.to_string(), format!("{entry}, line {expected}"));
    }
}

#[test]
fn a_bad_line_of_the_system_is_refused_with_place_and_advice() {
    check_errors(&[
        ("kernel/clock", "unix_seconds", "1: unix_seconds is missing; give seconds, with up to nine decimal places"),
        ("kernel/clock", "unix_seconds 1e9", "1: unix_seconds is `1e9`; give seconds, with up to nine decimal places"),
        ("kernel/clock", "seconds 1", "1: the key is `seconds`; use unix_seconds, zone"),
        ("kernel/clock", "unix_seconds 1\nzone CET", "2: the zone's offset is missing; write `zone CET 3600`"),
        ("kernel/clock", "zone CET 1h", "1: the zone's offset is `1h`; give whole seconds east of Greenwich"),
        ("kernel/clock", "zone CET 3600 x", "1: the end of the line is `x`; take it out"),
        ("kernel/system", "ticks_per_second 0", "1: ticks_per_second is `0`; give at least 1"),
        (
            "kernel/system",
            "ticks_per_second 1.5",
            "1: ticks_per_second is `1.5`; give a whole number of at most 64 bits",
        ),
        ("kernel/system", "page_size 1", "1: the key is `page_size`; use ticks_per_second, page_size_bytes"),
        (
            "kernel/uname",
            "\nkernel Linux",
            "2: the key is `kernel`; use sysname, release, version, machine, nodename, domainname",
        ),
        ("kernel/uname", "sysname a\nsysname b", "2: the key is `sysname`; give it once"),
        ("kernel/uname", "version a\\b", "1: version is `a\\b`; write \\ as \\134 and a space as \\040"),
        (
            "kernel/statfs",
            "/ block_size=1 blocks=2 blocks_free=3 blocks_available=4 files=5",
            "1: files_free is missing; give all six numbers, or error=ESTALE, or hang=1",
        ),
        ("kernel/statfs", "/ error=ENONSENSE", "1: error is `ENONSENSE`; give a symbol of errno(3) such as ESTALE"),
        ("kernel/statfs", "/ hang=60.1", "1: hang is `60.1`; give at most 60 seconds"),
        ("kernel/statfs", "/ error=EIO blocks=1", "1: error or hang is `not alone`; take the other fields out"),
        (
            "kernel/statfs",
            "/ size=1",
            "1: the key is `size`; use block_size, blocks, blocks_free, blocks_available, files, files_free, \
             or error or hang alone",
        ),
        ("kernel/statfs", "/a error=EIO\n/a error=EIO", "2: the mount point or device is `/a`; give it once"),
        ("kernel/statfs", "/a b", "1: a field is `b`; write it as key=value"),
    ]);
}

#[test]
fn a_bad_line_of_a_network_device_is_refused_with_place_and_advice() {
    check_errors(&[
        ("kernel/links", "eth0 mtu=1500", "1: index is missing; give the device's index"),
        ("kernel/links", "eth0 index=4294967296", "1: index is `4294967296`; give a whole number of at most 32 bits"),
        ("kernel/links", "eth0 index=1 carrier=256", "1: carrier is `256`; give a whole number of at most 8 bits"),
        ("kernel/links", "eth0 index=1 address=2:0", "1: address is `2:0`; write it as 02:00:00:00:00:01"),
        ("kernel/links", "eth0 index=1 address=+2", "1: address is `+2`; write it as 02:00:00:00:00:01"),
        (
            "kernel/links",
            "eth0 index=1 speed=1",
            "1: the key is `speed`; use index, protocol_type, flags, address, broadcast, alias, mtu, link, \
             transmit_queue_length, operstate, link_mode, group, promiscuity, all_multicast, carrier, carrier_changes, \
             carrier_up_changes, \
             carrier_down_changes, rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped, \
             tx_dropped, multicast, collisions, rx_length_errors, rx_over_errors, rx_crc_errors, rx_frame_errors, \
             rx_fifo_errors, rx_missed_errors, tx_aborted_errors, tx_carrier_errors, tx_fifo_errors, \
             tx_heartbeat_errors, tx_window_errors, rx_compressed, tx_compressed, rx_nohandler",
        ),
        ("kernel/links", "eth0 index=1 mtu=1 mtu=1", "1: the key is `mtu`; give it once"),
        ("kernel/links", "eth0 index=1\neth0 index=2", "2: the first word is `eth0`; give it once"),
        ("kernel/alternative_names", "eth0", "1: the name is missing; write `eth0 enp0s3`"),
        ("kernel/alternative_names", "eth0 enp0s3 enx0", "1: the end of the line is `enx0`; take it out"),
        ("kernel/addresses", "eth0", "1: the address is missing; write `eth0 192.0.2.10/24`"),
        (
            "kernel/addresses",
            "eth0 192.0.2.1/33",
            "1: the address is `192.0.2.1/33`; write it as 192.0.2.10/24 or 2001:db8::1/64",
        ),
        (
            "kernel/addresses",
            "eth0 ::1/129",
            "1: the address is `::1/129`; write it as 192.0.2.10/24 or 2001:db8::1/64",
        ),
        ("kernel/addresses", "eth0 ::1/+1", "1: the address is `::1/+1`; write it as 192.0.2.10/24 or 2001:db8::1/64"),
        ("kernel/neighbours", "eth0 here state=1", "1: the address is `here`; write it as 192.0.2.1"),
        ("kernel/neighbours", "eth0 192.0.2.1", "1: state is missing; give the NUD_ bits, 0x02 for reachable"),
        ("kernel/neighbours", "eth0 192.0.2.1 status=1", "1: the key is `status`; use state"),
        (
            "kernel/link_modes",
            "eth0 speed=1",
            "1: the key is `speed`; use speed_megabits, duplex, or error or hang alone",
        ),
        (
            "kernel/link_modes",
            "eth0 speed_megabits=1",
            "1: duplex is missing; give 0 for half, 1 for full, 255 for unknown",
        ),
        ("kernel/qdiscs", "eth0", "1: kind is missing; give the discipline's name, such as fq_codel"),
        (
            "kernel/qdiscs",
            "eth0 kind=fq drops=4294967296",
            "1: drops is `4294967296`; give a whole number of at most 32 bits",
        ),
        (
            "kernel/qdiscs",
            "eth0 kind=fq\neth0 kind=mq lost=1",
            "2: the key is `lost`; use kind, parent, bytes, packets, drops, requeues, overlimits, queue_length, \
             backlog_bytes",
        ),
    ]);
}

#[test]
fn a_bad_line_of_clocks_drivers_and_routes_is_refused_with_place_and_advice() {
    check_errors(&[
        ("kernel/timex", "state 0\nstate 5", "2: the key is `state`; give it once"),
        (
            "kernel/timex",
            "offset 0x1",
            "1: offset is `0x1`; give a whole number of at most 64 bits, which may be negative",
        ),
        (
            "kernel/timex",
            "tai_offset_seconds 2147483648",
            "1: tai_offset_seconds is `2147483648`; give a whole number of at most 32 bits, which may be negative",
        ),
        ("kernel/drivers", "eth0", "1: name is missing; give the driver's name, such as e1000e"),
        ("kernel/driver_statistics", "eth0", "1: the statistic is missing; write `eth0 rx_bytes 7`"),
        ("kernel/driver_statistics", "eth0 rx_bytes", "1: the value is missing; write `eth0 rx_bytes 7`"),
        (
            "kernel/link_settings",
            "eth0 speed=1",
            "1: the key is `speed`; use supported, advertised, autonegotiation, or error or hang alone",
        ),
        ("kernel/sessions", "c1 class=user", "1: type is missing; give tty, x11, wayland or another type"),
        ("kernel/ntp", "127.0.0.1:123 leap=0", "1: stratum is missing; give the server's stratum, from 1 to 16"),
        (
            "kernel/routes",
            "192.0.2.0",
            "1: the destination is `192.0.2.0`; write it as 192.0.2.10/24 or 2001:db8::1/64",
        ),
        ("kernel/routes", "default gateway=x", "1: gateway is `x`; write it as 192.0.2.1"),
    ]);
}

#[test]
fn a_bad_line_of_a_btrfs_is_refused_with_place_and_advice() {
    check_errors(&[
        ("kernel/btrfs", "/a", "1: device is missing; give the device's path"),
        ("kernel/btrfs", "/a error=ENOWAY", "1: error is `ENOWAY`; give a symbol of errno(3) such as ESTALE"),
        ("kernel/btrfs", "/a error=EPERM device=/b", "1: error or hang is `not alone`; take the other fields out"),
        ("kernel/btrfs", "/a device=/b error=EPERM", "1: error or hang is `not alone`; take the other fields out"),
        ("kernel/btrfs", "/a error=EPERM hang=1", "1: error or hang is `not alone`; take the other fields out"),
        ("kernel/btrfs", "/a device=/b uuid=12", "1: uuid is `12`; give 32 hexadecimal digits"),
        ("kernel/btrfs", "/a device=/b file_system=x", "1: file_system is `x`; give 32 hexadecimal digits"),
        (
            "kernel/btrfs",
            "/a device=/b wrong_errors=1",
            "1: the key is `wrong_errors`; use file_system, device, uuid, size_bytes, used_bytes, write_errors, \
             read_errors, flush_errors, corruption_errors, generation_errors, or error or hang alone",
        ),
        (
            "kernel/btrfs",
            "/a device=/b write_errors=-1",
            "1: write_errors is `-1`; give a whole number of at most 64 bits",
        ),
    ]);
}

#[test]
fn a_bad_line_of_a_wireless_interface_is_refused_with_place_and_advice() {
    check_errors(&[
        ("kernel/wifi_interfaces", "wlan0", "1: index is missing; give the device's index"),
        ("kernel/wifi_interfaces", "wlan0 index=1 type=2", "1: the key is `type`; use index, frequency_megahertz"),
        ("kernel/wifi_networks", "wlan0 bssid=2", "1: bssid is `2`; write it as 02:00:00:00:00:01"),
        (
            "kernel/wifi_networks",
            "wlan0 ssid=a",
            "1: status is missing; give 0 for authenticated, 1 for associated, 2 for joined",
        ),
        (
            "kernel/wifi_networks",
            "wlan0 name=a",
            "1: the key is `name`; use bssid, ssid, status, or error or hang alone",
        ),
        (
            "kernel/wifi_networks",
            "wlan0 error=EIO status=1",
            "1: error or hang is `not alone`; take the other fields out",
        ),
        ("kernel/wifi_stations", "wlan0", "1: address is missing; give the station's hardware address"),
        (
            "kernel/wifi_stations",
            "wlan0 address=02 signal_dbm=-129",
            "1: signal_dbm is `-129`; give a whole number from -128 to 127",
        ),
        (
            "kernel/wifi_stations",
            "wlan0 error=EIO address=02",
            "1: error or hang is `not alone`; take the other fields out",
        ),
    ]);
}

#[test]
fn limits_are_allowed_themselves() {
    for (entry, text) in [
        ("kernel/statfs", "/ hang=60"),
        ("kernel/statfs", "/ error=4711"),
        ("kernel/links", "eth0 index=0xffffffff carrier=255"),
        ("kernel/addresses", "eth0 192.0.2.1/32\neth0 ::1/128"),
        ("kernel/wifi_stations", "wlan0 address=02 signal_dbm=-128"),
        ("kernel/wifi_networks", "wlan0 status=4294967295"),
        ("kernel/wifi_networks", "wlan0 hang=60"),
        ("kernel/qdiscs", "eth0 kind=mq packets=4294967296\neth0 kind=fq parent=0x1 drops=4294967295"),
        ("kernel/uname", "sysname\nversion #1 SMP  x"),
        ("kernel/system", "ticks_per_second 1\n\npage_size_bytes   65536 "),
    ] {
        let parsed = Answers::read(|name| (name == entry).then_some(text.as_bytes()));
        assert!(parsed.is_ok(), "{text}: {parsed:?}");
    }
}

#[test]
fn an_entry_without_lines_is_an_answer_without_items() {
    let answers = Answers::read(|_| Some(b"")).unwrap();
    assert_eq!((answers.links, answers.addresses), (Some(vec![]), Some(vec![])));
    assert_eq!((answers.uname, answers.clock), (Some(Uname::default()), Some(Clock::default())));
    assert_eq!(Answers::read(|_| None), Ok(Answers::default()));
}

#[test]
fn a_line_is_read_as_it_is_documented() {
    let text = "eth0 index=2 protocol_type=1 flags=0x1043 address=02:00:00:00:00:0a alias=up\\040link rx_bytes=7";
    let answers = Answers::read(|name| (name == "kernel/links").then_some(text.as_bytes())).unwrap();
    let expected = Link {
        name: b"eth0",
        index: 2,
        protocol_type: 1,
        flags: 0x1043,
        address: Some(&[2, 0, 0, 0, 0, 10]),
        alias: Some(b"up link"),
        statistics: Some(LinkStatistics { rx_bytes: 7, ..LinkStatistics::default() }),
        ..Link::default()
    };
    assert_eq!(answers.links.unwrap()[0].lend(), expected);
}

#[test]
fn the_text_is_the_documented_one() {
    let kernel = Canned::default()
        .at(1_700_000_000.25)
        .with_zone("CET", 3600)
        .with_system(100, 4096)
        .with_uname(Uname { version: b"#1 SMP x".to_vec(), ..Uname::default() })
        .with_statfs("/my disk", StatFs { block_size: 4096, ..StatFs::default() })
        .with_refused_statfs("/mnt/dead", Refusal::Error(Errno::ESTALE))
        .with_refused_statfs("/mnt/slow", Refusal::Hang(Duration::from_millis(1500)))
        .with_link(&Link { name: b"lo", index: 1, flags: 0x49, address: Some(&[0, 10]), ..Link::default() })
        .with_link_modes("eth0", LinkModes { speed_megabits: Some(1000), duplex: 1 })
        .with_qdisc(&Qdisc { device: b"eth0", kind: b"fq", parent: u32::MAX, bytes: 7, ..Qdisc::default() })
        .with_wifi_interface(&WifiInterface { name: b"wlan0", index: 3, frequency_megahertz: 2412 })
        .with_wifi_network("wlan0", &WifiNetwork { bssid: &[2, 1], ssid: b"a net", status: 1 })
        .with_wifi_station(
            "wlan0",
            &WifiStation {
                address: &[2, 1],
                connected: Duration::from_secs(30),
                inactive: Duration::from_millis(400),
                signal_dbm: -52,
                ..WifiStation::default()
            },
        );
    let expected: BTreeMap<&str, &str> = [
        ("kernel/clock", "unix_seconds 1700000000.25\nzone CET 3600\n"),
        ("kernel/system", "ticks_per_second 100\npage_size_bytes 4096\n"),
        ("kernel/uname", "version #1 SMP x\n"),
        (
            "kernel/statfs",
            "/mnt/dead error=ESTALE\n/mnt/slow hang=1.5\n\
             /my\\040disk block_size=4096 blocks=0 blocks_free=0 blocks_available=0 files=0 files_free=0\n",
        ),
        ("kernel/links", "lo index=1 protocol_type=0 flags=0x49 address=00:0a\n"),
        ("kernel/link_modes", "eth0 speed_megabits=1000 duplex=1\n"),
        (
            "kernel/qdiscs",
            "eth0 kind=fq parent=0xffffffff bytes=7 packets=0 drops=0 requeues=0 overlimits=0 queue_length=0 \
             backlog_bytes=0\n",
        ),
        ("kernel/wifi_interfaces", "wlan0 index=3 frequency_megahertz=2412\n"),
        ("kernel/wifi_networks", "wlan0 bssid=02:01 ssid=a\\040net status=1\n"),
        (
            "kernel/wifi_stations",
            "wlan0 address=02:01 connected_seconds=30 inactive_seconds=0.4 receive_bits_per_second=0 \
             transmit_bits_per_second=0 signal_dbm=-52 received_bytes=0 transmitted_bytes=0 received_packets=0 \
             transmitted_packets=0 transmit_retries=0 transmit_failures=0 beacon_losses=0\n",
        ),
    ]
    .into();
    let written = kernel.entries();
    let written: Vec<_> = written.iter().map(|(name, text)| (*name, std::str::from_utf8(text).unwrap())).collect();
    assert_eq!(written, expected.into_iter().collect::<Vec<_>>());
}

/// Bytes with many of those that are escaped.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![3 => any::<u8>(), 1 => Just(b' '), 1 => Just(b'\\')], 0..12)
}

/// Names are never empty.
fn name() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 1..12)
}

fn nanoseconds() -> impl Strategy<Value = Duration> {
    any::<(u32, u32)>().prop_map(|(seconds, nanoseconds)| Duration::new(seconds.into(), nanoseconds % 1_000_000_000))
}

fn outcome<T: std::fmt::Debug>(answer: impl Strategy<Value = T>) -> impl Strategy<Value = Outcome<T>> {
    prop_oneof![
        4 => answer.prop_map(Ok),
        1 => (1_i32..65_536).prop_map(|number| Err(Refusal::Error(Errno::from_number(number)))),
        1 => (0..=HANG_CAP.as_secs()).prop_map(|seconds| Err(Refusal::Hang(Duration::from_secs(seconds)))),
    ]
}

fn about<T: std::fmt::Debug>(answer: impl Strategy<Value = T>) -> impl Strategy<Value = Option<Vec<About<T>>>> {
    of(vec((name(), outcome(answer)).prop_map(|(subject, outcome)| About { subject, outcome }), 0..4))
}

fn each<T: std::fmt::Debug>(
    answer: impl Strategy<Value = T>,
) -> impl Strategy<Value = Option<BTreeMap<Vec<u8>, Outcome<T>>>> {
    of(btree_map(name(), outcome(answer), 0..4))
}

prop_compose! {
    fn singles()(
        unix_seconds in nanoseconds(), zone in of((name(), any::<i32>())), constants in of([of(1_u64..), of(1_u64..)]),
        uname in of([bytes(), bytes(), bytes(), bytes(), bytes(), bytes()]),
    ) -> Answers {
        let zone = zone.map(|(name, offset_seconds)| Zone { name, offset_seconds });
        let system = |[ticks_per_second, page_size_bytes]: [Option<u64>; 2]| System { ticks_per_second, page_size_bytes };
        let of_fields = |[sysname, release, version, machine, nodename, domainname]: [Vec<u8>; 6]| {
            Uname { sysname, release, version, machine, nodename, domainname }
        };
        Answers {
            clock: Some(Clock { unix_seconds, zone }), system: constants.map(system), uname: uname.map(of_fields),
            ..Answers::default()
        }
    }
}

prop_compose! {
    fn link()(
        name in name(), wide: (u32, u16, u32), bytes in [of(bytes()), of(bytes()), of(bytes())],
        optional: ([Option<u32>; 9], [Option<u8>; 3]), statistics: Option<[u64; 24]>,
    ) -> KeptLink {
        let (index, protocol_type, flags) = wide;
        let [address, broadcast, alias] = bytes;
        let ([mtu, link, transmit_queue_length, group, promiscuity, all_multicast, carrier_changes, up, down], narrow) =
            optional;
        let [operstate, link_mode, carrier] = narrow;
        KeptLink {
            name, index, protocol_type, flags, address, broadcast, alias, mtu, link, transmit_queue_length, operstate,
            link_mode, group, promiscuity, all_multicast, carrier, carrier_changes, carrier_up_changes: up, carrier_down_changes: down,
            statistics: statistics.map(LinkStatistics::from_counters),
        }
    }
}

prop_compose! {
    fn network()(is_short: bool, bits: u128, length: u8) -> IpNetwork {
        let short = Ipv4Addr::from_bits(u32::try_from(bits >> 96).unwrap_or_default());
        let address = if is_short { IpAddr::from(short) } else { Ipv6Addr::from(bits).into() };
        IpNetwork { address, prefix_length: length % (IpNetwork::bits(address) + 1) }
    }
}

prop_compose! {
    fn qdisc()(device in name(), kind in bytes(), wide: [u64; 2], narrow: [u32; 6]) -> KeptQdisc {
        let ([bytes, packets], [parent, drops, requeues, overlimits, queue_length, backlog_bytes]) = (wide, narrow);
        KeptQdisc { device, kind, parent, bytes, packets, drops, requeues, overlimits, queue_length, backlog_bytes }
    }
}

prop_compose! {
    fn station()(
        address in bytes(), times in [nanoseconds(), nanoseconds()], wide: [u64; 4], signal_dbm: i8, narrow: [u32; 5],
    ) -> KeptWifiStation {
        let [connected, inactive] = times;
        let [receive_bits_per_second, transmit_bits_per_second, received_bytes, transmitted_bytes] = wide;
        let [received_packets, transmitted_packets, transmit_retries, transmit_failures, beacon_losses] = narrow;
        KeptWifiStation {
            address, connected, inactive, receive_bits_per_second, transmit_bits_per_second, signal_dbm, received_bytes,
            transmitted_bytes, received_packets, transmitted_packets, transmit_retries, transmit_failures, beacon_losses,
        }
    }
}

prop_compose! {
    fn device()(ids: [[u8; 16]; 2], path in bytes(), sizes: [u64; 2], errors: [u64; 5]) -> KeptBtrfs {
        let [file_system, uuid] = ids.map(Uuid);
        KeptBtrfs { file_system, path, uuid, size_bytes: sizes[0], used_bytes: sizes[1], errors }
    }
}

prop_compose! {
    fn by_subject()(
        statfs in each(any::<[u64; 6]>()), modes in each(any::<(Option<u32>, u8)>()), btrfs in about(device()),
        wifi_networks in each((bytes(), bytes(), any::<u32>())), wifi_stations in about(station()),
    ) -> Answers {
        let numbers = |[block_size, blocks, blocks_free, blocks_available, files, files_free]: [u64; 6]| {
            KeptStatFs { block_size, blocks, blocks_free, blocks_available, files, files_free }
        };
        Answers {
            statfs: statfs.map(|all| all.into_iter().map(|(name, found)| (name, found.map(numbers))).collect()),
            link_modes: modes.map(|all| {
                let modes = |(speed_megabits, duplex)| KeptLinkModes { speed_megabits, duplex };
                all.into_iter().map(|(name, found)| (name, found.map(modes))).collect()
            }),
            wifi_networks: wifi_networks.map(|all| {
                let network = |(bssid, ssid, status)| KeptWifiNetwork { bssid, ssid, status };
                all.into_iter().map(|(name, found)| (name, found.map(network))).collect()
            }),
            btrfs, wifi_stations, ..Answers::default()
        }
    }
}

prop_compose! {
    fn timex()(narrow: [u32; 2], wide: [i64; 13], signed: [i32; 2]) -> Timex {
        let ([state, status], [pps_shift, tai_offset_seconds]) = (narrow, signed);
        let [offset, frequency, maximum_error_microseconds, estimated_error_microseconds, time_constant, ..] = wide;
        let [.., tick_microseconds, pps_frequency, pps_jitter, pps_stability, pps_jitter_count, pps_calibration_count,
            pps_error_count, pps_stability_count] = wide;
        Timex {
            state, status, offset, frequency, maximum_error_microseconds, estimated_error_microseconds, time_constant,
            tick_microseconds, pps_frequency, pps_jitter, pps_shift, pps_stability, pps_jitter_count,
            pps_calibration_count, pps_error_count, pps_stability_count, tai_offset_seconds,
        }
    }
}

prop_compose! {
    fn driver()(texts in [bytes(), bytes(), bytes(), bytes(), bytes()]) -> KeptDriver {
        let [name, version, firmware_version, expansion_rom_version, bus_info] = texts;
        KeptDriver { name, version, firmware_version, expansion_rom_version, bus_info }
    }
}

prop_compose! {
    fn ntp()(
        narrow: [u8; 2], offset_nanoseconds: i64,
        times in [nanoseconds(), nanoseconds(), nanoseconds(), nanoseconds(), nanoseconds(), nanoseconds()],
    ) -> KeptNtpAnswer {
        let ([leap, stratum], [round_trip, minimum_error, root_delay, root_dispersion, transmitted, reference]) = (narrow, times);
        KeptNtpAnswer {
            leap, stratum, offset_nanoseconds, round_trip, minimum_error, root_delay, root_dispersion, transmitted, reference,
        }
    }
}

prop_compose! {
    fn route()(
        destination in of(network()), device in bytes(), addresses in [of(network()), of(network())], priority: u32,
        protocol: u8, weight: Option<u16>,
    ) -> KeptRoute {
        let [source, gateway] = addresses.map(|network| network.map(|network| network.address));
        KeptRoute { destination, device, source, gateway, priority, protocol, weight }
    }
}

prop_compose! {
    fn clocks_and_drivers()(
        timex in of(timex()), drivers in each(driver()), ntp in each(ntp()), routes in of(vec(route(), 0..4)),
        link_settings in each(any::<(u32, u32, u8)>()), driver_statistics in about((name(), any::<u64>())),
        perf in about((any::<u32>(), any::<Result<u64, u16>>())),
    ) -> Answers {
        let settings = |(supported, advertised, autonegotiation)| {
            KeptLinkSettings { supported, advertised, autonegotiation }
        };
        let statistic = |about: About<(Vec<u8>, u64)>| About {
            subject: about.subject,
            outcome: about.outcome.map(|(name, value)| KeptDriverStatistic { name, value }),
        };
        let perf_count = |about: About<(u32, Result<u64, u16>)>| About {
            subject: about.subject,
            outcome: about.outcome.map(|(cpu, count)| {
                KeptPerfCount { cpu, count: count.map_err(|number| Errno::from_number(number.into())) }
            }),
        };
        Answers {
            link_settings: link_settings.map(|all| {
                all.into_iter().map(|(name, found)| (name, found.map(settings))).collect()
            }),
            driver_statistics: driver_statistics.map(|all| all.into_iter().map(statistic).collect()),
            perf: perf.map(|all| all.into_iter().map(perf_count).collect()),
            timex, drivers, ntp, routes, ..Answers::default()
        }
    }
}

prop_compose! {
    fn lists()(
        links in of(btree_map(name(), link(), 0..4)), addresses in of(vec((name(), network()), 0..4)),
        neighbours in of(vec((name(), network(), any::<u16>()), 0..4)), names in of(vec((name(), name()), 0..4)),
        qdiscs in of(vec(qdisc(), 0..4)), interfaces in of(vec((name(), any::<[u32; 2]>()), 0..4)),
    ) -> Answers {
        let interface = |(name, [index, frequency_megahertz]): (Vec<u8>, [u32; 2])| {
            KeptWifiInterface { name, index, frequency_megahertz }
        };
        let neighbour = |(device, IpNetwork { address, .. }, state)| KeptNeighbour { device, address, state };
        let address = |(device, network)| KeptAddress { device, network };
        let alternative = |(device, name)| KeptAlternativeName { device, name };
        Answers {
            // Not in the order of their names.
            links: links.map(|all| all.into_iter().rev().map(|(name, link)| KeptLink { name, ..link }).collect()),
            addresses: addresses.map(|all| all.into_iter().map(address).collect()),
            neighbours: neighbours.map(|all| all.into_iter().map(neighbour).collect()),
            alternative_names: names.map(|all| all.into_iter().map(alternative).collect()),
            wifi_interfaces: interfaces.map(|all| all.into_iter().map(interface).collect()),
            qdiscs, ..Answers::default()
        }
    }
}

prop_compose! {
    fn unit()(
        name in name(), words in [bytes(), bytes()], kind in of(bytes()), wide: [Option<u64>; 4],
        narrow: [Option<u32>; 4],
    ) -> KeptUnit {
        let [load_state, active_state] = words;
        let [active_since_micros, tasks, tasks_max, last_trigger_micros] = wide;
        let [restarts, accepted, connections, refused] = narrow;
        KeptUnit {
            name, load_state, active_state, kind, active_since_micros, restarts, tasks, tasks_max, last_trigger_micros,
            accepted, connections, refused,
        }
    }
}

prop_compose! {
    fn session()(name in name(), words in [bytes(), bytes(), bytes()], remote: u8) -> KeptLoginSession {
        let [seat, kind, class] = words;
        KeptLoginSession { name, seat, remote, kind, class }
    }
}

prop_compose! {
    fn managers()(
        systemd in of([bytes(), bytes(), bytes()]), units in of(btree_map(name(), unit(), 0..4)),
        seats in of(btree_set(name(), 0..4)), sessions in of(btree_map(name(), session(), 0..4)),
    ) -> Answers {
        let seats = seats.map(|seats| seats.into_iter().map(|name| KeptSeat { name }).collect());
        let of_name = |(name, session): (Vec<u8>, KeptLoginSession)| KeptLoginSession { name, ..session };
        let sessions = sessions.map(|sessions| sessions.into_iter().map(of_name).collect());
        let manager = |[version, virtualization, state]: [Vec<u8>; 3]| SystemdManager { version, virtualization, state };
        let named = |(name, unit): (Vec<u8>, KeptUnit)| KeptUnit { name, ..unit };
        Answers {
            systemd: systemd.map(manager), seats, sessions, units: units.map(|units| units.into_iter().map(named).collect()),
            ..Answers::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_again(
        singles in singles(), by_subject in by_subject(), lists in lists(), others in clocks_and_drivers(),
        managers in managers(),
    ) {
        let mut answers = singles;
        answers.absorb(others);
        answers.absorb(by_subject);
        answers.absorb(lists);
        answers.absorb(managers);
        let written: BTreeMap<_, _> = answers.write().into_iter().collect();
        let read = Answers::read(|name| written.get(name).map(|text| &text[..]));
        prop_assert_eq!(read.as_ref(), Ok(&answers));
        prop_assert!(written.keys().eq(Answers::ENTRIES.iter().filter(|name| written.contains_key(*name))));
        prop_assert!(written.values().flatten().all(|byte| byte.is_ascii_graphic() || b" \n".contains(byte)));
    }

    #[test]
    fn an_answer_is_lent_as_it_was_kept(
        link in link(), qdisc in qdisc(), station in station(), device in device(), ntp in ntp(), route in route(),
    ) {
        prop_assert_eq!(KeptNtpAnswer::keep(&ntp.lend()), ntp);
        prop_assert_eq!(KeptRoute::keep(&route.lend()), route);
        prop_assert_eq!(KeptLink::keep(&link.lend()), link);
        prop_assert_eq!(KeptQdisc::keep(&qdisc.lend()), qdisc);
        prop_assert_eq!(KeptWifiStation::keep(&station.lend()), station);
        prop_assert_eq!(KeptBtrfs::keep(&device.lend()), device);
    }

    #[test]
    fn no_text_is_too_strange(text in "([a-z_/0.:]{0,9}[ =\\\\\n]){0,8}", bytes: Vec<u8>) {
        let _ = Answers::read(|_| Some(text.as_bytes()));
        let _ = Answers::read(|_| Some(&bytes));
    }
}
