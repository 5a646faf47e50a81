//! Everybody who is connected: who has been here for how long, from where, and whose time is up.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::connection::Connection;
use crate::serve::origin::Origin;

struct Place {
    origin: Origin,
    /// Counts up with every connection that comes in.
    serial: u64,
    deadline: Duration,
    /// Absent while a worker has it.
    connection: Option<Connection>,
}

/// The connections, each at a place that has a number.
#[derive(Default)]
pub(super) struct Crowd {
    places: Vec<Option<Place>>,
    free: Vec<usize>,
    serial: u64,
    /// The places of those that are present, by origin and age.
    origins: HashMap<Origin, BTreeMap<u64, usize>>,
    /// The places of those that are present, by deadline.
    deadlines: BTreeSet<(Duration, usize)>,
    kept_bytes: usize,
}

impl Crowd {
    /// How many there are, present or not.
    pub(super) fn count(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// The answers that are kept for those who do not take them.
    pub(super) fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }

    /// Where the next one will be.
    pub(super) fn next_place(&self) -> usize {
        self.free.last().copied().unwrap_or(self.places.len())
    }

    /// Takes in a new one, at [`Crowd::next_place`].
    pub(super) fn add(&mut self, connection: Connection) {
        let at = self.next_place();
        if self.free.pop().is_none() {
            self.places.push(None);
        }
        self.serial += 1;
        let origin = Origin::of(connection.peer());
        let place = Place { origin, serial: self.serial, deadline: Duration::ZERO, connection: None };
        if let Some(free) = self.places.get_mut(at) {
            *free = Some(place);
        }
        self.put(at, connection);
    }

    /// Takes one away from its place, which is kept for it.
    pub(super) fn take(&mut self, at: usize) -> Option<Connection> {
        let place = self.places.get_mut(at)?.as_mut()?;
        let connection = place.connection.take()?;
        self.deadlines.remove(&(place.deadline, at));
        if let Some(members) = self.origins.get_mut(&place.origin) {
            members.remove(&place.serial);
            if members.is_empty() {
                self.origins.remove(&place.origin);
            }
        }
        self.kept_bytes -= connection.kept_bytes();
        Some(connection)
    }

    /// Brings one back to its place.
    pub(super) fn put(&mut self, at: usize, connection: Connection) {
        let Some(Some(place)) = self.places.get_mut(at) else { return };
        self.kept_bytes += connection.kept_bytes();
        place.deadline = connection.deadline();
        place.connection = Some(connection);
        self.deadlines.insert((place.deadline, at));
        self.origins.entry(place.origin).or_default().insert(place.serial, at);
    }

    /// Frees the place of one that was taken away for good.
    pub(super) fn leave(&mut self, at: usize) {
        if self.places.get_mut(at).is_some_and(|place| place.take().is_some()) {
            self.free.push(at);
        }
    }

    /// The first deadline.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// The place of one whose time is up.
    pub(super) fn late(&self, now: Duration) -> Option<usize> {
        self.deadlines.first().filter(|(deadline, _)| *deadline <= now).map(|(_, at)| *at)
    }

    /// The place of whoever makes room for others first: the oldest of those from where most are.
    pub(super) fn least_missed(&self) -> Option<usize> {
        let oldest = |members: &BTreeMap<u64, usize>| members.first_key_value().map(|(serial, at)| (*serial, *at));
        let by_count = self.origins.values().filter_map(|members| Some((members.len(), oldest(members)?)));
        let first = by_count.max_by_key(|(count, (serial, _))| (*count, std::cmp::Reverse(*serial)));
        first.map(|(_, (_, at))| at)
    }

    /// The place of whoever has not taken an answer for longest.
    pub(super) fn slowest(&self) -> Option<usize> {
        let is_slow = |at: &usize| self.at(*at).is_some_and(|connection| connection.kept_bytes() > 0);
        self.deadlines.iter().map(|(_, at)| *at).find(is_slow)
    }

    /// Whether the answer that is kept for this place is the only one.
    pub(super) fn keeps_for_nobody_but(&self, at: usize) -> bool {
        self.at(at).is_some_and(|connection| connection.kept_bytes() == self.kept_bytes)
    }

    fn at(&self, at: usize) -> Option<&Connection> {
        self.places.get(at)?.as_ref()?.connection.as_ref()
    }

    /// The places of all that are present.
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

    #[expect(clippy::disallowed_methods, reason = "a connection needs a socket, if only to be closed")]
    fn socket() -> Socket {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        Socket::Tcp(mio::net::TcpStream::from_std(stream))
    }

    /// A crowd from these addresses, one second after another.
    fn crowd(addresses: &[u8]) -> Crowd {
        let mut crowd = Crowd::default();
        for (second, last) in (0..).zip(addresses) {
            let peer = Peer::Internet((Ipv4Addr::new(192, 0, 2, *last), 9).into());
            crowd.add(Connection::new(Stream::new(socket(), None), peer, Duration::from_secs(second)));
        }
        crowd
    }

    #[track_caller]
    fn check(addresses: &[u8], expected: &[usize]) {
        let mut crowd = crowd(addresses);
        let order = std::iter::from_fn(|| {
            let at = crowd.least_missed()?;
            drop(crowd.take(at));
            crowd.leave(at);
            Some(at)
        });
        assert_eq!(order.collect::<Vec<_>>(), expected);
        assert_eq!((crowd.count(), crowd.deadline(), crowd.origins.len()), (0, None, 0));
    }

    #[test]
    fn the_oldest_from_where_most_are_goes_first() {
        check(&[], &[]);
        check(&[1, 2, 3], &[0, 1, 2]);
        check(&[1, 2, 2, 2, 1], &[1, 0, 2, 3, 4]);
        check(&[1, 2, 3, 3], &[2, 0, 1, 3]);
    }

    #[test]
    fn who_is_with_a_worker_keeps_the_place_but_cannot_be_sent_away() {
        let mut crowd = crowd(&[1, 1, 2]);
        let connection = crowd.take(0).unwrap();
        assert!(crowd.take(0).is_none());
        assert_eq!((crowd.count(), crowd.next_place(), crowd.least_missed()), (3, 3, Some(1)));
        assert_eq!(crowd.present(), [1, 2]);
        crowd.put(0, connection);
        assert_eq!(crowd.least_missed(), Some(0));
        crowd.take(1);
        crowd.leave(1);
        crowd.leave(1);
        assert_eq!((crowd.count(), crowd.next_place()), (2, 1));
    }

    #[test]
    fn deadlines_come_in_order() {
        let crowd = crowd(&[1, 1]);
        let first = crowd.deadline().unwrap();
        assert_eq!(first, super::super::connection::HEAD_TIME);
        assert_eq!(crowd.late(first.saturating_sub(Duration::from_nanos(1))), None);
        assert_eq!(crowd.late(first), Some(0));
    }

    #[test]
    fn addresses_count_by_what_one_client_has() {
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
