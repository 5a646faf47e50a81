//! The exported host: this one, below `--path.*`, a simulated one, or a recording.

#[cfg(target_os = "linux")]
mod deferred;
pub mod fixtures;
#[cfg(feature = "simulator")]
mod scenario;

use std::sync::Arc;

use collectors::host::kernel::{Kernel, Uname};
use collectors::host::root::Roots;
use collectors::kit::options::FlagValues;
#[cfg(feature = "simulator")]
use collectors::textfile::DIRECTORY_FLAG;

use crate::flags::Settings;
use crate::serve::status::About;

/// The inputs of the collectors.
#[derive(Debug)]
pub struct Host {
    /// Its files.
    pub roots: Roots,
    /// Its kernel.
    pub kernel: Arc<dyn Kernel>,
    /// Whether it is simulated.
    pub is_simulated: bool,
    /// Whether it is replayed from a recording.
    pub is_replayed: bool,
}

/// The host of these settings. Only Linux can be exported; elsewhere the host is simulated.
pub fn open(settings: &Settings) -> Result<Host, String> {
    let host = of_paths(settings)?;
    Ok(Host { kernel: fixtures::kernel(&settings.values, host.kernel)?, ..host })
}

fn of_paths(settings: &Settings) -> Result<Host, String> {
    if let Some(file) = &settings.replay {
        return replayed(file);
    }
    #[cfg(target_os = "linux")]
    if !settings.is_simulated {
        return this(&settings.paths);
    }
    simulated(settings)
}

/// The host that this process runs on, below these paths.
#[cfg(target_os = "linux")]
pub fn this(paths: &crate::flags::Paths) -> Result<Host, String> {
    use collectors::host::kernel::linux::Linux;
    use collectors::host::root::host::Host as Anywhere;
    use collectors::host::root::kept::Kept;
    use collectors::host::root::{Mount, Root};

    let directory = |path: &std::path::Path, flag| -> Result<Arc<dyn Root>, String> {
        let directory = Kept::open(path).map_err(|error| format!("--{flag}: {}: {error}", path.display()))?;
        Ok(Arc::new(directory))
    };
    let proc = directory(&paths.procfs, "path.procfs")?;
    let sys = directory(&paths.sysfs, "path.sysfs")?;
    let rootfs = directory(&paths.rootfs, "path.rootfs")?;
    // udev may start after the exporter, or not at all.
    let udev: Arc<dyn Root> = Arc::new(deferred::Deferred::new(paths.udev.clone()));
    let anywhere: Arc<dyn Root> = Arc::new(Anywhere);
    let roots = Roots::new(|mount| {
        Arc::clone(match mount {
            Mount::Proc => &proc,
            Mount::Sys => &sys,
            Mount::Rootfs => &rootfs,
            Mount::Udev => &udev,
            Mount::Host => &anywhere,
        })
    });
    let roots = roots.with_sys_place(&paths.sysfs.to_string_lossy()).live();
    Ok(Host { roots, kernel: Arc::new(Linux::new(&paths.rootfs)), is_simulated: false, is_replayed: false })
}

/// The simulated host of a profile and a seed, with its own clock.
#[cfg(feature = "simulator")]
fn simulated(settings: &Settings) -> Result<Host, String> {
    use collectors::host::kernel::clock;
    use simulator::{Machine, ProfileError};

    let asked = &settings.simulation;
    if let Some(file) = &asked.scenario {
        return scenario::open(file, asked);
    }
    let overrides: Vec<(&str, &str)> =
        asked.overrides.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let machine = Machine::of(&asked.profile, asked.seed, &overrides).map_err(|error| match error {
        ProfileError::UnknownProfile { .. } => format!("--simulate: {error}"),
        ProfileError::UnknownSetting { .. } | ProfileError::Refused { .. } => format!("--simulate.set: {error}"),
    })?;
    let (start, speed_milli) = (clock::now(), asked.speed_milli);
    let host = simulator::embedded(machine, move || start + faster(clock::now().saturating_sub(start), speed_milli));
    Ok(Host { roots: host.roots(), kernel: host.kernel(), is_simulated: true, is_replayed: false })
}

/// The host of a recording, whose time starts now.
#[cfg(feature = "simulator")]
#[expect(clippy::disallowed_methods, reason = "reads the file that the operator names")]
fn replayed(file: &std::path::Path) -> Result<Host, String> {
    use collectors::host::kernel::clock;
    use collectors::host::tree_text;
    use simulator::recording::replay::Replay;

    let fail = |error: &dyn std::fmt::Display| format!("--replay: {}: {error}", file.display());
    let bytes = std::fs::read(file).map_err(|error| fail(&error))?;
    let tree = tree_text::parse(&bytes).map_err(|error| fail(&error))?;
    let begin = clock::monotonic();
    let replay = Replay::new(Arc::new(tree), move || clock::monotonic().saturating_sub(begin));
    let replay = replay.map_err(|error| fail(&error))?;
    Ok(Host { roots: replay.roots(), kernel: replay.kernel(), is_simulated: false, is_replayed: true })
}

#[cfg(not(feature = "simulator"))]
fn replayed(_: &std::path::Path) -> Result<Host, String> {
    Err("--replay: this exporter was built without the simulated host (cargo feature `simulator`)".to_owned())
}

/// Multiplies a time by thousandths.
#[cfg(feature = "simulator")]
fn faster(time: std::time::Duration, milli: u64) -> std::time::Duration {
    let micros = time.as_micros().saturating_mul(u128::from(milli)) / 1_000;
    std::time::Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

impl Host {
    /// Its description for the status page.
    pub fn about(&self, settings: &Settings) -> About {
        let mut uname = Uname::default();
        // A host without a name is shown without one.
        let _ = self.kernel.uname(&mut uname);
        let is_simulated = self.is_simulated || self.is_replayed;
        let paths = &settings.paths;
        let roots = [("proc", &paths.procfs), ("sys", &paths.sysfs), ("root", &paths.rootfs), ("udev", &paths.udev)];
        let roots = roots.into_iter().filter(|_| !is_simulated);
        About {
            host: String::from_utf8_lossy(&uname.nodename).into_owned(),
            is_simulated,
            roots: roots.map(|(name, path)| (name, path.display().to_string())).collect(),
            flags: crate::flags::changed(collectors::ALL, &settings.values),
        }
    }

    /// Points the textfile directory of a simulated host to its own, unless the flag is given.
    pub fn prepare(&self, values: &mut FlagValues) -> Result<(), String> {
        #[cfg(feature = "simulator")]
        if self.is_simulated && !values.is_given(&DIRECTORY_FLAG) {
            values.give(&DIRECTORY_FLAG, simulator::TEXTFILE_DIRECTORY)?;
        }
        #[cfg(not(feature = "simulator"))]
        let _ = values;
        Ok(())
    }
}

#[cfg(not(feature = "simulator"))]
fn simulated(settings: &Settings) -> Result<Host, String> {
    Err(if settings.is_simulated {
        "--simulate: this exporter was built without the simulated host (cargo feature `simulator`)".to_owned()
    } else {
        "only Linux can be exported, and the simulated host (cargo feature `simulator`) was left out of this build"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::{Command, parse};
    use std::ffi::OsString;

    #[track_caller]
    fn opened(arguments: &[&str]) -> Result<Host, String> {
        match parse(collectors::ALL, arguments.iter().map(OsString::from)) {
            Ok(Command::Serve(settings)) => open(&settings),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_simulator_is_an_optional_feature() {
        match opened(&["--simulate"]) {
            Ok(host) => assert!(host.is_simulated && cfg!(feature = "simulator")),
            Err(error) => assert!(!cfg!(feature = "simulator") && error.contains("feature `simulator`"), "{error}"),
        }
    }

    #[cfg(feature = "simulator")]
    #[test]
    fn the_simulated_host_has_the_given_settings() {
        let read = |arguments: &[&str]| {
            let mut bytes = Vec::new();
            let roots = opened(arguments).unwrap().roots;
            roots.get(collectors::host::root::Mount::Proc).read(b"cpuinfo", &mut bytes, 1 << 20).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(read(&["--simulate", "--simulate.set=cpus=6"]).matches("processor\t").count(), 6);
        assert!(read(&["--simulate=pi4"]).contains("Raspberry"));
        assert_ne!(read(&["--simulate=pi4"]), read(&["--simulate=pi4", "--simulate.seed=2"]));
        let error = opened(&["--simulate=pi5"]).unwrap_err();
        assert_eq!(error, "--simulate: no profile is called `pi5`; did you mean `pi4`?");
        let error = opened(&["--simulate", "--simulate.set=cpus=0"]).unwrap_err();
        assert_eq!(error, "--simulate.set: profile vm: cpus: expected a whole number from 1 to 256, found `0`");
    }

    #[cfg(feature = "simulator")]
    #[test]
    fn time_passes_at_the_given_speed() {
        let second = std::time::Duration::from_secs(1);
        assert_eq!(faster(second, 60_000), 60 * second);
        assert_eq!(faster(second, 500), second / 2);
        assert_eq!(faster(second, 0), std::time::Duration::ZERO);
    }

    #[cfg(feature = "simulator")]
    #[test]
    fn the_textfile_directory_of_a_simulated_host_is_the_default() {
        let host = opened(&["--simulate"]).unwrap();
        let flag = &DIRECTORY_FLAG;
        let declarations = || collectors::ALL.iter().map(|registration| registration.declaration);
        let mut values = FlagValues::defaults(declarations());
        host.prepare(&mut values).unwrap();
        assert!(values.is_given(flag));
        let mut values = FlagValues::defaults(declarations());
        values.give(flag, "/srv/metrics").unwrap();
        let before = format!("{values:?}");
        host.prepare(&mut values).unwrap();
        assert_eq!(format!("{values:?}"), before);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_missing_path_is_an_error_that_names_its_flag() {
        assert!(!opened(&["--path.udev.data=/missing"]).unwrap().is_simulated);
        for flag in ["--path.procfs", "--path.sysfs", "--path.rootfs"] {
            let error = opened(&[&format!("{flag}=/missing/path")]).unwrap_err();
            assert!(error.starts_with(&format!("{flag}: /missing/path: no such file")), "{error}");
        }
    }
}
