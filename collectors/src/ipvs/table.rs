//! Virtual services and their backends from /proc/net/ip_vs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::kit::parse::{Fields, FromText, Hexadecimal};
use crate::kit::prelude::*;
use crate::kit::table;

/// A label of backends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Label {
    LocalAddress,
    LocalMark,
    LocalPort,
    Proto,
    RemoteAddress,
    RemotePort,
}

impl Label {
    /// All labels, sorted by name.
    pub(super) const ALL: [Self; 6] =
        [Self::LocalAddress, Self::LocalMark, Self::LocalPort, Self::Proto, Self::RemoteAddress, Self::RemotePort];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::LocalAddress => "local_address",
            Self::LocalMark => "local_mark",
            Self::LocalPort => "local_port",
            Self::Proto => "proto",
            Self::RemoteAddress => "remote_address",
            Self::RemotePort => "remote_port",
        }
    }
}

/// An address and a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Endpoint {
    pub(super) ip: IpAddr,
    pub(super) port: u16,
}

impl Endpoint {
    /// The address for labels: an IPv4-mapped IPv6 address is shown as IPv4.
    pub(super) fn address(&self) -> IpAddr {
        self.ip.to_canonical()
    }
}

impl FromText for Endpoint {
    const EXPECTED: &'static str = "an address and a port in hexadecimal, 0A000001:0050 or [IPv6]:0050";

    fn from_text(text: &[u8]) -> Option<Self> {
        let colon = memchr::memrchr(b':', text)?;
        let (address, port) = text.split_at(colon);
        let port = port.get(1..).filter(|port| port.len() == 4)?;
        let port = u16::try_from(Hexadecimal::from_text(port)?.0).ok()?;
        let ip = if let Some(address) = address.strip_prefix(b"[") {
            let address = std::str::from_utf8(address.strip_suffix(b"]")?).ok()?;
            IpAddr::V6(address.parse::<Ipv6Addr>().ok()?)
        } else if address.len() == 8 && address.iter().all(u8::is_ascii_hexdigit) {
            let bits = u32::try_from(Hexadecimal::from_text(address)?.0).ok()?;
            IpAddr::V4(Ipv4Addr::from_bits(bits))
        } else {
            return None;
        };
        Some(Self { ip, port })
    }
}

/// Weight and connections of a backend.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Counts {
    pub(super) weight: u64,
    pub(super) active: u64,
    pub(super) inactive: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: Self) {
        self.weight = self.weight.wrapping_add(other.weight);
        self.active = self.active.wrapping_add(other.active);
        self.inactive = self.inactive.wrapping_add(other.inactive);
    }
}

/// A server of a virtual service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Backend<'a> {
    pub(super) protocol: &'a [u8],
    /// The address of the service; `None` for a firewall mark.
    pub(super) local: Option<Endpoint>,
    pub(super) mark: &'a [u8],
    pub(super) remote: Endpoint,
    pub(super) counts: Counts,
}

/// The service of the following backends.
#[derive(Clone, Copy)]
struct Service<'a> {
    protocol: &'a [u8],
    local: Option<Endpoint>,
    mark: &'a [u8],
}

/// The backends of all services. Backends of an invalid service are skipped without another error.
pub(super) fn backends(text: Text<'_>) -> impl Iterator<Item = Result<Backend<'_>, ParseError<'_>>> {
    // The header exists even without services.
    let empty = text.bytes.is_empty().then(|| Err(table::empty(text)));
    let mut service = None;
    let rows = text.lines().filter_map(move |line| {
        let mut fields = line.fields();
        match fields.next()? {
            b"IP" | b"Prot" => None,
            b"->" if fields.clone().next() == Some(b"RemoteAddress:Port") => None,
            b"->" => service.map(|service| backend(line, fields, service)),
            protocol => {
                let found = read_service(line, protocol, fields);
                service = found.as_ref().ok().copied();
                found.err().map(Err)
            }
        }
    });
    rows.chain(empty)
}

fn read_service<'a>(line: Line<'a>, protocol: &'a [u8], mut fields: Fields<'a>) -> Result<Service<'a>, ParseError<'a>> {
    match protocol {
        b"TCP" | b"UDP" | b"SCTP" => {
            let local = fields.number("local address")?;
            Ok(Service { protocol, local: Some(local), mark: b"" })
        }
        b"FWM" => Ok(Service { protocol, local: None, mark: fields.text("firewall mark")? }),
        _ => Err(line.error("protocol", "TCP, UDP, SCTP, FWM or ->", protocol)),
    }
}

fn backend<'a>(line: Line<'a>, mut fields: Fields<'a>, service: Service<'a>) -> Result<Backend<'a>, ParseError<'a>> {
    let Service { protocol, local, mark } = service;
    let remote = fields.number("remote address")?;
    let _way_of_forwarding = fields.text("way of forwarding")?;
    let weight = fields.number("weight")?;
    let active = fields.number("active connections")?;
    let inactive = fields.number("inactive connections")?;
    if line.fields().count() > 6 {
        return Err(line.error("row", "6 columns", line.bytes));
    }
    Ok(Backend { protocol, local, mark, remote, counts: Counts { weight, active, inactive } })
}
