//! Everything that reads what others wrote, as functions of bytes that hold to a law whatever the bytes are.
//!
//! One table of [`Target`]s. Who drives them: a test, with inputs that proptest makes of [`Target::seeds`] and shrinks
//! ([`drive`]); `nodelab fuzz`, the same for as long as one likes; and libFuzzer, by `harness/fuzz`, where coverage guides
//! it. What was once found stands in `harness/fuzz/regressions`, named by what it is, and is tried first.

pub mod drive;
mod formats;
mod mutate;
mod parsers;

use std::fmt;
use std::io;
use std::path::PathBuf;

use collectors::kit::nearest;

use crate::load;

/// Tries one input; panics where the law does not hold.
pub type Try = Box<dyn FnMut(&[u8])>;

/// Something that reads bytes of others.
pub struct Target {
    /// Its name: of the format, or `collector-NAME`.
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

    /// What tries inputs; it may be used for any number of them.
    pub fn prepare(&self) -> Try {
        (self.prepare)()
    }

    /// Good inputs, of our fixtures, to begin with.
    pub fn seeds(&self) -> io::Result<Vec<Vec<u8>>> {
        (self.seeds)()
    }

    /// Where inputs are kept that once broke the law.
    pub fn regressions_folder(&self) -> PathBuf {
        load::workspace().join("harness/fuzz/regressions").join(&self.name)
    }

    /// Inputs that once broke the law: what each is called, and what it is.
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
    let mut all: Vec<Target> = formats::targets().into_iter().chain(parsers::targets()).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// The target of a name; the error names the nearest.
pub fn target(name: &str) -> Result<Target, String> {
    let mut all = targets();
    let near = nearest::among(name, all.iter().map(|target| target.name.as_str())).map(str::to_owned);
    match all.iter().position(|target| target.name == name) {
        Some(at) => Ok(all.swap_remove(at)),
        None => Err(match near {
            Some(near) => format!("no target is called `{name}`; did you mean `{near}`?"),
            None => format!("no target is called `{name}`; `nodelab fuzz --list` names them"),
        }),
    }
}

/// Tries one input of libFuzzer's on the target of that name.
///
/// # Panics
/// When the law does not hold, or there is no such target.
pub fn one(name: &str, input: &[u8]) {
    thread_local! {
        static PREPARED: std::cell::RefCell<Option<Try>> = const { std::cell::RefCell::new(None) };
    }
    PREPARED.with_borrow_mut(|prepared| {
        let prepared = prepared.get_or_insert_with(|| target(name).unwrap_or_else(|error| panic!("{error}")).prepare());
        prepared(input);
    });
}
