//! Exporters with one deliberate defect each, and the check that must find it.

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::Arc;

use collectors::host::kernel::Kernel;
use collectors::host::kernel::canned::Canned;
use collectors::host::root::tree::Tree;
use collectors::host::root::{Mount, Roots};
use harness::allocations::Counting;
use harness::load;
use harness::property::{Exporter, Opened, Violation, allocates_alike, asks_once, check_on, contained, matrix};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Appends the page for `proc/frobs`.
type Make = fn(&Roots, &mut String);

/// An exporter that declares `proc/frobs`, `frobs` and `frobs_total`, with a page from its function.
struct Broken {
    name: &'static str,
    make: Make,
}

impl Exporter for Broken {
    fn name(&self) -> &str {
        self.name
    }

    fn reads(&self) -> Vec<String> {
        vec!["proc/frobs".to_owned()]
    }

    fn families(&self) -> Vec<String> {
        ["frobs", "frobs_total"].map(str::to_owned).to_vec()
    }

    fn open(&self, roots: Roots, _: Arc<dyn Kernel>) -> Opened {
        let make = self.make;
        // The returned page is one allocation per scrape for any exporter.
        let mut page = String::new();
        Box::new(move || {
            page.clear();
            make(&roots, &mut page);
            page.as_bytes().to_vec()
        })
    }
}

thread_local! {
    static CONTENT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

/// Reads a text file into reused memory; does nothing if it is missing.
fn with_file(roots: &Roots, path: &str, tell: impl FnOnce(&str)) {
    let mut content = CONTENT.take();
    if roots.get(Mount::Proc).read(path.as_bytes(), &mut content, 1 << 20).is_ok()
        && let Ok(text) = std::str::from_utf8(&content)
    {
        tell(text);
    }
    CONTENT.set(content);
}

fn tell(page: &mut String, words: std::fmt::Arguments<'_>) {
    page.write_fmt(words).expect("memory takes every text");
}

/// One sample per line: the exporter without a defect.
fn sound(roots: &Roots, page: &mut String) {
    with_file(roots, "frobs", |text| {
        let mut number = 0_u8;
        for line in text.lines().filter(|line| line.parse::<u32>().is_ok()) {
            if number == 0 {
                page.push_str("# TYPE frobs gauge\n");
            }
            page.push_str("frobs{n=\"");
            page.push(char::from(b'a' + number));
            page.push_str("\"} ");
            page.push_str(line);
            page.push('\n');
            number = (number + 1) % 26;
        }
    });
}

/// Reads a file of the machine instead of the given host.
fn leaks(_: &Roots, page: &mut String) {
    let bytes = load::bytes(&load::workspace().join("Cargo.toml")).map_or(0, |bytes| bytes.len());
    tell(page, format_args!("# TYPE frobs gauge\nfrobs {bytes}\n"));
}

fn undeclared(roots: &Roots, page: &mut String) {
    with_file(roots, "frobs", |_| page.push_str("# TYPE frobs_of_others gauge\nfrobs_of_others 1\n"));
}

fn panics(roots: &Roots, page: &mut String) {
    with_file(roots, "frobs", |text| {
        let first = &text[..2];
        tell(page, format_args!("# TYPE frobs gauge\nfrobs {}\n", first.trim().len()));
    });
}

fn allocates(roots: &Roots, page: &mut String) {
    let mut more = String::new();
    sound(roots, &mut more);
    page.extend(more.lines().map(|line| format!("{line}\n")));
}

fn reads_twice(roots: &Roots, page: &mut String) {
    with_file(roots, "frobs", |_| ());
    sound(roots, page);
}

/// Exports one more sample on a host that has another file.
fn depends(roots: &Roots, page: &mut String) {
    sound(roots, page);
    with_file(roots, "version", |text| {
        tell(page, format_args!("# TYPE frobs_total counter\nfrobs_total {}\n", text.len()));
    });
}

fn falls(roots: &Roots, page: &mut String) {
    let calls = CALLS.get() + 1;
    CALLS.set(calls);
    with_file(roots, "frobs", |_| {
        // The third scrape of a check is the one at the later time.
        let value = if calls > 2 { 5 } else { 9 };
        tell(page, format_args!("# TYPE frobs_total counter\nfrobs_total {value}\n"));
    });
}

fn prints_a_locale(roots: &Roots, page: &mut String) {
    with_file(roots, "frobs", |_| page.push_str("# TYPE frobs gauge\nfrobs 1,5\n"));
}

fn flickers(roots: &Roots, page: &mut String) {
    let calls = CALLS.get() + 1;
    CALLS.set(calls);
    with_file(roots, "frobs", |_| tell(page, format_args!("# TYPE frobs gauge\nfrobs {calls}\n")));
}

fn host(lines: usize) -> Tree {
    let frobs = (0..lines).map(|line| (10 + line).to_string() + "\n").collect::<String>();
    Tree::new().with_file("proc/frobs", frobs).with_file("proc/version", "Linux version 6.12\n")
}

/// Runs every check on hosts that have the exporters' files.
fn judged(make: Make) -> Result<(), Violation> {
    let exporter = Broken { name: "broken", make };
    CALLS.set(0);
    let kernel: Arc<dyn Kernel> = Arc::new(Canned::default());
    let [few, many] = [Arc::new(host(2)).roots(), Arc::new(host(20)).roots()];
    check_on(&exporter, &few, &kernel)?;
    contained(&exporter)?;
    asks_once(&exporter, &few, &kernel)?;
    allocates_alike(&exporter, [&few, &many], &kernel)?;
    matrix(&exporter, &few, &kernel).map(drop)
}

#[track_caller]
fn check(make: Make, law: &str, problem: &str) {
    let violation = judged(make).expect_err("a broken exporter");
    assert_eq!(violation.law, law, "{violation}");
    assert!(violation.problem.contains(problem), "{violation}");
}

/// One test, because allocations of all threads are counted together.
#[test]
fn each_defect_is_found_by_its_check() {
    judged(sound).unwrap_or_else(|violation| panic!("the sound one: {violation}"));
    check(leaks, "contained", "was read past the roots");
    check(undeclared, "declared", "the family `frobs_of_others` is not declared");
    check(panics, "served", "it panicked");
    check(allocates, "bounded", "allocations grow with samples");
    check(reads_twice, "bounded", "`proc/frobs` twice");
    check(depends, "declared", "it reads `proc/version`");
    check(falls, "rising", "the counter `frobs_total 9` fell to 5");
    check(prints_a_locale, "well formed", "`1,5`");
    check(flickers, "steady", "two scrapes at the same simulated time differ");
}
