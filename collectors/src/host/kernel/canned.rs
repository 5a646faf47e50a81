//! Answers held in memory: a host without a kernel.
//!
//! The `kernel/` entries of a `.tree` file are its text form; `fixtures/README.md` describes it.
//!
//! # A new question
//!
//! 1. Its arm in [`Question`], with entry and subject in [`Question::place`], and its method of `dyn Kernel`.
//! 2. In `answers.rs`: a row table of its answer, and a line of `entries!`. The type of that line is `Vec<Kept…>` for
//!    a list, `Vec<About<Kept…>>` for a list about a subject (a mount point or a device), and
//!    `BTreeMap<Vec<u8>, Outcome<Kept…>>` for one answer about a subject. The last two read and write `error=` and
//!    `hang=` as well.
//! 3. Here: an arm in [`Canned::learn`] and one in `ask`, which the compiler asks for; in [`Canned::refuse`] if it has
//!    a subject; and a line of `adders!` if a test adds answers one by one.
//! 4. Its line in `fixtures/README.md`, its exchange in `kernel/linux.rs`, and its answer in the simulator.
//!
//! The property test of `answers/tests.rs` takes a strategy for the new field of `Answers`.

mod answers;
mod line;
mod rows;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use self::answers::Answers;
pub use self::line::CannedError;
pub use self::rows::Refusal;
use self::rows::{About, Lend, Outcome};
use super::btrfs::BtrfsDevice;
use super::systemd::{SystemdManager, Unit, UnitQuery};
use super::{
    Address, AlternativeName, Kernel, KernelError, Link, LinkModes, Neighbour, Qdisc, Question, StatFs, Uname,
    WifiInterface, WifiNetwork, WifiStation, Zone,
};
use crate::host::errno::Errno;

/// Maximum time that a question hangs.
pub const HANG_CAP: Duration = Duration::from_secs(60);

/// A kernel with stated answers. Its clocks move only by [`Canned::advance`].
#[derive(Default, Debug)]
pub struct Canned {
    answers: Answers,
    rootfs: Vec<u8>,
    elapsed_nanoseconds: AtomicU64,
    released: Mutex<bool>,
    release: Condvar,
}

macro_rules! adders {
    ($(#[doc = $doc:literal] $name:ident($lent:ident) => $field:ident;)*) => {
        impl Canned {
            $(#[doc = $doc]
            #[must_use]
            pub fn $name(mut self, added: &$lent<'_>) -> Self {
                self.answers.$field.get_or_insert_default().push(Lend::keep(added));
                self
            })*
        }
    };
}

adders! {
    /// Adds a network device.
    with_link(Link) => links;
    /// Adds an alternative name of a device.
    with_alternative_name(AlternativeName) => alternative_names;
    /// Adds an address of a device.
    with_address(Address) => addresses;
    /// Adds a neighbour.
    with_neighbour(Neighbour) => neighbours;
    /// Adds a queueing discipline.
    with_qdisc(Qdisc) => qdiscs;
    /// Adds a wireless interface.
    with_wifi_interface(WifiInterface) => wifi_interfaces;
    /// Adds a unit of systemd.
    with_unit(Unit) => units;
}

impl Canned {
    /// The entries that a host may have, sorted.
    pub const ENTRIES: &[&str] = Answers::ENTRIES;

    /// Reads the entries, which `entries` gives by name: `kernel/clock`, ….
    pub fn parse<'a>(entries: impl FnMut(&str) -> Option<&'a [u8]>) -> Result<Self, CannedError> {
        Ok(Self { answers: Answers::read(entries)?, ..Self::default() })
    }

    /// The entries that [`Canned::parse`] reads back to these answers, sorted by name, with the present time.
    pub fn entries(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut answers = self.answers.clone();
        answers.clock.get_or_insert_default().unix_seconds = self.present();
        answers.write()
    }

    /// Sets the wall clock, in seconds since 1970.
    #[must_use]
    pub fn at(self, unix_seconds: impl Into<f64>) -> Self {
        self.with_now(Duration::try_from_secs_f64(unix_seconds.into()).unwrap_or_default())
    }

    /// Sets the wall clock.
    #[must_use]
    pub fn with_now(mut self, now: Duration) -> Self {
        self.answers.clock.get_or_insert_default().unix_seconds = now;
        self
    }

    /// Sets the time zone.
    #[must_use]
    pub fn with_zone(mut self, name: &str, offset_seconds: i32) -> Self {
        self.answers.clock.get_or_insert_default().zone = Some(Zone { name: name.into(), offset_seconds });
        self
    }

    /// Sets the answer of `uname`.
    #[must_use]
    pub fn with_uname(mut self, uname: Uname) -> Self {
        self.answers.uname = Some(uname);
        self
    }

    /// Sets what [`Question::TicksPerSecond`] and [`Question::PageSizeBytes`] answer.
    #[must_use]
    pub fn with_system(mut self, ticks_per_second: u64, page_size_bytes: u64) -> Self {
        let system = self.answers.system.get_or_insert_default();
        system.ticks_per_second = Some(ticks_per_second);
        system.page_size_bytes = Some(page_size_bytes);
        self
    }

    /// Sets [`Question::Rootfs`]; what `statfs` answers is by mount points without it.
    #[must_use]
    pub fn with_rootfs(mut self, rootfs: impl AsRef<[u8]>) -> Self {
        self.rootfs = rootfs.as_ref().to_vec();
        self
    }

    /// Sets the numbers of a mount point.
    #[must_use]
    pub fn with_statfs(mut self, mount_point: impl AsRef<[u8]>, numbers: StatFs) -> Self {
        set(&mut self.answers.statfs, mount_point.as_ref(), Ok(Lend::keep(&numbers)));
        self
    }

    /// Sets that `statfs` of a mount point fails, or hangs for at most [`HANG_CAP`].
    #[must_use]
    pub fn with_refused_statfs(mut self, mount_point: impl AsRef<[u8]>, refusal: Refusal) -> Self {
        self.refuse("statfs", mount_point.as_ref(), refusal);
        self
    }

    /// Adds one device of the btrfs at a mount point, or an error.
    #[must_use]
    pub fn with_btrfs(mut self, mount_point: impl AsRef<[u8]>, answer: Result<BtrfsDevice<'_>, Errno>) -> Self {
        let outcome = answer.map(|device| Lend::keep(&device)).map_err(Refusal::Error);
        add(&mut self.answers.btrfs, mount_point.as_ref(), outcome);
        self
    }

    /// Sets speed and duplex of a device.
    #[must_use]
    pub fn with_link_modes(mut self, device: impl AsRef<[u8]>, modes: LinkModes) -> Self {
        set(&mut self.answers.link_modes, device.as_ref(), Ok(Lend::keep(&modes)));
        self
    }

    /// Sets the network that a wireless interface belongs to.
    #[must_use]
    pub fn with_wifi_network(mut self, device: impl AsRef<[u8]>, network: &WifiNetwork<'_>) -> Self {
        set(&mut self.answers.wifi_networks, device.as_ref(), Ok(Lend::keep(network)));
        self
    }

    /// Adds a station that a wireless interface exchanges frames with.
    #[must_use]
    pub fn with_wifi_station(mut self, device: impl AsRef<[u8]>, station: &WifiStation<'_>) -> Self {
        add(&mut self.answers.wifi_stations, device.as_ref(), Ok(Lend::keep(station)));
        self
    }

    /// Asks `kernel` what `question` asks and adds its answers. An empty list is an answer as well. An error adds
    /// nothing.
    pub fn learn(&mut self, kernel: &dyn Kernel, question: &Question<'_>) -> Result<(), KernelError> {
        let mut found = Answers::default();
        match *question {
            Question::Now(_) => found.clock.get_or_insert_default().unix_seconds = kernel.now(),
            Question::TicksPerSecond(_) => {
                found.system.get_or_insert_default().ticks_per_second = Some(kernel.ticks_per_second());
            }
            Question::PageSizeBytes(_) => {
                found.system.get_or_insert_default().page_size_bytes = Some(kernel.page_size_bytes());
            }
            Question::Monotonic(_) | Question::Rootfs(_) => {}
            Question::Zone(now, _) => {
                kernel.zone(now, found.clock.get_or_insert_default().zone.get_or_insert_default())?;
            }
            Question::Timex(_) => found.timex = Some(kernel.timex()?),
            Question::Uname(_) => kernel.uname(found.uname.get_or_insert_default())?,
            Question::StatFs(mount_point, _) => {
                set(&mut found.statfs, mount_point, Ok(Lend::keep(&kernel.statfs(mount_point)?)));
            }
            Question::Btrfs(mount_point, _) => {
                found.btrfs = Some(Vec::new());
                kernel.btrfs(mount_point, &mut |device| add(&mut found.btrfs, mount_point, Ok(Lend::keep(device))))?;
            }
            Question::Links(_) => {
                let links = found.links.get_or_insert_default();
                kernel.links(&mut |link| links.push(Lend::keep(link)))?;
            }
            Question::AlternativeNames(_) => {
                let names = found.alternative_names.get_or_insert_default();
                kernel.alternative_names(&mut |name| names.push(Lend::keep(name)))?;
            }
            Question::Addresses(_) => {
                let addresses = found.addresses.get_or_insert_default();
                kernel.addresses(&mut |address| addresses.push(Lend::keep(address)))?;
            }
            Question::Neighbours(_) => {
                let neighbours = found.neighbours.get_or_insert_default();
                kernel.neighbours(&mut |neighbour| neighbours.push(Lend::keep(neighbour)))?;
            }
            Question::LinkModes(device, _) => {
                set(&mut found.link_modes, device, Ok(Lend::keep(&kernel.link_modes(device)?)));
            }
            Question::Qdiscs(_) => {
                let qdiscs = found.qdiscs.get_or_insert_default();
                kernel.qdiscs(&mut |qdisc| qdiscs.push(Lend::keep(qdisc)))?;
            }
            Question::Driver(device, _) => {
                found.drivers = Some(BTreeMap::new());
                kernel.driver(device, &mut |driver| set(&mut found.drivers, device, Ok(Lend::keep(driver))))?;
            }
            Question::LinkSettings(device, _) => {
                set(&mut found.link_settings, device, Ok(Lend::keep(&kernel.link_settings(device)?)));
            }
            Question::DriverStatistics(device, _) => {
                found.driver_statistics = Some(Vec::new());
                kernel.driver_statistics(device, &mut |statistic| {
                    add(&mut found.driver_statistics, device, Ok(Lend::keep(statistic)));
                })?;
            }
            Question::Ntp(query, _) => {
                set(&mut found.ntp, query.server.as_bytes(), Ok(Lend::keep(&kernel.ntp(query)?)));
            }
            Question::Perf(query, _) => {
                found.perf = Some(Vec::new());
                let name = query.event.name;
                kernel.perf(query, &mut |count| add(&mut found.perf, name, Ok(Lend::keep(count))))?;
            }
            Question::Routes(_) => {
                let routes = found.routes.get_or_insert_default();
                kernel.routes(&mut |route| routes.push(Lend::keep(route)))?;
            }
            Question::WifiInterfaces(_) => {
                let interfaces = found.wifi_interfaces.get_or_insert_default();
                kernel.wifi_interfaces(&mut |interface| interfaces.push(Lend::keep(interface)))?;
            }
            Question::WifiNetwork(interface, _) => {
                found.wifi_networks = Some(BTreeMap::new());
                kernel.wifi_network(interface, &mut |network| {
                    set(&mut found.wifi_networks, interface.name, Ok(Lend::keep(network)));
                })?;
            }
            Question::SystemdManager(..) | Question::Units(..) | Question::Seats(_) | Question::Sessions(_) => {
                learn_of_systemd(&mut found, kernel, question)?;
            }
            Question::WifiStations(interface, _) => {
                found.wifi_stations = Some(Vec::new());
                kernel.wifi_stations(interface, &mut |station| {
                    add(&mut found.wifi_stations, interface.name, Ok(Lend::keep(station)));
                })?;
            }
        }
        self.answers.absorb(found);
        Ok(())
    }

    /// Adds that a question is refused, by its [`Question::place`]. Questions without a subject, and those whose
    /// missing answer is a refusal, have no form for it.
    pub fn refuse(&mut self, entry: &str, subject: &[u8], refusal: Refusal) {
        let (known, refusal) = (&mut self.answers, refusal.capped());
        match entry {
            "statfs" => set(&mut known.statfs, subject, Err(refusal)),
            "btrfs" => add(&mut known.btrfs, subject, Err(refusal)),
            "drivers" => set(&mut known.drivers, subject, Err(refusal)),
            "driver_statistics" => add(&mut known.driver_statistics, subject, Err(refusal)),
            "link_settings" => set(&mut known.link_settings, subject, Err(refusal)),
            "ntp" => set(&mut known.ntp, subject, Err(refusal)),
            "perf" => add(&mut known.perf, subject, Err(refusal)),
            "wifi_networks" => set(&mut known.wifi_networks, subject, Err(refusal)),
            "wifi_stations" => add(&mut known.wifi_stations, subject, Err(refusal)),
            _ => {}
        }
    }

    /// Adds the answers of another host, except for its clock.
    pub fn absorb(&mut self, other: &Self) {
        let now = self.answers.clock.as_ref().map(|clock| clock.unix_seconds);
        self.answers.absorb(other.answers.clone());
        if let Some(clock) = &mut self.answers.clock {
            clock.unix_seconds = now.unwrap_or_default();
        }
    }

    /// Moves both clocks.
    pub fn advance(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let add = |elapsed: u64| Some(elapsed.saturating_add(nanoseconds));
        let _ = self.elapsed_nanoseconds.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Ends all hanging: of present questions and of later ones.
    pub fn release(&self) {
        *self.released.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.release.notify_all();
    }

    fn hang(&self, time: Duration) {
        let released = self.released.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.release.wait_timeout_while(released, time, |released| !*released);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// The part of [`Canned::learn`] that asks systemd.
fn learn_of_systemd(found: &mut Answers, kernel: &dyn Kernel, question: &Question<'_>) -> Result<(), KernelError> {
    match *question {
        Question::SystemdManager(socket, _) => {
            kernel.systemd_manager(socket, found.systemd.get_or_insert_default())?;
        }
        Question::Units(query, _) => {
            let units = found.units.get_or_insert_default();
            kernel.units(&UnitQuery { socket: query.socket, ..UnitQuery::ALL }, &mut |unit| {
                units.push(Lend::keep(unit));
            })?;
        }
        Question::Seats(_) => {
            let seats = found.seats.get_or_insert_default();
            kernel.seats(&mut |seat| seats.push(Lend::keep(seat)))?;
        }
        Question::Sessions(_) => {
            let sessions = found.sessions.get_or_insert_default();
            kernel.sessions(&mut |session| sessions.push(Lend::keep(session)))?;
        }
        _ => {}
    }
    Ok(())
}

impl Kernel for Canned {
    fn ask(&self, question: Question<'_>) -> Result<(), KernelError> {
        let answers = &self.answers;
        match question {
            Question::Now(into) => *into = self.present(),
            Question::Monotonic(into) => *into = self.elapsed(),
            Question::TicksPerSecond(into) => *into = known(known(answers.system.as_ref())?.ticks_per_second)?,
            Question::PageSizeBytes(into) => *into = known(known(answers.system.as_ref())?.page_size_bytes)?,
            Question::Zone(_, into) => {
                let zone = known(known(answers.clock.as_ref())?.zone.as_ref())?;
                into.name.clone_from(&zone.name);
                into.offset_seconds = zone.offset_seconds;
            }
            Question::Timex(into) => *into = *known(answers.timex.as_ref())?,
            Question::Uname(into) => copy_uname(known(answers.uname.as_ref())?, into),
            Question::Rootfs(visit) => visit(&self.rootfs),
            // A mount point without an answer, on a host that has any, does not exist.
            Question::StatFs(mount_point, into) => {
                *into = self.of(answers.statfs.as_ref(), mount_point)?.ok_or(Errno::ENOENT)?.lend();
            }
            // A mount point without an answer, on a host that has any, is no btrfs.
            Question::Btrfs(mount_point, visit) => {
                if self.all_of(answers.btrfs.as_ref(), mount_point, |device| visit(&device.lend()))? == 0 {
                    return Err(Errno::ENOTTY.into());
                }
            }
            Question::Links(visit) => all(answers.links.as_ref(), |link| visit(&link.lend()))?,
            Question::AlternativeNames(visit) => all(answers.alternative_names.as_ref(), |name| visit(&name.lend()))?,
            Question::Addresses(visit) => all(answers.addresses.as_ref(), |address| visit(&address.lend()))?,
            Question::Neighbours(visit) => all(answers.neighbours.as_ref(), |neighbour| visit(&neighbour.lend()))?,
            // A device without an answer, on a host that has any, has no link modes, as `lo`.
            Question::LinkModes(device, into) => {
                *into = self.of(answers.link_modes.as_ref(), device)?.ok_or(Errno::EOPNOTSUPP)?.lend();
            }
            Question::Qdiscs(visit) => all(answers.qdiscs.as_ref(), |qdisc| visit(&qdisc.lend()))?,
            // A device without an answer, on a host that has any, has no driver that answers, as `lo`.
            Question::Driver(device, visit) => {
                visit(&self.of(answers.drivers.as_ref(), device)?.ok_or(Errno::EOPNOTSUPP)?.lend());
            }
            Question::LinkSettings(device, into) => {
                *into = self.of(answers.link_settings.as_ref(), device)?.ok_or(Errno::EOPNOTSUPP)?.lend();
            }
            Question::DriverStatistics(device, visit) => {
                let visit = |statistic: &answers::KeptDriverStatistic| visit(&statistic.lend());
                if self.all_of(answers.driver_statistics.as_ref(), device, visit)? == 0 {
                    return Err(Errno::EOPNOTSUPP.into());
                }
            }
            // A server without an answer, on a host that has any, does not run.
            Question::Ntp(query, into) => {
                let answer = self.of(answers.ntp.as_ref(), query.server.as_bytes())?;
                *into = answer.ok_or(Errno::ECONNREFUSED)?.lend();
            }
            // An event without an answer, on a host that has any, cannot be counted.
            Question::Perf(query, visit) => {
                let visit = |found: &answers::KeptPerfCount| {
                    let found = found.lend();
                    if query.cpus.binary_search(&found.cpu).is_ok() {
                        visit(&found);
                    }
                };
                if self.all_of(answers.perf.as_ref(), query.event.name, visit)? == 0 {
                    return Err(Errno::ENOENT.into());
                }
            }
            Question::Routes(visit) => all(answers.routes.as_ref(), |route| visit(&route.lend()))?,
            Question::WifiInterfaces(visit) => {
                all(answers.wifi_interfaces.as_ref(), |interface| visit(&interface.lend()))?;
            }
            Question::WifiNetwork(interface, visit) => {
                if let Some(network) = self.of(answers.wifi_networks.as_ref(), interface.name)? {
                    visit(&network.lend());
                }
            }
            Question::SystemdManager(_, into) => {
                let SystemdManager { version, virtualization, state } = known(answers.systemd.as_ref())?;
                into.version.clone_from(version);
                into.virtualization.clone_from(virtualization);
                into.state.clone_from(state);
            }
            // Every unit has the details that are known of it, whether they are asked for or not.
            Question::Units(_, visit) => all(answers.units.as_ref(), |unit| visit(&unit.lend()))?,
            Question::Seats(visit) => all(answers.seats.as_ref(), |seat| visit(&seat.lend()))?,
            Question::Sessions(visit) => all(answers.sessions.as_ref(), |session| visit(&session.lend()))?,
            Question::WifiStations(interface, visit) => {
                self.all_of(answers.wifi_stations.as_ref(), interface.name, |station| visit(&station.lend()))?;
            }
        }
        Ok(())
    }
}

impl Canned {
    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed_nanoseconds.load(Ordering::Relaxed))
    }

    fn present(&self) -> Duration {
        let start = self.answers.clock.as_ref().map(|clock| clock.unix_seconds);
        start.unwrap_or_default().saturating_add(self.elapsed())
    }

    /// The answer about a subject.
    fn of<'a, T>(
        &self,
        answers: Option<&'a BTreeMap<Vec<u8>, Outcome<T>>>,
        subject: &[u8],
    ) -> Result<Option<&'a T>, KernelError> {
        known(answers)?.get(subject).map(|outcome| self.settle(outcome)).transpose()
    }

    /// Visits the answers about a subject and returns their number.
    fn all_of<T>(
        &self,
        answers: Option<&Vec<About<T>>>,
        subject: &[u8],
        mut visit: impl FnMut(&T),
    ) -> Result<usize, KernelError> {
        let mut count = 0;
        for about in known(answers)?.iter().filter(|about| about.subject == subject) {
            visit(self.settle(&about.outcome)?);
            count += 1;
        }
        Ok(count)
    }

    fn settle<'a, T>(&self, outcome: &'a Outcome<T>) -> Result<&'a T, KernelError> {
        outcome.as_ref().map_err(|refusal| match *refusal {
            Refusal::Error(errno) => errno.into(),
            Refusal::Hang(time) => {
                self.hang(time);
                Errno::ETIMEDOUT.into()
            }
        })
    }
}

fn all<T>(answers: Option<&Vec<T>>, visit: impl FnMut(&T)) -> Result<(), KernelError> {
    known(answers)?.iter().for_each(visit);
    Ok(())
}

fn known<T>(answer: Option<T>) -> Result<T, KernelError> {
    answer.ok_or(KernelError::Unsupported)
}

fn set<T>(answers: &mut Option<BTreeMap<Vec<u8>, Outcome<T>>>, subject: &[u8], outcome: Outcome<T>) {
    answers.get_or_insert_default().insert(subject.to_vec(), outcome);
}

fn add<T>(answers: &mut Option<Vec<About<T>>>, subject: &[u8], outcome: Outcome<T>) {
    answers.get_or_insert_default().push(About { subject: subject.to_vec(), outcome });
}

/// Copies field by field, because a derived `clone_from` of the whole allocates.
fn copy_uname(from: &Uname, into: &mut Uname) {
    into.sysname.clone_from(&from.sysname);
    into.release.clone_from(&from.release);
    into.version.clone_from(&from.version);
    into.machine.clone_from(&from.machine);
    into.nodename.clone_from(&from.nodename);
    into.domainname.clone_from(&from.domainname);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::kernel::clock;
    use crate::host::kernel::systemd::SystemdSocket;
    use std::sync::Arc;

    #[test]
    fn without_answers_every_question_is_unsupported() {
        let canned = Canned::default();
        let kernel: &dyn Kernel = &canned;
        let unsupported = Err(KernelError::Unsupported);
        assert_eq!(kernel.zone(Duration::ZERO, &mut Zone::default()), unsupported);
        assert_eq!(kernel.uname(&mut Uname::default()), unsupported);
        assert_eq!(kernel.links(&mut |_| unreachable!()), unsupported);
        assert_eq!(kernel.alternative_names(&mut |_| unreachable!()), unsupported);
        assert_eq!(kernel.addresses(&mut |_| unreachable!()), unsupported);
        assert_eq!(kernel.neighbours(&mut |_| unreachable!()), unsupported);
        assert_eq!(kernel.qdiscs(&mut |_| unreachable!()), unsupported);
        let interface = WifiInterface::default();
        assert_eq!(kernel.wifi_interfaces(&mut |_| unreachable!()), unsupported);
        assert_eq!(kernel.wifi_network(&interface, &mut |_| unreachable!()), unsupported);
        assert_eq!(kernel.wifi_stations(&interface, &mut |_| unreachable!()), unsupported);
        assert_eq!(kernel.systemd_manager(SystemdSocket::Bus, &mut SystemdManager::default()), unsupported);
        assert_eq!(kernel.units(&UnitQuery::ALL, &mut |_| unreachable!()), unsupported);
        assert_eq!(kernel.statfs(b"/"), Err(KernelError::Unsupported));
        assert_eq!(kernel.link_modes(b"eth0"), Err(KernelError::Unsupported));
        assert_eq!((kernel.now(), kernel.monotonic()), (Duration::ZERO, Duration::ZERO));
        assert_eq!((kernel.ticks_per_second(), kernel.page_size_bytes()), (100, 4096));
    }

    #[test]
    fn clocks_move_when_they_are_told() {
        let canned = Canned::default().at(1_700_000_000.25);
        let kernel: &dyn Kernel = &canned;
        assert_eq!((kernel.now(), kernel.monotonic()), (Duration::new(1_700_000_000, 250_000_000), Duration::ZERO));
        canned.advance(Duration::from_millis(1_500));
        assert_eq!(kernel.now(), Duration::new(1_700_000_001, 750_000_000));
        assert_eq!(kernel.monotonic(), Duration::from_millis(1_500));
        canned.advance(Duration::MAX);
        assert_eq!(kernel.monotonic(), Duration::from_nanos(u64::MAX));
        assert_eq!(Canned::default().at(7).present(), Duration::from_secs(7));
    }

    #[test]
    fn answers_replace_what_the_memory_held() {
        let uname = Uname { sysname: b"Linux".to_vec(), ..Uname::default() };
        let canned = Canned::default().with_uname(uname.clone()).with_zone("CET", 3600);
        let kernel: &dyn Kernel = &canned;
        let mut into = Uname { domainname: b"old".to_vec(), ..Uname::default() };
        kernel.uname(&mut into).unwrap();
        assert_eq!(into, uname);
        let mut zone = Zone { name: b"a longer name".to_vec(), offset_seconds: 1 };
        kernel.zone(Duration::ZERO, &mut zone).unwrap();
        assert_eq!(zone, Zone { name: b"CET".to_vec(), offset_seconds: 3600 });
    }

    #[test]
    fn statfs_answers_refuses_and_hangs() {
        let numbers = StatFs { block_size: 4096, blocks: 10, ..StatFs::default() };
        let wait = Duration::from_millis(20);
        let kernel = Canned::default()
            .with_statfs("/", numbers)
            .with_refused_statfs("/stale", Refusal::Error(Errno::ESTALE))
            .with_refused_statfs("/dead", Refusal::Hang(wait));
        let kernel: &dyn Kernel = &kernel;
        assert_eq!(kernel.statfs(b"/"), Ok(numbers));
        assert_eq!(kernel.statfs(b"/stale"), Err(Errno::ESTALE.into()));
        assert_eq!(kernel.statfs(b"/other"), Err(Errno::ENOENT.into()));
        let before = clock::monotonic();
        assert_eq!(kernel.statfs(b"/dead"), Err(Errno::ETIMEDOUT.into()));
        assert!(clock::monotonic().saturating_sub(before) >= wait);
    }

    #[test]
    fn release_ends_the_hanging() {
        let forever = Refusal::Hang(Duration::MAX);
        let kernel = Arc::new(Canned::default().with_refused_statfs("/dead", forever));
        let stuck = std::thread::spawn({
            let kernel = Arc::clone(&kernel);
            move || (&*kernel as &dyn Kernel).statfs(b"/dead")
        });
        std::thread::sleep(Duration::from_millis(5));
        assert!(!stuck.is_finished());
        let before = clock::monotonic();
        kernel.release();
        assert_eq!(stuck.join().unwrap(), Err(Errno::ETIMEDOUT.into()));
        let kernel: &dyn Kernel = &*kernel;
        assert_eq!(kernel.statfs(b"/dead"), Err(Errno::ETIMEDOUT.into()));
        assert!(clock::monotonic().saturating_sub(before) < HANG_CAP / 2);
    }

    #[test]
    fn link_modes_are_those_of_the_device() {
        let modes = LinkModes { speed_megabits: Some(1000), duplex: 1 };
        let kernel = Canned::default().with_link_modes("eth0", modes);
        let kernel: &dyn Kernel = &kernel;
        assert_eq!(kernel.link_modes(b"eth0"), Ok(modes));
        assert_eq!(kernel.link_modes(b"lo"), Err(Errno::EOPNOTSUPP.into()));
    }

    #[test]
    fn an_error_adds_no_answer() {
        let refused = Errno::EIO;
        let device = BtrfsDevice { path: b"/dev/a", ..BtrfsDevice::default() };
        let live = Canned::default().with_btrfs("/a", Ok(device)).with_btrfs("/a", Err(refused));
        let mut learned = Canned::default();
        assert_eq!(learned.learn(&live, &Question::Btrfs(b"/a", &mut |_| ())), Err(refused.into()));
        assert_eq!(learned.learn(&live, &Question::Links(&mut |_| ())), Err(KernelError::Unsupported));
        assert_eq!(learned.answers, Answers::default());
    }

    #[test]
    fn a_refusal_is_kept_for_each_subject() {
        let mut kernel = Canned::default();
        for entry in ["statfs", "btrfs", "wifi_networks", "wifi_stations"] {
            kernel.refuse(entry, b"/a", Refusal::Hang(HANG_CAP * 2));
        }
        kernel.refuse("links", b"", Refusal::Error(Errno::EIO));
        let hangs = b"/a hang=60\n".to_vec();
        let written: BTreeMap<_, _> = kernel.entries().into_iter().collect();
        for entry in ["kernel/statfs", "kernel/btrfs", "kernel/wifi_networks", "kernel/wifi_stations"] {
            assert_eq!(written.get(entry), Some(&hangs), "{entry}");
        }
        assert_eq!(written.len(), 5, "{written:?}");
        kernel.release();
        let kernel: &dyn Kernel = &kernel;
        assert_eq!(kernel.btrfs(b"/a", &mut |_| unreachable!()), Err(Errno::ETIMEDOUT.into()));
    }
}
