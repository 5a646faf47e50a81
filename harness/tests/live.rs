//! The system calls of a scrape of this machine, once no kernel event has arrived for a while. The program runs itself
//! again under strace, with few and with more scrapes: the difference is the cost of a scrape.

#![cfg_attr(
    target_os = "linux",
    expect(
        clippy::disallowed_methods,
        reason = "the test counts parts of this machine and marks the inner program by an argument"
    )
)]

use std::process::ExitCode;

use harness::requirements::{self, Requirement};

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if std::env::args().any(|argument| argument == inside::MARK) {
        inside::run();
        return ExitCode::SUCCESS;
    }
    requirements::run_in_turn(&[(
        "a_settled_scrape_repeats_no_lookup",
        &[Requirement::Strace],
        a_settled_scrape_repeats_no_lookup,
    )])
}

#[cfg(not(target_os = "linux"))]
fn a_settled_scrape_repeats_no_lookup() {}

/// The goal is 120 calls of the exporter for a scrape of a small machine, of which HTTP takes ten.
#[cfg(target_os = "linux")]
fn a_settled_scrape_repeats_no_lookup() {
    let (few, more) = (inside::calls(2), inside::calls(12));
    let per_scrape = |name: &str| (more.get(name).unwrap_or(&0) - few.get(name).unwrap_or(&0)) as f64 / 10.0;
    let parts = ["/sys/class/net", "/sys/class/block", "/sys/bus/cpu/devices", "/sys/class/hwmon"];
    let parts: usize = parts.iter().filter_map(|path| std::fs::read_dir(path).ok()).map(Iterator::count).sum();
    let mut names: Vec<&String> = more.keys().collect();
    names.sort_by_key(|name| more.get(*name));
    let table: Vec<String> = names
        .iter()
        .rev()
        .filter(|name| per_scrape(name) > 0.0)
        .map(|name| format!("{:8.1} {name}", per_scrape(name)))
        .collect();
    let total: f64 = names.iter().map(|name| per_scrape(name)).sum();
    println!("{total} system calls per scrape with {parts} parts\n{}", table.join("\n"));
    assert!(total <= 80.0 + 4.0 * parts as f64, "{total} calls with {parts} parts\n{}", table.join("\n"));
    assert!(per_scrape("getdents64") < 1.0, "directories are listed again\n{}", table.join("\n"));
    assert!(per_scrape("newfstatat") < 8.0, "paths are looked up again\n{}", table.join("\n"));
    assert!(per_scrape("pread64") > 20.0, "files are read\n{}", table.join("\n"));
}

#[cfg(target_os = "linux")]
mod inside {
    use std::collections::HashMap;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use collectors::ALL;
    use collectors::kit::options::FlagValues;
    use collectors::kit::scraper::Scraper;
    use harness::requirements::Requirement;
    use node_exporter::flags::Paths;

    /// Marks the program that scrapes.
    pub(crate) const MARK: &str = "--scrape-this-machine";

    /// Longer than the kernel's events need to settle.
    const SETTLES_IN: Duration = Duration::from_millis(2_200);

    pub(crate) fn run() {
        let scrapes: usize = std::env::args().next_back().and_then(|count| count.parse().ok()).expect("a count");
        let paths = Paths {
            procfs: "/proc".into(),
            sysfs: "/sys".into(),
            rootfs: "/".into(),
            udev: "/run/udev/data".into(),
            is_given: false,
        };
        let host = harness::load::live(&paths).expect("this machine");
        let values = FlagValues::defaults(ALL.iter().map(|registration| registration.declaration));
        let scraper = Scraper::build(ALL, &values, host.roots, host.kernel).expect("default flags");
        let mut page = Vec::new();
        for scrape in 0..3 + scrapes {
            harness::scrape_target::scrape(&scraper, &mut page);
            if scrape == 0 {
                harness::load::wait(SETTLES_IN);
            }
        }
    }

    /// System calls of a run with this many scrapes, by name.
    pub(crate) fn calls(scrapes: usize) -> HashMap<String, i64> {
        let own = std::env::current_exe().expect("the path of this program");
        let mut command = Command::new(Requirement::Strace.path());
        command.args(["-f", "-qq", "-c", "-U", "name,calls"]).arg(own).args([MARK, &scrapes.to_string()]);
        let output = command.stdin(Stdio::null()).output().expect("strace runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stderr);
        let row = |line: &str| {
            let (name, count) = line.split_once(' ')?;
            // A dev build checks every descriptor that it closes.
            let counted = !matches!(name, "total" | "fcntl" | "futex");
            Some((name.to_owned(), count.trim().parse().ok()?)).filter(|_| counted)
        };
        text.lines().filter_map(row).collect()
    }
}
