//! Leaks: position and reason of suspicious text, never the text itself.

use std::fmt;

use super::secret::Suspicion;
use collectors::host::glob::matches;

/// Suspicious text that no rule recognised.
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

    /// Reason of the suspicion.
    pub fn suspicion(&self) -> Suspicion {
        self.suspicion
    }

    /// The argument of `--allow` that allows it: `SUSPICION:PATH`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.suspicion.name(), self.path)
    }
}

/// First characters and length: enough to find the text in the original, too little to use it.
fn masked(found: &[u8]) -> String {
    const SHOWN_MAX_BYTES: usize = 3;
    /// At most a fifth of the text is shown.
    const SHOWN_FRACTION: usize = 5;
    let shown = found.get(..(found.len() / SHOWN_FRACTION).min(SHOWN_MAX_BYTES)).unwrap_or_default();
    format!("{}… ({} bytes)", shown.escape_ascii(), found.len())
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.suspicion.reason(), self.shown)
    }
}

/// Leaks that an operator allows: `SUSPICION:PATH`, where `*` in the path matches any text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allowance {
    suspicion: Option<Suspicion>,
    path: String,
}

impl Allowance {
    /// Parses `serial:sys/class/*/label`; `any:` allows every suspicion.
    pub fn parse(text: &str) -> Result<Self, String> {
        let names = || Suspicion::ALL.map(Suspicion::name).join(", ");
        let fail = || format!("`{text}`: expected SUSPICION:PATH with one of {}, any", names());
        let (name, path) = text.split_once(':').filter(|(_, path)| !path.is_empty()).ok_or_else(fail)?;
        let suspicion = Suspicion::ALL.into_iter().find(|suspicion| suspicion.name() == name);
        if suspicion.is_none() && name != "any" {
            return Err(fail());
        }
        Ok(Self { suspicion, path: path.trim_start_matches('/').to_owned() })
    }

    /// Whether it allows a leak.
    pub fn allows(&self, leak: &Leak) -> bool {
        self.suspicion.is_none_or(|suspicion| suspicion == leak.suspicion)
            && matches(self.path.as_bytes(), leak.path.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_does_not_show_its_text() {
        let leak = Leak::new("proc/x", 7, Suspicion::Password, b"password=hunter2hunter2");
        assert_eq!(leak.name(), "password:proc/x");
        assert_eq!(leak.to_string(), "proc/x:7: a password, token or other named secret: pas… (23 bytes)");
        assert_eq!(masked(b"abcd"), "… (4 bytes)");
    }

    #[test]
    fn allowances_match_suspicion_and_path() {
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
