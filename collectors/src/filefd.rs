//! Open files from /proc/sys/fs/file-nr.

use crate::declare;
use crate::kit::prelude::*;

/// The filefd collector.
#[derive(Debug)]
pub struct Filefd;

declare! {
    Filefd: "filefd", on, "Allocated and maximum file handles.";
    reads {
        FILE_NR: File Proc "sys/fs/file-nr";
    }
    families {
        ALLOCATED: Gauge "node_filefd_allocated" () "Allocated file handles.";
        MAXIMUM: Gauge "node_filefd_maximum" () "Maximum number of file handles.";
    }
}

impl Collect for Filefd {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let text = cx.files.read(FILE_NR, [])?;
        for (family, value) in [ALLOCATED, MAXIMUM].into_iter().zip(parse(text)) {
            if let Some(value) = cx.problems.value(value) {
                cx.page.gauge(family, (), value);
            }
        }
        Ok(())
    }
}

/// The first and the third number; the second has been 0 since Linux 2.6.
fn parse(text: Text<'_>) -> [Result<f64, ParseError<'_>>; 2] {
    let Some(line) = text.lines().next() else {
        return ["allocated", "maximum"].map(|field| Err(text.error(field, "a number", b"")));
    };
    let mut fields = line.fields();
    [fields.number("allocated"), fields.text("unused").and_then(|_| fields.number("maximum"))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    #[test]
    fn the_first_and_the_third_number_are_exported() {
        given("== proc/sys/fs/file-nr\n1024\t0\t9223372036854775807\n")
            .emits::<Filefd>("node_filefd_allocated 1024\nnode_filefd_maximum 9.223372036854776e+18\n");
    }

    #[test]
    fn a_bad_number_costs_only_its_own_samples() {
        given("== proc/sys/fs/file-nr\nmany\t0\t99\n")
            .fails::<Filefd>("node_filefd_maximum 99\n", "proc/sys/fs/file-nr:1: allocated: expected a number");
        given("== proc/sys/fs/file-nr\n1024\t0\n")
            .fails::<Filefd>("node_filefd_allocated 1024\n", "maximum: expected a number, found nothing");
        given("== proc/sys/fs/file-nr\n1024\n")
            .fails::<Filefd>("node_filefd_allocated 1024\n", "unused: expected a field");
        given("== proc/sys/fs/file-nr\n").fails::<Filefd>("", "proc/sys/fs/file-nr: maximum");
        given("").fails::<Filefd>("", "proc/sys/fs/file-nr: no such file");
    }

    proptest! {
        #[test]
        fn numbers_come_back(allocated: u64, unused: u64, maximum: u64) {
            let line = format!("{allocated}\t{unused}\t{maximum}\n");
            let parsed = parse(Text::new(Mount::Proc, b"x", line.as_bytes())).map(Result::ok);
            prop_assert_eq!(parsed, [allocated, maximum].map(|value| Some(value as f64)));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            let _ = parse(Text::new(Mount::Proc, b"x", &bytes));
        }
    }
}
