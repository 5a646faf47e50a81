//! Debian's node_exporter 1.5.0 over the same folders as ours: every family that both have agrees, but for the
//! differences that docs/DIFFERENCES.md lists with their reasons. A listed difference that no longer occurs fails, too.

#[cfg(target_os = "linux")]
mod agreement;

use std::process::ExitCode;

use harness::needs::{self, Need};

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    let test = agreement::the_peer_agrees_on_every_tree;
    #[cfg(not(target_os = "linux"))]
    let test = || unreachable!("the peer runs on Linux only");
    needs::run(&[("the_peer_agrees_on_every_tree", &[Need::Peer, Need::ConformanceData], test)])
}
