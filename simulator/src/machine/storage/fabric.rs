//! What leads to devices: NVMe controllers, ports of Fibre Channel, and the tapes behind them.

use super::super::block::{Flow, ScsiDevice};
use crate::wave::Wave;

/// A controller of NVMe with its subsystem, which has no other.
#[derive(Clone, Debug)]
pub(crate) struct NvmeController {
    pub(crate) number: u32,
    /// Its folder below /sys/devices.
    pub(crate) path: String,
    pub(crate) namespace: usize,
    pub(crate) model: &'static str,
    pub(crate) firmware: &'static str,
    pub(crate) serial: String,
    pub(crate) controller_id: u32,
    /// The device that it is on the bus: `0000:01:00.0`.
    pub(crate) address: String,
    /// How full it is, in thousandths of its blocks.
    pub(crate) used_permille: u64,
    /// How good a way to the namespace it is, where there are several.
    pub(crate) access_state: Option<&'static str>,
}

/// A port of an adapter of Fibre Channel.
#[derive(Clone, Debug)]
pub(crate) struct FibreChannel {
    /// The number of its SCSI host.
    pub(crate) host: u32,
    /// The folder of the adapter below /sys/devices.
    pub(crate) path: String,
    pub(crate) node_name: u64,
    pub(crate) port_name: u64,
    pub(crate) fabric_name: u64,
    pub(crate) port_id: u32,
    pub(crate) model: &'static str,
    /// The disks that are reached through it.
    pub(crate) disks: Vec<usize>,
    /// The tapes, by their place among the tapes.
    pub(crate) tapes: Vec<usize>,
}

/// A tape drive.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    pub(crate) number: u32,
    pub(crate) scsi: ScsiDevice,
    pub(crate) wave: Wave,
    /// Its blocks are of 4 KiB, too; a request has many.
    pub(crate) reads: Flow,
    pub(crate) writes: Flow,
    /// Winding, rewinding, marks.
    pub(crate) others_milli: u64,
}
