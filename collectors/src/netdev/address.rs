//! Addresses of network devices.

use std::net::IpAddr;

use super::{ADDRESS_INFO, AddressLabels, Netdev};
use crate::kit::filter::Filter;
use crate::kit::label::IpLabel;
use crate::kit::prelude::*;

/// Emits the addresses of every device that is not excluded.
pub(super) fn emit(cx: &mut Cx<'_, Netdev>, devices: &Filter) -> Result<(), Failure> {
    cx.kernel.addresses(&mut |found| {
        if !devices.ignores(found.device) {
            let address = found.network.address.to_canonical();
            let labels = AddressLabels {
                address: &IpLabel(address),
                device: &found.device,
                netmask: &found.network.prefix_length,
                scope: &scope(address),
            };
            cx.page.gauge(ADDRESS_INFO, labels, true);
        }
    })?;
    Ok(())
}

/// The scope of an address; empty for one without, such as most multicast addresses.
fn scope(address: IpAddr) -> &'static str {
    let (is_link_local, is_interface_local, is_broadcast) = match address {
        IpAddr::V4(address) => {
            let [first, second, third, _] = address.octets();
            (address.is_link_local() || [first, second, third] == [224, 0, 0], false, address.is_broadcast())
        }
        IpAddr::V6(address) => {
            let [first, second, ..] = address.octets();
            let is_multicast_of = |scope| first == 0xff && second & 0x0f == scope;
            (address.is_unicast_link_local() || is_multicast_of(2), is_multicast_of(1), false)
        }
    };
    if address.is_loopback() || is_link_local {
        "link-local"
    } else if is_interface_local {
        "interface-local"
    } else if address.is_unspecified() || address.is_multicast() || is_broadcast {
        ""
    } else {
        "global"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_scopes() {
        for (address, expected) in [
            ("127.0.0.1", "link-local"),
            ("169.254.3.4", "link-local"),
            ("224.0.0.251", "link-local"),
            ("224.0.1.1", ""),
            ("239.1.2.3", ""),
            ("0.0.0.0", ""),
            ("255.255.255.255", ""),
            ("192.0.2.1", "global"),
            ("10.0.0.1", "global"),
            ("::1", "link-local"),
            ("fe80::1", "link-local"),
            ("ff02::1", "link-local"),
            ("ff12::1", "link-local"),
            ("ff01::1", "interface-local"),
            ("ff05::2", ""),
            ("::", ""),
            ("2001:db8::1", "global"),
            ("fd00::1", "global"),
        ] {
            assert_eq!(scope(address.parse().expect("an address")), expected, "{address}");
        }
    }
}
