//! Advisories and licences of the crates that the workspace builds on, checked without a network.
//!
//! [`SNAPSHOT`] is a committed extract of the RustSec database: the facts of its advisories about packages of Cargo.lock
//! and their neighbours. `nodelab audit` says how old it is, and refuses a Cargo.lock with a package that was not looked
//! up when the snapshot was made.

pub mod advisory;
pub mod licence;
pub mod metadata;
pub mod version;

use std::collections::BTreeSet;
use std::fmt;

use advisory::{Advisory, Kind, Snapshot};
use version::Version;

/// The extract, relative to the workspace.
pub const SNAPSHOT: &str = "harness/advisories.txt";

/// A package of Cargo.lock.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Locked {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
}

/// Packages of a Cargo.lock. The error names the line.
pub fn locked(text: &str) -> Result<BTreeSet<Locked>, String> {
    let mut packages = BTreeSet::new();
    let mut name = None;
    for (number, line) in (1..).zip(text.lines()) {
        let value = |key: &str| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"');
        if line == "[[package]]" {
            name = None;
        } else if let Some(found) = value("name") {
            name = Some(found);
        } else if let (Some(found), Some(name)) = (value("version"), name.take()) {
            let version = found.parse().map_err(|error| format!("Cargo.lock:{number}: {error}"))?;
            packages.insert(Locked { name: name.to_owned(), version });
        }
    }
    if packages.is_empty() { Err("Cargo.lock: expected packages, found none".to_owned()) } else { Ok(packages) }
}

/// An advisory that applies to a package.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'a> {
    /// The package.
    pub package: &'a Locked,
    /// The advisory.
    pub advisory: &'a Advisory,
}

impl fmt::Display for Hit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { package: Locked { name, version }, advisory } = self;
        let Advisory { id, date, kind, patched, .. } = advisory;
        write!(f, "{name} {version}: {id} of {date} ({kind}); ")?;
        match patched.as_slice() {
            [] => f.write_str("no version is patched"),
            ranges => {
                f.write_str("patched in ")?;
                advisory::write_ranges(f, ranges)
            }
        }
    }
}

impl Hit<'_> {
    /// Whether the package must not be used like that: unmaintained and unsound packages are only told.
    pub fn is_vulnerable(&self) -> bool {
        self.advisory.kind == Kind::Vulnerability
    }
}

/// Advisories that apply to these packages.
pub fn hits<'a>(packages: &'a BTreeSet<Locked>, snapshot: &'a Snapshot) -> Vec<Hit<'a>> {
    let of = |package: &'a Locked| {
        let applies = |advisory: &&Advisory| advisory.package == package.name && advisory.affects(&package.version);
        snapshot.advisories.iter().filter(applies).map(move |advisory| Hit { package, advisory })
    };
    packages.iter().flat_map(of).collect()
}

/// Names of the packages that were not looked up when the snapshot was made.
pub fn unknown<'a>(packages: &'a BTreeSet<Locked>, snapshot: &Snapshot) -> BTreeSet<&'a str> {
    let names = packages.iter().map(|package| package.name.as_str());
    names.filter(|name| !snapshot.covers.contains(*name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load;

    fn snapshot() -> Snapshot {
        load::text(&load::workspace().join(SNAPSHOT)).unwrap().parse().unwrap()
    }

    fn ours() -> BTreeSet<Locked> {
        locked(&load::text(&load::workspace().join("Cargo.lock")).unwrap()).unwrap()
    }

    #[test]
    fn no_package_of_ours_has_a_known_vulnerability() {
        let (ours, snapshot) = (ours(), snapshot());
        let vulnerable: Vec<_> = hits(&ours, &snapshot).into_iter().filter(Hit::is_vulnerable).collect();
        assert!(vulnerable.is_empty(), "{vulnerable:?}");
        assert_eq!(unknown(&ours, &snapshot), BTreeSet::new(), "renew {SNAPSHOT}: nodelab audit --renew");
    }

    #[test]
    fn a_planted_vulnerable_version_is_found() {
        let text = load::text(&load::workspace().join("Cargo.lock")).unwrap();
        let old = ours().into_iter().find(|package| package.name == "rustls").expect("rustls is a package of ours");
        let planted = text.replace(
            &format!("name = \"rustls\"\nversion = \"{}\"", old.version),
            "name = \"rustls\"\nversion = \"0.23.4\"",
        );
        let (planted, snapshot) = (locked(&planted).unwrap(), snapshot());
        let found: Vec<String> =
            hits(&planted, &snapshot).iter().filter(|hit| hit.is_vulnerable()).map(Hit::to_string).collect();
        assert!(
            found.iter().any(|hit| hit.starts_with("rustls 0.23.4: RUSTSEC-2024-0336 of 2024-04-19 (vulnerability)")),
            "{found:?}"
        );
    }

    #[test]
    fn a_package_that_was_not_looked_up_is_unknown() {
        let planted = locked("[[package]]\nname = \"frobnicate\"\nversion = \"1.0.0\"\n").unwrap();
        assert_eq!(unknown(&planted, &snapshot()), BTreeSet::from(["frobnicate"]));
    }

    #[test]
    fn a_lock_file_that_is_none_is_an_error() {
        assert_eq!(locked("").unwrap_err(), "Cargo.lock: expected packages, found none");
        let error = locked("[[package]]\nname = \"a\"\nversion = \"x\"\n").unwrap_err();
        assert!(error.starts_with("Cargo.lock:3: "), "{error}");
    }
}
