//! The collectors of node_exporter, over an injectable root.
pub mod kit;
