//! Questions to NTP servers, by UDP.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::time::Duration;

use rustix::io::retry_on_intr;
use rustix::net::sockopt::{Timeout, set_ip_ttl, set_ipv6_unicast_hops, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, recv, send, socket_with};

use super::errno;
use crate::host::errno::Errno;
use crate::host::kernel::ntp::{PACKET_BYTES, reply, request};
use crate::host::kernel::{NtpAnswer, NtpQuery, clock};

/// Maximum time for the server's name, and then for its reply.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Asks a server.
pub(super) fn ask(query: &NtpQuery<'_>) -> Result<NtpAnswer, Errno> {
    ask_within(query, TIMEOUT)
}

fn ask_within(query: &NtpQuery<'_>, timeout: Duration) -> Result<NtpAnswer, Errno> {
    let address = match query.server.parse() {
        Ok(address) => address,
        Err(_) => resolved(query.server, timeout)?,
    };
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC, None).map_err(errno)?;
    match (query.ttl, address) {
        (0, _) => {}
        (ttl, SocketAddr::V4(_)) => set_ip_ttl(&socket, ttl.into()).map_err(errno)?,
        (ttl, SocketAddr::V6(_)) => set_ipv6_unicast_hops(&socket, Some(ttl)).map_err(errno)?,
    }
    set_socket_timeout(&socket, Timeout::Recv, Some(timeout)).map_err(errno)?;
    // A connected socket takes packets of the server alone, and is told of a port that nobody listens on.
    connect(&socket, &address).map_err(errno)?;
    // The standard library seeds its hash maps with random bits of the system.
    let cookie = RandomState::new().build_hasher().finish();
    let (sent, begun) = (clock::now(), clock::monotonic());
    retry_on_intr(|| send(&socket, &request(query.version, cookie), SendFlags::empty())).map_err(errno)?;
    let mut packet = [0; PACKET_BYTES];
    let (length, _) =
        retry_on_intr(|| recv(&socket, &mut packet, RecvFlags::empty())).map_err(|error| match errno(error) {
            Errno::EAGAIN => Errno::ETIMEDOUT,
            other => other,
        })?;
    let received = sent + clock::monotonic().saturating_sub(begun);
    reply(packet.get(..length).unwrap_or_default(), cookie, sent, received)
}

/// Looks the server's name up.
fn resolved(server: &str, timeout: Duration) -> Result<SocketAddr, Errno> {
    let server = server.to_owned();
    let lookup = move || server.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    within(timeout, lookup)?.ok_or(Errno::EHOSTUNREACH)
}

/// Waits only so long. Resolvers have deadlines of their own, which are longer: the thread of a late one ends by itself.
fn within<T: Send + 'static>(timeout: Duration, lookup: impl FnOnce() -> T + Send + 'static) -> Result<T, Errno> {
    let (told, asked) = mpsc::sync_channel(1);
    let lookup = move || {
        // Nobody may be waiting any more.
        let _ = told.send(lookup());
    };
    std::thread::Builder::new().name("resolve".into()).spawn(lookup).map_err(|_| Errno::EAGAIN)?;
    asked.recv_timeout(timeout).map_err(|_| Errno::ETIMEDOUT)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a server of the loopback device stands in for the one that is asked")]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::thread;

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(60);

    /// A server that sends what `answer` makes of one request; its address, and the request when it ends.
    fn server(address: &str, answer: fn(&[u8]) -> Option<Vec<u8>>) -> (String, thread::JoinHandle<Vec<u8>>) {
        let socket = UdpSocket::bind(address).expect("a port of the loopback device");
        socket.set_read_timeout(Some(LONG)).unwrap();
        let name = socket.local_addr().unwrap().to_string();
        let thread = thread::spawn(move || {
            let mut request = [0; 100];
            let (length, client) = socket.recv_from(&mut request).unwrap();
            if let Some(reply) = answer(&request[..length]) {
                socket.send_to(&reply, client).unwrap();
            }
            request[..length].to_vec()
        });
        (name, thread)
    }

    /// A reply by the local clock, of stratum 3.
    fn sound(request: &[u8]) -> Vec<u8> {
        let now = clock::now();
        let seconds = (now.as_secs() + 2_208_988_800) << 32;
        let time = (seconds + (u64::from(now.subsec_nanos()) << 32) / 1_000_000_000).to_be_bytes();
        let mut reply = vec![0x24, 3, 0, 0];
        reply.extend([0; 12]);
        reply.extend(time);
        reply.extend(&request[40..48]);
        reply.extend(time);
        reply.extend(time);
        reply
    }

    fn query(server: &str) -> NtpQuery<'_> {
        NtpQuery { server, version: 4, ttl: 1 }
    }

    #[track_caller]
    fn check(address: &str) {
        let (name, thread) = server(address, |request| Some(sound(request)));
        let found = ask_within(&query(&name), LONG).unwrap();
        let request = thread.join().unwrap();
        assert_eq!((found.stratum, found.leap, request.len(), request[0]), (3, 0, PACKET_BYTES, 0x23));
        // The server has the same clock; it answered while this test waited.
        assert!(found.offset_nanoseconds.unsigned_abs() <= u64::try_from(LONG.as_nanos()).unwrap(), "{found:?}");
        assert!(found.transmitted.abs_diff(clock::now()) < LONG && found.round_trip < LONG, "{found:?}");
    }

    #[test]
    fn a_server_of_either_family_answers() {
        check("127.0.0.1:0");
        check("[::1]:0");
    }

    #[test]
    fn names_are_resolved() {
        let (name, thread) = server("127.0.0.1:0", |request| Some(sound(request)));
        let (_, port) = name.rsplit_once(':').unwrap();
        let named = format!("localhost:{port}");
        // Where the name leads to IPv6 first, the port is closed there.
        match ask_within(&query(&named), LONG) {
            Ok(found) => assert_eq!(found.stratum, 3),
            Err(error) => {
                assert_eq!(error, Errno::ECONNREFUSED);
                ask_within(&query(&name), LONG).unwrap();
            }
        }
        thread.join().unwrap();
        assert_eq!(resolved("no port", LONG), Err(Errno::EHOSTUNREACH));
    }

    #[test]
    fn a_resolver_that_hangs_is_left_alone() {
        let (release, hanging) = mpsc::channel::<()>();
        assert_eq!(within(SHORT, move || hanging.recv().is_ok()), Err(Errno::ETIMEDOUT));
        drop(release);
        assert_eq!(within(LONG, || 7), Ok(7));
    }

    #[test]
    fn silence_ends_at_the_timeout_and_a_closed_port_at_once() {
        let (name, thread) = server("127.0.0.1:0", |_| None);
        let before = clock::monotonic();
        assert_eq!(ask_within(&query(&name), SHORT), Err(Errno::ETIMEDOUT));
        assert!(clock::monotonic().saturating_sub(before) < LONG / 2);
        thread.join().unwrap();
        assert_eq!(ask_within(&query(&name), LONG), Err(Errno::ECONNREFUSED));
    }

    #[test]
    fn a_reply_to_another_request_is_refused() {
        let (name, thread) = server("127.0.0.1:0", |request| {
            let mut reply = sound(request);
            reply[24] ^= 1;
            Some(reply)
        });
        assert_eq!(ask_within(&query(&name), LONG), Err(Errno::EBADMSG));
        thread.join().unwrap();
    }
}
