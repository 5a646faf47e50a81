//! Parts that several profiles share.

pub(super) mod cpus;
pub(super) mod disks;
pub(super) mod distribution;
pub(super) mod hardware;
pub(in crate::profile) mod identity;
pub(super) mod interrupts;
pub(in crate::profile) mod links;
pub(super) mod memory;
pub(super) mod mounts;
pub(super) mod pci;
pub(super) mod sensors;
pub(super) mod stack;
mod usb;
