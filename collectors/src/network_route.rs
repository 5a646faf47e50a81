//! Unicast routes of every table, by rtnetlink.

use crate::declare;
use crate::host::kernel::{KernelError, Route};
use crate::kit::label::{IpLabel, NetworkLabel, OrText};
use crate::kit::page::PageOf;
use crate::kit::prelude::*;

/// The network_route collector.
#[derive(Debug)]
pub struct NetworkRoute {
    routes: RouteCounts,
}

declare! {
    NetworkRoute: "network_route", off, "Unicast routes: destination, gateway, device and protocol.";
    labels {
        PerDevice { device }
        RouteLabels { dest, device, gw, priority, proto, src, weight }
    }
    families {
        INFO: Gauge "node_network_route_info" RouteLabels "Next hop of a unicast route; always 1.";
        ROUTES: Gauge "node_network_routes" PerDevice "Next hops of unicast routes through a device.";
    }
}

impl Collect for NetworkRoute {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { routes: RouteCounts::default() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { routes } = self;
        let Cx { page, kernel, .. } = cx;
        routes.reset();
        let answer = kernel.routes(&mut |route| {
            emit(route, page);
            routes.count(route.device);
        });
        routes.each(|device, count| page.gauge(ROUTES, PerDevice { device: &device }, count));
        match answer {
            Ok(()) => Ok(()),
            Err(KernelError::Unsupported) => Err(Failure::no_data("route query: not supported by this host")),
            Err(error) => Err(Failure::error(format_args!("route query: {error}"))),
        }
    }
}

fn emit(route: &Route<'_>, page: &mut PageOf<'_, NetworkRoute>) {
    let [gateway, source] = [route.gateway, route.source].map(|address| OrText(address.map(IpLabel), ""));
    let labels = RouteLabels {
        dest: &OrText(route.destination.map(NetworkLabel), "default"),
        device: &route.device,
        gw: &gateway,
        priority: &route.priority,
        proto: &protocol(route.protocol),
        src: &source,
        weight: &OrText(route.weight, ""),
    };
    page.gauge(INFO, labels, true);
}

/// The name of an `RTPROT_` number of include/uapi/linux/rtnetlink.h, for those that node_exporter knows.
fn protocol(number: u8) -> &'static str {
    match number {
        0 => "unspec",
        1 => "redirect",
        2 => "kernel",
        3 => "boot",
        4 => "static",
        8 => "gated",
        9 => "ra",
        10 => "mrt",
        11 => "zebra",
        12 => "bird",
        13 => "dnrouted",
        14 => "xorp",
        15 => "ntk",
        16 => "dhcp",
        17 => "mrouted",
        42 => "babel",
        186 => "bgp",
        187 => "isis",
        188 => "ospf",
        189 => "rip",
        192 => "eigrp",
        _ => "unknown",
    }
}

/// Routes of each device, in memory that the next scrape reuses.
#[derive(Default, Debug)]
struct RouteCounts {
    /// By name.
    devices: Vec<(Box<[u8]>, u64)>,
    /// The index of the last device: the kernel lists many routes of a device in a row.
    last: usize,
}

impl RouteCounts {
    fn reset(&mut self) {
        // Devices without routes in the last scrape are mostly removed ones.
        self.devices.retain(|(_, count)| *count > 0);
        self.last = 0;
        for (_, count) in &mut self.devices {
            *count = 0;
        }
    }

    fn count(&mut self, device: &[u8]) {
        if self.devices.get(self.last).is_none_or(|(last, _)| **last != *device) {
            self.last = match self.devices.binary_search_by(|(known, _)| (**known).cmp(device)) {
                Ok(at) => at,
                Err(at) => {
                    self.devices.insert(at, (device.into(), 0));
                    at
                }
            };
        }
        if let Some((_, count)) = self.devices.get_mut(self.last) {
            *count += 1;
        }
    }

    fn each(&self, mut visit: impl FnMut(&[u8], u64)) {
        for (device, count) in self.devices.iter().filter(|(_, count)| *count > 0) {
            visit(device, *count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::errno::Errno;
    use crate::host::kernel::Kernel;
    use crate::host::kernel::Question;
    use crate::kit::testing::{given, scrape};
    use std::sync::Mutex;

    const ROUTES: &str = "== kernel/routes\n\
        default device=eth0 gateway=192.0.2.1 protocol=16 priority=100\n\
        192.0.2.0/24 device=eth0 source=192.0.2.7 protocol=2\n\
        198.51.100.0/24 device=wg0 protocol=3\n\
        2001:db8:1::/48 device=eth0 gateway=fe80::1 priority=1024 protocol=9 weight=1\n\
        2001:db8:1::/48 device=wg0 priority=1024 protocol=9 weight=256\n";

    #[test]
    fn each_next_hop_is_exported() {
        given(ROUTES).emits::<NetworkRoute>(
            "node_network_route_info{dest=\"192.0.2.0/24\",device=\"eth0\",gw=\"\",priority=\"0\",proto=\"kernel\",src=\"192.0.2.7\",weight=\"\"} 1\n\
             node_network_route_info{dest=\"198.51.100.0/24\",device=\"wg0\",gw=\"\",priority=\"0\",proto=\"boot\",src=\"\",weight=\"\"} 1\n\
             node_network_route_info{dest=\"2001:db8:1::/48\",device=\"eth0\",gw=\"fe80::1\",priority=\"1024\",proto=\"ra\",src=\"\",weight=\"1\"} 1\n\
             node_network_route_info{dest=\"2001:db8:1::/48\",device=\"wg0\",gw=\"\",priority=\"1024\",proto=\"ra\",src=\"\",weight=\"256\"} 1\n\
             node_network_route_info{dest=\"default\",device=\"eth0\",gw=\"192.0.2.1\",priority=\"100\",proto=\"dhcp\",src=\"\",weight=\"\"} 1\n\
             node_network_routes{device=\"eth0\"} 3\n\
             node_network_routes{device=\"wg0\"} 2\n",
        );
        given("== kernel/routes\n").emits::<NetworkRoute>("");
    }

    #[test]
    fn a_route_without_a_device_has_an_empty_label() {
        given("== kernel/routes\ndefault gateway=192.0.2.1 protocol=99\n").emits::<NetworkRoute>(
            "node_network_route_info{dest=\"default\",device=\"\",gw=\"192.0.2.1\",priority=\"0\",proto=\"unknown\",src=\"\",weight=\"\"} 1\n\
             node_network_routes{device=\"\"} 1\n",
        );
    }

    #[test]
    fn addresses_of_ipv4_in_ipv6_form_are_those_of_ipv4() {
        given("== kernel/routes\n::ffff:192.0.2.0/120 device=eth0 gateway=::ffff:192.0.2.1\n").emits::<NetworkRoute>(
            "node_network_route_info{dest=\"::ffff:192.0.2.0/120\",device=\"eth0\",gw=\"192.0.2.1\",priority=\"0\",proto=\"unspec\",src=\"\",weight=\"\"} 1\n\
             node_network_routes{device=\"eth0\"} 1\n",
        );
    }

    /// Two tables may have the same route, which is then two routes of the device and one series.
    #[test]
    fn routes_of_equal_labels_are_one_series_and_count_twice() {
        let twice = "== kernel/routes\n192.0.2.0/24 device=eth0\n192.0.2.0/24 device=eth0\n";
        let scraped = given(twice).scrape::<NetworkRoute>();
        assert_eq!((scraped.duplicates, &*scraped.complaints), (1, &[][..]));
        assert!(scraped.samples().ends_with("node_network_routes{device=\"eth0\"} 2\n"), "{}", scraped.samples());
        assert_eq!(scraped.samples().lines().count(), 2);
    }

    #[test]
    fn a_host_without_the_query_has_no_data() {
        given("").fails::<NetworkRoute>("", "route query: not supported by this host");
    }

    /// A kernel with a route through each of these devices, and this end of the answer.
    #[derive(Debug)]
    struct Answering(Mutex<(Vec<&'static str>, Result<(), KernelError>)>);

    impl Kernel for Answering {
        fn ask(&self, question: Question<'_>) -> Result<(), KernelError> {
            let Question::Routes(visit) = question else { return Err(KernelError::Unsupported) };
            let state = self.0.lock().expect("the test's state");
            for device in &state.0 {
                visit(&Route { device: device.as_bytes(), ..Route::default() });
            }
            state.1
        }
    }

    #[test]
    fn an_error_keeps_what_was_read_before() {
        let refused = Answering(Mutex::new((vec!["eth0"], Err(Errno::ENOBUFS.into()))));
        let expected = "node_network_route_info{dest=\"default\",device=\"eth0\",gw=\"\",priority=\"0\",proto=\"unspec\",src=\"\",weight=\"\"} 1\n\
             node_network_routes{device=\"eth0\"} 1\n";
        given("").kernel(refused).fails::<NetworkRoute>(expected, "route query: no buffer space available (ENOBUFS)");
    }

    #[test]
    fn counts_are_those_of_the_current_scrape() {
        let kernel = std::sync::Arc::new(Answering(Mutex::new((vec![], Ok(())))));
        let scraper = given("").shared_kernel(kernel.clone()).scraper::<NetworkRoute>().expect("no flags");
        for devices in [vec!["b", "a", "b", "c"], vec!["d", "b"], vec![], vec!["a", "d"]] {
            let mut expected: Vec<&str> = devices.clone();
            expected.sort_unstable();
            expected.dedup();
            let count = |device: &str| devices.iter().filter(|found| **found == device).count();
            let expected: Vec<String> = expected
                .iter()
                .map(|device| format!("node_network_routes{{device=\"{device}\"}} {}", count(device)))
                .collect();
            kernel.0.lock().expect("the test's state").0.clone_from(&devices);
            let samples = scrape(&scraper).samples();
            let found: Vec<&str> = samples.lines().filter(|line| line.starts_with("node_network_routes")).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_hundred_thousand_routes_are_exported() {
        const COUNT: usize = 100_000;
        let rows = (0..COUNT).map(|number| {
            let [_, high, middle, low] = u32::try_from(number).expect("a small number").to_be_bytes();
            format!("172.{}.{middle}.{low}/32 device=eth{} protocol=186\n", 16 + high, number % 2)
        });
        let entry: String = std::iter::once("== kernel/routes\n".to_owned()).chain(rows).collect();
        let scraped = given(&entry).scrape::<NetworkRoute>();
        assert_eq!((scraped.duplicates, &*scraped.complaints), (0, &[][..]));
        let samples = scraped.samples();
        assert_eq!(samples.lines().count(), COUNT + 2);
        assert!(
            samples
                .ends_with("node_network_routes{device=\"eth0\"} 50000\nnode_network_routes{device=\"eth1\"} 50000\n")
        );
    }
}
