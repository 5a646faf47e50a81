//! Debian's node_exporter 1.5.0 over the same folders as ours, and over this machine: every family that both have agrees, but for the
//! differences that docs/DIFFERENCES.md lists with their reasons. A listed difference that no longer occurs fails, too. And what
//! compression costs, here and there.

#[cfg(target_os = "linux")]
mod agreement;
#[cfg(target_os = "linux")]
mod compression;
#[cfg(target_os = "linux")]
mod live;
#[cfg(target_os = "linux")]
mod simulated;

use std::process::ExitCode;

use harness::needs::{self, Need};

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    let [trees, by_default, everything, gzip, simulated, full]: [fn(); 6] = [
        agreement::the_peer_agrees_on_every_tree,
        live::the_peer_agrees_on_this_machine_by_default,
        live::the_peer_agrees_on_this_machine_in_everything,
        compression::gzip_costs_less_than_it_costs_the_peer,
        simulated::the_peer_agrees_on_every_simulated_host,
        simulated::the_peer_agrees_on_every_simulated_host_of_full_size,
    ];
    #[cfg(not(target_os = "linux"))]
    let [trees, by_default, everything, gzip, simulated, full]: [fn(); 6] =
        [|| unreachable!("the peer runs on Linux only"); 6];
    needs::run(&[
        ("the_peer_agrees_on_every_tree", &[Need::Peer, Need::ConformanceData], trees),
        ("the_peer_agrees_on_this_machine_by_default", &[Need::Peer], by_default),
        ("the_peer_agrees_on_this_machine_in_everything", &[Need::Peer], everything),
        ("gzip_costs_less_than_it_costs_the_peer", &[Need::Peer], gzip),
        ("the_peer_agrees_on_every_simulated_host", &[Need::Peer], simulated),
        ("the_peer_agrees_on_every_simulated_host_of_full_size", &[Need::Peer, Need::Patience], full),
    ])
}
