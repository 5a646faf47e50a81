//! The row tables: the form of each answer in its `kernel/` entry, and the list of entries.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::line::CannedError;
use super::rows::{
    About, Each, Entry, Form, HardwareAddress, Hex, Keep, Lend, Outcome, Plain, Positive, Remainder, Rows, Source,
    Text, replace, rows,
};
use crate::host::errno::Errno;
use crate::host::kernel::btrfs::{BTRFS_ERROR_KINDS, BtrfsDevice, Uuid};
use crate::host::kernel::systemd::{LoginSession, Seat, SystemdManager, Unit};
use crate::host::kernel::{
    Address, AlternativeName, Driver, DriverStatistic, IpNetwork, Link, LinkModes, LinkSettings, LinkStatistics,
    Neighbour, NtpAnswer, PerfCount, Qdisc, Route, StatFs, Timex, Uname, WifiInterface, WifiNetwork, WifiStation, Zone,
};

/// Declares [`Answers`], one line for each entry: its name, the field that holds its answers, and their type. `None` is
/// an unsupported question, an empty list an answer without items.
macro_rules! entries {
    ($($name:literal $field:ident: $type:ty;)*) => {
        /// The stated answers.
        #[derive(Clone, Default, PartialEq, Debug)]
        pub(super) struct Answers {
            $(pub(super) $field: Option<$type>,)*
        }

        impl Answers {
            /// The names of the entries, sorted.
            pub(super) const ENTRIES: &[&str] = &[$($name),*];

            /// Reads the entries that exist.
            pub(super) fn read<'a>(mut entries: impl FnMut(&str) -> Option<&'a [u8]>) -> Result<Self, CannedError> {
                Ok(Self { $($field: entries($name).map(|text| Entry::read($name, text)).transpose()?,)* })
            }

            /// The entries of the questions that have answers, sorted by name.
            pub(super) fn write(&self) -> Vec<(&'static str, Vec<u8>)> {
                let entries = [$(($name, self.$field.as_ref().map(Entry::write))),*];
                entries.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
            }

            /// Adds the answers of `other`.
            pub(super) fn absorb(&mut self, other: Self) {
                $(if let Some(other) = other.$field {
                    self.$field.get_or_insert_default().absorb(other);
                })*
            }
        }
    };
}

entries! {
    "kernel/addresses" addresses: Vec<KeptAddress>;
    "kernel/alternative_names" alternative_names: Vec<KeptAlternativeName>;
    "kernel/btrfs" btrfs: Vec<About<KeptBtrfs>>;
    "kernel/clock" clock: Clock;
    "kernel/driver_statistics" driver_statistics: Vec<About<KeptDriverStatistic>>;
    "kernel/drivers" drivers: BTreeMap<Vec<u8>, Outcome<KeptDriver>>;
    "kernel/link_modes" link_modes: BTreeMap<Vec<u8>, Outcome<KeptLinkModes>>;
    "kernel/link_settings" link_settings: BTreeMap<Vec<u8>, Outcome<KeptLinkSettings>>;
    "kernel/links" links: Vec<KeptLink>;
    "kernel/neighbours" neighbours: Vec<KeptNeighbour>;
    "kernel/ntp" ntp: BTreeMap<Vec<u8>, Outcome<KeptNtpAnswer>>;
    "kernel/perf" perf: Vec<About<KeptPerfCount>>;
    "kernel/qdiscs" qdiscs: Vec<KeptQdisc>;
    "kernel/routes" routes: Vec<KeptRoute>;
    "kernel/seats" seats: Vec<KeptSeat>;
    "kernel/sessions" sessions: Vec<KeptLoginSession>;
    "kernel/statfs" statfs: BTreeMap<Vec<u8>, Outcome<KeptStatFs>>;
    "kernel/system" system: System;
    "kernel/systemd" systemd: SystemdManager;
    "kernel/timex" timex: Timex;
    "kernel/uname" uname: Uname;
    "kernel/units" units: Vec<KeptUnit>;
    "kernel/wifi_interfaces" wifi_interfaces: Vec<KeptWifiInterface>;
    "kernel/wifi_networks" wifi_networks: BTreeMap<Vec<u8>, Outcome<KeptWifiNetwork>>;
    "kernel/wifi_stations" wifi_stations: Vec<About<KeptWifiStation>>;
}

const DEVICE: &str = "the device";
const FIRST: &str = "begin the line with it";
const ALL_SIX: &str = "give all six numbers, or error=ESTALE, or hang=1";

/// The clock of a host.
#[derive(Clone, Default, PartialEq, Debug)]
pub(super) struct Clock {
    /// The wall clock when the host was made.
    pub(super) unix_seconds: Duration,
    pub(super) zone: Option<Zone>,
}

rows! {
    by_line Clock;
    words {}
    keys {
        unix_seconds: default Duration;
        zone: optional Zone;
    }
}

/// The constants of a host.
#[derive(Clone, Default, PartialEq, Debug)]
pub(super) struct System {
    pub(super) ticks_per_second: Option<u64>,
    pub(super) page_size_bytes: Option<u64>,
}

rows! {
    by_line System;
    words {}
    keys {
        ticks_per_second: optional u64 => Positive;
        page_size_bytes: optional u64 => Positive;
    }
}

rows! {
    by_line Timex;
    words {}
    keys {
        state: default u32;
        status: default u32 => Hex;
        offset: default i64;
        frequency: default i64;
        maximum_error_microseconds: default i64;
        estimated_error_microseconds: default i64;
        time_constant: default i64;
        tick_microseconds: default i64;
        pps_frequency: default i64;
        pps_jitter: default i64;
        pps_shift: default i32;
        pps_stability: default i64;
        pps_jitter_count: default i64;
        pps_calibration_count: default i64;
        pps_error_count: default i64;
        pps_stability_count: default i64;
        tai_offset_seconds: default i32;
    }
}

rows! {
    by_line Uname;
    words {}
    keys {
        sysname: default Vec<u8> => Remainder;
        release: default Vec<u8> => Remainder;
        version: default Vec<u8> => Remainder;
        machine: default Vec<u8> => Remainder;
        nodename: default Vec<u8> => Remainder;
        domainname: default Vec<u8> => Remainder;
    }
}

rows! {
    struct KeptStatFs<'a> as StatFs;
    words {}
    keys {
        block_size: needed u64 = ALL_SIX;
        blocks: needed u64 = ALL_SIX;
        blocks_free: needed u64 = ALL_SIX;
        blocks_available: needed u64 = ALL_SIX;
        files: needed u64 = ALL_SIX;
        files_free: needed u64 = ALL_SIX;
    }
}

rows! {
    struct KeptBtrfs<'a> as BtrfsDevice<'a>;
    words {}
    keys {
        file_system: default Uuid;
        path as "device": needed Vec<u8> = "give the device's path";
        uuid: default Uuid;
        size_bytes: default u64;
        used_bytes: default u64;
        errors: default [u64; BTRFS_ERROR_KINDS.len()] => Each;
    }
}

rows! {
    once struct KeptLink<'a> as Link<'a>;
    words {
        name: Vec<u8> = DEVICE, FIRST;
    }
    keys {
        index: needed u32 = "give the device's index";
        protocol_type: default u16;
        flags: default u32 => Hex;
        address: optional Vec<u8> => HardwareAddress;
        broadcast: optional Vec<u8> => HardwareAddress;
        alias: optional Vec<u8>;
        mtu: optional u32;
        link: optional u32;
        transmit_queue_length: optional u32;
        operstate: optional u8;
        link_mode: optional u8;
        group: optional u32;
        promiscuity: optional u32;
        all_multicast: optional u32;
        carrier: optional u8;
        carrier_changes: optional u32;
        carrier_up_changes: optional u32;
        carrier_down_changes: optional u32;
        statistics: optional LinkStatistics => Each;
    }
}

rows! {
    struct KeptAlternativeName<'a> as AlternativeName<'a>;
    words {
        device: Vec<u8> = DEVICE, FIRST;
        name: Vec<u8> = "the name", "write `eth0 enp0s3`";
    }
    keys {}
}

rows! {
    struct KeptAddress<'a> as Address<'a>;
    words {
        device: Vec<u8> = DEVICE, FIRST;
        network: IpNetwork = "the address", "write `eth0 192.0.2.10/24`";
    }
    keys {}
}

rows! {
    struct KeptNeighbour<'a> as Neighbour<'a>;
    words {
        device: Vec<u8> = DEVICE, FIRST;
        address: IpAddr = "the address", "write `eth0 192.0.2.1 state=0x02`";
    }
    keys {
        state: needed u16 => Hex = "give the NUD_ bits, 0x02 for reachable";
    }
}

rows! {
    struct KeptLinkModes<'a> as LinkModes;
    words {}
    keys {
        speed_megabits: optional u32;
        duplex: needed u8 = "give 0 for half, 1 for full, 255 for unknown";
    }
}

rows! {
    struct KeptDriver<'a> as Driver<'a>;
    words {}
    keys {
        name: needed Vec<u8> = "give the driver's name, such as e1000e";
        version: default Vec<u8>;
        firmware_version: default Vec<u8>;
        expansion_rom_version: default Vec<u8>;
        bus_info: default Vec<u8>;
    }
}

rows! {
    struct KeptLinkSettings<'a> as LinkSettings;
    words {}
    keys {
        supported: default u32 => Hex;
        advertised: default u32 => Hex;
        autonegotiation: default u8;
    }
}

rows! {
    struct KeptDriverStatistic<'a> as DriverStatistic<'a>;
    words {
        name: Vec<u8> = "the statistic", "write `eth0 rx_bytes 7`";
        value: u64 = "the value", "write `eth0 rx_bytes 7`";
    }
    keys {}
}

rows! {
    struct KeptNtpAnswer<'a> as NtpAnswer;
    words {}
    keys {
        leap: default u8;
        stratum: needed u8 = "give the server's stratum, from 1 to 16";
        offset_nanoseconds: default i64;
        round_trip as "round_trip_seconds": default Duration;
        minimum_error as "minimum_error_seconds": default Duration;
        root_delay as "root_delay_seconds": default Duration;
        root_dispersion as "root_dispersion_seconds": default Duration;
        transmitted as "transmitted_unix_seconds": default Duration;
        reference as "reference_unix_seconds": default Duration;
    }
}

rows! {
    struct KeptPerfCount<'a> as PerfCount;
    words {
        cpu: u32 = "the CPU", "write `page-faults 0 1234`";
        count: Result<u64, Errno> = "the count", "write `page-faults 0 1234`, or `page-faults 0 EMFILE`";
    }
    keys {}
}

rows! {
    struct KeptRoute<'a> as Route<'a>;
    words {
        destination: Option<IpNetwork> = "the destination", "begin the line with `default` or with a network";
    }
    keys {
        device: default Vec<u8>;
        source: optional IpAddr;
        gateway: optional IpAddr;
        priority: default u32;
        protocol: default u8;
        weight: optional u16;
    }
}

rows! {
    struct KeptQdisc<'a> as Qdisc<'a>;
    words {
        device: Vec<u8> = DEVICE, FIRST;
    }
    keys {
        kind: needed Vec<u8> = "give the discipline's name, such as fq_codel";
        parent: default u32 => Hex;
        bytes: default u64;
        packets: default u64;
        drops: default u32;
        requeues: default u32;
        overlimits: default u32;
        queue_length: default u32;
        backlog_bytes: default u32;
    }
}

rows! {
    struct KeptWifiInterface<'a> as WifiInterface<'a>;
    words {
        name: Vec<u8> = DEVICE, FIRST;
    }
    keys {
        index: needed u32 = "give the device's index";
        frequency_megahertz: default u32;
    }
}

rows! {
    struct KeptWifiNetwork<'a> as WifiNetwork<'a>;
    words {}
    keys {
        bssid: default Vec<u8> => HardwareAddress;
        ssid: default Vec<u8>;
        status: needed u32 = "give 0 for authenticated, 1 for associated, 2 for joined";
    }
}

rows! {
    struct KeptWifiStation<'a> as WifiStation<'a>;
    words {}
    keys {
        address: needed Vec<u8> => HardwareAddress = "give the station's hardware address";
        connected as "connected_seconds": default Duration;
        inactive as "inactive_seconds": default Duration;
        receive_bits_per_second: default u64;
        transmit_bits_per_second: default u64;
        signal_dbm: default i8;
        received_bytes: default u64;
        transmitted_bytes: default u64;
        received_packets: default u32;
        transmitted_packets: default u32;
        transmit_retries: default u32;
        transmit_failures: default u32;
        beacon_losses: default u32;
    }
}

rows! {
    by_line SystemdManager;
    words {}
    keys {
        version: default Vec<u8> => Remainder;
        virtualization: default Vec<u8> => Remainder;
        state: default Vec<u8> => Remainder;
    }
}

rows! {
    once struct KeptSeat<'a> as Seat<'a>;
    words {
        name: Vec<u8> = "the seat", FIRST;
    }
    keys {}
}

rows! {
    once struct KeptLoginSession<'a> as LoginSession<'a>;
    words {
        name: Vec<u8> = "the session", FIRST;
    }
    keys {
        seat: default Vec<u8>;
        remote: default u8;
        kind as "type": needed Vec<u8> = "give tty, x11, wayland or another type";
        class: needed Vec<u8> = "give user, greeter or another class";
    }
}

rows! {
    once struct KeptUnit<'a> as Unit<'a>;
    words {
        name: Vec<u8> = "the unit", FIRST;
    }
    keys {
        load_state: needed Vec<u8> = "give loaded, not-found, masked or another state";
        active_state: needed Vec<u8> = "give active, inactive, failed or another state";
        kind as "type": optional Vec<u8>;
        active_since_micros: optional u64;
        restarts: optional u32;
        tasks: optional u64;
        tasks_max: optional u64;
        last_trigger_micros: optional u64;
        accepted: optional u32;
        connections: optional u32;
        refused: optional u32;
    }
}

#[cfg(test)]
mod tests;
