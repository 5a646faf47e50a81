//! What proves an exporter, ours and anybody's.

pub mod conformance;
pub mod exposition;
pub mod load;
pub mod needs;
pub mod ttar;
