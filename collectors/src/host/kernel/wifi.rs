//! Wireless interfaces, networks and stations, as the kernel tells them.

use std::time::Duration;

/// One wireless interface as nl80211's `NL80211_CMD_GET_INTERFACE` tells it. A virtual one that is no network device,
/// and so has no name, is not told.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct WifiInterface<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// The index of its device.
    pub index: u32,
    /// The middle of its channel; 0 where it is on none.
    pub frequency_megahertz: u32,
}

/// `NL80211_BSS_STATUS_AUTHENTICATED`.
pub const STATUS_AUTHENTICATED: u32 = 0;
/// `NL80211_BSS_STATUS_ASSOCIATED`.
pub const STATUS_ASSOCIATED: u32 = 1;
/// `NL80211_BSS_STATUS_IBSS_JOINED`.
pub const STATUS_JOINED: u32 = 2;

/// The network that an interface belongs to, as `NL80211_CMD_GET_SCAN` tells it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct WifiNetwork<'a> {
    /// The address of its access point.
    pub bssid: &'a [u8],
    /// Its name, any bytes.
    pub ssid: &'a [u8],
    /// How the interface belongs to it: one of the `NL80211_BSS_STATUS_` numbers.
    pub status: u32,
}

/// A station that an interface talks with, as `NL80211_CMD_GET_STATION` tells it. What a driver leaves out is 0.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct WifiStation<'a> {
    /// Its hardware address.
    pub address: &'a [u8],
    /// For how long it has been connected.
    pub connected: Duration,
    /// For how long it has been silent.
    pub inactive: Duration,
    /// The rate at which it was last received.
    pub receive_bits_per_second: u64,
    /// The rate at which it was last sent to.
    pub transmit_bits_per_second: u64,
    /// The strength of its last signal.
    pub signal_dbm: i8,
    /// Bytes received from it.
    pub received_bytes: u64,
    /// Bytes sent to it.
    pub transmitted_bytes: u64,
    /// Packets received from it.
    pub received_packets: u32,
    /// Packets sent to it.
    pub transmitted_packets: u32,
    /// How often sending to it was tried again.
    pub transmit_retries: u32,
    /// How often sending to it failed.
    pub transmit_failures: u32,
    /// How often its beacon was missed.
    pub beacon_losses: u32,
}
