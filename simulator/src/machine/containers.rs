//! Control groups of containers, services of a supervisor, and what balances load between servers.

use std::net::Ipv4Addr;

use crate::wave::Wave;

/// A control group of a container or a pod.
#[derive(Clone, Debug)]
pub(crate) struct ControlGroup {
    /// Below the root of the hierarchy: `kubepods.slice/kubepods-pod1.slice`.
    pub(crate) path: String,
    /// Of its own, without those of groups below.
    pub(crate) processes: u32,
    pub(crate) load: Option<GroupLoad>,
    /// When it came, in microseconds since 1970, if that was after the start of the host.
    pub(crate) born_micros: u64,
}

/// What the processes of a group take.
#[derive(Clone, Debug)]
pub(crate) struct GroupLoad {
    pub(crate) wave: Wave,
    /// Of one CPU, in thousandths.
    pub(crate) cpu_permille: u64,
    pub(crate) memory_bytes: u64,
}

/// A service that runit supervises.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SupervisedService {
    pub(crate) name: &'static str,
    pub(crate) is_running: bool,
    /// Whether it waits until somebody starts it.
    pub(crate) is_down_at_first: bool,
    /// When it changed last, after the start of the host.
    pub(crate) changed_seconds: u64,
}

/// IPVS.
#[derive(Clone, Debug)]
pub(crate) struct Balancer {
    pub(crate) wave: Wave,
    /// In thousandths a second.
    pub(crate) connections_milli: u64,
    pub(crate) services: Vec<BalancedService>,
}

/// An address that connections come to, and the servers that they are passed on to.
#[derive(Clone, Debug)]
pub(crate) struct BalancedService {
    pub(crate) protocol: &'static str,
    pub(crate) address: Ipv4Addr,
    pub(crate) port: u16,
    pub(crate) servers: Vec<(Ipv4Addr, u16)>,
}
