//! From answers to the text of the entries.

use std::fmt::{self, Display, Write as _};

use super::answers::{Answers, StatFsAnswer};
use super::btrfs;
use super::line::{write_escaped, write_seconds};
use super::{
    ADDRESSES, ALTERNATIVE_NAMES, BTRFS, CLOCK, LINK_MODES, LINKS, NEIGHBOURS, QDISCS, STATFS, SYSTEM, UNAME,
    WIFI_INTERFACES, WIFI_NETWORKS, WIFI_STATIONS, qdiscs, wifi,
};
use crate::host::errno::Errno;
use crate::host::kernel::{Link, LinkStatistics};

/// The entries of the questions that have answers, sorted by name.
pub(super) fn entries(answers: &Answers) -> Vec<(&'static str, Vec<u8>)> {
    let entries = [
        (ADDRESSES, addresses(answers)),
        (ALTERNATIVE_NAMES, alternative_names(answers)),
        (BTRFS, answers.btrfs.as_deref().map(btrfs::write)),
        (CLOCK, Some(clock(answers))),
        (LINK_MODES, link_modes(answers)),
        (LINKS, links(answers)),
        (NEIGHBOURS, neighbours(answers)),
        (QDISCS, answers.qdiscs.as_deref().map(qdiscs::write)),
        (STATFS, statfs(answers)),
        (SYSTEM, system(answers)),
        (UNAME, uname(answers)),
        (WIFI_INTERFACES, answers.wifi_interfaces.as_deref().map(wifi::write_interfaces)),
        (WIFI_NETWORKS, answers.wifi_networks.as_ref().map(wifi::write_networks)),
        (WIFI_STATIONS, answers.wifi_stations.as_ref().map(wifi::write_stations)),
    ];
    entries.into_iter().filter_map(|(name, text)| Some((name, text?.0))).collect()
}

/// The text of one entry.
#[derive(Default)]
pub(super) struct Text(pub(super) Vec<u8>);

impl Text {
    pub(super) fn raw(&mut self, text: impl Display) -> &mut Self {
        write!(self, "{text}").expect("memory takes every byte");
        self
    }

    pub(super) fn escaped(&mut self, value: &[u8]) -> &mut Self {
        write_escaped(value, false, &mut self.0);
        self
    }

    pub(super) fn pair(&mut self, key: &str, value: impl Display) -> &mut Self {
        self.0.push(b' ');
        self.0.extend_from_slice(key.as_bytes());
        self.0.push(b'=');
        self.raw(value)
    }

    pub(super) fn hardware_address(&mut self, key: &str, value: &[u8]) -> &mut Self {
        self.pair(key, hardware_address(value))
    }

    /// By its name, or by its number where it has none.
    pub(super) fn error(&mut self, errno: Errno) -> &mut Self {
        if Errno::from_name(errno.name()).is_some() {
            self.pair("error", errno.name())
        } else {
            self.pair("error", errno.number())
        }
    }

    fn pair_if(&mut self, key: &str, value: Option<impl Display>) -> &mut Self {
        if let Some(value) = value {
            self.pair(key, value);
        }
        self
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

fn clock(answers: &Answers) -> Text {
    let mut text = Text::default();
    text.raw("unix_seconds ");
    write_seconds(answers.start, &mut text.0);
    text.raw('\n');
    if let Some(zone) = &answers.zone {
        text.raw("zone ").escaped(&zone.name).raw(format_args!(" {}\n", zone.offset_seconds));
    }
    text
}

fn system(answers: &Answers) -> Option<Text> {
    let mut text = Text::default();
    for (name, value) in [("ticks_per_second", answers.ticks_per_second), ("page_size_bytes", answers.page_size_bytes)]
    {
        if let Some(value) = value {
            text.raw(format_args!("{name} {value}\n"));
        }
    }
    (!text.0.is_empty()).then_some(text)
}

fn uname(answers: &Answers) -> Option<Text> {
    let uname = answers.uname.as_ref()?;
    let mut text = Text::default();
    for (name, value) in [
        ("sysname", &uname.sysname),
        ("release", &uname.release),
        ("version", &uname.version),
        ("machine", &uname.machine),
        ("nodename", &uname.nodename),
        ("domainname", &uname.domainname),
    ] {
        if !value.is_empty() {
            text.raw(name).raw(' ');
            write_escaped(value, true, &mut text.0);
            text.raw('\n');
        }
    }
    Some(text)
}

fn statfs(answers: &Answers) -> Option<Text> {
    let mut text = Text::default();
    for (mount_point, answer) in answers.statfs.as_ref()? {
        text.escaped(mount_point);
        match answer {
            StatFsAnswer::Numbers(numbers) => text
                .pair("block_size", numbers.block_size)
                .pair("blocks", numbers.blocks)
                .pair("blocks_free", numbers.blocks_free)
                .pair("blocks_available", numbers.blocks_available)
                .pair("files", numbers.files)
                .pair("files_free", numbers.files_free),
            StatFsAnswer::Error(errno) => text.error(*errno),
            StatFsAnswer::Hang(time) => {
                text.raw(" hang=");
                write_seconds(*time, &mut text.0);
                &mut text
            }
        };
        text.raw('\n');
    }
    Some(text)
}

fn links(answers: &Answers) -> Option<Text> {
    let mut text = Text::default();
    for link in answers.links.as_ref()? {
        write_link(&link.borrow(), &mut text);
    }
    Some(text)
}

fn write_link(link: &Link<'_>, text: &mut Text) {
    text.escaped(link.name)
        .pair("index", link.index)
        .pair("protocol_type", link.protocol_type)
        .pair("flags", format_args!("{:#x}", link.flags))
        .pair_if("address", link.address.map(hardware_address))
        .pair_if("broadcast", link.broadcast.map(hardware_address));
    if let Some(alias) = link.alias {
        text.raw(" alias=").escaped(alias);
    }
    text.pair_if("mtu", link.mtu)
        .pair_if("link", link.link)
        .pair_if("transmit_queue_length", link.transmit_queue_length)
        .pair_if("operstate", link.operstate)
        .pair_if("link_mode", link.link_mode)
        .pair_if("group", link.group)
        .pair_if("carrier", link.carrier)
        .pair_if("carrier_changes", link.carrier_changes)
        .pair_if("carrier_up_changes", link.carrier_up_changes)
        .pair_if("carrier_down_changes", link.carrier_down_changes);
    if let Some(statistics) = link.statistics {
        for (name, counter) in LinkStatistics::NAMES.into_iter().zip(statistics.counters()) {
            text.pair(name, counter);
        }
    }
    text.raw('\n');
}

fn hardware_address(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

fn alternative_names(answers: &Answers) -> Option<Text> {
    let mut text = Text::default();
    for (device, name) in answers.alternative_names.as_ref()? {
        text.escaped(device).raw(' ').escaped(name).raw('\n');
    }
    Some(text)
}

fn addresses(answers: &Answers) -> Option<Text> {
    let mut text = Text::default();
    for address in answers.addresses.as_ref()? {
        text.escaped(&address.device).raw(format_args!(" {}/{}\n", address.address, address.prefix_length));
    }
    Some(text)
}

fn neighbours(answers: &Answers) -> Option<Text> {
    let mut text = Text::default();
    for neighbour in answers.neighbours.as_ref()? {
        text.escaped(&neighbour.device).raw(format_args!(" {} state={:#04x}\n", neighbour.address, neighbour.state));
    }
    Some(text)
}

fn link_modes(answers: &Answers) -> Option<Text> {
    let mut text = Text::default();
    for (device, modes) in answers.link_modes.as_ref()? {
        text.escaped(device).pair_if("speed_megabits", modes.speed_megabits).pair("duplex", modes.duplex).raw('\n');
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    use std::time::Duration;

    use super::super::Canned;
    use super::super::answers::{OwnedAddress, OwnedLink, OwnedNeighbour};
    use super::*;
    use crate::host::kernel::{LinkModes, Qdisc, StatFs, Uname, WifiInterface, WifiNetwork, WifiStation, Zone};
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        vec(prop_oneof![3 => any::<u8>(), 1 => Just(b' '), 1 => Just(b'\\')], 0..12)
    }

    /// Names are never empty.
    fn name() -> impl Strategy<Value = Vec<u8>> {
        vec(any::<u8>(), 1..12)
    }

    fn uname() -> impl Strategy<Value = Uname> {
        [bytes(), bytes(), bytes(), bytes(), bytes(), bytes()].prop_map(
            |[sysname, release, version, machine, nodename, domainname]| Uname {
                sysname,
                release,
                version,
                machine,
                nodename,
                domainname,
            },
        )
    }

    fn statfs() -> impl Strategy<Value = StatFsAnswer> {
        prop_oneof![
            any::<[u64; 6]>().prop_map(|[block_size, blocks, blocks_free, blocks_available, files, files_free]| {
                let numbers = StatFs { block_size, blocks, blocks_free, blocks_available, files, files_free };
                StatFsAnswer::Numbers(numbers)
            }),
            (0_i32..70_000).prop_map(|number| StatFsAnswer::Error(Errno::from_number(number))),
            (0_u64..60_000_000_000).prop_map(|nanoseconds| StatFsAnswer::Hang(Duration::from_nanos(nanoseconds))),
        ]
    }

    fn links() -> impl Strategy<Value = Vec<OwnedLink>> {
        let optional = || prop::option::of(bytes());
        let numbers = (any::<[Option<u32>; 7]>(), any::<[Option<u8>; 3]>(), any::<Option<[u64; 24]>>());
        let fields = (any::<(u32, u16, u32)>(), optional(), optional(), optional(), numbers);
        btree_map(name(), fields, 0..4).prop_map(|links| {
            let links = links.iter().rev().map(|(name, fields)| {
                let ((index, protocol_type, flags), address, broadcast, alias, (wide, narrow, statistics)) = fields;
                OwnedLink::from(&Link {
                    promiscuity: None,
                    all_multicast: None,
                    name,
                    index: *index,
                    protocol_type: *protocol_type,
                    flags: *flags,
                    address: address.as_deref(),
                    broadcast: broadcast.as_deref(),
                    alias: alias.as_deref(),
                    mtu: wide[0],
                    link: wide[1],
                    transmit_queue_length: wide[2],
                    group: wide[3],
                    carrier_changes: wide[4],
                    carrier_up_changes: wide[5],
                    carrier_down_changes: wide[6],
                    operstate: narrow[0],
                    link_mode: narrow[1],
                    carrier: narrow[2],
                    statistics: statistics.map(LinkStatistics::from_counters),
                })
            });
            links.collect()
        })
    }

    fn address() -> impl Strategy<Value = (Vec<u8>, IpAddr, u8)> {
        prop_oneof![
            (name(), any::<u32>(), 0_u8..=32).prop_map(|(name, ip, length)| (name, Ipv4Addr::from(ip).into(), length)),
            (name(), any::<u128>(), 0_u8..=128).prop_map(|(name, ip, length)| (
                name,
                Ipv6Addr::from(ip).into(),
                length
            )),
        ]
    }

    fn answers() -> impl Strategy<Value = Answers> {
        let clock = (any::<u64>(), 0_u32..1_000_000_000, prop::option::of((name(), any::<i32>())));
        let positive = || prop::option::of(1_u64..);
        let modes = (any::<Option<u32>>(), any::<u8>());
        let network = (
            prop::option::of(links()),
            prop::option::of(vec(address(), 0..4)),
            prop::option::of(vec((address(), any::<u16>()), 0..4)),
            prop::option::of(btree_map(name(), modes, 0..4)),
            prop::option::of(vec((name(), name()), 0..4)),
            prop::option::of(vec(qdiscs::tests::qdisc(), 0..4)),
        );
        let wireless = (
            prop::option::of(vec(wifi::tests::interface(), 0..4)),
            prop::option::of(wifi::tests::networks()),
            prop::option::of(wifi::tests::stations()),
        );
        let statfs = prop::option::of(btree_map(name(), statfs(), 0..4));
        (clock, prop::option::of(uname()), positive(), positive(), statfs, network, wireless).prop_map(
            |((seconds, nanoseconds, zone), uname, ticks_per_second, page_size_bytes, statfs, network, wireless)| {
                let (links, addresses, neighbours, modes, alternative_names, qdiscs) = network;
                let (wifi_interfaces, wifi_networks, wifi_stations) = wireless;
                let own_address = |(device, address, prefix_length)| OwnedAddress { device, address, prefix_length };
                let own_neighbour = |((device, address, _), state)| OwnedNeighbour { device, address, state };
                let own_modes = |(device, (speed_megabits, duplex))| (device, LinkModes { speed_megabits, duplex });
                Answers {
                    btrfs: None,
                    start: Duration::new(seconds, nanoseconds),
                    zone: zone.map(|(name, offset_seconds)| Zone { name, offset_seconds }),
                    uname,
                    ticks_per_second,
                    page_size_bytes,
                    statfs,
                    links,
                    alternative_names,
                    addresses: addresses.map(|all| all.into_iter().map(own_address).collect()),
                    neighbours: neighbours.map(|all| all.into_iter().map(own_neighbour).collect()),
                    link_modes: modes.map(|all| all.into_iter().map(own_modes).collect()),
                    qdiscs,
                    wifi_interfaces,
                    wifi_networks,
                    wifi_stations,
                }
            },
        )
    }

    #[test]
    fn the_text_is_the_documented_one() {
        let kernel = Canned::default()
            .at(1_700_000_000.25)
            .with_zone("CET", 3600)
            .with_system(100, 4096)
            .with_uname(Uname { version: b"#1 SMP x".to_vec(), ..Uname::default() })
            .with_statfs("/my disk", StatFs { block_size: 4096, ..StatFs::default() })
            .with_statfs_answer("/mnt/dead", StatFsAnswer::Error(Errno::ESTALE))
            .with_statfs_answer("/mnt/slow", StatFsAnswer::Hang(Duration::from_millis(1500)))
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_is_read_again(answers in answers()) {
            let written: BTreeMap<_, _> = entries(&answers).into_iter().collect();
            let read = super::super::parse::parse(|name| written.get(name).map(|text| &text[..]));
            prop_assert_eq!(read.as_ref(), Ok(&answers));
            prop_assert!(written.keys().eq(Canned::ENTRIES.iter().filter(|name| written.contains_key(*name))));
            prop_assert!(written.values().flatten().all(|byte| byte.is_ascii_graphic() || b" \n".contains(byte)));
        }
    }
}
