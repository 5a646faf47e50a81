//! A kernel that passes each question on once and keeps the answers for the recording.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use collectors::host::errno::Errno;
use collectors::host::kernel::canned::{Canned, Refusal};
use collectors::host::kernel::systemd::{SystemdManager, SystemdSocket, UnitQuery};
use collectors::host::kernel::{Kernel, KernelError, NtpQuery, Question, StatFs, Uname, Zone};

use super::Note;
use super::deadline::Deadline;

/// Answers to one question as a kernel that has no others, or its error.
type Outcome = Arc<Result<Canned, KernelError>>;

/// Passes each question on once. A repeated question gets the first answer, so that the recording agrees with itself.
pub(super) struct RecordingKernel {
    live: Arc<dyn Kernel>,
    deadline: Deadline,
    /// Time of the recording.
    now: Duration,
    /// By [`Question::place`].
    outcomes: Mutex<BTreeMap<(&'static str, Vec<u8>), Outcome>>,
    notes: Mutex<Vec<Note>>,
}

impl fmt::Debug for RecordingKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingKernel").field("live", &self.live).finish_non_exhaustive()
    }
}

impl Kernel for RecordingKernel {
    fn ask(&self, question: Question<'_>) -> Result<(), KernelError> {
        let Some((entry, subject)) = question.place() else {
            if let Question::Now(into) = question {
                *into = self.now;
                return Ok(());
            }
            return self.live.ask(question);
        };
        let key = (entry, subject.to_vec());
        let known = locked(&self.outcomes).get(&key).cloned();
        let outcome = known.unwrap_or_else(|| {
            let outcome = Arc::new(self.ask_live(&question));
            locked(&self.outcomes).insert(key, Arc::clone(&outcome));
            outcome
        });
        outcome.as_ref().as_ref().map_err(|error| *error)?.ask(question)
    }
}

impl RecordingKernel {
    pub(super) fn new(live: Arc<dyn Kernel>, timeout: Duration) -> Self {
        let now = live.now();
        let (outcomes, notes) = Default::default();
        Self { live, deadline: Deadline::new(timeout), now, outcomes, notes }
    }

    /// Asks the live kernel. Questions about a file system have a deadline, because its server may be unreachable.
    fn ask_live(&self, question: &Question<'_>) -> Result<Canned, KernelError> {
        match question {
            Question::StatFs(mount_point, _) => self.ask_by_deadline("statfs", mount_point, |live, mount_point| {
                answers_of(live, &Question::StatFs(mount_point, &mut StatFs::default()))
            }),
            Question::Btrfs(mount_point, _) => self.ask_by_deadline("btrfs", mount_point, |live, mount_point| {
                answers_of(live, &Question::Btrfs(mount_point, &mut |_| ()))
            }),
            Question::Zone(..) => answers_of(&*self.live, &Question::Zone(self.now, &mut Zone::default())),
            other => answers_of(&*self.live, other),
        }
    }

    fn ask_by_deadline(
        &self,
        entry: &str,
        mount_point: &[u8],
        ask: fn(&dyn Kernel, &[u8]) -> Result<Canned, KernelError>,
    ) -> Result<Canned, KernelError> {
        let (live, point) = (Arc::clone(&self.live), mount_point.to_vec());
        self.deadline.run(move || ask(&*live, &point)).unwrap_or_else(|reason| {
            let reason = format!("{}: {reason}; it hangs in the recording", mount_point.escape_ascii());
            locked(&self.notes).push(Note { path: format!("kernel/{entry}"), reason });
            Err(Errno::ETIMEDOUT.into())
        })
    }

    /// Asks every question that a collector may ask with any flags.
    pub(super) fn ask_all(&self, mount_points: &[Vec<u8>]) {
        let kernel: &dyn Kernel = self;
        let mut devices = Vec::new();
        // A refusal is kept as the answer, by `ask`.
        let _ = kernel.zone(self.now, &mut Zone::default());
        let _ = kernel.timex();
        let _ = kernel.uname(&mut Uname::default());
        let _ = kernel.links(&mut |link| devices.push(link.name.to_vec()));
        let _ = kernel.alternative_names(&mut |_| ());
        let _ = kernel.addresses(&mut |_| ());
        let _ = kernel.neighbours(&mut |_| ());
        let _ = kernel.qdiscs(&mut |_| ());
        let _ = kernel.systemd_manager(SystemdSocket::Bus, &mut SystemdManager::default());
        let _ = kernel.units(&UnitQuery::ALL, &mut |_| ());
        let _ = kernel.seats(&mut |_| ());
        let _ = kernel.sessions(&mut |_| ());
        let _ = kernel.routes(&mut |_| ());
        let _ = kernel.wifi_interfaces(&mut |interface| {
            let _ = kernel.wifi_network(interface, &mut |_| ());
            let _ = kernel.wifi_stations(interface, &mut |_| ());
        });
        let _ = kernel.ntp(&NtpQuery { server: "127.0.0.1:123", version: 4, ttl: 1 });
        for device in &devices {
            let _ = kernel.link_modes(device);
            let _ = kernel.driver(device, &mut |_| ());
            let _ = kernel.link_settings(device);
            let _ = kernel.driver_statistics(device, &mut |_| ());
        }
        for point in mount_points {
            let _ = kernel.statfs(point);
        }
    }

    /// The answers as the `kernel/` entries of a tree.
    pub(super) fn entries(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut all = Canned::default().with_now(self.now);
        all = all.with_system(self.live.ticks_per_second(), self.live.page_size_bytes());
        for ((entry, subject), outcome) in locked(&self.outcomes).iter() {
            match &**outcome {
                Ok(answers) => all.absorb(answers),
                Err(KernelError::Errno(Errno::ETIMEDOUT)) if matches!(*entry, "statfs" | "btrfs") => {
                    all.refuse(entry, subject, Refusal::Hang(self.deadline.timeout()));
                }
                Err(KernelError::Errno(errno)) => all.refuse(entry, subject, Refusal::Error(*errno)),
                Err(KernelError::Unsupported) => {}
            }
        }
        all.entries()
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        locked(&self.notes).clone()
    }
}

fn answers_of(live: &dyn Kernel, question: &Question<'_>) -> Result<Canned, KernelError> {
    let mut answers = Canned::default();
    answers.learn(live, question).map(|()| answers)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
