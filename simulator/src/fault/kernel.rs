//! A kernel with faults.

use std::sync::Arc;

use collectors::host::kernel::{Kernel, KernelError, Question};
use collectors::host::root::tree::KERNEL;

use super::Kind;
use super::inject::{Injection, Operation};

impl Injection {
    /// Wraps a kernel so that the faults apply.
    pub fn over_kernel(&self, sound: Arc<dyn Kernel>) -> Arc<dyn Kernel> {
        Arc::new(FaultyKernel::new(sound, self.clone()))
    }
}

/// A kernel with faults in some answers. The path of an answer is that of its entry in a `.tree` file and, where the
/// question has a subject, its name: `kernel/uname`, `kernel/statfs/srv/backup`, `kernel/link_modes/eth0`.
#[derive(Debug)]
pub(super) struct FaultyKernel {
    sound: Arc<dyn Kernel>,
    injection: Injection,
}

impl FaultyKernel {
    pub(super) fn new(sound: Arc<dyn Kernel>, injection: Injection) -> Self {
        Self { sound, injection }
    }

    fn meet(&self, entry: &str, subject: &[u8]) -> Result<(), KernelError> {
        let kinds = self.injection.applying(Operation::Kernel, KERNEL, &[entry.as_bytes(), b"/", subject].concat());
        match kinds.iter().position(|kind| *kind == Kind::Missing) {
            Some(at) => {
                self.injection.run(kinds.get(..at).unwrap_or_default())?;
                Err(KernelError::Unsupported)
            }
            None => Ok(self.injection.run(&kinds)?),
        }
    }
}

impl Kernel for FaultyKernel {
    fn ask(&self, question: Question<'_>) -> Result<(), KernelError> {
        if let Some((entry, subject)) = question.place() {
            self.meet(entry, subject)?;
        }
        self.sound.ask(question)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Plan, VirtualClock};
    use crate::{Host, Machine};
    use collectors::host::errno::Errno;
    use collectors::host::kernel::Uname;
    use std::time::Duration;

    const START: Duration = Duration::from_secs(1_700_000_000);

    fn broken(plan: &str) -> (Arc<dyn Kernel>, VirtualClock) {
        let clock = VirtualClock::new(START);
        let injection = Injection::new(Plan::parse(plan).unwrap(), 1, Arc::new(clock.clone()));
        (injection.over_kernel(Host::new(Machine::vm(1), clock.reader()).kernel()), clock)
    }

    #[test]
    fn only_the_broken_question_is_answered_otherwise() {
        let (kernel, clock) = broken("kernel/statfs/boot error=ESTALE\nkernel/links missing\nkernel/statfs slow=2s\n");
        assert_eq!(kernel.statfs(b"/boot"), Err(Errno::ESTALE.into()));
        assert_eq!(kernel.links(&mut |_| ()), Err(KernelError::Unsupported));
        assert!(kernel.statfs(b"/").is_ok() && kernel.uname(&mut Uname::default()).is_ok());
        assert_eq!(clock.now(), START + Duration::from_secs(2));
        assert_eq!(kernel.now(), clock.now());
    }

    #[test]
    fn a_dead_mount_answers_when_it_is_let() {
        let (kernel, clock) = broken("kernel/statfs/** hanging\n");
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| kernel.statfs(b"/boot"));
            clock.wait_until_hanging(1);
            clock.release();
            assert_eq!(asked.join().unwrap(), Err(Errno::ETIMEDOUT.into()));
        });
    }
}
