//! Fingerprints of simulated hosts, the table in a test of the simulator.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use simulator::{Host, fingerprint, profiles};

/// Path of the test.
pub(super) const PATH: &str = "simulator/tests/fingerprint.rs";
const BEGIN: &str = "const FINGERPRINTS: &[(&str, u64)] = &[\n";
const END: &str = "];\n";
const SEED: u64 = 1;
const AT_SECONDS: u64 = 1_700_000_000;

/// The test with its table.
pub(super) fn test(source: &str) -> io::Result<String> {
    let missing = || io::Error::other(format!("{PATH}: expected `{}`", BEGIN.trim_end()));
    let (before, rest) = source.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    let mut table = String::new();
    for profile in profiles() {
        let machine = profile.machine(SEED, &[]).map_err(io::Error::other)?;
        let found = fingerprint(&Host::new(machine, || Duration::ZERO).tree_at(AT_SECONDS));
        let digits = format!("{found:016x}");
        let groups: Vec<&str> = (0..4).filter_map(|group| digits.get(group * 4..group * 4 + 4)).collect();
        let _ = writeln!(table, "    (\"{}\", 0x{}),", profile.name, groups.join("_"));
    }
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}
