//! Free memory blocks from /proc/buddyinfo.

use crate::declare;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use crate::kit::table;

/// The buddyinfo collector.
#[derive(Debug)]
pub struct Buddyinfo;

declare! {
    Buddyinfo: "buddyinfo", off, "Free memory blocks by size and zone.";
    labels {
        PerSize { node, size, zone }
    }
    reads {
        BUDDYINFO: File Proc "buddyinfo";
    }
    families {
        BLOCKS: Gauge "node_buddyinfo_blocks" PerSize "Free blocks of 2^size pages in a memory zone.";
    }
}

impl Collect for Buddyinfo {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let text = cx.files.read(BUDDYINFO, [])?;
        let mut sizes_of_all = None;
        for line in table::rows(text, cx.problems) {
            let Some(row) = cx.problems.value(parse(line)) else { continue };
            // Every zone has the same number of sizes.
            if row.sizes.clone().count() != *sizes_of_all.get_or_insert_with(|| row.sizes.clone().count()) {
                cx.problems.report(line.error("blocks", "as many as in the first row", line.bytes));
                continue;
            }
            for (size, found) in row.sizes.enumerate() {
                if let Some(blocks) = cx.problems.value(line.number::<u64>("blocks", found)) {
                    cx.page.gauge(BLOCKS, PerSize { node: &row.node, size: &size, zone: &row.zone }, blocks);
                }
            }
        }
        Ok(())
    }
}

/// `Node 0, zone DMA32 759 572 …`
struct ZoneRow<'a, I> {
    node: &'a [u8],
    zone: &'a [u8],
    sizes: I,
}

fn parse(line: Line<'_>) -> Result<ZoneRow<'_, impl Iterator<Item = &[u8]> + Clone>, ParseError<'_>> {
    let mut fields = line.fields();
    if fields.next() != Some(b"Node") {
        return Err(line.error("row", "`Node 0, zone NAME` and numbers", line.bytes));
    }
    let node = fields.text("node")?;
    let node = node.strip_suffix(b",").unwrap_or(node);
    if u32::from_text(node).is_none() {
        return Err(line.error("node", u32::EXPECTED, node));
    }
    fields.text("zone")?;
    let zone = fields.text("zone")?;
    Ok(ZoneRow { node, zone: zone.strip_suffix(b",").unwrap_or(zone), sizes: fields })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    #[test]
    fn each_size_of_each_zone_is_a_gauge() {
        given("== proc/buddyinfo\nNode 0, zone      DMA      1      0 \nNode 1, zone   Normal   4381   1093 \n")
            .emits::<Buddyinfo>(
            "node_buddyinfo_blocks{node=\"0\",size=\"0\",zone=\"DMA\"} 1\n\
                node_buddyinfo_blocks{node=\"0\",size=\"1\",zone=\"DMA\"} 0\n\
                node_buddyinfo_blocks{node=\"1\",size=\"0\",zone=\"Normal\"} 4381\n\
                node_buddyinfo_blocks{node=\"1\",size=\"1\",zone=\"Normal\"} 1093\n",
        );
    }

    #[test]
    fn a_bad_row_costs_only_its_own_samples() {
        let good = "node_buddyinfo_blocks{node=\"0\",size=\"0\",zone=\"DMA\"} 1\n";
        for (bad, complaint) in [
            ("Node 0, zone Normal 1 2\n", "buddyinfo:2: blocks: expected as many as in the first row"),
            ("Node 0, zone Normal -1\n", "buddyinfo:2: blocks: expected an unsigned integer"),
            ("Node 0, zone\n", "buddyinfo:2: zone: expected a field"),
            ("Node x, zone DMA 1\n", "buddyinfo:2: node: expected an unsigned 32-bit integer"),
            ("zone\n", "buddyinfo:2: row: expected"),
        ] {
            given(&format!("== proc/buddyinfo\nNode 0, zone DMA 1\n{bad}")).fails::<Buddyinfo>(good, complaint);
        }
        given("").fails::<Buddyinfo>("", "proc/buddyinfo: no such file");
    }

    proptest! {
        #[test]
        fn numbers_come_back(blocks: Vec<u64>, node: u32) {
            let numbers: Vec<String> = blocks.iter().map(u64::to_string).collect();
            let row = format!("Node {node}, zone   Normal {}", numbers.join("   "));
            let text = Text::new(Mount::Proc, b"buddyinfo", row.as_bytes());
            let parsed = parse(text.lines().next().expect("a line")).expect("a row of the kernel");
            prop_assert_eq!(parsed.node.to_vec(), node.to_string().into_bytes());
            let found: Vec<u64> = parsed.sizes.filter_map(u64::from_text).collect();
            prop_assert_eq!(found, blocks);
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for line in Text::new(Mount::Proc, b"buddyinfo", &bytes).lines() {
                let _ = parse(line).map(|row| row.sizes.count());
            }
        }
    }
}
