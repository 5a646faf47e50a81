//! Pods and containers that come and go: each has a place, and another may have taken it.

use super::Machine;
use crate::profile::Settings;
use crate::seed::Seed;

/// Who makes the machine with others in their places.
#[derive(Clone, Debug)]
pub(crate) struct Pods {
    /// How many places there are.
    pub(crate) count: usize,
    pub(crate) settings: Settings,
    pub(crate) make: fn(Seed, &Settings, &Tenants) -> Machine,
}

/// Who is in which place: how often it was given to another, and when last.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Tenants(Vec<Tenant>);

/// Of a place.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Tenant {
    /// How many were there before.
    pub(crate) number: u64,
    /// When it came, in microseconds since 1970; long ago for the first.
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
    /// What the tenant's names are made of, out of what those of the first are.
    pub(crate) fn seed(self, of_place: Seed) -> Seed {
        if self.number == 0 { of_place } else { of_place.of("tenant").at(self.number) }
    }

    /// The number of its network device, where so many have one: none is given twice.
    pub(crate) fn index(self, first: u32, count: usize) -> u32 {
        let more = self.number.saturating_mul(2 * count as u64 + 16);
        first.saturating_add(u32::try_from(more).unwrap_or(u32::MAX))
    }
}

impl Machine {
    /// The same with these pods.
    pub(crate) fn with_tenants(&self, tenants: &Tenants) -> Self {
        let Some(Pods { settings, make, .. }) = &self.pods else { return self.clone() };
        let Self { mounts, interfaces, neighbours, balancer, control_groups, .. } = make(self.seed, settings, tenants);
        Self { mounts, interfaces, neighbours, balancer, control_groups, ..self.clone() }.placed()
    }
}
