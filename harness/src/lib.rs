//! What proves an exporter, ours and anybody's.

pub mod allocations;
pub mod bracket;
pub mod conformance;
pub mod damage;
pub mod difference;
pub mod exposition;
pub mod faults;
pub mod fetch;
pub mod fuzz;
pub mod generated;
pub mod host;
pub mod load;
pub mod needs;
pub mod peer;
pub mod scaffold;
