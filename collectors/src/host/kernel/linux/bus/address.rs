//! Addresses of D-Bus servers.
#![expect(clippy::disallowed_methods, reason = "the address of the system bus is set by the environment")]

use std::env::var;

use rustix::net::SocketAddrUnix;

use crate::host::errno::Errno;

/// The variable that every client of the system bus looks at.
const VARIABLE: &str = "DBUS_SYSTEM_BUS_ADDRESS";
const SYSTEM_BUS: &str = "unix:path=/var/run/dbus/system_bus_socket";
const SYSTEMD_PRIVATE: &str = "unix:path=/run/systemd/private";

/// Where a server listens.
#[derive(Clone, Debug)]
pub(in super::super) struct Address {
    /// In the notation of the specification.
    text: String,
    /// Whether other programs are behind it, so that a client needs a name.
    pub(super) is_bus: bool,
}

impl Address {
    /// The system bus, as the environment says.
    pub(in super::super) fn system_bus() -> Self {
        let text = var(VARIABLE).ok().filter(|text| !text.is_empty());
        Self { text: text.unwrap_or_else(|| SYSTEM_BUS.to_owned()), is_bus: true }
    }

    /// systemd's own socket, which root alone may use.
    pub(in super::super) fn systemd() -> Self {
        Self { text: SYSTEMD_PRIVATE.to_owned(), is_bus: false }
    }

    /// An address in the notation of the specification.
    #[cfg(test)]
    pub(in super::super) fn new(text: &str, is_bus: bool) -> Self {
        Self { text: text.to_owned(), is_bus }
    }

    /// Unix sockets in the order in which they are to be tried.
    pub(super) fn sockets(&self) -> impl Iterator<Item = Result<SocketAddrUnix, Errno>> {
        self.text.split(';').filter(|address| !address.is_empty()).map(socket)
    }
}

fn socket(address: &str) -> Result<SocketAddrUnix, Errno> {
    let options = address.strip_prefix("unix:").ok_or(Errno::EAFNOSUPPORT)?;
    let mut options = options.split(',').filter_map(|option| option.split_once('='));
    let (key, value) = options.find(|(key, _)| matches!(*key, "path" | "abstract")).ok_or(Errno::EINVAL)?;
    let value = unescaped(value).ok_or(Errno::EINVAL)?;
    let socket = if key == "path" { SocketAddrUnix::new(value) } else { SocketAddrUnix::new_abstract_name(&value) };
    socket.map_err(super::super::errno)
}

/// A value whose bytes may be written as `%2f`.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut value = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            value.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        value.push(digit()? << 4 | digit()?);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[Result<&str, Errno>]) {
        let address = Address::new(text, true);
        let found: Vec<_> = address.sockets().collect();
        let shown = |socket: &Result<SocketAddrUnix, Errno>| {
            socket.as_ref().map_err(|error| *error).map(|socket| match (socket.path(), socket.abstract_name()) {
                (Some(path), _) => path.to_string_lossy().into_owned(),
                (None, name) => format!("@{}", name.unwrap_or_default().escape_ascii()),
            })
        };
        let found: Vec<_> = found.iter().map(shown).collect();
        let expected: Vec<_> = expected.iter().map(|one| one.map(str::to_owned)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn addresses_are_those_of_the_specification() {
        check(SYSTEM_BUS, &[Ok("/var/run/dbus/system_bus_socket")]);
        check("unix:path=/tmp/a%20b,guid=00;unix:abstract=/x", &[Ok("/tmp/a b"), Ok("@/x")]);
        check("tcp:host=localhost,port=1;unix:path=/y", &[Err(Errno::EAFNOSUPPORT), Ok("/y")]);
        check("unix:tmpdir=/tmp", &[Err(Errno::EINVAL)]);
        check("unix:path=/a%2", &[Err(Errno::EINVAL)]);
        check("unix:path=/a%zz", &[Err(Errno::EINVAL)]);
        check("", &[]);
    }

    #[test]
    fn a_path_that_no_socket_can_have_is_refused() {
        let long = format!("unix:path=/{}", "a".repeat(200));
        check(&long, &[Err(Errno::ENAMETOOLONG)]);
    }
}
