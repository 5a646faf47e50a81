//! The simulated host of a scenario, whose time starts with the exporter.

#![expect(clippy::disallowed_methods, reason = "reads the file that the operator names")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use collectors::host::kernel::clock;
use simulator::fault::Time;
use simulator::scenario::Scenario;

use super::{Host, faster};
use crate::flags::Simulation;

/// Maximum time that a slow or hanging file blocks a thread.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Opens the host of a scenario file.
pub(super) fn open(file: &Path, asked: &Simulation) -> Result<Host, String> {
    let fail = |error: &dyn std::fmt::Display| format!("--simulate.scenario: {}: {error}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| fail(&error))?;
    let mut scenario = Scenario::parse(&text).map_err(|error| fail(&error))?;
    let bare = crate::flags::SIMULATED;
    if asked.profile != bare && asked.profile != scenario.profile() {
        let problem = format!("it is of a {}; leave --simulate without a value", scenario.profile());
        return Err(fail(&problem));
    }
    if asked.has_seed {
        scenario = scenario.with_seed(asked.seed);
    }
    for (key, value) in &asked.overrides {
        scenario = scenario.with_setting(key, value);
    }
    let start = scenario.start().unwrap_or_else(clock::now);
    let time = ScenarioTime { start, begin: clock::monotonic(), speed_milli: asked.speed_milli };
    let host = scenario.host(start, Arc::new(time)).map_err(|error| fail(&error))?;
    Ok(Host { roots: host.roots, kernel: host.kernel, is_simulated: true, is_replayed: false })
}

/// The clock of a scenario.
#[derive(Debug)]
struct ScenarioTime {
    /// The simulated time at the start.
    start: Duration,
    /// The real time at the start.
    begin: Duration,
    speed_milli: u64,
}

impl Time for ScenarioTime {
    fn now(&self) -> Duration {
        self.start.saturating_add(faster(clock::monotonic().saturating_sub(self.begin), self.speed_milli))
    }

    /// Waits in real time, independent of the speed of the simulated time.
    fn pass(&self, time: Duration) {
        std::thread::sleep(time.min(PAUSE_MAX));
    }

    fn hang(&self) {
        std::thread::sleep(PAUSE_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::{Command, parse};
    use collectors::host::root::Mount;
    use std::ffi::OsString;

    const TEXT: &str = "\
profile = 'pi4'
start = 1_600_000_000
faults = '''
proc/stat error=EIO
proc/uptime slow=1ms
'''
[set]
memory_gib = 2
";

    #[track_caller]
    fn opened(text: &str, arguments: &[&str]) -> Result<Host, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        std::fs::write(&file, text).unwrap();
        let scenario = format!("--simulate.scenario={}", file.display());
        let arguments = [scenario.as_str()].into_iter().chain(arguments.iter().copied());
        match parse(collectors::ALL, arguments.map(OsString::from)) {
            Ok(Command::Serve(settings)) => crate::host::open(&settings),
            other => panic!("{other:?}"),
        }
    }

    fn read(host: &Host, path: &str) -> String {
        let mut bytes = Vec::new();
        let answer = host.roots.get(Mount::Proc).read(path.as_bytes(), &mut bytes, 1 << 20);
        answer.map_or_else(|error| error.to_string(), |()| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn the_host_is_that_of_the_file() {
        let host = opened(TEXT, &[]).unwrap();
        assert!(host.is_simulated && read(&host, "cpuinfo").contains("Raspberry"));
        assert_eq!(read(&host, "stat"), "input/output error (EIO)");
        assert!(!read(&host, "uptime").is_empty());
        let since = host.kernel.now().saturating_sub(Duration::from_secs(1_600_000_000));
        assert!(since < Duration::from_secs(60), "{since:?}");
        let memory = |host: &Host| read(host, "meminfo").lines().next().unwrap().to_owned();
        let more = opened(TEXT, &["--simulate", "--simulate.set=memory_gib=8"]).unwrap();
        assert_ne!(memory(&host), memory(&more));
        assert_ne!(read(&opened(TEXT, &["--simulate.seed=2"]).unwrap(), "cpuinfo"), read(&host, "cpuinfo"));
    }

    #[track_caller]
    fn refuse(text: &str, arguments: &[&str], expected: &str) {
        let error = opened(text, arguments).unwrap_err();
        assert!(error.starts_with("--simulate.scenario: ") && error.ends_with(expected), "{error}");
    }

    #[test]
    fn errors_name_file_and_line() {
        refuse("profile = 'pi4'\nseeed = 1\n", &[], "a.toml: line 2: unknown key `seeed`; did you mean `seed`?");
        refuse(TEXT, &["--simulate=s390x"], "a.toml: it is of a pi4; leave --simulate without a value");
        refuse(
            TEXT,
            &["--simulate.set=cpus=2"],
            "a.toml: profile pi4 has no setting `cpus`; there are memory_gib, watchdog",
        );
    }
}
