//! Answers held in memory: a host without a kernel.
//!
//! The `kernel/` entries of a `.tree` file are its text form; `fixtures/README.md` describes it.

mod answers;
mod btrfs;
mod line;
mod network;
mod parse;
mod qdiscs;
mod wifi;
mod write;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use self::answers::Answers;
pub use self::answers::StatFsAnswer;
use self::btrfs::OwnedBtrfs;
pub use self::line::CannedError;
use super::btrfs::BtrfsDevice;
use super::{
    Address, AlternativeName, Kernel, KernelError, Link, LinkModes, Neighbour, Qdisc, Question, StatFs, Uname,
    WifiInterface, WifiNetwork, WifiStation, Zone,
};
use crate::host::errno::Errno;

/// Maximum time that a question hangs.
pub const HANG_CAP: Duration = Duration::from_secs(60);

const BTRFS: &str = "kernel/btrfs";
const CLOCK: &str = "kernel/clock";
const UNAME: &str = "kernel/uname";
const SYSTEM: &str = "kernel/system";
const STATFS: &str = "kernel/statfs";
const LINKS: &str = "kernel/links";
const ADDRESSES: &str = "kernel/addresses";
const ALTERNATIVE_NAMES: &str = "kernel/alternative_names";
const NEIGHBOURS: &str = "kernel/neighbours";
const LINK_MODES: &str = "kernel/link_modes";
const QDISCS: &str = "kernel/qdiscs";
const WIFI_INTERFACES: &str = "kernel/wifi_interfaces";
const WIFI_NETWORKS: &str = "kernel/wifi_networks";
const WIFI_STATIONS: &str = "kernel/wifi_stations";

/// A kernel with stated answers. Its clocks move only by [`Canned::advance`].
#[derive(Default, Debug)]
pub struct Canned {
    answers: Answers,
    rootfs: Vec<u8>,
    elapsed_nanoseconds: AtomicU64,
    released: Mutex<bool>,
    release: Condvar,
}

impl Canned {
    /// The entries that a host may have, sorted.
    pub const ENTRIES: [&str; 14] = [
        ADDRESSES,
        ALTERNATIVE_NAMES,
        BTRFS,
        CLOCK,
        LINK_MODES,
        LINKS,
        NEIGHBOURS,
        QDISCS,
        STATFS,
        SYSTEM,
        UNAME,
        WIFI_INTERFACES,
        WIFI_NETWORKS,
        WIFI_STATIONS,
    ];

    /// Reads the entries, which `entries` gives by name: `kernel/clock`, ….
    pub fn parse<'a>(entries: impl FnMut(&str) -> Option<&'a [u8]>) -> Result<Self, CannedError> {
        Ok(Self { answers: parse::parse(entries)?, ..Self::default() })
    }

    /// The entries that [`Canned::parse`] reads back to these answers, sorted by name, with the present time.
    pub fn entries(&self) -> Vec<(&'static str, Vec<u8>)> {
        write::entries(&Answers { start: self.present(), ..self.answers.clone() })
    }

    /// Sets the wall clock, in seconds since 1970.
    #[must_use]
    pub fn at(self, unix_seconds: impl Into<f64>) -> Self {
        self.with_now(Duration::try_from_secs_f64(unix_seconds.into()).unwrap_or_default())
    }

    /// Sets the wall clock.
    #[must_use]
    pub fn with_now(mut self, now: Duration) -> Self {
        self.answers.start = now;
        self
    }

    /// Sets the time zone.
    #[must_use]
    pub fn with_zone(mut self, name: &str, offset_seconds: i32) -> Self {
        self.answers.zone = Some(Zone { name: name.into(), offset_seconds });
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
        self.answers.ticks_per_second = Some(ticks_per_second);
        self.answers.page_size_bytes = Some(page_size_bytes);
        self
    }

    /// Sets [`Question::Rootfs`]; what `statfs` answers is by mount points without it.
    #[must_use]
    pub fn with_rootfs(mut self, rootfs: impl AsRef<[u8]>) -> Self {
        self.rootfs = rootfs.as_ref().to_vec();
        self
    }

    /// Adds numbers for a mount point.
    #[must_use]
    pub fn with_statfs(self, mount_point: impl AsRef<[u8]>, numbers: StatFs) -> Self {
        self.with_statfs_answer(mount_point, StatFsAnswer::Numbers(numbers))
    }

    /// Adds the outcome of `statfs` for a mount point. It hangs for at most [`HANG_CAP`].
    #[must_use]
    pub fn with_statfs_answer(mut self, mount_point: impl AsRef<[u8]>, answer: StatFsAnswer) -> Self {
        let answer = match answer {
            StatFsAnswer::Hang(time) => StatFsAnswer::Hang(time.min(HANG_CAP)),
            other => other,
        };
        self.answers.statfs.get_or_insert_default().insert(mount_point.as_ref().to_vec(), answer);
        self
    }

    /// Adds one device of the btrfs at a mount point, or a refusal.
    #[must_use]
    pub fn with_btrfs(mut self, mount_point: impl AsRef<[u8]>, answer: Result<BtrfsDevice<'_>, Errno>) -> Self {
        self.answers.btrfs.get_or_insert_default().push(OwnedBtrfs::new(mount_point.as_ref(), answer));
        self
    }

    /// Asks `kernel` what `question` asks and adds its answers. An empty list is an answer as well.
    pub fn learn(&mut self, kernel: &dyn Kernel, question: &Question<'_>) -> Result<(), KernelError> {
        let known = &mut self.answers;
        match *question {
            Question::Now(_) => known.start = kernel.now(),
            Question::TicksPerSecond(_) => known.ticks_per_second = Some(kernel.ticks_per_second()),
            Question::PageSizeBytes(_) => known.page_size_bytes = Some(kernel.page_size_bytes()),
            Question::Monotonic(_) | Question::Rootfs(_) => {}
            Question::Zone(now, _) => kernel.zone(now, known.zone.get_or_insert_default())?,
            Question::Uname(_) => kernel.uname(known.uname.get_or_insert_default())?,
            Question::StatFs(mount_point, _) => {
                let numbers = StatFsAnswer::Numbers(kernel.statfs(mount_point)?);
                known.statfs.get_or_insert_default().insert(mount_point.to_vec(), numbers);
            }
            Question::Btrfs(mount_point, _) => {
                let devices = known.btrfs.get_or_insert_default();
                kernel.btrfs(mount_point, &mut |device| devices.push(OwnedBtrfs::new(mount_point, Ok(*device))))?;
            }
            Question::Links(_) => {
                let links = known.links.get_or_insert_default();
                kernel.links(&mut |link| links.push(link.into()))?;
            }
            Question::AlternativeNames(_) => {
                let names = known.alternative_names.get_or_insert_default();
                kernel.alternative_names(&mut |found| names.push((found.device.to_vec(), found.name.to_vec())))?;
            }
            Question::Addresses(_) => {
                let addresses = known.addresses.get_or_insert_default();
                kernel.addresses(&mut |address| addresses.push(address.into()))?;
            }
            Question::Neighbours(_) => {
                let neighbours = known.neighbours.get_or_insert_default();
                kernel.neighbours(&mut |neighbour| neighbours.push(neighbour.into()))?;
            }
            Question::LinkModes(device, _) => {
                let modes = kernel.link_modes(device)?;
                known.link_modes.get_or_insert_default().insert(device.to_vec(), modes);
            }
            Question::Qdiscs(_) => {
                let qdiscs = known.qdiscs.get_or_insert_default();
                kernel.qdiscs(&mut |qdisc| qdiscs.push(qdisc.into()))?;
            }
            Question::WifiInterfaces(_) => {
                let interfaces = known.wifi_interfaces.get_or_insert_default();
                kernel.wifi_interfaces(&mut |interface| interfaces.push(interface.into()))?;
            }
            Question::WifiNetwork(interface, _) => {
                let networks = known.wifi_networks.get_or_insert_default();
                kernel.wifi_network(interface, &mut |network| {
                    networks.insert(interface.name.to_vec(), Ok(network.into()));
                })?;
            }
            Question::WifiStations(interface, _) => {
                let stations = known.wifi_stations.get_or_insert_default();
                kernel.wifi_stations(interface, &mut |station| {
                    stations.push((interface.name.to_vec(), Ok(station.into())));
                })?;
            }
        }
        Ok(())
    }

    /// Adds that a question is refused, by its [`Question::place`]. Questions without a subject, and those whose
    /// missing answer is a refusal, have no form for it.
    pub fn refuse(&mut self, entry: &str, subject: &[u8], refusal: StatFsAnswer) {
        let known = &mut self.answers;
        match (entry, refusal) {
            ("statfs", refusal) => {
                known.statfs.get_or_insert_default().insert(subject.to_vec(), refusal);
            }
            ("btrfs", StatFsAnswer::Error(errno)) => {
                known.btrfs.get_or_insert_default().push(OwnedBtrfs::new(subject, Err(errno)));
            }
            ("wifi_networks", StatFsAnswer::Error(errno)) => {
                known.wifi_networks.get_or_insert_default().insert(subject.to_vec(), Err(errno));
            }
            ("wifi_stations", StatFsAnswer::Error(errno)) => {
                known.wifi_stations.get_or_insert_default().push((subject.to_vec(), Err(errno)));
            }
            _ => {}
        }
    }

    /// Adds the answers of another host, except for its clock.
    pub fn absorb(&mut self, other: &Self) {
        self.answers.absorb(&other.answers);
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

impl Kernel for Canned {
    fn ask(&self, question: Question<'_>) -> Result<(), KernelError> {
        match question {
            Question::Now(into) => *into = self.present(),
            Question::Monotonic(into) => *into = self.elapsed(),
            Question::TicksPerSecond(into) => *into = known(self.answers.ticks_per_second)?,
            Question::PageSizeBytes(into) => *into = known(self.answers.page_size_bytes)?,
            Question::Zone(_, into) => self.zone(into)?,
            Question::Uname(into) => self.uname(into)?,
            Question::Rootfs(visit) => visit(&self.rootfs),
            Question::StatFs(mount_point, into) => *into = self.statfs(mount_point)?,
            Question::Btrfs(mount_point, visit) => self.btrfs(mount_point, visit)?,
            Question::Links(visit) => self.links(visit)?,
            Question::AlternativeNames(visit) => self.alternative_names(visit)?,
            Question::Addresses(visit) => self.addresses(visit)?,
            Question::Neighbours(visit) => self.neighbours(visit)?,
            Question::LinkModes(device, into) => *into = self.link_modes(device)?,
            Question::Qdiscs(visit) => self.qdiscs(visit)?,
            Question::WifiInterfaces(visit) => self.wifi_interfaces(visit)?,
            Question::WifiNetwork(interface, visit) => self.wifi_network(interface, visit)?,
            Question::WifiStations(interface, visit) => self.wifi_stations(interface, visit)?,
        }
        Ok(())
    }
}

impl Canned {
    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed_nanoseconds.load(Ordering::Relaxed))
    }

    fn present(&self) -> Duration {
        self.answers.start.saturating_add(self.elapsed())
    }

    fn zone(&self, into: &mut Zone) -> Result<(), KernelError> {
        let known = known(self.answers.zone.as_ref())?;
        into.name.clone_from(&known.name);
        into.offset_seconds = known.offset_seconds;
        Ok(())
    }

    fn uname(&self, into: &mut Uname) -> Result<(), KernelError> {
        // Field by field: a derived `clone_from` of the whole would allocate.
        let known = known(self.answers.uname.as_ref())?;
        into.sysname.clone_from(&known.sysname);
        into.release.clone_from(&known.release);
        into.version.clone_from(&known.version);
        into.machine.clone_from(&known.machine);
        into.nodename.clone_from(&known.nodename);
        into.domainname.clone_from(&known.domainname);
        Ok(())
    }

    /// A mount point without an answer, on a host that has any, is `ENOENT`.
    fn statfs(&self, mount_point: &[u8]) -> Result<StatFs, KernelError> {
        match known(self.answers.statfs.as_ref())?.get(mount_point).copied() {
            Some(StatFsAnswer::Numbers(numbers)) => Ok(numbers),
            Some(StatFsAnswer::Error(errno)) => Err(errno.into()),
            Some(StatFsAnswer::Hang(time)) => {
                self.hang(time);
                Err(Errno::ETIMEDOUT.into())
            }
            None => Err(Errno::ENOENT.into()),
        }
    }

    /// A mount point without an answer, on a host that has any, is no btrfs.
    fn btrfs(&self, mount_point: &[u8], visit: &mut dyn FnMut(&BtrfsDevice<'_>)) -> Result<(), KernelError> {
        let mut is_known = false;
        for known in known(self.answers.btrfs.as_ref())?.iter().filter(|known| known.mount_point == mount_point) {
            visit(&known.borrow()?);
            is_known = true;
        }
        if is_known { Ok(()) } else { Err(Errno::ENOTTY.into()) }
    }

    fn links(&self, visit: &mut dyn FnMut(&Link<'_>)) -> Result<(), KernelError> {
        known(self.answers.links.as_ref())?.iter().for_each(|link| visit(&link.borrow()));
        Ok(())
    }

    fn alternative_names(&self, visit: &mut dyn FnMut(&AlternativeName<'_>)) -> Result<(), KernelError> {
        let all = known(self.answers.alternative_names.as_ref())?;
        for (device, name) in all {
            visit(&AlternativeName { device, name });
        }
        Ok(())
    }

    fn addresses(&self, visit: &mut dyn FnMut(&Address<'_>)) -> Result<(), KernelError> {
        known(self.answers.addresses.as_ref())?.iter().for_each(|address| visit(&address.borrow()));
        Ok(())
    }

    fn neighbours(&self, visit: &mut dyn FnMut(&Neighbour<'_>)) -> Result<(), KernelError> {
        known(self.answers.neighbours.as_ref())?.iter().for_each(|neighbour| visit(&neighbour.borrow()));
        Ok(())
    }

    /// A device without an answer, on a host that has any, is `EOPNOTSUPP`, as `lo` is.
    fn link_modes(&self, device: &[u8]) -> Result<LinkModes, KernelError> {
        Ok(*known(self.answers.link_modes.as_ref())?.get(device).ok_or(Errno::EOPNOTSUPP)?)
    }

    fn qdiscs(&self, visit: &mut dyn FnMut(&Qdisc<'_>)) -> Result<(), KernelError> {
        known(self.answers.qdiscs.as_ref())?.iter().for_each(|qdisc| visit(&qdisc.borrow()));
        Ok(())
    }

    fn wifi_interfaces(&self, visit: &mut dyn FnMut(&WifiInterface<'_>)) -> Result<(), KernelError> {
        known(self.answers.wifi_interfaces.as_ref())?.iter().for_each(|interface| visit(&interface.borrow()));
        Ok(())
    }

    fn wifi_network(
        &self,
        interface: &WifiInterface<'_>,
        visit: &mut dyn FnMut(&WifiNetwork<'_>),
    ) -> Result<(), KernelError> {
        Ok(wifi::visit_network(known(self.answers.wifi_networks.as_ref())?, interface.name, visit)?)
    }

    fn wifi_stations(
        &self,
        interface: &WifiInterface<'_>,
        visit: &mut dyn FnMut(&WifiStation<'_>),
    ) -> Result<(), KernelError> {
        Ok(wifi::visit_stations(known(self.answers.wifi_stations.as_ref())?, interface.name, visit)?)
    }
}

fn known<T>(answer: Option<T>) -> Result<T, KernelError> {
    answer.ok_or(KernelError::Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::kernel::clock;
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
            .with_statfs_answer("/stale", StatFsAnswer::Error(Errno::ESTALE))
            .with_statfs_answer("/dead", StatFsAnswer::Hang(wait));
        assert_eq!(kernel.statfs(b"/"), Ok(numbers));
        assert_eq!(kernel.statfs(b"/stale"), Err(Errno::ESTALE.into()));
        assert_eq!(kernel.statfs(b"/other"), Err(Errno::ENOENT.into()));
        let before = clock::monotonic();
        assert_eq!(kernel.statfs(b"/dead"), Err(Errno::ETIMEDOUT.into()));
        assert!(clock::monotonic().saturating_sub(before) >= wait);
    }

    #[test]
    fn release_ends_the_hanging() {
        let forever = StatFsAnswer::Hang(Duration::MAX);
        let kernel = Arc::new(Canned::default().with_statfs_answer("/dead", forever));
        let stuck = std::thread::spawn({
            let kernel = Arc::clone(&kernel);
            move || kernel.statfs(b"/dead")
        });
        std::thread::sleep(Duration::from_millis(5));
        assert!(!stuck.is_finished());
        let before = clock::monotonic();
        kernel.release();
        assert_eq!(stuck.join().unwrap(), Err(Errno::ETIMEDOUT.into()));
        assert_eq!(kernel.statfs(b"/dead"), Err(Errno::ETIMEDOUT.into()));
        assert!(clock::monotonic().saturating_sub(before) < HANG_CAP / 2);
    }

    #[test]
    fn link_modes_are_those_of_the_device() {
        let modes = LinkModes { speed_megabits: Some(1000), duplex: 1 };
        let kernel = Canned::default().with_link_modes("eth0", modes);
        assert_eq!(kernel.link_modes(b"eth0"), Ok(modes));
        assert_eq!(kernel.link_modes(b"lo"), Err(Errno::EOPNOTSUPP.into()));
    }
}
