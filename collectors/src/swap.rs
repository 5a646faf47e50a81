//! Swap devices, from /proc/swaps.

use crate::declare;
use crate::kit::prelude::*;
use crate::kit::table;

/// The swap collector.
#[derive(Debug)]
pub struct Swap;

declare! {
    Swap: "swap", off, "Swap devices: size, use and priority.";
    labels {
        PerDevice { device, swap_type }
    }
    reads {
        SWAPS: File Proc "swaps";
    }
    families {
        PRIORITY: Gauge "node_swap_priority" PerDevice "Priority of the swap device; the highest is used first.";
        SIZE: Gauge "node_swap_size_bytes" PerDevice "Size of the swap device in bytes.";
        USED: Gauge "node_swap_used_bytes" PerDevice "Used space of the swap device in bytes.";
    }
}

impl Collect for Swap {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let mut rows = table::rows(cx.files.read(SWAPS, [])?, cx.problems);
        // Like node_exporter, the first row is skipped whatever it contains.
        if let Some(head) = rows.next()
            && head.fields().next() != Some(b"Filename")
        {
            cx.problems.note(head.error("first row", "a header that begins with Filename", head.bytes));
        }
        for line in rows {
            let Some(row) = cx.problems.value(parse(line)) else { continue };
            let (device, kind) = (row.device, row.kind);
            cx.page.gauge(PRIORITY, PerDevice { device: &device, swap_type: &kind }, row.priority);
            cx.page.gauge(SIZE, PerDevice { device: &device, swap_type: &kind }, row.size_bytes);
            cx.page.gauge(USED, PerDevice { device: &device, swap_type: &kind }, row.used_bytes);
        }
        Ok(())
    }
}

/// A row `device type size used priority`; sizes are in kilobytes in the file.
#[derive(PartialEq, Eq, Debug)]
struct SwapDevice<'a> {
    device: &'a [u8],
    kind: &'a [u8],
    size_bytes: u64,
    used_bytes: u64,
    priority: i64,
}

fn parse(line: Line<'_>) -> Result<SwapDevice<'_>, ParseError<'_>> {
    let mut fields = line.fields();
    let (device, kind) = (fields.text("Filename")?, fields.text("Type")?);
    let [size, used] = table::numbers::<u64, 2>(line, &mut fields, ["Size", "Used"])?;
    let priority = fields.number("Priority")?;
    let bytes = |kilobytes: u64, field: &'static str| {
        kilobytes.checked_mul(1024).ok_or_else(|| line.error(field, "fewer than 2^64 bytes", line.bytes))
    };
    Ok(SwapDevice { device, kind, size_bytes: bytes(size, "Size")?, used_bytes: bytes(used, "Used")?, priority })
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
    fn an_unknown_header_is_reported_and_no_failure() {
        let scraped = given("== proc/swaps\nx\n/b file 1 0 5\n").scrape::<Swap>();
        assert_eq!(scraped.samples().lines().count(), 3);
        assert!(scraped.page.contains("node_scrape_collector_success{collector=\"swap\"} 1\n"), "{}", scraped.page);
        assert_eq!(
            scraped.complaints,
            ["proc/swaps:1: first row: expected a header that begins with Filename, found \"x\""]
        );
    }

    #[test]
    fn a_bad_row_costs_only_its_own_samples() {
        let good = "node_swap_priority{device=\"/b\",swap_type=\"file\"} 5\n\
            node_swap_size_bytes{device=\"/b\",swap_type=\"file\"} 1024\n\
            node_swap_used_bytes{device=\"/b\",swap_type=\"file\"} 0\n";
        for (bad, complaint) in [
            ("/a file x 0 1", "proc/swaps:2: Size: expected an unsigned integer"),
            ("/a file 1 -1 1", "Used: expected an unsigned integer"),
            ("/a file 1 1", "Priority: expected a signed integer"),
            ("/a file 18014398509481984 1 1", "Size: expected fewer than 2^64 bytes"),
            ("/a", "Type: expected a field"),
            ("", "Filename: expected a field"),
        ] {
            given(&format!("{HEAD}{bad}\n/b file 1 0 5\n")).fails::<Swap>(good, complaint);
        }
        given("").fails::<Swap>("", "proc/swaps: no such file");
    }

    proptest! {
        #[test]
        fn rows_round_trip(size in 0..1_u64 << 54, used in 0..1_u64 << 54, priority: i64) {
            let row = format!("/dev/sda2    partition\t{size}\t\t{used}\t\t{priority}");
            let text = Text::new(Mount::Proc, b"swaps", row.as_bytes());
            let found = parse(text.lines().next().expect("a line")).expect("a row of the kernel");
            let (size_bytes, used_bytes) = (size * 1024, used * 1024);
            prop_assert_eq!(found, SwapDevice { device: b"/dev/sda2", kind: b"partition", size_bytes, used_bytes, priority });
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for line in Text::new(Mount::Proc, b"swaps", &bytes).lines() {
                let _ = parse(line);
            }
        }
    }
}
