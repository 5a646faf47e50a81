//! Replaces the identities of a recorded host by pseudonyms.
//!
//! Names, addresses, serial numbers and identifiers get keyed pseudonyms of the same form (see `key` for why a hash is
//! not enough). One original has one pseudonym in every file, path, link target and notation. Suspicious text that no
//! rule recognises is reported as a [`Leak`]; callers must not write the tree unless the operator allows each leak by
//! name. Memory addresses of processes become 0.
//!
//! # How identities are found, in order of precedence
//!
//! 1. `context`: by position, such as the content of `product_serial`. Learned, and replaced in every other file.
//! 2. `notation`: hexadecimal addresses in the tables of /proc/net.
//! 3. `dictionary`: everything learned, in every notation.
//! 4. `pattern`: by form, such as a MAC address.
//! 5. `secret`: suspicious text that remains. Reported, not replaced.

mod address;
mod context;
mod dictionary;
mod key;
mod notation;
mod pattern;
mod report;
mod secret;
mod span;
mod word;

use std::borrow::Cow;
use std::collections::BTreeMap;

use collectors::host::root::tree::{LATER, Node, Tree, What};

use crate::recording::entries::Entries;
use crate::recording::record::octal_unescaped;
use dictionary::{Dictionary, Learned};
use span::Span;

pub use key::{KEY_BYTES, Key};
pub use report::{Allowance, Leak};
pub use secret::Suspicion;
pub use span::Category;

/// Result of scrubbing a tree.
#[derive(Clone, Debug)]
pub struct Scrubbed {
    /// The scrubbed tree.
    pub tree: Tree,
    /// Suspicious text that no rule recognised. The tree still holds it.
    pub leaks: Vec<Leak>,
    /// Number of replacements by category.
    pub counts: BTreeMap<Category, usize>,
}

/// Replaces the identities in a host's files, paths and kernel answers. The error names the path that is in the way.
pub fn scrub(tree: &Tree, key: &Key) -> Result<Scrubbed, String> {
    let scrubber = Scrubber::new(tree, key)?;
    let mut findings = Findings::default();
    let mut scrubbed = Entries::default();
    let mut new_paths = BTreeMap::new();
    for (path, node) in tree.iter() {
        let shown = shown(path);
        let new_path = scrubber.path(path, &mut findings);
        let is_directory = node.what() == &What::Directory;
        if new_paths.insert(new_path.clone(), is_directory) == Some(false) {
            return Err(format!("{shown}: two paths have one pseudonym; use another key"));
        }
        let node = match node.what() {
            What::File(content) => node.clone().with_content(scrubber.file(&shown, content, &mut findings)),
            What::Link(target) if context::is_process_link(&shown) => {
                Node::link(word::word(key, Category::CommandLine.name(), target))
            }
            What::Link(target) => Node::link(scrubber.path(target, &mut findings)),
            What::Directory | What::Special(_) => node.clone(),
        };
        scrubbed.push(path.to_vec(), new_path, node);
    }
    findings.leaks.sort();
    findings.leaks.dedup();
    let tree = scrubbed.into_tree().map_err(|(path, error)| format!("{}: {error}", self::shown(&path)))?;
    Ok(Scrubbed { tree, leaks: findings.leaks, counts: findings.counts })
}

/// The identities of one host, and the key to their pseudonyms.
#[derive(Debug)]
pub struct Scrubber {
    key: Key,
    dictionary: Dictionary,
    is_little_endian: bool,
}

#[derive(Default)]
struct Findings {
    leaks: Vec<Leak>,
    counts: BTreeMap<Category, usize>,
}

/// A path for display and for rules, without the `later/` prefix of the second moment.
fn shown(path: &[u8]) -> Cow<'_, str> {
    let later = [LATER.as_bytes(), b"/"].concat();
    String::from_utf8_lossy(path.strip_prefix(later.as_slice()).unwrap_or(path))
}

impl Scrubber {
    /// Collects the identities of a host.
    pub fn new(tree: &Tree, key: &Key) -> Result<Self, String> {
        let mut learned = Learned::default();
        let mut is_little_endian = true;
        for (path, node) in tree.iter() {
            let shown = shown(path);
            learn("", path, &mut learned, key);
            // Names below these directories are chosen by users: they are identities, not names of the system.
            if !shown.contains(concat!("/", "home/")) && !shown.contains("/media/") {
                learned.add_names(path);
            }
            match node.what() {
                What::File(content) => learn(&shown, content, &mut learned, key),
                What::Link(target) => learn("", target, &mut learned, key),
                What::Directory | What::Special(_) => {}
            }
            if let ("kernel/uname", What::File(content)) = (&*shown, node.what()) {
                is_little_endian = !is_of_big_endian(content);
            }
        }
        Ok(Self { key: key.clone(), dictionary: learned.dictionary()?, is_little_endian })
    }

    /// Replaces identities in a text about the host, such as its metrics page, with the pseudonyms of its tree.
    pub fn text(&self, text: &[u8]) -> Vec<u8> {
        let spans = self.spans("", text);
        span::replaced(text, &spans)
    }

    fn path(&self, path: &[u8], findings: &mut Findings) -> Vec<u8> {
        let spans = self.spans("", path);
        findings.count(&spans, path);
        self.suspect(&shown(path), path, &spans, true, findings);
        replaced_exactly(path, &spans)
    }

    fn file(&self, path: &str, content: &[u8], findings: &mut Findings) -> Vec<u8> {
        let spans = self.spans(path, content);
        findings.count(&spans, content);
        let is_binary = content.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace());
        let is_covered = matches!(spans.as_slice(), [only] if only.range.len() == content.len());
        if is_binary && !is_covered && content.iter().any(|byte| *byte != 0) {
            findings.leaks.push(Leak::new(path, 1, Suspicion::Binary, content));
        }
        self.suspect(path, content, &spans, context::has_versions(path), findings);
        span::replaced(content, &spans)
    }

    fn spans(&self, path: &str, text: &[u8]) -> Vec<Span> {
        let mut spans = Vec::new();
        for found in context::occurrences(path, text) {
            let before = text.get(found.range.clone()).unwrap_or_default();
            let (category, range) = (found.category, found.range);
            // A serial number may have a form with a pseudonym of its own, such as a UUID.
            let replacement = match pattern::whole(&self.key, before) {
                _ if category == Category::MemoryAddress => b"0".to_vec(),
                Some(moved) => moved,
                None if category == Category::Host => self.name(before),
                None if is_escaped(path, before) => {
                    octal_escaped(&word::word(&self.key, category.name(), &octal_unescaped(before)))
                }
                None => word::word(&self.key, category.name(), before),
            };
            spans.push(Span { range, category, replacement });
        }
        notation::find(&self.key, path, text, self.is_little_endian, &mut spans);
        self.dictionary.find(&self.key, text, has_numbers(path), &mut spans);
        pattern::find(&self.key, text, context::has_versions(path), &mut spans);
        span::disjoint(spans)
    }

    /// Pseudonym of a host name, label by label. Common labels of a dotted name, such as `com`, stay.
    fn name(&self, text: &[u8]) -> Vec<u8> {
        let labels: Vec<&[u8]> = text.split(|&byte| byte == b'.').collect();
        let stays = |label: &[u8]| labels.len() > 1 && dictionary::is_common(label);
        let moved = |label: &&[u8]| {
            if stays(label) { label.to_vec() } else { word::word(&self.key, Category::Host.name(), label) }
        };
        labels.iter().map(moved).collect::<Vec<_>>().join(&b'.')
    }

    fn suspect(&self, path: &str, text: &[u8], spans: &[Span], has_models: bool, findings: &mut Findings) {
        let is_free = |range: &std::ops::Range<usize>| {
            spans.iter().all(|span| span.range.end <= range.start || range.end <= span.range.start)
        };
        let line = |at: usize| 1 + text.iter().take(at).filter(|&&byte| byte == b'\n').count();
        let mut add = |range: std::ops::Range<usize>, suspicion| {
            let found = text.get(range.clone()).unwrap_or_default();
            findings.leaks.push(Leak::new(path, line(range.start), suspicion, found));
        };
        for gap in span::gaps(text.len(), spans) {
            if let Some(range) = self.dictionary.remains(text, &gap) {
                add(range, Suspicion::Remains);
            }
        }
        for (range, suspicion) in secret::find(text, has_models) {
            if is_free(&range) || suspicion == Suspicion::Password {
                add(range, suspicion);
            }
        }
    }
}

impl Findings {
    fn count(&mut self, spans: &[Span], text: &[u8]) {
        for span in spans.iter().filter(|span| text.get(span.range.clone()) != Some(span.replacement.as_slice())) {
            *self.counts.entry(span.category).or_default() += 1;
        }
    }
}

/// Whether a word has octal escapes such as `\\040`, as kernel answers and mount tables write them.
fn is_escaped(path: &str, word: &[u8]) -> bool {
    word.contains(&b'\\') && (path.starts_with("kernel/") || matches!(context::base(path), "mountinfo" | "mounts"))
}

fn octal_escaped(word: &[u8]) -> Vec<u8> {
    let mut into = Vec::new();
    for &byte in word {
        match byte {
            b'\\' => into.extend_from_slice(b"\\134"),
            byte if byte.is_ascii_graphic() => into.push(byte),
            byte => into.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
        }
    }
    into
}

/// Replaces every span without aligning columns, as paths need it.
fn replaced_exactly(path: &[u8], spans: &[Span]) -> Vec<u8> {
    let mut into = Vec::with_capacity(path.len());
    let mut at = 0;
    for span in spans {
        into.extend_from_slice(path.get(at..span.range.start).unwrap_or_default());
        into.extend_from_slice(&span.replacement);
        at = span.range.end;
    }
    into.extend_from_slice(path.get(at..).unwrap_or_default());
    into
}

/// Whether a file is a table of hexadecimal counters.
fn has_numbers(path: &str) -> bool {
    path.contains("/net/stat/") || matches!(context::base(path), "softnet_stat" | "interrupts" | "timer_list")
}

/// Adds the identities of one text to the dictionary.
fn learn(path: &str, text: &[u8], learned: &mut Learned, key: &Key) {
    for found in context::occurrences(path, text).into_iter().filter(|found| found.is_learned) {
        let word = text.get(found.range).unwrap_or_default();
        // `pattern` recognises a word of a known form in every file.
        if pattern::whole(key, word).is_none() {
            let unescaped = if is_escaped(path, word) { octal_unescaped(word) } else { word.to_vec() };
            learned.add_word(found.category, &unescaped);
        }
    }
    let mut spans = Vec::new();
    pattern::find(key, text, context::has_versions(path), &mut spans);
    for found in spans {
        let before = text.get(found.range).unwrap_or_default();
        if before == found.replacement {
            continue;
        }
        let text = String::from_utf8_lossy(before);
        match found.category {
            Category::Mac => {
                let digits: String = text.chars().rev().filter(char::is_ascii_hexdigit).take(12).collect();
                let digits: String = digits.chars().rev().collect();
                if let Ok(value) = u64::from_str_radix(&digits, 16) {
                    learned.add_mac(value);
                }
            }
            Category::Ipv4 => {
                if let Ok(address) = text.parse() {
                    learned.add_ipv4(address);
                }
            }
            _ => {}
        }
    }
}

/// Whether the machine named by `uname` is big-endian.
fn is_of_big_endian(uname: &[u8]) -> bool {
    let machine = uname.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"machine "));
    machine.is_some_and(|machine| {
        matches!(machine, b"s390x" | b"s390" | b"ppc64" | b"ppc" | b"mips" | b"mips64" | b"sparc64")
    })
}

#[cfg(test)]
mod tests;
