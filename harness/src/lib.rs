//! What proves an exporter, ours and anybody's.

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
