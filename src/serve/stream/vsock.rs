//! The socket of a vsock connection.

use std::io::{self, Read, Write};
use std::net::Shutdown;

use vsock::VsockStream;

/// A vsock connection.
#[derive(Debug)]
pub struct Socket(VsockStream);

impl Socket {
    pub(in crate::serve) fn new(stream: VsockStream) -> Self {
        Self(stream)
    }

    /// Shuts down the sending side.
    pub(in crate::serve) fn shut_down(&self) -> io::Result<()> {
        self.0.shutdown(Shutdown::Write)
    }
}

impl Read for Socket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Implements the event source of a type by the descriptor in a field.
macro_rules! source {
    ($type:ty, $field:tt) => {
        impl mio::event::Source for $type {
            fn register(
                &mut self,
                registry: &mio::Registry,
                token: mio::Token,
                interest: mio::Interest,
            ) -> std::io::Result<()> {
                mio::unix::SourceFd(&std::os::fd::AsRawFd::as_raw_fd(&self.$field)).register(registry, token, interest)
            }

            fn reregister(
                &mut self,
                registry: &mio::Registry,
                token: mio::Token,
                interest: mio::Interest,
            ) -> std::io::Result<()> {
                mio::unix::SourceFd(&std::os::fd::AsRawFd::as_raw_fd(&self.$field))
                    .reregister(registry, token, interest)
            }

            fn deregister(&mut self, registry: &mio::Registry) -> std::io::Result<()> {
                mio::unix::SourceFd(&std::os::fd::AsRawFd::as_raw_fd(&self.$field)).deregister(registry)
            }
        }
    };
}

pub(in crate::serve) use source;

source!(Socket, 0);
