//! A connection's two ends of bytes: those on the wire, and those of HTTP. TLS, where there is any, is between them.
//!
//! Nothing here waits. What cannot be done now is [`io::ErrorKind::WouldBlock`], and is tried again once the socket is
//! ready for more.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;

use super::request::Security;

/// The wire.
#[derive(Debug)]
pub enum Socket {
    /// TCP.
    Tcp(mio::net::TcpStream),
    /// A Unix socket.
    #[cfg(unix)]
    Unix(mio::net::UnixStream),
    /// Between a virtual machine and its host.
    #[cfg(target_os = "linux")]
    Vsock(super::listen::vsock::Socket),
}

impl Socket {
    /// Says that nothing more will be sent.
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
    /// Goes on with the handshake; `Ok` once it is complete, and from then on. What has to be told to a client whose
    /// handshake fails is sent before the error is returned, as far as the socket takes it.
    fn handshake(&mut self, socket: &mut Socket) -> io::Result<()>;

    /// Whether a handshake that cannot go on waits for the client to take something, not to send something.
    fn wants_to_write(&self) -> bool {
        false
    }

    /// Reads what the client has sent; 0 where it sends no more.
    fn read(&mut self, socket: &mut Socket, into: &mut [u8]) -> io::Result<usize>;

    /// Takes some of the bytes, which may be on the wire only after [`Session::flush`].
    fn write(&mut self, socket: &mut Socket, bytes: &[u8]) -> io::Result<usize>;

    /// Puts on the wire what was taken; `Ok` once all of it is.
    fn flush(&mut self, socket: &mut Socket) -> io::Result<()>;

    /// Says that nothing more will be sent, as far as the socket takes it.
    fn finish(&mut self, socket: &mut Socket) -> io::Result<()>;

    /// Properties of the client after the handshake.
    fn security(&self) -> Arc<Security>;
}

/// Factory of encrypted sessions.
pub trait Secure: Send + Sync {
    /// A session for a connection that has just come in. On an error the connection is dropped.
    fn begin(&self) -> io::Result<Box<dyn Session>>;
}

/// A connection.
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
    /// A connection that was accepted.
    pub fn new(socket: Socket, session: Option<Box<dyn Session>>) -> Self {
        Self { socket, session }
    }

    /// Event source for the reactor.
    pub fn source(&mut self) -> &mut dyn mio::event::Source {
        self.socket.source()
    }

    /// Goes on with the handshake, if there is one; `Ok` once it is complete, and from then on.
    pub fn handshake(&mut self) -> io::Result<()> {
        self.session.as_mut().map_or(Ok(()), |session| session.handshake(&mut self.socket))
    }

    /// Whether a handshake that cannot go on waits for the client to take something.
    pub fn wants_to_write(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.wants_to_write())
    }

    /// Properties of an encrypted connection after the handshake.
    pub fn security(&self) -> Option<Arc<Security>> {
        self.session.as_ref().map(|session| session.security())
    }

    /// Says that nothing more will be sent.
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
