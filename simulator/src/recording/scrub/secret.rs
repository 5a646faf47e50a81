//! Heuristics for secrets and personal data that no rule recognised.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

/// Reason to suspect a text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Suspicion {
    /// E-mail address.
    Email,
    /// Credentials in a URL, or a value after a word such as `password=`.
    Password,
    /// Private key, or token of a known form.
    Key,
    /// Random letters and digits.
    Random,
    /// Capitals and digits in the form of a serial number.
    SerialLike,
    /// Known identity inside a longer word.
    Remains,
    /// Binary content, in which nothing can be recognised.
    Binary,
}

impl Suspicion {
    /// Name in reports and in allowances.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Password => "password",
            Self::Key => "key",
            Self::Random => "random",
            Self::SerialLike => "serial",
            Self::Remains => "remains",
            Self::Binary => "binary",
        }
    }

    /// Every suspicion.
    pub const ALL: [Self; 7] =
        [Self::Email, Self::Password, Self::Key, Self::Random, Self::SerialLike, Self::Remains, Self::Binary];

    /// Description for reports.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Email => "an e-mail address",
            Self::Password => "a password, token or other named secret",
            Self::Key => "a key or token of a known form",
            Self::Random => "random letters and digits",
            Self::SerialLike => "capitals and digits in the form of a serial number",
            Self::Remains => "a name or serial number of this host inside a longer word",
            Self::Binary => "binary content",
        }
    }
}

/// systemd unit types, which follow an `@` like domains.
const UNITS: [&[u8]; 11] = [
    b"service",
    b"socket",
    b"slice",
    b"scope",
    b"target",
    b"mount",
    b"automount",
    b"timer",
    b"device",
    b"path",
    b"swap",
];

static FORMS: LazyLock<Vec<(Regex, Suspicion)>> = LazyLock::new(|| {
    let forms = [
        (r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}", Suspicion::Email),
        (r"://[^/\s:@]+:[^/\s@]+@", Suspicion::Password),
        (
            r"(?i)(?:password|passwd|passphrase|secret|token|api[_-]?key|credential)s?[=:][ ]*[^\s,;]{3,}",
            Suspicion::Password,
        ),
        (
            r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{12,}|\bgh[opsu]_[A-Za-z0-9]{16,}|\beyJ[A-Za-z0-9_-]{10,}\.",
            Suspicion::Key,
        ),
    ];
    let compiled = forms.into_iter().filter_map(|(pattern, suspicion)| {
        let regex = RegexBuilder::new(pattern).unicode(false).build();
        debug_assert!(regex.is_ok(), "{pattern}");
        Some((regex.ok()?, suspicion))
    });
    compiled.collect()
});

/// Finds suspicious text. With `has_models`, model names look like serial numbers, which are not reported then.
pub(super) fn find(text: &[u8], has_models: bool) -> Vec<(Range<usize>, Suspicion)> {
    let mut found = Vec::new();
    for (regex, suspicion) in FORMS.iter() {
        for one in regex.find_iter(text) {
            let is_unit = *suspicion == Suspicion::Email
                && one.as_bytes().rsplit(|&byte| byte == b'.').next().is_some_and(|last| UNITS.contains(&last));
            if !is_unit {
                found.push((one.range(), *suspicion));
            }
        }
    }
    let mut start = 0;
    for word in text.split_inclusive(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'+')) {
        let trimmed = word.len() - usize::from(word.last().is_some_and(|byte| !byte.is_ascii_alphanumeric()));
        let range = start..start + trimmed;
        start += word.len();
        let Some(word) = text.get(range.clone()) else { continue };
        if is_random(word) {
            found.push((range, Suspicion::Random));
        } else if !has_models && is_serial_like(word) {
            found.push((range, Suspicion::SerialLike));
        }
    }
    found
}

fn count(word: &[u8], is_one: impl Fn(&u8) -> bool) -> usize {
    word.iter().filter(|byte| is_one(byte)).count()
}

/// Whether capitals and digits are mixed, as in `S466NX0K123456`.
fn is_serial_like(word: &[u8]) -> bool {
    const MIN_BYTES: usize = 10;
    const OF_EACH: usize = 3;
    /// Minimum in one part between `-`: `PCI-MSIX-0000` has no part that mixes them.
    const OF_EACH_IN_A_PART: usize = 2;
    let has = |text: &[u8], least: usize| {
        count(text, u8::is_ascii_digit) >= least && count(text, u8::is_ascii_uppercase) >= least
    };
    let is_mixed = word.split(|&byte| byte == b'-').any(|part| has(part, OF_EACH_IN_A_PART));
    word.len() >= MIN_BYTES && has(word, OF_EACH) && is_mixed && count(word, u8::is_ascii_lowercase) == 0
}

/// Whether a word is long and often changes between capitals, small letters and digits.
fn is_random(word: &[u8]) -> bool {
    const MIN_BYTES: usize = 20;
    let kind = |byte: &u8| match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    };
    let changes = word.windows(2).filter(|pair| matches!(pair, [a, b] if kind(a) != kind(b))).count();
    let has_digits_and_letters = count(word, u8::is_ascii_digit) >= 3 && count(word, u8::is_ascii_alphabetic) >= 4;
    word.len() >= MIN_BYTES && has_digits_and_letters && changes * 3 >= word.len() && !word.contains(&b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[Suspicion]) {
        let found: Vec<Suspicion> = find(text.as_bytes(), false).into_iter().map(|(_, suspicion)| suspicion).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn secrets_are_suspected() {
        check("mail alice@example.com now", &[Suspicion::Email]);
        check("https://bob:hunter2@host/x", &[Suspicion::Password]);
        check("--password=hunter2", &[Suspicion::Password]);
        check("API_KEY: 12345", &[Suspicion::Password]);
        check("-----BEGIN RSA PRIVATE KEY-----", &[Suspicion::Key]);
        check("ghp_aB3dE5fG7hI9jK1lM3n", &[Suspicion::Key]);
        check("x aB3dE5fG7hI9jK1lM3nO5p y", &[Suspicion::Random]);
        check("disk S466NX0K123456 of", &[Suspicion::SerialLike]);
    }

    #[test]
    fn kernel_words_are_not_suspected() {
        for text in [
            "getty@tty1.service user@1000.service",
            "PREEMPT_DYNAMIC Debian 6.12.38-1 (2025-07-06)",
            "INT33A1:00 ACPI0003:00 PNP0C0A:00 LNXSYSTM:00",
            "kernel_hung_task_timeout_secs x86_64-linux-gnu",
            "node_memory_MemAvailable_bytes nr_zone_inactive_anon",
            "rw,relatime,rsize=1048576,wsize=1048576,namlen=255,hard,proto=tcp",
            "PCI-MSIX-0000:00:05.0 IR-PCI-MSI-524288-edge Icmp6OutMLDv2Reports",
            "TcpExt: SyncookiesSent TCPLossProbes TCPTimeWaitOverflow",
        ] {
            check(text, &[]);
        }
    }
}
