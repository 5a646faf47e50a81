//! How the memory of each NUMA node is used, from /sys/devices/system/node.

use crate::declare;
use crate::host::root::Names;
use crate::kit::prelude::*;
use crate::kit::table;

/// How the memory of each NUMA node is used.
#[derive(Debug)]
pub struct MeminfoNuma {
    nodes: Names,
}

declare! {
    MeminfoNuma: "meminfo_numa", off, "How the memory of each NUMA node is used, and where allocations went.";
    reads {
        NODES: Directory Sys "devices/system/node";
        MEMINFO: File Sys "devices/system/node/*/meminfo";
        NUMASTAT: File Sys "devices/system/node/*/numastat";
    }
    prefixes {
        FIELD: Gauge "node_memory_numa_" ["node"] "Field {} of the memory of a NUMA node.";
        ALLOCATIONS: Counter "node_memory_numa_" ["node"] "Counter {} of allocations of a NUMA node.";
    }
}

impl Collect for MeminfoNuma {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { nodes: Names::new() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        match cx.files.list(NODES, [], &mut self.nodes) {
            // A kernel without NUMA.
            Err(error) if error.is_missing() => return Ok(()),
            result => result?,
        }
        for directory in self.nodes.iter() {
            let Some(node) = node_of(directory) else { continue };
            if let Some(text) = cx.problems.value(cx.files.read(MEMINFO, [directory])) {
                for line in table::rows(text, cx.problems).filter(has_fields) {
                    if let Some(field) = cx.problems.value(parse_field(line)) {
                        let [name, kind] = field.name;
                        let joint: &[u8] = if kind.is_empty() { b"" } else { b"_" };
                        cx.page.named(FIELD, &[name, joint, kind], [&field.node], field.value);
                    }
                }
            }
            if let Some(text) = cx.problems.value(cx.files.read(NUMASTAT, [directory])) {
                for line in table::rows(text, cx.problems).filter(has_fields) {
                    if let Some((name, count)) = cx.problems.value(parse_count(line)) {
                        cx.page.named(ALLOCATIONS, &[name, b"_total"], [&node], count);
                    }
                }
            }
        }
        Ok(())
    }
}

/// The number of a node's directory; nothing when the directory is of something else.
fn node_of(directory: &[u8]) -> Option<&[u8]> {
    let rest = directory.strip_prefix(b"node")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    rest.get(..digits).filter(|digits| !digits.is_empty())
}

fn has_fields(line: &Line<'_>) -> bool {
    !line.bytes.trim_ascii().is_empty()
}

/// `Node 0 Active(anon): 12 kB` is a field with a name of two pieces.
#[derive(PartialEq, Eq, Debug)]
struct Field<'a> {
    node: &'a [u8],
    name: [&'a [u8]; 2],
    value: u64,
}

fn parse_field(line: Line<'_>) -> Result<Field<'_>, ParseError<'_>> {
    let mut fields = line.fields();
    fields.text("Node")?;
    let (node, name) = (fields.text("node")?, fields.text("name")?);
    let name = name.strip_suffix(b":").unwrap_or(name);
    let found = fields.next().unwrap_or_default();
    let value: u64 = line.number(name, found)?;
    let unit = match fields.rest() {
        b"" => 1,
        b"kB" => 1024,
        unit => return Err(line.error(name, "the unit kB or none", unit)),
    };
    let value = value.checked_mul(unit).ok_or_else(|| line.error(name, "less than 2^64 bytes", found))?;
    Ok(Field { node, name: pieces(name), value })
}

/// `Active(anon)` is `Active` and `anon`.
fn pieces(name: &[u8]) -> [&[u8]; 2] {
    let open = name.strip_suffix(b")").and_then(|inner| Some((inner, memchr::memchr(b'(', inner)?)));
    match open {
        Some((inner, at)) => [&inner[..at], &inner[at + 1..]],
        None => [name, b""],
    }
}

/// `numa_hit 12`
fn parse_count(line: Line<'_>) -> Result<(&[u8], u64), ParseError<'_>> {
    let mut fields = line.fields();
    let name = fields.text("name")?;
    let count = line.number(name, fields.next().unwrap_or_default())?;
    match fields.rest() {
        b"" => Ok((name, count)),
        more => Err(line.error(name, "one number", more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const NUMASTAT: &str = "== sys/devices/system/node/node0/numastat\nnuma_hit 7\n";
    const HIT: &str = "node_memory_numa_numa_hit_total{node=\"0\"} 7\n";

    #[test]
    fn each_field_of_each_node_is_passed_on() {
        let host = "== sys/devices/system/node/node0/meminfo\n\nNode 0 MemTotal:       100 kB\nNode 0 Active(anon):   3 kB\n\
            Node 0 HugePages_Total:     5\n== sys/devices/system/node/node10/meminfo\nNode 10 MemTotal: 1 kB\n\
            == sys/devices/system/node/node10/numastat\nnuma_hit 8\n== sys/devices/system/node/possible\n0\n";
        given(&format!("{host}{NUMASTAT}")).emits::<MeminfoNuma>(&format!(
            "node_memory_numa_Active_anon{{node=\"0\"}} 3072\nnode_memory_numa_HugePages_Total{{node=\"0\"}} 5\n\
            node_memory_numa_MemTotal{{node=\"0\"}} 102400\nnode_memory_numa_MemTotal{{node=\"10\"}} 1024\n\
            {HIT}node_memory_numa_numa_hit_total{{node=\"10\"}} 8\n",
        ));
        given("").emits::<MeminfoNuma>("");
    }

    #[test]
    fn a_bad_row_costs_itself_alone() {
        for (bad, complaint) in [
            ("Node 0 MemFree: x kB", "node0/meminfo:1: MemFree: expected an unsigned integer"),
            ("Node 0 MemFree: -1 kB", "MemFree: expected an unsigned integer"),
            ("Node 0 MemFree: 1 MB", "MemFree: expected the unit kB or none, found \"MB\""),
            ("Node 0 MemFree: 18014398509481984 kB", "MemFree: expected less than 2^64 bytes"),
            ("Node 0 MemFree:", "MemFree: expected an unsigned integer, found nothing"),
            ("Node 0", "name: expected a field"),
        ] {
            given(&format!("== sys/devices/system/node/node0/meminfo\n{bad}\n{NUMASTAT}"))
                .fails::<MeminfoNuma>(HIT, complaint);
        }
        for (bad, complaint) in
            [("miss", "miss: expected an unsigned integer"), ("miss 1 2", "miss: expected one number")]
        {
            given(&format!("== sys/devices/system/node/node0/meminfo\n{NUMASTAT}{bad}\n"))
                .fails::<MeminfoNuma>(HIT, complaint);
        }
        given(NUMASTAT).fails::<MeminfoNuma>(HIT, "node0/meminfo: no such file");
        given("== sys/devices/system/node/node0/meminfo\n").fails::<MeminfoNuma>("", "node0/numastat: no such file");
    }

    #[test]
    fn names_have_one_piece_or_two() {
        for (name, expected) in
            [("Active", ["Active", ""]), ("Active(file)", ["Active", "file"]), ("a(b", ["a(b", ""]), ("a)", ["a)", ""])]
        {
            assert_eq!(pieces(name.as_bytes()), expected.map(str::as_bytes));
        }
        assert_eq!(node_of(b"node12"), Some(b"12".as_slice()));
        assert_eq!([node_of(b"node"), node_of(b"cpu0"), node_of(b"nodex")], [None; 3]);
    }

    proptest! {
        #[test]
        fn values_come_back(kilobytes in 0..1_u64 << 54, count: u64) {
            let row = format!("Node 3 Inactive(file):   {kilobytes:>8} kB\nlocal_node {count}");
            let text = Text::new(Mount::Sys, b"meminfo", row.as_bytes());
            let mut lines = text.lines();
            let field = parse_field(lines.next().expect("a line")).expect("a row of the kernel");
            let expected = Field { node: b"3", name: [b"Inactive", b"file"], value: kilobytes * 1024 };
            prop_assert_eq!(field, expected);
            let found = parse_count(lines.next().expect("a line")).expect("a row of the kernel");
            prop_assert_eq!(found, (b"local_node".as_slice(), count));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            let _ = node_of(&bytes);
            for line in Text::new(Mount::Sys, b"meminfo", &bytes).lines() {
                let _ = (parse_field(line), parse_count(line));
            }
        }
    }
}
