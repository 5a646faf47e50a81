//! The questions that a host answers, and the one method that answers them.

use std::fmt;
use std::time::Duration;

use super::btrfs::BtrfsDevice;
use super::systemd::{LoginSession, Seat, SystemdManager, SystemdSocket, Unit, UnitQuery};
use super::{
    Address, AlternativeName, Driver, DriverStatistic, KernelError, Link, LinkModes, LinkSettings, Neighbour,
    NtpAnswer, NtpQuery, PerfCount, PerfQuery, Qdisc, Route, StatFs, Timex, Uname, WifiInterface, WifiNetwork,
    WifiStation, Zone,
};

/// A question with the destination of its answer: a variable for a single value, a visitor for a list.
///
/// The destination is typed, so an answer of another type does not compile:
///
/// ```compile_fail,E0308
/// use collectors::host::kernel::Question;
///
/// fn answer(question: Question<'_>) {
///     if let Question::PageSizeBytes(into) = question {
///         *into = "4096";
///     }
/// }
/// ```
pub enum Question<'q> {
    /// Time since 1970.
    Now(&'q mut Duration),
    /// A monotonic clock with an arbitrary start.
    Monotonic(&'q mut Duration),
    /// `USER_HZ`, the unit of times in `/proc/stat`.
    TicksPerSecond(&'q mut u64),
    /// Size of a memory page in bytes.
    PageSizeBytes(&'q mut u64),
    /// The time zone in force at a time since 1970.
    Zone(Duration, &'q mut Zone),
    /// The clock's discipline, `adjtimex(2)` without changes.
    Timex(&'q mut Timex),
    /// `uname(2)`.
    Uname(&'q mut Uname),
    /// The directory that mount points are below, without its final slash; empty for `/`.
    Rootfs(&'q mut dyn FnMut(&[u8])),
    /// `statfs(2)` of a mount point below `--path.rootfs`. May block while a file server is unreachable.
    StatFs(&'q [u8], &'q mut StatFs),
    /// Devices of the btrfs mounted at a mount point below `--path.rootfs`. After an error the list is incomplete.
    Btrfs(&'q [u8], &'q mut dyn FnMut(&BtrfsDevice<'_>)),
    /// Network devices. The visitor may ask further questions.
    Links(&'q mut dyn FnMut(&Link<'_>)),
    /// Alternative names of network devices, since kernel 5.5.
    AlternativeNames(&'q mut dyn FnMut(&AlternativeName<'_>)),
    /// Addresses of network devices.
    Addresses(&'q mut dyn FnMut(&Address<'_>)),
    /// IPv4 neighbours.
    Neighbours(&'q mut dyn FnMut(&Neighbour<'_>)),
    /// Speed and duplex of a network device.
    LinkModes(&'q [u8], &'q mut LinkModes),
    /// The driver of a network device.
    Driver(&'q [u8], &'q mut dyn FnMut(&Driver<'_>)),
    /// Supported and advertised settings of a network device's link.
    LinkSettings(&'q [u8], &'q mut LinkSettings),
    /// Counters of a network device's driver, in the driver's order.
    DriverStatistics(&'q [u8], &'q mut dyn FnMut(&DriverStatistic<'_>)),
    /// The time of an NTP server. Waits for a second at most.
    Ntp(&'q NtpQuery<'q>, &'q mut NtpAnswer),
    /// Counts of an event. Its counters are opened by the first question and stay open.
    Perf(&'q PerfQuery<'q>, &'q mut dyn FnMut(&PerfCount)),
    /// Queueing disciplines of network devices.
    Qdiscs(&'q mut dyn FnMut(&Qdisc<'_>)),
    /// Unicast routes of every table and family, once for each next hop.
    Routes(&'q mut dyn FnMut(&Route<'_>)),
    /// Wireless interfaces. The visitor may ask further questions.
    WifiInterfaces(&'q mut dyn FnMut(&WifiInterface<'_>)),
    /// The network that an interface belongs to, if any.
    WifiNetwork(&'q WifiInterface<'q>, &'q mut dyn FnMut(&WifiNetwork<'_>)),
    /// Stations that an interface exchanges frames with.
    WifiStations(&'q WifiInterface<'q>, &'q mut dyn FnMut(&WifiStation<'_>)),
    /// systemd's manager. May block until its deadline.
    SystemdManager(SystemdSocket, &'q mut SystemdManager),
    /// Units of systemd. May block until its deadline.
    Units(&'q UnitQuery<'q>, &'q mut dyn FnMut(&Unit<'_>)),
    /// Seats of the login manager. May block until its deadline.
    Seats(&'q mut dyn FnMut(&Seat<'_>)),
    /// Sessions of the login manager. May block until its deadline.
    Sessions(&'q mut dyn FnMut(&LoginSession<'_>)),
}

impl Question<'_> {
    /// The name of the question's entry below `kernel/` in a `.tree` file, and the subject of the question (a mount
    /// point or a device; empty where it has none). `None` for clocks, constants and the root directory, which no
    /// fault can change.
    pub fn place(&self) -> Option<(&'static str, &[u8])> {
        Some(match self {
            Self::Now(_) | Self::Monotonic(_) | Self::TicksPerSecond(_) | Self::PageSizeBytes(_) | Self::Rootfs(_) => {
                return None;
            }
            Self::Zone(..) => ("clock", b""),
            Self::Timex(_) => ("timex", b""),
            Self::Uname(_) => ("uname", b""),
            Self::StatFs(mount_point, _) => ("statfs", mount_point),
            Self::Btrfs(mount_point, _) => ("btrfs", mount_point),
            Self::Links(_) => ("links", b""),
            Self::AlternativeNames(_) => ("alternative_names", b""),
            Self::Addresses(_) => ("addresses", b""),
            Self::Neighbours(_) => ("neighbours", b""),
            Self::LinkModes(device, _) => ("link_modes", device),
            Self::Driver(device, _) => ("drivers", device),
            Self::LinkSettings(device, _) => ("link_settings", device),
            Self::DriverStatistics(device, _) => ("driver_statistics", device),
            Self::Ntp(query, _) => ("ntp", query.server.as_bytes()),
            Self::Perf(query, _) => ("perf", query.event.name),
            Self::Qdiscs(_) => ("qdiscs", b""),
            Self::Routes(_) => ("routes", b""),
            Self::WifiInterfaces(_) => ("wifi_interfaces", b""),
            Self::WifiNetwork(interface, _) => ("wifi_networks", interface.name),
            Self::WifiStations(interface, _) => ("wifi_stations", interface.name),
            Self::SystemdManager(..) => ("systemd", b""),
            Self::Units(..) => ("units", b""),
            Self::Seats(_) => ("seats", b""),
            Self::Sessions(_) => ("sessions", b""),
        })
    }
}

impl fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (entry, subject) = self.place().unwrap_or(("host", b""));
        write!(f, "{entry} {}", subject.escape_ascii())
    }
}

/// Answers questions of collectors to a host, besides files.
///
/// A decorator of another kernel forwards the question, and thus covers every question:
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use collectors::host::kernel::{Kernel, KernelError, Question, canned::Canned};
///
/// #[derive(Debug)]
/// struct Counted(Canned, AtomicUsize);
///
/// impl Kernel for Counted {
///     fn ask(&self, question: Question<'_>) -> Result<(), KernelError> {
///         self.1.fetch_add(1, Ordering::Relaxed);
///         self.0.ask(question)
///     }
/// }
///
/// let counted = Counted(Canned::default().at(7), AtomicUsize::new(0));
/// let kernel: &dyn Kernel = &counted;
/// assert_eq!(kernel.now().as_secs(), 7);
/// assert_eq!(counted.1.load(Ordering::Relaxed), 1);
/// ```
///
/// An implementation matches the question; a forgotten arm does not compile:
///
/// ```compile_fail,E0004
/// use collectors::host::kernel::{Kernel, KernelError, Question};
///
/// #[derive(Debug)]
/// struct OnlyClocks;
///
/// impl Kernel for OnlyClocks {
///     fn ask(&self, question: Question<'_>) -> Result<(), KernelError> {
///         match question {
///             Question::Now(into) | Question::Monotonic(into) => *into = std::time::Duration::ZERO,
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Kernel: Send + Sync + fmt::Debug {
    /// Answers a question. The answer is complete when this returns `Ok`; it borrows from the kernel while the visitor
    /// runs, so that a steady scrape allocates nothing.
    fn ask(&self, question: Question<'_>) -> Result<(), KernelError>;
}

/// `USER_HZ` of all architectures of current Linux.
const USUAL_TICKS_PER_SECOND: u64 = 100;
/// The usual page size.
const USUAL_PAGE_SIZE_BYTES: u64 = 4096;

/// The questions as methods. They cannot be overridden, so a kernel has no second way to answer.
impl dyn Kernel + '_ {
    /// Asks [`Question::Now`]; zero if the host has no clock.
    pub fn now(&self) -> Duration {
        let mut now = Duration::ZERO;
        let _ = self.ask(Question::Now(&mut now));
        now
    }

    /// Asks [`Question::Monotonic`]; zero if the host has no clock.
    pub fn monotonic(&self) -> Duration {
        let mut elapsed = Duration::ZERO;
        let _ = self.ask(Question::Monotonic(&mut elapsed));
        elapsed
    }

    /// Asks [`Question::TicksPerSecond`]; 100 if unsupported.
    pub fn ticks_per_second(&self) -> u64 {
        let mut ticks = USUAL_TICKS_PER_SECOND;
        let _ = self.ask(Question::TicksPerSecond(&mut ticks));
        ticks
    }

    /// Asks [`Question::PageSizeBytes`]; 4096 if unsupported.
    pub fn page_size_bytes(&self) -> u64 {
        let mut bytes = USUAL_PAGE_SIZE_BYTES;
        let _ = self.ask(Question::PageSizeBytes(&mut bytes));
        bytes
    }

    /// Asks [`Question::Zone`].
    pub fn zone(&self, now: Duration, into: &mut Zone) -> Result<(), KernelError> {
        self.ask(Question::Zone(now, into))
    }

    /// Asks [`Question::Timex`].
    pub fn timex(&self) -> Result<Timex, KernelError> {
        let mut timex = Timex::default();
        self.ask(Question::Timex(&mut timex)).map(|()| timex)
    }

    /// Asks [`Question::Uname`].
    pub fn uname(&self, into: &mut Uname) -> Result<(), KernelError> {
        self.ask(Question::Uname(into))
    }

    /// Asks [`Question::Rootfs`] and passes the answer to `read`; empty if unsupported.
    pub fn with_rootfs<T>(&self, read: impl FnOnce(&[u8]) -> T) -> T {
        let (mut read, mut result) = (Some(read), None);
        let _ = self.ask(Question::Rootfs(&mut |rootfs| {
            if let Some(read) = read.take() {
                result = Some(read(rootfs));
            }
        }));
        match (result, read) {
            (Some(result), _) => result,
            (None, Some(read)) => read(b""),
            (None, None) => unreachable!("read was taken, so it has a result"),
        }
    }

    /// Asks [`Question::StatFs`].
    pub fn statfs(&self, mount_point: &[u8]) -> Result<StatFs, KernelError> {
        let mut numbers = StatFs::default();
        self.ask(Question::StatFs(mount_point, &mut numbers)).map(|()| numbers)
    }

    /// Asks [`Question::Btrfs`].
    pub fn btrfs(&self, mount_point: &[u8], visit: &mut dyn FnMut(&BtrfsDevice<'_>)) -> Result<(), KernelError> {
        self.ask(Question::Btrfs(mount_point, visit))
    }

    /// Asks [`Question::Links`].
    pub fn links(&self, visit: &mut dyn FnMut(&Link<'_>)) -> Result<(), KernelError> {
        self.ask(Question::Links(visit))
    }

    /// Asks [`Question::AlternativeNames`].
    pub fn alternative_names(&self, visit: &mut dyn FnMut(&AlternativeName<'_>)) -> Result<(), KernelError> {
        self.ask(Question::AlternativeNames(visit))
    }

    /// Asks [`Question::Addresses`].
    pub fn addresses(&self, visit: &mut dyn FnMut(&Address<'_>)) -> Result<(), KernelError> {
        self.ask(Question::Addresses(visit))
    }

    /// Asks [`Question::Neighbours`].
    pub fn neighbours(&self, visit: &mut dyn FnMut(&Neighbour<'_>)) -> Result<(), KernelError> {
        self.ask(Question::Neighbours(visit))
    }

    /// Asks [`Question::LinkModes`].
    pub fn link_modes(&self, device: &[u8]) -> Result<LinkModes, KernelError> {
        let mut modes = LinkModes::default();
        self.ask(Question::LinkModes(device, &mut modes)).map(|()| modes)
    }

    /// Asks [`Question::Driver`].
    pub fn driver(&self, device: &[u8], visit: &mut dyn FnMut(&Driver<'_>)) -> Result<(), KernelError> {
        self.ask(Question::Driver(device, visit))
    }

    /// Asks [`Question::LinkSettings`].
    pub fn link_settings(&self, device: &[u8]) -> Result<LinkSettings, KernelError> {
        let mut settings = LinkSettings::default();
        self.ask(Question::LinkSettings(device, &mut settings)).map(|()| settings)
    }

    /// Asks [`Question::DriverStatistics`].
    pub fn driver_statistics(
        &self,
        device: &[u8],
        visit: &mut dyn FnMut(&DriverStatistic<'_>),
    ) -> Result<(), KernelError> {
        self.ask(Question::DriverStatistics(device, visit))
    }

    /// Asks [`Question::Ntp`].
    pub fn ntp(&self, query: &NtpQuery<'_>) -> Result<NtpAnswer, KernelError> {
        let mut answer = NtpAnswer::default();
        self.ask(Question::Ntp(query, &mut answer)).map(|()| answer)
    }

    /// Asks [`Question::Perf`].
    pub fn perf(&self, query: &PerfQuery<'_>, visit: &mut dyn FnMut(&PerfCount)) -> Result<(), KernelError> {
        self.ask(Question::Perf(query, visit))
    }

    /// Asks [`Question::Qdiscs`].
    pub fn qdiscs(&self, visit: &mut dyn FnMut(&Qdisc<'_>)) -> Result<(), KernelError> {
        self.ask(Question::Qdiscs(visit))
    }

    /// Asks [`Question::Routes`].
    pub fn routes(&self, visit: &mut dyn FnMut(&Route<'_>)) -> Result<(), KernelError> {
        self.ask(Question::Routes(visit))
    }

    /// Asks [`Question::WifiInterfaces`].
    pub fn wifi_interfaces(&self, visit: &mut dyn FnMut(&WifiInterface<'_>)) -> Result<(), KernelError> {
        self.ask(Question::WifiInterfaces(visit))
    }

    /// Asks [`Question::WifiNetwork`].
    pub fn wifi_network(
        &self,
        interface: &WifiInterface<'_>,
        visit: &mut dyn FnMut(&WifiNetwork<'_>),
    ) -> Result<(), KernelError> {
        self.ask(Question::WifiNetwork(interface, visit))
    }

    /// Asks [`Question::WifiStations`].
    pub fn wifi_stations(
        &self,
        interface: &WifiInterface<'_>,
        visit: &mut dyn FnMut(&WifiStation<'_>),
    ) -> Result<(), KernelError> {
        self.ask(Question::WifiStations(interface, visit))
    }

    /// Asks [`Question::SystemdManager`].
    pub fn systemd_manager(&self, socket: SystemdSocket, into: &mut SystemdManager) -> Result<(), KernelError> {
        self.ask(Question::SystemdManager(socket, into))
    }

    /// Asks [`Question::Units`].
    pub fn units(&self, query: &UnitQuery<'_>, visit: &mut dyn FnMut(&Unit<'_>)) -> Result<(), KernelError> {
        self.ask(Question::Units(query, visit))
    }

    /// Asks [`Question::Seats`].
    pub fn seats(&self, visit: &mut dyn FnMut(&Seat<'_>)) -> Result<(), KernelError> {
        self.ask(Question::Seats(visit))
    }

    /// Asks [`Question::Sessions`].
    pub fn sessions(&self, visit: &mut dyn FnMut(&LoginSession<'_>)) -> Result<(), KernelError> {
        self.ask(Question::Sessions(visit))
    }
}
