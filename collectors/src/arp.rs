//! IPv4 neighbours by device, from netlink or /proc/net/arp.

use crate::declare;
use crate::host::kernel::KernelError;
use crate::host::root::{Kind, Names};
use crate::kit::filter::Filter;
use crate::kit::parse::AnyBase;
use crate::kit::prelude::*;
use crate::kit::table;

/// The arp collector.
#[derive(Debug)]
pub struct Arp {
    asks_kernel: bool,
    devices: Filter,
    /// The device of every neighbour.
    found: Names,
}

declare! {
    Arp: "arp", on, "ARP table entries by network device.";
    labels {
        PerDevice { device }
    }
    reads {
        TABLE: File Proc "net/arp";
    }
    flags {
        INCLUDE: Text "collector.arp.device-include" = "", "Regexp of devices to include; not together with device-exclude.";
        EXCLUDE: Text "collector.arp.device-exclude" = "", "Regexp of devices to exclude; not together with device-include.";
        NETLINK: Switch "collector.arp.netlink" = "true", "Use netlink instead of /proc/net/arp.";
    }
    families {
        ENTRIES: Gauge "node_arp_entries" PerDevice "ARP table entries of a network device.";
    }
}

/// `NUD_NOARP`: a neighbour that needs no ARP, such as a multicast group. /proc/net/arp does not show it; all other
/// states count, incomplete entries as well.
const STATE_NO_ARP: u16 = 0x40;

impl Collect for Arp {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self {
            asks_kernel: options.get(NETLINK),
            devices: Filter::from_flags(options, INCLUDE, EXCLUDE)?,
            found: Names::new(),
        })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { asks_kernel, devices, found } = self;
        found.clear();
        if !*asks_kernel || !ask(cx, found)? {
            for line in table::rows(cx.files.read(TABLE, [])?, cx.problems) {
                if let Some(Some(device)) = cx.problems.value(device(line)) {
                    found.push(device, Kind::File);
                }
            }
        }
        found.sort();
        let mut entries = found.iter().peekable();
        while let Some(device) = entries.next() {
            let mut count = 1_u64;
            while entries.next_if_eq(&device).is_some() {
                count += 1;
            }
            if !devices.ignores(device) {
                cx.page.gauge(ENTRIES, PerDevice { device: &device }, count);
            }
        }
        Ok(())
    }
}

/// Lists the devices of all neighbours by netlink; `false` if the kernel does not support it.
fn ask(cx: &Cx<'_, Arp>, found: &mut Names) -> Result<bool, Failure> {
    let answer = cx.kernel.neighbours(&mut |neighbour| {
        if neighbour.state & STATE_NO_ARP == 0 {
            found.push(neighbour.device, Kind::File);
        }
    });
    match answer {
        Ok(()) => Ok(true),
        Err(KernelError::Unsupported) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Number of words in the header.
const HEADLINE_WORDS: usize = 9;

/// Parses the device of a line of /proc/net/arp; `None` for the header and for blank lines.
fn device(line: Line<'_>) -> Result<Option<&[u8]>, ParseError<'_>> {
    let mut fields = line.fields();
    let row: [&[u8]; 6] = std::array::from_fn(|_| fields.next().unwrap_or_default());
    let count = line.fields().count();
    if count == 0 || count == HEADLINE_WORDS {
        return Ok(None);
    }
    let [_, _, flags, address, _, device] = row;
    if count != row.len() {
        return Err(line.error("row", "6 columns", line.bytes));
    }
    let AnyBase(bits) = line.number("flags", flags)?;
    if u8::try_from(bits).is_err() {
        return Err(line.error("flags", "8 bits", flags));
    }
    if !is_hardware_address(address) {
        return Err(line.error("HW address", "6, 8 or 20 bytes such as 02:00:5e:00:53:01", address));
    }
    Ok(Some(device))
}

fn is_hardware_address(text: &[u8]) -> bool {
    let is_byte = |digits: &[u8]| digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit);
    text.split(|&byte| byte == b':').all(is_byte) && matches!((text.len() + 1) / 3, 6 | 8 | 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use procfs_core::FromRead;
    use proptest::prelude::*;

    const HEADLINE: &str = "IP address       HW type     Flags       HW address            Mask     Device\n";
    const FILE: &str = "192.0.2.1        0x1         0x2         02:00:5e:31:ff:01     *        eth1\n\
        192.0.2.60       0x1         0x2         02:00:5e:31:ff:3c     *        eth0\n\
        192.0.2.99       0x1         0x0         00:00:00:00:00:00     *        eth1\n";
    const FILE_EMITTED: &str = "node_arp_entries{device=\"eth0\"} 1\nnode_arp_entries{device=\"eth1\"} 2\n";
    const KERNEL: &str = "== kernel/neighbours\nwlan0 192.0.2.1 state=0x02\neth0 192.0.2.2 state=0x80\n\
        wlan0 192.0.2.3 state=0x20\nwlan0 224.0.0.251 state=0x40\nlo 127.0.0.1 state=0x40\nwlan0 192.0.2.4 state=0\n";
    const KERNEL_EMITTED: &str = "node_arp_entries{device=\"eth0\"} 1\nnode_arp_entries{device=\"wlan0\"} 3\n";

    fn with_file(kernel: &str, rows: &str) -> String {
        format!("{kernel}== proc/net/arp\n{HEADLINE}{rows}")
    }

    #[test]
    fn netlink_is_tried_first() {
        given(&with_file(KERNEL, FILE)).emits::<Arp>(KERNEL_EMITTED);
        given("== kernel/neighbours\n").emits::<Arp>("");
    }

    #[test]
    fn the_file_is_read_without_netlink_support_or_with_netlink_disabled() {
        given(&with_file("", FILE)).emits::<Arp>(FILE_EMITTED);
        given(&with_file(KERNEL, FILE)).flags(&["--no-collector.arp.netlink"]).emits::<Arp>(FILE_EMITTED);
        given(KERNEL).flags(&["--no-collector.arp.netlink"]).fails::<Arp>("", "proc/net/arp: no such file");
        given("").fails::<Arp>("", "proc/net/arp: no such file");
    }

    #[test]
    fn devices_are_filtered() {
        let include = "--collector.arp.device-include=^eth";
        given(KERNEL).flags(&[include]).emits::<Arp>("node_arp_entries{device=\"eth0\"} 1\n");
        given(KERNEL)
            .flags(&["--collector.arp.device-exclude=^eth"])
            .emits::<Arp>("node_arp_entries{device=\"wlan0\"} 3\n");
        given(KERNEL).flags(&[include, "--collector.arp.device-exclude=0$"]).is_refused::<Arp>("mutually exclusive");
        given(KERNEL)
            .flags(&["--collector.arp.device-include=("])
            .is_refused::<Arp>("--collector.arp.device-include: expected a regular expression, found `(`");
    }

    #[test]
    fn a_bad_row_costs_only_its_own_samples() {
        for (row, complaint) in [
            ("192.0.2.5 0x1 0x2 02:00:5e:31:ff:01 *", "proc/net/arp:2: row: expected 6 columns"),
            ("192.0.2.5 0x1 0x2 02:00:5e:31:ff:01 * eth0 eth1", "row: expected 6 columns"),
            ("192.0.2.5 0x1 0x100 02:00:5e:31:ff:01 * eth0", "flags: expected 8 bits, found \"0x100\""),
            ("192.0.2.5 0x1 -1 02:00:5e:31:ff:01 * eth0", "flags: expected 8 bits"),
            ("192.0.2.5 0x1 up 02:00:5e:31:ff:01 * eth0", "flags: expected an integer in decimal"),
            ("192.0.2.5 0x1 0x2 02:00:5e:31:ff * eth0", "HW address: expected 6, 8 or 20 bytes"),
            ("192.0.2.5 0x1 0x2 02:00:5e:31:ff:0g * eth0", "HW address"),
        ] {
            given(&with_file("", &format!("{row}\n\n{FILE}"))).fails::<Arp>(FILE_EMITTED, complaint);
        }
    }

    #[test]
    fn an_empty_file_is_reported_and_a_table_without_rows_is_not() {
        given("== proc/net/arp\n").fails::<Arp>("", "proc/net/arp: the file: expected at least one line");
        given(&with_file("", "")).emits::<Arp>("");
        given(&with_file("", &format!("\n  \n{FILE}"))).emits::<Arp>(FILE_EMITTED);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn devices_come_back_and_the_second_opinion_agrees(
            rows in prop::collection::vec((any::<[u8; 4]>(), any::<[u8; 6]>(), "[a-z][a-z0-9.]{0,14}"), 0..6),
        ) {
            let row = |([a, b, c, d], address, device): &([u8; 4], [u8; 6], String)| {
                let address = address.map(|byte| format!("{byte:02x}")).join(":");
                format!("{a}.{b}.{c}.{d} 0x1 0x2 {address} * {device}\n")
            };
            let content = HEADLINE.to_owned() + &rows.iter().map(row).collect::<Vec<_>>().concat();
            let text = Text::new(Mount::Proc, b"net/arp", content.as_bytes());
            let parsed: Vec<_> = text.lines().filter_map(|line| device(line).expect("lines of the kernel")).collect();
            let second = procfs_core::net::ArpEntries::from_read(content.as_bytes()).expect("lines of the kernel");
            prop_assert_eq!(parsed, second.0.iter().map(|entry| entry.device.as_bytes()).collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for line in Text::new(Mount::Proc, b"x", &bytes).lines() {
                let _ = device(line);
            }
        }
    }
}
