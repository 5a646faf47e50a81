//! Network collectors in a network namespace that the test makes: Debian's node_exporter and ours read the same routes,
//! neighbours, devices and drivers, and their pages agree. The program runs itself again in the namespace.

use std::process::ExitCode;

use harness::requirements::{self, Requirement};

#[cfg(target_os = "linux")]
#[path = "network/inside.rs"]
mod inside;
#[cfg(target_os = "linux")]
#[path = "network/routes.rs"]
mod routes;

fn main() -> ExitCode {
    const NEEDS: &[Requirement] = &[Requirement::Namespaces, Requirement::Peer, Requirement::Exporter];
    #[cfg(target_os = "linux")]
    if let Some(code) = inside::run_if_marked() {
        return code;
    }
    #[cfg(target_os = "linux")]
    let [routes, large]: [fn(); 2] =
        [|| inside::case("the_peer_agrees_about_routes"), || inside::case("a_hundred_thousand_routes_are_exported")];
    #[cfg(not(target_os = "linux"))]
    let [routes, large]: [fn(); 2] = [|| unreachable!("network namespaces exist on Linux only"); 2];
    requirements::run(&[
        ("the_peer_agrees_about_routes", NEEDS, routes),
        ("a_hundred_thousand_routes_are_exported", NEEDS, large),
    ])
}
