//! Network devices and their neighbours, added one by one.

use super::Canned;
use super::answers::{OwnedAddress, OwnedLink, OwnedNeighbour};
use crate::host::kernel::{Address, AlternativeName, Link, LinkModes, Neighbour};

impl Canned {
    /// Adds a network device.
    #[must_use]
    pub fn with_link(mut self, link: &Link<'_>) -> Self {
        self.answers.links.get_or_insert_default().push(OwnedLink::from(link));
        self
    }

    /// Adds an address of a device.
    #[must_use]
    pub fn with_address(mut self, address: &Address<'_>) -> Self {
        let Address { device, address, prefix_length } = *address;
        let known = self.answers.addresses.get_or_insert_default();
        known.push(OwnedAddress { device: device.to_vec(), address, prefix_length });
        self
    }

    /// Adds an alternative name of a device.
    #[must_use]
    pub fn with_alternative_name(mut self, found: &AlternativeName<'_>) -> Self {
        let known = self.answers.alternative_names.get_or_insert_default();
        known.push((found.device.to_vec(), found.name.to_vec()));
        self
    }

    /// Adds a neighbour.
    #[must_use]
    pub fn with_neighbour(mut self, neighbour: &Neighbour<'_>) -> Self {
        let Neighbour { device, address, state } = *neighbour;
        let known = self.answers.neighbours.get_or_insert_default();
        known.push(OwnedNeighbour { device: device.to_vec(), address, state });
        self
    }

    /// Adds speed and duplex of a device.
    #[must_use]
    pub fn with_link_modes(mut self, device: impl AsRef<[u8]>, modes: LinkModes) -> Self {
        self.answers.link_modes.get_or_insert_default().insert(device.as_ref().to_vec(), modes);
        self
    }
}
