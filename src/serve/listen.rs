//! Addresses to listen on.
#![expect(clippy::disallowed_methods, reason = "sockets are opened here")]

#[cfg(target_os = "linux")]
pub mod inherited;
#[cfg(unix)]
mod unix;
#[cfg(target_os = "linux")]
pub(super) mod vsock;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::path::PathBuf;

use super::request::Peer;
use super::stream::Socket;

/// Backlog of a listener. A flood of connections fills the 128 of the standard library and shuts out other clients.
#[cfg(unix)]
const BACKLOG: i32 = 1024;

/// An address to listen on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Address {
    /// A host and a TCP port; an empty host is all addresses.
    Port(String, u16),
    /// A Unix socket.
    Unix(PathBuf),
    /// A vsock port of this virtual machine.
    Vsock(u32),
}

/// Forms of an address, for errors.
pub const FORMS: &str = ":PORT, HOST:PORT, unix:PATH or vsock://:PORT";

/// Parses an address of one of these [`FORMS`]. IPv6 addresses are in brackets.
pub fn parse(address: &str) -> Result<Address, String> {
    let refused = || format!("expected {FORMS}, found `{address}`");
    if let Some(path) = address.strip_prefix("unix:") {
        // `unix:///run/x.sock` is accepted too.
        let path = path.strip_prefix("//").unwrap_or(path);
        return if path.is_empty() { Err(refused()) } else { Ok(Address::Unix(path.into())) };
    }
    if let Some(port) = address.strip_prefix("vsock://:") {
        let port = Some(port).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
        return port.and_then(|port| port.parse().ok()).map(Address::Vsock).ok_or_else(refused);
    }
    let (host, port) = address.rsplit_once(':').ok_or_else(refused)?;
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    let port = port.parse().map_err(|_| format!("expected a port of 0 to 65535, found `{port}` in `{address}`"))?;
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(host) if !host.is_empty() => Ok(Address::Port(host.to_owned(), port)),
        None if !host.contains([':', '[', ']', '/']) => Ok(Address::Port(host.to_owned(), port)),
        _ => Err(refused()),
    }
}

/// A listener.
#[derive(Debug)]
pub enum Listener {
    /// TCP.
    Tcp(mio::net::TcpListener),
    /// A Unix socket.
    #[cfg(unix)]
    Unix(unix::Listener),
    /// vsock.
    #[cfg(target_os = "linux")]
    Vsock(vsock::Listener),
}

/// Listens on an address that [`parse`] accepts.
pub fn listen(address: &str) -> io::Result<Listener> {
    listen_among(address, &[])
}

/// Listens on one of these addresses. `[::]` accepts IPv4 too, unless `0.0.0.0` with the same port is among them.
pub fn listen_among(address: &str, addresses: &[String]) -> io::Result<Listener> {
    match parse(address).map_err(io::Error::other)? {
        Address::Port(host, port) => {
            let has_ipv4 =
                || addresses.iter().any(|other| parse(other) == Ok(Address::Port("0.0.0.0".to_owned(), port)));
            let bound = match host.as_str() {
                "" => everywhere(port),
                "::" if has_ipv4() => only_ipv6(port),
                host => TcpListener::bind((host, port)),
            };
            tcp(bound.map_err(with_advice)?)
        }
        #[cfg(unix)]
        Address::Unix(path) => unix::Listener::bind(&path).map(Listener::Unix),
        #[cfg(not(unix))]
        Address::Unix(_) => Err(io::Error::other("this system has no Unix sockets; choose a TCP port")),
        #[cfg(target_os = "linux")]
        Address::Vsock(port) => vsock::Listener::bind(port).map(Listener::Vsock),
        #[cfg(not(target_os = "linux"))]
        Address::Vsock(_) => Err(io::Error::other("this system has no vsock; choose a TCP port")),
    }
}

fn tcp(listener: TcpListener) -> io::Result<Listener> {
    // A second `listen` changes the backlog.
    #[cfg(unix)]
    rustix::net::listen(&listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    Ok(Listener::Tcp(mio::net::TcpListener::from_std(listener)))
}

impl Listener {
    /// Accepts a connection. [`io::ErrorKind::WouldBlock`] if none waits.
    pub fn accept(&self) -> io::Result<(Socket, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept()?;
                // With Nagle's algorithm a response on a kept connection waits 40 ms for a delayed ACK.
                stream.set_nodelay(true)?;
                Ok((Socket::Tcp(stream), Peer::Internet(address)))
            }
            #[cfg(unix)]
            Self::Unix(listener) => Ok((Socket::Unix(listener.accept()?), Peer::Unix)),
            #[cfg(target_os = "linux")]
            Self::Vsock(listener) => listener.accept().map(|(socket, peer)| (Socket::Vsock(socket), peer)),
        }
    }

    /// The event source of the listener.
    pub fn source(&mut self) -> &mut dyn mio::event::Source {
        match self {
            Self::Tcp(listener) => listener,
            #[cfg(unix)]
            Self::Unix(listener) => listener.source(),
            #[cfg(target_os = "linux")]
            Self::Vsock(listener) => listener,
        }
    }
}

/// The address.
impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => address.fmt(f),
                Err(_) => f.write_str("unknown"),
            },
            #[cfg(unix)]
            Self::Unix(listener) => listener.fmt(f),
            #[cfg(target_os = "linux")]
            Self::Vsock(listener) => listener.fmt(f),
        }
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for Listener {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        match self {
            Self::Tcp(listener) => listener.as_fd(),
            Self::Unix(listener) => listener.as_fd(),
            #[cfg(target_os = "linux")]
            Self::Vsock(listener) => listener.as_fd(),
        }
    }
}

/// Replaces common errors by ones with advice.
fn with_advice(error: io::Error) -> io::Error {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => "another process listens on this port; stop it, or choose another port",
        io::ErrorKind::AddrNotAvailable => "not an address of this machine; choose another one, or none for all",
        io::ErrorKind::PermissionDenied => "permission denied; choose a port of 1024 or more",
        _ => return error,
    };
    io::Error::new(error.kind(), advice)
}

/// Listens on all IPv6 addresses, and not on IPv4.
#[cfg(unix)]
fn only_ipv6(port: u16) -> io::Result<TcpListener> {
    use rustix::net::{AddressFamily, SocketType, sockopt};

    let socket = rustix::net::socket(AddressFamily::INET6, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    sockopt::set_ipv6_v6only(&socket, true)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, &std::net::SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0))?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(TcpListener::from(socket))
}

/// Listens on all IPv6 addresses. On Windows, such a socket does not accept IPv4.
#[cfg(not(unix))]
fn only_ipv6(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv6Addr::UNSPECIFIED, port))
}

/// Listens on all addresses. With IPv6, one socket accepts IPv4 too; on Windows only IPv4 is listened on.
fn everywhere(port: u16) -> io::Result<TcpListener> {
    let ipv4 = (Ipv4Addr::UNSPECIFIED, port);
    if cfg!(windows) {
        return TcpListener::bind(ipv4);
    }
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)) {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => TcpListener::bind(ipv4),
        bound => bound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expected: Option<Address>) {
        match (parse(address), expected) {
            (Ok(found), Some(expected)) => assert_eq!(found, expected),
            (Err(error), None) => assert!(error.contains(&format!("`{address}`")), "{error}"),
            (found, _) => panic!("{address}: {found:?}"),
        }
    }

    #[test]
    fn addresses_are_parsed() {
        let port = |host: &str, port| Some(Address::Port(host.to_owned(), port));
        check(":9100", port("", 9100));
        check("localhost:9100", port("localhost", 9100));
        check("127.0.0.1:0", port("127.0.0.1", 0));
        check("[::]:65535", port("::", 65535));
        check("[fe80::1%eth0]:1", port("fe80::1%eth0", 1));
        let path = || Some(Address::Unix("/run/x:1.sock".into()));
        check("unix:/run/x:1.sock", path());
        check("unix:///run/x:1.sock", path());
        check("vsock://:9100", Some(Address::Vsock(9100)));
        check("vsock://:4294967295", Some(Address::Vsock(u32::MAX)));
        for bad in [
            "",
            "9100",
            "localhost",
            "::1:9100",
            "[::1]",
            "[]:1",
            "[::1:9100",
            ":65536",
            ":+1",
            ":-1",
            ":http",
            "::",
            "unix:",
            "unix://",
            "vsock://:",
            "vsock://:4294967296",
            "vsock://:+1",
            "vsock://3:9100",
            "http://:9100",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn port_0_chooses_a_free_port() {
        let listener = listen("127.0.0.1:0").unwrap();
        let taken = listener.to_string();
        assert!(taken.starts_with("127.0.0.1:") && taken != "127.0.0.1:0", "{taken}");
        let error = listen(&taken).unwrap_err().to_string();
        assert_eq!(error, "another process listens on this port; stop it, or choose another port");
    }

    #[test]
    #[cfg(unix)]
    fn listeners_on_all_ipv6_and_all_ipv4_addresses_can_share_a_port() {
        let Ok(free) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
            println!("skipped: this machine has no IPv6");
            return;
        };
        let port = free.local_addr().unwrap().port();
        drop(free);
        let addresses = [format!("[::]:{port}"), format!("0.0.0.0:{port}")];
        let listeners: Vec<_> = addresses.iter().map(|address| listen_among(address, &addresses).unwrap()).collect();
        assert_eq!(listeners.iter().map(ToString::to_string).collect::<Vec<_>>(), addresses);
        drop(listeners);
        let _both = listen_among(&addresses[0], &addresses[..1]).unwrap();
        assert!(listen(&addresses[1]).is_err(), "alone, [::] accepts IPv4 too");
    }
}
