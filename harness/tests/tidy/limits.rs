//! Every limit has a test: a constant that is called a limit is named by one, which tries both sides of it.

use std::collections::BTreeSet;

use crate::{Source, assert_none, sources};

/// What a limit's name has.
const WORDS: [&str; 3] = ["MAX", "CAP", "LIMIT"];

/// Limits that no test names, and why. An entry that a test names is an error, too.
const UNNAMED: &[(&str, &str, &str)] = &[
    (
        "collectors/src/kit/kernel/linux/exchange.rs",
        "IDLE_CAP",
        "a matter of speed: further questions open sockets of their own",
    ),
    ("collectors/src/kit/kernel/netlink/ethtool.rs", "DEVICE_NAME_CAP_BYTES", "the kernel makes no longer names"),
    ("collectors/src/kit/number.rs", "EXACT_INTEGER_MAX", "tested as 2^53, with its neighbours"),
    ("collectors/src/kit/root/dir/linux.rs", "MAX_RACES", "races with the kernel cannot be had when they are wanted"),
    ("collectors/src/kit/tree_text.rs", "MAX_SHOWN_CHARACTERS", "the length of a quotation in an error"),
    ("collectors/src/nfs.rs", "VALUES_MAX", "the length of the table of operations, whose ends are tested"),
    ("collectors/src/nfsd.rs", "VALUES_MAX", "the length of the table of operations, whose ends are tested"),
    ("collectors/src/pcidevice/device.rs", "HEX_DIGITS_MAX", "tested as numbers of 32 bits and more"),
    ("collectors/src/xfs.rs", "NUMBERS_MAX", "the length of the longest row, which is tested"),
    (
        "collectors/src/kit/root/dir/reading.rs",
        "RECORD_MAX_BYTES",
        "what the kernel writes for one entry of a table: a matter of speed, for the rest is read all the same",
    ),
    (
        "collectors/src/kit/root/kept.rs",
        "KEPT_FILE_MAX_BYTES",
        "a matter of speed: a longer file is opened anew each time, and reads the same",
    ),
    (
        "collectors/src/kit/root/kept/state.rs",
        "KEPT_MAX",
        "a matter of speed: what is not kept is opened each time; the limit of files is the kernel's",
    ),
    ("harness/src/bench/measure.rs", "ROUNDS_MAX", "so many rounds are enough, whatever they show"),
    ("harness/src/bench/served.rs", "START_MAX", "so long an exporter is waited for; it is there or it is not"),
    ("src/serve/front/reactor.rs", "KEPT_MAX_BYTES", "tests/attacks tries it from outside"),
    ("harness/src/bench/served.rs", "GROWTH_MAX", "the goal that a figure is held against, not a limit of input"),
    ("harness/src/property/case.rs", "FAULTS_MAX", "a matter of luck: so many faults are made at most"),
    ("harness/src/property/case.rs", "SETTING_MAX", "machines of random cases are small"),
    ("harness/src/property/minimal.rs", "TRIES_MAX", "so that shrinking ends; what is left is larger then"),
    ("harness/src/command/scrubbing.rs", "SHOWN_MAX", "so many places of a file are named in a report"),
    ("harness/src/fuzz/drive.rs", "SHOWN_MAX_BYTES", "the length of a quotation in a report"),
    ("harness/src/fuzz/mutate.rs", "CHANGES_MAX", "a matter of luck: so many changes are made to a seed at most"),
    ("harness/src/fuzz/mutate.rs", "SEED_MAX_BYTES", "so that shrinking ends; a longer seed is a shorter one"),
    ("src/host/staged.rs", "PAUSE_MAX", "a minute takes longer than a test should"),
    ("simulator/src/archive.rs", "ENTRIES_CAP", "a million entries take longer than a test should"),
    ("simulator/src/archive.rs", "TOTAL_CAP_BYTES", "a gibibyte takes longer than a test should"),
    ("simulator/src/archive/copy.rs", "DEPTH_CAP", "only a hostile disk has folders so deep"),
    ("simulator/src/archive/tar_write.rs", "OCTAL_MAX", "8 GiB: files are refused far below it"),
    ("simulator/src/record/store.rs", "TOTAL_CAP_BYTES", "a gibibyte takes longer than a test should"),
    ("simulator/src/record/walk.rs", "DEPTH_CAP", "only a hostile disk has folders so deep"),
    ("simulator/src/scrub/report.rs", "SHOWN_MAX_BYTES", "the length of a quotation in a report"),
    ("simulator/src/sys/cpu/cache.rs", "CACHES_MAX", "a factor that tells caches of CPUs apart, not a limit of input"),
    ("simulator/src/sys/cpu/idle.rs", "STATES_MAX", "a factor that tells states of CPUs apart, not a limit of input"),
    ("src/serve/front/descriptors.rs", "MACOS_MAX", "macOS alone has it"),
    (
        "src/serve/front/reactor.rs",
        "ANSWERED_AT_ONCE_MAX",
        "fairness between connections, which tests/attacks tries from outside",
    ),
    ("src/serve/front/reactor.rs", "EVENTS_MAX", "a matter of speed: the rest is told of the next time"),
    (
        "src/serve/front/reactor/accept.rs",
        "ACCEPTED_AT_ONCE_MAX",
        "fairness between connections, which tests/attacks tries from outside",
    ),
    ("src/serve/listen.rs", "WAITING_MAX", "the kernel's own queue, which it rounds"),
    ("src/serve/negotiate.rs", "WEIGHT_MAX", "tested as weights of 1 and above"),
    ("src/serve/web_config/session.rs", "READS_MAX", "tests/web tries it from outside"),
];

/// The name of a constant that this line declares as a limit.
fn limit(line: &str) -> Option<&str> {
    let (_, rest) =
        line.split_once("const ").filter(|(before, _)| before.trim().is_empty() || before.contains("pub"))?;
    let (name, _) = rest.split_once(':')?;
    // Inside a function, what a thing of the simulated host may have is data, not a limit of ours.
    let is_data = line.starts_with(' ') && name.starts_with("LIMIT");
    (!is_data && name.split('_').any(|word| WORDS.contains(&word))).then_some(name)
}

/// Whether a text has this name as a word of its own.
fn names(text: &str, name: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default().chars().next_back();
        let after = text.get(at + name.len()..).unwrap_or_default().chars().next();
        !before.is_some_and(is_name) && !after.is_some_and(is_name)
    })
}

#[test]
fn every_limit_is_named_by_a_test() {
    let sources = sources();
    let tests: String = sources.iter().map(Source::tests).collect();
    let mut unnamed = BTreeSet::new();
    for source in &sources {
        for name in source.code().lines().filter_map(limit).filter(|name| !names(&tests, name)) {
            unnamed.insert(format!("{}: {name}", source.path));
        }
    }
    let listed: BTreeSet<String> = UNNAMED.iter().map(|(path, name, _)| format!("{path}: {name}")).collect();
    let new: Vec<String> = unnamed.difference(&listed).cloned().collect();
    assert_none(&new, "test the limit on both sides, by its name, in the tests of its file");
    let done: Vec<String> = listed.difference(&unnamed).cloned().collect();
    assert_none(&done, "a test names the limit, or it is gone: take it off the list in harness/tests/tidy/limits.rs");
}

#[test]
fn the_check_of_limits_finds_what_it_should() {
    assert_eq!(limit("    pub const SIZE_MAX_BYTES: usize = 1;"), Some("SIZE_MAX_BYTES"));
    assert_eq!(limit("const FILE_CAP: u8 = 1;"), Some("FILE_CAP"));
    assert_eq!(limit("const MAXIMAL: u8 = 1;"), None);
    assert_eq!(limit("const fn max(MAX: u8)"), None);
    assert!(names("a + FILE_CAP;", "FILE_CAP") && !names("FILE_CAP_BYTES", "FILE_CAP"));
}
