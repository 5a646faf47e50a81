//! Records a host with planted identities of every kind, inside namespaces of its own, and searches the recording.

use std::path::Path;
use std::process::{Command, ExitCode, Output};

use harness::load;
use harness::requirements::{self, Requirement};

fn main() -> ExitCode {
    requirements::run(&[(
        "nothing_planted_in_a_namespace_is_found_in_its_recording",
        &[Requirement::Namespaces],
        planted_namespace,
    )])
}

/// Names of the planted host and of its processes. The first process has no parent, the third has PID 2 as parent.
const HOST: &str = "quokkahost7";
const PROCESSES: [&str; 3] = ["wallabydaemon", "wombatworker", "bandicootchild"];

/// Runs a shell script as the first process of new namespaces.
fn in_namespaces(shell: &Path, arguments: &[&str]) -> Output {
    let unshare = |user: &[&str], program: &Path, arguments: &[&str]| {
        let mut command = Command::new(Requirement::Namespaces.path());
        command.args(user).args(["--pid", "--fork", "--mount-proc", "--uts", "--net", "--"]);
        command.arg(program).args(arguments).output().expect("unshare runs")
    };
    let user: &[&str] = &["--user", "--map-root-user"];
    let has_user = unshare(user, Path::new("true"), &[]).status.success();
    unshare(if has_user { user } else { &[] }, shell, arguments)
}

/// Everything that identifies the planted host, in lower case: names, addresses in each notation, without separators.
const IDENTITIES: &[&str] = &[
    HOST,
    // 52:54:00:ab:cd:ef and 52:54:00:fe:dc:ba
    "abcdef",
    "fedcba",
    // The solicited-node group of the MAC and of the address below.
    "ffabcdef",
    "ffbeef77",
    // 10.23.45.67 and 10.23.45.99, in text and in hexadecimal digits of both byte orders.
    "10.23.45.67",
    "10.23.45.99",
    "10-23-45-67",
    "432d170a",
    "0a172d43",
    "632d170a",
    // 2a00:1450:4001:81b::beef:77
    "2a00:1450",
    "2a00145040010",
    "beef:77",
    "beef0077",
    USER,
    // In home directories, mount points, and the udev database.
    "potoroolabel",
    // Serial numbers of firmware and disks, also in hexadecimal digits.
    "pf7potor",
    "s466betx1",
    "533436364245545831",
    // 7d3b1c9a-5e2f-4a68-9c01-b7e4d2f6a835
    "7d3b1c9a",
    "b7e4d2f6a835",
    // WWNs of a port and of a disk.
    "5001438024ac9d1e",
    "24ac9d1e",
    "5000c5007e3a91bd",
    "7e3a91bd",
];

/// Name of a user, in mount points.
const USER: &str = "numbatuser";

/// Files of sysfs and of the udev database with identities of devices.
const DEVICES: &[(&str, &str)] = &[
    ("sys/class/dmi/id/product_serial", "PF7POTOR\n"),
    ("sys/class/dmi/id/product_uuid", "7D3B1C9A-5E2F-4A68-9C01-B7E4D2F6A835\n"),
    ("sys/class/fc_host/host1/port_name", "0x5001438024ac9d1e\n"),
    ("sys/class/nvme/nvme0/serial", "S466BETX1\n"),
    ("sys/class/nvme/nvme0/nvme0n1/wwid", "nvme.144d-533436364245545831-4469736b-00000001\n"),
    ("sys/class/net/planted0/address", "52:54:00:ab:cd:ef\n"),
    ("sys/block/nvme0n1/dev", "259:0\n"),
    (
        "udev/b259:0",
        "E:ID_SERIAL_SHORT=S466BETX1\nE:ID_WWN=0x5000c5007e3a91bd\nE:ID_FS_LABEL=potoroolabel\n\
         E:ID_FS_UUID=7d3b1c9a-5e2f-4a68-9c01-b7e4d2f6a835\n",
    ),
];

fn planted_namespace() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    for process in PROCESSES {
        load::write(Path::new(&path(process)), &load::bytes(Path::new("/bin/sh")).expect("a shell")).expect("a copy");
        let made = Command::new("chmod").args(["755", &path(process)]).status().expect("chmod runs");
        assert!(made.success());
    }
    for (name, content) in DEVICES {
        let file = folder.path().join(name);
        let parent = file.parent().expect("a folder");
        let made = Command::new("mkdir").arg("-p").arg(parent).status().expect("mkdir runs");
        assert!(made.success());
        load::write(&file, content.as_bytes()).expect("a file");
    }
    let script = format!(
        "set -e
        {worker} -c '{child} -c \"while :; do read line < /proc/self/status; sleep 1; done\"; :' &
        echo {HOST} > /proc/sys/kernel/hostname
        ip link add planted0 address 52:54:00:ab:cd:ef type bridge
        ip link set planted0 up
        ip addr add 10.23.45.67/24 dev planted0
        ip addr add 2a00:1450:4001:81b::beef:77/64 dev planted0
        ip neigh add 10.23.45.99 lladdr 52:54:00:fe:dc:ba dev planted0
        mount -t tmpfs tmpfs /run
        mkdir -p /run/media/{USER}/potoroolabel
        mount -t tmpfs tmpfs /run/media/{USER}/potoroolabel
        sleep 0.5
        cat /proc/[0-9]*/stat > {stats}
        {nodelab} record --timeout=5s --allow 'any:*' --glob '/proc/[0-9]*/*' --glob '/proc/[0-9]*/maps' \
            --glob '/proc/[0-9]*/syscall' --glob '/proc/[0-9]*/environ' --glob '/sys/class/nvme/*/*/wwid' \
            --path.sysfs={sys} --path.udev.data={udev} {recording}
        ",
        worker = path(PROCESSES[1]),
        child = path(PROCESSES[2]),
        stats = path("stats"),
        nodelab = env!("CARGO_BIN_EXE_nodelab"),
        sys = path("sys"),
        udev = path("udev"),
        recording = path("out.tree"),
    );
    let output = in_namespaces(Path::new(&path(PROCESSES[0])), &["-c", &script]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = |name: &str| String::from_utf8_lossy(&load::bytes(Path::new(&path(name))).expect(name)).into_owned();
    let (stats, recording) = (text("stats"), text("out.tree").to_lowercase());
    assert!(recording.contains("== proc/2/stat") && recording.contains("planted0"), "the planted host is recorded");
    let mut planted: Vec<String> = IDENTITIES.iter().map(|&identity| identity.to_owned()).collect();
    planted.push(path("").trim_matches('/').to_lowercase());
    for row in stats.lines() {
        let (name, fields) = row.rsplit_once(") ").expect("a process name");
        let (_, name) = name.split_once('(').expect("a process name");
        // Names of processes are cut at 15 bytes. Ordinary ones, such as `cat`, are parts of other words.
        planted.extend(PROCESSES.iter().filter(|process| process.starts_with(name)).map(|_| name.to_owned()));
        // From field 26 on, the numbers of ten digits and more are addresses.
        let addresses = fields.split_whitespace().skip(26 - 3).filter(|field| field.len() >= 10);
        planted.extend(addresses.filter(|&field| field != u64::MAX.to_string()).map(str::to_owned));
    }
    assert!(PROCESSES.iter().all(|process| planted.iter().any(|name| name == process)), "{stats}");
    assert!(planted.len() > IDENTITIES.len() + PROCESSES.len() + 10, "addresses are planted: {planted:?}");
    planted.sort();
    planted.dedup();
    let found: Vec<&String> = planted.iter().filter(|identity| recording.contains(identity.as_str())).collect();
    let lines = recording.lines().filter(|line| found.iter().any(|identity| line.contains(identity.as_str())));
    assert!(found.is_empty(), "found: {found:?} in {:#?}", lines.collect::<Vec<_>>());
}
