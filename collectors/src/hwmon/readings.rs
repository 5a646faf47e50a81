//! Parser of the files of a chip: `temp1_crit_hyst` is the property `crit_hyst` of sensor 1 of the type `temp`.

use super::{CHIP, DEVICE, DEVICE_SENSOR, Hwmon, SENSOR, Scratch};
use crate::host::root::{Kind, Names};
use crate::kit::attribute;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;

/// Supported types of sensors.
pub(super) const TYPES: [&str; 14] = [
    "vrm",
    "beep_enable",
    "update_interval",
    "in",
    "cpu",
    "fan",
    "pwm",
    "temp",
    "curr",
    "power",
    "energy",
    "humidity",
    "intrusion",
    "freq",
];

/// The readings of a chip.
#[derive(Default, Debug)]
pub(super) struct Readings {
    bytes: Vec<u8>,
    entries: Vec<ReadingPosition>,
}

/// Positions of the property and value of a reading.
#[derive(Clone, Copy, Debug)]
struct ReadingPosition {
    kind: &'static str,
    number: u32,
    start: usize,
    middle: usize,
    end: usize,
}

/// One reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reading<'a> {
    pub(super) kind: &'static str,
    pub(super) number: u32,
    pub(super) property: &'a [u8],
    pub(super) value: &'a [u8],
}

impl Readings {
    fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// Adds a reading, or replaces the one with its name.
    fn push(&mut self, (kind, number, property): (&'static str, u32, &[u8]), value: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(property);
        let middle = self.bytes.len();
        self.bytes.extend_from_slice(value);
        let entry = ReadingPosition { kind, number, start, middle, end: self.bytes.len() };
        let same = self
            .iter()
            .position(|reading| (reading.kind, reading.number, reading.property) == (kind, number, property));
        match same {
            Some(at) => self.entries[at] = entry,
            None => self.entries.push(entry),
        }
    }

    /// All readings.
    pub(super) fn iter(&self) -> impl Iterator<Item = Reading<'_>> {
        self.entries.iter().map(|&ReadingPosition { kind, number, start, middle, end }| Reading {
            kind,
            number,
            property: self.bytes.get(start..middle).unwrap_or_default(),
            value: self.bytes.get(middle..end).unwrap_or_default(),
        })
    }

    /// The value of a property of a sensor.
    pub(super) fn value(&self, kind: &str, number: u32, property: &[u8]) -> Option<&[u8]> {
        let mut readings = self.iter();
        let found =
            readings.find(|reading| (reading.kind, reading.number, reading.property) == (kind, number, property));
        found.map(|reading| reading.value)
    }
}

/// Reads the files of a chip, and those of its device, where old drivers have them. Unreadable sensors are skipped, such as
/// a missing fan or a sleeping disk.
pub(super) fn collect(cx: &mut Cx<'_, Hwmon>, folder: &[u8], scratch: &mut Scratch) -> Result<(), Failure> {
    let Scratch { files, readings, .. } = scratch;
    readings.clear();
    cx.files.list(CHIP, [folder], files)?;
    for (name, file) in sensors(files) {
        if let Ok(text) = cx.files.read(SENSOR, [folder, file]) {
            readings.push(name, value(&text));
        }
    }
    if cx.files.metadata(DEVICE, [folder]).is_ok() {
        cx.files.list(DEVICE, [folder], files)?;
        for (name, file) in sensors(files) {
            if let Ok(text) = cx.files.read(DEVICE_SENSOR, [folder, file]) {
                readings.push(name, value(&text));
            }
        }
    }
    Ok(())
}

fn sensors(files: &Names) -> impl Iterator<Item = ((&'static str, u32, &[u8]), &[u8])> {
    let files = files.iter_kinds().filter(|&(_, kind)| kind != Kind::Directory);
    files.filter_map(|(file, _)| Some((take_apart(file)?, file)))
}

/// The value without surrounding newlines; other white space is part of a label.
fn value<'a>(text: &Text<'a>) -> &'a [u8] {
    let mut value = text.bytes.get(..attribute::ATTRIBUTE_CAP_BYTES).unwrap_or(text.bytes);
    while let [b'\n', rest @ ..] | [rest @ .., b'\n'] = value {
        value = rest;
    }
    value
}

/// Type, number and property of a sensor's file; `None` for other files. The type is the text before the first digit. If
/// the text after the number is not a property, the type ends at the last `_` before it.
fn take_apart(file: &[u8]) -> Option<(&'static str, u32, &[u8])> {
    let type_end = file.iter().position(u8::is_ascii_digit).unwrap_or(file.len());
    let number_bytes = file[type_end..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (kind, rest) = file.split_at(type_end);
    let (number, rest) = rest.split_at(number_bytes);
    let property = match rest {
        [] => Some(rest),
        [b'_', property @ ..] if !property.is_empty() => Some(property),
        _ => None,
    };
    if let Some(property) = property {
        let number = if number.is_empty() { 0 } else { u32::from_text(number)? };
        return Some((known_type(kind)?, number, property));
    }
    let at = kind.iter().skip(1).rposition(|&byte| byte == b'_')? + 1;
    Some((known_type(&file[..at])?, 0, &file[at + 1..])).filter(|(.., property)| !property.is_empty())
}

fn known_type(kind: &[u8]) -> Option<&'static str> {
    TYPES.into_iter().find(|known| known.as_bytes() == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(file: &str, expected: Option<(&str, u32, &str)>) {
        let found = take_apart(file.as_bytes());
        assert_eq!(found, expected.map(|(kind, number, property)| (kind, number, property.as_bytes())), "{file}");
    }

    #[test]
    fn files_are_type_number_and_property() {
        check("temp1_input", Some(("temp", 1, "input")));
        check("temp12_crit_hyst", Some(("temp", 12, "crit_hyst")));
        check("pwm1", Some(("pwm", 1, "")));
        check("pwm2_auto_point1_pwm", Some(("pwm", 2, "auto_point1_pwm")));
        check("beep_enable", Some(("beep_enable", 0, "")));
        check("update_interval", Some(("update_interval", 0, "")));
        check("vrm", Some(("vrm", 0, "")));
        check("in0_input", Some(("in", 0, "input")));
        check("temp_x1y", Some(("temp", 0, "x1y")));
        check("fan4294967295", Some(("fan", u32::MAX, "")));
    }

    #[test]
    fn other_files_are_ignored() {
        for file in ["", "name", "1", "uevent", "temp_input", "temp1x", "temp1_", "fan4294967296", "_1", "power_x"] {
            check(file, None);
        }
    }

    #[test]
    fn a_later_reading_replaces_one_of_its_name() {
        let mut readings = Readings::default();
        readings.push(("temp", 1, b"max"), b"1");
        readings.push(("temp", 1, b"input"), b"2");
        readings.push(("temp", 1, b"max"), b"3");
        assert_eq!(readings.value("temp", 1, b"max"), Some(b"3".as_slice()));
        assert_eq!((readings.iter().count(), readings.value("temp", 2, b"max")), (2, None));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn names_come_back(at in 0..TYPES.len(), number: u32, property in "[a-z_]{1,9}") {
            let file = format!("{}{number}_{property}", TYPES[at]);
            prop_assert_eq!(take_apart(file.as_bytes()), Some((TYPES[at], number, property.as_bytes())));
        }

        #[test]
        fn any_file_is_taken_apart_or_not(file: Vec<u8>) {
            let _ = take_apart(&file);
        }
    }
}
