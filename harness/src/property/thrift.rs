//! What an exporter asks for and takes, counted exactly.

use std::fmt;
use std::sync::Arc;

use collectors::host::kernel::Kernel;
use collectors::host::root::Roots;

use super::laws::page;
use super::{Exporter, Violation};
use crate::allocations::{self, Allocations};
use crate::faults::{Breakable, Question};

/// What a scrape costs that is not the first one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cost {
    /// Files and the like that it asks for.
    pub questions: usize,
    /// Those of them that it asks for again.
    pub repeated: Vec<Question>,
    /// What it takes from the heap; nothing where the program does not count that.
    pub allocations: Allocations,
    /// How many lines of its page are samples.
    pub samples: usize,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { questions, repeated, allocations, samples } = self;
        write!(f, "{samples} samples, {questions} questions, {} of them repeated, ", repeated.len())?;
        write!(f, "{} allocations of {} bytes", allocations.count, allocations.size_bytes)
    }
}

/// Counts the third scrape of a host: the first finds its memory, the second shows that it kept it.
pub fn cost(exporter: &dyn Exporter, roots: &Roots, kernel: &Arc<dyn Kernel>) -> Result<Cost, Violation> {
    let breakable = Breakable::new(roots);
    let mut noting = exporter.open(breakable.roots(), Arc::clone(kernel));
    page(exporter, &mut noting)?;
    breakable.take_asked();
    let text = page(exporter, &mut noting)?;
    let asked = breakable.take_asked();
    let repeated = asked.iter().filter(|(_, count)| count.read > 1 || count.listed > 1);
    let repeated = repeated.map(|(question, _)| question.clone()).collect();
    // What notes questions takes memory as well, so memory is counted without it.
    let mut plain = exporter.open(roots.clone(), Arc::clone(kernel));
    page(exporter, &mut plain)?;
    page(exporter, &mut plain)?;
    let allocations = allocations::during(|| drop(plain()));
    let samples = text.lines().filter(|line| !line.starts_with('#')).count();
    Ok(Cost { questions: asked.len(), repeated, allocations, samples })
}

/// No file is asked for twice in a scrape.
pub fn asks_once(exporter: &dyn Exporter, roots: &Roots, kernel: &Arc<dyn Kernel>) -> Result<(), Violation> {
    match cost(exporter, roots, kernel)?.repeated.first() {
        None => Ok(()),
        Some(question) => {
            let problem = format!("it asks for `{question}` twice in one scrape; keep what the first answer was");
            Err(Violation::new("thrifty", exporter, problem))
        }
    }
}

/// Of two hosts that differ in how much there is to tell, the larger one costs no more allocations: memory is kept from
/// one scrape to the next.
pub fn allocates_alike(
    exporter: &dyn Exporter,
    [few, many]: [&Roots; 2],
    kernel: &Arc<dyn Kernel>,
) -> Result<(), Violation> {
    let (few, many) = (cost(exporter, few, kernel)?, cost(exporter, many, kernel)?);
    if many.allocations.count <= few.allocations.count {
        return Ok(());
    }
    let problem = format!("allocations grow with samples: {few}; {many}; keep the memory from scrape to scrape");
    Err(Violation::new("thrifty", exporter, problem))
}
