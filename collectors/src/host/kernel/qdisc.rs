//! Queueing disciplines, as rtnetlink reports them.

/// `TC_H_ROOT`: the parent of a device's root discipline.
pub const PARENT_ROOT: u32 = u32::MAX;

/// A queueing discipline from `RTM_GETQDISC`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Qdisc<'a> {
    /// The name of its device.
    pub device: &'a [u8],
    /// The name of the discipline: `fq_codel`.
    pub kind: &'a [u8],
    /// The handle of the class or discipline that it belongs to; 0 or [`PARENT_ROOT`] at the root.
    pub parent: u32,
    /// Bytes sent.
    pub bytes: u64,
    /// Packets sent.
    pub packets: u64,
    /// Packets dropped.
    pub drops: u32,
    /// Packets requeued because the device did not accept them.
    pub requeues: u32,
    /// Times that a limit delayed packets.
    pub overlimits: u32,
    /// Packets in the queue.
    pub queue_length: u32,
    /// Bytes in the queue.
    pub backlog_bytes: u32,
}

impl Qdisc<'_> {
    /// Whether it is the root discipline of its device, which all packets pass.
    pub const fn is_root(&self) -> bool {
        matches!(self.parent, 0 | PARENT_ROOT)
    }
}
