//! vsock: sockets between a virtual machine and its host, without a network.

use std::fmt;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};

use vsock::{VMADDR_CID_ANY, VsockListener};

use crate::serve::request::Peer;
use crate::serve::stream::vsock::{Socket, source};

/// A listening vsock port.
#[derive(Debug)]
pub struct Listener {
    listener: VsockListener,
    port: u32,
}

impl Listener {
    /// Listens on a port of any context ID.
    pub(super) fn bind(port: u32) -> io::Result<Self> {
        let listener = VsockListener::bind_with_cid_port(VMADDR_CID_ANY, port).map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => {
                io::Error::new(error.kind(), "another process listens on this port; choose another port")
            }
            ErrorKind::PermissionDenied => {
                io::Error::new(error.kind(), "permission denied; choose a port of 1024 or more")
            }
            _ => io::Error::new(error.kind(), format!("{error}; is this a virtual machine with virtio-vsock?")),
        })?;
        Self::inherit(listener)
    }

    /// A socket that is already bound.
    pub(super) fn inherit(listener: VsockListener) -> io::Result<Self> {
        rustix::net::listen(&listener, super::BACKLOG)?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    pub(super) fn accept(&self) -> io::Result<(Socket, Peer)> {
        let (stream, address) = self.listener.accept()?;
        stream.set_nonblocking(true)?;
        Ok((Socket::new(stream), Peer::Vsock { machine: address.cid(), port: address.port() }))
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vsock://:{}", self.port)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

source!(Listener, listener);

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use vsock::VsockStream;

    /// Without vsock in the kernel the error is checked; without a loopback transport no connection is made.
    #[test]
    fn a_port_is_listened_on_if_the_kernel_supports_vsock() {
        const PORT: u32 = 29_100;
        match Listener::bind(PORT) {
            Ok(listener) => {
                assert_eq!(listener.to_string(), format!("vsock://:{PORT}"));
                assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
                let taken = Listener::bind(PORT).unwrap_err().to_string();
                assert_eq!(taken, "another process listens on this port; choose another port");
                if let Ok(mut client) = VsockStream::connect_with_cid_port(vsock::VMADDR_CID_LOCAL, PORT) {
                    let (mut socket, peer) = listener.accept().unwrap();
                    assert!(matches!(peer, Peer::Vsock { .. }), "{peer}");
                    client.write_all(b"x").unwrap();
                    let mut byte = [0];
                    while socket.read(&mut byte).is_err() {}
                    assert_eq!(byte, *b"x");
                }
            }
            Err(error) => assert!(error.to_string().contains("virtio-vsock"), "{error}"),
        }
    }
}
