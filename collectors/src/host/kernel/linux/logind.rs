//! The login manager of systemd by D-Bus.

use super::bus::{Bus, Calls};
use super::systemd::{get, value};
use crate::host::errno::Errno;
use crate::host::kernel::dbus::{Call, Malformed, Reader, Value};
use crate::host::kernel::systemd::{LoginSession, Seat};

const DESTINATION: &str = "org.freedesktop.login1";
const MANAGER_PATH: &[u8] = b"/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SESSION: &str = "org.freedesktop.login1.Session";

/// What is asked of each session.
const PROPERTIES: [&str; 3] = ["Remote", "Type", "Class"];

/// Visits the seats.
pub(super) fn seats(bus: &Bus, visit: &mut dyn FnMut(&Seat<'_>)) -> Result<(), Errno> {
    let mut names = Vec::new();
    bus.ask(|calls| {
        list(calls, "ListSeats", b"a(so)", &mut names, |row| {
            let name = row.text()?.to_vec();
            let _path = row.text()?;
            Ok(name)
        })
    })?;
    for name in &names {
        visit(&Seat { name });
    }
    Ok(())
}

/// A session in the list.
#[derive(Debug)]
struct Listed {
    name: Vec<u8>,
    seat: Vec<u8>,
    path: Vec<u8>,
    found: [Option<Vec<u8>>; PROPERTIES.len()],
}

/// Visits the sessions. One that ends meanwhile is left out.
pub(super) fn sessions(bus: &Bus, visit: &mut dyn FnMut(&LoginSession<'_>)) -> Result<(), Errno> {
    let mut listed = Vec::new();
    bus.ask(|calls| {
        list(calls, "ListSessions", b"a(susso)", &mut listed, |row| {
            let name = row.text()?.to_vec();
            let _user = (row.u32()?, row.text()?);
            Ok(Listed { name, seat: row.text()?.to_vec(), path: row.text()?.to_vec(), found: [None, None, None] })
        })?;
        let mut answers = Vec::new();
        calls.pipeline(
            listed.len() * PROPERTIES.len(),
            |position, make| {
                let (session, property) = (position / PROPERTIES.len(), position % PROPERTIES.len());
                let Some(session) = listed.get(session) else { return };
                make(&get(DESTINATION, &session.path, &[SESSION, PROPERTIES[property]]));
            },
            |position, reply| match value(reply) {
                Ok(Value::Text(text)) => answers.push((position, text.to_vec())),
                Ok(Value::Bool(is_remote)) => answers.push((position, vec![u8::from(is_remote)])),
                _ => {}
            },
        )?;
        for (position, answer) in answers {
            if let Some(session) = listed.get_mut(position / PROPERTIES.len()) {
                session.found[position % PROPERTIES.len()] = Some(answer);
            }
        }
        Ok(())
    })?;
    for Listed { name, seat, found, .. } in &listed {
        if let [Some(remote), Some(kind), Some(class)] = found {
            visit(&LoginSession { name, seat, remote: remote.first().copied().unwrap_or_default(), kind, class });
        }
    }
    Ok(())
}

/// Calls a method without arguments that returns a list, and reads each element.
fn list<T>(
    calls: &mut Calls<'_>,
    member: &str,
    signature: &[u8],
    into: &mut Vec<T>,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T, Malformed>,
) -> Result<(), Errno> {
    into.clear();
    calls.call(
        &Call { destination: DESTINATION, path: MANAGER_PATH, interface: MANAGER, member, arguments: &[] },
        |reply| {
            let mut rows = reply.body_of(signature)?.array(8)?;
            while !rows.is_empty() {
                rows.align(8)?;
                into.push(read(&mut rows)?);
            }
            Ok(())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::bus::stand_in::{StandIn, refuse, reply};
    use super::*;
    use crate::host::kernel::dbus::Message;

    /// A login manager with two seats and three sessions, of which the last one has ended.
    fn answer(call: &Message<'_>, into: &mut Vec<u8>) {
        match call.member {
            b"ListSeats" => reply(call, into, b"a(so)", |writer| {
                writer.array(8, |writer| {
                    for seat in ["seat0", "seat1"] {
                        writer.align(8);
                        writer.text(seat.as_bytes());
                        writer.text(format!("/seat/{seat}").as_bytes());
                    }
                });
            }),
            b"ListSessions" => reply(call, into, b"a(susso)", |writer| {
                writer.array(8, |writer| {
                    for (name, seat) in [("1", "seat0"), ("c7", ""), ("9", "")] {
                        writer.align(8);
                        writer.text(name.as_bytes());
                        writer.u32(1000);
                        writer.text(b"somebody");
                        writer.text(seat.as_bytes());
                        writer.text(format!("/session/{name}").as_bytes());
                    }
                });
            }),
            _ if call.path == b"/session/9" => refuse(call, into, "org.freedesktop.DBus.Error.UnknownObject"),
            _ => {
                let mut body = call.body_of(b"ss").unwrap();
                let (_, property) = (body.text().unwrap(), body.text().unwrap());
                let is_first = call.path == b"/session/1";
                reply(call, into, b"v", |writer| match property {
                    b"Remote" => {
                        writer.signature(b"b");
                        writer.u32(u32::from(!is_first));
                    }
                    b"Type" => {
                        writer.signature(b"s");
                        writer.text(if is_first { b"wayland" } else { b"tty" });
                    }
                    _ => {
                        writer.signature(b"s");
                        writer.text(b"user");
                    }
                });
            }
        }
    }

    #[test]
    fn seats_and_sessions_are_visited() {
        let server = StandIn::new(answer);
        let bus = server.bus();
        let mut names = Vec::new();
        seats(&bus, &mut |seat| names.push(String::from_utf8_lossy(seat.name).into_owned())).unwrap();
        assert_eq!(names, ["seat0", "seat1"]);
        let mut found = Vec::new();
        sessions(&bus, &mut |session| {
            let words = [session.name, session.seat, session.kind, session.class];
            found.push((words.map(|word| String::from_utf8_lossy(word).into_owned()).join(" "), session.remote));
        })
        .unwrap();
        assert_eq!(found, [("1 seat0 wayland user".to_owned(), 0), ("c7  tty user".to_owned(), 1)]);
        assert_eq!(server.accepted(), 1);
    }

    #[test]
    fn a_bus_without_a_login_manager_is_an_error() {
        let server = StandIn::new(|call, into| refuse(call, into, "org.freedesktop.DBus.Error.ServiceUnknown"));
        assert_eq!(seats(&server.bus(), &mut |_| ()), Err(Errno::ENXIO));
        assert_eq!(sessions(&server.bus(), &mut |_| ()), Err(Errno::ENXIO));
        let other = StandIn::new(|call, into| reply(call, into, b"s", |writer| writer.text(b"")));
        assert_eq!(seats(&other.bus(), &mut |_| ()), Err(Errno::EBADMSG));
    }
}
