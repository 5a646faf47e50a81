//! Layout of the test data and the flags of its run: a checkout of node_exporter, or the data alone with FLAGS.md.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::text;
use crate::load;

/// Folder of the data in a checkout; its flags name files there.
const FIXTURES: &str = "collector/fixtures";
/// The script of the run in a checkout.
const SCRIPT: &str = "end-to-end-test.sh";
/// The description of the run where there is no checkout.
const FLAGS: &str = "FLAGS.md";
/// The expected page.
pub(super) const PAGE: &str = "e2e-output.txt";

/// The data of a run.
#[derive(Debug)]
pub(super) struct Layout {
    /// Folder with `proc`, `sys.ttar` and the page.
    pub(super) folder: PathBuf,
    /// Flags of the run.
    pub(super) flags: Flags,
}

/// Flags of the run.
#[derive(Debug)]
pub(super) struct Flags {
    pub(super) arguments: Vec<String>,
    /// Families that differ from run to run.
    pub(super) left_out: Regex,
}

impl Layout {
    /// Finds the data in a checkout, in its folder of fixtures, or in a folder with the data alone.
    pub(super) fn find(folder: &Path) -> io::Result<Self> {
        let has = |folder: &Path, file: &str| load::exists(&folder.join(file));
        if has(folder, PAGE) && has(folder, FLAGS) {
            let flags = prose(&text(&folder.join(FLAGS))?)?;
            return Ok(Self { folder: folder.to_owned(), flags });
        }
        let above = folder.join("../..");
        for checkout in [folder, above.as_path()] {
            let fixtures = checkout.join(FIXTURES);
            if has(&fixtures, PAGE) && has(checkout, SCRIPT) {
                return Ok(Self { folder: fixtures, flags: script(&text(&checkout.join(SCRIPT))?)? });
            }
        }
        let what =
            if has(folder, "go.mod") { "a Go project, but not node_exporter's" } else { "no data of node_exporter's" };
        Err(io::Error::other(format!(
            "{}: {what}: expected a checkout of node_exporter, with {SCRIPT} and {FIXTURES}/{PAGE}, that folder of \
             fixtures in it, or a folder of the data with {FLAGS} and {PAGE}",
            folder.display()
        )))
    }
}

/// Parses FLAGS.md: indented lines of flags, and sentences that list collectors.
fn prose(text: &str) -> io::Result<Flags> {
    let mut arguments: Vec<String> = Vec::new();
    let flat = text.replace('\n', " ");
    for (sentence, prefix) in [("switched on besides the default ones:", "--"), ("switched off:", "--no-")] {
        let (_, rest) =
            flat.split_once(sentence).ok_or_else(|| io::Error::other(format!("{FLAGS}: no `{sentence}`")))?;
        let names = rest.split('.').next().unwrap_or_default();
        arguments.extend(names.split_whitespace().map(|name| format!("{prefix}collector.{name}")));
    }
    arguments.extend(text.lines().filter_map(|line| line.strip_prefix("    --")).map(|flag| format!("--{flag}")));
    let pattern = text.split('`').find(|code| code.starts_with("^("));
    let pattern = pattern.ok_or_else(|| io::Error::other(format!("{FLAGS}: no pattern of excluded families")))?;
    Ok(Flags { arguments, left_out: Regex::new(pattern).map_err(io::Error::other)? })
}

/// Parses the script of a checkout: lists of collectors, literal flags, and the variables they use.
fn script(text: &str) -> io::Result<Flags> {
    let missing = |what: &str| io::Error::other(format!("{SCRIPT}: no {what}"));
    let variables = variables(text);
    let mut arguments = Vec::new();
    for (list, prefix) in [("enabled_collectors", "--"), ("disabled_collectors", "--no-")] {
        let names = heredoc(text, list).ok_or_else(|| missing(list))?;
        arguments.extend(names.split_whitespace().map(|name| format!("{prefix}collector.{name}")));
    }
    for word in text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace) {
        let Some(flag) = expanded(&word.replace('"', ""), &variables) else { continue };
        let is_collectors = flag.starts_with("--collector.") || flag.starts_with("--no-collector.");
        // These flags name recorded netlink answers, which are read from beside the fixtures.
        let is_canned = flag.split('=').next().is_some_and(|name| name.ends_with(".fixtures"));
        if is_collectors && !is_canned {
            arguments.push(flag.replace(&format!("{FIXTURES}/"), ""));
        }
    }
    let pattern = variables.get("skip_re").ok_or_else(|| missing("skip_re, the pattern of excluded families"))?;
    Ok(Flags { arguments, left_out: Regex::new(pattern).map_err(io::Error::other)? })
}

/// Variables assigned to a quoted word; of several assignments the first counts, that of x86-64.
fn variables(text: &str) -> BTreeMap<&str, &str> {
    let mut variables = BTreeMap::new();
    for (name, value) in text.lines().filter_map(|line| line.trim_start().split_once('=')) {
        let inside = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.split(quote).next());
        if let Some(value) = inside('\'').or_else(|| inside('"')) {
            variables.entry(name).or_insert(value);
        }
    }
    variables
}

/// The text that `NAME=$(cat << WORD` assigns to a variable.
fn heredoc<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("\n{name}=$(cat << "))?;
    let (word, rest) = rest.split_once('\n')?;
    rest.split_once(&format!("\n{word}\n")).map(|(list, _)| list)
}

/// A word with its variables expanded, if all are known.
fn expanded(word: &str, variables: &BTreeMap<&str, &str>) -> Option<String> {
    let mut parts = word.split("${");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}')?;
        text += variables.get(name)?;
        text += rest;
    }
    // `$(…)` is the output of a command.
    (!text.contains("$(")).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_from_prose_and_lines() {
        let text = "Collectors switched on besides the default ones: a\nb.\nCollectors switched off: c.\n\n    --x=y\n\nLeft out: `^(go_|node_x)`.\n";
        let flags = prose(text).expect("flags");
        assert_eq!(flags.arguments, ["--collector.a", "--collector.b", "--no-collector.c", "--x=y"]);
        assert!(flags.left_out.is_match("node_x") && !flags.left_out.is_match("node_y"));
    }

    const SCRIPT_TEXT: &str = r#"#!/bin/sh
# --collector.comment
enabled_collectors=$(cat << LIST
  a
  b
LIST
)
disabled_collectors=$(cat << LIST
  c
LIST
)
skip_re="^(go_|node_x)"
case "${arch}" in
  x86_64) cpu='unused'
    cpu_flag='--collector.cpu.info'
    bugs='^(a|b)$'
    ;;
  *)
    cpu_flag='--no-collector.cpu.info'
    ;;
esac
./node_exporter --path.rootfs="collector/fixtures" \
  $(for c in ${enabled_collectors}; do echo --collector.${c}  ; done) \
  "${cpu_flag}" \
  --collector.cpu.bugs="${bugs}" \
  --collector.wifi.fixtures="collector/fixtures/wifi" \
  --collector.textfile.directory=collector/fixtures/textfile/x/ \
  --no-collector.arp.netlink
"#;

    #[test]
    fn flags_are_read_from_a_script() {
        let flags = script(SCRIPT_TEXT).expect("flags");
        assert_eq!(
            flags.arguments,
            [
                "--collector.a",
                "--collector.b",
                "--no-collector.c",
                "--collector.cpu.info",
                "--collector.cpu.bugs=^(a|b)$",
                "--collector.textfile.directory=textfile/x/",
                "--no-collector.arp.netlink",
            ]
        );
        assert!(flags.left_out.is_match("node_x") && !flags.left_out.is_match("node_y"));
        let error = script("#!/bin/sh\n").expect_err("no lists");
        assert_eq!(error.to_string(), "end-to-end-test.sh: no enabled_collectors");
    }

    #[test]
    fn an_unknown_layout_is_refused_with_the_expected_one() {
        for (folder, what) in [("fixtures", "no data of node_exporter's"), ("nowhere", "no data")] {
            let error = Layout::find(&load::workspace().join(folder)).expect_err(folder).to_string();
            assert!(error.contains(what) && error.contains("collector/fixtures/e2e-output.txt"), "{error}");
        }
    }
}
