//! The kernel of a replayed host.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use collectors::host::kernel::btrfs::BtrfsDevice;
use collectors::host::kernel::canned::Canned;
use collectors::host::kernel::{
    Address, AlternativeName, Kernel, KernelError, Link, LinkModes, Neighbour, Qdisc, StatFs, Uname, WifiInterface,
    WifiNetwork, WifiStation, Zone,
};

use super::Moments;

/// Answers from the entries below `kernel/`, as they are at the moment of the question.
#[derive(Debug)]
pub(super) struct ReplayKernel {
    moments: Arc<Moments>,
    /// The answers of the moment that was asked about last.
    latest: Mutex<Option<(Duration, Arc<Canned>)>>,
}

impl ReplayKernel {
    pub(super) fn new(moments: Arc<Moments>) -> Self {
        Self { moments, latest: Mutex::new(None) }
    }

    fn elapsed(&self) -> Duration {
        (self.moments.elapsed)()
    }

    fn answers(&self) -> Arc<Canned> {
        // Answers move by whole seconds, so that those of one scrape are of one moment.
        let is_moving = self.moments.later.is_some();
        let moment = if is_moving { Duration::from_secs(self.elapsed().as_secs()) } else { Duration::ZERO };
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, known)) = &*latest
            && *at == moment
        {
            return Arc::clone(known);
        }
        let entries: Vec<(&str, Option<Vec<u8>>)> =
            Canned::ENTRIES.iter().map(|name| (*name, self.moments.content(name, moment))).collect();
        let content = |name: &str| entries.iter().find(|(entry, _)| *entry == name)?.1.as_deref();
        // Both moments have been parsed; what lies between them is of the same form.
        let known = Arc::new(Canned::parse(content).unwrap_or_default());
        *latest = Some((moment, Arc::clone(&known)));
        known
    }
}

impl Kernel for ReplayKernel {
    fn now(&self) -> Duration {
        self.moments.now(self.elapsed())
    }

    fn monotonic(&self) -> Duration {
        self.elapsed()
    }

    fn ticks_per_second(&self) -> u64 {
        self.answers().ticks_per_second()
    }

    fn page_size_bytes(&self) -> u64 {
        self.answers().page_size_bytes()
    }

    fn zone(&self, now: Duration, into: &mut Zone) -> Result<(), KernelError> {
        self.answers().zone(now, into)
    }

    fn uname(&self, into: &mut Uname) -> Result<(), KernelError> {
        self.answers().uname(into)
    }

    fn statfs(&self, mount_point: &[u8]) -> Result<StatFs, KernelError> {
        self.answers().statfs(mount_point)
    }

    fn btrfs(&self, mount_point: &[u8], visit: &mut dyn FnMut(&BtrfsDevice<'_>)) -> Result<(), KernelError> {
        self.answers().btrfs(mount_point, visit)
    }

    fn qdiscs(&self, visit: &mut dyn FnMut(&Qdisc<'_>)) -> Result<(), KernelError> {
        self.answers().qdiscs(visit)
    }

    fn wifi_interfaces(&self, visit: &mut dyn FnMut(&WifiInterface<'_>)) -> Result<(), KernelError> {
        self.answers().wifi_interfaces(visit)
    }

    fn wifi_network(
        &self,
        interface: &WifiInterface<'_>,
        visit: &mut dyn FnMut(&WifiNetwork<'_>),
    ) -> Result<(), KernelError> {
        self.answers().wifi_network(interface, visit)
    }

    fn wifi_stations(
        &self,
        interface: &WifiInterface<'_>,
        visit: &mut dyn FnMut(&WifiStation<'_>),
    ) -> Result<(), KernelError> {
        self.answers().wifi_stations(interface, visit)
    }

    fn links(&self, visit: &mut dyn FnMut(&Link<'_>)) -> Result<(), KernelError> {
        self.answers().links(visit)
    }

    fn alternative_names(&self, visit: &mut dyn FnMut(&AlternativeName<'_>)) -> Result<(), KernelError> {
        self.answers().alternative_names(visit)
    }

    fn addresses(&self, visit: &mut dyn FnMut(&Address<'_>)) -> Result<(), KernelError> {
        self.answers().addresses(visit)
    }

    fn neighbours(&self, visit: &mut dyn FnMut(&Neighbour<'_>)) -> Result<(), KernelError> {
        self.answers().neighbours(visit)
    }

    fn link_modes(&self, device: &[u8]) -> Result<LinkModes, KernelError> {
        self.answers().link_modes(device)
    }
}
