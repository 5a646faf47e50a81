//! Debian's node_exporter 1.5.0 over the same folders as ours, and over this machine: every family that both have agrees, but for the
//! differences that docs/DIFFERENCES.md lists with their reasons. A listed difference that no longer occurs fails, too.

#[cfg(target_os = "linux")]
mod agreement;
#[cfg(target_os = "linux")]
mod live;

use std::process::ExitCode;

use harness::needs::{self, Need};

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    let [trees, by_default, everything]: [fn(); 3] = [
        agreement::the_peer_agrees_on_every_tree,
        live::the_peer_agrees_on_this_machine_by_default,
        live::the_peer_agrees_on_this_machine_in_everything,
    ];
    #[cfg(not(target_os = "linux"))]
    let [trees, by_default, everything]: [fn(); 3] = [|| unreachable!("the peer runs on Linux only"); 3];
    needs::run(&[
        ("the_peer_agrees_on_every_tree", &[Need::Peer, Need::ConformanceData], trees),
        ("the_peer_agrees_on_this_machine_by_default", &[Need::Peer], by_default),
        ("the_peer_agrees_on_this_machine_in_everything", &[Need::Peer], everything),
    ])
}
