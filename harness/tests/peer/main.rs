//! Debian's node_exporter 1.5.0 and ours on the same folders and on this machine: every common family agrees, except
//! for the differences that docs/DIFFERENCES.md lists with reasons. A listed difference that does not occur fails. Also
//! the cost of compression of both.

#[cfg(target_os = "linux")]
mod agreement;
#[cfg(target_os = "linux")]
mod compression;
#[cfg(target_os = "linux")]
mod families;
#[cfg(target_os = "linux")]
mod perf;
#[cfg(target_os = "linux")]
mod simulated;

use std::process::ExitCode;

use harness::requirements::{self, Requirement};

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    let [events, switches, tracepoint, hardware, by_default, all]: [fn(); 6] = [
        perf::the_peer_counts_the_same_events,
        perf::the_kernel_counts_the_same_context_switches,
        perf::a_tracepoint_counts_what_its_software_event_counts,
        perf::hardware_events_are_shown_where_there_are_counters,
        families::no_family_of_the_peer_is_missing_by_default,
        families::no_family_of_the_peer_is_missing_with_every_collector,
    ];
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
    #[cfg(not(target_os = "linux"))]
    let [events, switches, tracepoint, hardware, by_default, all]: [fn(); 6] =
        [|| unreachable!("the peer runs on Linux only"); 6];
    let both: &'static [Requirement] = &[Requirement::Peer, Requirement::Exporter];
    let of_hardware: &'static [Requirement] =
        &[Requirement::Peer, Requirement::Exporter, Requirement::PerfEvents, Requirement::HardwareEvents];
    let counting: &'static [Requirement] = &[Requirement::Exporter, Requirement::PerfEvents];
    let in_namespaces: &'static [Requirement] =
        &[Requirement::Exporter, Requirement::PerfEvents, Requirement::Namespaces];
    requirements::run(&[
        ("the_peer_agrees_on_every_host", &[Requirement::Peer], hosts),
        ("the_peer_agrees_on_the_conformance_data", &[Requirement::Peer, Requirement::ConformanceData], data),
        ("the_peer_agrees_on_this_machine", &[Requirement::Peer], machine),
        ("the_peer_counts_the_same_events", of_hardware, events),
        ("the_kernel_counts_the_same_context_switches", counting, switches),
        ("a_tracepoint_counts_what_its_software_event_counts", in_namespaces, tracepoint),
        ("hardware_events_are_shown_where_there_are_counters", counting, hardware),
        ("no_family_of_the_peer_is_missing_by_default", both, by_default),
        ("no_family_of_the_peer_is_missing_with_every_collector", both, all),
        ("gzip_costs_less_than_it_costs_the_peer", &[Requirement::Peer], gzip),
        ("the_peer_agrees_on_every_simulated_host", &[Requirement::Peer], simulated),
        ("the_peer_agrees_on_every_simulated_host_of_full_size", &[Requirement::Peer, Requirement::LongRunning], full),
    ])
}
