//! The dictionary of a host's identities, which finds them in every file and notation.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::key::Key;
use super::span::{Category, Span, is_within_word};
use super::word::word;
use super::{address, notation};

/// Common words: replaced where their position makes them an identity, and left alone elsewhere.
const COMMON: &[&str] = &[
    "localhost",
    "localdomain",
    "debian",
    "ubuntu",
    "fedora",
    "centos",
    "rocky",
    "alma",
    "arch",
    "alpine",
    "linux",
    "raspberrypi",
    "raspberry",
    "root",
    "admin",
    "user",
    "users",
    "data",
    "home",
    "host",
    "node",
    "server",
    "backup",
    "media",
    "shared",
    "public",
    "cpu",
    "eth",
    "lo",
    "net",
    "disk",
    "memory",
    "kernel",
    "system",
    "boot",
    "efi",
    "swap",
    "esp",
    "main",
    "test",
    "local",
    "internal",
    "lan",
    "corp",
    "com",
    "org",
    "example",
    "www",
    "none",
    "daemon",
    "docker",
    "snap",
    "lost+found",
];

/// Whether a name is a common word.
pub(super) fn is_common(name: &[u8]) -> bool {
    COMMON.iter().any(|common| common.as_bytes().eq_ignore_ascii_case(name))
}

/// Identity and the notation that its pseudonym is written in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Form {
    Word(Category),
    /// Bytes of a word in hexadecimal digits.
    Hexadecimal(Category, Vec<u8>),
    Mac(u64),
    /// IPv4 address in hexadecimal digits, and whether its bytes are swapped (little-endian).
    Ipv4(Ipv4Addr, bool),
    /// IPv4 address with `-` between its octets, as in host names.
    Dashed(Ipv4Addr),
}

/// Identities collected so far.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// Notation and whether it must be a whole word, by search text in lower case.
    forms: BTreeMap<Vec<u8>, (Form, bool)>,
    /// Words in file and directory names. A host, user or label of such a name is not searched for.
    names: BTreeSet<Vec<u8>>,
}

impl Learned {
    /// Adds words that name files, which are not identities.
    pub(super) fn add_names(&mut self, path: &[u8]) {
        let is_name = |name: &&[u8]| name.iter().all(u8::is_ascii_lowercase);
        self.names.extend(path.split(|byte| !byte.is_ascii_alphanumeric()).filter(is_name).map(<[u8]>::to_vec));
    }

    /// Adds the word of an identity.
    pub(super) fn add_word(&mut self, category: Category, text: &[u8]) {
        const SERIAL_MIN_BYTES: usize = 4;
        const NAME_MIN_BYTES: usize = 3;
        /// Numbers of fewer digits may be counters.
        const NUMBER_MIN_BYTES: usize = 9;
        const WITHOUT_BOUNDARY_MIN_BYTES: usize = 6;
        let is_number = text.iter().all(u8::is_ascii_digit);
        let min_bytes = match category {
            _ if is_number => NUMBER_MIN_BYTES,
            Category::Host | Category::User | Category::Label => NAME_MIN_BYTES,
            _ => SERIAL_MIN_BYTES,
        };
        let lower = text.to_ascii_lowercase();
        if text.len() < min_bytes || is_common(text) {
            return;
        }
        if category == Category::Host && text.contains(&b'.') {
            for label in text.split(|&byte| byte == b'.') {
                self.add_word(category, label);
            }
            return;
        }
        let is_serial = category == Category::Serial;
        let is_bounded = !is_serial || is_number || text.len() < WITHOUT_BOUNDARY_MIN_BYTES;
        if is_serial && text.len() >= WITHOUT_BOUNDARY_MIN_BYTES {
            let digits = hexadecimal(text);
            self.forms.insert(digits.clone(), (Form::Hexadecimal(category, text.to_vec()), false));
        }
        self.forms.insert(lower, (Form::Word(category), is_bounded));
    }

    /// Adds a MAC address, to be found without colons.
    pub(super) fn add_mac(&mut self, value: u64) {
        self.forms.insert(format!("{value:012x}").into(), (Form::Mac(value), true));
    }

    /// Adds an IPv4 address, to be found in hexadecimal digits and with `-`.
    pub(super) fn add_ipv4(&mut self, address: Ipv4Addr) {
        let bits = address.to_bits();
        self.forms.insert(format!("{:08x}", bits.swap_bytes()).into(), (Form::Ipv4(address, true), true));
        self.forms.insert(format!("{bits:08x}").into(), (Form::Ipv4(address, false), true));
        self.forms.insert(address.to_string().replace('.', "-").into(), (Form::Dashed(address), true));
    }

    /// Builds the dictionary.
    pub(super) fn dictionary(mut self) -> Result<Dictionary, String> {
        let names = std::mem::take(&mut self.names);
        self.forms.retain(|text, (form, _)| {
            !matches!(form, Form::Word(Category::Host | Category::User | Category::Label)) || !names.contains(text)
        });
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(self.forms.keys())
            .map_err(|error| format!("too many identities: {error}"))?;
        Ok(Dictionary { search, forms: self.forms.into_values().collect() })
    }
}

fn hexadecimal(text: &[u8]) -> Vec<u8> {
    text.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

/// Search automaton over all identities.
#[derive(Debug)]
pub(super) struct Dictionary {
    search: AhoCorasick,
    forms: Vec<(Form, bool)>,
}

impl Dictionary {
    /// Finds every identity. With `has_numbers`, the text is a table of hexadecimal counters, which holds no addresses.
    pub(super) fn find(&self, key: &Key, text: &[u8], has_numbers: bool, into: &mut Vec<Span>) {
        for found in self.search.find_iter(text) {
            let Some((form, is_bounded)) = self.forms.get(found.pattern().as_usize()) else { continue };
            let is_address = matches!(form, Form::Ipv4(..) | Form::Mac(_));
            let range = found.range();
            if (*is_bounded && is_within_word(text, &range)) || (has_numbers && is_address) {
                continue;
            }
            let before = text.get(range.clone()).unwrap_or_default();
            let (category, replacement) = pseudonym(key, form, before);
            into.push(Span { range, category, replacement });
        }
    }

    /// Finds an identity that remains inside a longer word.
    pub(super) fn remains(&self, text: &[u8], gap: &Range<usize>) -> Option<Range<usize>> {
        /// Shorter words are part of other words by chance.
        const MIN_BYTES: usize = 6;
        let inside = text.get(gap.clone())?;
        let found = self.search.find_iter(inside).find(|found| {
            let is_word = matches!(self.forms.get(found.pattern().as_usize()), Some((Form::Word(_), _)));
            let is_number = inside.get(found.range()).is_some_and(|text| text.iter().all(u8::is_ascii_digit));
            is_word && !is_number && found.range().len() >= MIN_BYTES
        })?;
        Some(gap.start + found.start()..gap.start + found.end())
    }
}

fn pseudonym(key: &Key, form: &Form, before: &[u8]) -> (Category, Vec<u8>) {
    let (category, moved): (Category, Vec<u8>) = match form {
        Form::Word(category) => return (*category, word(key, category.name(), before)),
        Form::Hexadecimal(category, text) => (*category, hexadecimal(&word(key, category.name(), text))),
        Form::Mac(value) => (Category::Mac, format!("{:012x}", address::mac(key, *value)).into()),
        Form::Ipv4(address, is_swapped) => {
            let bits = address.to_bits();
            let word = if *is_swapped { bits.swap_bytes() } else { bits };
            (Category::Ipv4, notation::v4(key, word, *is_swapped).into())
        }
        Form::Dashed(address) => (Category::Ipv4, address::ipv4(key, *address).to_string().replace('.', "-").into()),
    };
    let is_upper = before.iter().any(u8::is_ascii_uppercase);
    (category, if is_upper { moved.to_ascii_uppercase() } else { moved })
}
