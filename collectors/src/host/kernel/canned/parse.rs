//! From the text of the entries to answers.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::answers::{Answers, OwnedAddress, OwnedLink, OwnedNeighbour, StatFsAnswer};
use super::btrfs;
use super::line::{CannedError, Line, ONLY_ONCE};
use super::{
    ADDRESSES, ALTERNATIVE_NAMES, BTRFS, CLOCK, HANG_CAP, LINK_MODES, LINKS, NEIGHBOURS, QDISCS, STATFS, SYSTEM, UNAME,
    WIFI_INTERFACES, WIFI_NETWORKS, WIFI_STATIONS, qdiscs, wifi,
};
use crate::host::errno::Errno;
use crate::host::kernel::{Link, LinkModes, LinkStatistics, StatFs, Uname, Zone};

pub(super) const DEVICE: &str = "the device";

/// Reads the entries that are there.
pub(super) fn parse<'a>(mut entries: impl FnMut(&str) -> Option<&'a [u8]>) -> Result<Answers, CannedError> {
    let mut answers = Answers::default();
    let mut lines = |entry| entries(entry).map(|text| Line::all(entry, text));
    for line in lines(CLOCK).into_iter().flatten() {
        clock(line, &mut answers)?;
    }
    for line in lines(SYSTEM).into_iter().flatten() {
        system(line, &mut answers)?;
    }
    answers.uname = lines(UNAME).map(uname).transpose()?;
    answers.statfs = lines(STATFS).map(|lines| keyed(lines, "the mount point", statfs)).transpose()?;
    answers.btrfs = lines(BTRFS).map(|lines| lines.map(btrfs::parse).collect()).transpose()?;
    answers.links = lines(LINKS).map(links).transpose()?;
    answers.alternative_names =
        lines(ALTERNATIVE_NAMES).map(|lines| lines.map(alternative_name).collect()).transpose()?;
    answers.addresses = lines(ADDRESSES).map(|lines| lines.map(address).collect()).transpose()?;
    answers.neighbours = lines(NEIGHBOURS).map(|lines| lines.map(neighbour).collect()).transpose()?;
    answers.link_modes = lines(LINK_MODES).map(|lines| keyed(lines, DEVICE, link_modes)).transpose()?;
    answers.qdiscs = lines(QDISCS).map(|lines| lines.map(qdiscs::parse).collect()).transpose()?;
    answers.wifi_interfaces =
        lines(WIFI_INTERFACES).map(|lines| lines.map(wifi::parse_interface).collect()).transpose()?;
    answers.wifi_networks = lines(WIFI_NETWORKS).map(|lines| keyed(lines, DEVICE, wifi::parse_network)).transpose()?;
    answers.wifi_stations = lines(WIFI_STATIONS).map(|lines| lines.map(wifi::parse_station).collect()).transpose()?;
    Ok(answers)
}

/// Lines that begin with a name of their own.
fn keyed<'a, T>(
    lines: impl Iterator<Item = Line<'a>>,
    field: &'static str,
    read: impl Fn(Line<'a>) -> Result<T, CannedError>,
) -> Result<BTreeMap<Vec<u8>, T>, CannedError> {
    let mut known = BTreeMap::new();
    for mut line in lines {
        let name = named(&mut line, field)?;
        if known.contains_key(&name) {
            return Err(line.error(field, Some(&name), ONLY_ONCE));
        }
        known.insert(name, read(line)?);
    }
    Ok(known)
}

/// The name at a line's beginning.
pub(super) fn named(line: &mut Line<'_>, field: &'static str) -> Result<Vec<u8>, CannedError> {
    let word = line.needed(field, "begin the line with it")?;
    line.unescaped(field, word)
}

fn clock(mut line: Line<'_>, answers: &mut Answers) -> Result<(), CannedError> {
    match line.needed("the name", "begin with unix_seconds or zone")? {
        b"unix_seconds" => {
            let word = line.needed("unix_seconds", "give seconds since 1970")?;
            answers.start = line.seconds("unix_seconds", word)?;
        }
        b"zone" => {
            let name = line.needed("the zone's name", "write `zone CET 3600`")?;
            let offset = line.needed("the zone's offset", "write `zone CET 3600`")?;
            let number = std::str::from_utf8(offset).ok().and_then(|text| text.parse().ok());
            let advice = "give whole seconds east of Greenwich";
            let offset_seconds = number.ok_or_else(|| line.error("the zone's offset", Some(offset), advice))?;
            answers.zone = Some(Zone { name: line.unescaped("the zone's name", name)?, offset_seconds });
        }
        other => return Err(line.error("the name", Some(other), "begin with unix_seconds or zone")),
    }
    line.end()
}

fn system(mut line: Line<'_>, answers: &mut Answers) -> Result<(), CannedError> {
    const NAMES: &str = "begin with ticks_per_second or page_size_bytes";
    let name = line.needed("the name", NAMES)?;
    let slot = match name {
        b"ticks_per_second" => &mut answers.ticks_per_second,
        b"page_size_bytes" => &mut answers.page_size_bytes,
        other => return Err(line.error("the name", Some(other), NAMES)),
    };
    let word = line.needed("the value", "give a whole number")?;
    match line.number(name, word)? {
        // Collectors divide by it.
        0 => return Err(line.error("the value", Some(word), "give at least 1")),
        value => *slot = Some(value),
    }
    line.end()
}

fn uname<'a>(lines: impl Iterator<Item = Line<'a>>) -> Result<Uname, CannedError> {
    const NAMES: &str = "begin with sysname, release, version, machine, nodename or domainname";
    let mut uname = Uname::default();
    for mut line in lines {
        let name = line.needed("the name", NAMES)?;
        let slot = match name {
            b"sysname" => &mut uname.sysname,
            b"release" => &mut uname.release,
            b"version" => &mut uname.version,
            b"machine" => &mut uname.machine,
            b"nodename" => &mut uname.nodename,
            b"domainname" => &mut uname.domainname,
            other => return Err(line.error("the name", Some(other), NAMES)),
        };
        if !slot.is_empty() {
            return Err(line.error("the name", Some(name), ONLY_ONCE));
        }
        let value = line.remainder();
        *slot = line.unescaped("the value", value)?;
    }
    Ok(uname)
}

fn statfs(mut line: Line<'_>) -> Result<StatFsAnswer, CannedError> {
    const NAMES: [&str; 6] = ["block_size", "blocks", "blocks_free", "blocks_available", "files", "files_free"];
    let mut numbers = [None; NAMES.len()];
    let mut whole = None;
    while let Some((key, value)) = line.pair()? {
        match key {
            b"error" => whole = Some(StatFsAnswer::Error(error(&line, value)?)),
            b"hang" => whole = Some(StatFsAnswer::Hang(hang(&line, value)?)),
            _ => {
                let position = NAMES.iter().position(|name| name.as_bytes() == key);
                let slot = position.and_then(|position| numbers.get_mut(position)).ok_or_else(|| {
                    line.error("the key", Some(key), format!("use {}, or error or hang alone", NAMES.join(", ")))
                })?;
                *slot = Some(line.number(key, value)?);
            }
        }
    }
    match whole {
        Some(answer) if numbers == [None; NAMES.len()] => return Ok(answer),
        Some(_) => return Err(line.error("error or hang", Some(b"not alone"), "take the numbers out")),
        None => {}
    }
    let mut values = [0; NAMES.len()];
    for ((value, number), name) in values.iter_mut().zip(numbers).zip(NAMES) {
        let advice = "give all six numbers, or error=ESTALE, or hang=1";
        *value = number.ok_or_else(|| line.error(name, None, advice))?;
    }
    let [block_size, blocks, blocks_free, blocks_available, files, files_free] = values;
    Ok(StatFsAnswer::Numbers(StatFs { block_size, blocks, blocks_free, blocks_available, files, files_free }))
}

pub(super) fn error(line: &Line<'_>, value: &[u8]) -> Result<Errno, CannedError> {
    let text = std::str::from_utf8(value).ok();
    // Numbers are for the errors that the table of names does not have.
    let errno = text.and_then(|text| {
        Errno::from_name(text).or_else(|| text.parse::<u16>().ok().map(|number| Errno::from_number(number.into())))
    });
    errno.ok_or_else(|| line.error("error", Some(value), "give a symbol of errno(3) such as ESTALE"))
}

fn hang(line: &Line<'_>, value: &[u8]) -> Result<Duration, CannedError> {
    let time = line.seconds("hang", value)?;
    if time > HANG_CAP {
        return Err(line.error("hang", Some(value), format!("give at most {} seconds", HANG_CAP.as_secs())));
    }
    Ok(time)
}

/// Keeps the order of the lines, because a kernel lists devices by index, not by name.
fn links<'a>(lines: impl Iterator<Item = Line<'a>>) -> Result<Vec<OwnedLink>, CannedError> {
    let mut known: Vec<OwnedLink> = Vec::new();
    for mut line in lines {
        let name = named(&mut line, DEVICE)?;
        if known.iter().any(|other| other.borrow().name == name) {
            return Err(line.error(DEVICE, Some(&name), ONLY_ONCE));
        }
        known.push(link(&name, line)?);
    }
    Ok(known)
}

fn link(name: &[u8], mut line: Line<'_>) -> Result<OwnedLink, CannedError> {
    let (mut address, mut broadcast, mut alias) = (None, None, None);
    let mut found = Link { name, ..Link::default() };
    let mut index = None;
    while let Some((key, value)) = line.pair()? {
        match key {
            b"index" => index = Some(line.number(key, value)?),
            b"protocol_type" => found.protocol_type = line.number(key, value)?,
            b"flags" => found.flags = line.number(key, value)?,
            b"address" => address = Some(line.hardware_address("address", value)?),
            b"broadcast" => broadcast = Some(line.hardware_address("broadcast", value)?),
            b"alias" => alias = Some(line.unescaped("alias", value)?),
            b"mtu" => found.mtu = Some(line.number(key, value)?),
            b"link" => found.link = Some(line.number(key, value)?),
            b"transmit_queue_length" => found.transmit_queue_length = Some(line.number(key, value)?),
            b"operstate" => found.operstate = Some(line.number(key, value)?),
            b"link_mode" => found.link_mode = Some(line.number(key, value)?),
            b"group" => found.group = Some(line.number(key, value)?),
            b"carrier" => found.carrier = Some(line.number(key, value)?),
            b"carrier_changes" => found.carrier_changes = Some(line.number(key, value)?),
            b"carrier_up_changes" => found.carrier_up_changes = Some(line.number(key, value)?),
            b"carrier_down_changes" => found.carrier_down_changes = Some(line.number(key, value)?),
            _ => statistic(&line, key, value, &mut found.statistics)?,
        }
    }
    found.index = index.ok_or_else(|| line.error("index", None, "give the device's index"))?;
    (found.address, found.broadcast, found.alias) = (address.as_deref(), broadcast.as_deref(), alias.as_deref());
    Ok(OwnedLink::from(&found))
}

fn statistic(
    line: &Line<'_>,
    key: &[u8],
    value: &[u8],
    statistics: &mut Option<LinkStatistics>,
) -> Result<(), CannedError> {
    let position = LinkStatistics::NAMES.iter().position(|name| name.as_bytes() == key);
    let mut counters = statistics.unwrap_or_default().counters();
    let counter = position.and_then(|position| counters.get_mut(position));
    let advice = "use a field of `Link` or of `LinkStatistics`";
    *counter.ok_or_else(|| line.error("the key", Some(key), advice))? = line.number(key, value)?;
    *statistics = Some(LinkStatistics::from_counters(counters));
    Ok(())
}

fn alternative_name(mut line: Line<'_>) -> Result<(Vec<u8>, Vec<u8>), CannedError> {
    let device = named(&mut line, DEVICE)?;
    let word = line.needed("the name", "write `eth0 enp0s3`")?;
    let name = line.unescaped("the name", word)?;
    line.end()?;
    Ok((device, name))
}

fn address(mut line: Line<'_>) -> Result<OwnedAddress, CannedError> {
    let device = named(&mut line, DEVICE)?;
    let word = line.needed("the address", "write `eth0 192.0.2.10/24`")?;
    let (address, prefix_length) = std::str::from_utf8(word)
        .ok()
        .and_then(|text| text.split_once('/'))
        .and_then(|(address, length)| Some((address.parse().ok()?, parse_length(length)?)))
        .filter(|(address, length)| match address {
            IpAddr::V4(_) => *length <= 32,
            IpAddr::V6(_) => *length <= 128,
        })
        .ok_or_else(|| line.error("the address", Some(word), "write it as 192.0.2.10/24 or 2001:db8::1/64"))?;
    line.end()?;
    Ok(OwnedAddress { device, address, prefix_length })
}

fn parse_length(text: &str) -> Option<u8> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn neighbour(mut line: Line<'_>) -> Result<OwnedNeighbour, CannedError> {
    let device = named(&mut line, DEVICE)?;
    let word = line.needed("the address", "write `eth0 192.0.2.1 state=0x02`")?;
    let address = std::str::from_utf8(word).ok().and_then(|text| text.parse().ok());
    let address = address.ok_or_else(|| line.error("the address", Some(word), "write it as 192.0.2.1"))?;
    let mut state = None;
    while let Some((key, value)) = line.pair()? {
        match key {
            b"state" => state = Some(line.number(key, value)?),
            other => return Err(line.error("the key", Some(other), "use state")),
        }
    }
    let state = state.ok_or_else(|| line.error("state", None, "give the NUD_ bits, 0x02 for reachable"))?;
    Ok(OwnedNeighbour { device, address, state })
}

fn link_modes(mut line: Line<'_>) -> Result<LinkModes, CannedError> {
    let (mut speed_megabits, mut duplex) = (None, None);
    while let Some((key, value)) = line.pair()? {
        match key {
            b"speed_megabits" => speed_megabits = Some(line.number(key, value)?),
            b"duplex" => duplex = Some(line.number(key, value)?),
            other => return Err(line.error("the key", Some(other), "use speed_megabits and duplex")),
        }
    }
    let duplex = duplex.ok_or_else(|| line.error("duplex", None, "give 0 for half, 1 for full, 255 for unknown"))?;
    Ok(LinkModes { speed_megabits, duplex })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check_error(entry: &str, text: &str, expected: &str) {
        let error = parse(|name| (name == entry).then_some(text.as_bytes())).unwrap_err();
        assert_eq!(error.to_string(), format!("{entry}, line {expected}"));
    }

    #[test]
    fn a_bad_line_is_refused_with_place_and_advice() {
        let numbers = "block_size=1 blocks=2 blocks_free=3 blocks_available=4 files=5";
        for (entry, text, expected) in [
            (CLOCK, "unix_seconds", "1: unix_seconds is missing; give seconds since 1970"),
            (CLOCK, "unix_seconds 1e9", "1: unix_seconds is `1e9`; give seconds, with up to nine decimal places"),
            (CLOCK, "seconds 1", "1: the name is `seconds`; begin with unix_seconds or zone"),
            (CLOCK, "unix_seconds 1\nzone CET", "2: the zone's offset is missing; write `zone CET 3600`"),
            (CLOCK, "zone CET 1h", "1: the zone's offset is `1h`; give whole seconds east of Greenwich"),
            (CLOCK, "zone CET 3600 x", "1: the end of the line is `x`; take it out"),
            (SYSTEM, "ticks_per_second 0", "1: the value is `0`; give at least 1"),
            (SYSTEM, "ticks_per_second 1.5", "1: ticks_per_second is `1.5`; give a whole number of at most 64 bits"),
            (SYSTEM, "page_size 1", "1: the name is `page_size`; begin with ticks_per_second or page_size_bytes"),
            (
                UNAME,
                "\nkernel Linux",
                "2: the name is `kernel`; begin with sysname, release, version, machine, nodename or domainname",
            ),
            (UNAME, "sysname a\nsysname b", "2: the name is `sysname`; give it once"),
            (UNAME, "version a\\b", "1: the value is `a\\b`; write \\ as \\134 and a space as \\040"),
            (
                STATFS,
                &format!("/ {numbers}"),
                "1: files_free is missing; give all six numbers, or error=ESTALE, or hang=1",
            ),
            (STATFS, "/ error=ENONSENSE", "1: error is `ENONSENSE`; give a symbol of errno(3) such as ESTALE"),
            (STATFS, "/ hang=60.1", "1: hang is `60.1`; give at most 60 seconds"),
            (STATFS, "/ error=EIO blocks=1", "1: error or hang is `not alone`; take the numbers out"),
            (
                STATFS,
                "/ size=1",
                "1: the key is `size`; use block_size, blocks, blocks_free, blocks_available, files, files_free, \
                 or error or hang alone",
            ),
            (STATFS, "/a error=EIO\n/a error=EIO", "2: the mount point is `/a`; give it once"),
            (STATFS, "/a b", "1: a field is `b`; write it as key=value"),
            (LINKS, "eth0 mtu=1500", "1: index is missing; give the device's index"),
            (LINKS, "eth0 index=4294967296", "1: index is `4294967296`; give a whole number of at most 32 bits"),
            (LINKS, "eth0 index=1 carrier=256", "1: carrier is `256`; give a whole number of at most 8 bits"),
            (LINKS, "eth0 index=1 address=2:0", "1: address is `2:0`; write it as 02:00:00:00:00:01"),
            (LINKS, "eth0 index=1 address=+2", "1: address is `+2`; write it as 02:00:00:00:00:01"),
            (LINKS, "eth0 index=1 speed=1", "1: the key is `speed`; use a field of `Link` or of `LinkStatistics`"),
            (LINKS, "eth0 index=1 mtu=1 mtu=1", "1: the key is `mtu`; give it once"),
            (LINKS, "eth0 index=1\neth0 index=2", "2: the device is `eth0`; give it once"),
            (ALTERNATIVE_NAMES, "eth0", "1: the name is missing; write `eth0 enp0s3`"),
            (ALTERNATIVE_NAMES, "eth0 enp0s3 enx0", "1: the end of the line is `enx0`; take it out"),
            (ADDRESSES, "eth0", "1: the address is missing; write `eth0 192.0.2.10/24`"),
            (
                ADDRESSES,
                "eth0 192.0.2.1/33",
                "1: the address is `192.0.2.1/33`; write it as 192.0.2.10/24 or 2001:db8::1/64",
            ),
            (ADDRESSES, "eth0 ::1/129", "1: the address is `::1/129`; write it as 192.0.2.10/24 or 2001:db8::1/64"),
            (ADDRESSES, "eth0 ::1/+1", "1: the address is `::1/+1`; write it as 192.0.2.10/24 or 2001:db8::1/64"),
            (NEIGHBOURS, "eth0 here state=1", "1: the address is `here`; write it as 192.0.2.1"),
            (NEIGHBOURS, "eth0 192.0.2.1", "1: state is missing; give the NUD_ bits, 0x02 for reachable"),
            (NEIGHBOURS, "eth0 192.0.2.1 status=1", "1: the key is `status`; use state"),
            (LINK_MODES, "eth0 speed=1", "1: the key is `speed`; use speed_megabits and duplex"),
            (LINK_MODES, "eth0 speed_megabits=1", "1: duplex is missing; give 0 for half, 1 for full, 255 for unknown"),
        ] {
            check_error(entry, text, expected);
        }
    }

    #[test]
    fn limits_are_allowed_themselves() {
        for (entry, text) in [
            (STATFS, "/ hang=60"),
            (STATFS, "/ error=4711"),
            (LINKS, "eth0 index=0xffffffff carrier=255"),
            (ADDRESSES, "eth0 192.0.2.1/32\neth0 ::1/128"),
            (UNAME, "sysname\nversion #1 SMP  x"),
            (SYSTEM, "ticks_per_second 1\n\npage_size_bytes   65536 "),
        ] {
            let parsed = parse(|name| (name == entry).then_some(text.as_bytes()));
            assert!(parsed.is_ok(), "{text}: {parsed:?}");
        }
    }

    #[test]
    fn an_entry_without_lines_is_an_answer_without_items() {
        let answers = parse(|_| Some(b"")).unwrap();
        assert_eq!((answers.links, answers.addresses), (Some(vec![]), Some(vec![])));
        assert_eq!((answers.uname, answers.zone), (Some(Uname::default()), None));
        assert_eq!(parse(|_| None), Ok(Answers::default()));
    }

    #[test]
    fn a_line_is_read_as_it_is_documented() {
        let text = "eth0 index=2 protocol_type=1 flags=0x1043 address=02:00:00:00:00:0a alias=up\\040link rx_bytes=7";
        let answers = parse(|name| (name == LINKS).then_some(text.as_bytes())).unwrap();
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
        assert_eq!(answers.links.unwrap()[0].borrow(), expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_text_is_too_strange(text in "([a-z_/0.:]{0,9}[ =\\\\\n]){0,8}", bytes: Vec<u8>) {
            let _ = parse(|_| Some(text.as_bytes()));
            let _ = parse(|_| Some(&bytes));
        }
    }
}
