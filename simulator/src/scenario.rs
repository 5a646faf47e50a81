//! Scenarios: files that define a host, its events and its faults.
//!
//! ```
//! use simulator::fault::VirtualClock;
//! use simulator::scenario::Scenario;
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! let text = "profile = 'vm'\nfaults = '''\nproc/stat error=EIO from=10m\n'''\n\n[set]\ncpus = 2\n";
//! let scenario = Scenario::parse(text).unwrap();
//! let start = Duration::from_secs(1_700_000_000);
//! let host = scenario.host(start, Arc::new(VirtualClock::new(start))).unwrap();
//! assert_eq!(host.kernel.now(), start);
//!
//! let error = Scenario::parse("profil = 'vm'").unwrap_err();
//! assert_eq!(error.to_string(), "line 1: unknown key `profil`; did you mean `profile`?");
//! ```

mod document;
mod timeline;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use collectors::host::kernel::Kernel;
use collectors::host::root::Roots;
use timeline::TimelineEntry;

use crate::event::ScriptedMachine;
use crate::fault::{Injection, Plan, Time};
use crate::machine::Machine;
use crate::profile::{self, ProfileError};
use crate::{Host, started_before};

/// Default seed.
const SEED: u64 = 1;

/// Host definition with events and faults.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    about: String,
    sources: Vec<String>,
    profile: String,
    seed: u64,
    start_seconds: Option<u64>,
    overrides: Vec<(String, String)>,
    timeline: Vec<TimelineEntry>,
    faults: Plan,
}

/// Roots and kernel of a scenario's host, with faults applied.
#[derive(Clone, Debug)]
pub struct Staged {
    /// Host without faults.
    pub sound: Host,
    /// Roots with faults.
    pub roots: Roots,
    /// Kernel with faults.
    pub kernel: Arc<dyn Kernel>,
}

impl Scenario {
    /// Parses a scenario. The error names the line and suggests the nearest known name.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        document::parse(text)
    }

    /// Scenario of a profile without events and faults. The error suggests the nearest known profile.
    pub fn of(profile: &str) -> Result<Self, ProfileError> {
        Ok(Self {
            about: String::new(),
            sources: Vec::new(),
            profile: profile::find(profile)?.name.to_owned(),
            seed: SEED,
            start_seconds: None,
            overrides: Vec::new(),
            timeline: Vec::new(),
            faults: Plan::default(),
        })
    }

    /// One-sentence description.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Sources: issues of public projects.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Name of the profile.
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Start time since 1970, if the file has one.
    pub fn start(&self) -> Option<Duration> {
        self.start_seconds.map(Duration::from_secs)
    }

    /// Seed of the host.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Replaces the seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Overrides a setting of the profile.
    #[must_use]
    pub fn with_setting(mut self, key: &str, value: &str) -> Self {
        self.overrides.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The host without its events and faults.
    #[must_use]
    pub fn calm(&self) -> Self {
        Self { timeline: Vec::new(), faults: Plan::default(), ..self.clone() }
    }

    /// Fault plan.
    pub fn faults(&self) -> &Plan {
        &self.faults
    }

    /// Machine for a start time, booted some time before it, with the events.
    pub fn machine(&self, start: Duration) -> Result<ScriptedMachine, ScenarioError> {
        let overrides: Vec<(&str, &str)> =
            self.overrides.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let machine = Machine::of(&self.profile, self.seed, &overrides).map_err(ScenarioError::profile)?;
        timeline::put(started_before(machine, start), &self.timeline, start)
    }

    /// Host for a start time, driven by a time source.
    pub fn host(&self, start: Duration, time: Arc<dyn Time>) -> Result<Staged, ScenarioError> {
        let clock = Arc::clone(&time);
        let sound = Host::new(self.machine(start)?, move || clock.now());
        let injection = Injection::starting_at(self.faults.clone(), self.seed, time, start);
        Ok(Staged { roots: injection.over(&sound.roots()), kernel: injection.over_kernel(sound.kernel()), sound })
    }
}

/// Problem of a scenario, and its line if it comes from a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScenarioError {
    /// Line number, counted from 1.
    pub line: Option<usize>,
    /// Found and expected text.
    pub problem: String,
}

impl ScenarioError {
    fn at(line: usize, problem: impl Into<String>) -> Self {
        Self { line: Some(line), problem: problem.into() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is the error that is mapped")]
    fn profile(error: ProfileError) -> Self {
        Self { line: None, problem: error.to_string() }
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for ScenarioError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::VirtualClock;
    use collectors::host::errno::Errno;
    use collectors::host::root::{Mount, RootError};
    use proptest::prelude::*;

    const START: Duration = Duration::from_secs(1_700_000_000);

    const TEXT: &str = r#"# Everything that a file may say.
about = "A disk that does not answer."
sources = ["prometheus/node_exporter#244"]
profile = "vm"
seed = 7
start = 1_700_000_000
faults = '''
# From the start on.
proc/stat error=EIO
kernel/statfs/boot error=ESTALE from=10m
'''

[set]
cpus = 2
kernel = "4.18"
"#;

    #[track_caller]
    fn refuse(text: &str, expected: &str) {
        assert_eq!(Scenario::parse(text).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_scenario_defines_a_host_and_its_faults() {
        let scenario = Scenario::parse(TEXT).unwrap();
        assert_eq!(scenario.about(), "A disk that does not answer.");
        assert_eq!(scenario.sources(), ["prometheus/node_exporter#244"]);
        assert_eq!((scenario.seed(), scenario.start(), scenario.faults().faults().len()), (7, Some(START), 2));
        let clock = VirtualClock::new(START);
        let host = scenario.host(START, Arc::new(clock.clone())).unwrap();
        let read = |roots: &Roots, path: &str| {
            let mut content = Vec::new();
            roots.get(Mount::Proc).read(path.as_bytes(), &mut content, 1 << 20)?;
            Ok::<_, RootError>(String::from_utf8(content).unwrap())
        };
        assert_eq!(read(&host.roots, "stat"), Err(Errno::EIO.into()));
        assert!(read(&host.sound.roots(), "stat").is_ok());
        assert_eq!(read(&host.roots, "cpuinfo").unwrap().matches("processor\t").count(), 2);
        assert!(read(&host.roots, "version").unwrap().contains("4.18"));
        assert!(host.kernel.statfs(b"/boot").is_ok());
        clock.advance(Duration::from_secs(600));
        assert_eq!(host.kernel.statfs(b"/boot"), Err(Errno::ESTALE.into()));
    }

    #[test]
    fn seeds_and_settings_can_be_overridden() {
        let scenario = Scenario::parse("profile = 'vm'").unwrap();
        assert_eq!((scenario.seed(), scenario.start()), (1, None));
        let tree = |scenario: &Scenario| {
            let host = scenario.host(START, Arc::new(VirtualClock::new(START))).unwrap();
            crate::fingerprint(&host.sound.tree_at(START.as_secs()))
        };
        let usual = tree(&scenario);
        assert_eq!(usual, tree(&scenario.clone()));
        assert_ne!(usual, tree(&scenario.clone().with_seed(2)));
        assert_ne!(usual, tree(&scenario.clone().with_setting("cpus", "2")));
        let error = scenario.with_setting("cpu", "2").machine(START).unwrap_err();
        assert_eq!(error.to_string(), "profile vm has no setting `cpu`; did you mean `cpus`?");
    }

    #[test]
    fn unknown_names_are_refused_with_their_line() {
        refuse("profile = 'vm'\nseeed = 1\n", "line 2: unknown key `seeed`; did you mean `seed`?");
        refuse(
            "profile = 'vm'\nelephants = 1\n",
            "line 2: unknown key `elephants`; there are about, sources, profile, seed, start, faults, set, event",
        );
        refuse(
            "profile = 'v'\n",
            "line 1: no profile is called `v`; there are vm, laptop, pi4, s390x, epyc256, k8s-dense, ib-hpc, jbod60, absurd1152",
        );
        refuse("\nprofile = 'epyc-256'\n", "line 2: no profile is called `epyc-256`; did you mean `epyc256`?");
        refuse("profile = 'vm'\n[set]\n\ncpu = 2\n", "line 4: profile vm has no setting `cpu`; did you mean `cpus`?");
        refuse(
            "profile = 'vm'\n[set]\ncpus = 0\n",
            "line 3: profile vm: cpus: expected a whole number from 1 to 256, found `0`",
        );
        refuse("profile = 'vm'\nset.cpus = [2]\n", "line 2: cpus: expected a number or a word");
        refuse("profile = 7\n", "line 1: profile: expected a text");
        refuse("profile = 'vm'\nseed = -1\n", "line 2: seed: expected a whole number from 0 to 2^64 - 1, found `-1`");
        refuse("profile = 'vm'\nsources = 'x'\n", "line 2: sources: expected a list of texts");
        refuse("profile = 'vm'\nset = 1\n", "line 2: set: expected a table");
        refuse("seed = 1\n", "line 1: the key `profile` is missing; `nodelab list` names the profiles");
        refuse("profile = 'vm'\nprofile = 'vm'\n", "line 2: duplicate key: `profile`");
        refuse("profile = \n", "line 1: expected a value, found a newline");
    }

    #[test]
    fn errors_of_faults_name_the_line_of_the_file() {
        refuse(
            "profile = 'vm'\nfaults = '''\nproc/stat missing\nproc/stat mising\n'''\n",
            "line 4: unknown fault `mising`; did you mean `missing`?",
        );
        refuse(
            "profile = 'vm'\nfaults = 'proc/stat mising'\n",
            "line 2: unknown fault `mising`; did you mean `missing`?",
        );
    }

    #[test]
    fn the_timeline_is_parsed() {
        let timeline =
            |text: &str| Scenario::parse(&format!("profile = 'vm'\n{text}")).map(|scenario| scenario.timeline);
        let entries =
            timeline("[[event]]\nat = '+10m'\nkind = 'reboot'\n[[event]]\nat = 1_700_000_100\nkind = 'reboot'\n")
                .unwrap();
        let at: Vec<u64> = entries.iter().map(|entry| entry.at.since(START).as_secs()).collect();
        assert_eq!(at, [1_700_000_600, 1_700_000_100]);
        let problem = |text| timeline(text).unwrap_err().to_string();
        assert_eq!(problem("[[event]]\nkind = 'reboot'\n"), "line 2: the event has no `at`; write at = \"+10m\"");
        assert_eq!(problem("[[event]]\nat = '+10m'\n"), "line 2: the event has no `kind`");
        assert_eq!(problem("event = 1\n"), "line 2: event: expected [[event]] and its keys");
        assert_eq!(
            problem("[[event]]\nat = '10m'\nkind = 'reboot'\n"),
            "line 3: at: expected \"+10m\", counted from the start, or seconds since 1970, found `10m`"
        );
    }

    #[test]
    fn events_change_the_host() {
        let scenario = |text: &str| Scenario::parse(&format!("profile = 'vm'\n{text}")).unwrap();
        let clock = VirtualClock::new(START);
        let text = "[[event]]\nat = '+10m'\nkind = 'cpu-hotplug'\ncpu = 3\n";
        let host = scenario(text).host(START, Arc::new(clock.clone())).unwrap();
        let processors = || {
            let mut content = Vec::new();
            host.roots.get(Mount::Proc).read(b"cpuinfo", &mut content, 1 << 20).unwrap();
            String::from_utf8(content).unwrap().matches("processor\t").count()
        };
        assert_eq!(processors(), 4);
        clock.advance(Duration::from_secs(600));
        assert_eq!(processors(), 3);
        let problem = |text: &str| scenario(text).machine(START).unwrap_err().to_string();
        assert_eq!(
            problem("[[event]]\nat = '+10m'\nkind = 'rebot'\n"),
            "line 4: no event is called `rebot`; did you mean `reboot`?"
        );
        assert_eq!(
            problem("[[event]]\nat = 7\nkind = 'bond-failover'\nbond = 'bond1'\n"),
            "line 4: event bond-failover: the host has no bond `bond1`; did you mean `bond0`?"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(profile = 'vm'\\n)?[a-z =\\[\\]'0-9\\n]{0,60}") {
            let _ = Scenario::parse(&text);
        }
    }
}
