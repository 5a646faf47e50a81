//! Counts from external programs: system calls from strace, instructions from callgrind.
//!
//! Both run `nodelab scrape` twice, with few and with more scrapes: the difference is the cost of scrapes, without that
//! of starting and ending the process.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::{Measured, figure};
use crate::load;
use crate::needs::Need;

/// Scrapes of the shorter run, after which every buffer has its size.
const FEW: u64 = 3;
/// Scrapes of the longer run.
const MORE: u64 = 13;

/// Hosts whose system calls are counted. Their files are in a directory, their kernel answers in memory.
const SYSCALL_HOSTS: &[&str] = &["laptop", "bonded", "old310"];
/// Hosts whose instructions are counted. Valgrind is slow, most of all on unoptimised builds.
const INSTRUCTION_HOSTS: &[&str] =
    if cfg!(debug_assertions) { &["bonded.tree", "laptop.tree", "vm"] } else { &["epyc256", "laptop.tree", "vm"] };

/// Ignored calls: futex wake-ups depend on scheduling, and a dev build checks every descriptor with fcntl.
const NOT_COUNTED: [&str; 2] = ["fcntl", "futex"];

/// Build profile of this program; figures depend on it.
pub const BUILD: &str = if cfg!(debug_assertions) { "dev" } else { "release" };

/// The figure of instructions for this build.
pub fn instructions_name() -> String {
    format!("{}.{BUILD}", figure::INSTRUCTIONS.name)
}

/// System calls of a scrape of a directory, by name. `nodelab` is that program.
pub fn syscalls(nodelab: &Path, measured: &mut Measured) -> io::Result<()> {
    if !Need::Strace.is_here() {
        let reason = Need::Strace.missing().to_owned();
        measured.skipped.push((figure::SYSCALLS.name.to_owned(), reason));
        return Ok(());
    }
    for host in SYSCALL_HOSTS {
        let subject = format!("{host}.tree");
        let folder = tempfile::tempdir()?;
        // Entries that cannot exist on disk are left out in every run.
        load::write_host(&load::host(host)?, folder.path())?;
        let count = |scrapes: u64| -> io::Result<BTreeMap<String, u64>> {
            let mut command = Command::new(Need::Strace.path());
            command.args(["-f", "-qq", "-c", "-U", "name,calls"]).arg(nodelab);
            scrape(&mut command, &subject, scrapes).arg("--below").arg(folder.path());
            let output = output(&mut command)?;
            summary(&String::from_utf8_lossy(&output.stderr))
        };
        let (few, more) = (count(FEW)?, count(MORE)?);
        for (name, calls) in per_scrape(&few, &more) {
            measured.set_named(&subject, format!("{}.{name}", figure::SYSCALLS.name), calls);
        }
    }
    Ok(())
}

/// Instructions of a scrape in memory.
pub fn instructions(nodelab: &Path, measured: &mut Measured) -> io::Result<()> {
    if !Need::Valgrind.is_here() {
        measured.skipped.push((figure::INSTRUCTIONS.name.to_owned(), Need::Valgrind.missing().to_owned()));
        return Ok(());
    }
    let other = if BUILD == "dev" { "release" } else { "dev" };
    let reason = format!("this is a {BUILD} build");
    measured.skipped.push((format!("{}.{other}", figure::INSTRUCTIONS.name), reason));
    for host in INSTRUCTION_HOSTS {
        let found = instructions_of(nodelab, host, &[])?;
        measured.set_named(host, instructions_name(), found);
    }
    Ok(())
}

/// Instructions of a scrape of one host, with further arguments of `nodelab scrape`.
pub fn instructions_of(nodelab: &Path, host: &str, arguments: &[String]) -> io::Result<u64> {
    let count = |scrapes: u64| -> io::Result<u64> {
        let mut command = Command::new(Need::Valgrind.path());
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(nodelab);
        let output = output(scrape(&mut command, host, scrapes).args(arguments))?;
        collected(&String::from_utf8_lossy(&output.stderr))
    };
    // Each run uses one CPU only.
    let (few, more) = std::thread::scope(|scope| {
        let few = scope.spawn(|| count(FEW));
        let more = count(MORE);
        (few.join().unwrap_or_else(|_| Err(io::Error::other("the callgrind thread panicked"))), more)
    });
    Ok(more?.saturating_sub(few?) / (MORE - FEW))
}

fn scrape<'a>(command: &'a mut Command, host: &str, scrapes: u64) -> &'a mut Command {
    command.args(["scrape", host, "--small", "--quiet", &format!("--times={scrapes}")])
}

fn output(command: &mut Command) -> io::Result<Output> {
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(io::Error::other(format!("{command:?}: {}: {words}", output.status)));
    }
    Ok(output)
}

/// Parses the table of `strace -c -U name,calls`.
fn summary(text: &str) -> io::Result<BTreeMap<String, u64>> {
    let rows = text.lines().filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (name, calls) = (fields.next()?, fields.next()?.parse().ok()?);
        (name != "total").then(|| (name.to_owned(), calls))
    });
    let rows: BTreeMap<String, u64> = rows.collect();
    if rows.is_empty() { Err(io::Error::other(format!("strace printed no table: {text}"))) } else { Ok(rows) }
}

/// Parses the total of callgrind: `Collected : 123`.
fn collected(text: &str) -> io::Result<u64> {
    let count = text.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    count.ok_or_else(|| io::Error::other(format!("callgrind printed no total: {text}")))
}

/// The increase per scrape. A call that is not made in every scrape is not counted.
fn per_scrape(few: &BTreeMap<String, u64>, more: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let added = more.iter().map(|(name, calls)| {
        let before = few.get(name).copied().unwrap_or(0);
        (name.clone(), calls.saturating_sub(before) / (MORE - FEW))
    });
    added.filter(|(name, calls)| *calls > 0 && !NOT_COUNTED.contains(&name.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_tables_are_parsed_and_subtracted() {
        let few = "syscall              calls\n---------------- ---------\nread                     4\nopenat2                  6\n---------------- ---------\ntotal                   10\n";
        let more = few.replace("  4\n", " 24\n").replace("6\nopenat2                  6", "6");
        let (few, more) = (summary(few).expect("a table"), summary(&more).expect("a table"));
        assert_eq!(few, BTreeMap::from([("read".to_owned(), 4), ("openat2".to_owned(), 6)]));
        assert_eq!(per_scrape(&few, &more), BTreeMap::from([("read".to_owned(), 2)]));
        assert!(summary("strace: exec: No such file\n").is_err());
    }

    #[test]
    fn the_total_of_callgrind_is_parsed() {
        let text = "==12== Events    : Ir\n==12== Collected : 1234567\n==12== \n";
        assert_eq!(collected(text).expect("a sum"), 1_234_567);
        assert!(collected("valgrind: failed\n").is_err());
    }
}
