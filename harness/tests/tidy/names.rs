//! Names are whole words, and units stand written out at their end.

use crate::{Source, assert_none, sources};

/// Words that are cut short, and what they are.
const WHOLE: &[(&str, &str)] = &[
    ("addr", "address"),
    ("arg", "argument"),
    ("attr", "attribute"),
    ("buf", "buffer"),
    ("cb", "callback"),
    ("cfg", "configuration"),
    ("cnt", "count"),
    ("ctx", "context"),
    ("cur", "current"),
    ("dest", "destination"),
    ("dst", "destination"),
    ("elem", "element"),
    ("gb", "gigabytes"),
    ("hdr", "header"),
    ("idx", "index"),
    ("kb", "kilobytes"),
    ("mb", "megabytes"),
    ("mins", "minutes"),
    ("ms", "milliseconds"),
    ("msg", "message"),
    ("ns", "nanoseconds"),
    ("num", "number"),
    ("param", "parameter"),
    ("pkt", "packet"),
    ("prev", "before"),
    ("ptr", "pointer"),
    ("req", "request"),
    ("resp", "response"),
    ("secs", "seconds"),
    ("src", "source"),
    ("sz", "size"),
    ("tmp", "temporary"),
    ("us", "microseconds"),
    ("val", "value"),
];

/// Names that others gave.
const KEPT: &[(&str, &str)] = &[("boot_time_secs", "a method and a field of procfs-core")];

/// Units that a name of a number ends in, rather than goes on after.
const UNITS: &[&str] = &["BYTES", "KILOBYTES", "SECONDS", "MILLISECONDS", "MICROSECONDS", "NANOSECONDS"];

/// What follows the names of reads and families.
const DECLARED: &[&str] = &[
    "File ",
    "Directory ",
    "Link ",
    "Counter ",
    "Gauge ",
    "Untyped ",
    "kept Counter ",
    "kept Gauge ",
    "kept Untyped ",
];

/// What is declared in a line: after a keyword, and before the colon of a parameter or field.
fn declared(line: &str) -> Vec<&str> {
    const KEYWORDS: [&str; 9] = ["let mut ", "let ", "fn ", "const ", "static ", "struct ", "enum ", "trait ", "for "];
    let code = line.split("//").next().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let after = |keyword: &str| -> Vec<&str> {
        let ends = code.match_indices(keyword).map(|(at, _)| at + keyword.len());
        ends.filter_map(|at| code.get(at..)?.split(|c: char| !is_name(c)).next()).collect()
    };
    let mut names: Vec<&str> = KEYWORDS.iter().flat_map(|keyword| after(keyword)).collect();
    // What a collector declares is called as the kernel calls it.
    let is_declaration = |rest: &str| DECLARED.iter().any(|kind| rest.starts_with(kind));
    let typed = code.match_indices(": ").filter(|(at, _)| !code.get(at + 2..).is_some_and(is_declaration));
    let typed = typed.filter_map(|(at, _)| code.get(..at)?.rsplit(|c: char| !is_name(c)).next());
    names.extend(typed);
    names.retain(|name| !name.is_empty() && !KEPT.iter().any(|(kept, _)| kept == name));
    names
}

fn offenders(source: &Source, problem: impl Fn(&str) -> Option<String>) -> Vec<String> {
    // Text in quotes is data: what the kernel writes, what a page shows.
    let is_data = |line: &str| line.trim_start().starts_with(['"', '/']);
    let lines = (1..).zip(source.text.lines()).filter(|(_, line)| !is_data(line));
    let named = lines.flat_map(|(number, line)| {
        let code = line.split('"').next().unwrap_or_default();
        declared(code).into_iter().map(move |name| (number, name)).collect::<Vec<_>>()
    });
    named
        .filter_map(|(number, name): (usize, &str)| Some((number, name, problem(name)?)))
        .map(|(number, name, problem)| format!("{}:{number}: {name}: {problem}", source.path))
        .collect()
}

#[test]
fn names_are_whole_words() {
    let short = |name: &str| {
        let lower = name.to_ascii_lowercase();
        let found = WHOLE.iter().find(|(short, _)| lower.split('_').any(|word| word == *short));
        found.map(|(short, whole)| format!("write `{whole}` in place of `{short}`"))
    };
    let found: Vec<String> = sources().iter().flat_map(|source| offenders(source, short)).collect();
    assert_none(&found, "names are whole words, unless somebody else gave them (KEPT in harness/tests/tidy/names.rs)");
}

#[test]
fn units_come_last() {
    let misplaced = |name: &str| {
        let unit = UNITS.iter().find(|unit| name.contains(&format!("_{unit}_")))?;
        let rest = name.replace(&format!("_{unit}"), "");
        Some(format!("call it {rest}_{unit}"))
    };
    let found: Vec<String> = sources().iter().flat_map(|source| offenders(source, misplaced)).collect();
    assert_none(&found, "a unit ends the name of a constant");
}

#[test]
fn the_check_of_names_finds_what_it_should() {
    for (line, expected) in [
        ("    let mut req = 1;", &["req", "mut"][..]),
        ("fn f(buf: &[u8], size_ms: u64) -> u8 {", &["f", "buf", "size_ms"]),
        ("const A_BYTES_MAX: usize = 1; // let x", &["A_BYTES_MAX", "A_BYTES_MAX"]),
        ("for ptr in all {", &["ptr"]),
        ("    IO_NS: File Sys \"io_ns\";", &[]),
    ] {
        let found = declared(line);
        assert_eq!(found, expected, "{line}");
    }
}
