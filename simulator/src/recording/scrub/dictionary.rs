//! Identities that were seen somewhere, to be found everywhere else, whatever the notation.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::key::Key;
use super::span::{Category, Span, is_within_word};
use super::word::word;
use super::{address, notation};

/// Words that are everybody's: replaced where they are known to be a name, and left alone elsewhere.
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

/// Whether a name is everybody's.
pub(super) fn is_common(name: &[u8]) -> bool {
    COMMON.iter().any(|common| common.as_bytes().eq_ignore_ascii_case(name))
}

/// How an identity is written, and so how its pseudonym is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Form {
    Word(Category),
    /// The bytes of a word in hexadecimal digits.
    Hexadecimal(Category, Vec<u8>),
    Mac(u64),
    /// An IPv4 address in hexadecimal digits, in the order of a machine that begins with the low byte or not.
    Ipv4(Ipv4Addr, bool),
    /// An IPv4 address with `-` between its numbers, as names of hosts have it.
    Dashed(Ipv4Addr),
}

/// What has been seen.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// By what is searched for, in lower case.
    forms: BTreeMap<Vec<u8>, (Form, bool)>,
    /// Words that name files and folders of the tree: no host's name is replaced in them.
    names: BTreeSet<Vec<u8>>,
}

impl Learned {
    /// Names that are not to be mistaken for somebody's.
    pub(super) fn add_names(&mut self, path: &[u8]) {
        let is_name = |name: &&[u8]| name.iter().all(u8::is_ascii_lowercase);
        self.names.extend(path.split(|byte| !byte.is_ascii_alphanumeric()).filter(is_name).map(<[u8]>::to_vec));
    }

    /// A word that was found where a serial or a name stands.
    pub(super) fn add_word(&mut self, category: Category, text: &[u8]) {
        const SERIAL_MIN_BYTES: usize = 4;
        const NAME_MIN_BYTES: usize = 3;
        /// A number of fewer digits may be a counter's.
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

    /// A MAC address, which is written without colons elsewhere.
    pub(super) fn add_mac(&mut self, value: u64) {
        self.forms.insert(format!("{value:012x}").into(), (Form::Mac(value), true));
    }

    /// An IPv4 address, which tables write in hexadecimal digits.
    pub(super) fn add_ipv4(&mut self, address: Ipv4Addr) {
        let bits = address.to_bits();
        self.forms.insert(format!("{:08x}", bits.swap_bytes()).into(), (Form::Ipv4(address, true), true));
        self.forms.insert(format!("{bits:08x}").into(), (Form::Ipv4(address, false), true));
        self.forms.insert(address.to_string().replace('.', "-").into(), (Form::Dashed(address), true));
    }

    /// Ready to search.
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

/// All identities, searched for at once.
#[derive(Debug)]
pub(super) struct Dictionary {
    search: AhoCorasick,
    forms: Vec<(Form, bool)>,
}

impl Dictionary {
    /// Every identity in the text. `has_numbers`: a table of counters in hexadecimal digits, in which no address stands.
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

    /// Where an identity is left in a text that should hold none, as a part of a longer word.
    pub(super) fn remains(&self, text: &[u8], gap: &Range<usize>) -> Option<Range<usize>> {
        /// A shorter word is a part of others by chance.
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
