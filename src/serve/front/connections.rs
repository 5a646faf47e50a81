//! All connections, indexed by slot, by deadline, and by origin and age.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::connection::Connection;
use crate::serve::request::Origin;

struct Slot {
    origin: Origin,
    /// Sequence number in the order of arrival.
    serial: u64,
    deadline: Duration,
    /// `None` while its request is answered.
    connection: Option<Connection>,
}

/// The connections, each in a numbered slot.
#[derive(Default)]
pub(super) struct Connections {
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
    serial: u64,
    /// Slots of the open connections, by origin and age.
    origins: HashMap<Origin, BTreeMap<u64, usize>>,
    /// Slots of the open connections, by deadline.
    deadlines: BTreeSet<(Duration, usize)>,
    unsent_bytes: usize,
}

impl Connections {
    /// Number of connections, including those whose request is answered.
    pub(super) fn count(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Size of the unsent responses.
    pub(super) fn unsent_bytes(&self) -> usize {
        self.unsent_bytes
    }

    /// Slot of the next connection.
    pub(super) fn next_slot(&self) -> usize {
        self.free.last().copied().unwrap_or(self.slots.len())
    }

    /// Adds a connection, at [`Connections::next_slot`].
    pub(super) fn add(&mut self, connection: Connection) {
        let at = self.next_slot();
        if self.free.pop().is_none() {
            self.slots.push(None);
        }
        self.serial += 1;
        let origin = Origin::of(connection.peer());
        let slot = Slot { origin, serial: self.serial, deadline: Duration::ZERO, connection: None };
        if let Some(free) = self.slots.get_mut(at) {
            *free = Some(slot);
        }
        self.put(at, connection);
    }

    /// Takes a connection from its slot, which stays reserved for it.
    pub(super) fn take(&mut self, at: usize) -> Option<Connection> {
        let slot = self.slots.get_mut(at)?.as_mut()?;
        let connection = slot.connection.take()?;
        self.deadlines.remove(&(slot.deadline, at));
        if let Some(members) = self.origins.get_mut(&slot.origin) {
            members.remove(&slot.serial);
            if members.is_empty() {
                self.origins.remove(&slot.origin);
            }
        }
        self.unsent_bytes -= connection.unsent_bytes();
        Some(connection)
    }

    /// Returns a connection to its slot.
    pub(super) fn put(&mut self, at: usize, connection: Connection) {
        let Some(Some(slot)) = self.slots.get_mut(at) else { return };
        self.unsent_bytes += connection.unsent_bytes();
        slot.deadline = connection.deadline();
        slot.connection = Some(connection);
        self.deadlines.insert((slot.deadline, at));
        self.origins.entry(slot.origin).or_default().insert(slot.serial, at);
    }

    /// Frees a slot whose connection was taken and is closed.
    pub(super) fn leave(&mut self, at: usize) {
        if self.slots.get_mut(at).is_some_and(|slot| slot.take().is_some()) {
            self.free.push(at);
        }
    }

    /// The earliest deadline.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Slot of a connection whose deadline has passed.
    pub(super) fn late(&self, now: Duration) -> Option<usize> {
        self.deadlines.first().filter(|(deadline, _)| *deadline <= now).map(|(_, at)| *at)
    }

    /// Slot of the connection to close first: the oldest of the origin with the most connections.
    pub(super) fn first_to_close(&self) -> Option<usize> {
        let oldest = |members: &BTreeMap<u64, usize>| members.first_key_value().map(|(serial, at)| (*serial, *at));
        let by_count = self.origins.values().filter_map(|members| Some((members.len(), oldest(members)?)));
        let first = by_count.max_by_key(|(count, (serial, _))| (*count, std::cmp::Reverse(*serial)));
        first.map(|(_, (_, at))| at)
    }

    /// Slot of the connection whose response has been unsent for the longest time.
    pub(super) fn slowest(&self) -> Option<usize> {
        let is_slow = |at: &usize| self.at(*at).is_some_and(|connection| connection.unsent_bytes() > 0);
        self.deadlines.iter().map(|(_, at)| *at).find(is_slow)
    }

    /// Whether no other connection has an unsent response.
    pub(super) fn is_only_unsent(&self, at: usize) -> bool {
        self.at(at).is_some_and(|connection| connection.unsent_bytes() == self.unsent_bytes)
    }

    fn at(&self, at: usize) -> Option<&Connection> {
        self.slots.get(at)?.as_ref()?.connection.as_ref()
    }

    /// Slots of the open connections.
    pub(super) fn present(&self) -> Vec<usize> {
        self.deadlines.iter().map(|(_, at)| *at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::request::Peer;
    use crate::serve::stream::{Socket, Stream};
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

    #[expect(clippy::disallowed_methods, reason = "a connection needs a socket")]
    fn socket() -> Socket {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        Socket::Tcp(mio::net::TcpStream::from_std(stream))
    }

    /// Connections from these addresses, one second after another.
    fn connections(addresses: &[u8]) -> Connections {
        let mut connections = Connections::default();
        for (second, last) in (0..).zip(addresses) {
            let peer = Peer::Internet((Ipv4Addr::new(192, 0, 2, *last), 9).into());
            connections.add(Connection::new(Stream::new(socket(), None), peer, Duration::from_secs(second)));
        }
        connections
    }

    #[track_caller]
    fn check(addresses: &[u8], expected: &[usize]) {
        let mut connections = connections(addresses);
        let order = std::iter::from_fn(|| {
            let at = connections.first_to_close()?;
            drop(connections.take(at));
            connections.leave(at);
            Some(at)
        });
        assert_eq!(order.collect::<Vec<_>>(), expected);
        assert_eq!((connections.count(), connections.deadline(), connections.origins.len()), (0, None, 0));
    }

    #[test]
    fn the_oldest_connection_of_the_largest_origin_is_closed_first() {
        check(&[], &[]);
        check(&[1, 2, 3], &[0, 1, 2]);
        check(&[1, 2, 2, 2, 1], &[1, 0, 2, 3, 4]);
        check(&[1, 2, 3, 3], &[2, 0, 1, 3]);
    }

    #[test]
    fn a_connection_that_is_being_answered_keeps_its_slot_and_is_not_closed() {
        let mut connections = connections(&[1, 1, 2]);
        let connection = connections.take(0).unwrap();
        assert!(connections.take(0).is_none());
        assert_eq!((connections.count(), connections.next_slot(), connections.first_to_close()), (3, 3, Some(1)));
        assert_eq!(connections.present(), [1, 2]);
        connections.put(0, connection);
        assert_eq!(connections.first_to_close(), Some(0));
        connections.take(1);
        connections.leave(1);
        connections.leave(1);
        assert_eq!((connections.count(), connections.next_slot()), (2, 1));
    }

    #[test]
    fn the_earliest_deadline_comes_first() {
        let connections = connections(&[1, 1]);
        let first = connections.deadline().unwrap();
        assert_eq!(first, super::super::connection::HEAD_TIME);
        assert_eq!(connections.late(first.saturating_sub(Duration::from_nanos(1))), None);
        assert_eq!(connections.late(first), Some(0));
    }

    #[test]
    fn an_origin_is_an_ipv4_address_or_an_ipv6_prefix_of_64_bits() {
        let origin = |address: IpAddr| Origin::of(Peer::Internet(SocketAddr::new(address, 1)));
        let ipv6 = |last| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last));
        assert_eq!(origin(ipv6(1)), origin(ipv6(2)));
        assert_ne!(origin(ipv6(1)), origin(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 1))));
        let ipv4 = Ipv4Addr::new(192, 0, 2, 1);
        assert_eq!(origin(ipv4.into()), origin(IpAddr::V6(ipv4.to_ipv6_mapped())));
        assert_ne!(origin(ipv4.into()), origin(Ipv4Addr::new(192, 0, 2, 2).into()));
        assert_ne!(Origin::of(Peer::Vsock { machine: 1, port: 1 }), Origin::of(Peer::Vsock { machine: 2, port: 1 }));
    }
}
