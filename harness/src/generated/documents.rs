//! Documentation tables derived from declarations.

use std::fmt::Write as _;
use std::io;

use collectors::ALL;
use collectors::kit::declare::Declaration;
use collectors::kit::family::FamilyInfo;
use collectors::kit::read::Access;

use crate::exposition::Rule;

/// Replaces the text between two markers of a document; the rest is written by hand.
pub(super) fn between_marks(path: &str, document: &str, what: &str, table: &str) -> io::Result<String> {
    let begin = format!("<!-- {what}: written by `cargo run -p harness -- accept` -->\n");
    let end = format!("<!-- end of {what} -->\n");
    let no_mark =
        || io::Error::other(format!("{path}: the markers `{}` and `{}` are missing", begin.trim(), end.trim()));
    let (before, rest) = document.split_once(&begin).ok_or_else(no_mark)?;
    let (_, after) = rest.split_once(&end).ok_or_else(no_mark)?;
    Ok(format!("{before}{begin}{table}{end}{after}"))
}

fn declarations() -> impl Iterator<Item = &'static Declaration> {
    ALL.iter().map(|registration| registration.declaration)
}

/// README.md with its table of collectors.
pub(super) fn readme(readme: &str) -> io::Result<String> {
    let mut table = String::from("| collector | default | what it exports |\n|---|---|---|\n");
    for declaration in declarations() {
        let Declaration { name, doc, .. } = declaration;
        let _ = writeln!(table, "| [`{name}`](docs/COLLECTORS.md#{name}) | {} | {doc} |", state(declaration));
    }
    between_marks("README.md", readme, "collectors", &table)
}

/// docs/HARNESS.md with its table of lint rules.
pub(super) fn harness(guide: &str) -> io::Result<String> {
    let mut table = String::from("| rule | severity | what it reports |\n|---|---|---|\n");
    for rule in Rule::ALL {
        let _ = writeln!(table, "| `{rule}` | {} | {} |", rule.severity(), rule.about());
    }
    between_marks("docs/HARNESS.md", guide, "rules", &table)
}

fn state(declaration: &Declaration) -> &'static str {
    if declaration.is_enabled { "on" } else { "off" }
}

/// docs/COLLECTORS.md, with every collector.
pub(super) fn collectors() -> String {
    let mut text = String::from(
        "# Collectors\n\nGenerated from the declarations by `cargo run -p harness -- accept`. Each collector is switched by\n\
         `--collector.NAME` and `--no-collector.NAME`.\n",
    );
    for declaration in declarations() {
        let Declaration { name, doc, .. } = declaration;
        let _ = write!(
            text,
            "\n## {name}\n\n{doc} On by default: {}.\n",
            if declaration.is_enabled { "yes" } else { "no" }
        );
        reads(declaration, &mut text);
        flags(declaration, &mut text);
        families(declaration, &mut text);
    }
    text
}

fn reads(declaration: &Declaration, text: &mut String) {
    if declaration.reads.is_empty() {
        return;
    }
    text.push_str("\nReads:\n\n");
    for read in declaration.reads {
        let what = match read.access {
            Access::File => "",
            Access::Directory => " (directory)",
            Access::Link => " (link)",
        };
        let _ = writeln!(text, "- `{}/{}`{what}", read.mount.name(), read.pattern);
    }
}

fn flags(declaration: &Declaration, text: &mut String) {
    if declaration.flags.is_empty() {
        return;
    }
    text.push_str("\n| flag | default | what it does |\n|---|---|---|\n");
    for flag in declaration.flags {
        let _ = write!(text, "| `--{}` | ", flag.name);
        match flag.default {
            "" => {}
            default => {
                let _ = write!(text, "`{}`", default.replace('|', "\\|"));
            }
        }
        let old: String = flag.old_names.iter().fold(String::new(), |text, name| text + &format!(" Once `--{name}`."));
        let _ = writeln!(text, " | {}{old} |", flag.help.replace('|', "\\|"));
    }
}

fn families(declaration: &Declaration, text: &mut String) {
    text.push_str("\n| metric | type | labels | help |\n|---|---|---|---|\n");
    let mut row = |family: &FamilyInfo, rest: &str| {
        let FamilyInfo { name, kind, labels, help, .. } = family;
        let labels = labels.join(", ");
        let _ = writeln!(text, "| `{name}{rest}` | {} | {labels} | {} |", kind.word(), help.replace('|', "\\|"));
    };
    declaration.families.iter().for_each(|family| row(family, ""));
    declaration.prefixes.iter().for_each(|prefix| row(prefix, "…"));
    if let Some(foreign) = declaration.foreign {
        let _ = write!(text, "\nAlso exports families of other sources: {foreign}\n");
    }
}
