//! Common imports of collectors.

pub use super::declare::{Collect, Cx};
pub use super::failure::{Failure, FileError, ParseError, Problems};
pub use super::options::Options;
pub use super::parse::{Line, Text};
