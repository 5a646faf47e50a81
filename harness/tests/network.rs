//! Network collectors in a network namespace that the test makes: Debian's node_exporter and ours read the same routes,
//! neighbours, devices and drivers, and their pages agree. The program runs itself again in the namespace.

use std::process::ExitCode;

use harness::requirements::{self, Requirement};

#[cfg(target_os = "linux")]
#[path = "network/devices.rs"]
mod devices;
#[cfg(target_os = "linux")]
#[path = "network/drivers.rs"]
mod drivers;
#[cfg(target_os = "linux")]
#[path = "network/inside.rs"]
mod inside;
#[cfg(target_os = "linux")]
#[path = "network/routes.rs"]
mod routes;

const NEEDS: &[Requirement] = &[Requirement::Namespaces, Requirement::Peer, Requirement::Exporter];

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if let Some(code) = inside::run_if_marked() {
        return code;
    }
    requirements::run(&[
        ("the_peer_agrees_about_devices", NEEDS, || in_namespace("the_peer_agrees_about_devices")),
        ("the_peer_agrees_about_neighbours", NEEDS, || in_namespace("the_peer_agrees_about_neighbours")),
        ("the_peer_agrees_about_drivers", NEEDS, || in_namespace("the_peer_agrees_about_drivers")),
        ("the_peer_agrees_about_routes", NEEDS, || in_namespace("the_peer_agrees_about_routes")),
        ("a_hundred_thousand_routes_are_exported", NEEDS, || in_namespace("a_hundred_thousand_routes_are_exported")),
    ])
}

/// Runs the case of this name in a namespace of its own.
fn in_namespace(case: &str) {
    #[cfg(target_os = "linux")]
    inside::case(case);
    #[cfg(not(target_os = "linux"))]
    unreachable!("{case}: network namespaces exist on Linux only");
}
