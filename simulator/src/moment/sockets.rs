//! Sockets: how many there are in which state, and what waits in their queues.

use std::net::{IpAddr, Ipv4Addr};

use super::Moment;

/// The states of TCP by the kernel's numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Established = 1,
    SynReceived = 3,
    FinWait1 = 4,
    TimeWait = 6,
    CloseWait = 8,
    Listen = 10,
}

/// The version of IP that a socket was made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    V4,
    V6,
}

/// A row of /proc/net/tcp or udp.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Socket {
    pub(crate) state: State,
    pub(crate) local: (Ipv4Addr, u16),
    pub(crate) remote: (Ipv4Addr, u16),
    pub(crate) transmit_queue_bytes: u64,
    pub(crate) receive_queue_bytes: u64,
}

/// Sockets in use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sockets {
    pub(crate) used: u64,
    /// Connections over TCP that somebody holds, with those that the other side has closed.
    pub(crate) established: u64,
    pub(crate) tcp: u64,
    pub(crate) tcp6: u64,
    pub(crate) orphaned: u64,
    pub(crate) time_wait: u64,
    pub(crate) allocated: u64,
    pub(crate) tcp_pages: u64,
    pub(crate) udp: u64,
    pub(crate) udp6: u64,
    pub(crate) udp_pages: u64,
}

/// Sockets that no network leads to.
pub(crate) const LOCAL_SOCKETS: u64 = 168;
/// What servers listen on.
const SERVICES: [u16; 12] = [22, 53, 9_100, 80, 443, 5_355, 111, 25, 8_080, 3_306, 6_379, 9_090];
/// The first of the ports that the kernel gives to those who ask for any, and how many it has.
const FIRST_PORT: u64 = 32_768;
const PORTS: u64 = 28_232;
/// One in so many connections has something in its queues.
const BUSY_ONE_IN: u64 = 16;
const SEGMENT_BYTES: u64 = 1_448;
/// What listens to datagrams: a resolver, time, logs and the like.
const DATAGRAM_PORTS: [u16; 6] = [53, 68, 111, 123, 323, 514];

impl Moment<'_> {
    pub(crate) fn sockets(&self) -> Sockets {
        let tcp = [self.tcp(Family::V4), self.tcp(Family::V6)];
        let udp = [self.udp(Family::V4), self.udp(Family::V6)];
        let count = |family: usize, is_meant: fn(State) -> bool| -> u64 {
            tcp.get(family).map_or(0, |rows| rows.iter().filter(|row| is_meant(row.state)).count() as u64)
        };
        let of_both = |is_meant| count(0, is_meant) + count(1, is_meant);
        // A request to connect and what waits for late packets hold no whole socket.
        let in_use = |state| !matches!(state, State::TimeWait | State::SynReceived);
        let [of_tcp, of_tcp6] = [count(0, in_use), count(1, in_use)];
        let [of_udp, of_udp6] = udp.each_ref().map(|rows| rows.len() as u64);
        let allocated = of_tcp + of_tcp6 + 3;
        Sockets {
            used: LOCAL_SOCKETS + allocated + of_udp + of_udp6,
            established: of_both(|state| matches!(state, State::Established | State::CloseWait)),
            tcp: of_tcp,
            tcp6: of_tcp6,
            orphaned: of_both(|state| state == State::FinWait1),
            time_wait: of_both(|state| state == State::TimeWait),
            allocated,
            tcp_pages: self.pages_of(tcp.iter().flatten()) + allocated / 5,
            udp: of_udp,
            udp6: of_udp6,
            udp_pages: self.pages_of(udp.iter().flatten()) + 2,
        }
    }

    /// Each queue begins on a page of its own.
    fn pages_of<'a>(&self, rows: impl Iterator<Item = &'a Socket>) -> u64 {
        let page = self.page_kilobytes() * 1_024;
        rows.map(|row| row.transmit_queue_bytes.div_ceil(page) + row.receive_queue_bytes.div_ceil(page)).sum()
    }

    /// Sockets over TCP: those that listen first, then connections, then what is left of connections.
    pub(crate) fn tcp(&self, family: Family) -> Vec<Socket> {
        let connections = &self.machine.connections;
        let open = connections.always + self.recent(&self.machine.load, 60) * connections.at_mean_load / 1_000;
        let late =
            self.recent(&self.machine.load, 60) * connections.at_mean_load / 1_800 + self.flicker("time wait", 5);
        // Of three connections one is to a server that listens on both versions of IP.
        let part = |all: u64| if family == Family::V4 { all - all / 3 } else { all / 3 };
        let listening = if family == Family::V4 { connections.listening } else { connections.listening6 };
        let closing = if family == Family::V4 { self.flicker("orphans", 3) / 2 } else { 0 };
        let asking = if family == Family::V4 { self.flicker("asking", 5) / 4 } else { 0 };
        let closed = if family == Family::V4 { self.flicker("closed", 7) / 5 } else { 0 };
        let states = [
            (State::Listen, listening),
            (State::Established, part(open)),
            (State::CloseWait, closed),
            (State::FinWait1, closing),
            (State::SynReceived, asking),
            (State::TimeWait, part(late)),
        ];
        let own = self.own_address();
        let rows = states.into_iter().flat_map(|(state, count)| (0..count).map(move |number| (state, number)));
        rows.map(|(state, number)| self.connection(family, state, number, own)).collect()
    }

    fn connection(&self, family: Family, state: State, number: u64, own: Ipv4Addr) -> Socket {
        let service = |number: u64| {
            let known = usize::try_from(number).ok().and_then(|at| SERVICES.get(at)).copied();
            known.unwrap_or_else(|| u16::try_from(10_000 + number % 20_000).unwrap_or(u16::MAX))
        };
        let mut socket = Socket {
            state,
            local: (Ipv4Addr::UNSPECIFIED, service(number)),
            remote: (Ipv4Addr::UNSPECIFIED, 0),
            transmit_queue_bytes: 0,
            receive_queue_bytes: 0,
        };
        if state == State::Listen {
            return socket;
        }
        let seed = self.machine.seed.of("connection").at(family as u64).at(state as u64).at(number);
        // Ports that the kernel gives come round in an order of their own.
        let port = u16::try_from(FIRST_PORT + (seed.of("first").below(PORTS) + number) % PORTS).unwrap_or(u16::MAX);
        let [a, b, c, _] = own.octets();
        let last = u8::try_from(seed.of("peer").between(1, 254)).unwrap_or(1);
        let peer = Ipv4Addr::new(a, b, c, last);
        if family == Family::V6 || seed.of("side").below(2) == 0 {
            (socket.local, socket.remote) = ((own, service(seed.of("service").below(5))), (peer, port));
        } else {
            (socket.local, socket.remote) = ((own, port), (peer, service(seed.of("service").below(12))));
        }
        let busy = seed.of("queues").at(self.now().as_secs());
        if state == State::Established && busy.below(BUSY_ONE_IN) == 0 {
            let bytes = busy.of("bytes").between(1, 12) * SEGMENT_BYTES;
            if busy.of("side").below(3) == 0 {
                socket.receive_queue_bytes = bytes;
            } else {
                socket.transmit_queue_bytes = bytes;
            }
        }
        socket
    }

    /// Sockets of UDP, all of which listen.
    pub(crate) fn udp(&self, family: Family) -> Vec<Socket> {
        let connections = &self.machine.connections;
        let count = if family == Family::V4 { connections.datagrams } else { connections.datagrams6 };
        let rows = (0..count).zip(DATAGRAM_PORTS.into_iter().cycle()).map(|(number, port)| {
            let round = number / DATAGRAM_PORTS.len() as u64;
            let port = port.saturating_add(u16::try_from(round * 1_000).unwrap_or(u16::MAX));
            let busy = self.flicker("datagrams", 40 * (number + 1)) == 0;
            Socket {
                // What the kernel calls a socket of UDP that is not connected: closed.
                state: State::Listen,
                local: (Ipv4Addr::UNSPECIFIED, port),
                remote: (Ipv4Addr::UNSPECIFIED, 0),
                transmit_queue_bytes: 0,
                receive_queue_bytes: if busy { 1_280 } else { 0 },
            }
        });
        rows.collect()
    }

    /// The first address of version 4 that is seen outside.
    pub(crate) fn own_address(&self) -> Ipv4Addr {
        let addresses = self.machine.interfaces.iter().flat_map(|link| &link.addresses);
        let mut outside = addresses.filter_map(|&(address, _)| match address {
            IpAddr::V4(address) if !address.is_loopback() => Some(address),
            _ => None,
        });
        outside.next().unwrap_or(Ipv4Addr::LOCALHOST)
    }
}
