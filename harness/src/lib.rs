//! What proves an exporter, ours and anybody's.

pub mod exposition;
pub mod ttar;
