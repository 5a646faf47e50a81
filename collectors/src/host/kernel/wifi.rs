//! Wireless interfaces, networks and stations, as nl80211 reports them.

use std::time::Duration;

/// A wireless interface from `NL80211_CMD_GET_INTERFACE`. Virtual interfaces without a network device have no name and are
/// skipped.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct WifiInterface<'a> {
    /// The name of the interface.
    pub name: &'a [u8],
    /// The index of its device.
    pub index: u32,
    /// Centre frequency of its channel; 0 without a channel.
    pub frequency_megahertz: u32,
}

/// `NL80211_BSS_STATUS_AUTHENTICATED`.
pub const STATUS_AUTHENTICATED: u32 = 0;
/// `NL80211_BSS_STATUS_ASSOCIATED`.
pub const STATUS_ASSOCIATED: u32 = 1;
/// `NL80211_BSS_STATUS_IBSS_JOINED`.
pub const STATUS_JOINED: u32 = 2;

/// The network that an interface belongs to, from `NL80211_CMD_GET_SCAN`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct WifiNetwork<'a> {
    /// The address of its access point.
    pub bssid: &'a [u8],
    /// Its name, any bytes.
    pub ssid: &'a [u8],
    /// Status of the interface in it, a `NL80211_BSS_STATUS_` number.
    pub status: u32,
}

/// A station that an interface exchanges frames with, from `NL80211_CMD_GET_STATION`. Fields that a driver omits are 0.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct WifiStation<'a> {
    /// Its hardware address.
    pub address: &'a [u8],
    /// Time since it connected.
    pub connected: Duration,
    /// Time since it last sent a frame.
    pub inactive: Duration,
    /// Rate of the last frame received from it.
    pub receive_bits_per_second: u64,
    /// Rate of the last frame sent to it.
    pub transmit_bits_per_second: u64,
    /// Strength of the last signal received from it.
    pub signal_dbm: i8,
    /// Bytes received from it.
    pub received_bytes: u64,
    /// Bytes sent to it.
    pub transmitted_bytes: u64,
    /// Packets received from it.
    pub received_packets: u32,
    /// Packets sent to it.
    pub transmitted_packets: u32,
    /// Retries of frames sent to it.
    pub transmit_retries: u32,
    /// Frames that could not be sent to it.
    pub transmit_failures: u32,
    /// Beacons of it that were missed.
    pub beacon_losses: u32,
}
