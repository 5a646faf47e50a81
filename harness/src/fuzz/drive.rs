//! Drives a target with inputs from proptest: works on the stable toolchain; the same seed gives the same inputs.

use std::hash::{DefaultHasher, Hash, Hasher};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::{Target, mutate};
use crate::load;
use crate::panics::caught;

/// Extent of a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Number of inputs.
    pub cases: u64,
    /// Seed of the random inputs.
    pub seed: u64,
}

/// An input that breaks the law.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The input, shrunk.
    pub input: Vec<u8>,
    /// The panic message.
    pub problem: String,
}

impl Target {
    /// Runs stored regressions, then the seeds unchanged, then mutated ones.
    pub fn drive(&self, plan: Plan) -> std::io::Result<Result<(), Finding>> {
        let mut attempt = self.prepare();
        let seeds = self.seeds()?;
        let known = self.regressions()?.into_iter().map(|(_, input)| input).chain(seeds.iter().cloned());
        for input in known {
            if let Err(problem) = caught(|| attempt(&input)) {
                return Ok(Err(Finding { input, problem }));
            }
        }
        let cases = u32::try_from(plan.cases).unwrap_or(u32::MAX);
        let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&plan.seed.to_be_bytes());
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let attempt = std::cell::RefCell::new(attempt);
        let result = runner
            .run(&mutate::inputs(seeds), |input| caught(|| attempt.borrow_mut()(&input)).map_err(TestCaseError::fail));
        Ok(match result {
            Ok(()) => Ok(()),
            Err(TestError::Fail(reason, input)) => Err(Finding { input, problem: reason.message().to_owned() }),
            Err(TestError::Abort(reason)) => {
                return Err(std::io::Error::other(format!("input generation failed: {}", reason.message())));
            }
        })
    }

    /// Stores a finding as a regression and returns instructions to replay it.
    pub fn keep(&self, finding: &Finding) -> std::io::Result<String> {
        let folder = self.regressions_folder();
        let name = format!("new-{:016x}", hash(&finding.input));
        load::create_folder(&folder)?;
        load::write(&folder.join(&name), &finding.input)?;
        Ok(format!(
            "{}: {}\n  input: {}\n  kept as harness/fuzz/regressions/{}/{name}: fix the defect, then rename the file after it\n  \
             to try it again: cargo run -p harness -- fuzz {} --input harness/fuzz/regressions/{}/{name}",
            self.name,
            finding.problem,
            shown(&finding.input),
            self.name,
            self.name,
            self.name
        ))
    }
}

fn shown(input: &[u8]) -> String {
    const SHOWN_MAX_BYTES: usize = 400;
    let text = input[..input.len().min(SHOWN_MAX_BYTES)].escape_ascii().to_string();
    if input.len() > SHOWN_MAX_BYTES { format!("{text}… ({} bytes)", input.len()) } else { text }
}

/// Distinguishes inputs in file names.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Try;

    fn target(attempt: fn(&[u8])) -> Target {
        let seeds = || Ok(vec![b"one 1\ntwo 2\n".to_vec()]);
        Target::new("broken", "Nothing panics.", move || -> Try { Box::new(attempt) }, seeds)
    }

    #[test]
    fn an_input_that_breaks_the_law_is_found_and_shrunk() {
        let broken = target(|input| assert!(!input.contains(&b'{'), "a brace"));
        let finding = broken.drive(Plan { cases: 2_000, seed: 1 }).unwrap().expect_err("a parser that breaks");
        assert_eq!(finding.problem.lines().next(), Some("a brace"));
        assert!(finding.input.len() <= b"one 1\ntwo 2\n{".len(), "{}", finding.input.escape_ascii());
        let again = broken.drive(Plan { cases: 2_000, seed: 1 }).unwrap().expect_err("the same one");
        assert_eq!(again, finding);
    }

    #[test]
    fn a_target_that_keeps_the_law_passes() {
        assert_eq!(target(|_| ()).drive(Plan { cases: 100, seed: 1 }).unwrap(), Ok(()));
    }
}
