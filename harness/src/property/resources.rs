//! Resources of an exporter: file accesses and heap allocations, counted exactly.

use std::fmt;
use std::sync::Arc;

use collectors::host::kernel::Kernel;
use collectors::host::root::Roots;

use super::laws::page;
use super::{Exporter, Violation};
use crate::allocations::{self, Allocations};
use crate::faults::FaultyRoots;
use crate::meter::MountPath;

/// Cost of a scrape after the first ones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cost {
    /// Number of file accesses.
    pub questions: usize,
    /// Paths accessed more than once.
    pub repeated: Vec<MountPath>,
    /// Heap allocations; zero if the program does not count them.
    pub allocations: Allocations,
    /// Number of sample lines.
    pub samples: usize,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { questions, repeated, allocations, samples } = self;
        write!(f, "{samples} samples, {questions} questions, {} of them repeated, ", repeated.len())?;
        write!(f, "{} allocations of {} bytes", allocations.count, allocations.size_bytes)
    }
}

/// Counts the third scrape: the first two establish that buffers have been allocated and are kept.
pub fn cost(exporter: &dyn Exporter, roots: &Roots, kernel: &Arc<dyn Kernel>) -> Result<Cost, Violation> {
    let breakable = FaultyRoots::new(roots);
    let mut noting = exporter.open(breakable.roots(), Arc::clone(kernel));
    page(exporter, &mut noting)?;
    breakable.take_accesses();
    let text = page(exporter, &mut noting)?;
    let asked = breakable.take_accesses();
    let repeated = asked.iter().filter(|(_, count)| count.read > 1 || count.listed > 1);
    let repeated = repeated.map(|(question, _)| question.clone()).collect();
    // Recording accesses allocates, so memory is counted without it.
    let mut plain = exporter.open(roots.clone(), Arc::clone(kernel));
    page(exporter, &mut plain)?;
    page(exporter, &mut plain)?;
    let allocations = allocations::during(|| drop(plain()));
    let samples = text.lines().filter(|line| !line.starts_with('#')).count();
    Ok(Cost { questions: asked.len(), repeated, allocations, samples })
}

/// No file is read twice in a scrape.
pub fn asks_once(exporter: &dyn Exporter, roots: &Roots, kernel: &Arc<dyn Kernel>) -> Result<(), Violation> {
    match cost(exporter, roots, kernel)?.repeated.first() {
        None => Ok(()),
        Some(question) => {
            let problem = format!("it reads `{question}` twice in one scrape; keep the first result");
            Err(Violation::new("bounded", exporter, problem))
        }
    }
}

/// A host with more samples causes no more allocations: memory is kept between scrapes.
pub fn allocates_alike(
    exporter: &dyn Exporter,
    [few, many]: [&Roots; 2],
    kernel: &Arc<dyn Kernel>,
) -> Result<(), Violation> {
    let (few, many) = (cost(exporter, few, kernel)?, cost(exporter, many, kernel)?);
    if many.allocations.count <= few.allocations.count {
        return Ok(());
    }
    let problem = format!("allocations grow with samples: {few}; {many}; reuse memory between scrapes");
    Err(Violation::new("bounded", exporter, problem))
}
