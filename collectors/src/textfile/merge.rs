//! Merges the families of several files.

use std::collections::HashMap;

use super::exposition::Parsed;
use crate::kit::failure::{Failure, Problems};
use crate::kit::family::Kind;
use crate::kit::page::foreign::{ForeignFamily, ForeignPage};

/// Separates file names.
const SEPARATOR: &str = ", ";
/// Suffixes of the sample names of summaries (the first two) and histograms.
const SUFFIXES: &[&str] = &["_count", "_sum", "_bucket"];

/// The families of all files so far.
#[derive(Default)]
pub(super) struct Merge {
    families: Vec<Parsed>,
    by_name: HashMap<String, FamilyState>,
    has_failed: bool,
}

/// The files and properties of a family name.
#[derive(Default)]
struct FamilyState {
    /// The first help text.
    help: Option<String>,
    /// Whether help texts differ between files; further families of the name are dropped.
    is_disputed: bool,
    /// The files with this name, separated by commas.
    files: String,
    /// Type and help text of the first family emitted.
    accepted: Option<(Kind, String)>,
}

impl Merge {
    /// Reports that a file or directory could not be used.
    pub(super) fn fail(&mut self, problems: &mut Problems, failure: Failure) {
        self.has_failed = true;
        problems.note(failure);
    }

    /// Whether any file or directory could not be used.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Adds the families of a file, except those whose help text differs from an earlier file's.
    pub(super) fn add(&mut self, problems: &mut Problems, path: &[u8], families: Vec<Parsed>) {
        let file = String::from_utf8_lossy(path);
        for parsed in families {
            let known = self.by_name.entry(parsed.family.name.clone()).or_default();
            let differs = |help: &String| parsed.has_help && *help != parsed.family.help;
            if known.is_disputed || known.help.as_ref().is_some_and(differs) {
                known.is_disputed = true;
                self.has_failed = true;
                let first = known.files.split(SEPARATOR).next().unwrap_or_default();
                problems.note(dropped(
                    &file,
                    &parsed.family.name,
                    format_args!("help text differs from that in {first}"),
                ));
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

    /// Emits everything. Like client_golang's registry, drops families whose type or help text differs from the first
    /// of the name, and names that collide with samples of a histogram or summary.
    pub(super) fn finish(self, problems: &mut Problems, page: &mut ForeignPage) {
        let Self { families, mut by_name, .. } = self;
        for Parsed { mut family, has_help } in families {
            let collides = collides(&family, &by_name);
            let Some(known) = by_name.get_mut(&family.name) else { continue };
            if !has_help {
                family.help = format!("Metric read from {}", known.files);
            }
            let reason = match &known.accepted {
                Some((kind, _)) if *kind != family.kind => Some("type differs between files"),
                Some((_, help)) if *help != family.help => Some("help text in only some of the files"),
                Some(_) => None,
                None => collides.then_some("name of a sample of a histogram or summary"),
            };
            if let Some(reason) = reason {
                problems.note(dropped(&known.files, &family.name, reason));
                continue;
            }
            known.accepted.get_or_insert_with(|| (family.kind, family.help.clone()));
            let name = family.name.clone();
            if page.add(family).is_err() {
                problems.note(dropped(&known.files, &name, "type differs from that of an exported family"));
            }
        }
    }
}

fn dropped(files: &str, name: &str, reason: impl std::fmt::Display) -> Failure {
    Failure::error(format_args!("{files}: {name}: {reason}; dropped"))
}

/// Whether a sample name of this family is also that of an accepted family.
fn collides(family: &ForeignFamily, by_name: &HashMap<String, FamilyState>) -> bool {
    let accepted = |name: &str| by_name.get(name)?.accepted.as_ref().map(|(kind, _)| *kind);
    let suffixes_of = |kind: Kind| match kind {
        Kind::Histogram => SUFFIXES,
        Kind::Summary => &SUFFIXES[..2],
        _ => &[],
    };
    let is_accepted = |suffix: &&str| accepted(&format!("{}{suffix}", family.name)).is_some();
    let is_sample_name = |suffix: &&str| {
        let base = family.name.strip_suffix(suffix).and_then(accepted);
        base.is_some_and(|kind| suffixes_of(kind).contains(suffix))
    };
    suffixes_of(family.kind).iter().any(is_accepted) || SUFFIXES.iter().any(is_sample_name)
}
