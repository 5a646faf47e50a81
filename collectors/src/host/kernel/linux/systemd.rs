//! systemd by D-Bus.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashMap;

use super::bus::{Bus, Calls};
use crate::host::errno::Errno;
use crate::host::kernel::dbus::{Call, Malformed, Message, Reader, Value};
use crate::host::kernel::systemd::{SystemdManager, Unit, UnitDetail, UnitQuery};

const DESTINATION: &str = "org.freedesktop.systemd1";
const MANAGER_PATH: &[u8] = b"/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// The manager's answer is an empty text.
const NO_VIRTUALIZATION: &[u8] = b"none";

/// The property that a detail is, where it is one of this unit.
fn property(detail: UnitDetail, unit: &Unit<'_>) -> Option<(&'static str, &'static str)> {
    const UNIT: &str = "org.freedesktop.systemd1.Unit";
    const SERVICE: (&[u8], &str) = (b".service", "org.freedesktop.systemd1.Service");
    const MOUNT: (&[u8], &str) = (b".mount", "org.freedesktop.systemd1.Mount");
    const TIMER: (&[u8], &str) = (b".timer", "org.freedesktop.systemd1.Timer");
    const SOCKET: (&[u8], &str) = (b".socket", "org.freedesktop.systemd1.Socket");
    let of = |(suffix, interface), property| unit.name.ends_with(suffix).then_some((interface, property));
    match detail {
        UnitDetail::Kind => of(SERVICE, "Type").or_else(|| of(MOUNT, "Type")),
        UnitDetail::ActiveSince => (unit.active_state == b"active").then_some((UNIT, "ActiveEnterTimestamp")),
        UnitDetail::Restarts => of(SERVICE, "NRestarts"),
        UnitDetail::Tasks => of(SERVICE, "TasksCurrent"),
        UnitDetail::TasksMax => of(SERVICE, "TasksMax"),
        UnitDetail::LastTrigger => of(TIMER, "LastTriggerUSec"),
        UnitDetail::Accepted => of(SOCKET, "NAccepted"),
        UnitDetail::Connections => of(SOCKET, "NConnections"),
        UnitDetail::Refused => of(SOCKET, "NRefused"),
    }
}

/// The call that asks an object for a property.
pub(super) fn get<'a>(destination: &'a str, path: &'a [u8], property: &'a [&'a str; 2]) -> Call<'a> {
    Call { destination, path, interface: PROPERTIES, member: "Get", arguments: property }
}

/// The property in a reply to the call of [`get`].
pub(super) fn value<'a>(reply: Result<&Message<'a>, Errno>) -> Result<Value<'a>, Errno> {
    Ok(reply?.body_of(b"v")?.variant()?)
}

/// Asks for the manager's properties. One that is refused is left empty.
pub(super) fn manager(bus: &Bus, into: &mut SystemdManager) -> Result<(), Errno> {
    const NAMES: [&str; 3] = ["Version", "Virtualization", "SystemState"];
    let mut fields = [&mut into.version, &mut into.virtualization, &mut into.state];
    bus.ask(|calls| {
        let (mut answers, mut refusal) = (0, None);
        for field in &mut fields {
            field.clear();
        }
        calls.pipeline(
            NAMES.len(),
            |position, make| make(&get(DESTINATION, MANAGER_PATH, &[MANAGER, NAMES[position % NAMES.len()]])),
            |position, reply| match value(reply) {
                Ok(found) => {
                    answers += 1;
                    if let (Some(field), Value::Text(text)) = (fields.get_mut(position), found) {
                        field.extend_from_slice(if text.is_empty() && position == 1 {
                            NO_VIRTUALIZATION
                        } else {
                            text
                        });
                    }
                }
                Err(error) => refusal = Some(error),
            },
        )?;
        // Without any answer, nothing of that name is on the bus, or this client may not ask it.
        refusal.filter(|_| answers == 0).map_or(Ok(()), Err)
    })?;
    if into.virtualization.is_empty() {
        into.virtualization.extend_from_slice(b"unknown");
    }
    Ok(())
}

/// The memory of the questions about units.
#[derive(Debug, Default)]
pub(super) struct Units(Mutex<Memory>);

impl Units {
    /// Asks for the units, and for details of those that the query selects.
    pub(super) fn ask(&self, bus: &Bus, query: &UnitQuery<'_>, visit: &mut dyn FnMut(&Unit<'_>)) -> Result<(), Errno> {
        // The lock is not held while systemd is asked: another question begins with memory of its own.
        let mut memory = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let outcome = bus.ask(|calls| {
            memory.list(calls)?;
            memory.fetch(calls, query)
        });
        if outcome.is_ok() {
            memory.units().for_each(|unit| visit(&unit));
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = memory;
        outcome
    }
}

/// Units as they were listed, their details, and what is to be asked.
#[derive(Debug, Default)]
struct Memory {
    listed: Listed,
    /// By the positions of units.
    details: Vec<Details>,
    service_types: ServiceTypes,
    /// Positions of units, and what is asked of each.
    wanted: Vec<(usize, UnitDetail)>,
}

/// Types of services by name, which change only when systemd reads the files of units again. A thousand services through
/// a bus take 60 ms to be asked, and 6 ms to be listed.
#[derive(Debug, Default)]
struct ServiceTypes {
    /// When systemd read all files of units at its start and since, in microseconds of its own clock. Systemd before
    /// version 250 does not tell, and is asked for every type again.
    loaded: [Option<u64>; 2],
    /// The number of the question.
    turn: u64,
    known: FxHashMap<Box<[u8]>, ServiceType>,
}

#[derive(Debug)]
struct ServiceType {
    name: Box<[u8]>,
    /// The last question in which the service was selected.
    turn: u64,
}

impl ServiceTypes {
    /// Begins a question with the times that systemd told.
    fn begin(&mut self, loaded: [Option<u64>; 2]) {
        if self.loaded != loaded || loaded.contains(&None) {
            self.known.clear();
        }
        self.loaded = loaded;
        self.turn += 1;
    }

    /// Whether the type of a service is known. It is kept for the next question then.
    fn knows(&mut self, service: &[u8]) -> bool {
        let known = self.known.get_mut(service);
        known.map(|known| known.turn = self.turn).is_some()
    }

    fn learn(&mut self, service: &[u8], name: &[u8]) {
        self.known.insert(service.into(), ServiceType { name: name.into(), turn: self.turn });
    }

    /// Forgets services that this question did not select. One that comes back may have another type.
    fn end(&mut self) {
        self.known.retain(|_, known| known.turn == self.turn);
    }
}

#[derive(Debug, Default)]
struct Listed {
    text: Vec<u8>,
    units: Vec<ListedUnit>,
}

/// Places of a unit's words in [`Listed::text`].
#[derive(Debug)]
struct ListedUnit {
    name: Range<usize>,
    load_state: Range<usize>,
    active_state: Range<usize>,
    path: Range<usize>,
}

/// What was found out about a unit.
#[derive(Clone, Debug, Default)]
struct Details {
    /// The type of the file system of a mount.
    fs_type: Vec<u8>,
    /// Its words are empty.
    numbers: Unit<'static>,
}

impl Listed {
    fn read(&mut self, mut body: Reader<'_>) -> Result<(), Malformed> {
        let Self { text, units } = self;
        text.clear();
        units.clear();
        let mut keep = |word: &[u8]| {
            let start = text.len();
            text.extend_from_slice(word);
            start..text.len()
        };
        let mut rows = body.array(8)?;
        while !rows.is_empty() {
            rows.align(8)?;
            let name = keep(rows.text()?);
            let _description = rows.text()?;
            let (load_state, active_state) = (keep(rows.text()?), keep(rows.text()?));
            let _sub_state = rows.text()?;
            let _following = rows.text()?;
            let path = keep(rows.text()?);
            let _job = (rows.u32()?, rows.text()?, rows.text()?);
            units.push(ListedUnit { name, load_state, active_state, path });
        }
        Ok(())
    }

    fn word(&self, place: &Range<usize>) -> &[u8] {
        self.text.get(place.clone()).unwrap_or_default()
    }

    fn unit(&self, unit: &ListedUnit) -> Unit<'_> {
        Unit {
            name: self.word(&unit.name),
            load_state: self.word(&unit.load_state),
            active_state: self.word(&unit.active_state),
            ..Unit::default()
        }
    }
}

impl Memory {
    fn list(&mut self, calls: &mut Calls<'_>) -> Result<(), Errno> {
        const LOADED: [&str; 2] = ["UnitsLoadFinishTimestampMonotonic", "UnitsLoadTimestampMonotonic"];
        let list = Call {
            destination: DESTINATION,
            path: MANAGER_PATH,
            interface: MANAGER,
            member: "ListUnits",
            arguments: &[],
        };
        let (mut loaded, mut outcome) = ([None; 2], Ok(()));
        calls.pipeline(
            1 + LOADED.len(),
            |position, make| match LOADED.get(position) {
                Some(property) => make(&get(DESTINATION, MANAGER_PATH, &[MANAGER, property])),
                None => make(&list),
            },
            |position, reply| match loaded.get_mut(position) {
                Some(loaded) => {
                    if let Ok(Value::U64(micros)) = value(reply) {
                        *loaded = Some(micros);
                    }
                }
                None => outcome = reply.and_then(|list| Ok(self.listed.read(list.body_of(b"a(ssssssouso)")?)?)),
            },
        )?;
        self.service_types.begin(loaded);
        outcome
    }

    /// Asks for details. One that is refused is left out: the unit may be gone, or systemd older than the property.
    fn fetch(&mut self, calls: &mut Calls<'_>, query: &UnitQuery<'_>) -> Result<(), Errno> {
        let Self { listed, details, service_types, wanted } = self;
        details.truncate(listed.units.len());
        details.iter_mut().for_each(Details::clear);
        details.resize(listed.units.len(), Details::default());
        wanted.clear();
        for (position, unit) in listed.units.iter().enumerate() {
            let unit = listed.unit(unit);
            if !(query.selects)(&unit) {
                continue;
            }
            for detail in query.details {
                let is_known = *detail == UnitDetail::Kind && service_types.knows(unit.name);
                if property(*detail, &unit).is_some() && !is_known {
                    wanted.push((position, *detail));
                }
            }
        }
        let asked = |position: usize| {
            let (position, detail) = *wanted.get(position)?;
            Some((position, listed.units.get(position)?, detail))
        };
        let outcome = calls.pipeline(
            wanted.len(),
            |position, make| {
                let Some((_, unit, detail)) = asked(position) else { return };
                let Some((interface, property)) = property(detail, &listed.unit(unit)) else { return };
                make(&get(DESTINATION, listed.word(&unit.path), &[interface, property]));
            },
            |position, reply| {
                let (Some((position, unit, detail)), Ok(value)) = (asked(position), value(reply)) else { return };
                let name = listed.word(&unit.name);
                match (details.get_mut(position), value) {
                    (_, Value::Text(kind)) if name.ends_with(b".service") => service_types.learn(name, kind),
                    (Some(details), value) => details.set(detail, value),
                    (None, _) => {}
                }
            },
        );
        service_types.end();
        outcome
    }

    fn units(&self) -> impl Iterator<Item = Unit<'_>> {
        self.listed.units.iter().zip(&self.details).map(|(unit, details)| {
            let Unit { name, load_state, active_state, .. } = self.listed.unit(unit);
            let fs_type = Some(&*details.fs_type).filter(|fs_type| !fs_type.is_empty());
            let kind = self.service_types.known.get(name).map(|known| &*known.name).or(fs_type);
            Unit { name, load_state, active_state, kind, ..details.numbers }
        })
    }
}

impl Details {
    fn clear(&mut self) {
        self.fs_type.clear();
        self.numbers = Unit::default();
    }

    fn set(&mut self, detail: UnitDetail, value: Value<'_>) {
        let numbers = &mut self.numbers;
        match (detail, value) {
            (UnitDetail::Kind, Value::Text(text)) => self.fs_type.extend_from_slice(text),
            (UnitDetail::ActiveSince, Value::U64(value)) => numbers.active_since_micros = Some(value),
            (UnitDetail::Restarts, Value::U32(value)) => numbers.restarts = Some(value),
            (UnitDetail::Tasks, Value::U64(value)) => numbers.tasks = Some(value),
            (UnitDetail::TasksMax, Value::U64(value)) => numbers.tasks_max = Some(value),
            (UnitDetail::LastTrigger, Value::U64(value)) => numbers.last_trigger_micros = Some(value),
            (UnitDetail::Accepted, Value::U32(value)) => numbers.accepted = Some(value),
            (UnitDetail::Connections, Value::U32(value)) => numbers.connections = Some(value),
            (UnitDetail::Refused, Value::U32(value)) => numbers.refused = Some(value),
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "systemd/tests.rs"]
mod tests;
