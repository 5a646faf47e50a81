//! The questions, each passed on once.

use std::sync::Arc;
use std::time::Duration;

use collectors::host::errno::Errno;
use collectors::host::kernel::btrfs::BtrfsDevice;
use collectors::host::kernel::canned::Canned;
use collectors::host::kernel::{
    Address, AlternativeName, Kernel, KernelError, Link, LinkModes, Neighbour, Qdisc, StatFs, Uname, WifiInterface,
    WifiNetwork, WifiStation, Zone,
};

use super::{Asked, BTRFS, WIFI_NETWORKS, WIFI_STATIONS, empty_is_fine, gathered, locked};
use crate::recording::record::Note;

impl Kernel for Asked {
    fn now(&self) -> Duration {
        self.now
    }

    fn monotonic(&self) -> Duration {
        self.live.monotonic()
    }

    fn ticks_per_second(&self) -> u64 {
        self.live.ticks_per_second()
    }

    fn page_size_bytes(&self) -> u64 {
        self.live.page_size_bytes()
    }

    fn zone(&self, now: Duration, into: &mut Zone) -> Result<(), KernelError> {
        let ask = || {
            let mut zone = Zone::default();
            self.live.zone(self.now, &mut zone)?;
            let canned = Canned::default().with_now(self.now);
            Ok(canned.with_zone(&String::from_utf8_lossy(&zone.name), zone.offset_seconds))
        };
        Self::once(&self.zone, ask)?.zone(now, into)
    }

    fn uname(&self, into: &mut Uname) -> Result<(), KernelError> {
        let ask = || {
            let mut uname = Uname::default();
            self.live.uname(&mut uname).map(|()| Canned::default().with_uname(uname))
        };
        Self::once(&self.uname, ask)?.uname(into)
    }

    fn rootfs(&self) -> &[u8] {
        self.live.rootfs()
    }

    fn statfs(&self, mount_point: &[u8]) -> Result<StatFs, KernelError> {
        if let Some(known) = locked(&self.statfs).get(mount_point) {
            return *known;
        }
        let (live, point) = (Arc::clone(&self.live), mount_point.to_vec());
        let found = self.deadline.run(move || live.statfs(&point)).unwrap_or_else(|| {
            let seconds = self.deadline.timeout().as_secs_f64();
            let reason =
                format!("{} did not answer within {seconds} s; it hangs in the recording", mount_point.escape_ascii());
            locked(&self.notes).push(Note { path: "kernel/statfs".into(), reason });
            Err(Errno::ETIMEDOUT.into())
        });
        locked(&self.statfs).insert(mount_point.to_vec(), found);
        found
    }

    fn btrfs(&self, mount_point: &[u8], visit: &mut dyn FnMut(&BtrfsDevice<'_>)) -> Result<(), KernelError> {
        let (live, point) = (Arc::clone(&self.live), mount_point.to_vec());
        let ask = move || {
            gathered(|add| live.btrfs(&point, &mut |device| add(&|canned| canned.with_btrfs(&point, Ok(*device)))))
        };
        let ask = || self.deadline.run(ask).unwrap_or(Err(Errno::ETIMEDOUT.into()));
        let answer = self.keyed(BTRFS, mount_point, ask);
        empty_is_fine(answer.as_ref().as_ref().map_err(|error| *error)?.btrfs(mount_point, visit))
    }

    fn qdiscs(&self, visit: &mut dyn FnMut(&Qdisc<'_>)) -> Result<(), KernelError> {
        let ask = || gathered(|add| self.live.qdiscs(&mut |qdisc| add(&|canned| canned.with_qdisc(qdisc))));
        empty_is_fine(Self::once(&self.qdiscs, ask)?.qdiscs(visit))
    }

    fn wifi_interfaces(&self, visit: &mut dyn FnMut(&WifiInterface<'_>)) -> Result<(), KernelError> {
        let ask =
            || gathered(|add| self.live.wifi_interfaces(&mut |found| add(&|canned| canned.with_wifi_interface(found))));
        empty_is_fine(Self::once(&self.wifi_interfaces, ask)?.wifi_interfaces(visit))
    }

    fn wifi_network(
        &self,
        interface: &WifiInterface<'_>,
        visit: &mut dyn FnMut(&WifiNetwork<'_>),
    ) -> Result<(), KernelError> {
        let name = interface.name;
        let answer = self.keyed(WIFI_NETWORKS, name, || {
            gathered(|add| {
                self.live.wifi_network(interface, &mut |found| add(&|canned| canned.with_wifi_network(name, found)))
            })
        });
        empty_is_fine(answer.as_ref().as_ref().map_err(|error| *error)?.wifi_network(interface, visit))
    }

    fn wifi_stations(
        &self,
        interface: &WifiInterface<'_>,
        visit: &mut dyn FnMut(&WifiStation<'_>),
    ) -> Result<(), KernelError> {
        let name = interface.name;
        let answer = self.keyed(WIFI_STATIONS, name, || {
            gathered(|add| {
                self.live.wifi_stations(interface, &mut |found| add(&|canned| canned.with_wifi_station(name, found)))
            })
        });
        empty_is_fine(answer.as_ref().as_ref().map_err(|error| *error)?.wifi_stations(interface, visit))
    }

    fn links(&self, visit: &mut dyn FnMut(&Link<'_>)) -> Result<(), KernelError> {
        let ask = || gathered(|add| self.live.links(&mut |link| add(&|canned| canned.with_link(link))));
        empty_is_fine(Self::once(&self.links, ask)?.links(visit))
    }

    fn alternative_names(&self, visit: &mut dyn FnMut(&AlternativeName<'_>)) -> Result<(), KernelError> {
        let ask = || {
            gathered(|add| self.live.alternative_names(&mut |name| add(&|canned| canned.with_alternative_name(name))))
        };
        empty_is_fine(Self::once(&self.alternative_names, ask)?.alternative_names(visit))
    }

    fn addresses(&self, visit: &mut dyn FnMut(&Address<'_>)) -> Result<(), KernelError> {
        let ask = || gathered(|add| self.live.addresses(&mut |found| add(&|canned| canned.with_address(found))));
        empty_is_fine(Self::once(&self.addresses, ask)?.addresses(visit))
    }

    fn neighbours(&self, visit: &mut dyn FnMut(&Neighbour<'_>)) -> Result<(), KernelError> {
        let ask = || gathered(|add| self.live.neighbours(&mut |found| add(&|canned| canned.with_neighbour(found))));
        empty_is_fine(Self::once(&self.neighbours, ask)?.neighbours(visit))
    }

    fn link_modes(&self, device: &[u8]) -> Result<LinkModes, KernelError> {
        let mut known = locked(&self.link_modes);
        *known.entry(device.to_vec()).or_insert_with(|| self.live.link_modes(device))
    }
}
