//! Addresses to listen on.
#![expect(clippy::disallowed_methods, reason = "this is the room of the sockets")]

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

/// Splits `:PORT` or `HOST:PORT`; an IPv6 address stands in brackets. The host is empty for all addresses.
pub fn split(address: &str) -> Result<(&str, u16), String> {
    let refused = || format!("expected :PORT or HOST:PORT, found `{address}`");
    let (host, port) = address.rsplit_once(':').ok_or_else(refused)?;
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    let port = port.parse().map_err(|_| format!("expected a port of 0 to 65535, found `{port}` in `{address}`"))?;
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(host) if !host.is_empty() => Ok((host, port)),
        None if !host.contains([':', '[', ']']) => Ok((host, port)),
        _ => Err(refused()),
    }
}

/// Listens on an address that [`split`] accepts.
///
/// Accepted connections inherit that they send at once what they are given: else an answer on a connection that is kept
/// waits 40 ms for the client to confirm what came before.
pub fn listen(address: &str) -> io::Result<TcpListener> {
    let (host, port) = split(address).map_err(io::Error::other)?;
    let bound = if host.is_empty() { everywhere(port) } else { TcpListener::bind((host, port)) };
    let listener = bound.map_err(in_words)?;
    rustix::net::sockopt::set_tcp_nodelay(&listener, true)?;
    Ok(listener)
}

/// What the operator can do about it, where that is known.
fn in_words(error: io::Error) -> io::Error {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there; end it, or choose another port",
        io::ErrorKind::AddrNotAvailable => "this machine has no such address; choose one of its own, or none for all",
        io::ErrorKind::PermissionDenied => "not allowed; choose a port of 1024 or more",
        _ => return error,
    };
    io::Error::new(error.kind(), advice)
}

/// Where IPv6 exists, its socket takes IPv4 as well; on Windows it does not.
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
    fn check(address: &str, expected: Option<(&str, u16)>) {
        match (split(address), expected) {
            (Ok(found), Some(expected)) => assert_eq!(found, expected),
            (Err(error), None) => assert!(error.contains(&format!("`{address}`")), "{error}"),
            (found, _) => panic!("{address}: {found:?}"),
        }
    }

    #[test]
    fn addresses_have_a_host_or_none_and_a_port() {
        check(":9100", Some(("", 9100)));
        check("localhost:9100", Some(("localhost", 9100)));
        check("127.0.0.1:0", Some(("127.0.0.1", 0)));
        check("[::]:65535", Some(("::", 65535)));
        check("[fe80::1%eth0]:1", Some(("fe80::1%eth0", 1)));
        for bad in
            ["", "9100", "localhost", "::1:9100", "[::1]", "[]:1", "[::1:9100", ":65536", ":+1", ":-1", ":http", "::"]
        {
            check(bad, None);
        }
    }

    #[test]
    fn listening_on_a_port_of_its_own_choice() {
        let listener = listen("127.0.0.1:0").unwrap();
        assert_ne!(listener.local_addr().unwrap().port(), 0);
        assert!(rustix::net::sockopt::tcp_nodelay(&listener).unwrap());
        let taken = listener.local_addr().unwrap().to_string();
        let error = listen(&taken).unwrap_err().to_string();
        assert_eq!(error, "another program listens there; end it, or choose another port");
    }
}
