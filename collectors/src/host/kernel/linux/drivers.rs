//! Drivers of network devices, by ioctl.

#![expect(unsafe_code, reason = "netlink has no counters of drivers, and no crate has a safe call for these ioctls")]

use std::os::fd::AsRawFd;
use std::sync::{Mutex, PoisonError};

use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::host::errno::Errno;
use crate::host::kernel::netlink::ethtool::DEVICE_NAME_CAP_BYTES;
use crate::host::kernel::netlink::{text, u32_at, u64_at};
use crate::host::kernel::{Driver, DriverStatistic, LinkSettings};

/// `SIOCETHTOOL`.
const ETHTOOL: u16 = 0x8946;

const GET_SETTINGS: u32 = 0x1;
const GET_DRIVER: u32 = 0x3;
const GET_STRINGS: u32 = 0x1b;
const GET_STATISTICS: u32 = 0x1d;

/// `struct ethtool_cmd` and where its fields are.
const SETTINGS_BYTES: usize = 44;
const SETTINGS_SUPPORTED: usize = 4;
const SETTINGS_ADVERTISED: usize = 8;
const SETTINGS_AUTONEGOTIATION: usize = 18;

/// `struct ethtool_drvinfo`: five texts after the command, and numbers at its end.
const DRIVER_BYTES: usize = 196;
const DRIVER_TEXT_BYTES: usize = 32;
const DRIVER_STATISTICS: usize = 180;

/// `struct ethtool_gstrings` without its names, and the set of the statistics' names.
const STRINGS_HEADER_BYTES: usize = 12;
const STRINGS_OF_STATISTICS: u32 = 1;
const STRING_BYTES: usize = 32;
/// `struct ethtool_stats` without its values.
const STATISTICS_HEADER_BYTES: usize = 8;
const STATISTIC_BYTES: usize = 8;

/// Maximum number of a device's statistics. The kernel writes as many as the driver has at that moment, whatever the
/// buffer's size: a driver may add queues between two calls, so that buffers are never made for the number of before.
/// The largest drivers have some thousands; pages that nothing is written to take no memory.
const STATISTICS_CAP: usize = 32_768;

/// Asks drivers.
#[derive(Default, Debug)]
pub(super) struct Drivers {
    /// The idle socket of an earlier question; a concurrent question opens its own.
    idle: Mutex<Option<DriverChannel>>,
}

/// A socket, and the buffers of names and values.
#[derive(Debug)]
struct DriverChannel {
    socket: OwnedFd,
    names: Vec<u8>,
    values: Vec<u8>,
}

impl Drivers {
    pub(super) fn driver(&self, device: &[u8], visit: &mut dyn FnMut(&Driver<'_>)) -> Result<(), Errno> {
        let driver_channel = self.take()?;
        let mut answer = [0; DRIVER_BYTES];
        let outcome = driver_channel.ask(device, GET_DRIVER, &mut answer);
        self.put_back(driver_channel);
        outcome?;
        visit(&driver(&answer));
        Ok(())
    }

    pub(super) fn link_settings(&self, device: &[u8]) -> Result<LinkSettings, Errno> {
        let driver_channel = self.take()?;
        let mut answer = [0; SETTINGS_BYTES];
        let outcome = driver_channel.ask(device, GET_SETTINGS, &mut answer);
        self.put_back(driver_channel);
        outcome.map(|()| link_settings(&answer))
    }

    pub(super) fn statistics(&self, device: &[u8], visit: &mut dyn FnMut(&DriverStatistic<'_>)) -> Result<(), Errno> {
        let mut driver_channel = self.take()?;
        let outcome = driver_channel.read_statistics(device);
        if outcome.is_ok() {
            statistics(&driver_channel.names, &driver_channel.values, visit);
        }
        self.put_back(driver_channel);
        outcome
    }

    fn take(&self) -> Result<DriverChannel, Errno> {
        if let Some(driver_channel) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(driver_channel);
        }
        let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None);
        Ok(DriverChannel { socket: socket.map_err(super::errno)?, names: Vec::new(), values: Vec::new() })
    }

    fn put_back(&self, driver_channel: DriverChannel) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(driver_channel);
    }
}

impl DriverChannel {
    /// Fills names and values.
    fn read_statistics(&mut self, device: &[u8]) -> Result<(), Errno> {
        let mut driver = [0; DRIVER_BYTES];
        self.ask(device, GET_DRIVER, &mut driver)?;
        let count = u32_at(&driver, DRIVER_STATISTICS).unwrap_or_default();
        if count as usize > STATISTICS_CAP {
            return Err(Errno::E2BIG);
        }
        if self.names.is_empty() {
            self.names = vec![0; STRINGS_HEADER_BYTES + STATISTICS_CAP * STRING_BYTES];
            self.values = vec![0; STATISTICS_HEADER_BYTES + STATISTICS_CAP * STATISTIC_BYTES];
        }
        let (mut names, mut values) = (std::mem::take(&mut self.names), std::mem::take(&mut self.values));
        names[4..8].copy_from_slice(&STRINGS_OF_STATISTICS.to_ne_bytes());
        names[8..12].copy_from_slice(&count.to_ne_bytes());
        values[4..8].copy_from_slice(&count.to_ne_bytes());
        let outcome =
            self.ask(device, GET_STRINGS, &mut names).and_then(|()| self.ask(device, GET_STATISTICS, &mut values));
        (self.names, self.values) = (names, values);
        outcome
    }

    /// Asks the driver of a device. The buffer holds the largest answer that there can be to the command.
    fn ask(&self, device: &[u8], command: u32, buffer: &mut [u8]) -> Result<(), Errno> {
        if device.is_empty() || device.len() > DEVICE_NAME_CAP_BYTES || device.contains(&0) {
            return Err(Errno::ENODEV);
        }
        buffer[..4].copy_from_slice(&command.to_ne_bytes());
        // SAFETY: the structure is made of numbers and a union of numbers and a pointer, of which zeros are values.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (place, &byte) in request.ifr_name.iter_mut().zip(device) {
            *place = byte.cast_signed() as _;
        }
        request.ifr_ifru.ifru_data = buffer.as_mut_ptr().cast();
        // SAFETY: the kernel reads one request, and reads and writes the buffer behind its pointer while the call lasts.
        // It writes no more than the structure of the command, which each caller has room for: settings and driver have
        // a fixed size, and no driver has more names or values than `STATISTICS_CAP`.
        let status = unsafe { libc::ioctl(self.socket.as_raw_fd(), ETHTOOL.into(), &raw mut request) };
        if status < 0 { Err(super::last_error()) } else { Ok(()) }
    }
}

fn driver(answer: &[u8; DRIVER_BYTES]) -> Driver<'_> {
    let texts = &answer[4..4 + 5 * DRIVER_TEXT_BYTES];
    let field = |number: usize| text(&texts[number * DRIVER_TEXT_BYTES..(number + 1) * DRIVER_TEXT_BYTES]);
    Driver {
        name: field(0),
        version: field(1),
        firmware_version: field(2),
        bus_info: field(3),
        expansion_rom_version: field(4),
    }
}

fn link_settings(answer: &[u8; SETTINGS_BYTES]) -> LinkSettings {
    LinkSettings {
        supported: u32_at(answer, SETTINGS_SUPPORTED).unwrap_or_default(),
        advertised: u32_at(answer, SETTINGS_ADVERTISED).unwrap_or_default(),
        autonegotiation: answer[SETTINGS_AUTONEGOTIATION],
    }
}

/// Statistics that have both a name and a value. A statistic without a name is no statistic.
fn statistics(names: &[u8], values: &[u8], visit: &mut dyn FnMut(&DriverStatistic<'_>)) {
    let count = |bytes: &[u8], offset| u32_at(bytes, offset).unwrap_or_default() as usize;
    let count = count(names, 8).min(count(values, 4));
    let (names, _) = names.get(STRINGS_HEADER_BYTES..).unwrap_or_default().as_chunks::<STRING_BYTES>();
    for (number, name) in names.iter().take(count).enumerate() {
        let Some(value) = u64_at(values, STATISTICS_HEADER_BYTES + number * STATISTIC_BYTES) else { break };
        let name = text(name);
        if !name.is_empty() {
            visit(&DriverStatistic { name, value });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_has_no_driver_and_unknown_devices_are_refused() {
        let drivers = Drivers::default();
        let statistics = |device: &[u8]| drivers.statistics(device, &mut |found| panic!("{found:?}"));
        assert_eq!(statistics(b"lo"), Err(Errno::EOPNOTSUPP));
        assert_eq!(drivers.link_settings(b"lo"), Err(Errno::EOPNOTSUPP));
        for device in [&b"nodelab-none"[..], b"", b"a name that no device can have", b"a\0b"] {
            assert_eq!(statistics(device), Err(Errno::ENODEV), "{}", device.escape_ascii());
            assert_eq!(drivers.link_settings(device), Err(Errno::ENODEV));
            assert_eq!(drivers.driver(device, &mut |found| panic!("{found:?}")), Err(Errno::ENODEV));
        }
    }

    #[test]
    fn a_question_may_be_asked_while_another_is_answered() {
        let drivers = Drivers::default();
        let mut answers = [0; DRIVER_BYTES];
        answers[4..8].copy_from_slice(b"same");
        drivers.put_back(drivers.take().unwrap());
        let outer = drivers.take().unwrap();
        assert_eq!(drivers.link_settings(b"lo"), Err(Errno::EOPNOTSUPP));
        drivers.put_back(outer);
        assert!(drivers.idle.lock().unwrap().is_some());
    }

    #[test]
    fn fields_of_a_driver_are_taken_from_their_places() {
        let mut answer = [0; DRIVER_BYTES];
        for (number, value) in
            [&b"e1000e"[..], b"6.1.0", b"0.5-4", b"0000:00:1f.6", &[b'x'; 32]].into_iter().enumerate()
        {
            let place = 4 + number * DRIVER_TEXT_BYTES;
            answer[place..place + value.len()].copy_from_slice(value);
        }
        let expected = Driver {
            name: b"e1000e",
            version: b"6.1.0",
            firmware_version: b"0.5-4",
            bus_info: b"0000:00:1f.6",
            expansion_rom_version: &[b'x'; 32],
        };
        assert_eq!(driver(&answer), expected);
    }

    #[test]
    fn settings_are_taken_from_their_places() {
        let mut answer = [0xee; SETTINGS_BYTES];
        answer[4..8].copy_from_slice(&0x62ff_u32.to_ne_bytes());
        answer[8..12].copy_from_slice(&0x202f_u32.to_ne_bytes());
        answer[18] = 1;
        assert_eq!(link_settings(&answer), LinkSettings { supported: 0x62ff, advertised: 0x202f, autonegotiation: 1 });
    }

    #[test]
    fn a_statistic_has_a_name_and_a_value() {
        let words = |numbers: [u32; 2]| numbers.map(u32::to_ne_bytes).concat();
        let mut names = [&[0; 4][..], &words([1, 4])].concat();
        for name in ["rx", "", "a name of exactly 32 bytes, full", "tx"] {
            names.extend(name.bytes().chain(std::iter::repeat(0)).take(32));
        }
        let values = |count: u32| {
            let numbers = [7_u64, 8, u64::MAX, 9].map(u64::to_ne_bytes).concat();
            [words([0, count]), numbers].concat()
        };
        let found = |values: &[u8]| {
            let mut found = Vec::new();
            statistics(&names, values, &mut |one| found.push((one.name.to_vec(), one.value)));
            found
        };
        let expected =
            [(b"rx".to_vec(), 7), (b"a name of exactly 32 bytes, full".to_vec(), u64::MAX), (b"tx".to_vec(), 9)];
        assert_eq!(found(&values(4)), expected);
        // The driver had fewer or more statistics at the second call.
        assert_eq!(found(&values(3)), expected[..2]);
        assert_eq!(found(&values(5)), expected);
        assert_eq!(found(&values(4)[..20]), expected[..1]);
    }
}
