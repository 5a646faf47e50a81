//! Debian's node_exporter 1.5.0 over the same folders as ours, and over this machine: every family that both have agrees, but for the
//! differences that docs/DIFFERENCES.md lists with their reasons. A listed difference that no longer occurs fails, too.

#[cfg(target_os = "linux")]
mod agreement;

use std::process::ExitCode;

use harness::needs::{self, Need};

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    let (hosts, data, machine) = (
        agreement::the_peer_agrees_on_every_host,
        agreement::the_peer_agrees_on_the_conformance_data,
        agreement::the_peer_agrees_on_this_machine,
    );
    #[cfg(not(target_os = "linux"))]
    let [hosts, data, machine] = [|| unreachable!("the peer runs on Linux only"); 3];
    needs::run(&[
        ("the_peer_agrees_on_every_host", &[Need::Peer], hosts),
        ("the_peer_agrees_on_the_conformance_data", &[Need::Peer, Need::ConformanceData], data),
        ("the_peer_agrees_on_this_machine", &[Need::Peer], machine),
    ])
}
