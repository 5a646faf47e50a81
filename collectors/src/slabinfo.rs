//! Kernel objects from /proc/slabinfo.

use crate::declare;
use crate::kit::filter::Filter;
use crate::kit::prelude::*;
use crate::kit::table;

/// How many objects of each kind the kernel has.
#[derive(Debug)]
pub struct Slabinfo {
    slabs: Filter,
}

declare! {
    Slabinfo: "slabinfo", off, "How many objects of each kind the kernel holds in memory.";
    reads {
        SLABINFO: File Proc "slabinfo";
    }
    flags {
        INCLUDE: Text "collector.slabinfo.slabs-include" = ".*", "Regexp of the kinds of objects to show.";
        EXCLUDE: Text "collector.slabinfo.slabs-exclude" = "", "Regexp of the kinds of objects to leave out.";
    }
    families {
        ACTIVE_OBJECTS: Gauge "node_slabinfo_active_objects" ["slab"] "Objects in use.";
        OBJECT_SIZE: Gauge "node_slabinfo_object_size_bytes" ["slab"] "Size of an object.";
        OBJECTS: Gauge "node_slabinfo_objects" ["slab"] "Objects that there is memory for, in use or not.";
        OBJECTS_PER_SLAB: Gauge "node_slabinfo_objects_per_slab" ["slab"] "Objects that are in one slab.";
        PAGES_PER_SLAB: Gauge "node_slabinfo_pages_per_slab" ["slab"] "Pages that one slab has.";
    }
}

impl Collect for Slabinfo {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { slabs: Filter::from_both(options, INCLUDE, EXCLUDE)? })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        for line in table::rows(cx.files.read(SLABINFO, [])?, cx.problems) {
            if is_head(line) || line.fields().next().is_some_and(|name| self.slabs.ignores(name)) {
                continue;
            }
            if let Some((slab, [active, objects, size, per_slab, pages])) = cx.problems.value(parse(line)) {
                cx.page.gauge(ACTIVE_OBJECTS, [&slab], active);
                cx.page.gauge(OBJECT_SIZE, [&slab], size);
                cx.page.gauge(OBJECTS, [&slab], objects);
                cx.page.gauge(OBJECTS_PER_SLAB, [&slab], per_slab);
                cx.page.gauge(PAGES_PER_SLAB, [&slab], pages);
            }
        }
        Ok(())
    }
}

fn is_head(line: Line<'_>) -> bool {
    line.bytes.starts_with(b"slabinfo -") || line.bytes.starts_with(b"# name")
}

/// `name active objects size objects-per-slab pages-per-slab : …`
fn parse(line: Line<'_>) -> Result<(&[u8], [u64; 5]), ParseError<'_>> {
    let mut fields = line.fields();
    let name = fields.text("name")?;
    let names = ["active_objs", "num_objs", "objsize", "objperslab", "pagesperslab"];
    let numbers = table::numbers(line, &mut fields, names)?;
    // A row of another version of the file, or one with spaces in its name, has its numbers in other places.
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
    fn each_kind_has_five_gauges() {
        given(&format!("{HEAD}{ROW}")).emits::<Slabinfo>(GOOD);
    }

    #[test]
    fn kinds_can_be_chosen_and_left_out() {
        let host = format!("{HEAD}{ROW}{}", ROW.replace("kmalloc-8 ", "kmalloc-9 ").replace("132", "133"));
        for flags in [
            &["--collector.slabinfo.slabs-include=8$"][..],
            &["--collector.slabinfo.slabs-exclude=9$"],
            &["--collector.slabinfo.slabs-include=^kmalloc", "--collector.slabinfo.slabs-exclude=9$"],
        ] {
            given(&host).flags(flags).emits::<Slabinfo>(GOOD);
        }
        given("").flags(&["--collector.slabinfo.slabs-include=("]).is_refused::<Slabinfo>("slabs-include: `(`");
    }

    #[test]
    fn a_bad_row_costs_itself_alone() {
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
        fn numbers_come_back(numbers: [u64; 5]) {
            let [a, b, c, d, e] = numbers;
            let row = format!("dentry {a:>6} {b:>6} {c:>6} {d:>4} {e:>4} : tunables    0    0    0 : slabdata 1 1 0");
            let text = Text::new(Mount::Proc, b"slabinfo", row.as_bytes());
            let found = parse(text.lines().next().expect("a line")).expect("a row of the kernel");
            prop_assert_eq!(found, (b"dentry".as_slice(), numbers));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            for line in Text::new(Mount::Proc, b"slabinfo", &bytes).lines() {
                let _ = (is_head(line), parse(line));
            }
        }
    }
}
