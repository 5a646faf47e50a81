//! Families of several files: what becomes of those that have one name.

use std::collections::HashMap;

use super::exposition::Parsed;
use crate::kit::failure::{Failure, Problems};
use crate::kit::family::Kind;
use crate::kit::page::foreign::{ForeignFamily, ForeignPage};

/// Between the names of files.
const SEPARATOR: &str = ", ";
/// The names of lines that a summary has, and the one that only a histogram has.
const SUFFIXES: &[&str] = &["_count", "_sum", "_bucket"];

/// The families of all files so far.
#[derive(Default)]
pub(super) struct Merge {
    families: Vec<Parsed>,
    by_name: HashMap<String, Known>,
    has_failed: bool,
}

/// What is known of a name.
#[derive(Default)]
struct Known {
    /// The first help text that a file gave.
    help: Option<String>,
    /// Another file had another text: from there on the name is left out.
    is_disputed: bool,
    /// The files that have the name, with commas between them.
    files: String,
    /// Type and help text of the first family of the name that went onto the page.
    accepted: Option<(Kind, String)>,
}

impl Merge {
    /// Notes that a file or directory could not be used.
    pub(super) fn fail(&mut self, problems: &mut Problems, failure: Failure) {
        self.has_failed = true;
        problems.note(failure);
    }

    /// Whether any could not.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Adds the families of a file, but for those whose help text is not the one that an earlier file gave.
    pub(super) fn add(&mut self, problems: &mut Problems, path: &[u8], families: Vec<Parsed>) {
        let file = String::from_utf8_lossy(path);
        for parsed in families {
            let known = self.by_name.entry(parsed.family.name.clone()).or_default();
            let differs = |help: &String| parsed.has_help && *help != parsed.family.help;
            if known.is_disputed || known.help.as_ref().is_some_and(differs) {
                known.is_disputed = true;
                self.has_failed = true;
                let first = known.files.split(SEPARATOR).next().unwrap_or_default();
                problems.note(left_out(&file, &parsed.family.name, format_args!("another help text than in {first}")));
                continue;
            }
            if parsed.has_help {
                known.help = Some(parsed.family.help.clone());
            }
            if !known.files.is_empty() {
                known.files.push_str(SEPARATOR);
            }
            known.files.push_str(&file);
            self.families.push(parsed);
        }
    }

    /// Puts everything on the page. Like client_golang's registry this leaves out, of two families of one name, what
    /// has not the type and the help text of the first, and a name that a histogram or summary makes as well.
    pub(super) fn finish(self, problems: &mut Problems, page: &mut ForeignPage) {
        let Self { families, mut by_name, .. } = self;
        for Parsed { mut family, has_help } in families {
            let collides = collides(&family, &by_name);
            let Some(known) = by_name.get_mut(&family.name) else { continue };
            if !has_help {
                family.help = format!("Metric read from {}", known.files);
            }
            let reason = match &known.accepted {
                Some((kind, _)) if *kind != family.kind => Some("two types"),
                Some((_, help)) if *help != family.help => Some("a help text in some of the files only"),
                Some(_) => None,
                None => collides.then_some("the name of a line of a histogram or summary"),
            };
            if let Some(reason) = reason {
                problems.note(left_out(&known.files, &family.name, reason));
                continue;
            }
            known.accepted.get_or_insert_with(|| (family.kind, family.help.clone()));
            let name = family.name.clone();
            if page.add(family).is_err() {
                problems.note(left_out(&known.files, &name, "another type than on the page already"));
            }
        }
    }
}

fn left_out(files: &str, name: &str, reason: impl std::fmt::Display) -> Failure {
    Failure::error(format_args!("{files}: {name}: {reason}; it is left out"))
}

/// Whether lines of this family would have the name of lines of one that was accepted.
fn collides(family: &ForeignFamily, by_name: &HashMap<String, Known>) -> bool {
    let accepted = |name: &str| by_name.get(name)?.accepted.as_ref().map(|(kind, _)| *kind);
    let makes = |kind: Kind| match kind {
        Kind::Histogram => SUFFIXES,
        Kind::Summary => &SUFFIXES[..2],
        _ => &[],
    };
    let is_there = |suffix: &&str| accepted(&format!("{}{suffix}", family.name)).is_some();
    let is_made = |suffix: &&str| {
        let base = family.name.strip_suffix(suffix).and_then(accepted);
        base.is_some_and(|kind| makes(kind).contains(suffix))
    };
    makes(family.kind).iter().any(is_there) || SUFFIXES.iter().any(is_made)
}
