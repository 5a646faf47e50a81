//! Debian's node_exporter 1.5.0 over the same folders as ours, and over this machine: every family that both have agrees, but for the
//! differences that docs/DIFFERENCES.md lists with their reasons. A listed difference that no longer occurs fails, too.

#[cfg(target_os = "linux")]
mod agreement;
#[cfg(target_os = "linux")]
mod live;
#[cfg(target_os = "linux")]
mod simulated;

use std::process::ExitCode;

use harness::needs::{self, Need};

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    let [trees, machine, simulated, full]: [fn(); 4] = [
        agreement::the_peer_agrees_on_every_tree,
        live::the_peer_agrees_on_this_machine,
        simulated::the_peer_agrees_on_every_simulated_host,
        simulated::the_peer_agrees_on_every_simulated_host_of_full_size,
    ];
    #[cfg(not(target_os = "linux"))]
    let [trees, machine, simulated, full]: [fn(); 4] = [|| unreachable!("the peer runs on Linux only"); 4];
    needs::run(&[
        ("the_peer_agrees_on_every_tree", &[Need::Peer, Need::ConformanceData], trees),
        ("the_peer_agrees_on_this_machine", &[Need::Peer], machine),
        ("the_peer_agrees_on_every_simulated_host", &[Need::Peer], simulated),
        ("the_peer_agrees_on_every_simulated_host_of_full_size", &[Need::Peer, Need::Patience], full),
    ])
}
