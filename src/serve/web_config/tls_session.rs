//! TLS session of one connection over a non-blocking socket.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};

use super::WebConfig;
use crate::serve::request::Security;
use crate::serve::stream::{Session, Socket};

/// Maximum number of reads from the socket that yield no byte of a request, as with a flood of empty records.
const READS_MAX: usize = 64;

/// Response to plain HTTP on a TLS port.
const PLAIN: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n\
    This port expects HTTPS; use an address that begins with https://.\n";

/// A TLS session, and the configuration that counts its failure.
pub(super) struct EncryptedSession {
    connection: ServerConnection,
    web_config: Arc<WebConfig>,
    first_byte: Option<u8>,
}

/// A socket that records the first byte of the connection.
struct Wire<'a>(&'a mut Socket, &'a mut Option<u8>);

impl Read for Wire<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(into)?;
        self.1.get_or_insert(into.first().copied().filter(|_| read > 0).unwrap_or_default());
        Ok(read)
    }
}

impl EncryptedSession {
    pub(super) fn new(config: Arc<ServerConfig>, web_config: Arc<WebConfig>) -> io::Result<Self> {
        let connection = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Self { connection, web_config, first_byte: None })
    }

    /// Reads available bytes from the socket; 0 at the end of the stream.
    fn receive(&mut self, socket: &mut Socket) -> io::Result<usize> {
        let received = self.connection.read_tls(&mut Wire(socket, &mut self.first_byte))?;
        if let Err(error) = self.connection.process_new_packets() {
            if self.connection.is_handshaking() && self.first_byte.is_some_and(|byte| byte.is_ascii_uppercase()) {
                let _ = socket.write(PLAIN);
            } else {
                let _ = self.flush(socket);
            }
            return Err(io::Error::new(ErrorKind::InvalidData, error));
        }
        Ok(received)
    }

    fn advance(&mut self, socket: &mut Socket) -> io::Result<()> {
        for _ in 0..READS_MAX {
            self.flush(socket)?;
            if !self.connection.is_handshaking() {
                return Ok(());
            }
            if self.receive(socket)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Err(too_many_reads())
    }
}

fn too_many_reads() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("{READS_MAX} reads without a byte of a request"))
}

impl Session for EncryptedSession {
    fn handshake(&mut self, socket: &mut Socket) -> io::Result<()> {
        let advanced = self.advance(socket);
        if let Err(error) = advanced.as_ref()
            && !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
        {
            self.web_config.handshake_failed(error);
        }
        advanced
    }

    fn wants_to_write(&self) -> bool {
        self.connection.wants_write()
    }

    fn read(&mut self, socket: &mut Socket, into: &mut [u8]) -> io::Result<usize> {
        for _ in 0..READS_MAX {
            match self.connection.reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // The stream ended without close_notify. A truncation is harmless: requests are delimited by themselves.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
            if self.receive(socket)? == 0 {
                return Ok(0);
            }
            self.attempt_flush(socket)?;
        }
        Err(too_many_reads())
    }

    fn write(&mut self, socket: &mut Socket, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = self.connection.writer().write(bytes)?;
        if taken == 0 && !bytes.is_empty() {
            self.flush(socket)?;
            taken = self.connection.writer().write(bytes)?;
        }
        self.attempt_flush(socket)?;
        Ok(taken)
    }

    fn flush(&mut self, socket: &mut Socket) -> io::Result<()> {
        while self.connection.wants_write() {
            if self.connection.write_tls(socket)? == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }

    fn finish(&mut self, socket: &mut Socket) -> io::Result<()> {
        self.connection.send_close_notify();
        self.attempt_flush(socket)
    }

    fn security(&self) -> Arc<Security> {
        let shown = self.connection.peer_certificates().unwrap_or_default();
        Arc::new(Security { client_certificates: shown.iter().map(|certificate| certificate.to_vec()).collect() })
    }
}

impl EncryptedSession {
    /// Sends as much as the socket accepts without blocking.
    fn attempt_flush(&mut self, socket: &mut Socket) -> io::Result<()> {
        match self.flush(socket) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            flushed => flushed,
        }
    }
}
