//! Access to a host: files below injectable roots, questions to a kernel, and the `.tree` text that holds both.
//!
//! Collectors use this layer through [`Cx`](crate::kit::declare::Cx) only. The simulator implements it.

pub mod errno;
pub mod glob;
pub mod kernel;
pub mod root;
pub mod schedule;
pub mod tree_text;
