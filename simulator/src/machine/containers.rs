//! Containers: control groups, pods that are replaced, supervised services and the load balancer IPVS.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::Machine;
use crate::seed::Seed;
use crate::wave::Wave;

/// A control group of a container or a pod.
#[derive(Clone, Debug)]
pub(crate) struct ControlGroup {
    /// Below the root of the hierarchy: `kubepods.slice/kubepods-pod1.slice`.
    pub(crate) path: String,
    /// Processes of the group itself, without those of groups below.
    pub(crate) processes: u32,
    pub(crate) load: Option<GroupLoad>,
    /// The time of its creation in microseconds since 1970; 0 if it is older than the boot.
    pub(crate) born_micros: u64,
}

/// The CPU time and memory of a control group.
#[derive(Clone, Debug)]
pub(crate) struct GroupLoad {
    pub(crate) wave: Wave,
    /// In thousandths of one CPU.
    pub(crate) cpu_permille: u64,
    pub(crate) memory_bytes: u64,
}

/// A service that runit supervises.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SupervisedService {
    pub(crate) name: &'static str,
    pub(crate) is_running: bool,
    /// Whether it starts only on request.
    pub(crate) is_down_at_first: bool,
    /// The time of its last change, after the boot.
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

/// A virtual address and its real servers.
#[derive(Clone, Debug)]
pub(crate) struct BalancedService {
    pub(crate) protocol: &'static str,
    pub(crate) address: Ipv4Addr,
    pub(crate) port: u16,
    pub(crate) servers: Vec<(Ipv4Addr, u16)>,
}

/// The places of pods on a host.
#[derive(Clone, Debug)]
pub(crate) struct Pods {
    /// The number of places.
    pub(crate) count: usize,
    pub(crate) template: Arc<dyn PodTemplate>,
}

/// Makes the machine again with other pods in its places. A profile implements it.
pub(crate) trait PodTemplate: Send + Sync + fmt::Debug {
    fn machine(&self, seed: Seed, tenants: &Tenants) -> Machine;
}

/// The current pod of each place.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Tenants(Vec<Tenant>);

/// The pod in a place.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Tenant {
    /// The number of pods that were in the place before.
    pub(crate) number: u64,
    /// The time of its creation in microseconds since 1970; 0 for the first pod.
    pub(crate) born_micros: u64,
}

impl Tenants {
    pub(crate) fn new(count: usize) -> Self {
        Self(vec![Tenant::default(); count])
    }

    pub(crate) fn set(&mut self, place: usize, tenant: Tenant) {
        if let Some(held) = self.0.get_mut(place) {
            *held = tenant;
        }
    }

    pub(crate) fn of(&self, place: usize) -> Tenant {
        self.0.get(place).copied().unwrap_or_default()
    }
}

impl Tenant {
    /// The seed of the pod's names, derived from that of the place.
    pub(crate) fn seed(self, of_place: Seed) -> Seed {
        if self.number == 0 { of_place } else { of_place.of("tenant").at(self.number) }
    }

    /// The index of the pod's network device, which no other pod has or had. `count` is the number of places.
    pub(crate) fn index(self, first: u32, count: usize) -> u32 {
        let more = self.number.saturating_mul(2 * count as u64 + 16);
        first.saturating_add(u32::try_from(more).unwrap_or(u32::MAX))
    }
}

impl Machine {
    /// This machine with other pods.
    pub(crate) fn with_tenants(&self, tenants: &Tenants) -> Self {
        let Some(Pods { template, .. }) = &self.pods else { return self.clone() };
        let Self { mounts, interfaces, neighbours, balancer, control_groups, .. } =
            template.machine(self.seed, tenants);
        Self { mounts, interfaces, neighbours, balancer, control_groups, ..self.clone() }.placed()
    }
}
