//! systemd as process 1 of namespaces of its own, with a system bus and a login manager: Debian's node_exporter and ours
//! ask them by that bus, and their pages agree.

use std::process::ExitCode;

use harness::requirements::{self, Requirement};

#[cfg(target_os = "linux")]
#[path = "systemd/instance.rs"]
mod instance;
#[cfg(target_os = "linux")]
#[path = "systemd/pages.rs"]
mod pages;

fn main() -> ExitCode {
    const NEEDS: &[Requirement] =
        &[Requirement::Namespaces, Requirement::Systemd, Requirement::Peer, Requirement::Exporter];
    #[cfg(target_os = "linux")]
    let [agrees, logins, is_fast]: [fn(); 3] = [
        pages::the_peer_agrees_about_systemd,
        pages::the_peer_agrees_about_logins,
        pages::a_thousand_units_are_soon_read,
    ];
    #[cfg(not(target_os = "linux"))]
    let [agrees, logins, is_fast]: [fn(); 3] = [|| unreachable!("systemd runs on Linux only"); 3];
    requirements::run_in_turn(&[
        ("the_peer_agrees_about_systemd", NEEDS, agrees),
        ("the_peer_agrees_about_logins", NEEDS, logins),
        ("a_thousand_units_are_soon_read", NEEDS, is_fast),
    ])
}
