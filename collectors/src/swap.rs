//! Swap devices from /proc/swaps.

use crate::declare;
use crate::kit::prelude::*;
use crate::kit::table;

/// What there is to swap to.
#[derive(Debug)]
pub struct Swap;

declare! {
    Swap: "swap", off, "How large each swap device is, how full, and when its turn comes.";
    reads {
        SWAPS: File Proc "swaps";
    }
    families {
        PRIORITY: Gauge "node_swap_priority" ["device", "swap_type"] "Priority of the swap device: the highest is filled first.";
        SIZE: Gauge "node_swap_size_bytes" ["device", "swap_type"] "Size of the swap device.";
        USED: Gauge "node_swap_used_bytes" ["device", "swap_type"] "How much of the swap device is used.";
    }
}

impl Collect for Swap {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        for line in table::rows(cx.files.read(SWAPS, [])?, cx.problems).skip(1) {
            let Some(row) = cx.problems.value(parse(line)) else { continue };
            let (device, kind) = (row.device, row.kind);
            cx.page.gauge(PRIORITY, [&device, &kind], row.priority);
            cx.page.gauge(SIZE, [&device, &kind], row.size_bytes);
            cx.page.gauge(USED, [&device, &kind], row.used_bytes);
        }
        Ok(())
    }
}

/// `device type size used priority`; the file has its sizes in kilobytes.
#[derive(PartialEq, Eq, Debug)]
struct Row<'a> {
    device: &'a [u8],
    kind: &'a [u8],
    size_bytes: u64,
    used_bytes: u64,
    priority: i64,
}

fn parse(line: Line<'_>) -> Result<Row<'_>, ParseError<'_>> {
    let mut fields = line.fields();
    let (device, kind) = (fields.text("Filename")?, fields.text("Type")?);
    let [size, used] = table::numbers::<u64, 2>(line, &mut fields, ["Size", "Used"])?;
    let priority = fields.number("Priority")?;
    let bytes = |kilobytes: u64, field: &'static str| {
        kilobytes.checked_mul(1024).ok_or_else(|| line.error(field, "less than 2^64 bytes", line.bytes))
    };
    Ok(Row { device, kind, size_bytes: bytes(size, "Size")?, used_bytes: bytes(used, "Used")?, priority })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const HEAD: &str = "== proc/swaps\nFilename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

    #[test]
    fn each_device_has_three_gauges() {
        given(
            &format!(
                "{HEAD}/dev/zram0                              partition\t8388604\t\t76\t\t100\n\
            /swap\\\\040file                            file\t\t1024\t\t0\t\t-2\n"
            )
            .replace("\\\\", "\\"),
        )
        .emits::<Swap>(
            "node_swap_priority{device=\"/dev/zram0\",swap_type=\"partition\"} 100\n\
                node_swap_priority{device=\"/swap\\\\040file\",swap_type=\"file\"} -2\n\
                node_swap_size_bytes{device=\"/dev/zram0\",swap_type=\"partition\"} 8.589930496e+09\n\
                node_swap_size_bytes{device=\"/swap\\\\040file\",swap_type=\"file\"} 1.048576e+06\n\
                node_swap_used_bytes{device=\"/dev/zram0\",swap_type=\"partition\"} 77824\n\
                node_swap_used_bytes{device=\"/swap\\\\040file\",swap_type=\"file\"} 0\n",
        );
        given(HEAD).emits::<Swap>("");
    }

    #[test]
    fn a_bad_row_costs_itself_alone() {
        let good = "node_swap_priority{device=\"/b\",swap_type=\"file\"} 5\n\
            node_swap_size_bytes{device=\"/b\",swap_type=\"file\"} 1024\n\
            node_swap_used_bytes{device=\"/b\",swap_type=\"file\"} 0\n";
        for (bad, complaint) in [
            ("/a file x 0 1", "proc/swaps:2: Size: expected an unsigned integer"),
            ("/a file 1 -1 1", "Used: expected an unsigned integer"),
            ("/a file 1 1", "Priority: expected a signed integer"),
            ("/a file 18014398509481984 1 1", "Size: expected less than 2^64 bytes"),
            ("/a", "Type: expected a field"),
            ("", "Filename: expected a field"),
        ] {
            given(&format!("{HEAD}{bad}\n/b file 1 0 5\n")).fails::<Swap>(good, complaint);
        }
        given("").fails::<Swap>("", "proc/swaps: no such file");
    }

    proptest! {
        #[test]
        fn rows_come_back(size in 0..1_u64 << 54, used in 0..1_u64 << 54, priority: i64) {
            let row = format!("/dev/sda2    partition\t{size}\t\t{used}\t\t{priority}");
            let text = Text::new(Mount::Proc, b"swaps", row.as_bytes());
            let found = parse(text.lines().next().expect("a line")).expect("a row of the kernel");
            let (size_bytes, used_bytes) = (size * 1024, used * 1024);
            prop_assert_eq!(found, Row { device: b"/dev/sda2", kind: b"partition", size_bytes, used_bytes, priority });
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for line in Text::new(Mount::Proc, b"swaps", &bytes).lines() {
                let _ = parse(line);
            }
        }
    }
}
