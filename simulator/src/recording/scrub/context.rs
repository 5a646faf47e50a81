//! Identities recognised by their position: the value of a `serial` file, the node name in `uname`, a process name in
//! `stat`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use super::span::Category;
use super::word::is_placeholder;

/// Files whose whole value is a serial number.
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

/// Files whose whole value is a host or domain name.
const HOST_FILES: &[&str] = &["proc/sys/kernel/hostname", "proc/sys/kernel/domainname", "rootfs/etc/hostname"];

/// Files of a process whose every word may tell what it is.
const PROCESS_FILES: &[&str] = &["cmdline", "environ", "sched"];

/// Files of a process whose hexadecimal numbers are addresses of its code, data and stack, and whose other words may tell
/// what it is.
const ADDRESS_FILES: &[&str] = &["maps", "smaps", "smaps_rollup", "numa_maps", "stack", "syscall"];

/// Files with versions and model names, which have the form of IPv4 addresses and serial numbers.
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

/// udev properties whose value is an identity, and its category.
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

/// An identity found by its position in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Occurrence {
    pub(super) range: Range<usize>,
    pub(super) category: Category,
    /// Whether the dictionary learns it, so that it is replaced in every other file too.
    pub(super) is_learned: bool,
}

fn regex(pattern: &str) -> Option<Regex> {
    let regex = RegexBuilder::new(pattern).unicode(false).multi_line(true).build();
    debug_assert!(regex.is_ok(), "{pattern}");
    regex.ok()
}

/// Whether a rule applies to the file at a path.
type Applies = fn(&str) -> bool;
type Rule = (Applies, Option<Regex>, Category);

/// Rules by pattern: the first capture group is the identity. The empty path stands for a metrics page or a path.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let anywhere: Applies = |_| true;
    let mounts: Applies = |path| matches!(base(path), "mountinfo" | "mounts" | "mountstats" | "statfs");
    let pages: Applies = str::is_empty;
    let units: Applies = |path| matches!(path, "" | "kernel/units");
    let rules: [(Applies, &str, Category); 17] = [
        (pages, r#"(?:nodename|domainname)="([^"]+)""#, Category::Host),
        (pages, r#"[{,]ssid="([^"]+)""#, Category::Label),
        (|path| path == "kernel/wifi_networks", r"ssid=(\S+)", Category::Label),
        (pages, r#"(?:serial|serial_number|asset_tag)="([^"]+)""#, Category::Serial),
        (|path| path == "kernel/ntp", r"^([A-Za-z0-9][A-Za-z0-9.-]*):", Category::Host),
        (|path| path == "kernel/uname", r"^(?:nodename|domainname) (.+)$", Category::Host),
        (|path| base(path) == "cpuinfo", r"^Serial[ \t]*: *(\S+)", Category::Serial),
        (anywhere, r#"(?:^|/)(?:home|run/media)/([^/\s,:"\\]+)"#, Category::User),
        // Units of mounts, of devices by their names, and of encrypted disks. `-` of a name is `\x2d` there, whose backslash
        // is escaped again.
        (units, r#"(?:^|")(?:home|run-media)-([^-.\s\\"]+)"#, Category::User),
        (units, r#"by\\(?:134|\\)x2d(?:uuid|partuuid|id|label|partlabel)-([^\s."]+)"#, Category::Serial),
        (units, r#"luks\\(?:134|\\)x2d([^\s."]+)"#, Category::Serial),
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

/// Last component of a path.
pub(super) fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether dotted quads in this file are versions, and mixed capitals and digits model names.
pub(super) fn has_versions(path: &str) -> bool {
    VERSION_FILES.contains(&base(path)) || matches!(path, "kernel/drivers" | "kernel/uname")
}

/// Every identity of a file that its position identifies.
pub(super) fn occurrences(path: &str, text: &[u8]) -> Vec<Occurrence> {
    let mut occurrences = Vec::new();
    let mut add = |range: Range<usize>, category, is_learned| {
        if !range.is_empty() {
            occurrences.push(Occurrence { range, category, is_learned });
        }
    };
    if SERIAL_FILES.contains(&base(path)) && path.starts_with(['s', 'p', 'r']) && path != "proc/serial" {
        add(value(text).unwrap_or_default(), Category::Serial, true);
    }
    if HOST_FILES.contains(&path) {
        add(value(text).unwrap_or_default(), Category::Host, true);
    }
    if path == "proc/cmdline" || (is_of_process(path) && PROCESS_FILES.contains(&base(path))) {
        add(0..text.len(), Category::CommandLine, false);
    }
    if is_of_process(path) && ADDRESS_FILES.contains(&base(path)) {
        process_addresses(text, &mut add);
    }
    match base(path) {
        "comm" if is_of_process(path) => add(value(text).unwrap_or_default(), Category::CommandLine, false),
        "status" if is_of_process(path) => {
            add(status_name(text).unwrap_or_default(), Category::CommandLine, false);
        }
        "stat" if is_of_process(path) => process_stat(text, &mut add),
        _ => {}
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
    occurrences
}

/// Whether a value identifies a host: placeholders do not, and IP addresses are left to `pattern`.
fn is_identity(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value);
    !is_placeholder(value) && text.parse::<std::net::IpAddr>().is_err()
}

/// Range of the whole text without surrounding whitespace and NULs, if it is an identity.
fn value(text: &[u8]) -> Option<Range<usize>> {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    let start = text.iter().position(|byte| !is_blank(byte))?;
    let end = text.iter().rposition(|byte| !is_blank(byte))? + 1;
    is_identity(text.get(start..end)?).then_some(start..end)
}

/// Whether the target of a link names the program or directory of a process.
pub(super) fn is_process_link(path: &str) -> bool {
    is_of_process(path) && matches!(base(path), "exe" | "cwd" | "root")
}

/// Whether a file belongs to a process or to one of its threads.
fn is_of_process(path: &str) -> bool {
    let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = path.split('/');
    parts.next() == Some("proc") && parts.next().is_some_and(is_number)
}

/// Range of the process name in /proc/PID/status.
fn status_name(text: &[u8]) -> Option<Range<usize>> {
    const KEY: &[u8] = b"Name:";
    let line = text.split(|&byte| byte == b'\n').next()?;
    let name = value(line.strip_prefix(KEY)?)?;
    Some(name.start + KEY.len()..name.end + KEY.len())
}

/// Process name and memory addresses in /proc/PID/stat. Names of kernel threads stay: they are alike on every host.
fn process_stat(text: &[u8], add: &mut impl FnMut(Range<usize>, Category, bool)) {
    /// `PF_KTHREAD` of include/linux/sched.h. The parent's PID does not tell: in a PID namespace it is 0 for the first
    /// process, and 2 is an ordinary process.
    const KERNEL_THREAD: u64 = 0x0020_0000;
    /// Number of the first field after the name, counted from 1 as proc_pid_stat(5) does.
    const FIRST_FIELD: usize = 3;
    const FLAGS: usize = 9;
    /// startcode, endcode, startstack, kstkesp, kstkeip, wchan, start_data, end_data, start_brk, arg_start, arg_end,
    /// env_start, env_end. They reveal the address space layout of running processes.
    const ADDRESSES: [usize; 13] = [26, 27, 28, 29, 30, 35, 45, 46, 47, 48, 49, 50, 51];
    let Some(open) = text.iter().position(|&byte| byte == b'(') else { return };
    let Some(close) = text.iter().rposition(|&byte| byte == b')') else { return };
    let mut is_kernel_thread = false;
    let mut start = close + 1;
    let mut field = FIRST_FIELD;
    for word in text.get(start..).unwrap_or_default().split(u8::is_ascii_whitespace) {
        let range = start..start + word.len();
        start = range.end + 1;
        if word.is_empty() {
            continue;
        }
        let number = std::str::from_utf8(word).ok().and_then(|word| word.parse::<u64>().ok());
        if field == FLAGS {
            is_kernel_thread = number.is_some_and(|flags| flags & KERNEL_THREAD != 0);
        }
        // 0 and 1 are what the kernel shows without permission to see the address.
        if ADDRESSES.contains(&field) && number.is_none_or(|address| address > 1) {
            add(range, Category::MemoryAddress, false);
        }
        field += 1;
    }
    if open < close && !is_kernel_thread {
        add(open + 1..close, Category::CommandLine, false);
    }
}

/// Every address of a text, and the text between them.
fn process_addresses(text: &[u8], add: &mut impl FnMut(Range<usize>, Category, bool)) {
    static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| regex(r"\b(?:0x[0-9a-f]+|[0-9a-f]{8,16})\b"));
    let mut start = 0;
    for found in ADDRESS.iter().flat_map(|regex| regex.find_iter(text)) {
        add(start..found.start(), Category::CommandLine, false);
        add(found.range(), Category::MemoryAddress, false);
        start = found.end();
    }
    add(start..text.len(), Category::CommandLine, false);
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
            // `ID_SERIAL` is the model and `ID_SERIAL_SHORT`; the dictionary replaces the latter inside it.
            let is_composed = has_short && key == b"ID_SERIAL";
            let value_start = start + 2 + key.len() + 1;
            if let (Some((_, category)), Some(value)) = (known, equals_value.get(1..).filter(|_| !is_composed))
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
        let found = occurrences(path, text.as_bytes());
        let found: Vec<(&str, Category)> = found.iter().map(|one| (&text[one.range.clone()], one.category)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn identities_are_found_by_position() {
        check("sys/devices/virtual/dmi/id/product_serial", "PF2ABC12\n", &[("PF2ABC12", Category::Serial)]);
        check("sys/devices/virtual/dmi/id/product_serial", "Default string\n", &[]);
        check("kernel/ntp", "127.0.0.1:123 stratum=2\nntp1.corp:123 stratum=1\n", &[("ntp1.corp", Category::Host)]);
        check("kernel/uname", "sysname Linux\nnodename web1\ndomainname (none)\n", &[("web1", Category::Host)]);
        check("proc/cpuinfo", "Serial\t\t: 10000000abcd1234\n", &[("10000000abcd1234", Category::Serial)]);
        check("proc/7/stat", "7 (my app) S 1 7", &[("my app", Category::CommandLine)]);
        check("proc/7/task/8/stat", "8 (thread) S 1 7", &[("thread", Category::CommandLine)]);
        check("proc/7/status", "Name:\tmy app\nUmask:\t0022\n", &[("my app", Category::CommandLine)]);
        check(
            "proc/1/mountinfo",
            "36 25 0:32 / /run/media/alice/x rw - nfs4 nas.corp:/export rw\n",
            &[("alice", Category::User), ("nas.corp", Category::Host)],
        );
        check("proc/1/mountinfo", "36 25 0:32 / /x rw - nfs4 10.1.2.3:/export rw\n", &[]);
        check("rootfs/run/media/bob", "", &[]);
        let (user, serial) = (Category::User, Category::Serial);
        check(
            "kernel/units",
            "home-alice.mount load_state=loaded\nrun-media-bob-x.mount load_state=loaded\nhomely-x.mount load_state=a\n",
            &[("alice", user), ("bob", user)],
        );
        check(
            "kernel/units",
            "systemd-fsck@dev-disk-by\\134x2duuid-12ab\\134x2d34.service a\ncryptsetup@luks\\134x2d5c\\134x2d6.service a\n",
            &[("12ab\\134x2d34", serial), ("5c\\134x2d6", serial)],
        );
        check("", "{name=\"home-alice.mount\",state=\"active\"} 1\n", &[("alice", user)]);
        check("", "{name=\"dev-disk-by\\\\x2dlabel-data.swap\"} 1\n", &[("data", serial)]);
        check(
            "udev/b8:0",
            "E:ID_MODEL=Disk\nE:ID_SERIAL=Disk_S466NX0K\nE:ID_SERIAL_SHORT=S466NX0K\n",
            &[("S466NX0K", Category::Serial)],
        );
    }

    #[test]
    fn only_the_kernel_thread_flag_spares_a_process_name() {
        check("proc/9/stat", "9 (kworker/0:1) I 2 0 0 0 -1 69238880 0", &[]);
        // The first processes of a PID namespace: no parent, and PID 2 as parent.
        for (pid, parent) in [(1, 0), (2, 1), (3, 2)] {
            let row = format!("{pid} (wallaby) S {parent} 1 1 0 -1 4194560 0");
            check("proc/7/stat", &row, &[("wallaby", Category::CommandLine)]);
        }
    }

    #[test]
    fn memory_addresses_of_a_process_are_found_by_field() {
        // Each field holds its own number, counted from 1, with 90 before it.
        let row: Vec<String> = (3..=52).map(|field| format!("90{field:02}")).collect();
        let text = format!("7 (a b) c) {}\n", row.join(" "));
        let found = occurrences("proc/7/stat", text.as_bytes());
        let addresses: Vec<&str> = found
            .iter()
            .filter(|one| one.category == Category::MemoryAddress)
            .map(|one| &text[one.range.clone()])
            .collect();
        let expected = [26, 27, 28, 29, 30, 35, 45, 46, 47, 48, 49, 50, 51].map(|field| format!("90{field:02}"));
        assert_eq!(addresses, expected);
        assert!(found.iter().any(|one| &text[one.range.clone()] == "a b) c"));
        check(
            "proc/7/stat",
            "7 (a) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 9 9 9 9 1 1 0 0 0",
            &[("a", Category::CommandLine)],
        );
    }
}
