//! The engine of the row tables: a table lists the fields of an answer once, and is read and written by it.
//!
//! `rows!` takes the tables, [`Form`] reads and writes one field, and [`Entry`] a whole entry. The tables themselves
//! are in [`super::answers`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::net::IpAddr;
use std::time::Duration;

use super::HANG_CAP;
use super::line::{CannedError, Line, ONLY_ONCE, Pair, write_escaped, write_seconds};
use crate::host::errno::Errno;
use crate::host::kernel::btrfs::{BTRFS_ERROR_KINDS, Uuid};
use crate::host::kernel::{IpNetwork, LinkStatistics, Zone};

/// Declares the form of an answer: one row for each field.
///
/// ```text
/// rows! {
///     struct KeptQdisc<'a> as Qdisc<'a>;             // what is kept, and what it is lent as
///     words {
///         device: Vec<u8> = "the device", "begin the line with it";
///     }
///     keys {
///         kind: needed Vec<u8> = "give the discipline's name, such as fq_codel";
///         parent: default u32 => Hex;                // zero where the key is missing
///         limit as "packet_limit": optional u32;     // `None` where the key is missing, and then not written
///     }
/// }
/// ```
///
/// The words come first in a line, in the order of the table; the keys follow in any order and are written in the
/// order of the table. `=> FORM` selects a [`Form`] other than [`Plain`]. `once struct` refuses a repeated first word.
/// `by_line TYPE;` instead of `struct` is for an entry of which each line is one field, such as `kernel/uname`.
macro_rules! rows {
    (struct $kept:ident<$life:lifetime> as $lent:ident $(<$lent_life:lifetime>)?; $($table:tt)*) => {
        rows! { @keep $kept $life $lent ($(<$lent_life>)?) $($table)* }
        rows! { @codec $kept false $($table)* }
    };
    (once struct $kept:ident<$life:lifetime> as $lent:ident $(<$lent_life:lifetime>)?; $($table:tt)*) => {
        rows! { @keep $kept $life $lent ($(<$lent_life>)?) $($table)* }
        rows! { @codec $kept true $($table)* }
    };
    (by_line $kept:ident; $($table:tt)*) => {
        rows! { @codec $kept false $($table)* }

        impl Entry for $kept {
            fn read(entry: &'static str, text: &[u8]) -> Result<Self, CannedError> {
                Self::read_rows(&mut Source::by_line(entry, text))
            }

            fn write(&self) -> Vec<u8> {
                let mut text = Text { is_by_line: true, ..Text::default() };
                self.write_rows(&mut text);
                text.bytes
            }

            fn absorb(&mut self, other: Self) {
                rows! { @absorb self other $($table)* }
            }
        }
    };
    (@keep $kept:ident $life:lifetime $lent:ident ($($lent_life:tt)*)
        words { $($word:ident: $word_type:ty = $label:expr, $needed:expr;)* }
        keys { $($field:ident $(as $key:literal)?: $need:ident $type:ty $(=> $form:ident)? $(= $advice:expr)?;)* }
    ) => {
        #[doc = concat!("A [`", stringify!($lent), "`] that owns its bytes.")]
        #[derive(Clone, PartialEq, Debug)]
        pub(super) struct $kept {
            $($word: $word_type,)*
            $($field: rows!(@type $need $type),)*
        }

        impl Lend for $kept {
            type Lent<$life> = $lent $($lent_life)*;

            fn keep(lent: &Self::Lent<'_>) -> Self {
                Self { $($word: Keep::keep(lent.$word),)* $($field: Keep::keep(lent.$field),)* }
            }

            fn lend(&self) -> Self::Lent<'_> {
                $lent { $($word: Keep::lend(&self.$word),)* $($field: Keep::lend(&self.$field),)* }
            }
        }
    };
    (@codec $kept:ident $is_once:literal
        words { $($word:ident: $word_type:ty = $label:expr, $needed:expr;)* }
        keys { $($field:ident $(as $key:literal)?: $need:ident $type:ty $(=> $form:ident)? $(= $advice:expr)?;)* }
    ) => {
        impl Rows for $kept {
            const IS_ONCE: bool = $is_once;

            fn read_rows(source: &mut Source<'_>) -> Result<Self, CannedError> {
                const NAMES: &[&str] = &[$(rows!(@name $field $($key)?)),*];
                $(let $word: $word_type = source.word($label, $needed)?;)*
                if NAMES.is_empty() {
                    source.line.end()?;
                }
                $(let mut $field: Option<$type> = None;)*
                while let Some((key, value)) = source.pair()? {
                    let line = &source.line;
                    // A table without keys reads none.
                    let _ = value;
                    let is_known = false $(|| <rows!(@form $($form)?) as Form<$type>>::read_pair(
                        line, rows!(@name $field $($key)?), key, value, &mut $field,
                    )?)*;
                    if !is_known {
                        let keys: Vec<Vec<String>> =
                            vec![$(<rows!(@form $($form)?) as Form<$type>>::keys(rows!(@name $field $($key)?))),*];
                        return Err(line.error("the key", Some(key), format!("use {}{}", keys.concat().join(", "), source.alternative)));
                    }
                }
                Ok(Self {
                    $($word,)*
                    $($field: rows!(@value $need $field source rows!(@name $field $($key)?); $($advice)?),)*
                })
            }

            fn write_rows(&self, text: &mut Text) {
                $(text.word(&self.$word);)*
                $(if let Some(value) = rows!(@written $need $field self) {
                    <rows!(@form $($form)?) as Form<$type>>::write_pair(rows!(@name $field $($key)?), value, text);
                })*
            }
        }
    };
    (@absorb $self:ident $other:ident words {} keys { $($field:ident: $need:ident $type:ty $(=> $form:ident)?;)* }) => {
        $(replace(&mut $self.$field, $other.$field);)*
    };
    (@type optional $type:ty) => { Option<$type> };
    (@type $need:ident $type:ty) => { $type };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $key:literal) => { $key };
    (@form) => { Plain };
    (@form $form:ident) => { $form };
    (@value needed $field:ident $source:ident $name:expr; $advice:expr) => {
        $field.ok_or_else(|| $source.line.error($name, None, $advice))?
    };
    (@value default $field:ident $source:ident $name:expr;) => { $field.unwrap_or_default() };
    (@value optional $field:ident $source:ident $name:expr;) => { $field };
    (@written optional $field:ident $self:ident) => { $self.$field.as_ref() };
    (@written $need:ident $field:ident $self:ident) => { Some(&$self.$field) };
}
pub(super) use rows;

/// The fields of an answer, as its table reads and writes them.
pub(super) trait Rows: Sized {
    /// Whether no two lines of an entry have the same first word.
    const IS_ONCE: bool;

    fn read_rows(source: &mut Source<'_>) -> Result<Self, CannedError>;
    fn write_rows(&self, text: &mut Text);
}

/// A stored answer whose rows are passed to a callback by reference.
pub(super) trait Lend {
    type Lent<'a>;

    fn keep(lent: &Self::Lent<'_>) -> Self;
    fn lend(&self) -> Self::Lent<'_>;
}

/// One field of an answer that is kept, and lent to visitors.
pub(super) trait Keep {
    type Lent<'a>;

    fn keep(lent: Self::Lent<'_>) -> Self;
    fn lend(&self) -> Self::Lent<'_>;
}

impl Keep for Vec<u8> {
    type Lent<'a> = &'a [u8];

    fn keep(lent: &[u8]) -> Self {
        lent.to_vec()
    }

    fn lend(&self) -> &[u8] {
        self
    }
}

impl<T: Keep> Keep for Option<T> {
    type Lent<'a> = Option<T::Lent<'a>>;

    fn keep(lent: Self::Lent<'_>) -> Self {
        lent.map(T::keep)
    }

    fn lend(&self) -> Self::Lent<'_> {
        self.as_ref().map(T::lend)
    }
}

macro_rules! copied {
    ($($type:ty)*) => {$(
        impl Keep for $type {
            type Lent<'a> = Self;

            fn keep(lent: Self) -> Self {
                lent
            }

            fn lend(&self) -> Self {
                *self
            }
        }
    )*};
}

copied! {
    u8 u16 u32 u64 i8 i64 Duration IpAddr IpNetwork Uuid LinkStatistics [u64; BTRFS_ERROR_KINDS.len()] Result<u64, Errno>
}

/// Replaces a field unless it is the default.
pub(super) fn replace<T: Default + PartialEq>(into: &mut T, from: T) {
    if from != T::default() {
        *into = from;
    }
}

/// Where the rows of a table are read from: the pairs of a line, or the lines of an entry.
pub(super) struct Source<'a> {
    /// The present line.
    pub(super) line: Line<'a>,
    lines: Option<Box<dyn Iterator<Item = Line<'a>> + 'a>>,
    /// Alternative content of the line, for the advice of errors.
    pub(super) alternative: &'static str,
    seen: Vec<&'a [u8]>,
}

impl<'a> Source<'a> {
    fn of_line(line: Line<'a>) -> Self {
        Self { line, lines: None, alternative: "", seen: Vec::new() }
    }

    pub(super) fn by_line(entry: &'static str, text: &'a [u8]) -> Self {
        let lines: Box<dyn Iterator<Item = Line<'a>> + 'a> = Box::new(Line::all(entry, text));
        Self { lines: Some(lines), ..Self::of_line(Line::empty(entry)) }
    }

    pub(super) fn word<T>(&mut self, label: &str, advice: &str) -> Result<T, CannedError>
    where
        Plain: Value<T>,
    {
        let word = self.line.needed(label, advice)?;
        Plain::read(&self.line, label, word)
    }

    /// The next key with its value. A repeated key is an error.
    pub(super) fn pair(&mut self) -> Result<Option<Pair<'a>>, CannedError> {
        let pair = match &mut self.lines {
            None => self.line.pair()?,
            Some(lines) => lines.next().and_then(|line| {
                self.line = line;
                Some((self.line.word()?, self.line.remainder()))
            }),
        };
        if let Some((key, _)) = pair {
            if self.seen.contains(&key) {
                return Err(self.line.error("the key", Some(key), ONLY_ONCE));
            }
            self.seen.push(key);
        }
        Ok(pair)
    }

    /// The refusal that the line holds instead of an answer.
    fn refusal(&mut self) -> Result<Option<Refusal>, CannedError> {
        let (mut words, mut count, mut refusal) = (self.line.clone(), 0, None);
        while let Some(word) = words.word() {
            count += 1;
            if let Some(value) = word.strip_prefix(b"error=") {
                refusal = Some(Refusal::Error(errno(&self.line, value)?));
            } else if let Some(value) = word.strip_prefix(b"hang=") {
                refusal = Some(Refusal::Hang(hang(&self.line, value)?));
            }
        }
        match refusal {
            Some(_) if count > 1 => {
                Err(self.line.error("error or hang", Some(b"not alone"), "take the other fields out"))
            }
            other => Ok(other),
        }
    }
}

/// The text of an entry.
#[derive(Default)]
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    /// Each field is a line.
    pub(super) is_by_line: bool,
}

impl Text {
    /// Writes a word, with a space before it unless it begins a line.
    pub(super) fn word<T>(&mut self, value: &T)
    where
        Plain: Value<T>,
    {
        self.separate();
        Plain::write(value, &mut self.bytes);
    }

    fn separate(&mut self) {
        if self.bytes.last().is_some_and(|&last| last != b'\n') {
            self.bytes.push(b' ');
        }
    }

    /// Writes `key=value`, or the line `key value`.
    fn pair(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.separate();
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.push(if self.is_by_line { b' ' } else { b'=' });
        write(&mut self.bytes);
        if self.is_by_line {
            self.bytes.push(b'\n');
        }
    }
}

/// How a row is written: [`Plain`] by its type, or as its table says.
pub(super) trait Form<T> {
    /// The keys of the row `name`.
    fn keys(name: &str) -> Vec<String>;

    /// Reads the value if the key is one of the row `name`, and says whether it is.
    fn read_pair(
        line: &Line<'_>,
        name: &str,
        key: &[u8],
        value: &[u8],
        into: &mut Option<T>,
    ) -> Result<bool, CannedError>;

    fn write_pair(name: &str, value: &T, text: &mut Text);
}

/// The form of a single value.
pub(super) trait Value<T> {
    fn read(line: &Line<'_>, field: &str, value: &[u8]) -> Result<T, CannedError>;
    fn write(value: &T, text: &mut Vec<u8>);
}

macro_rules! single_values {
    ($($form:ident)*) => {$(
        impl<T> Form<T> for $form
        where
            Self: Value<T>,
        {
            fn keys(name: &str) -> Vec<String> {
                vec![name.to_owned()]
            }

            fn read_pair(
                line: &Line<'_>,
                name: &str,
                key: &[u8],
                value: &[u8],
                into: &mut Option<T>,
            ) -> Result<bool, CannedError> {
                let is_known = key == name.as_bytes();
                if is_known {
                    *into = Some(<Self as Value<T>>::read(line, name, value)?);
                }
                Ok(is_known)
            }

            fn write_pair(name: &str, value: &T, text: &mut Text) {
                text.pair(name, |bytes| <Self as Value<T>>::write(value, bytes));
            }
        }
    )*};
}

single_values! { Plain Hex HardwareAddress Positive }

/// The usual form of a type: decimal numbers, escaped bytes, seconds.
pub(super) struct Plain;

/// Hexadecimal after `0x`.
pub(super) struct Hex;

/// Two hexadecimal digits a byte, with colons between them.
pub(super) struct HardwareAddress;

/// A decimal number above zero, because collectors divide by it.
pub(super) struct Positive;

/// The rest of a line with its spaces. An empty value is not written.
pub(super) struct Remainder;

macro_rules! whole_numbers {
    ($($type:ty)*) => {$(
        impl Value<$type> for Plain {
            fn read(line: &Line<'_>, field: &str, value: &[u8]) -> Result<$type, CannedError> {
                line.number(field, value)
            }

            fn write(value: &$type, text: &mut Vec<u8>) {
                text.extend_from_slice(value.to_string().as_bytes());
            }
        }
    )*};
}

whole_numbers! { u8 u16 u32 u64 }

macro_rules! signed_numbers {
    ($($type:ty: $advice:literal;)*) => {$(
        impl Value<$type> for Plain {
            fn read(line: &Line<'_>, field: &str, value: &[u8]) -> Result<$type, CannedError> {
                parsed(line, field, value, $advice)
            }

            fn write(value: &$type, text: &mut Vec<u8>) {
                text.extend_from_slice(value.to_string().as_bytes());
            }
        }
    )*};
}

signed_numbers! {
    i8: "give a whole number from -128 to 127";
    i32: "give a whole number of at most 32 bits, which may be negative";
    i64: "give a whole number of at most 64 bits, which may be negative";
}

impl Value<Vec<u8>> for Plain {
    fn read(line: &Line<'_>, field: &str, value: &[u8]) -> Result<Vec<u8>, CannedError> {
        line.unescaped(field, value)
    }

    fn write(value: &Vec<u8>, text: &mut Vec<u8>) {
        write_escaped(value, false, text);
    }
}

impl Value<Duration> for Plain {
    fn read(line: &Line<'_>, field: &str, value: &[u8]) -> Result<Duration, CannedError> {
        line.seconds(field, value)
    }

    fn write(value: &Duration, text: &mut Vec<u8>) {
        write_seconds(*value, text);
    }
}

impl Value<Uuid> for Plain {
    fn read(line: &Line<'_>, field: &str, value: &[u8]) -> Result<Uuid, CannedError> {
        Uuid::parse(value).ok_or_else(|| line.error(field, Some(value), "give 32 hexadecimal digits"))
    }

    fn write(value: &Uuid, text: &mut Vec<u8>) {
        text.extend_from_slice(&value.text());
    }
}

impl Value<IpAddr> for Plain {
    fn read(line: &Line<'_>, field: &str, value: &[u8]) -> Result<IpAddr, CannedError> {
        parsed(line, field, value, "write it as 192.0.2.1")
    }

    fn write(value: &IpAddr, text: &mut Vec<u8>) {
        text.extend_from_slice(value.to_string().as_bytes());
    }
}

impl Value<IpNetwork> for Plain {
    fn read(line: &Line<'_>, field: &str, value: &[u8]) -> Result<IpNetwork, CannedError> {
        let network = std::str::from_utf8(value).ok().and_then(|text| {
            let (address, length) = text.split_once('/')?;
            let address: IpAddr = address.parse().ok()?;
            // `parse` takes a sign.
            let is_number = length.bytes().all(|byte| byte.is_ascii_digit());
            let prefix_length =
                length.parse().ok().filter(|&bits: &u8| is_number && bits <= IpNetwork::bits(address))?;
            Some(IpNetwork { address, prefix_length })
        });
        network.ok_or_else(|| line.error(field, Some(value), "write it as 192.0.2.10/24 or 2001:db8::1/64"))
    }

    fn write(value: &IpNetwork, text: &mut Vec<u8>) {
        text.extend_from_slice(format!("{}/{}", value.address, value.prefix_length).as_bytes());
    }
}

/// `default` is the route without a network.
impl Value<Option<IpNetwork>> for Plain {
    fn read(line: &Line<'_>, field: &str, value: &[u8]) -> Result<Option<IpNetwork>, CannedError> {
        if value == b"default" { Ok(None) } else { Self::read(line, field, value).map(Some) }
    }

    fn write(value: &Option<IpNetwork>, text: &mut Vec<u8>) {
        match value {
            Some(network) => Self::write(network, text),
            None => text.extend_from_slice(b"default"),
        }
    }
}

/// Prefix of an error number without a symbol. Without the prefix, a number is a count.
const UNNAMED: &[u8] = b"errno:";

/// A number, or the symbol of the error in its place.
impl Value<Result<u64, Errno>> for Plain {
    fn read(line: &Line<'_>, field: &str, value: &[u8]) -> Result<Result<u64, Errno>, CannedError> {
        match value.first() {
            Some(first) if first.is_ascii_digit() => line.number(field, value).map(Ok),
            _ => errno(line, value.strip_prefix(UNNAMED).unwrap_or(value)).map(Err),
        }
    }

    fn write(value: &Result<u64, Errno>, text: &mut Vec<u8>) {
        match value {
            Ok(number) => Self::write(number, text),
            Err(error) if Errno::from_name(error.name()).is_some() => text.extend_from_slice(error.name().as_bytes()),
            Err(error) => {
                text.extend_from_slice(UNNAMED);
                text.extend_from_slice(error.number().to_string().as_bytes());
            }
        }
    }
}

impl Value<Zone> for Plain {
    fn read(line: &Line<'_>, _field: &str, value: &[u8]) -> Result<Zone, CannedError> {
        let mut words = line.of_value(value);
        let name = words.needed("the zone's name", "write `zone CET 3600`")?;
        let offset = words.needed("the zone's offset", "write `zone CET 3600`")?;
        words.end()?;
        let offset_seconds = parsed(line, "the zone's offset", offset, "give whole seconds east of Greenwich")?;
        Ok(Zone { name: line.unescaped("the zone's name", name)?, offset_seconds })
    }

    fn write(value: &Zone, text: &mut Vec<u8>) {
        write_escaped(&value.name, false, text);
        text.extend_from_slice(format!(" {}", value.offset_seconds).as_bytes());
    }
}

impl Value<u32> for Hex {
    fn read(line: &Line<'_>, field: &str, value: &[u8]) -> Result<u32, CannedError> {
        line.number(field, value)
    }

    fn write(value: &u32, text: &mut Vec<u8>) {
        text.extend_from_slice(format!("{value:#x}").as_bytes());
    }
}

impl Value<u16> for Hex {
    fn read(line: &Line<'_>, field: &str, value: &[u8]) -> Result<u16, CannedError> {
        line.number(field, value)
    }

    /// Two digits at least, as the bits of `ndm_state` are usually written.
    fn write(value: &u16, text: &mut Vec<u8>) {
        text.extend_from_slice(format!("{value:#04x}").as_bytes());
    }
}

impl Value<Vec<u8>> for HardwareAddress {
    fn read(line: &Line<'_>, field: &str, value: &[u8]) -> Result<Vec<u8>, CannedError> {
        line.hardware_address(field, value)
    }

    fn write(value: &Vec<u8>, text: &mut Vec<u8>) {
        let digits: Vec<_> = value.iter().map(|byte| format!("{byte:02x}")).collect();
        text.extend_from_slice(digits.join(":").as_bytes());
    }
}

impl Value<u64> for Positive {
    fn read(line: &Line<'_>, field: &str, value: &[u8]) -> Result<u64, CannedError> {
        match line.number(field, value)? {
            0 => Err(line.error(field, Some(value), "give at least 1")),
            number => Ok(number),
        }
    }

    fn write(value: &u64, text: &mut Vec<u8>) {
        text.extend_from_slice(value.to_string().as_bytes());
    }
}

impl Form<Vec<u8>> for Remainder {
    fn keys(name: &str) -> Vec<String> {
        vec![name.to_owned()]
    }

    fn read_pair(
        line: &Line<'_>,
        name: &str,
        key: &[u8],
        value: &[u8],
        into: &mut Option<Vec<u8>>,
    ) -> Result<bool, CannedError> {
        Plain::read_pair(line, name, key, value, into)
    }

    fn write_pair(name: &str, value: &Vec<u8>, text: &mut Text) {
        if !value.is_empty() {
            text.pair(name, |bytes| write_escaped(value, true, bytes));
        }
    }
}

/// A field of several counters, each with a key of its own.
trait Counters: Default {
    fn keys() -> impl Iterator<Item = String>;
    fn counters(&self) -> impl Iterator<Item = u64>;
    fn set(&mut self, position: usize, value: u64);
}

impl Counters for LinkStatistics {
    fn keys() -> impl Iterator<Item = String> {
        Self::NAMES.into_iter().map(str::to_owned)
    }

    fn counters(&self) -> impl Iterator<Item = u64> {
        Self::counters(self).into_iter()
    }

    fn set(&mut self, position: usize, value: u64) {
        let mut counters = Self::counters(self);
        counters.iter_mut().skip(position).take(1).for_each(|counter| *counter = value);
        *self = Self::from_counters(counters);
    }
}

impl Counters for [u64; BTRFS_ERROR_KINDS.len()] {
    fn keys() -> impl Iterator<Item = String> {
        BTRFS_ERROR_KINDS.iter().map(|kind| format!("{kind}_errors"))
    }

    fn counters(&self) -> impl Iterator<Item = u64> {
        self.iter().copied()
    }

    fn set(&mut self, position: usize, value: u64) {
        self.iter_mut().skip(position).take(1).for_each(|counter| *counter = value);
    }
}

/// The form of several [`Counters`], whose keys do not have the name of the row.
pub(super) struct Each;

impl<T: Counters> Form<T> for Each {
    fn keys(_name: &str) -> Vec<String> {
        T::keys().collect()
    }

    fn read_pair(
        line: &Line<'_>,
        _name: &str,
        key: &[u8],
        value: &[u8],
        into: &mut Option<T>,
    ) -> Result<bool, CannedError> {
        let Some((position, name)) = T::keys().enumerate().find(|(_, known)| known.as_bytes() == key) else {
            return Ok(false);
        };
        into.get_or_insert_default().set(position, line.number(&name, value)?);
        Ok(true)
    }

    fn write_pair(_name: &str, value: &T, text: &mut Text) {
        for (key, counter) in T::keys().zip(value.counters()) {
            text.pair(&key, |bytes| <Plain as Value<u64>>::write(&counter, bytes));
        }
    }
}

fn parsed<T: std::str::FromStr>(line: &Line<'_>, field: &str, value: &[u8], advice: &str) -> Result<T, CannedError> {
    let value_parsed = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    value_parsed.ok_or_else(|| line.error(field, Some(value), advice))
}

/// Why a question about one subject, a mount point or a device, has no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The error.
    Error(Errno),
    /// No answer for that long, or until [`super::Canned::release`]; then `ETIMEDOUT`.
    Hang(Duration),
}

impl Refusal {
    /// The refusal with [`HANG_CAP`] applied.
    pub(super) fn capped(self) -> Self {
        match self {
            Self::Hang(time) => Self::Hang(time.min(HANG_CAP)),
            error @ Self::Error(_) => error,
        }
    }

    fn write(self, text: &mut Text) {
        match self {
            Self::Error(errno) if Errno::from_name(errno.name()).is_some() => {
                text.pair("error", |bytes| bytes.extend_from_slice(errno.name().as_bytes()));
            }
            Self::Error(errno) => text.pair("error", |bytes| bytes.extend(errno.number().to_string().into_bytes())),
            Self::Hang(time) => text.pair("hang", |bytes| write_seconds(time, bytes)),
        }
    }
}

/// An error by its symbol, or by its number where it has none.
fn errno(line: &Line<'_>, value: &[u8]) -> Result<Errno, CannedError> {
    let errno = std::str::from_utf8(value).ok().and_then(|text| {
        Errno::from_name(text).or_else(|| text.parse::<u16>().ok().map(|number| Errno::from_number(number.into())))
    });
    errno.ok_or_else(|| line.error("error", Some(value), "give a symbol of errno(3) such as ESTALE"))
}

fn hang(line: &Line<'_>, value: &[u8]) -> Result<Duration, CannedError> {
    let time = line.seconds("hang", value)?;
    if time > HANG_CAP {
        return Err(line.error("hang", Some(value), format!("give at most {} seconds", HANG_CAP.as_secs())));
    }
    Ok(time)
}

/// An answer about one subject, a mount point or a device, or why there is none.
pub(super) type Outcome<T> = Result<T, Refusal>;

/// A subject with its outcome: one line of an entry.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct About<T> {
    pub(super) subject: Vec<u8>,
    pub(super) outcome: Outcome<T>,
}

const SUBJECT: &str = "the mount point or device";

impl<T: Rows> Rows for About<T> {
    const IS_ONCE: bool = false;

    fn read_rows(source: &mut Source<'_>) -> Result<Self, CannedError> {
        let subject = source.word(SUBJECT, "begin the line with it")?;
        source.alternative = ", or error or hang alone";
        let outcome = match source.refusal()? {
            Some(refusal) => Err(refusal),
            None => Ok(T::read_rows(source)?),
        };
        Ok(Self { subject, outcome })
    }

    fn write_rows(&self, text: &mut Text) {
        write_about(&self.subject, &self.outcome, text);
    }
}

fn write_about<T: Rows>(subject: &Vec<u8>, outcome: &Outcome<T>, text: &mut Text) {
    text.word(subject);
    match outcome {
        Ok(answer) => answer.write_rows(text),
        Err(refusal) => refusal.write(text),
    }
}

/// A whole entry.
pub(super) trait Entry: Sized {
    fn read(entry: &'static str, text: &[u8]) -> Result<Self, CannedError>;
    fn write(&self) -> Vec<u8>;
    /// Adds the answers of `other`.
    fn absorb(&mut self, other: Self);
}

/// Any number of lines in their order, because a kernel lists devices by index, not by name.
impl<T: Rows> Entry for Vec<T> {
    fn read(entry: &'static str, text: &[u8]) -> Result<Self, CannedError> {
        let mut seen = BTreeSet::new();
        let lines = Line::all(entry, text).map(|line| {
            let first = line.clone().word();
            if T::IS_ONCE && !seen.insert(first) {
                return Err(line.error("the first word", first, ONLY_ONCE));
            }
            T::read_rows(&mut Source::of_line(line))
        });
        lines.collect()
    }

    fn write(&self) -> Vec<u8> {
        lines(self, T::write_rows)
    }

    fn absorb(&mut self, other: Self) {
        self.extend(other);
    }
}

/// One line for each subject, sorted.
impl<T: Rows> Entry for BTreeMap<Vec<u8>, Outcome<T>> {
    fn read(entry: &'static str, text: &[u8]) -> Result<Self, CannedError> {
        let mut known = Self::new();
        for line in Line::all(entry, text) {
            let About { subject, outcome } = About::read_rows(&mut Source::of_line(line.clone()))?;
            if known.contains_key(&subject) {
                return Err(line.error(SUBJECT, Some(&subject), ONLY_ONCE));
            }
            known.insert(subject, outcome);
        }
        Ok(known)
    }

    fn write(&self) -> Vec<u8> {
        lines(self, |(subject, outcome), text| write_about(subject, outcome, text))
    }

    fn absorb(&mut self, other: Self) {
        self.extend(other);
    }
}

fn lines<T>(all: impl IntoIterator<Item = T>, write: impl Fn(T, &mut Text)) -> Vec<u8> {
    let mut text = Text::default();
    for one in all {
        write(one, &mut text);
        text.bytes.push(b'\n');
    }
    text.bytes
}
