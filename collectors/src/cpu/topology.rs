//! Throttling and online state of CPUs, from /sys.

use super::{
    CORE_ID, CORE_THROTTLE_COUNT, CORE_THROTTLES, CPUS, Cpu, ONLINE, ONLINE_FILE, PACKAGE_ID, PACKAGE_THROTTLE_COUNT,
    PACKAGE_THROTTLES, PerCore, PerCpu, PerPackage,
};
use crate::host::root::Names;
use crate::kit::prelude::*;
use crate::kit::read::{File, Read};

/// Reusable memory for the CPUs of a host.
#[derive(Default, Debug)]
pub(super) struct Topology {
    names: Names,
    /// Package, core and its throttle count, sorted.
    cores: Vec<(u64, u64, u64)>,
    /// Package and its throttle count, sorted.
    packages: Vec<(u64, u64)>,
}

impl Topology {
    /// Reads and emits.
    pub(super) fn collect(&mut self, cx: &mut Cx<'_, Cpu>) {
        match cx.files.list(CPUS, [], &mut self.names) {
            Ok(()) => {}
            Err(error) if error.is_missing() => return,
            Err(error) => return cx.problems.report(error),
        }
        self.collect_throttles(cx);
        self.collect_online(cx);
    }

    /// All CPUs of a core share a count: the first CPU with one is read. A package likewise.
    fn collect_throttles(&mut self, cx: &mut Cx<'_, Cpu>) {
        let Self { names, cores, packages } = self;
        cores.clear();
        packages.clear();
        for number in numbers(names) {
            let Some(package) = whole(cx, PACKAGE_ID, number, UNKNOWN_ID) else { continue };
            let Some(core) = whole(cx, CORE_ID, number, UNKNOWN_ID) else { continue };
            if let Err(at) = cores.binary_search_by_key(&(package, core), |&(package, core, _)| (package, core))
                && let Some(count) = whole(cx, CORE_THROTTLE_COUNT, number, None)
            {
                cores.insert(at, (package, core, count));
            }
            if let Err(at) = packages.binary_search_by_key(&package, |&(package, _)| package)
                && let Some(count) = whole(cx, PACKAGE_THROTTLE_COUNT, number, None)
            {
                packages.insert(at, (package, count));
            }
        }
        for (package, core, count) in cores {
            cx.page.counter(CORE_THROTTLES, PerCore { core, package }, *count);
        }
        for (package, count) in packages {
            cx.page.counter(PACKAGE_THROTTLES, PerPackage { package }, *count);
        }
    }

    /// Emits nothing if the first CPU has no file, as in node_exporter: CPU hotplug is not supported.
    fn collect_online(&self, cx: &mut Cx<'_, Cpu>) {
        for (at, number) in numbers(&self.names).enumerate() {
            let is_online = match cx.files.read(ONLINE_FILE, [number]) {
                Ok(text) => match text.trimmed() {
                    b"1" => true,
                    b"0" => false,
                    other => {
                        cx.problems.report(text.error("online", "0 or 1", other));
                        continue;
                    }
                },
                Err(error) if error.is_missing() && at == 0 => return,
                Err(error) if error.is_missing() => false,
                Err(error) => {
                    cx.problems.report(error);
                    continue;
                }
            };
            cx.page.gauge(ONLINE, PerCpu { cpu: &number }, is_online);
        }
    }
}

/// The CPU numbers of the directories `cpu*`.
fn numbers(names: &Names) -> impl Iterator<Item = &[u8]> {
    let numbers = names.iter().filter_map(|name| name.strip_prefix(b"cpu"));
    numbers.filter(|number| number.first().is_some_and(u8::is_ascii_digit))
}

/// The ID of an unknown core or package.
const UNKNOWN_ID: Option<&[u8]> = Some(b"-1");

/// Reads the number of a file. A missing or unreadable file is not reported, because many hosts have none.
fn whole(cx: &mut Cx<'_, Cpu>, file: Read<Cpu, File, 1>, number: &[u8], unknown: Option<&[u8]>) -> Option<u64> {
    match cx.files.read(file, [number]) {
        Ok(text) if Some(text.trimmed()) == unknown => None,
        Ok(text) => cx.problems.value(text.number("value")),
        Err(error) if error.is_missing() || error.error.is_denied() => None,
        Err(error) => {
            cx.problems.report(error);
            None
        }
    }
}
