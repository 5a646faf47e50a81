//! The leak report: what was found, where and why, never the thing itself.

use std::fmt;

use super::secret::Suspicion;
use crate::glob::matches;

/// Something that looks like a secret and was not recognised.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Leak {
    path: String,
    line: usize,
    suspicion: Suspicion,
    shown: String,
}

impl Leak {
    pub(super) fn new(path: &str, line: usize, suspicion: Suspicion, found: &[u8]) -> Self {
        Self { path: path.to_owned(), line, suspicion, shown: masked(found) }
    }

    /// Why it is suspected.
    pub fn suspicion(&self) -> Suspicion {
        self.suspicion
    }

    /// What allows it: its suspicion and its path.
    pub fn name(&self) -> String {
        format!("{}:{}", self.suspicion.name(), self.path)
    }
}

/// The first letters and the length: enough to find it in the original, too little to use it.
fn masked(found: &[u8]) -> String {
    const SHOWN_MAX_BYTES: usize = 3;
    /// At most one of so many bytes is shown.
    const ONE_OF: usize = 5;
    let shown = found.get(..(found.len() / ONE_OF).min(SHOWN_MAX_BYTES)).unwrap_or_default();
    format!("{}… ({} bytes)", shown.escape_ascii(), found.len())
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.suspicion.reason(), self.shown)
    }
}

/// What an operator allows by name: `SUSPICION:PATH`, the path with `*` for any part of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allowance {
    suspicion: Option<Suspicion>,
    path: String,
}

impl Allowance {
    /// Reads `serial:sys/class/*/label`; `any:` stands for every suspicion.
    pub fn parse(text: &str) -> Result<Self, String> {
        let names = || Suspicion::ALL.map(Suspicion::name).join(", ");
        let fail = || format!("`{text}` allows nothing; write it as SUSPICION:PATH with one of {}, any", names());
        let (name, path) = text.split_once(':').filter(|(_, path)| !path.is_empty()).ok_or_else(fail)?;
        let suspicion = Suspicion::ALL.into_iter().find(|suspicion| suspicion.name() == name);
        if suspicion.is_none() && name != "any" {
            return Err(fail());
        }
        Ok(Self { suspicion, path: path.trim_start_matches('/').to_owned() })
    }

    /// Whether it is about this leak.
    pub fn allows(&self, leak: &Leak) -> bool {
        self.suspicion.is_none_or(|suspicion| suspicion == leak.suspicion)
            && matches(self.path.as_bytes(), leak.path.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_is_named_and_not_shown() {
        let leak = Leak::new("proc/x", 7, Suspicion::Password, b"password=hunter2hunter2");
        assert_eq!(leak.name(), "password:proc/x");
        assert_eq!(leak.to_string(), "proc/x:7: a password, token or other secret with its name: pas… (23 bytes)");
        assert_eq!(masked(b"abcd"), "… (4 bytes)");
    }

    #[test]
    fn allowances_are_about_one_suspicion_and_some_paths() {
        let leak = Leak::new("sys/class/net/eth0/ifalias", 1, Suspicion::SerialLike, b"CIRCUIT12345");
        for (text, expected) in [
            ("serial:sys/class/net/eth0/ifalias", true),
            ("serial:/sys/class/net/*/ifalias", true),
            ("any:sys/*", true),
            ("random:sys/class/net/*/ifalias", false),
            ("serial:proc/*", false),
        ] {
            assert_eq!(Allowance::parse(text).unwrap().allows(&leak), expected, "{text}");
        }
        for text in ["", "serial", "serial:", "serials:sys/*"] {
            assert!(Allowance::parse(text).unwrap_err().contains("email, password"), "{text}");
        }
    }
}
