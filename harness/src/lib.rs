//! Tests for Prometheus exporters: page parsing, snapshots, properties, fault injection, comparisons, budgets and
//! benchmarks.

pub mod allocations;
pub mod bench;
pub mod bracket;
pub mod conformance;
pub mod damage;
pub mod difference;
pub mod exposition;
pub mod faults;
pub mod fetch;
pub mod floor;
pub mod fuzz;
pub mod gates;
pub mod generated;
pub mod host;
pub mod load;
pub mod meter;
pub mod needs;
pub mod panics;
pub mod pattern;
pub mod peer;
pub mod property;
pub mod scaffold;
pub mod subject;
