//! Sockets passed by systemd (socket activation): it starts the exporter at the first connection, and can open ports for
//! which the exporter has no permission.
#![expect(clippy::disallowed_methods, reason = "systemd passes the names of the sockets in the environment")]

use std::io;

use listenfd::ListenFd;
use rustix::net::{AddressFamily, SocketType};
use vsock::VsockListener;

use super::{Listener, unix, vsock as machines};

/// A socket and its name in the unit.
#[derive(Debug)]
pub struct Inherited {
    /// `FileDescriptorName=`, or the name of the unit; empty without a name.
    pub name: String,
    /// The socket.
    pub listener: Listener,
}

/// All passed sockets, TCP, Unix or vsock. No socket is an error.
pub fn listeners() -> Result<Vec<Inherited>, String> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut passed = ListenFd::from_env();
    let count = passed.len();
    if count == 0 {
        return Err("no sockets were passed; start the exporter by a .socket unit of systemd".to_owned());
    }
    let mut inherit = |number: usize, name: &str| match listener(&mut passed, number) {
        Ok(listener) => Ok(Inherited { name: name.to_owned(), listener }),
        Err(error) => Err(format!("passed socket {} of {count}, named `{name}`: {error}", number + 1)),
    };
    let names = names.split(':').chain(std::iter::repeat(""));
    (0..count).zip(names).map(|(number, name)| inherit(number, name)).collect()
}

fn listener(passed: &mut ListenFd, number: usize) -> io::Result<Listener> {
    if let Ok(Some(listener)) = passed.take_tcp_listener(number) {
        return super::tcp(listener);
    }
    if let Ok(Some(listener)) = passed.take_unix_listener(number) {
        return unix::Listener::inherit(listener).map(Listener::Unix);
    }
    let family = i32::from(AddressFamily::VSOCK.as_raw());
    let kind = SocketType::STREAM.as_raw().cast_signed();
    match passed.take_custom::<VsockListener>(number, family, kind, "stream of TCP, Unix or vsock")? {
        Some(listener) => machines::Listener::inherit(listener).map(Listener::Vsock),
        None => Err(io::Error::other("the socket is already in use")),
    }
}
