//! Netlink sockets.

use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::fd::OwnedFd;
use rustix::io::retry_on_intr;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, connect, netdevice, recv, send, socket_with,
};

use super::errno;
use crate::host::errno::Errno;

/// Maximum size of a datagram of a dump.
const DATAGRAM_BYTES: usize = 32 * 1024;

/// A channel of datagrams in both directions.
pub(super) trait Channel {
    /// Sends a datagram.
    fn send(&mut self, request: &[u8]) -> Result<(), Errno>;

    /// Appends a received datagram. The error is [`Errno::ETIMEDOUT`] without one, and [`Errno::EBADMSG`] for a truncated
    /// one.
    fn receive(&mut self, into: &mut Vec<u8>) -> Result<(), Errno>;
}

/// A netlink socket with a receive timeout.
#[derive(Debug)]
pub(super) struct Socket(OwnedFd);

impl Socket {
    /// A socket to the kernel. `None` is rtnetlink.
    pub(super) fn open(protocol: Option<Protocol>, timeout: Duration) -> Result<Self, Errno> {
        let socket =
            socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol).map_err(errno)?;
        // A socket that is connected to the kernel receives no messages of other processes.
        connect(&socket, &SocketAddrNetlink::new(0, 0)).map_err(errno)?;
        Self::new(socket, timeout)
    }

    fn new(socket: OwnedFd, timeout: Duration) -> Result<Self, Errno> {
        set_socket_timeout(&socket, Timeout::Recv, Some(timeout)).map_err(errno)?;
        Ok(Self(socket))
    }

    /// The name of a network device; `None` if the device was removed or its name is not UTF-8.
    pub(super) fn device_name(&self, index: u32) -> Option<netdevice::InlinedName> {
        netdevice::index_to_name_inlined(&self.0, index).ok()
    }
}

impl Channel for Socket {
    fn send(&mut self, request: &[u8]) -> Result<(), Errno> {
        retry_on_intr(|| send(&self.0, request, SendFlags::empty())).map_err(errno)?;
        Ok(())
    }

    fn receive(&mut self, into: &mut Vec<u8>) -> Result<(), Errno> {
        into.reserve(DATAGRAM_BYTES);
        let (held, sent) =
            retry_on_intr(|| recv(&self.0, spare_capacity(into), RecvFlags::TRUNC)).map_err(|error| {
                match errno(error) {
                    Errno::EAGAIN => Errno::ETIMEDOUT,
                    other => other,
                }
            })?;
        if held < sent { Err(Errno::EBADMSG) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::kernel::clock;
    use rustix::net::socketpair;
    use std::thread;

    /// A socket with this timeout, and its peer.
    fn pair(timeout: Duration) -> (Socket, OwnedFd) {
        let (own, other) =
            socketpair(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).expect("a pair of sockets");
        (Socket::new(own, timeout).unwrap(), other)
    }

    const SHORT: Duration = Duration::from_millis(30);
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn receiving_times_out() {
        let (mut socket, _other) = pair(SHORT);
        let before = clock::monotonic();
        assert_eq!(socket.receive(&mut Vec::new()), Err(Errno::ETIMEDOUT));
        let waited = clock::monotonic().saturating_sub(before);
        // The kernel counts in ticks, so the timeout may be shorter by one.
        assert!(waited >= SHORT / 2 && waited < LONG, "{waited:?}");
    }

    #[test]
    fn without_a_request_no_datagram_arrives() {
        let mut socket = Socket::open(None, SHORT).unwrap();
        assert_eq!(socket.receive(&mut Vec::new()), Err(Errno::ETIMEDOUT));
    }

    #[test]
    fn an_answer_within_the_timeout_arrives() {
        let (mut socket, other) = pair(LONG);
        let late = thread::spawn(move || {
            thread::sleep(SHORT);
            send(&other, b"late", SendFlags::empty()).unwrap();
        });
        let mut bytes = b"before".to_vec();
        assert_eq!(socket.receive(&mut bytes), Ok(()));
        assert_eq!(bytes, b"beforelate");
        late.join().unwrap();
    }

    #[test]
    fn long_datagrams_are_refused() {
        for (size_bytes, expected) in [(DATAGRAM_BYTES, Ok(())), (DATAGRAM_BYTES + 1, Err(Errno::EBADMSG))] {
            let (mut socket, other) = pair(LONG);
            send(&other, &vec![7; size_bytes], SendFlags::empty()).unwrap();
            let mut bytes = Vec::with_capacity(DATAGRAM_BYTES);
            assert_eq!(socket.receive(&mut bytes), expected, "{size_bytes}");
            assert_eq!(bytes.len(), DATAGRAM_BYTES);
        }
    }
}
