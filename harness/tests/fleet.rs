//! Ten thousand simulated nodes need no more memory than ten.
#![expect(clippy::unwrap_used, reason = "a failure fails the test")]

use std::time::Duration;

use collectors::host::root::Mount;
use harness::allocations::{Allocations, Counting, during};
use simulator::{Event, Fleet};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const AT: Duration = Duration::from_secs(1_700_000_000);
const FEW: u64 = 10;
const NODES: u64 = 10_000;
/// Allowed increase of peak memory in percent, for longer names and numbers.
const SPREAD_PERCENT: usize = 10;

/// Heap usage of reading from this many nodes: a large file, a small one, and one behind a link.
fn asked(fleet: &Fleet, nodes: u64) -> Allocations {
    let mut text = Vec::new();
    during(|| {
        for node in 0..nodes {
            let host = fleet.node(node).unwrap();
            for (mount, path) in
                [(Mount::Proc, "stat"), (Mount::Proc, "self/net/dev"), (Mount::Sys, "class/net/lo/mtu")]
            {
                host.roots().get(mount).read(path.as_bytes(), &mut text, 1 << 20).unwrap();
                assert!(!text.is_empty(), "{path} of node {node}");
            }
        }
    })
}

#[track_caller]
fn check(what: &str, nodes: u64, events: &[Event]) {
    let fleet = || Fleet::new("vm", 1, nodes, &[], || AT).unwrap().with_events(events.to_vec()).unwrap();
    let (few, many) = (asked(&fleet(), FEW), asked(&fleet(), nodes));
    println!("{what}: {FEW} nodes hold at most {} bytes, {nodes} nodes {}", few.peak_bytes, many.peak_bytes);
    println!(
        "a node takes {:?} allocations and bytes to make and ask",
        [many.count as u64, many.size_bytes as u64].map(|sum| sum / nodes)
    );
    let allowed = few.peak_bytes + few.peak_bytes * SPREAD_PERCENT / 100;
    assert!(many.peak_bytes <= allowed, "{what}: {} bytes, {allowed} allowed", many.peak_bytes);
    assert!(many.count as u64 > few.count as u64 * nodes / FEW / 2, "{what}: {few:?} {many:?}");
}

/// One test, so that no other thread of this binary allocates.
#[test]
fn ten_thousand_nodes_need_no_more_memory_than_ten() {
    check("quiet nodes", NODES, &[]);
    let of = |kind, before| Event::of(kind, AT.saturating_sub(Duration::from_secs(before)), &[]).unwrap();
    check(
        "eventful nodes",
        NODES / 10,
        &[of("cpu-hotplug", 10), of("bond-failover", 20), of("memory-leak", 30), of("pod-churn", 400)],
    );
}
