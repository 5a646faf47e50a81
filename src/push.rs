//! Pushing samples: on a schedule, to targets that may be away, through a queue that survives crashes.

pub mod checksum;
pub mod page;
pub mod queue;
pub mod remote_write;
pub mod storage;
