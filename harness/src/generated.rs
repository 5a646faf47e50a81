//! Files that are derived from declarations and fixtures: tables of collectors and of what is simulated, golden pages.
//!
//! `nodelab accept` writes them, a test compares them: a fact that stands in a declaration is never typed again.

mod documents;
mod fuzz;
pub mod simulator;

use std::io;
use std::path::PathBuf;

use crate::{host, load};

/// One generated file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Generated {
    /// Where it is, from the workspace's folder on.
    pub path: String,
    /// What it should hold.
    pub content: String,
}

impl Generated {
    /// Where it is on this machine.
    pub fn full_path(&self) -> PathBuf {
        load::workspace().join(&self.path)
    }

    /// Whether the file holds what it should.
    pub fn is_up_to_date(&self) -> bool {
        load::bytes(&self.full_path()).is_ok_and(|found| found == self.content.as_bytes())
    }
}

/// Every generated file, as it should be.
pub fn all() -> io::Result<Vec<Generated>> {
    let mut all = vec![
        Generated { path: "README.md".to_owned(), content: documents::readme(&text("README.md")?)? },
        Generated { path: "docs/HARNESS.md".to_owned(), content: documents::harness(&text("docs/HARNESS.md")?)? },
        Generated { path: "docs/COLLECTORS.md".to_owned(), content: documents::collectors() },
        Generated { path: "harness/fuzz/Cargo.toml".to_owned(), content: fuzz::manifest(&crate::fuzz::targets()) },
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
