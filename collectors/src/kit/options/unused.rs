//! Flags that are accepted for compatibility and must be empty.

use super::{Flag, Options, Text};

impl<C> Options<'_, C> {
    /// Refuses a value of such a flag. The error contains its help text.
    pub fn refuse_unless_empty(&self, flag: Flag<C, Text>) -> Result<(), String> {
        let info = flag.info();
        if self.get(flag).is_empty() { Ok(()) } else { Err(format!("--{}: {}", info.name, info.help)) }
    }
}
