//! Pseudonyms of addresses: MAC, EUI-64, GUID, WWN, IPv4, IPv6.
//!
//! A pseudonym keeps the class of its address: unicast and local bits, private and link-local networks, and the network
//! that two addresses share. An address derived from another one (EUI-64 of a MAC, IPv4 mapped into IPv6) is derived
//! from the other's pseudonym. Of a solicited-node multicast address only 24 bits of the original are known; they have a
//! permutation of their own.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::key::Key;

/// Class bits of a MAC address: group, and locally administered.
const MAC_FLAGS: u64 = 0x0300_0000_0000;
const MAC_MAX: u64 = 0xffff_ffff_ffff;
/// The solicited-node prefix `ff02::1:ff00:0/104`; the last 24 bits of an address follow it.
const SOLICITED_NODE: u128 = 0xff02 << 88 | 0x1ff;
/// Middle 16 bits of an identifier made of a MAC: `ff:fe` (EUI-64), or `03:00` (InfiniBand).
const MIDDLES: [u64; 2] = [0xfffe, 0x0300];

/// Pseudonym of a 48-bit MAC address. Zero, broadcast and well-known groups stay.
pub(super) fn mac(key: &Key, address: u64) -> u64 {
    let is_group = address & 0x0100_0000_0000 != 0;
    if address == 0 || address >= MAC_MAX {
        return address;
    }
    if is_group {
        // 33:33:ff is followed by the last 24 bits of an IPv6 address; the other listed groups are well known.
        return match address >> 24 {
            0x33_33ff => address & !0xff_ffff | tail(key, address & 0xff_ffff),
            0x33_3300..=0x33_33fe | 0x01_005e | 0x01_80c2 | 0x01_000c | 0x01_1b19 => address,
            _ => low_46(key, address),
        };
    }
    low_46(key, address)
}

/// Replaces all but the class bits. The result does not depend on these, since EUI-64 inverts one of them.
fn low_46(key: &Key, address: u64) -> u64 {
    let low_40 = address & 0xff_ffff_ffff;
    let high_6 = address >> 42 & 0x3f;
    let value = key.displace("mac", b"", 1 << 46, u128::from(high_6 << 40 | low_40));
    let value = u64::try_from(value).unwrap_or_default();
    (value >> 40) << 42 | address & MAC_FLAGS | value & 0xff_ffff_ffff
}

/// Pseudonym of the last 24 bits of an address whose other bits are unknown.
fn tail(key: &Key, bits: u64) -> u64 {
    u64::try_from(key.displace("tail", b"", 1 << 24, u128::from(bits))).unwrap_or_default()
}

/// Pseudonym of a 64-bit identifier: IPv6 interface, GUID, EUI-64 or WWN.
pub(super) fn identifier_64(key: &Key, value: u64) -> u64 {
    if value == 0 || value == u64::MAX {
        return value;
    }
    let middle = value >> 24 & 0xffff;
    if MIDDLES.contains(&middle) {
        let address = (value >> 40) << 24 | value & 0xff_ffff;
        let address = mac(key, address);
        return (address >> 24) << 40 | middle << 24 | address & 0xff_ffff;
    }
    let format = value >> 60;
    let ends_in_mac = format == 2 || value >> 48 == 0x1000;
    let with_mac = value & !MAC_MAX | mac(key, value & MAC_MAX);
    if ends_in_mac && with_mac != value {
        return with_mac;
    }
    // The first digit of a WWN is its format.
    let rest = key.displace("identifier", b"", 1 << 60, u128::from(value & (u64::MAX >> 4)));
    format << 60 | u64::try_from(rest).unwrap_or_default()
}

/// Pseudonym of a 128-bit identifier, such as a UUID, with its version digit and variant bits.
pub(super) fn identifier_128(key: &Key, value: u128) -> u128 {
    const VERSION: u128 = 0xf << 76;
    const VARIANT: u128 = 0b11 << 62;
    if value == 0 || value == u128::MAX {
        return value;
    }
    let top = value >> 80;
    let middle = value >> 64 & 0xfff;
    let low = value & ((1 << 62) - 1);
    let packed = top << 74 | middle << 62 | low;
    let moved = key.displace("uuid", b"", 1 << 122, packed);
    (moved >> 74) << 80 | value & VERSION | (moved >> 62 & 0xfff) << 64 | value & VARIANT | moved & ((1 << 62) - 1)
}

/// An IPv4 address. Loopback, multicast, reserved addresses, netmasks and 0.0.0.0 stay; private networks stay private.
pub(super) fn ipv4(key: &Key, address: Ipv4Addr) -> Ipv4Addr {
    let octets = address.octets();
    let kept = match octets {
        [0 | 127 | 224..=255, ..] => return address,
        [10, ..] => 1,
        [172, 16..=31, ..] | [192, 168, ..] | [169, 254, ..] | [100, 64..=127, ..] | [198, 18 | 19, ..] => 2,
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => 3,
        _ => 0,
    };
    let mut moved = octets;
    let first_free = if kept == 0 {
        let [high, low] = public_16(key, [octets[0], octets[1]]);
        (moved[0], moved[1]) = (high, low);
        2
    } else {
        kept
    };
    // Each octet depends on those before it, so that addresses of one network stay in one network. 0 and 255 stay: they
    // are network and broadcast addresses.
    for at in first_free..4 {
        if !matches!(octets[at], 0 | 255) {
            let value = key.displace("ipv4", &octets[..at], 254, u128::from(octets[at] - 1));
            moved[at] = u8::try_from(value + 1).unwrap_or_default();
        }
    }
    moved.into()
}

/// Whether all addresses of a /16 network are public.
fn is_public_16([high, low]: [u8; 2]) -> bool {
    !matches!(
        (high, low),
        (0 | 10 | 127 | 224..=255, _)
            | (100, 64..=127)
            | (169, 254)
            | (172, 16..=31)
            | (192, 0 | 88 | 168)
            | (198, 18 | 19 | 51)
            | (203, 0)
    )
}

fn public_16(key: &Key, network: [u8; 2]) -> [u8; 2] {
    let mut found = network;
    loop {
        let value = key.displace("public", b"", 1 << 16, u128::from(u16::from_be_bytes(found)));
        found = u16::try_from(value).unwrap_or_default().to_be_bytes();
        if is_public_16(found) && found != network {
            return found;
        }
        // The walk follows a cycle of the permutation: back at the start, the cycle has no other public network.
        if found == network {
            return [1, 1];
        }
    }
}

/// Pseudonym of an IPv6 address, as of [`ipv4`]. An embedded IPv4 address becomes its pseudonym.
pub(super) fn ipv6(key: &Key, address: Ipv6Addr) -> Ipv6Addr {
    let bits = address.to_bits();
    let low = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
    let embedded = |bits: u128| {
        let inner = u32::try_from(bits & u128::from(u32::MAX)).unwrap_or_default();
        bits & !u128::from(u32::MAX) | u128::from(ipv4(key, inner.into()).to_bits())
    };
    let moved = match (bits >> 112) as u16 {
        _ if bits >> 16 == 0 => bits,
        0 if bits >> 32 == 0xffff => embedded(bits),
        0x64 if bits >> 32 == 0x64_ff9b << 64 => embedded(bits),
        0xff00..=0xffff if bits >> 24 == SOLICITED_NODE => {
            bits & !0xff_ffff | u128::from(tail(key, low(bits) & 0xff_ffff))
        }
        0xff00..=0xffff => bits,
        0xfe80..=0xfebf => bits & !u128::from(u64::MAX) | u128::from(interface(key, bits)),
        0xfc00..=0xfdff => network(key, bits, 8) | u128::from(interface(key, bits)),
        0x2001 if bits >> 96 == 0x2001_0db8 => network(key, bits, 32) | u128::from(interface(key, bits)),
        0x2000..=0x3fff => network(key, bits, 3) | u128::from(interface(key, bits)),
        // Unassigned blocks keep their first 16 bits.
        _ => network(key, bits, 16) | u128::from(interface(key, bits)),
    };
    moved.into()
}

/// Pseudonym of the upper 64 bits: a site of 48 bits, of which the first `kept` stay, and a subnet of 16.
fn network(key: &Key, bits: u128, kept: u32) -> u128 {
    let site = bits >> 80;
    let free = 48 - kept;
    let mask = (1_u128 << free) - 1;
    let moved = match site & mask {
        0 => site,
        value => site & !mask | (key.displace("site", &kept.to_le_bytes(), mask, value - 1) + 1),
    };
    let subnet = match bits >> 64 & 0xffff {
        0 => 0,
        value => key.displace("subnet", &site.to_le_bytes(), 0xffff, value - 1) + 1,
    };
    moved << 80 | subnet << 64
}

/// Pseudonym of the lower 64 bits. Numbers up to 0xffff, usually assigned by hand, stay in that range.
fn interface(key: &Key, bits: u128) -> u64 {
    let value = u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
    match value {
        0 => 0,
        1..=0xffff => {
            let tweak = (bits >> 64).to_le_bytes();
            1 + u64::try_from(key.displace("host", &tweak, 0xffff, u128::from(value - 1))).unwrap_or_default()
        }
        _ => identifier_64(key, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: Key = Key::new([3; 32]);

    fn v4(text: &str) -> Ipv4Addr {
        ipv4(&KEY, text.parse().unwrap())
    }

    fn v6(text: &str) -> Ipv6Addr {
        ipv6(&KEY, text.parse().unwrap())
    }

    #[test]
    fn well_known_addresses_stay() {
        for text in ["0.0.0.0", "127.0.0.1", "224.0.0.251", "255.255.255.0", "10.0.0.0", "192.168.255.255"] {
            assert_eq!(v4(text).to_string(), text);
        }
        for text in ["::", "::1", "ff02::fb", "fe80::"] {
            assert_eq!(v6(text).to_string(), text);
        }
        for address in [0, MAC_MAX, 0x0100_5e00_00fb, 0x3333_0000_0001, 0x0180_c200_0000] {
            assert_eq!(mac(&KEY, address), address, "{address:012x}");
        }
    }

    #[test]
    fn classes_and_common_networks_are_kept() {
        assert!(v4("10.1.2.3").octets()[0] == 10 && v4("192.168.7.9").octets()[..2] == [192, 168]);
        assert_eq!(v4("8.8.8.8").octets()[..3], v4("8.8.8.9").octets()[..3]);
        assert_ne!(v4("8.8.8.8").octets()[..3], v4("8.8.9.8").octets()[..3]);
        assert_eq!(v4("10.1.2.0").octets()[3], 0);
        assert!(v6("fe80::1234:5678:9abc:def0").to_string().starts_with("fe80::"));
        assert!(v6("2001:db8:1:2::5").to_string().starts_with("2001:db8:"));
        assert!(v6("f06e:65fc:687e::").to_string().starts_with("f06e:"));
        assert_eq!(v6("2a00:1:2:3::5").segments()[..4], v6("2a00:1:2:3::6").segments()[..4]);
        assert_eq!(v6("::ffff:10.1.2.3").to_ipv4_mapped(), Some(v4("10.1.2.3")));
    }

    #[test]
    fn identifiers_derived_from_a_mac_are_derived_from_its_pseudonym() {
        let moved = mac(&KEY, 0x0a00_5e12_3456);
        assert_eq!(moved & MAC_FLAGS, 0x0200_0000_0000);
        // EUI-64 inverts the bit of local administration.
        let expected = u128::from(((moved ^ 0x0200_0000_0000) >> 24) << 40 | 0xfffe << 24 | moved & 0xff_ffff);
        assert_eq!(v6("fe80::800:5eff:fe12:3456").to_bits(), 0xfe80 << 112 | expected);
        let guid = identifier_64(&KEY, 0x0a00_5e03_0012_3456);
        assert_eq!(guid, (moved >> 24) << 40 | 0x0300 << 24 | moved & 0xff_ffff);
        let wwn = identifier_64(&KEY, 0x2000_0a00_5e12_3456);
        assert_eq!(wwn, 0x2000 << 48 | moved);
    }

    /// Checks that each hexadecimal digit under `mask` differs from the original for most of 200 values of a form:
    /// `fixed`, and random bits under `random`.
    #[track_caller]
    fn check_digits_change(fixed: u128, random: u128, mask: u128, pseudonym: impl Fn(u128) -> u128) {
        const COUNT: usize = 200;
        let mut changed = [0_usize; 32];
        for number in 0..COUNT {
            let mut bytes = [0; 16];
            KEY.stream("values", &number.to_le_bytes(), &mut bytes);
            let value = fixed | u128::from_le_bytes(bytes) & random;
            let difference = (value ^ pseudonym(value)) & mask;
            for (digit, count) in changed.iter_mut().enumerate() {
                *count += usize::from(difference >> (4 * digit) & 0xf != 0);
            }
        }
        for (digit, count) in changed.into_iter().enumerate().filter(|(digit, _)| mask >> (4 * digit) & 0xf != 0) {
            // Random digits differ in 15 of 16 cases; one with two fixed bits in 3 of 4.
            assert!(count >= COUNT / 2, "{fixed:x}: digit {digit} from the right changes in {count} of {COUNT} cases");
        }
    }

    #[test]
    fn every_digit_of_an_address_that_should_change_does() {
        let v4 = |value: u128| u128::from(ipv4(&KEY, u32::try_from(value).unwrap().into()).to_bits());
        check_digits_change(8 << 24, 0xff_ffff, 0xffff_ffff, v4);
        check_digits_change(10 << 24, 0xff_ffff, 0xff_ffff, v4);
        for network in [0xac10, 0xc0a8, 0xa9fe, 0x6440] {
            check_digits_change(network << 16, 0xffff, 0xffff, v4);
        }
        check_digits_change(0xc633_6400, 0xff, 0xff, v4);
        let v6 = |value: u128| ipv6(&KEY, value.into()).to_bits();
        // The first digit of an interface identifier stays, since it may be the format of a WWN.
        let (all, low_64, wwn_format) = (u128::MAX, u128::from(u64::MAX), 0xf << 60);
        check_digits_change(SOLICITED_NODE << 24, 0xff_ffff, 0xff_ffff, v6);
        check_digits_change(0xfe80 << 112, low_64, low_64 & !wwn_format, v6);
        check_digits_change(0x2a00 << 112, all >> 16, all >> 4 & !wwn_format, v6);
        check_digits_change(0xfd << 120, all >> 8, all >> 8 & !wwn_format, v6);
        check_digits_change(0x2001_0db8 << 96, all >> 32, all >> 32 & !wwn_format, v6);
        check_digits_change(0x2a00 << 112, 0xffff, 0xffff, v6);
        check_digits_change(0xffff << 32 | 10 << 24, 0xff_ffff, 0xff_ffff, v6);
        check_digits_change(0x64_ff9b << 96 | 10 << 24, 0xff_ffff, 0xff_ffff, v6);
        let eui_64 = 0x0a00_5eff_fe00_0000 | 0xfe80 << 112;
        check_digits_change(eui_64, 0xff_ffff, 0xffff_ff00_00ff_ffff, v6);
    }

    #[test]
    fn every_digit_of_an_identifier_that_should_change_does() {
        let mac = |value: u128| u128::from(mac(&KEY, u64::try_from(value).unwrap()));
        check_digits_change(0x0a00_0000_0000, 0xff_ffff_ffff, 0xffff_ffff_ffff, mac);
        check_digits_change(0x33_33ff << 24, 0xff_ffff, 0xff_ffff, mac);
        let id_64 = |value: u128| u128::from(identifier_64(&KEY, u64::try_from(value).unwrap()));
        check_digits_change(0x5000_0000_0000_0000, u128::from(u64::MAX >> 4), u128::from(u64::MAX >> 4), id_64);
        check_digits_change(0x2000_0a00_0000_0000, 0xff_ffff_ffff, 0xffff_ffff_ffff, id_64);
        check_digits_change(0x1000_0a00_0000_0000, 0xff_ffff_ffff, 0xffff_ffff_ffff, id_64);
        check_digits_change(0x0a00_5e03_0000_0000, 0xff_ffff, 0xffff_ff00_00ff_ffff, id_64);
        let uuid_mask = !(0xf << 76 | 0b11 << 62);
        check_digits_change(0x4 << 76 | 0b10 << 62, uuid_mask, uuid_mask, |value| identifier_128(&KEY, value));
    }

    proptest! {
        #[test]
        fn addresses_stay_in_their_class(bits: u32, wide: u128, short: u64) {
            let (before, after) = (Ipv4Addr::from(bits), ipv4(&KEY, bits.into()));
            prop_assert_eq!(before.is_private(), after.is_private());
            prop_assert_eq!(before.is_multicast(), after.is_multicast());
            prop_assert_eq!(before.is_loopback(), after.is_loopback());
            prop_assert_eq!(before.is_link_local(), after.is_link_local());
            let (before, after) = (Ipv6Addr::from(wide), ipv6(&KEY, wide.into()));
            prop_assert_eq!(before.is_multicast(), after.is_multicast());
            prop_assert_eq!(before.is_unicast_link_local(), after.is_unicast_link_local());
            let address = short & MAC_MAX;
            prop_assert_eq!(mac(&KEY, address) & MAC_FLAGS, address & MAC_FLAGS);
            prop_assert!(address & 0x0100_0000_0000 != 0 || address == 0 || mac(&KEY, address) != address);
            prop_assert_eq!(identifier_64(&KEY, short) >> 60, short >> 60);
            prop_assert_eq!(identifier_128(&KEY, wide) >> 76 & 0xf, wide >> 76 & 0xf);
            prop_assert_ne!(identifier_128(&KEY, wide), wide);
        }
    }
}
