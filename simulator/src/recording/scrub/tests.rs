//! Planted identities are replaced in every notation, and the scrubbed host stays consistent.

use std::collections::BTreeSet;

use super::*;

const KEY: Key = Key::new([11; KEY_BYTES]);

const PLANTED: &str = "\
nodelab tree 1
== kernel/addresses
eth0 10.20.30.40/24
eth0 fe80::5054:ff:fe12:3456/64
== kernel/links
eth0 index=2 protocol_type=1 flags=0x1043 address=52:54:00:12:34:56 broadcast=ff:ff:ff:ff:ff:ff mtu=1500
enx525400123456 index=3 protocol_type=1 flags=0x1043 address=52:54:00:12:34:56 mtu=1500
== kernel/uname
sysname Linux
release 6.12.38
version #1 SMP
machine x86_64
nodename quokka7.wombat.test
domainname (none)
== proc/cpuinfo
Serial\t\t: 10000000abcd1234
== proc/cmdline
root=UUID=123e4567-e89b-42d3-a456-426614174000 quiet console=ttyS0 key=zyxwvut
== proc/7/cmdline escaped
/usr/bin/marsupial\\x00--user\\x00mallory\\x00
== proc/7/stat
7 (marsupial) S 1 7 7 0 -1 4194560 88 75 0 0 0 0 0 0 20 0 1 0 331133 2654208 386 18446744073709551615 94797140750336 \
94797140827065 140725055700288 140725055700123 94797140751122 0 0 0 65538 94797140751999 0 0 17 1 0 0 0 0 0 \
94797140856368 94797140861504 94797994733568 140725055703539 140725055703583 140725055703583 140725055705068 0
== proc/7/mountinfo
36 25 0:32 / /run/media/mallory/mail rw - nfs4 quokka7:/srv rw,addr=10.20.30.40
37 25 0:33 / /mnt rw - xfs /dev/disk/by-id/nvme-Disk_S466NX0K123456 rw
== proc/7/maps
561b7a2c4000-561b7a2e5000 r-xp 00002000 fe:01 1311 /opt/marsupial
7ffd91a5f000-7ffd91a80000 rw-p 00000000 00:00 0 [stack]
== proc/7/task/8/syscall
232 0x5 0x7ffd91a7e3c0 0x20 0xffffffffffffffff 0x0 0x8 0x7ffd91a7e388 0x7fa2c41d6e67
== proc/7/net/arp
IP address       HW type     Flags       HW address            Mask     Device
10.20.30.40      0x1         0x2         52:54:00:12:34:56     *        eth0
== proc/7/net/dev_mcast
2    eth0            1     0     525400123456
== proc/7/net/if_inet6
fe80000000000000505400fffe123456 02 40 20 80     eth0
== proc/7/net/tcp
   0: 281E140A:1F90 00000000:0000 0A 00000000:00000000
== proc/7/net/tcp6
   0: 000080FE00000000FF005450563412FE:0016 00000000000000000000000000000000:0000 0A
== proc/self -> 7
== proc/sys/kernel/hostname
quokka7
== rootfs/etc/machine-id
123e4567e89b42d3a456426614174000
== rootfs/srv/ip-10-20-30-40.txt
quokka7's log of 10.20.30.40, QUOKKA7 and web.quokka7.lan
== sys/class/net/enx525400123456 -> ../../devices/virtual/net/enx525400123456
== sys/devices/virtual/net/enx525400123456/address
52:54:00:12:34:56
== sys/devices/virtual/dmi/id/product_serial
PF2QUOK1
== sys/devices/virtual/dmi/id/product_uuid
123E4567-E89B-42D3-A456-426614174000
== sys/devices/virtual/dmi/id/product_name
Burrow 9000 PF2QUOK1
== sys/devices/pci0000:00/nvme/nvme0/serial
S466NX0K123456      
== sys/devices/pci0000:00/nvme/nvme0/nvme0n1/wwid
nvme.144d-533436364e58304b313233343536-4469736b-00000001
== sys/devices/pci0000:00/host1/fc_host/host1/port_name
0x2000525400123456
== sys/devices/pci0000:00/infiniband/mlx5_0/node_guid
5254:00ff:fe12:3456
== udev/b259:0
S:disk/by-id/nvme-Disk_S466NX0K123456
E:ID_SERIAL=Disk_S466NX0K123456
E:ID_SERIAL_SHORT=S466NX0K123456
E:ID_WWN=0x5000c500a1b2c3d4
E:ID_FS_UUID=A1B2-C3D4
";

fn planted() -> Tree {
    collectors::host::tree_text::parse(PLANTED.as_bytes()).unwrap()
}

/// Text that must not be found in the scrubbed tree.
const IDENTITIES: &[&str] = &[
    "quokka7",
    "wombat",
    "mallory",
    "marsupial",
    "zyxwvut",
    "PF2QUOK1",
    "S466NX0K",
    "53343636",
    "abcd1234",
    "525400",
    "52:54:00",
    "5254:00",
    "12:34:56",
    "123456",
    "1234:56",
    "fe12:3456",
    "94797",
    "140725",
    "561b7a2",
    "7ffd91a",
    "7fa2c41",
    "10.20.30.40",
    "10-20-30-40",
    "20.30.40",
    "281E140A",
    "281e140a",
    "0A141E28",
    "123e4567",
    "123E4567",
    "e89b",
    "426614174000",
    "5000c500",
    "a1b2c3d4",
    "A1B2-C3D4",
    "563412FE",
];

fn text_of(tree: &Tree) -> String {
    String::from_utf8(collectors::host::tree_text::write(tree)).unwrap()
}

#[test]
fn no_planted_identity_survives() {
    for key in 0..8 {
        let scrubbed = scrub(&planted(), &Key::new([key; KEY_BYTES])).unwrap();
        let text = text_of(&scrubbed.tree);
        for identity in IDENTITIES {
            assert!(!text.to_lowercase().contains(&identity.to_lowercase()), "{identity} survives in\n{text}");
        }
        let leaks: Vec<String> = scrubbed.leaks.iter().map(ToString::to_string).collect();
        assert_eq!(leaks, [""; 0]);
        let addresses = String::from_utf8(scrubbed.tree.content("kernel/addresses").unwrap().to_vec()).unwrap();
        let v4: std::net::Ipv4Addr = addresses.split([' ', '/']).nth(1).unwrap().parse().unwrap();
        let is_replaced = v4.octets().into_iter().zip([10, 20, 30, 40]).map(|(after, before)| after != before);
        assert_eq!(is_replaced.collect::<Vec<_>>(), [false, true, true, true], "{v4}");
    }
}

#[test]
fn no_unkeyed_hash_of_an_identity_is_left() {
    let text = text_of(&scrub(&planted(), &KEY).unwrap().tree);
    // An unkeyed hash can be reversed by a table.
    for identity in ["52:54:00:12:34:56", "525400123456", "quokka7", "PF2QUOK1", "10.20.30.40"] {
        let hash = blake3::hash(identity.as_bytes()).to_hex().to_string();
        assert!(!text.contains(&hash[..8]), "{identity}");
    }
    let other = text_of(&scrub(&planted(), &Key::new([12; KEY_BYTES])).unwrap().tree);
    assert_ne!(text, other, "pseudonyms depend on the key");
    assert_eq!(text, text_of(&scrub(&planted(), &KEY).unwrap().tree));
}

/// Every identity of the planted host in each notation, and its counterpart on a second host.
const COUNTERPARTS: &[(&str, &str)] = &[
    ("52:54:00:12:34:56", "02:a1:b2:98:76:5a"),
    ("525400123456", "02a1b298765a"),
    ("5054:ff:fe12:3456", "a1:b2ff:fe98:765a"),
    ("505400fffe123456", "00a1b2fffe98765a"),
    ("FF005450563412FE", "FFB2A1005A7698FE"),
    ("5254:00ff:fe12:3456", "02a1:b2ff:fe98:765a"),
    ("10.20.30.40", "10.21.33.47"),
    ("10-20-30-40", "10-21-33-47"),
    ("281E140A", "2F21150A"),
    ("quokka7", "numbat8"),
    ("QUOKKA7", "NUMBAT8"),
    ("wombat", "possum"),
    ("mallory", "eleanor"),
    ("marsupial", "placental"),
    ("zyxwvut", "abcdefg"),
    ("PF2QUOK1", "PF9NUMB4"),
    ("S466NX0K123456", "S477PY1L654321"),
    ("533436364e58304b313233343536", "533437375059314c363534333231"),
    ("abcd1234", "dcba4321"),
    ("123e4567-e89b-42d3-a456-426614174000", "76a54321-b98e-43d2-b654-000471416624"),
    ("123E4567-E89B-42D3-A456-426614174000", "76A54321-B98E-43D2-B654-000471416624"),
    ("123e4567e89b42d3a456426614174000", "76a54321b98e43d2b654000471416624"),
    ("5000c500a1b2c3d4", "5000c500d4c3b2a1"),
    ("A1B2-C3D4", "D4C3-B2A1"),
    ("94797", "83686"),
    ("561b7a2", "55d0c0a"),
    ("7ffd91a", "7ffe82b"),
    ("7fa2c41", "7f93d52"),
    ("140725", "131614"),
];

/// Words that two scrubbed trees of one host, with different keys, have in common.
fn common(tree: &Tree, keys: [u8; 2]) -> BTreeSet<String> {
    const SHORTEST: usize = 6;
    let [first, second] = keys.map(|key| {
        let text = text_of(&scrub(tree, &Key::new([key; KEY_BYTES])).unwrap().tree).replace([':', '-'], "");
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').filter(|word| word.len() >= SHORTEST);
        words.map(str::to_owned).collect::<BTreeSet<_>>()
    });
    first.intersection(&second).cloned().collect()
}

/// Anything computed of an identity without the key (a hash, a part, swapped bytes) would be in every recording of the
/// host, and in none of another host.
#[test]
fn text_common_to_two_recordings_of_a_host_does_not_depend_on_its_identities() {
    let mut other = PLANTED.to_owned();
    for (identity, another) in COUNTERPARTS {
        assert!(PLANTED.contains(identity), "{identity} is planted");
        other = other.replace(identity, another);
    }
    let left =
        IDENTITIES.iter().find(|identity| other.contains(**identity) && !"5000c500 12:34:56".contains(**identity));
    assert_eq!(left, None, "the second host has none of the first one's identities");
    let other = collectors::host::tree_text::parse(other.as_bytes()).unwrap();
    let common_to_one = common(&planted(), [1, 2]);
    assert!(common_to_one.len() > 20, "{common_to_one:?}");
    assert_eq!(common_to_one, common(&other, [3, 4]));
}

#[test]
fn one_identity_has_one_pseudonym_in_every_notation() {
    let tree = scrub(&planted(), &KEY).unwrap().tree;
    let content = |path: &str| String::from_utf8(tree.content(path).unwrap().to_vec()).unwrap();
    let links = content("kernel/links");
    let (_, rest) = links.split_once("address=").unwrap();
    let mac = &rest[..17];
    let compact = mac.replace(':', "");
    let device = format!("sys/devices/virtual/net/enx{compact}/address");
    assert_eq!(content(&device), format!("{mac}\n"));
    assert_eq!(
        tree.get(format!("sys/class/net/enx{compact}")),
        Some(&Node::link(format!("../../devices/virtual/net/enx{compact}")))
    );
    assert!(content("proc/7/net/arp").contains(mac) && content("proc/7/net/dev_mcast").contains(&compact));
    assert!(content("sys/devices/pci0000:00/host1/fc_host/host1/port_name").contains(&compact));
    let addresses = content("kernel/addresses");
    let v4: std::net::Ipv4Addr = addresses.split([' ', '/']).nth(1).unwrap().parse().unwrap();
    assert!(content("proc/7/net/arp").contains(&format!("\n{v4:<16} 0x1")), "columns stay aligned");
    assert!(content("proc/7/net/tcp").contains(&format!("{:08X}:1F90", v4.to_bits().swap_bytes())));
    assert!(content("proc/7/mountinfo").contains(&format!("addr={v4}")));
    assert!(tree.get(format!("rootfs/srv/ip-{}.txt", v4.to_string().replace('.', "-"))).is_some());
    let host = content("proc/sys/kernel/hostname");
    let host = host.trim();
    assert!(content("kernel/uname").contains(&format!("nodename {host}.")));
    assert!(content("proc/7/mountinfo").contains(&format!("{host}:/srv")));
    let uuid = content("sys/devices/virtual/dmi/id/product_uuid").trim().to_lowercase();
    assert_eq!(content("rootfs/etc/machine-id").trim(), uuid.replace('-', ""));
    let serial = content("sys/devices/pci0000:00/nvme/nvme0/serial");
    assert!(content("udev/b259:0").matches(serial.trim()).count() == 3);
    let digits: Vec<String> = serial.trim().bytes().map(|byte| format!("{byte:02x}")).collect();
    let digits = digits.concat();
    assert!(content("sys/devices/pci0000:00/nvme/nvme0/nvme0n1/wwid").contains(&digits));
}

#[test]
fn addresses_of_a_process_are_zeroed() {
    let tree = scrub(&planted(), &KEY).unwrap().tree;
    let content = |path: &str| String::from_utf8(tree.content(path).unwrap().to_vec()).unwrap();
    let maps = content("proc/7/maps");
    assert!(maps.lines().all(|line| line.starts_with("0-0 ")), "{maps}");
    let addresses = content("proc/7/task/8/syscall");
    assert!(addresses.split_whitespace().skip(1).all(|word| word == "0"), "{addresses}");
    let stat = content("proc/7/stat");
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    for field in [26, 27, 28, 29, 30, 35, 45, 46, 47, 48, 49, 50, 51] {
        assert_eq!(fields[field - 3], "0", "field {field} of {stat}");
    }
}

#[test]
fn suspicious_text_is_reported() {
    let leaks = |content: &str| {
        let tree = Tree::new().with_file("host/srv/notes.prom", content);
        let leaks = scrub(&tree, &KEY).unwrap().leaks;
        leaks.iter().map(Leak::name).collect::<Vec<_>>()
    };
    assert_eq!(leaks("x 1\n"), [""; 0]);
    assert_eq!(leaks("x{mail=\"ann@wombat.org\"} 1\n"), ["email:host/srv/notes.prom"]);
    assert_eq!(leaks("x{url=\"http://a:bcd@e/\"} 1\n"), ["password:host/srv/notes.prom"]);
    assert_eq!(leaks("x{id=\"CZ12340ABC9\"} 1\n"), ["serial:host/srv/notes.prom"]);
    assert_eq!(leaks("\u{1}\u{2}\n"), ["binary:host/srv/notes.prom"]);
}

#[test]
fn a_scrubbed_tree_has_no_leaks_and_valid_kernel_answers() {
    let tree = scrub(&planted(), &KEY).unwrap().tree;
    let leaks = scrub(&tree, &KEY).unwrap().leaks;
    assert_eq!(leaks, []);
    let kernel = collectors::host::kernel::canned::Canned::parse(|name| tree.content(name));
    assert!(kernel.is_ok(), "{kernel:?}");
}
