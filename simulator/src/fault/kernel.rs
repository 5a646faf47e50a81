//! A kernel with faults.

use std::sync::Arc;
use std::time::Duration;

use collectors::host::kernel::btrfs::BtrfsDevice;
use collectors::host::kernel::{
    Address, AlternativeName, Kernel, KernelError, Link, LinkModes, Neighbour, Qdisc, StatFs, Uname, WifiInterface,
    WifiNetwork, WifiStation, Zone,
};
use collectors::host::root::tree::KERNEL;

use super::Kind;
use super::inject::{Injection, Operation};

/// A kernel of which some answers are broken. An answer's place is that of its entry in a `.tree` file and, where it is
/// about one thing, the name of that: `kernel/uname`, `kernel/statfs/srv/backup`, `kernel/link_modes/eth0`.
#[derive(Debug)]
pub(super) struct FaultyKernel {
    sound: Arc<dyn Kernel>,
    injection: Injection,
}

impl FaultyKernel {
    pub(super) fn new(sound: Arc<dyn Kernel>, injection: Injection) -> Self {
        Self { sound, injection }
    }

    fn ask(&self, entry: &str, thing: &[u8]) -> Result<(), KernelError> {
        let kinds = self.injection.applying(Operation::Kernel, KERNEL, &[entry.as_bytes(), b"/", thing].concat());
        match kinds.iter().position(|kind| *kind == Kind::Missing) {
            Some(at) => {
                self.injection.run(kinds.get(..at).unwrap_or_default())?;
                Err(KernelError::Unsupported)
            }
            None => Ok(self.injection.run(&kinds)?),
        }
    }
}

impl Kernel for FaultyKernel {
    fn now(&self) -> Duration {
        self.sound.now()
    }

    fn monotonic(&self) -> Duration {
        self.sound.monotonic()
    }

    fn ticks_per_second(&self) -> u64 {
        self.sound.ticks_per_second()
    }

    fn page_size_bytes(&self) -> u64 {
        self.sound.page_size_bytes()
    }

    fn zone(&self, now: Duration, into: &mut Zone) -> Result<(), KernelError> {
        self.ask("clock", b"")?;
        self.sound.zone(now, into)
    }

    fn uname(&self, into: &mut Uname) -> Result<(), KernelError> {
        self.ask("uname", b"")?;
        self.sound.uname(into)
    }

    fn rootfs(&self) -> &[u8] {
        self.sound.rootfs()
    }

    fn statfs(&self, mount_point: &[u8]) -> Result<StatFs, KernelError> {
        self.ask("statfs", mount_point)?;
        self.sound.statfs(mount_point)
    }

    fn btrfs(&self, mount_point: &[u8], visit: &mut dyn FnMut(&BtrfsDevice<'_>)) -> Result<(), KernelError> {
        self.ask("btrfs", mount_point)?;
        self.sound.btrfs(mount_point, visit)
    }

    fn links(&self, visit: &mut dyn FnMut(&Link<'_>)) -> Result<(), KernelError> {
        self.ask("links", b"")?;
        self.sound.links(visit)
    }

    fn alternative_names(&self, visit: &mut dyn FnMut(&AlternativeName<'_>)) -> Result<(), KernelError> {
        self.ask("alternative_names", b"")?;
        self.sound.alternative_names(visit)
    }

    fn addresses(&self, visit: &mut dyn FnMut(&Address<'_>)) -> Result<(), KernelError> {
        self.ask("addresses", b"")?;
        self.sound.addresses(visit)
    }

    fn neighbours(&self, visit: &mut dyn FnMut(&Neighbour<'_>)) -> Result<(), KernelError> {
        self.ask("neighbours", b"")?;
        self.sound.neighbours(visit)
    }

    fn link_modes(&self, device: &[u8]) -> Result<LinkModes, KernelError> {
        self.ask("link_modes", device)?;
        self.sound.link_modes(device)
    }

    fn qdiscs(&self, visit: &mut dyn FnMut(&Qdisc<'_>)) -> Result<(), KernelError> {
        self.ask("qdiscs", b"")?;
        self.sound.qdiscs(visit)
    }

    fn wifi_interfaces(&self, visit: &mut dyn FnMut(&WifiInterface<'_>)) -> Result<(), KernelError> {
        self.ask("wifi_interfaces", b"")?;
        self.sound.wifi_interfaces(visit)
    }

    fn wifi_network(
        &self,
        interface: &WifiInterface<'_>,
        visit: &mut dyn FnMut(&WifiNetwork<'_>),
    ) -> Result<(), KernelError> {
        self.ask("wifi_networks", interface.name)?;
        self.sound.wifi_network(interface, visit)
    }

    fn wifi_stations(
        &self,
        interface: &WifiInterface<'_>,
        visit: &mut dyn FnMut(&WifiStation<'_>),
    ) -> Result<(), KernelError> {
        self.ask("wifi_stations", interface.name)?;
        self.sound.wifi_stations(interface, visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Plan, VirtualClock};
    use crate::{Host, Machine};
    use collectors::host::errno::Errno;

    const START: Duration = Duration::from_secs(1_700_000_000);

    fn broken(plan: &str) -> (Arc<dyn Kernel>, VirtualClock) {
        let clock = VirtualClock::new(START);
        let injection = Injection::new(Plan::parse(plan).unwrap(), 1, Arc::new(clock.clone()));
        (injection.over_kernel(Host::new(Machine::vm(1), clock.reader()).kernel()), clock)
    }

    #[test]
    fn only_the_broken_question_is_answered_otherwise() {
        let (kernel, clock) = broken("kernel/statfs/boot error=ESTALE\nkernel/links missing\nkernel/statfs slow=2s\n");
        assert_eq!(kernel.statfs(b"/boot"), Err(Errno::ESTALE.into()));
        assert_eq!(kernel.links(&mut |_| ()), Err(KernelError::Unsupported));
        assert!(kernel.statfs(b"/").is_ok() && kernel.uname(&mut Uname::default()).is_ok());
        assert_eq!(clock.now(), START + Duration::from_secs(2));
        assert_eq!(kernel.now(), clock.now());
    }

    #[test]
    fn a_dead_mount_answers_when_it_is_let() {
        let (kernel, clock) = broken("kernel/statfs/** hanging\n");
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| kernel.statfs(b"/boot"));
            clock.wait_until_hanging(1);
            clock.release();
            assert_eq!(asked.join().unwrap(), Err(Errno::ETIMEDOUT.into()));
        });
    }
}
