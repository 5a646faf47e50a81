//! Addresses in the tables of /proc/net: hexadecimal digits, often in the host's byte order.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::address;
use super::key::Key;
use super::span::{Category, Span};

/// Layout of the addresses in a table of /proc/net.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Table {
    /// `ADDRESS:PORT` columns of 32-bit words in host byte order.
    Sockets,
    /// `ADDRESS:PORT` columns in network byte order.
    Backends,
    /// 32-bit addresses in host byte order, in columns 1 and 2.
    Routes,
    /// 128-bit addresses in network byte order.
    Wide,
    /// MAC addresses without colons.
    Groups,
}

fn table(path: &str) -> Option<Table> {
    let (_, name) = path.rsplit_once("/net/")?;
    Some(match name {
        "tcp" | "tcp6" | "udp" | "udp6" | "udplite" | "udplite6" | "raw" | "raw6" | "icmp" | "icmp6" => Table::Sockets,
        "ip_vs" | "ip_vs_conn" => Table::Backends,
        "route" | "rt_cache" => Table::Routes,
        "if_inet6" | "ipv6_route" | "anycast6" | "igmp6" | "mcfilter6" => Table::Wide,
        "dev_mcast" => Table::Groups,
        _ => return None,
    })
}

/// Finds the addresses of a table of /proc/net.
pub(super) fn find(key: &Key, path: &str, text: &[u8], is_little_endian: bool, into: &mut Vec<Span>) {
    let Some(table) = table(path) else { return };
    let mut start = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        for (column, range) in words(line).enumerate() {
            let found = line.get(range.clone()).unwrap_or_default();
            let Some((length, category, replacement)) = cell(key, table, column, found, is_little_endian) else {
                continue;
            };
            let at = start + range.start;
            into.push(Span { range: at..at + length, category, replacement });
        }
        start += line.len();
    }
}

/// Ranges of the words of a line.
fn words(line: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    line.split(u8::is_ascii_whitespace).filter_map(move |word| {
        let range = at..at + word.len();
        at += word.len() + 1;
        (!word.is_empty()).then_some(range)
    })
}

/// Length of the address at the start of a word, its category and its replacement.
fn cell(
    key: &Key,
    table: Table,
    column: usize,
    word: &[u8],
    is_little_endian: bool,
) -> Option<(usize, Category, Vec<u8>)> {
    let digits = word.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (address, rest) = word.split_at_checked(digits)?;
    let in_machine_order = is_little_endian && matches!(table, Table::Sockets | Table::Routes);
    let is_here = match table {
        Table::Sockets | Table::Backends => {
            rest.len() == 5 && rest.starts_with(b":") || (table == Table::Backends && digits == 8)
        }
        Table::Routes => digits == 8 && matches!(column, 1 | 2),
        Table::Wide => digits == 32,
        Table::Groups => digits == 12,
    };
    if !is_here {
        return None;
    }
    let text = std::str::from_utf8(address).ok()?;
    let (category, moved) = match digits {
        8 => (Category::Ipv4, v4(key, u32::from_str_radix(text, 16).ok()?, in_machine_order)),
        32 => (Category::Ipv6, v6(key, u128::from_str_radix(text, 16).ok()?, in_machine_order)),
        12 => (Category::Mac, format!("{:012x}", address::mac(key, u64::from_str_radix(text, 16).ok()?))),
        _ => return None,
    };
    let is_upper = table != Table::Wide && table != Table::Groups;
    Some((digits, category, if is_upper { moved.to_uppercase() } else { moved }.into()))
}

/// Pseudonym of a 32-bit word, in host byte order if `is_swapped`.
pub(super) fn v4(key: &Key, word: u32, is_swapped: bool) -> String {
    let swapped = |word: u32| if is_swapped { word.swap_bytes() } else { word };
    format!("{:08x}", swapped(address::ipv4(key, Ipv4Addr::from_bits(swapped(word))).to_bits()))
}

/// Pseudonym of four 32-bit words, each in host byte order if `is_swapped`.
fn v6(key: &Key, bits: u128, is_swapped: bool) -> String {
    let swapped = |bits: u128| {
        let swap = |chunk: u32| if is_swapped { chunk.swap_bytes() } else { chunk };
        (0..4).fold(0, |sum, at| {
            let chunk = u32::try_from(bits >> (32 * at) & 0xffff_ffff).unwrap_or_default();
            sum | u128::from(swap(chunk)) << (32 * at)
        })
    };
    format!("{:032x}", swapped(address::ipv6(key, Ipv6Addr::from_bits(swapped(bits))).to_bits()))
}

#[cfg(test)]
mod tests {
    use super::super::span::replaced;
    use super::*;

    const KEY: Key = Key::new([5; 32]);

    fn scrubbed(path: &str, text: &str, is_little_endian: bool) -> String {
        let mut spans = Vec::new();
        find(&KEY, path, text.as_bytes(), is_little_endian, &mut spans);
        String::from_utf8(replaced(text.as_bytes(), &spans)).unwrap()
    }

    #[test]
    fn hexadecimal_ipv4_addresses_have_the_pseudonyms_of_dotted_ones() {
        let expected = address::ipv4(&KEY, "10.1.2.3".parse().unwrap()).to_bits();
        let row = "   0: 0302010A:1F90 00000000:0000 0A 00000000:00000000\n";
        let found = scrubbed("proc/7/net/tcp", row, true);
        assert_eq!(found, row.replace("0302010A", &format!("{:08X}", expected.swap_bytes())));
        let row = "   0: 0A010203:1F90 00000000:0000 0A\n";
        let found = scrubbed("proc/7/net/tcp", row, false);
        assert_eq!(found, row.replace("0A010203", &format!("{expected:08X}")));
        let row = "TCP  0A010203:0CEA rr\n  -> 0A010203:0CEA Tunnel 100 248 2\n";
        assert_eq!(scrubbed("proc/net/ip_vs", row, true), row.replace("0A010203", &format!("{expected:08X}")));
        let row = "eth0\t0002010A\t0302010A\t0003\t0\t0\t0\t00FFFFFF\t0\n";
        let found = scrubbed("proc/net/route", row, true);
        assert!(!found.contains("0302010A") && found.contains("\t00FFFFFF\t"), "{found}");
    }

    #[test]
    fn hexadecimal_ipv6_addresses_have_the_pseudonyms_of_text() {
        let address: Ipv6Addr = "fe80::5054:ff:fe12:3456".parse().unwrap();
        let expected = address::ipv6(&KEY, address).to_bits();
        let row = format!("{:032x} 02 40 20 80     eth0\n", address.to_bits());
        assert_eq!(scrubbed("proc/net/if_inet6", &row, true), format!("{expected:032x} 02 40 20 80     eth0\n"));
        let swapped = |bits: u128| {
            bits.to_be_bytes()
                .chunks(4)
                .map(|chunk| format!("{:08X}", u32::from_le_bytes(chunk.try_into().unwrap())))
                .collect::<Vec<_>>()
                .concat()
        };
        let row = format!("  0: {}:0016 {}:0000 0A\n", swapped(address.to_bits()), "0".repeat(32));
        assert_eq!(scrubbed("proc/net/tcp6", &row, true), row.replace(&swapped(address.to_bits()), &swapped(expected)));
    }
}
