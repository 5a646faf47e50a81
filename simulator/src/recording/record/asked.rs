//! A kernel that is asked once: whoever asks again gets the first answer.

mod kernel;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use collectors::host::errno::Errno;
use collectors::host::kernel::canned::{Canned, StatFsAnswer};
use collectors::host::kernel::{Kernel, KernelError, LinkModes, StatFs, Uname, Zone};

use super::Note;
use super::deadline::Deadline;

/// One question and its answer, held as a kernel that knows nothing else.
type Once = OnceLock<Result<Canned, KernelError>>;
/// One question about many things, by its entry and the thing's name.
type Keyed = BTreeMap<(&'static str, Vec<u8>), Arc<Result<Canned, KernelError>>>;

const BTRFS: &str = "kernel/btrfs";
const WIFI_NETWORKS: &str = "kernel/wifi_networks";
const WIFI_STATIONS: &str = "kernel/wifi_stations";

pub(super) struct Asked {
    live: Arc<dyn Kernel>,
    deadline: Deadline,
    /// All of a recording is of one moment.
    now: Duration,
    zone: Once,
    uname: Once,
    links: Once,
    alternative_names: Once,
    addresses: Once,
    neighbours: Once,
    qdiscs: Once,
    wifi_interfaces: Once,
    keyed: Mutex<Keyed>,
    statfs: Mutex<BTreeMap<Vec<u8>, Result<StatFs, KernelError>>>,
    link_modes: Mutex<BTreeMap<Vec<u8>, Result<LinkModes, KernelError>>>,
    notes: Mutex<Vec<Note>>,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("live", &self.live).finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks a question that is answered item by item.
fn gathered(
    ask: impl FnOnce(&mut dyn FnMut(&dyn Fn(Canned) -> Canned)) -> Result<(), KernelError>,
) -> Result<Canned, KernelError> {
    let mut held = Some(Canned::default());
    ask(&mut |add| held = held.take().map(add))?;
    Ok(held.unwrap_or_default())
}

impl Asked {
    pub(super) fn new(live: Arc<dyn Kernel>, timeout: Duration) -> Self {
        let now = live.now();
        let [zone, uname, links, alternative_names, addresses, neighbours, qdiscs, wifi_interfaces] =
            [const { Once::new() }; 8];
        let (keyed, statfs, link_modes, notes) = Default::default();
        Self {
            live,
            deadline: Deadline::new(timeout),
            now,
            zone,
            uname,
            links,
            alternative_names,
            addresses,
            neighbours,
            qdiscs,
            wifi_interfaces,
            keyed,
            statfs,
            link_modes,
            notes,
        }
    }

    /// Everything that collectors with other flags would ask.
    pub(super) fn ask_all(&self, mount_points: &[Vec<u8>]) {
        let (mut zone, mut uname, mut devices) = (Zone::default(), Uname::default(), Vec::new());
        // What is refused is no answer, and kept as such.
        let _ = self.zone(self.now, &mut zone);
        let _ = self.uname(&mut uname);
        let _ = self.links(&mut |link| devices.push(link.name.to_vec()));
        let _ = self.alternative_names(&mut |_| ());
        let _ = self.addresses(&mut |_| ());
        let _ = self.neighbours(&mut |_| ());
        let _ = self.qdiscs(&mut |_| ());
        let _ = self.wifi_interfaces(&mut |interface| {
            let _ = self.wifi_network(interface, &mut |_| ());
            let _ = self.wifi_stations(interface, &mut |_| ());
        });
        for device in &devices {
            let _ = self.link_modes(device);
        }
        for point in mount_points {
            let _ = self.statfs(point);
        }
    }

    /// The answers as the `kernel/` entries of a tree.
    pub(super) fn entries(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut entries = BTreeMap::new();
        let system = Canned::default().with_now(self.now);
        let system = system.with_system(self.live.ticks_per_second(), self.live.page_size_bytes());
        entries.extend(system.entries());
        let questions = [
            (&self.zone, "kernel/clock"),
            (&self.uname, "kernel/uname"),
            (&self.links, "kernel/links"),
            (&self.alternative_names, "kernel/alternative_names"),
            (&self.addresses, "kernel/addresses"),
            (&self.neighbours, "kernel/neighbours"),
            (&self.qdiscs, "kernel/qdiscs"),
            (&self.wifi_interfaces, "kernel/wifi_interfaces"),
        ];
        for (question, name) in questions {
            let Some(Ok(answer)) = question.get() else { continue };
            // A list without items is an answer as well.
            entries.insert(name, entry_of(answer, name));
        }
        for ((name, thing), answer) in locked(&self.keyed).iter() {
            let lines = match &**answer {
                Ok(answer) => entry_of(answer, name),
                Err(KernelError::Errno(errno)) if *name == BTRFS => {
                    entry_of(&Canned::default().with_btrfs(thing, Err(*errno)), name)
                }
                Err(KernelError::Errno(errno)) => [thing, &b" error="[..], errno.name().as_bytes(), b"\n"].concat(),
                Err(KernelError::Unsupported) => continue,
            };
            entries.entry(*name).or_default().extend(lines);
        }
        let mut answers = Canned::default();
        for (point, answer) in locked(&self.statfs).iter() {
            answers = match answer {
                Ok(numbers) => answers.with_statfs(point, *numbers),
                Err(KernelError::Errno(Errno::ETIMEDOUT)) => {
                    answers.with_statfs_answer(point, StatFsAnswer::Hang(self.deadline.timeout()))
                }
                Err(KernelError::Errno(errno)) => answers.with_statfs_answer(point, StatFsAnswer::Error(*errno)),
                Err(KernelError::Unsupported) => answers,
            };
        }
        for (device, answer) in locked(&self.link_modes).iter() {
            if let Ok(modes) = answer {
                answers = answers.with_link_modes(device, *modes);
            }
        }
        let is_asked = |name: &str| matches!(name, "kernel/statfs" | "kernel/link_modes");
        entries.extend(answers.entries().into_iter().filter(|(name, _)| is_asked(name)));
        entries.into_iter().collect()
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        locked(&self.notes).clone()
    }

    fn once(question: &Once, ask: impl FnOnce() -> Result<Canned, KernelError>) -> Result<&Canned, KernelError> {
        question.get_or_init(ask).as_ref().map_err(|error| *error)
    }
}

/// The lines of one entry.
fn entry_of(answers: &Canned, name: &str) -> Vec<u8> {
    let found = answers.entries().into_iter().find(|(entry, _)| *entry == name);
    found.map(|(_, content)| content).unwrap_or_default()
}

impl Asked {
    fn keyed(
        &self,
        name: &'static str,
        thing: &[u8],
        ask: impl FnOnce() -> Result<Canned, KernelError>,
    ) -> Arc<Result<Canned, KernelError>> {
        let key = (name, thing.to_vec());
        if let Some(known) = locked(&self.keyed).get(&key) {
            return Arc::clone(known);
        }
        let found = Arc::new(ask());
        locked(&self.keyed).insert(key, Arc::clone(&found));
        found
    }
}

/// A canned kernel without items does not know the question; this one was asked and said that there are none.
fn empty_is_fine(answer: Result<(), KernelError>) -> Result<(), KernelError> {
    match answer {
        Err(KernelError::Unsupported) => Ok(()),
        other => other,
    }
}
