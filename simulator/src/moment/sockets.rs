//! Sockets with their states and queues.

use std::net::{IpAddr, Ipv4Addr};

use super::Moment;

/// States of TCP, with the numbers of the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Established = 1,
    SynReceived = 3,
    FinWait1 = 4,
    TimeWait = 6,
    CloseWait = 8,
    Listen = 10,
}

/// The IP version of a socket.
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
    /// Established TCP connections, including those closed by the peer.
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

/// Unix sockets.
pub(crate) const LOCAL_SOCKETS: u64 = 168;
/// Ports of servers.
const SERVICES: [u16; 12] = [22, 53, 9_100, 80, 443, 5_355, 111, 25, 8_080, 3_306, 6_379, 9_090];
/// The first ephemeral port, and the number of ephemeral ports.
const FIRST_PORT: u64 = 32_768;
const PORTS: u64 = 28_232;
/// The number of connections per connection with queued data.
const BUSY_ONE_IN: u64 = 16;
const SEGMENT_BYTES: u64 = 1_448;
/// Ports of UDP services.
const DATAGRAM_PORTS: [u16; 6] = [53, 68, 111, 123, 323, 514];

impl Moment<'_> {
    pub(crate) fn sockets(&self) -> Sockets {
        let tcp = [self.tcp(Family::V4), self.tcp(Family::V6)];
        let udp = [self.udp(Family::V4), self.udp(Family::V6)];
        let count = |family: usize, is_meant: fn(State) -> bool| -> u64 {
            tcp.get(family).map_or(0, |rows| rows.iter().filter(|row| is_meant(row.state)).count() as u64)
        };
        let of_both = |is_meant| count(0, is_meant) + count(1, is_meant);
        // Sockets in SYN_RECV and TIME_WAIT are not allocated in full.
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

    /// Each queue starts on its own page.
    fn pages_of<'a>(&self, rows: impl Iterator<Item = &'a Socket>) -> u64 {
        let page = self.page_kilobytes() * 1_024;
        rows.map(|row| row.transmit_queue_bytes.div_ceil(page) + row.receive_queue_bytes.div_ceil(page)).sum()
    }

    /// TCP sockets: listening, connected, then closing.
    pub(crate) fn tcp(&self, family: Family) -> Vec<Socket> {
        let connections = &self.machine.connections;
        let open = connections.always + self.recent(&self.machine.load, 60) * connections.at_mean_load / 1_000;
        let late =
            self.recent(&self.machine.load, 60) * connections.at_mean_load / 1_800 + self.flicker("time wait", 5);
        // One of three connections uses a dual-stack socket.
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
        // Ephemeral ports are assigned cyclically from a random start.
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

    /// UDP sockets, all unconnected.
    pub(crate) fn udp(&self, family: Family) -> Vec<Socket> {
        let connections = &self.machine.connections;
        let count = if family == Family::V4 { connections.datagrams } else { connections.datagrams6 };
        let rows = (0..count).zip(DATAGRAM_PORTS.into_iter().cycle()).map(|(number, port)| {
            let round = number / DATAGRAM_PORTS.len() as u64;
            let port = port.saturating_add(u16::try_from(round * 1_000).unwrap_or(u16::MAX));
            let busy = self.flicker("datagrams", 40 * (number + 1)) == 0;
            Socket {
                // The kernel shows an unconnected UDP socket as closed.
                state: State::Listen,
                local: (Ipv4Addr::UNSPECIFIED, port),
                remote: (Ipv4Addr::UNSPECIFIED, 0),
                transmit_queue_bytes: 0,
                receive_queue_bytes: if busy { 1_280 } else { 0 },
            }
        });
        rows.collect()
    }

    /// The first IPv4 address that is not a loopback address.
    pub(crate) fn own_address(&self) -> Ipv4Addr {
        let addresses = self.machine.interfaces.iter().flat_map(|link| &link.addresses);
        let mut outside = addresses.filter_map(|&(address, _)| match address {
            IpAddr::V4(address) if !address.is_loopback() => Some(address),
            _ => None,
        });
        outside.next().unwrap_or(Ipv4Addr::LOCALHOST)
    }
}
