use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::super::bus::stand_in::{StandIn, refuse, reply};
use super::*;
use crate::host::kernel::dbus::Writer;

/// A systemd with some units, which notes what it is asked for.
#[derive(Clone, Default)]
struct Systemd {
    units: Arc<Mutex<Vec<&'static str>>>,
    loaded: Arc<AtomicU64>,
    asked: Arc<Mutex<Vec<String>>>,
}

const NONE: u64 = u64::MAX;

impl Systemd {
    fn serve(&self) -> StandIn {
        let this = self.clone();
        StandIn::new(move |call, into| this.answer(call, into))
    }

    fn answer(&self, call: &Message<'_>, into: &mut Vec<u8>) {
        if call.member == b"ListUnits" {
            let units = self.units.lock().unwrap();
            return reply(call, into, b"a(ssssssouso)", |writer| list(writer, &units));
        }
        let mut body = call.body_of(b"ss").unwrap();
        let (_, property) = (body.text().unwrap(), body.text().unwrap());
        let property = std::str::from_utf8(property).unwrap();
        let path = call.path.rsplit(|byte| *byte == b'/').next().unwrap().escape_ascii();
        let number = |into: &mut Vec<u8>, value: u64| {
            reply(call, into, b"v", |writer| {
                writer.signature(b"t");
                writer.u64(value);
            });
        };
        match property {
            "UnitsLoadFinishTimestampMonotonic" => return number(into, 1),
            "UnitsLoadTimestampMonotonic" => match self.loaded.load(Ordering::SeqCst) {
                NONE => return refuse(call, into, "org.freedesktop.DBus.Error.UnknownProperty"),
                loaded => return number(into, loaded),
            },
            _ => self.asked.lock().unwrap().push(format!("{path} {property}")),
        }
        match property {
            "Type" | "Version" | "SystemState" | "Virtualization" => reply(call, into, b"v", |writer| {
                writer.signature(b"s");
                writer.text(match property {
                    "Type" if call.path.ends_with(b"mount") => b"ext4",
                    "Type" => b"simple",
                    "Version" => b"252.1",
                    "SystemState" => b"running",
                    _ => b"",
                });
            }),
            "TasksMax" | "LastTriggerUSec" | "ActiveEnterTimestamp" => number(into, 7),
            "NRefused" => refuse(call, into, "org.freedesktop.DBus.Error.UnknownProperty"),
            _ => reply(call, into, b"v", |writer| {
                writer.signature(b"u");
                writer.u32(3);
            }),
        }
    }

    /// What was asked since the last call of this.
    fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort();
        asked
    }
}

fn list(writer: &mut Writer<'_>, units: &[&str]) {
    writer.array(8, |writer| {
        for unit in units {
            writer.align(8);
            let path = format!("/unit/{}", unit.replace('.', "_"));
            for word in [unit, "A unit", "loaded", "active", "running", "", &path] {
                writer.text(word.as_bytes());
            }
            writer.u32(0);
            writer.text(b"");
            writer.text(b"/");
        }
    });
}

fn names(units: &Units, bus: &Bus, details: &[UnitDetail]) -> Vec<(String, Option<String>, Unit<'static>)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut found = Vec::new();
    let query = UnitQuery { details, selects: &|unit| unit.name != b"b.service", ..UnitQuery::ALL };
    let visit = &mut |unit: &Unit<'_>| {
        assert_eq!((unit.load_state, unit.active_state), (&b"loaded"[..], &b"active"[..]));
        let Unit { active_since_micros, restarts, tasks, tasks_max, last_trigger_micros, .. } = *unit;
        let Unit { accepted, connections, refused, .. } = *unit;
        let (name, load_state, active_state, kind) = (&b""[..], &b""[..], &b""[..], None);
        let numbers = Unit {
            name,
            load_state,
            active_state,
            kind,
            active_since_micros,
            restarts,
            tasks,
            tasks_max,
            last_trigger_micros,
            accepted,
            connections,
            refused,
        };
        found.push((text(unit.name), unit.kind.map(text), numbers));
    };
    units.ask(bus, &query, visit).unwrap();
    found
}

#[test]
fn units_come_with_the_details_of_their_kind() {
    let systemd = Systemd::default();
    *systemd.units.lock().unwrap() = vec!["a.service", "b.service", "c.socket", "d.timer", "e.mount", "f.target"];
    let server = systemd.serve();
    let (bus, units) = (server.bus(), Units::default());
    let found = names(&units, &bus, &UnitDetail::ALL);
    let since = Unit { active_since_micros: Some(7), ..Unit::default() };
    let service = Unit { restarts: Some(3), tasks_max: Some(7), ..since };
    let socket = Unit { accepted: Some(3), connections: Some(3), ..since };
    let timer = Unit { last_trigger_micros: Some(7), ..since };
    let expected = [
        // `TasksCurrent` is answered by another type, and left out.
        ("a.service", Some("simple"), service),
        ("b.service", None, Unit::default()),
        ("c.socket", None, socket),
        ("d.timer", None, timer),
        ("e.mount", Some("ext4"), since),
        ("f.target", None, since),
    ];
    let expected = expected.map(|(name, kind, numbers)| (name.to_owned(), kind.map(str::to_owned), numbers));
    assert_eq!(found, expected);
    assert!(!systemd.asked().iter().any(|asked| asked.starts_with("b_service")));
}

#[test]
fn types_of_services_are_asked_for_once_and_after_a_reload() {
    const DETAILS: &[UnitDetail] = &[UnitDetail::Kind];
    let systemd = Systemd::default();
    let set = |units: &[&'static str]| *systemd.units.lock().unwrap() = units.to_vec();
    set(&["a.service", "c.service", "e.mount"]);
    let server = systemd.serve();
    let (bus, units) = (server.bus(), Units::default());
    let ask = || {
        let found = names(&units, &bus, DETAILS);
        assert!(found.iter().all(|(_, kind, _)| kind.is_some()), "{found:?}");
        systemd.asked()
    };
    let (all, mount) = (["a_service Type", "c_service Type", "e_mount Type"], ["e_mount Type"]);
    assert_eq!((ask(), ask()), (all.map(str::to_owned).into(), mount.map(str::to_owned).into()));
    systemd.loaded.store(5, Ordering::SeqCst);
    assert_eq!((ask(), ask()), (all.map(str::to_owned).into(), mount.map(str::to_owned).into()));
    // Gone and back again.
    set(&["a.service"]);
    assert!(ask().is_empty());
    set(&["a.service", "c.service"]);
    assert_eq!(ask(), ["c_service Type"]);
    // A systemd that does not tell when it read its files.
    systemd.loaded.store(NONE, Ordering::SeqCst);
    assert_eq!((ask(), ask().len()), (all[..2].iter().map(ToString::to_string).collect(), 2));
    assert_eq!(server.accepted(), 1);
}

#[test]
fn the_manager_tells_what_it_knows() {
    let server = Systemd::default().serve();
    let mut found = SystemdManager { version: b"old".to_vec(), ..SystemdManager::default() };
    manager(&server.bus(), &mut found).unwrap();
    let expected = [&b"252.1"[..], b"none", b"running"].map(<[u8]>::to_vec);
    assert_eq!([found.version, found.virtualization, found.state], expected);
}

#[test]
fn a_manager_that_refuses_a_property_leaves_it_out_and_one_that_refuses_all_is_an_error() {
    let refusing = |wanted: &'static [u8]| {
        let systemd = Systemd::default();
        StandIn::new(move |call, into| {
            let mut body = call.body_of(b"ss").unwrap();
            let _interface = body.text().unwrap();
            if wanted.is_empty() || body.text() == Ok(wanted) {
                return refuse(call, into, "org.freedesktop.DBus.Error.ServiceUnknown");
            }
            systemd.answer(call, into);
        })
    };
    let mut found = SystemdManager::default();
    manager(&refusing(b"Virtualization").bus(), &mut found).unwrap();
    assert_eq!(
        (&*found.version, &*found.virtualization, &*found.state),
        (&b"252.1"[..], &b"unknown"[..], &b"running"[..])
    );
    manager(&refusing(b"SystemState").bus(), &mut found).unwrap();
    assert_eq!((&*found.virtualization, &*found.state), (&b"none"[..], &b""[..]));
    assert_eq!(manager(&refusing(b"").bus(), &mut found), Err(Errno::ENXIO));
}

#[test]
fn a_list_that_is_refused_or_of_other_types_is_an_error() {
    let refuses = StandIn::new(|call, into| refuse(call, into, "org.freedesktop.DBus.Error.AccessDenied"));
    let ask = |server: &StandIn| Units::default().ask(&server.bus(), &UnitQuery::ALL, &mut |_| unreachable!());
    assert_eq!(ask(&refuses), Err(Errno::EACCES));
    let other = StandIn::new(|call, into| reply(call, into, b"s", |writer| writer.text(b"units")));
    assert_eq!(ask(&other), Err(Errno::EBADMSG));
}
