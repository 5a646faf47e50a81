//! The machinery that collectors are made with.

pub mod errno;
pub mod kernel;
pub mod root;
pub mod tree_text;
