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
#[cfg(target_os = "linux")]
#[path = "network/time.rs"]
mod time;

const NEEDS: &[Requirement] = &[Requirement::Namespaces, Requirement::Peer, Requirement::Exporter];
const NEEDS_CHRONY: &[Requirement] =
    &[Requirement::Namespaces, Requirement::Peer, Requirement::Exporter, Requirement::Chrony];

/// Declares the cases once, for the outer program and for the one in the namespace.
macro_rules! cases {
    ($($module:ident :: $case:ident: $needs:ident),* $(,)?) => {
        /// Runs each case in a namespace of its own.
        const TRIALS: &[(&str, &[Requirement], fn())] =
            &[$((stringify!($case), $needs, || in_namespace(stringify!($case)))),*];

        /// The cases by name, which the inner program runs.
        #[cfg(target_os = "linux")]
        const CASES: &[(&str, fn())] = &[$((stringify!($case), $module::$case)),*];
    };
}

cases! {
    devices::the_peer_agrees_about_devices: NEEDS,
    devices::the_peer_agrees_about_neighbours: NEEDS,
    drivers::the_peer_agrees_about_drivers: NEEDS,
    routes::the_peer_agrees_about_routes: NEEDS,
    routes::a_hundred_thousand_routes_are_exported: NEEDS,
    time::the_peer_agrees_about_ntp: NEEDS_CHRONY,
}

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if let Some(code) = inside::run_if_marked() {
        return code;
    }
    requirements::run(TRIALS)
}

/// Runs the case of this name in a namespace of its own.
fn in_namespace(case: &str) {
    #[cfg(target_os = "linux")]
    inside::case(case);
    #[cfg(not(target_os = "linux"))]
    unreachable!("{case}: network namespaces exist on Linux only");
}
