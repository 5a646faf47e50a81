//! Memory of a simulated host, counted exactly. Time is measured by `cargo bench --bench simulate`.

use std::time::Duration;

use collectors::host::root::Mount;
use collectors::host::root::tree::What;
use harness::allocations::{self, Allocations, Counting};
use simulator::{Host, profiles};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const AT: Duration = Duration::from_secs(1_700_000_000);

/// Peak memory of freezing a host of 256 CPUs, the tree included.
const PEAK_MAX_BYTES: (&str, usize) = ("epyc256", 20_000_000);

/// Maximum number of allocations per entry to render it, on average over all entries, besides those that it holds.
const ALLOCATIONS_PER_ENTRY_MAX: usize = 4;

/// Maximum memory per entry besides path and content: its share of the tree's tables.
const BYTES_PER_ENTRY_MAX: usize = 140;

/// Limits for a row of a kernel answer, which is kept with its fields before it becomes text. A row has up to
/// six names and states, such as those of a unit.
const ALLOCATIONS_PER_ROW_MAX: usize = 8;
const BYTES_PER_ROW_MAX: usize = 300;

/// Cost of reading a single file: the lookup, without building a tree.
const ALONE: Allocations = Allocations { count: 20, size_bytes: 1_024, peak_bytes: 512 };

/// One test, so that no other thread allocates while it counts.
#[test]
fn freezing_a_host_takes_little_more_than_the_tree() {
    let mut wrong = Vec::new();
    for profile in profiles() {
        let host = Host::new(profile.machine(1, &[]).expect("a profile as it is"), || AT);
        let mut frozen = None;
        let cost = allocations::during(|| frozen = Some(host.tree_at(AT.as_secs())));
        let tree = frozen.expect("a tree");
        let (mut entries, mut rows, mut held, mut largest) = (0, 0, 0, 0);
        for (path, node) in tree.iter() {
            let content = match node.what() {
                What::File(content) | What::Link(content) => content.len(),
                _ => 0,
            };
            entries += 1;
            if let (true, What::File(answer)) = (path.starts_with(b"kernel/"), node.what()) {
                rows += String::from_utf8_lossy(answer).lines().count();
            }
            held += path.len() + content;
            largest = largest.max(content);
        }
        println!(
            "{}: {entries} entries, {rows} rows of answers, {held} bytes held; {} allocations, {} bytes at most",
            profile.name, cost.count, cost.peak_bytes
        );
        let mut limit = |what: &str, found: usize, most: usize| {
            if found > most {
                wrong.push(format!("{}: {what}: {found}, and {most} are allowed", profile.name));
            }
        };
        limit("allocations", cost.count, entries * ALLOCATIONS_PER_ENTRY_MAX + rows * ALLOCATIONS_PER_ROW_MAX);
        if profile.name == PEAK_MAX_BYTES.0 {
            limit("bytes at most", cost.peak_bytes, PEAK_MAX_BYTES.1);
        }
        // The largest file exists twice, with spare capacity, until it is in the tree.
        let tables = entries * BYTES_PER_ENTRY_MAX + rows * BYTES_PER_ROW_MAX;
        limit("bytes above what is held", cost.peak_bytes, held + tables + 3 * largest);
        let (roots, mut content) = (host.roots(), Vec::with_capacity(4_096));
        let mut read = || roots.get(Mount::Sys).read(b"class/net/lo/mtu", &mut content, 4_096);
        read().expect("every host has it");
        let alone = allocations::during(|| read().expect("every host has it"));
        println!("{}: {alone:?} for a file alone", profile.name);
        limit("allocations for a file alone", alone.count, ALONE.count);
        limit("bytes for a file alone", alone.size_bytes, ALONE.size_bytes);
        limit("bytes at once for a file alone", alone.peak_bytes, ALONE.peak_bytes);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
