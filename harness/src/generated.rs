//! Files derived from declarations and fixtures: tables of collectors and of the simulator, golden pages, fingerprints.
//!
//! `nodelab accept` writes them and a test compares them, so that every fact is written once, in its declaration.

mod documents;
pub mod simulator;

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use ::simulator::{Host, fingerprint, profiles};

use crate::{host, load};

/// One generated file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Generated {
    /// Path relative to the workspace.
    pub path: String,
    /// Expected content.
    pub content: String,
}

impl Generated {
    /// Absolute path.
    pub fn full_path(&self) -> PathBuf {
        load::workspace().join(&self.path)
    }

    /// Whether the file has the expected content.
    pub fn is_up_to_date(&self) -> bool {
        load::bytes(&self.full_path()).is_ok_and(|found| found == self.content.as_bytes())
    }
}

/// Every generated file with its expected content.
pub fn all() -> io::Result<Vec<Generated>> {
    let mut all = vec![
        Generated { path: "README.md".to_owned(), content: documents::readme(&text("README.md")?)? },
        Generated { path: "docs/HARNESS.md".to_owned(), content: documents::harness(&text("docs/HARNESS.md")?)? },
        Generated { path: "docs/COLLECTORS.md".to_owned(), content: documents::collectors() },
        Generated {
            path: "docs/CONFIG.md".to_owned(),
            content: node_exporter::flags::config::documentation(collectors::ALL),
        },
        Generated { path: FINGERPRINTS_PATH.to_owned(), content: fingerprints_test(&text(FINGERPRINTS_PATH)?)? },
        Generated { path: simulator::PATH.to_owned(), content: simulator::document(&text(simulator::PATH)?)? },
    ];
    for host in load::hosts()? {
        all.push(Generated { path: format!("fixtures/hosts/{host}.prom"), content: host::golden_page(&host)? });
    }
    Ok(all)
}

fn text(path: &str) -> io::Result<String> {
    String::from_utf8(load::bytes(&load::workspace().join(path))?).map_err(io::Error::other)
}

/// Path of the test.
const FINGERPRINTS_PATH: &str = "simulator/tests/fingerprint.rs";
const BEGIN: &str = "const FINGERPRINTS: &[(&str, u64)] = &[\n";
const END: &str = "];\n";
const SEED: u64 = 1;
const AT_SECONDS: u64 = 1_700_000_000;

/// The test with its table.
fn fingerprints_test(source: &str) -> io::Result<String> {
    let missing = || io::Error::other(format!("{FINGERPRINTS_PATH}: expected `{}`", BEGIN.trim_end()));
    let (before, rest) = source.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    let mut table = String::new();
    for profile in profiles() {
        let machine = profile.machine(SEED, &[]).map_err(io::Error::other)?;
        let found = fingerprint(&Host::new(machine, || Duration::ZERO).tree_at(AT_SECONDS));
        let digits = format!("{found:016x}");
        let groups: Vec<&str> = (0..4).filter_map(|group| digits.get(group * 4..group * 4 + 4)).collect();
        let _ = writeln!(table, "    (\"{}\", 0x{}),", profile.name, groups.join("_"));
    }
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}
