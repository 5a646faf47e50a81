//! Fuzz targets: every parser of untrusted input, as a function of bytes that keeps a law for any input.
//!
//! One table of [`Target`]s, driven by a test and by `nodelab fuzz` with inputs that proptest derives from
//! [`Target::seeds`] and shrinks ([`drive`]), and by libFuzzer through `harness/fuzz`. Inputs that once broke a law are
//! stored in `harness/fuzz/regressions` and tried first.

pub mod drive;
mod formats;
mod messages;
mod mutate;
mod parsers;

use std::fmt;
use std::io;
use std::path::PathBuf;

use collectors::kit::nearest;

use crate::load;

/// Runs one input; panics if the law is broken.
pub type Try = Box<dyn FnMut(&[u8])>;

/// A parser of untrusted bytes.
pub struct Target {
    /// The format, or `collector-NAME`.
    pub name: String,
    /// The law, in a sentence.
    pub law: &'static str,
    prepare: Box<dyn Fn() -> Try>,
    seeds: Box<dyn Fn() -> io::Result<Vec<Vec<u8>>>>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.name)
    }
}

impl Target {
    fn new(
        name: impl Into<String>,
        law: &'static str,
        prepare: impl Fn() -> Try + 'static,
        seeds: impl Fn() -> io::Result<Vec<Vec<u8>>> + 'static,
    ) -> Self {
        Self { name: name.into(), law, prepare: Box::new(prepare), seeds: Box::new(seeds) }
    }

    /// A function that runs inputs, any number of them.
    pub fn prepare(&self) -> Try {
        (self.prepare)()
    }

    /// Valid inputs from our fixtures, as starting points.
    pub fn seeds(&self) -> io::Result<Vec<Vec<u8>>> {
        (self.seeds)()
    }

    /// Folder of the inputs that once broke the law.
    pub fn regressions_folder(&self) -> PathBuf {
        load::workspace().join("harness/fuzz/regressions").join(&self.name)
    }

    /// Inputs that once broke the law, with their file names.
    pub fn regressions(&self) -> io::Result<Vec<(String, Vec<u8>)>> {
        let folder = self.regressions_folder();
        load::names_if_any(&folder)?
            .into_iter()
            .map(|name| Ok((name.clone(), load::bytes(&folder.join(&name))?)))
            .collect()
    }
}

/// All targets, sorted by name.
pub fn targets() -> Vec<Target> {
    let mut all: Vec<Target> =
        formats::targets().into_iter().chain(messages::targets()).chain(parsers::targets()).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// Finds a target by name; the error suggests the nearest one.
pub fn target(name: &str) -> Result<Target, String> {
    let mut all = targets();
    let near = nearest::among(name, all.iter().map(|target| target.name.as_str())).map(str::to_owned);
    match all.iter().position(|target| target.name == name) {
        Some(at) => Ok(all.swap_remove(at)),
        None => Err(match near {
            Some(near) => format!("no target `{name}`; did you mean `{near}`?"),
            None => format!("no target `{name}`; see `nodelab fuzz --list`"),
        }),
    }
}

/// Runs one input of libFuzzer on the named target.
///
/// # Panics
/// If the law is broken, or there is no such target.
pub fn one(name: &str, input: &[u8]) {
    thread_local! {
        static PREPARED: std::cell::RefCell<Option<Try>> = const { std::cell::RefCell::new(None) };
    }
    PREPARED.with_borrow_mut(|prepared| {
        let prepared = prepared.get_or_insert_with(|| target(name).unwrap_or_else(|error| panic!("{error}")).prepare());
        prepared(input);
    });
}
