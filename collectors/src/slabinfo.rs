//! Slab caches, from /proc/slabinfo.

use crate::declare;
use crate::kit::filter::Filter;
use crate::kit::prelude::*;
use crate::kit::table;

/// The slabinfo collector.
#[derive(Debug)]
pub struct Slabinfo {
    slabs: Filter,
}

declare! {
    Slabinfo: "slabinfo", off, "Slab caches of the kernel: objects and their size.";
    labels {
        PerSlab { slab }
    }
    reads {
        SLABINFO: File Proc "slabinfo";
    }
    flags {
        INCLUDE: Text "collector.slabinfo.slabs-include" = ".*", "Regexp of slab caches to include.";
        EXCLUDE: Text "collector.slabinfo.slabs-exclude" = "", "Regexp of slab caches to exclude.";
    }
    families {
        ACTIVE_OBJECTS: Gauge "node_slabinfo_active_objects" PerSlab "Objects in use.";
        OBJECT_SIZE: Gauge "node_slabinfo_object_size_bytes" PerSlab "Size of an object in bytes.";
        OBJECTS: Gauge "node_slabinfo_objects" PerSlab "Objects allocated, in use or free.";
        OBJECTS_PER_SLAB: Gauge "node_slabinfo_objects_per_slab" PerSlab "Objects per slab.";
        PAGES_PER_SLAB: Gauge "node_slabinfo_pages_per_slab" PerSlab "Pages per slab.";
    }
}

impl Collect for Slabinfo {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { slabs: Filter::from_both(options, INCLUDE, EXCLUDE)? })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        for line in table::rows(cx.files.read(SLABINFO, [])?, cx.problems) {
            if is_header(line) || line.fields().next().is_some_and(|name| self.slabs.ignores(name)) {
                continue;
            }
            if let Some((slab, [active, objects, size, per_slab, pages])) = cx.problems.value(parse(line)) {
                cx.page.gauge(ACTIVE_OBJECTS, PerSlab { slab: &slab }, active);
                cx.page.gauge(OBJECT_SIZE, PerSlab { slab: &slab }, size);
                cx.page.gauge(OBJECTS, PerSlab { slab: &slab }, objects);
                cx.page.gauge(OBJECTS_PER_SLAB, PerSlab { slab: &slab }, per_slab);
                cx.page.gauge(PAGES_PER_SLAB, PerSlab { slab: &slab }, pages);
            }
        }
        Ok(())
    }
}

/// Whether a line is one of the two header lines.
fn is_header(line: Line<'_>) -> bool {
    line.bytes.starts_with(b"slabinfo -") || line.bytes.starts_with(b"# name")
}

/// Parses `name active objects size objects-per-slab pages-per-slab : …`.
fn parse(line: Line<'_>) -> Result<(&[u8], [u64; 5]), ParseError<'_>> {
    let mut fields = line.fields();
    let name = fields.text("name")?;
    let names = ["active_objs", "num_objs", "objsize", "objperslab", "pagesperslab"];
    let numbers = table::numbers(line, &mut fields, names)?;
    // A row of another format version, or with spaces in its name, has shifted columns.
    match fields.next() {
        Some(b":") => Ok((name, numbers)),
        other => Err(line.error("tunables", "`:` after six fields", other.unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const HEAD: &str = "== proc/slabinfo\nslabinfo - version: 2.1\n\
        # name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit>\n";
    const ROW: &str =
        "kmalloc-8         132    148   8192    4    8 : tunables    0    0    0 : slabdata     37     37      0\n";
    const GOOD: &str = "node_slabinfo_active_objects{slab=\"kmalloc-8\"} 132\n\
        node_slabinfo_object_size_bytes{slab=\"kmalloc-8\"} 8192\nnode_slabinfo_objects{slab=\"kmalloc-8\"} 148\n\
        node_slabinfo_objects_per_slab{slab=\"kmalloc-8\"} 4\nnode_slabinfo_pages_per_slab{slab=\"kmalloc-8\"} 8\n";

    #[test]
    fn each_cache_has_five_gauges() {
        given(&format!("{HEAD}{ROW}")).emits::<Slabinfo>(GOOD);
    }

    #[test]
    fn caches_are_included_and_excluded_by_name() {
        let host = format!("{HEAD}{ROW}{}", ROW.replace("kmalloc-8 ", "kmalloc-9 ").replace("132", "133"));
        for flags in [
            &["--collector.slabinfo.slabs-include=8$"][..],
            &["--collector.slabinfo.slabs-exclude=9$"],
            &["--collector.slabinfo.slabs-include=^kmalloc", "--collector.slabinfo.slabs-exclude=9$"],
        ] {
            given(&host).flags(flags).emits::<Slabinfo>(GOOD);
        }
        given("")
            .flags(&["--collector.slabinfo.slabs-include=("])
            .is_refused::<Slabinfo>("slabs-include: expected a regular expression, found `(`");
    }

    #[test]
    fn a_bad_row_costs_only_its_own_samples() {
        for (bad, complaint) in [
            ("a x 1 1 1 1 : tunables", "slabinfo:3: active_objs: expected an unsigned integer"),
            ("a 1 -1 1 1 1 : tunables", "num_objs: expected an unsigned integer"),
            ("a b 1 1 1 1 1 : tunables", "active_objs: expected an unsigned integer"),
            ("a 1 1 1 1 1 1 : tunables", "tunables: expected `:` after six fields, found \"1\""),
            ("a 1 1 1 1 1", "tunables: expected `:` after six fields, found nothing"),
            ("a 18446744073709551616 1 1 1 1 :", "active_objs"),
            ("", "name: expected a field"),
        ] {
            given(&format!("{HEAD}{bad}\n{ROW}")).fails::<Slabinfo>(GOOD, complaint);
        }
        given("== proc/slabinfo error=EACCES\n").fails::<Slabinfo>("", "proc/slabinfo: permission denied");
    }

    proptest! {
        #[test]
        fn numbers_round_trip(numbers: [u64; 5]) {
            let [a, b, c, d, e] = numbers;
            let row = format!("dentry {a:>6} {b:>6} {c:>6} {d:>4} {e:>4} : tunables    0    0    0 : slabdata 1 1 0");
            let text = Text::new(Mount::Proc, b"slabinfo", row.as_bytes());
            let found = parse(text.lines().next().expect("a line")).expect("a row of the kernel");
            prop_assert_eq!(found, (b"dentry".as_slice(), numbers));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for line in Text::new(Mount::Proc, b"slabinfo", &bytes).lines() {
                let _ = (is_header(line), parse(line));
            }
        }
    }
}
