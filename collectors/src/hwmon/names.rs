//! Names of chips: directory numbers change at boot, so names come from the device.

use super::{CHIP, CHIP_LINK, CHIP_NAME, DEVICE, DEVICE_LINK, Hwmon, Scratch};
use crate::host::root::Kind;
use crate::kit::prelude::*;

/// Names of a chip.
#[derive(Default, Debug)]
pub(super) struct Chip {
    is_there: bool,
    /// The name of the device, else of the driver, else of the directory.
    base: Vec<u8>,
    /// The name given by the driver, cleaned for a metric; may be empty.
    pub(super) driver: Vec<u8>,
}

/// Finds the name of the chip in a directory.
pub(super) fn find(cx: &mut Cx<'_, Hwmon>, folder: &[u8], chip: &mut Chip, scratch: &mut Scratch) {
    let Scratch { path, text, .. } = scratch;
    let Chip { is_there, base, driver } = chip;
    base.clear();
    driver.clear();
    *is_there = cx.files.metadata(CHIP, [folder]).is_ok_and(|metadata| metadata.kind == Kind::Directory);
    if !*is_there {
        return;
    }
    if let Ok(name) = cx.files.read(CHIP_NAME, [folder]) {
        push_clean(name.bytes, driver);
    }
    path.clear();
    path.extend_from_slice(b"class/hwmon");
    let has_link = cx.files.read_link(CHIP_LINK, [folder], text).is_ok();
    follow(path, if has_link { text } else { folder });
    let own = path.len();
    if cx.files.metadata(DEVICE, [folder]).is_ok() {
        let has_link = cx.files.read_link(DEVICE_LINK, [folder], text).is_ok();
        follow(path, if has_link { text } else { b"device" });
        push_device(path, base);
        if !base.is_empty() {
            return;
        }
        path.truncate(own);
    }
    if driver.is_empty() {
        push_clean(last_component(path), base);
    } else {
        base.extend_from_slice(driver);
    }
    *is_there = !base.is_empty();
}

/// Appends the label of a chip. Chips that share a device are distinguished by their drivers' names, and if those are
/// equal by their directories. `false` if there is no chip.
pub(super) fn put_label(chips: &[Chip], at: usize, folder: &[u8], into: &mut Vec<u8>) -> bool {
    into.clear();
    let chip = &chips[at];
    if !chip.is_there {
        return false;
    }
    into.extend_from_slice(&chip.base);
    let same = chips.iter().filter(|other| other.is_there && other.base == chip.base);
    if same.clone().nth(1).is_some() {
        into.push(b'_');
        let is_only = same.filter(|other| other.driver == chip.driver).nth(1).is_none();
        if is_only && !chip.driver.is_empty() {
            into.extend_from_slice(&chip.driver);
        } else {
            push_clean(folder, into);
        }
    }
    true
}

/// Resolves the `target` of a link in the folder `path`. Parents of link targets in /sys are not links themselves, so the
/// path is resolved without lookups.
fn follow(path: &mut Vec<u8>, target: &[u8]) {
    if target.starts_with(b"/") {
        path.clear();
    }
    for component in target.split(|&byte| byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => path.truncate(memchr::memrchr(b'/', path).unwrap_or(0)),
            name => {
                if !path.is_empty() {
                    path.push(b'/');
                }
                path.extend_from_slice(name);
            }
        }
    }
}

fn last_component(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

/// `platform_coretemp_0` of `devices/platform/coretemp.0`.
fn push_device(path: &[u8], into: &mut Vec<u8>) {
    let mut components = path.rsplit(|&byte| byte == b'/');
    let device = components.next().unwrap_or_default();
    push_clean(components.next().unwrap_or_default(), into);
    let kind_bytes = into.len();
    if kind_bytes > 0 {
        into.push(b'_');
    }
    let start = into.len();
    push_clean(device, into);
    if into.len() == start {
        into.clear();
    }
}

/// Appends a name as part of a metric name: lower-case letters, digits, `:` and `_`. Every other character becomes `_`,
/// except at the ends, where they are removed.
pub(super) fn push_clean(name: &[u8], into: &mut Vec<u8>) {
    let start = into.len();
    for &byte in name {
        match byte.to_ascii_lowercase() {
            byte @ (b'a'..=b'z' | b'0'..=b'9' | b':') => into.push(byte),
            // Continuation bytes of a character.
            0x80..=0xbf => {}
            _ if into.len() > start => into.push(b'_'),
            _ => {}
        }
    }
    while into.len() > start && into.last() == Some(&b'_') {
        into.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check_clean(name: &str, expected: &str) {
        let mut into = b"_".to_vec();
        push_clean(name.as_bytes(), &mut into);
        assert_eq!(String::from_utf8_lossy(&into), format!("_{expected}"), "{name}");
    }

    #[test]
    fn names_are_converted_to_parts_of_metric_names() {
        check_clean("coretemp.0", "coretemp_0");
        check_clean("0000:00:1f.6", "0000:00:1f_6");
        check_clean("__Fan\u{e9}--2_\n", "fan___2");
        check_clean("-_.", "");
        check_clean("", "");
    }

    #[track_caller]
    fn check_way(from: &str, target: &str, expected: &str) {
        let mut path = from.as_bytes().to_vec();
        follow(&mut path, target.as_bytes());
        assert_eq!(String::from_utf8_lossy(&path), expected, "{from} {target}");
    }

    #[test]
    fn links_are_followed_from_their_folder() {
        check_way("class/hwmon", "../../devices/x/hwmon/hwmon0/", "devices/x/hwmon/hwmon0");
        check_way("devices/x.0/hwmon/hwmon0", "../../../x.0", "devices/x.0");
        check_way("class/hwmon", "/devices/./x", "devices/x");
        check_way("class", "../../../x", "x");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_name_is_cleaned(name: Vec<u8>) {
            let mut clean = Vec::new();
            push_clean(&name, &mut clean);
            prop_assert!(!clean.starts_with(b"_") && !clean.ends_with(b"_"));
            let mut again = Vec::new();
            push_clean(&clean, &mut again);
            prop_assert_eq!(again, clean);
        }
    }
}
