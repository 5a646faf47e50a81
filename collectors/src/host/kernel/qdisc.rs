//! Queueing disciplines, as the kernel tells them.

/// `TC_H_ROOT`: the parent of what stands at the root of a device.
pub const PARENT_ROOT: u32 = u32::MAX;

/// One queueing discipline as rtnetlink's `RTM_GETQDISC` tells it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Qdisc<'a> {
    /// The name of the device that it queues for.
    pub device: &'a [u8],
    /// Which discipline it is: `fq_codel`.
    pub kind: &'a [u8],
    /// The handle of the class or discipline that it belongs to; 0 or [`PARENT_ROOT`] at the root.
    pub parent: u32,
    /// Bytes sent.
    pub bytes: u64,
    /// Packets sent.
    pub packets: u64,
    /// Packets dropped.
    pub drops: u32,
    /// Packets that the device did not take and that were queued again.
    pub requeues: u32,
    /// How often a limit held packets back.
    pub overlimits: u32,
    /// Packets in the queue.
    pub queue_length: u32,
    /// Bytes in the queue.
    pub backlog_bytes: u32,
}

impl Qdisc<'_> {
    /// Whether it stands at the root of its device, so that everything goes through it.
    pub const fn is_root(&self) -> bool {
        matches!(self.parent, 0 | PARENT_ROOT)
    }
}
