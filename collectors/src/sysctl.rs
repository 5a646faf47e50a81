//! Settings of the kernel from /proc/sys, those that the operator names.

use regex::Regex;

use crate::declare;
use crate::kit::parse::AnyBase;
use crate::kit::prelude::*;

/// Passes on settings of the kernel.
#[derive(Debug)]
pub struct Sysctl {
    wanted: Vec<Wanted>,
}

declare! {
    Sysctl: "sysctl", off, "Settings of the kernel: those that flags name.";
    reads {
        SYSCTL: File Proc "sys/**";
    }
    flags {
        INCLUDE: Texts "collector.sysctl.include" = "",
            "Sysctl to pass on, whose values are whole numbers: `name`, or `name:key,key` with one key for each value; may be given several times.";
        INCLUDE_INFO: Texts "collector.sysctl.include-info" = "",
            "Sysctl to pass on, whose values are words; may be given several times.";
    }
    families {
        INFO: Gauge "node_sysctl_info" ["index", "name", "value"] "Always 1: a word among the values of a sysctl.";
    }
    prefixes {
        VALUE: Untyped "node_sysctl_" ["index"] "Value of the sysctl that is named {} here.";
    }
}

/// A sysctl that a flag names.
#[derive(Debug)]
struct Wanted {
    /// As the operator wrote it.
    name: String,
    /// Below /proc/sys.
    path: String,
    /// As metrics are named after it.
    metric: String,
    /// What the metrics of its values are named after; without any, values are told apart by their places.
    keys: Vec<String>,
    is_numeric: bool,
}

impl Collect for Sysctl {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        let mut wanted = Vec::new();
        for (flag, is_numeric) in [(INCLUDE, true), (INCLUDE_INFO, false)] {
            for text in options.get(flag) {
                wanted
                    .push(Wanted::parse(text, is_numeric).map_err(|error| format!("--{}: {error}", flag.info().name))?);
            }
        }
        Ok(Self { wanted })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        for wanted in &self.wanted {
            emit(cx, wanted);
        }
        Ok(())
    }
}

impl Wanted {
    fn parse(text: &str, is_numeric: bool) -> Result<Self, String> {
        let (name, keys) = match text.split_once(':') {
            Some((name, keys)) => (name, keys.split(',').map(metric_piece).collect()),
            None => (text, Vec::new()),
        };
        let components: Vec<&str> = name.split(['.', '/']).filter(|component| !component.is_empty()).collect();
        if components.is_empty() {
            return Err(format!("`{text}` names no sysctl; write one such as fs.file-nr"));
        }
        // With the `_` around them, as node_exporter names metrics.
        let unnameable = Regex::new("_*[^0-9A-Za-z_]+_*").map_err(|error| error.to_string())?;
        let metric = unnameable.replace_all(name, "_").into_owned();
        Ok(Self { name: name.to_owned(), path: components.join("/"), metric, keys, is_numeric })
    }
}

/// A key as part of a metric's name.
fn metric_piece(key: &str) -> String {
    key.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == ':' { letter } else { '_' }).collect()
}

fn emit(cx: &mut Cx<'_, Sysctl>, wanted: &Wanted) {
    let text = match cx.files.read(SYSCTL, [wanted.path.as_bytes()]) {
        Ok(text) => text,
        Err(error) => return cx.problems.report(error),
    };
    let values = || text.lines().flat_map(|line| line.fields().map(move |found| (line, found)));
    let count = values().count();
    if let Err(reason) = check(wanted, count) {
        let path = wanted.path.as_bytes().escape_ascii();
        return cx.problems.report(Failure::error(format_args!("proc/sys/{path}: {reason}")));
    }
    let has_places = count > 1 && wanted.keys.is_empty();
    for (place, (line, found)) in values().enumerate() {
        if !wanted.is_numeric {
            cx.page.gauge(INFO, [&place, &wanted.name, &found], true);
            continue;
        }
        let Some(value) = cx.problems.value(line.number::<AnyBase>("a value", found)) else { continue };
        let metric = wanted.metric.as_bytes();
        match wanted.keys.get(place) {
            Some(key) => cx.page.named(VALUE, &[metric, b"_", key.as_bytes()], [&None::<usize>], value.0),
            None => cx.page.named(VALUE, &[metric], [&has_places.then_some(place)], value.0),
        };
    }
}

/// Whether a sysctl of so many values can be shown as the flag says.
fn check(wanted: &Wanted, count: usize) -> Result<(), Mismatch> {
    match (count, wanted.keys.len()) {
        (0, _) => Err(Mismatch::Empty),
        (_, 0) => Ok(()),
        (1, _) => Err(Mismatch::Single),
        (count, keys) if count != keys => Err(Mismatch::Count { count, keys }),
        _ if !wanted.is_numeric => Err(Mismatch::Words),
        _ => Ok(()),
    }
}

/// Why a sysctl cannot be shown as the flag says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mismatch {
    Empty,
    Single,
    Count { count: usize, keys: usize },
    Words,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("the sysctl: expected a value, found nothing"),
            Self::Single => {
                f.write_str("the sysctl has only one value, which takes no keys; leave out the colon and the keys")
            }
            Self::Count { count, keys } => {
                write!(f, "the sysctl has {count} values, but the flag has {keys} keys; give one for each")
            }
            Self::Words => f.write_str("the values of include-info take no keys; leave out the colon and the keys"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const HOST: &str = "== proc/sys/fs/file-nr\n4288\t0\t-7\n== proc/sys/kernel/core_uses_pid\n1\n\
        == proc/sys/kernel/nothing\n\n== proc/sys/net/ipv4/tcp_available_congestion_control\nreno cubic\n";

    #[track_caller]
    fn check(flags: &[&str], expected: &str) {
        let flags: Vec<String> = flags.iter().map(|flag| format!("--collector.sysctl.{flag}")).collect();
        given(HOST).flags(&flags.iter().map(String::as_str).collect::<Vec<_>>()).emits::<Sysctl>(expected);
    }

    /// Fails, and shows the second sysctl all the same.
    #[track_caller]
    fn check_error(flag: &str, samples: &str, complaint: &str) {
        let flags = [&format!("--collector.sysctl.{flag}"), "--collector.sysctl.include=kernel.core_uses_pid"];
        let expected = format!("{samples}node_sysctl_kernel_core_uses_pid 1\n");
        given(HOST).flags(&flags).fails::<Sysctl>(&expected, complaint);
    }

    #[test]
    fn numbers_have_families_of_their_own() {
        check(&["include=kernel.core_uses_pid"], "node_sysctl_kernel_core_uses_pid 1\n");
        check(
            &["include=fs.file-nr"],
            "node_sysctl_fs_file_nr{index=\"0\"} 4288\nnode_sysctl_fs_file_nr{index=\"1\"} 0\nnode_sysctl_fs_file_nr{index=\"2\"} -7\n",
        );
        check(
            &["include=fs.file-nr:total,cur-rent,ä"],
            "node_sysctl_fs_file_nr__ -7\nnode_sysctl_fs_file_nr_cur_rent 0\nnode_sysctl_fs_file_nr_total 4288\n",
        );
        check(&[], "");
    }

    #[test]
    fn words_stand_in_labels() {
        let name = "net.ipv4.tcp_available_congestion_control";
        check(
            &[&format!("include-info={name}"), "include-info=kernel.core_uses_pid"],
            &format!(
                "node_sysctl_info{{index=\"0\",name=\"kernel.core_uses_pid\",value=\"1\"}} 1\n\
                 node_sysctl_info{{index=\"0\",name=\"{name}\",value=\"reno\"}} 1\n\
                 node_sysctl_info{{index=\"1\",name=\"{name}\",value=\"cubic\"}} 1\n"
            ),
        );
    }

    #[test]
    fn names_become_paths_and_metrics() {
        for (text, path, metric) in [
            ("fs.file-nr", "fs/file-nr", "fs_file_nr"),
            ("net/ipv4/conf/eth0/rp_filter", "net/ipv4/conf/eth0/rp_filter", "net_ipv4_conf_eth0_rp_filter"),
            (".fs..file-nr:a,b", "fs/file-nr", "_fs_file_nr"),
            ("a_-_b", "a_-_b", "a_b"),
            ("../etc/passwd", "etc/passwd", "_etc_passwd"),
        ] {
            let wanted = Wanted::parse(text, true).expect("a sysctl");
            assert_eq!((wanted.path.as_str(), wanted.metric.as_str()), (path, metric));
        }
        for flag in ["include=:a", "include=.", "include-info=/"] {
            given("")
                .flags(&[&format!("--collector.sysctl.{flag}")])
                .is_refused::<Sysctl>("names no sysctl; write one");
        }
    }

    #[test]
    fn a_flag_that_does_not_fit_costs_its_sysctl_alone() {
        check_error("include=fs.nope", "", "proc/sys/fs/nope: no such file");
        check_error("include=fs", "", "proc/sys/fs: is a directory");
        check_error(
            "include=kernel.nothing",
            "",
            "proc/sys/kernel/nothing: the sysctl: expected a value, found nothing",
        );
        check_error("include-info=kernel.nothing", "", "expected a value, found nothing");
        check_error("include=kernel.core_uses_pid:a", "", "has only one value, which takes no keys");
        check_error("include=kernel.core_uses_pid:", "", "has only one value");
        check_error("include-info=kernel.core_uses_pid:a", "", "has only one value");
        check_error(
            "include=fs.file-nr:a,b",
            "",
            "proc/sys/fs/file-nr: the sysctl has 3 values, but the flag has 2 keys",
        );
        check_error("include-info=fs.file-nr:a,b", "", "has 3 values, but the flag has 2 keys");
        check_error("include-info=fs.file-nr:a,b,c", "", "the values of include-info take no keys");
    }

    #[test]
    fn a_bad_value_costs_itself_alone() {
        for bad in ["x", "9223372036854775808", "0.5"] {
            given(&HOST.replace("\t0\t", &format!("\t{bad}\t")))
                .flags(&["--collector.sysctl.include=fs.file-nr"])
                .fails::<Sysctl>(
                "node_sysctl_fs_file_nr{index=\"0\"} 4288\nnode_sysctl_fs_file_nr{index=\"2\"} -7\n",
                "proc/sys/fs/file-nr:1: a value: expected an integer in decimal",
            );
        }
    }

    #[test]
    fn a_value_without_a_newline_counts() {
        for (content, flag, expected) in [
            ("7801", "include=fs.x", "node_sysctl_fs_x 7801\n"),
            ("1\t2\t", "include=fs.x:a,b", "node_sysctl_fs_x_a 1\nnode_sysctl_fs_x_b 2\n"),
        ] {
            given(&format!("== proc/sys/fs/x no-newline\n{content}\n"))
                .flags(&[&format!("--collector.sysctl.{flag}")])
                .emits::<Sysctl>(expected);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn numbers_come_back(value: i32) {
            let host = format!("== proc/sys/kernel/x\n{value}\n");
            let samples = given(&host).flags(&["--collector.sysctl.include=kernel.x"]).scrape::<Sysctl>().samples();
            let found: f64 = samples.trim_end().rsplit(' ').next().expect("a value").parse().expect("a number");
            prop_assert!((found - f64::from(value)).abs() < 0.5, "{samples}");
        }

        #[test]
        fn any_flag_is_taken_or_refused(text: String) {
            if let Ok(wanted) = Wanted::parse(&text, true) {
                let sound = wanted.path.split('/').all(|name| !["", ".", ".."].contains(&name));
                prop_assert!(sound, "{}", wanted.path);
            }
        }
    }
}
