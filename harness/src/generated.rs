//! Files derived from declarations and fixtures: tables of collectors and of the simulator, golden pages, fingerprints.
//!
//! `nodelab accept` writes them and a test compares them, so that every fact is written once, in its declaration.

mod documents;
mod fingerprints;
mod fuzz;
pub mod simulator;

use std::io;
use std::path::PathBuf;

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
        Generated { path: "docs/CONFIG.md".to_owned(), content: node_exporter::config::documentation(collectors::ALL) },
        Generated { path: "harness/fuzz/Cargo.toml".to_owned(), content: fuzz::manifest(&crate::fuzz::targets()) },
        Generated { path: fingerprints::PATH.to_owned(), content: fingerprints::test(&text(fingerprints::PATH)?)? },
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
