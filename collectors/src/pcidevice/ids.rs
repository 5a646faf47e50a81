//! Parser of pci.ids: names of vendors, devices and classes.

use std::ops::Range;

use crate::kit::parse::Hexadecimal;
use crate::kit::parse::{FromText, Text};

/// Key of a name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Id {
    Vendor(u16),
    /// Vendor and device.
    Device([u16; 2]),
    /// Vendor, device, subsystem vendor and subsystem device.
    Subsystem([u16; 4]),
    /// Base class.
    Class(u8),
    /// Base class and subclass.
    Subclass([u8; 2]),
    /// Base class, subclass and programming interface.
    Interface([u8; 3]),
}

/// Names by ID: the content of the file, and the range of each name in it.
#[derive(Default, Debug)]
pub(super) struct Ids {
    content: Vec<u8>,
    /// Sorted by ID.
    names: Vec<(Id, Range<usize>)>,
}

impl Ids {
    /// Parses a file. Malformed lines are ignored; of duplicate names the last is kept.
    pub(super) fn parse(text: Text<'_>) -> Self {
        let content = text.bytes.to_vec();
        let mut names = Vec::new();
        let mut above = Parent::Nothing;
        let mut start = 0;
        for line in Text::new(text.mount, text.path, &content).lines() {
            if let Some((id, name)) = above.take(line.bytes) {
                // The range of the name, counted from the end of the line.
                let end = start + line.bytes.trim_ascii_end().len();
                names.push((id, end - name.len()..end));
            }
            start += line.bytes.len() + 1;
        }
        // Keep the last of duplicate names: reverse, sort stably, drop later duplicates.
        names.reverse();
        names.sort_by_key(|(id, _)| *id);
        names.dedup_by_key(|(id, _)| *id);
        Self { content, names }
    }

    /// Whether the file has no names.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The name of an ID.
    pub(super) fn name(&self, id: Id) -> Option<&[u8]> {
        let at = self.names.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.names.get(at).and_then(|(_, place)| self.content.get(place.clone()))
    }
}

/// The parent of the indented lines that follow.
#[derive(Clone, Copy, Debug)]
enum Parent {
    Nothing,
    Vendor(u16),
    Device([u16; 2]),
    Class(u8),
    Subclass([u8; 2]),
}

impl Parent {
    /// Parses a line: its ID and name.
    fn take<'a>(&mut self, line: &'a [u8]) -> Option<(Id, &'a [u8])> {
        if line.first().is_none_or(|&first| first == b'#') {
            return None;
        }
        let depth = line.iter().take_while(|&&byte| byte == b'\t').count();
        let line = &line[depth..];
        let at = line.windows(2).position(|pair| pair == b"  ")?;
        let (id, name) = (line[..at].trim_ascii(), line[at..].trim_ascii());
        let id = match depth {
            0 => self.take_first_level(id),
            1 => self.take_second_level(id),
            2 => self.third_level(id),
            _ => None,
        };
        id.map(|id| (id, name))
    }

    fn take_first_level(&mut self, id: &[u8]) -> Option<Id> {
        *self = Self::Nothing;
        if let Some(class) = id.strip_prefix(b"C ") {
            let class = byte(class.trim_ascii())?;
            *self = Self::Class(class);
            return Some(Id::Class(class));
        }
        let vendor = word(id)?;
        *self = Self::Vendor(vendor);
        Some(Id::Vendor(vendor))
    }

    fn take_second_level(&mut self, id: &[u8]) -> Option<Id> {
        match *self {
            Self::Vendor(vendor) | Self::Device([vendor, _]) => {
                *self = Self::Vendor(vendor);
                let device = [vendor, word(id)?];
                *self = Self::Device(device);
                Some(Id::Device(device))
            }
            Self::Class(class) | Self::Subclass([class, _]) => {
                *self = Self::Class(class);
                let subclass = [class, byte(id)?];
                *self = Self::Subclass(subclass);
                Some(Id::Subclass(subclass))
            }
            Self::Nothing => None,
        }
    }

    fn third_level(self, id: &[u8]) -> Option<Id> {
        match self {
            Self::Device([vendor, device]) => {
                let mut pieces = id.split(u8::is_ascii_whitespace).filter(|piece| !piece.is_empty());
                let (by, other, None) = (word(pieces.next()?)?, word(pieces.next()?)?, pieces.next()) else {
                    return None;
                };
                Some(Id::Subsystem([vendor, device, by, other]))
            }
            Self::Subclass([class, subclass]) => Some(Id::Interface([class, subclass, byte(id)?])),
            Self::Nothing | Self::Vendor(_) | Self::Class(_) => None,
        }
    }
}

/// Parses four hexadecimal digits.
fn word(text: &[u8]) -> Option<u16> {
    Hexadecimal::from_text(text).filter(|_| text.len() == 4).and_then(|number| u16::try_from(number.0).ok())
}

/// Parses two hexadecimal digits.
fn byte(text: &[u8]) -> Option<u8> {
    Hexadecimal::from_text(text).filter(|_| text.len() == 2).and_then(|number| u8::try_from(number.0).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use proptest::prelude::*;

    fn ids(content: &[u8]) -> Ids {
        Ids::parse(Text::new(Mount::Host, b"pci.ids", content))
    }

    const FILE: &str = "# Names\n\n1111  One, Inc.\r\n\t2222  Two  of them \n\t\t3333 4444  Four\n\t\tx 4444  Bad\n5555  Five\n\
        \t\t3333 4444  Of nothing\n\tnope  Bad\n\t\t3333 5555  Of nothing\nbad  Bad\n\t2222  Of nothing\n5555  Five again\n\
        C 01  Storage\n\t08  Memory\n\t\t02  Express\n\t\t\t03  Too deep\n\tx  Bad\n\t\t04  Of nothing\nC x  Bad\n\t09  Of nothing\n6666 one space\n";

    #[track_caller]
    fn check(id: Id, expected: Option<&str>) {
        let ids = ids(FILE.as_bytes());
        assert_eq!(ids.name(id), expected.map(str::as_bytes), "{id:?}");
    }

    #[test]
    fn names_are_nested_by_indentation() {
        check(Id::Vendor(0x1111), Some("One, Inc."));
        check(Id::Device([0x1111, 0x2222]), Some("Two  of them"));
        check(Id::Subsystem([0x1111, 0x2222, 0x3333, 0x4444]), Some("Four"));
        check(Id::Class(1), Some("Storage"));
        check(Id::Subclass([1, 8]), Some("Memory"));
        check(Id::Interface([1, 8, 2]), Some("Express"));
    }

    #[test]
    fn the_last_of_duplicate_names_is_used() {
        check(Id::Vendor(0x5555), Some("Five again"));
    }

    #[test]
    fn malformed_lines_are_ignored() {
        check(Id::Device([0x5555, 0x2222]), None);
        check(Id::Vendor(0x6666), None);
        check(Id::Subclass([1, 9]), None);
        assert_eq!(ids(FILE.as_bytes()).names.len(), 7);
        for content in ["", "\n", "# 1111  One\n", "\t1111  One\n", "\t\t1111 2222  One\n", "1111\n", "C 1  One\n"] {
            assert!(ids(content.as_bytes()).is_empty(), "{content:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn names_round_trip(vendor: u16, device: u16, by: u16, other: u16, name in "[a-z]([a-z ]{0,20}[a-z])?") {
            let content = format!("{vendor:04x}  v{name}\n\t{device:04x}  d{name}\n\t\t{by:04x} {other:04x}  s{name}");
            let ids = ids(content.as_bytes());
            let expected = ["v", "d", "s"].map(|letter| format!("{letter}{name}").into_bytes());
            let things = [Id::Vendor(vendor), Id::Device([vendor, device]), Id::Subsystem([vendor, device, by, other])];
            for (id, name) in things.into_iter().zip(&expected) {
                prop_assert_eq!(ids.name(id), Some(name.as_slice()));
            }
        }

        #[test]
        fn any_bytes_are_parsed_or_ignored(bytes: Vec<u8>) {
            let ids = ids(&bytes);
            for (id, _) in &ids.names {
                prop_assert!(ids.name(*id).is_some());
            }
        }
    }
}
