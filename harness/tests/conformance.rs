//! node_exporter's end-to-end test data, and its test cases of single collectors, against our collectors.

#[path = "conformance/go_regexp.rs"]
mod go_regexp;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use collectors::ALL;
use collectors::filesystem::Filesystem;
use collectors::host::kernel::StatFs;
use collectors::host::kernel::canned::Canned;
use collectors::host::root::tree::{Node, Tree};
use collectors::ipvs::Ipvs;
use collectors::kit::testing::Given;
use collectors::pcidevice::Pcidevice;
use collectors::textfile::Textfile;
#[cfg(target_os = "linux")]
use harness::conformance::directory::Change;
use harness::requirements::{self, Requirement};
use harness::{conformance, load};

fn main() -> ExitCode {
    requirements::run(&[
        ("every_expected_sample_is_exported", &[Requirement::ConformanceData], every_expected_sample_is_exported),
        (
            "a_checkout_gives_the_same_result_as_the_data_alone",
            &[Requirement::ConformanceData],
            a_checkout_gives_the_same_result_as_the_data_alone,
        ),
        #[cfg(target_os = "linux")]
        (
            "the_program_exports_every_expected_sample_of_the_directory",
            &[Requirement::ConformanceData, Requirement::Namespaces, Requirement::Exporter],
            the_program_exports_every_expected_sample_of_the_directory,
        ),
        #[cfg(target_os = "linux")]
        (
            "the_program_answers_on_truncated_and_empty_files",
            &[Requirement::ConformanceData, Requirement::Namespaces, Requirement::Exporter],
            the_program_answers_on_truncated_and_empty_files,
        ),
        ("every_textfile_case_matches", &[Requirement::ConformanceData], every_textfile_case_matches),
        ("every_ipvs_case_matches", &[Requirement::ConformanceData], every_ipvs_case_matches),
        ("the_case_of_pci_device_names_matches", &[Requirement::ConformanceData], the_case_of_pci_device_names_matches),
        (
            "mount_points_are_stripped_of_the_rootfs_prefix",
            &[Requirement::ConformanceData],
            mount_points_are_stripped_of_the_rootfs_prefix,
        ),
        (
            "our_own_mounts_are_used_if_process_one_is_hidden",
            &[Requirement::ConformanceData],
            our_own_mounts_are_used_if_process_one_is_hidden,
        ),
        (
            "every_search_of_re2_finds_what_go_finds",
            &[Requirement::ConformanceData],
            go_regexp::every_search_of_re2_finds_what_go_finds,
        ),
        (
            "every_expression_of_fowler_matches_where_go_matches",
            &[Requirement::ConformanceData],
            go_regexp::every_expression_of_fowler_matches_where_go_matches,
        ),
    ])
}

/// Number of sample lines of the expected page, without families that differ from run to run.
const SAMPLES: usize = 3_026;

/// Collectors that the run of the expected page had disabled, or that found nothing.
const NOT_IN_THE_PAGE: &[&str] = &[
    "drm",
    "ethtool",
    "filesystem",
    "logind",
    "network_route",
    "ntp",
    "nvmesubsystem",
    "perf",
    "runit",
    "selinux",
    "swap",
    "systemd",
    "tcpstat",
    "timex",
    "uname",
];

fn every_expected_sample_is_exported() {
    let report = conformance::run(&Requirement::ConformanceData.path()).expect("the data can be read");
    for (collector, tally) in &report.collectors {
        println!("{collector}: {} of {} samples", tally.matched, tally.expected);
    }
    let (matched, expected) = report.totals();
    println!("all: {matched} of {expected}");
    assert_eq!(report.unowned, [""; 0], "families without a collector");
    assert_eq!(report.misplaced, [""; 0], "families in another order");
    assert_eq!((matched, expected), (SAMPLES, SAMPLES));
    let differences = report.collectors.values().flat_map(|tally| &tally.differences).map(String::as_str);
    let differences: Vec<&str> = differences.collect();
    assert!(differences.is_empty(), "{}\n{:#?}", differences.join("\n"), report.complaints);
    let compared: BTreeSet<&str> = report.collectors.keys().copied().collect();
    let all = ALL.iter().map(|registration| registration.declaration.name);
    let absent: Vec<&str> = all.filter(|name| !compared.contains(name)).collect();
    assert_eq!(absent, NOT_IN_THE_PAGE, "collectors without a line in the expected page");
    let empty: Vec<_> = report.collectors.iter().filter(|(_, tally)| tally.expected == 0).collect();
    assert!(empty.is_empty(), "nothing was compared of {empty:?}");
}

#[cfg(target_os = "linux")]
fn of_the_program(change: Change) -> conformance::Report {
    let (program, data) = (Requirement::Exporter.path(), Requirement::ConformanceData.path());
    let report = conformance::directory::run(&program, &data, change).expect("a page of the program");
    let (matched, expected) = report.totals();
    println!("{change:?}: {matched} of {expected}");
    report
}

#[cfg(target_os = "linux")]
fn the_program_exports_every_expected_sample_of_the_directory() {
    for change in [Change::Nothing, Change::WithoutFinalNewline] {
        let report = of_the_program(change);
        let differences: Vec<_> = report.collectors.values().flat_map(|tally| &tally.differences).collect();
        assert_eq!(report.totals(), (SAMPLES, SAMPLES), "{change:?}: {differences:#?}");
        assert!(differences.is_empty(), "{change:?}: {differences:#?}");
        assert_eq!((report.unowned, report.misplaced), (Vec::new(), Vec::new()), "{change:?}");
    }
}

/// Only samples of damaged files are missing: every collector reports its success, the page is well formed, and the number
/// of matching lines has not decreased.
#[cfg(target_os = "linux")]
fn the_program_answers_on_truncated_and_empty_files() {
    for (change, matched_min) in [(Change::Halved, 1_248), (Change::Emptied, 171)] {
        let report = of_the_program(change);
        assert!(report.totals().0 >= matched_min, "{change:?}: {:?}", report.totals());
        let is_of_success = |line: &&String| line.contains("node_scrape_collector_success");
        let scrape = report.collectors.get("scrape").expect("the families of the scrape");
        let (missing, added): (Vec<_>, Vec<_>) =
            scrape.differences.iter().filter(is_of_success).partition(|line| line.starts_with('-'));
        assert_eq!(missing.len(), added.len(), "{change:?}: {:?}", scrape.differences);
    }
}

/// The layout of a checkout, with the flags in a script, gives the result of the data alone.
fn a_checkout_gives_the_same_result_as_the_data_alone() {
    let data = Requirement::ConformanceData.path();
    let flags = String::from_utf8(load::bytes(&data.join("FLAGS.md")).expect("the flags")).expect("Markdown is text");
    let flat = flags.replace('\n', " ");
    let list = |sentence: &str| {
        let (_, rest) = flat.split_once(sentence).expect("a list of collectors");
        rest.split('.').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join("\n  ")
    };
    let (on, off) = (list("besides the default ones:"), list("switched off:"));
    let lines = flags.lines().filter_map(|line| line.strip_prefix("    ")).map(|line| format!("  {line}\n"));
    let pattern = flags.split('`').find(|code| code.starts_with("^(")).expect("a pattern");
    let script = format!(
        "#!/bin/sh\nenabled_collectors=$(cat << LIST\n  {on}\nLIST\n)\ndisabled_collectors=$(cat << LIST\n  {off}\nLIST\n)\n\
         skip_re=\"{pattern}\"\ncollector_flags=$(cat << FLAGS\n{}FLAGS\n)\n",
        lines.collect::<String>()
    );
    let checkout = tempfile::tempdir().expect("a temporary folder");
    let fixtures = checkout.path().join("collector/fixtures");
    copy(&data, &fixtures);
    load::write(&checkout.path().join("end-to-end-test.sh"), script.as_bytes()).expect("a script");
    for folder in [checkout.path(), &fixtures] {
        let report = conformance::run(folder).expect("a checkout");
        assert_eq!(report.totals(), (SAMPLES, SAMPLES), "{:?}", report.complaints);
        let unknown: Vec<&String> = report.unknown_flags.iter().collect();
        assert!(unknown.iter().all(|flag| flag.starts_with("--no-collector.")), "{unknown:?}");
    }
}

/// Copies the data that the comparison reads, without the file that distinguishes it from a checkout.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for name in load::names(from).expect("the data can be read").iter().filter(|name| *name != "FLAGS.md") {
        let (from, to) = (from.join(name), to.join(name));
        if load::is_folder(&from) {
            copy(&from, &to);
        } else {
            load::write(&to, &load::bytes(&from).expect("a file")).expect("its copy");
        }
    }
}

fn every_ipvs_case_matches() {
    let folder = Requirement::ConformanceData.path();
    for (file, flag) in [
        ("ip_vs_result.txt", None),
        ("ip_vs_result_lbs_local_address_local_port.txt", Some("local_address,local_port")),
        ("ip_vs_result_lbs_local_port.txt", Some("local_port")),
        ("ip_vs_result_lbs_none.txt", Some("")),
    ] {
        let flag = flag.map(|labels| format!("--collector.ipvs.backend-labels={labels}"));
        let tree = conformance::tree(&folder).expect("the data can be read");
        let scraped = Given::tree(tree).flags(flag.as_deref().as_slice()).scrape::<Ipvs>();
        let expected = load::bytes(&folder.join(file)).expect("the data can be read");
        let expected = String::from_utf8(expected).expect("a page is text");
        let expected: String = expected.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect();
        assert_eq!(scraped.samples(), expected, "{file}");
    }
}

/// The expected page has another order of families, and comments.
fn the_case_of_pci_device_names_matches() {
    let folder = Requirement::ConformanceData.path();
    let mut tree = conformance::tree(&folder).expect("the data can be read");
    let ids = load::bytes(&folder.join("pci.ids")).expect("the data can be read");
    tree.insert("host/fixtures/pci.ids", Node::file(ids)).expect("a free place");
    let flags = ["--collector.pcidevice.names", "--collector.pcidevice.idsfile=fixtures/pci.ids"];
    let scraped = Given::tree(tree).flags(&flags).scrape::<Pcidevice>();
    let expected = load::bytes(&folder.join("pcidevice-names-output.txt")).expect("the data can be read");
    let expected = String::from_utf8(expected).expect("a page is text");
    let is_compared = |line: &&str| line.starts_with("node_pcidevice_") || line.starts_with("# TYPE node_pcidevice_");
    let compared = |page: &str| page.lines().filter(is_compared).map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(compared(&scraped.page), compared(&expected), "{:?}", scraped.complaints);
    assert_eq!(
        scraped.samples().lines().count(),
        compared(&expected).iter().filter(|line| !line.starts_with('#')).count()
    );
}

/// Directory of the textfile cases, as in the labels of the expected pages.
const TEXTFILES: &str = "fixtures/textfile";

fn every_textfile_case_matches() {
    let folder = Requirement::ConformanceData.path().join("textfile");
    let names = load::names(&folder).expect("the data can be read");
    let cases: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(".out")).collect();
    assert_eq!(cases.len(), 15, "{cases:?}");
    for case in cases {
        let page = load::bytes(&folder.join(format!("{case}.out"))).expect("a page");
        let expected = comparable(&String::from_utf8(page).expect("pages are UTF-8"));
        let variants: &[&[&str]] = match case {
            "glob_extra_dimension" => {
                &[&["histogram_extra_dimension", "summary_extra_dimension"], &["*_extra_dimension"]]
            }
            _ => &[&[case]],
        };
        for directories in variants {
            let mut tree = Tree::new();
            load::folder(&folder, &format!("host/{TEXTFILES}"), &mut tree).expect("the cases' files");
            let flags = directories.iter().map(|name| format!("--collector.textfile.directory={TEXTFILES}/{name}"));
            let flags: Vec<String> = flags.collect();
            let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
            let scraped = Given::tree(tree).flags(&flags).scrape::<Textfile>();
            assert_eq!(comparable(&scraped.page), expected, "{case}: {:?}", scraped.complaints);
        }
    }
}

/// A page without our HELP texts, families of the scrape, and file times.
fn comparable(page: &str) -> String {
    let is_compared = |line: &&str| {
        let is_own_help = line.starts_with("# HELP node_textfile_");
        let is_of_scrape = ["", "# HELP ", "# TYPE "]
            .iter()
            .any(|start| line.strip_prefix(start).is_some_and(|rest| rest.starts_with("node_scrape_collector_")));
        !is_own_help && !is_of_scrape
    };
    let masked = |line: &str| match line.rsplit_once(' ') {
        Some((series, _)) if series.starts_with("node_textfile_mtime_seconds{") => format!("{series} mtime\n"),
        _ => format!("{line}\n"),
    };
    page.lines().filter(is_compared).map(masked).collect()
}

/// The mount points of a case in page order, with every file system type.
#[track_caller]
fn check_mount_points(case: &str, rootfs: &str, expected: &[&str]) {
    let mut tree = Tree::new();
    load::folder(&Requirement::ConformanceData.path().join(case).join("proc"), "proc", &mut tree)
        .expect("the case's files");
    let kernel = Canned::default().with_rootfs(rootfs);
    let kernel = expected.iter().fold(kernel, |kernel, point| kernel.with_statfs(point, StatFs::default()));
    let flags = ["--collector.filesystem.mount-points-exclude=", "--collector.filesystem.fs-types-exclude="];
    let scraped = Given::tree(tree).flags(&flags).kernel(kernel).scrape::<Filesystem>();
    let samples = scraped.samples();
    let lines = samples.lines().filter(|line| line.starts_with("node_filesystem_size_bytes{"));
    let found: Vec<_> = lines.filter_map(|line| line.split("mountpoint=\"").nth(1)?.split('"').next()).collect();
    assert_eq!(found, expected, "{samples}");
    assert_eq!(scraped.complaints, <[String; 0]>::default());
}

fn mount_points_are_stripped_of_the_rootfs_prefix() {
    let expected = ["/", "/media/volume1", "/media/volume2", "/sys/fs/cgroup", "/dev/shm", "/run/lock"];
    check_mount_points("fixtures_bindmount", "/host", &expected);
}

fn our_own_mounts_are_used_if_process_one_is_hidden() {
    check_mount_points("fixtures_hidepid", "", &["/"]);
}
