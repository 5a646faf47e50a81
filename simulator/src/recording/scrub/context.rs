//! Identities that are known by where they stand: the serial of `serial`, the name of a host in `uname`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use super::span::Category;
use super::word::is_no_value;

/// Files whose whole value is a serial.
const SERIAL_FILES: &[&str] = &[
    "serial",
    "serial_number",
    "product_serial",
    "board_serial",
    "chassis_serial",
    "product_asset_tag",
    "board_asset_tag",
    "chassis_asset_tag",
    "unique_id",
    "cid",
    "initiatorname",
    "initiatorname.iscsi",
    "hca_serial",
    "serial-number",
    "psid",
    "vpd_pg80",
];

/// Files whose whole value is a host's name.
const HOST_FILES: &[&str] = &["proc/sys/kernel/hostname", "proc/sys/kernel/domainname", "rootfs/etc/hostname"];

/// Files that hold versions and models, which look like addresses and serials.
const VERSION_FILES: &[&str] = &[
    "version",
    "osrelease",
    "os-release",
    "lsb-release",
    "bios_version",
    "bios_release",
    "ec_firmware_release",
    "firmware_rev",
    "fw_ver",
    "fw_version",
    "firmware_version",
    "hw_rev",
    "driver_version",
    "srcversion",
    "modalias",
    "model",
    "model_name",
    "product_name",
    "product_version",
    "product_family",
    "product_sku",
    "board_name",
    "board_version",
    "chassis_version",
    "cpuinfo",
    "hca_type",
    "board_id",
    "symbolic_name",
    "technology",
    "manufacturer",
    "identity",
    "rev",
    "firmware",
    "uevent",
];

/// Keys of udev's data, by what their value is.
const UDEV_KEYS: &[(&str, Category)] = &[
    ("ID_SERIAL", Category::Serial),
    ("ID_SERIAL_SHORT", Category::Serial),
    ("ID_SCSI_SERIAL", Category::Serial),
    ("SCSI_IDENT_SERIAL", Category::Serial),
    ("ID_USB_SERIAL", Category::Serial),
    ("ID_USB_SERIAL_SHORT", Category::Serial),
    ("DM_SERIAL", Category::Serial),
    ("ID_FS_UUID", Category::Serial),
    ("ID_FS_UUID_ENC", Category::Serial),
    ("ID_FS_UUID_SUB", Category::Serial),
    ("ID_PART_ENTRY_UUID", Category::Serial),
    ("ID_PART_TABLE_UUID", Category::Serial),
    ("ID_FS_LABEL", Category::Label),
    ("ID_FS_LABEL_ENC", Category::Label),
    ("ID_PART_ENTRY_NAME", Category::Label),
];

/// A piece of a text, what it is, and whether it is the same thing wherever else it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) range: Range<usize>,
    pub(super) category: Category,
    pub(super) is_learned: bool,
}

fn regex(pattern: &str) -> Option<Regex> {
    let regex = RegexBuilder::new(pattern).unicode(false).multi_line(true).build();
    debug_assert!(regex.is_ok(), "{pattern}");
    regex.ok()
}

/// Whether a rule is about the file at a path.
type Applies = fn(&str) -> bool;
type Rule = (Applies, Option<Regex>, Category);

/// What is found by a pattern, in the files that the function says; the group is the identity.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let anywhere: Applies = |_| true;
    let mounts: Applies = |path| matches!(base(path), "mountinfo" | "mounts" | "mountstats" | "statfs");
    let pages: Applies = str::is_empty;
    let rules: [(Applies, &str, Category); 13] = [
        (pages, r#"(?:nodename|domainname)="([^"]+)""#, Category::Host),
        (pages, r#"[{,]ssid="([^"]+)""#, Category::Label),
        (|path| path == "kernel/wifi_networks", r"ssid=(\S+)", Category::Label),
        (pages, r#"(?:serial|serial_number|asset_tag)="([^"]+)""#, Category::Serial),
        (|path| path == "kernel/uname", r"^(?:nodename|domainname) (.+)$", Category::Host),
        (|path| base(path) == "cpuinfo", r"^Serial[ \t]*: *(\S+)", Category::Serial),
        (anywhere, r#"(?:^|/)(?:home|run/media)/([^/\s,:"\\]+)"#, Category::User),
        (mounts, r"[ ,](?:user|username)=([^,\s]+)", Category::User),
        (mounts, r"[ ,]domain=([^,\s]+)", Category::Host),
        (
            mounts,
            r" - (?:nfs4?|ceph|glusterfs|fuse\.\w+|lustre) (?:[^\s@:/]+@)?([A-Za-z0-9][A-Za-z0-9.-]*):",
            Category::Host,
        ),
        (mounts, r" - fuse\.sshfs ([^\s@:/]+)@", Category::User),
        (mounts, r"^device ([A-Za-z0-9][A-Za-z0-9.-]*):\S* mounted on", Category::Host),
        (mounts, r" - (?:cifs|smb3) //([A-Za-z0-9.-]+)/", Category::Host),
    ];
    rules.into_iter().map(|(applies, pattern, category)| (applies, regex(pattern), category)).collect()
});

/// The last name of a path.
pub(super) fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether four numbers between points, or capitals and digits, are a version or a model here.
pub(super) fn has_versions(path: &str) -> bool {
    VERSION_FILES.contains(&base(path)) || path == "kernel/uname"
}

/// Every identity that is known by its place in the file.
pub(super) fn places(path: &str, text: &[u8]) -> Vec<Place> {
    let mut places = Vec::new();
    let mut add = |range: Range<usize>, category, is_learned| {
        if !range.is_empty() {
            places.push(Place { range, category, is_learned });
        }
    };
    if SERIAL_FILES.contains(&base(path)) && path.starts_with(['s', 'p', 'r']) && path != "proc/serial" {
        add(value(text).unwrap_or_default(), Category::Serial, true);
    }
    if HOST_FILES.contains(&path) {
        add(value(text).unwrap_or_default(), Category::Host, true);
    }
    if path == "proc/cmdline" || is_of_process(path, &["cmdline", "environ"]) {
        add(0..text.len(), Category::CommandLine, false);
    }
    if is_of_process(path, &["comm", "stat"]) {
        add(command(path, text).unwrap_or_default(), Category::CommandLine, false);
    }
    if path.starts_with("udev/") {
        udev(text, &mut add);
    }
    for (applies, regex, category) in RULES.iter() {
        let Some(regex) = regex.as_ref().filter(|_| applies(path)) else { continue };
        for captures in regex.captures_iter(text) {
            if let Some(found) = captures.get(1).filter(|found| is_identity(found.as_bytes())) {
                add(found.range(), *category, true);
            }
        }
    }
    places
}

/// An address is recognised as such, and a placeholder is nobody's.
fn is_identity(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value);
    !is_no_value(value) && text.parse::<std::net::IpAddr>().is_err()
}

/// The whole text but for blanks around it.
fn value(text: &[u8]) -> Option<Range<usize>> {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    let start = text.iter().position(|byte| !is_blank(byte))?;
    let end = text.iter().rposition(|byte| !is_blank(byte))? + 1;
    is_identity(text.get(start..end)?).then_some(start..end)
}

/// A file of a process or of one of its threads.
fn is_of_process(path: &str, names: &[&str]) -> bool {
    let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = path.split('/');
    parts.next() == Some("proc") && parts.next().is_some_and(is_number) && names.contains(&base(path))
}

/// The name of a process; threads of the kernel have the same names everywhere.
fn command(path: &str, text: &[u8]) -> Option<Range<usize>> {
    const KERNEL_THREADS: &[u8] = b"2";
    if base(path) == "comm" {
        return value(text);
    }
    let start = text.iter().position(|&byte| byte == b'(')? + 1;
    let end = text.iter().rposition(|&byte| byte == b')')?;
    let mut after = text.get(end + 1..)?.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let parent = after.nth(1)?;
    let is_kernels = parent == KERNEL_THREADS || text.starts_with(b"2 (") || parent == b"0";
    (start < end && !is_kernels).then_some(start..end)
}

fn udev(text: &[u8], add: &mut impl FnMut(Range<usize>, Category, bool)) {
    let has_short = text.windows(16).any(|window| window == b"ID_SERIAL_SHORT=");
    let mut start = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        let pair = content
            .strip_prefix(b"E:")
            .and_then(|pair| Some(pair.split_at(pair.iter().position(|&byte| byte == b'=')?)));
        if let Some((key, equals_value)) = pair {
            let known = UDEV_KEYS.iter().find(|(known, _)| known.as_bytes() == key);
            // The long form is the model and the short form, which says the rest.
            let is_told = has_short && key == b"ID_SERIAL";
            let value_start = start + 2 + key.len() + 1;
            if let (Some((_, category)), Some(value)) = (known, equals_value.get(1..).filter(|_| !is_told))
                && is_identity(value)
            {
                add(value_start..value_start + value.len(), *category, true);
            }
        }
        start += line.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, expected: &[(&str, Category)]) {
        let found = places(path, text.as_bytes());
        let found: Vec<(&str, Category)> =
            found.iter().map(|place| (&text[place.range.clone()], place.category)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn places_are_known() {
        check("sys/devices/virtual/dmi/id/product_serial", "PF2ABC12\n", &[("PF2ABC12", Category::Serial)]);
        check("sys/devices/virtual/dmi/id/product_serial", "Default string\n", &[]);
        check("kernel/uname", "sysname Linux\nnodename web1\ndomainname (none)\n", &[("web1", Category::Host)]);
        check("proc/cpuinfo", "Serial\t\t: 10000000abcd1234\n", &[("10000000abcd1234", Category::Serial)]);
        check("proc/7/stat", "7 (my app) S 1 7", &[("my app", Category::CommandLine)]);
        check("proc/9/stat", "9 (kworker/0:1) I 2 0", &[]);
        check("proc/7/task/8/stat", "8 (thread) S 1 7", &[("thread", Category::CommandLine)]);
        check(
            "proc/1/mountinfo",
            "36 25 0:32 / /run/media/alice/x rw - nfs4 nas.corp:/export rw\n",
            &[("alice", Category::User), ("nas.corp", Category::Host)],
        );
        check("proc/1/mountinfo", "36 25 0:32 / /x rw - nfs4 10.1.2.3:/export rw\n", &[]);
        check("rootfs/run/media/bob", "", &[]);
        check(
            "udev/b8:0",
            "E:ID_MODEL=Disk\nE:ID_SERIAL=Disk_S466NX0K\nE:ID_SERIAL_SHORT=S466NX0K\n",
            &[("S466NX0K", Category::Serial)],
        );
    }
}
