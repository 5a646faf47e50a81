//! Sysctls selected by flags, from /proc/sys.

use regex::Regex;

use crate::declare;
use crate::kit::parse::AnyBase;
use crate::kit::prelude::*;

/// The sysctl collector.
#[derive(Debug)]
pub struct Sysctl {
    wanted: Vec<Selection>,
}

declare! {
    Sysctl: "sysctl", off, "Sysctls selected by flags.";
    labels {
        InfoLabels { index, name, value }
        PerIndex { index }
    }
    reads {
        SYSCTL: File Proc "sys/**";
    }
    flags {
        INCLUDE: Texts "collector.sysctl.include" = "",
            "Sysctl with integer values to export: `name`, or `name:key,key` with a key for each value; repeatable.";
        INCLUDE_INFO: Texts "collector.sysctl.include-info" = "",
            "Sysctl with text values to export; repeatable.";
    }
    families {
        INFO: Gauge "node_sysctl_info" InfoLabels "Text value of a sysctl; always 1.";
    }
    prefixes {
        VALUE: Untyped "node_sysctl_" PerIndex "Value of the sysctl {}.";
    }
}

/// A sysctl selected by a flag.
#[derive(Debug)]
struct Selection {
    /// The name as given.
    name: String,
    /// The path below /proc/sys.
    path: String,
    /// The name as part of a metric name.
    metric: String,
    /// Metric name suffixes of the values; without them values are labelled by index.
    keys: Vec<String>,
    is_numeric: bool,
}

impl Collect for Sysctl {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        let mut wanted = Vec::new();
        for (flag, is_numeric) in [(INCLUDE, true), (INCLUDE_INFO, false)] {
            for text in options.get(flag) {
                wanted.push(
                    Selection::parse(text, is_numeric).map_err(|error| format!("--{}: {error}", flag.info().name))?,
                );
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

impl Selection {
    fn parse(text: &str, is_numeric: bool) -> Result<Self, String> {
        let (name, keys) = match text.split_once(':') {
            Some((name, keys)) => (name, keys.split(',').map(metric_suffix).collect()),
            None => (text, Vec::new()),
        };
        let components: Vec<&str> = name.split(['.', '/']).filter(|component| !component.is_empty()).collect();
        if components.is_empty() {
            return Err(format!("`{text}`: expected a sysctl name such as fs.file-nr"));
        }
        // Surrounding `_` are merged, as in node_exporter.
        let invalid = Regex::new("_*[^0-9A-Za-z_]+_*").map_err(|error| error.to_string())?;
        let metric = invalid.replace_all(name, "_").into_owned();
        Ok(Self { name: name.to_owned(), path: components.join("/"), metric, keys, is_numeric })
    }
}

/// A key as part of a metric name.
fn metric_suffix(key: &str) -> String {
    key.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == ':' { letter } else { '_' }).collect()
}

fn emit(cx: &mut Cx<'_, Sysctl>, wanted: &Selection) {
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
            cx.page.gauge(INFO, InfoLabels { index: &place, name: &wanted.name, value: &found }, true);
            continue;
        }
        let Some(value) = cx.problems.value(line.number::<AnyBase>("value", found)) else { continue };
        let metric = wanted.metric.as_bytes();
        match wanted.keys.get(place) {
            Some(key) => {
                cx.page.named(VALUE, &[metric, b"_", key.as_bytes()], PerIndex { index: &None::<usize> }, value.0)
            }
            None => cx.page.named(VALUE, &[metric], PerIndex { index: &has_places.then_some(place) }, value.0),
        };
    }
}

/// Checks the number of values against the keys of the flag.
fn check(wanted: &Selection, count: usize) -> Result<(), Mismatch> {
    match (count, wanted.keys.len()) {
        (0, _) => Err(Mismatch::Empty),
        (_, 0) => Ok(()),
        (1, _) => Err(Mismatch::Single),
        (count, keys) if count != keys => Err(Mismatch::Count { count, keys }),
        _ if !wanted.is_numeric => Err(Mismatch::Words),
        _ => Ok(()),
    }
}

/// Why a sysctl does not fit its flag.
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
            Self::Empty => f.write_str("expected a value, found nothing"),
            Self::Single => f.write_str("a single value takes no keys; remove the colon and the keys"),
            Self::Count { count, keys } => {
                write!(f, "expected one key for each of {count} values, found {keys}")
            }
            Self::Words => f.write_str("text values take no keys; remove the colon and the keys"),
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
    fn numbers_are_exported_by_name_index_or_key() {
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
    fn text_values_are_labels() {
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
    fn names_are_converted_to_paths_and_metrics() {
        for (text, path, metric) in [
            ("fs.file-nr", "fs/file-nr", "fs_file_nr"),
            ("net/ipv4/conf/eth0/rp_filter", "net/ipv4/conf/eth0/rp_filter", "net_ipv4_conf_eth0_rp_filter"),
            (".fs..file-nr:a,b", "fs/file-nr", "_fs_file_nr"),
            ("a_-_b", "a_-_b", "a_b"),
            ("../etc/passwd", "etc/passwd", "_etc_passwd"),
        ] {
            let wanted = Selection::parse(text, true).expect("a sysctl");
            assert_eq!((wanted.path.as_str(), wanted.metric.as_str()), (path, metric));
        }
        for flag in ["include=:a", "include=.", "include-info=/"] {
            given("")
                .flags(&[&format!("--collector.sysctl.{flag}")])
                .is_refused::<Sysctl>("expected a sysctl name such as");
        }
    }

    #[test]
    fn a_mismatched_flag_costs_only_its_own_sysctl() {
        check_error("include=fs.nope", "", "proc/sys/fs/nope: no such file");
        check_error("include=fs", "", "proc/sys/fs: is a directory");
        check_error("include=kernel.nothing", "", "proc/sys/kernel/nothing: expected a value, found nothing");
        check_error("include-info=kernel.nothing", "", "expected a value, found nothing");
        check_error("include=kernel.core_uses_pid:a", "", "a single value takes no keys");
        check_error("include=kernel.core_uses_pid:", "", "a single value takes no keys");
        check_error("include-info=kernel.core_uses_pid:a", "", "a single value takes no keys");
        check_error(
            "include=fs.file-nr:a,b",
            "",
            "proc/sys/fs/file-nr: expected one key for each of 3 values, found 2",
        );
        check_error("include-info=fs.file-nr:a,b", "", "expected one key for each of 3 values, found 2");
        check_error("include-info=fs.file-nr:a,b,c", "", "text values take no keys");
    }

    #[test]
    fn a_bad_value_costs_only_its_own_samples() {
        for bad in ["x", "9223372036854775808", "0.5"] {
            given(&HOST.replace("\t0\t", &format!("\t{bad}\t")))
                .flags(&["--collector.sysctl.include=fs.file-nr"])
                .fails::<Sysctl>(
                "node_sysctl_fs_file_nr{index=\"0\"} 4288\nnode_sysctl_fs_file_nr{index=\"2\"} -7\n",
                "proc/sys/fs/file-nr:1: value: expected an integer in decimal",
            );
        }
    }

    #[test]
    fn a_value_without_a_newline_is_read() {
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
        fn numbers_round_trip(value: i32) {
            let host = format!("== proc/sys/kernel/x\n{value}\n");
            let samples = given(&host).flags(&["--collector.sysctl.include=kernel.x"]).scrape::<Sysctl>().samples();
            let found: f64 = samples.trim_end().rsplit(' ').next().expect("a value").parse().expect("a number");
            prop_assert!((found - f64::from(value)).abs() < 0.5, "{samples}");
        }

        #[test]
        fn any_flag_is_accepted_or_refused(text: String) {
            if let Ok(wanted) = Selection::parse(&text, true) {
                let sound = wanted.path.split('/').all(|name| !["", ".", ".."].contains(&name));
                prop_assert!(sound, "{}", wanted.path);
            }
        }
    }
}
