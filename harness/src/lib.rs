//! Tests for Prometheus exporters: page parsing, snapshots, properties, fault injection, comparisons, budgets and
//! benchmarks.

pub mod allocations;
pub mod audit;
pub mod bench;
pub mod conformance;
pub mod difference;
pub mod exposition;
pub mod faults;
pub mod fetch;
pub mod fuzz;
pub mod gates;
pub mod generated;
pub mod host;
pub mod load;
pub mod meter;
pub mod panics;
pub mod pattern;
pub mod peer;
pub mod plain_reads;
pub mod property;
pub mod remote_write;
pub mod requirements;
pub mod scaffold;
pub mod scrape_target;
pub mod snapshots;
