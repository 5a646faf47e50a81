//! Debian's node_exporter 1.5.0 and ours on the same folders and on this machine: every common family agrees, except
//! for the differences that docs/DIFFERENCES.md lists with reasons. A listed difference that does not occur fails. Also
//! the cost of compression of both.

#[cfg(target_os = "linux")]
mod agreement;
#[cfg(target_os = "linux")]
mod compression;
#[cfg(target_os = "linux")]
mod simulated;

use std::process::ExitCode;

use harness::needs::{self, Need};

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    let [hosts, data, machine, gzip, simulated, full]: [fn(); 6] = [
        agreement::the_peer_agrees_on_every_host,
        agreement::the_peer_agrees_on_the_conformance_data,
        agreement::the_peer_agrees_on_this_machine,
        compression::gzip_costs_less_than_it_costs_the_peer,
        simulated::the_peer_agrees_on_every_simulated_host,
        simulated::the_peer_agrees_on_every_simulated_host_of_full_size,
    ];
    #[cfg(not(target_os = "linux"))]
    let [hosts, data, machine, gzip, simulated, full]: [fn(); 6] = [|| unreachable!("the peer runs on Linux only"); 6];
    needs::run(&[
        ("the_peer_agrees_on_every_host", &[Need::Peer], hosts),
        ("the_peer_agrees_on_the_conformance_data", &[Need::Peer, Need::ConformanceData], data),
        ("the_peer_agrees_on_this_machine", &[Need::Peer], machine),
        ("gzip_costs_less_than_it_costs_the_peer", &[Need::Peer], gzip),
        ("the_peer_agrees_on_every_simulated_host", &[Need::Peer], simulated),
        ("the_peer_agrees_on_every_simulated_host_of_full_size", &[Need::Peer, Need::Patience], full),
    ])
}
