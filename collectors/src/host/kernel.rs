//! Host access that is not a file: clocks, `uname`, `statfs`, netlink dumps.
//!
//! [`Kernel`] has one method, which takes a [`Question`]. [`linux::Linux`] answers from the running kernel,
//! [`canned::Canned`] from a `.tree` file, and the simulator from its machine. A kernel that cannot answer returns
//! [`KernelError::Unsupported`]; the collector then falls back to a file or reports no data.
//!
//! A new question takes an arm of [`Question`] with its entry and subject, a typed method of `dyn Kernel`, the
//! exchange in `linux`, and a row table in `canned`.

pub mod btrfs;
pub mod canned;
pub mod clock;
pub mod dbus;
#[cfg(target_os = "linux")]
pub mod linux;
pub mod netlink;
pub mod network;
pub mod ntp;
pub mod perf;
mod question;
pub mod systemd;
pub mod timex;
pub mod wifi;

use std::fmt;

use super::errno::Errno;

pub use network::{Driver, DriverStatistic, LinkSettings, Qdisc, Route};
pub use ntp::{NtpAnswer, NtpQuery};
pub use perf::{PerfCount, PerfQuery};
pub use question::{Kernel, Question};
pub use timex::Timex;
pub use wifi::{WifiInterface, WifiNetwork, WifiStation};

/// Why a question was not answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KernelError {
    /// This kernel does not support the question.
    Unsupported,
    /// The system call failed.
    Errno(Errno),
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => f.write_str("this host has no answer to that question"),
            Self::Errno(errno) => errno.fmt(f),
        }
    }
}

impl From<Errno> for KernelError {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

/// The answer of `uname(2)`, in reusable buffers.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Uname {
    /// `Linux`.
    pub sysname: Vec<u8>,
    /// `6.12.0`.
    pub release: Vec<u8>,
    /// `#1 SMP …`.
    pub version: Vec<u8>,
    /// `x86_64`.
    pub machine: Vec<u8>,
    /// The host's name.
    pub nodename: Vec<u8>,
    /// The NIS domain name, usually `(none)`.
    pub domainname: Vec<u8>,
}

/// The time zone in force.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Zone {
    /// Its abbreviation: `CET`.
    pub name: Vec<u8>,
    /// Seconds east of Greenwich.
    pub offset_seconds: i32,
}

/// The answer of `statfs(2)`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct StatFs {
    /// Bytes in a block.
    pub block_size: u64,
    /// Total blocks.
    pub blocks: u64,
    /// Free blocks.
    pub blocks_free: u64,
    /// Free blocks that unprivileged users may take.
    pub blocks_available: u64,
    /// Total inodes.
    pub files: u64,
    /// Free inodes.
    pub files_free: u64,
}

/// A network device from `RTM_GETLINK`. Attributes that a kernel omits are `None`.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Link<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// `ifi_index`.
    pub index: u32,
    /// `ifi_type`, an `ARPHRD_` number.
    pub protocol_type: u16,
    /// `ifi_flags`, `IFF_` bits.
    pub flags: u32,
    /// `IFLA_ADDRESS`.
    pub address: Option<&'a [u8]>,
    /// `IFLA_BROADCAST`.
    pub broadcast: Option<&'a [u8]>,
    /// `IFLA_IFALIAS`.
    pub alias: Option<&'a [u8]>,
    /// `IFLA_MTU`.
    pub mtu: Option<u32>,
    /// `IFLA_LINK`: the index of the device below.
    pub link: Option<u32>,
    /// `IFLA_TXQLEN`.
    pub transmit_queue_length: Option<u32>,
    /// `IFLA_OPERSTATE`.
    pub operstate: Option<u8>,
    /// `IFLA_LINKMODE`.
    pub link_mode: Option<u8>,
    /// `IFLA_GROUP`.
    pub group: Option<u32>,
    /// `IFLA_PROMISCUITY`: how many users need all packets. A count above 0 is the bit `IFF_PROMISC` of sysfs.
    pub promiscuity: Option<u32>,
    /// `IFLA_ALLMULTI`, since 6.0: how many users need all multicast packets. A count above 0 is `IFF_ALLMULTI` of sysfs.
    pub all_multicast: Option<u32>,
    /// `IFLA_CARRIER`.
    pub carrier: Option<u8>,
    /// `IFLA_CARRIER_CHANGES`.
    pub carrier_changes: Option<u32>,
    /// `IFLA_CARRIER_UP_COUNT`.
    pub carrier_up_changes: Option<u32>,
    /// `IFLA_CARRIER_DOWN_COUNT`.
    pub carrier_down_changes: Option<u32>,
    /// `IFLA_STATS64`.
    pub statistics: Option<LinkStatistics>,
}

/// `struct rtnl_link_stats64`, by the names of its fields.
#[expect(missing_docs, reason = "the kernel's own field names, documented in include/uapi/linux/if_link.h")]
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct LinkStatistics {
    pub rx_packets: u64,
    pub tx_packets: u64,
    pub rx_bytes: u64,
    pub tx_bytes: u64,
    pub rx_errors: u64,
    pub tx_errors: u64,
    pub rx_dropped: u64,
    pub tx_dropped: u64,
    pub multicast: u64,
    pub collisions: u64,
    pub rx_length_errors: u64,
    pub rx_over_errors: u64,
    pub rx_crc_errors: u64,
    pub rx_frame_errors: u64,
    pub rx_fifo_errors: u64,
    pub rx_missed_errors: u64,
    pub tx_aborted_errors: u64,
    pub tx_carrier_errors: u64,
    pub tx_fifo_errors: u64,
    pub tx_heartbeat_errors: u64,
    pub tx_window_errors: u64,
    pub rx_compressed: u64,
    pub tx_compressed: u64,
    pub rx_nohandler: u64,
}

/// An address of a network device, from `RTM_GETADDR`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Address<'a> {
    /// The device's name.
    pub device: &'a [u8],
    /// The address with the network that it is in.
    pub network: IpNetwork,
}

/// An IP address with the length of its network's prefix: `192.0.2.10/24`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IpNetwork {
    /// The address.
    pub address: std::net::IpAddr,
    /// Bits of the network.
    pub prefix_length: u8,
}

impl IpNetwork {
    /// The bits of an address, which are the longest prefix.
    pub const fn bits(address: std::net::IpAddr) -> u8 {
        if address.is_ipv4() { 32 } else { 128 }
    }
}

/// An IPv4 neighbour, from `RTM_GETNEIGH`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Neighbour<'a> {
    /// The device's name.
    pub device: &'a [u8],
    /// Its address.
    pub address: std::net::IpAddr,
    /// `ndm_state`, `NUD_` bits.
    pub state: u16,
}

/// An alternative name of a network device, from `IFLA_ALT_IFNAME`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AlternativeName<'a> {
    /// The device's own name.
    pub device: &'a [u8],
    /// The alternative name.
    pub name: &'a [u8],
}

/// Speed and duplex of a network device, from ethtool's `LINKMODES_GET`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct LinkModes {
    /// Megabits a second; `None` where unknown.
    pub speed_megabits: Option<u32>,
    /// 0 half, 1 full, 255 unknown.
    pub duplex: u8,
}
