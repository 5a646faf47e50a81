//! Byte streams of connections, with or without TLS.
//!
//! All operations are non-blocking: they return [`io::ErrorKind::WouldBlock`] and are repeated when the socket is ready.

#[cfg(target_os = "linux")]
pub(super) mod vsock;

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;

use super::request::Security;

/// The socket of a connection.
#[derive(Debug)]
pub enum Socket {
    /// TCP.
    Tcp(mio::net::TcpStream),
    /// A Unix socket.
    #[cfg(unix)]
    Unix(mio::net::UnixStream),
    /// vsock.
    #[cfg(target_os = "linux")]
    Vsock(vsock::Socket),
}

impl Socket {
    /// Shuts down the sending side.
    pub fn shut_down(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            #[cfg(unix)]
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
            #[cfg(target_os = "linux")]
            Self::Vsock(socket) => socket.shut_down(),
        }
    }

    /// Event source for the reactor.
    pub fn source(&mut self) -> &mut dyn mio::event::Source {
        match self {
            Self::Tcp(stream) => stream,
            #[cfg(unix)]
            Self::Unix(stream) => stream,
            #[cfg(target_os = "linux")]
            Self::Vsock(socket) => socket,
        }
    }
}

impl Read for Socket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(into),
            #[cfg(unix)]
            Self::Unix(stream) => stream.read(into),
            #[cfg(target_os = "linux")]
            Self::Vsock(socket) => socket.read(into),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            #[cfg(unix)]
            Self::Unix(stream) => stream.write(bytes),
            #[cfg(target_os = "linux")]
            Self::Vsock(socket) => socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Encryption of one connection.
pub trait Session: Send {
    /// Continues the handshake. `Ok` once it is complete. The alert of a failed handshake is sent before the error is
    /// returned, as far as the socket accepts it.
    fn handshake(&mut self, socket: &mut Socket) -> io::Result<()>;

    /// Whether a blocked handshake waits for the socket to become writable.
    fn wants_to_write(&self) -> bool {
        false
    }

    /// Reads decrypted bytes; 0 at the end of the stream.
    fn read(&mut self, socket: &mut Socket, into: &mut [u8]) -> io::Result<usize>;

    /// Accepts some of the bytes. They may be buffered until [`Session::flush`].
    fn write(&mut self, socket: &mut Socket, bytes: &[u8]) -> io::Result<usize>;

    /// Sends buffered bytes. `Ok` once all are sent.
    fn flush(&mut self, socket: &mut Socket) -> io::Result<()>;

    /// Sends the end of the stream, as far as the socket accepts it.
    fn finish(&mut self, socket: &mut Socket) -> io::Result<()>;

    /// Properties of the client after the handshake.
    fn security(&self) -> Arc<Security>;
}

/// Factory of encrypted sessions.
pub trait Secure: Send + Sync {
    /// A session for a new connection. On an error the connection is closed.
    fn begin(&self) -> io::Result<Box<dyn Session>>;
}

/// The byte stream of a connection, plain or encrypted.
pub struct Stream {
    socket: Socket,
    session: Option<Box<dyn Session>>,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_secure = self.session.is_some();
        f.debug_struct("Stream").field("socket", &self.socket).field("is_secure", &is_secure).finish()
    }
}

impl Stream {
    /// The stream of an accepted connection.
    pub fn new(socket: Socket, session: Option<Box<dyn Session>>) -> Self {
        Self { socket, session }
    }

    /// Event source for the reactor.
    pub fn source(&mut self) -> &mut dyn mio::event::Source {
        self.socket.source()
    }

    /// Continues the handshake, if there is one. `Ok` once it is complete.
    pub fn handshake(&mut self) -> io::Result<()> {
        self.session.as_mut().map_or(Ok(()), |session| session.handshake(&mut self.socket))
    }

    /// Whether a blocked handshake waits for the socket to become writable.
    pub fn wants_to_write(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.wants_to_write())
    }

    /// Properties of an encrypted connection after the handshake.
    pub fn security(&self) -> Option<Arc<Security>> {
        self.session.as_ref().map(|session| session.security())
    }

    /// Sends the end of the stream, and shuts down the sending side.
    pub fn finish(&mut self) -> io::Result<()> {
        if let Some(session) = &mut self.session {
            session.finish(&mut self.socket)?;
        }
        self.socket.shut_down()
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.session {
            Some(session) => session.read(&mut self.socket, into),
            None => self.socket.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.session {
            Some(session) => session.write(&mut self.socket, bytes),
            None => self.socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.session {
            Some(session) => session.flush(&mut self.socket),
            None => Ok(()),
        }
    }
}
