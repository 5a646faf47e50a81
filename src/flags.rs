//! The command line: a table of the collectors' declared flags and the server's own flags.
//!
//! The parser follows node_exporter: `--no-` disables a switch, a flag with a single value cannot be repeated, `@file` is
//! replaced by the lines of a file, and an error ends the program with status 1.

mod absent;
mod changed;
pub mod completion;
pub mod config;
pub mod files;
pub mod help;
pub mod manual;
mod original;
mod own;
mod table;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use collectors::kit::declare::Registration;
use collectors::kit::options::{FlagInfo, FlagKind, FlagValues};

use crate::access::Access;
use crate::log::{Format, Level};
use crate::serve::deadline::Deadlines;
use crate::target::TargetOptions;
use crate::yaml::{Place, Problem};
pub use changed::changed;
use completion::Shell;
pub use own::SIMULATED;
use table::{FlagEntry, Meaning, Print, Table};

/// Action that a command line selects.
#[derive(Debug)]
pub enum Command {
    /// Print the help and end.
    Help,
    /// Print the version and end.
    Version,
    /// Print the manual page and end.
    Manual,
    /// Print the script of a shell and end.
    CompletionScript(Shell),
    /// Print what completes these words and end.
    Completions(Vec<String>),
    /// Print the configuration in force and end.
    Check(Box<Settings>),
    /// Serve.
    Serve(Box<Settings>),
}

/// Settings of the command line.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Settings {
    /// Values of the collectors' flags, and the enabled collectors.
    pub values: FlagValues,
    /// `--web.listen-address`, at least one.
    pub listen_addresses: Vec<String>,
    /// `--web.systemd-socket`, in place of the addresses.
    pub has_inherited_sockets: bool,
    /// `--sandbox`.
    pub has_sandbox: bool,
    /// `--web.telemetry-path`, which begins with a slash.
    pub telemetry_path: String,
    /// Access control.
    pub access: Access,
    /// Whether the exporter's own metrics are on the page.
    pub has_exporter_metrics: bool,
    /// `--web.max-requests`; `None`: no limit.
    pub requests_max: Option<NonZeroUsize>,
    /// `--web.enable-openmetrics`.
    pub has_openmetrics: bool,
    /// `--web.scrape-timeout` and `--web.scrape-timeout-offset`.
    pub deadlines: Deadlines,
    /// `--path.*`.
    pub paths: Paths,
    /// `--log.level`.
    pub log_level: Level,
    /// `--log.format`.
    pub log_format: Format,
    /// Whether `--simulate` or `--simulate.scenario` was given.
    pub is_simulated: bool,
    /// Settings of the simulated host, if it is simulated.
    pub simulation: Simulation,
    /// `--push.*`.
    pub push: Push,
    /// `--replay`.
    pub replay: Option<PathBuf>,
    /// `--config.file`.
    pub config_file: Option<PathBuf>,
    /// `--config.check`.
    pub is_check: bool,
    /// `--web.enable-lifecycle`.
    pub has_lifecycle: bool,
    /// Warnings about the command line itself.
    pub warnings: Vec<String>,
}

/// Settings of push.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Push {
    /// `--push.to`, or `push.targets` of the configuration file.
    pub targets: Vec<TargetOptions>,
    /// `--push.job`.
    pub job: String,
    /// `--push.instance`; empty: the host's name.
    pub instance: String,
    /// `--push.scrape`.
    pub scrapes: Vec<String>,
    /// `--push.interval`.
    pub interval: Duration,
    /// `--push.cron`, in place of the interval.
    pub cron: Option<String>,
    /// `--push.time-zone` is `local`.
    pub is_local_time: bool,
    /// `--push.spread`.
    pub spread: Duration,
    /// `--push.jitter`.
    pub jitter: Duration,
    /// `--push.timeout`.
    pub timeout: Duration,
    /// `--push.queue`.
    pub queue: Option<PathBuf>,
    /// `--push.queue-max-bytes`, at least 1 MiB.
    pub queue_max_bytes: u64,
    /// `--push.label`: names and values.
    pub labels: Vec<(String, String)>,
    /// `--push.keep`: prefixes of names.
    pub keep: Vec<String>,
    /// `--push.drop`: prefixes of names.
    pub drop: Vec<String>,
    /// `--push.once`.
    pub is_once: bool,
}

impl Push {
    /// The settings without any flag.
    pub fn with_defaults() -> Result<Self, String> {
        own::push_defaults()
    }
}

/// Settings of a simulated host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Simulation {
    /// `--simulate`: the name of a profile.
    pub profile: String,
    /// `--simulate.seed`.
    pub seed: u64,
    /// Whether the seed was given.
    pub has_seed: bool,
    /// `--simulate.scenario`.
    pub scenario: Option<PathBuf>,
    /// `--simulate.set`: keys and values.
    pub overrides: Vec<(String, String)>,
    /// `--simulate.speed`, in thousandths.
    pub speed_milli: u64,
}

/// Paths of the mounts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paths {
    /// `--path.procfs`.
    pub procfs: PathBuf,
    /// `--path.sysfs`.
    pub sysfs: PathBuf,
    /// `--path.rootfs`.
    pub rootfs: PathBuf,
    /// `--path.udev.data`.
    pub udev: PathBuf,
    /// Whether any path was given.
    pub is_given: bool,
}

/// Flags that cannot change while the exporter runs.
pub const FIXED: [&str; 13] = [
    "config.file",
    "log.format",
    "path.procfs",
    "path.rootfs",
    "path.sysfs",
    "path.udev.data",
    "push.queue",
    "sandbox",
    "web.config.file",
    "web.disable-exporter-metrics",
    "web.enable-lifecycle",
    "web.listen-address",
    "web.systemd-socket",
];

/// Flags of the server, as opposed to those of collectors.
pub(crate) fn server_flags() -> &'static [FlagInfo] {
    own::DECLARATION.flags
}

/// Names that the command line may refer to.
#[derive(Clone, Copy)]
pub struct Outside<'a> {
    /// Reads `--config.file`.
    pub read: &'a dyn Fn(&Path) -> std::io::Result<String>,
    /// Looks up an environment variable.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

/// Reads arguments that name no configuration file, as [`parse_with`] does.
pub fn parse(registrations: &[Registration], arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let read = |_: &Path| Err(std::io::ErrorKind::Unsupported.into());
    parse_with(registrations, arguments, Outside { read: &read, variable: &|_| None })
}

/// Reads the arguments that follow the program's name; `@file` has been expanded ([`files::expand`]).
/// The error is for the operator, without the advice to try `--help`.
pub fn parse_with(
    registrations: &[Registration],
    arguments: impl IntoIterator<Item = OsString>,
    outside: Outside<'_>,
) -> Result<Command, String> {
    let table = Table::new(registrations);
    let mut parser = lexopt::Parser::from_args(arguments.into_iter().map(with_two_dashes));
    let mut found = Found::new(registrations);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        let (entry, is_on, written) = match argument {
            lexopt::Arg::Short('h') => return Ok(Command::Help),
            lexopt::Arg::Short(short) => return Err(format!("unknown flag -{short}")),
            lexopt::Arg::Value(value) => return Err(format!("unexpected `{}`", begin(&value))),
            lexopt::Arg::Long(name) => {
                let written = name.to_owned();
                let Some((entry, is_on)) = table.find(&written) else {
                    found.take_absent(&mut parser, &table, &written)?;
                    continue;
                };
                (entry, is_on, written)
            }
        };
        match entry.meaning {
            // `--no-help` and `--no-version` have no effect.
            Meaning::Print(_) if !is_on => {}
            Meaning::Print(print) => return Ok(print.command(&mut parser)),
            Meaning::Collector(_) | Meaning::Flag(FlagInfo { kind: FlagKind::Switch, .. }) => {
                if let Some(value) = parser.optional_value() {
                    let value = begin(&value);
                    return Err(format!("--{written} takes no value, found `{value}`; --no-… switches off"));
                }
                found.switch(entry, is_on)?;
            }
            Meaning::Flag(flag) => {
                let value = match flag.bare {
                    // Without `=`, the next word is another argument.
                    Some(bare) => parser.optional_value().map_or(Ok(bare.to_owned()), |value| utf8(value, &written))?,
                    None => value_of(&mut parser, &written)?,
                };
                found.give(entry, flag, &value)?;
            }
        }
    }
    let (mut targets, mut places, mut content) = (Vec::new(), Vec::new(), None);
    if let Some(path) = own::config_file(&found.values) {
        let text = (outside.read)(&path).map_err(|error| format!("--config.file: {}: {error}", path.display()))?;
        let told = |problem: &Problem| config::message(registrations, &path, &text, problem);
        let file = config::read(registrations, &text, outside.variable).map_err(|problem| told(&problem))?;
        targets.clone_from(&file.targets);
        places = found.take_file(file)?;
        content = Some((path, text));
    }
    let has_targets = own::has_targets(&found.values);
    let mut settings = own::settings(found.finish(registrations)).map_err(|error| {
        // A value of the file is refused with its place.
        let refused =
            places.iter().find(|(flag, _)| error.strip_prefix("--").is_some_and(|rest| rest.starts_with(flag)));
        match (refused, &content) {
            (Some((_, place)), Some((path, text))) => {
                config::message(registrations, path, text, &Problem::at(*place, error))
            }
            _ => error,
        }
    })?;
    if !has_targets {
        settings.push.targets = targets;
    }
    if !cfg!(feature = "push") && !settings.push.targets.is_empty() {
        return Err("--push.to: this build cannot push: build with the feature `push`".to_owned());
    }
    let settings = Box::new(settings);
    Ok(if settings.is_check { Command::Check(settings) } else { Command::Serve(settings) })
}

impl Print {
    /// The command of this flag. All words that follow `--completion-bash` are those of another command line.
    fn command(self, parser: &mut lexopt::Parser) -> Command {
        match self {
            Self::Help => Command::Help,
            Self::Version => Command::Version,
            Self::Manual => Command::Manual,
            Self::CompletionScript(shell) => Command::CompletionScript(shell),
            Self::Completions => {
                let rest = parser.raw_args().into_iter().flatten();
                Command::Completions(rest.map(|word| word.to_string_lossy().into_owned()).collect())
            }
        }
    }
}

/// Adds the second dash to flags of node_exporter 0.x, which had one.
fn with_two_dashes(argument: OsString) -> OsString {
    match argument.to_str().map(|text| text.split('=').next().unwrap_or_default()) {
        Some("-auth.user" | "-auth.pass" | "-collectors.enabled") => {
            let mut two = OsString::from("-");
            two.push(argument);
            two
        }
        _ => argument,
    }
}

fn unknown(table: &Table, name: &str) -> String {
    match table.nearest(name) {
        Some(near) => format!("unknown flag --{name} (did you mean --{near}?)"),
        None => format!("unknown flag --{name}"),
    }
}

/// The value of a flag: the text after `=`, or the next argument, which must not look like a flag.
fn value_of(parser: &mut lexopt::Parser, written: &str) -> Result<String, String> {
    let value = match parser.optional_value() {
        Some(value) => value,
        None => parser
            .try_raw_args()
            .and_then(|mut rest| rest.next_if(|next| !next.as_encoded_bytes().starts_with(b"-")))
            .ok_or_else(|| format!("--{written}: expected a value; write one that begins with - after ="))?,
    };
    utf8(value, written)
}

/// What a word begins with, for errors: the rest may be a password in the wrong place.
fn begin(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let end = word.find('=').into_iter().chain(word.find("://")).min();
    end.map_or(word.to_string(), |end| format!("{}…", &word[..end]))
}

fn utf8(value: OsString, written: &str) -> Result<String, String> {
    value.into_string().map_err(|_| format!("--{written}: the value is not UTF-8"))
}

/// Result of the arguments parsed so far.
struct Found {
    values: FlagValues,
    /// Names as written, by current name.
    seen: BTreeMap<&'static str, String>,
    collectors: BTreeMap<&'static str, bool>,
    /// The collectors of `-collectors.enabled`, which disables all others.
    listed: Option<Vec<String>>,
    warnings: Vec<String>,
}

/// Flag of node_exporter 0.x with the list of enabled collectors.
const OLD_LIST: &str = "collectors.enabled";

impl Found {
    fn new(registrations: &[Registration]) -> Self {
        let declarations = registrations.iter().map(|registration| registration.declaration);
        let values = FlagValues::defaults(declarations.chain([own::DECLARATION]));
        Self { values, seen: BTreeMap::new(), collectors: BTreeMap::new(), listed: None, warnings: Vec::new() }
    }

    /// Accepts a flag that is not in the table: the old list of collectors or, with a warning, a flag of an absent
    /// collector.
    fn take_absent(&mut self, parser: &mut lexopt::Parser, table: &Table, written: &str) -> Result<(), String> {
        if written == OLD_LIST {
            let names = value_of(parser, written)?;
            self.listed = Some(names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect());
            self.warnings.push(format!(
                "--{OLD_LIST} is an old name, use --collector.disable-defaults and a flag --collector.NAME for each"
            ));
            return Ok(());
        }
        let absent = absent::find(written).ok_or_else(|| unknown(table, written))?;
        if absent.takes_value {
            value_of(parser, written)?;
        } else if let Some(value) = parser.optional_value() {
            return Err(format!("--{written} takes no value, found `{}`; --no-… switches off", begin(&value)));
        }
        self.warnings.push(absent.warning);
        Ok(())
    }

    fn switch(&mut self, entry: &FlagEntry, is_on: bool) -> Result<(), String> {
        match entry.meaning {
            Meaning::Collector(collector) if self.collectors.insert(collector, is_on).is_some() => {
                Err(format!("--[no-]{} cannot be repeated", entry.name))
            }
            Meaning::Flag(flag) => self.give(entry, flag, if is_on { "true" } else { "false" }),
            _ => Ok(()),
        }
    }

    fn give(&mut self, entry: &FlagEntry, flag: FlagInfo, value: &str) -> Result<(), String> {
        if let Some(before) = self.seen.insert(flag.name, entry.name.clone()) {
            if before != entry.name {
                return Err(format!("--{before} and --{} are mutually exclusive; use --{}", entry.name, flag.name));
            }
            if flag.kind != FlagKind::Texts {
                let no = if flag.kind == FlagKind::Switch { "[no-]" } else { "" };
                return Err(format!("--{no}{before} cannot be repeated"));
            }
        } else if entry.name != flag.name {
            self.warnings.push(format!("--{} is an old name, use --{}", entry.name, flag.name));
        }
        self.values.give(&flag, own::normalized(&flag, value))
    }

    /// Takes what a configuration file says and the command line does not. Returns the flags with `:` and their places.
    fn take_file(&mut self, file: config::ConfigFile) -> Result<Vec<(String, Place)>, String> {
        let mut places = Vec::new();
        for given in file.flags.iter().filter(|given| !self.seen.contains_key(given.flag.name)) {
            places.push((format!("{}:", given.flag.name), given.place));
            for value in &given.values {
                self.values.give(&given.flag, own::normalized(&given.flag, value))?;
            }
        }
        for (collector, is_on) in file.collectors {
            self.collectors.entry(collector).or_insert(is_on);
        }
        Ok(places)
    }

    /// Completes the state of every collector.
    fn finish(mut self, registrations: &[Registration]) -> (FlagValues, Vec<String>) {
        let has_defaults = !own::has_no_defaults(&self.values);
        for declaration in registrations.iter().map(|registration| registration.declaration) {
            let given = self.collectors.get(declaration.name).copied();
            let is_on = match &self.listed {
                Some(listed) => listed.iter().any(|name| name == declaration.name),
                None => has_defaults && declaration.is_enabled,
            };
            self.values.enable(declaration.name, given.unwrap_or(is_on));
        }
        let names: Vec<&str> = registrations.iter().map(|registration| registration.declaration.name).collect();
        for name in self.listed.iter().flatten().filter(|name| !names.contains(&name.as_str())) {
            self.warnings
                .push(format!("--{OLD_LIST}: `{name}` has no effect: this exporter does not have that collector"));
        }
        (self.values, self.warnings)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use collectors::declare;
    use collectors::kit::prelude::*;
    use proptest::prelude::*;

    mod example {
        use super::*;

        pub(super) struct Example;

        declare! {
            Example: "example", on, "An example.";
            flags {
                LOUD: Switch "collector.example.loud" = "false", "Says it louder.";
                SURE: Switch "collector.example.sure" = "true", "Is sure.";
                INCLUDE: Text "collector.example.include" = "", "Examples to include.", or(&["collector.example.whitelist"]);
                EXCLUDE: Text "collector.example.exclude" = "^\\d\"$", "Examples to exclude.";
                FILES: Texts "collector.example.file" = "", "Files.";
                WAIT: Span "collector.example.wait" = "5s", "Patience.";
                SECRET: Whole "collector.example.secret" = "4", "Threads.", hidden();
            }
            families {
                FAMILY: Gauge "node_example" () "Told by the flags.";
            }
        }

        impl Collect for Example {
            fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
                Ok(Self)
            }

            fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
                cx.page.gauge(FAMILY, (), 1_u64);
                Ok(())
            }
        }

        pub(super) fn told(values: &FlagValues) -> String {
            let options = Options::<Example>::new(values);
            format!(
                "loud={} sure={} include={} file={} wait={:?} secret={}",
                options.get(LOUD),
                options.get(SURE),
                options.get(INCLUDE),
                options.get(FILES).join(","),
                options.get(WAIT),
                options.get(SECRET),
            )
        }
    }

    mod quiet {
        use super::*;

        pub(super) struct Quiet;

        declare! {
            Quiet: "quiet", off, "Says nothing.";
        }

        impl Collect for Quiet {
            fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
                Ok(Self)
            }

            fn collect(&mut self, _: &mut Cx<'_, Self>) -> Result<(), Failure> {
                Ok(())
            }
        }
    }

    pub(crate) const REGISTRATIONS: &[Registration] =
        &[Registration::of::<example::Example>(), Registration::of::<quiet::Quiet>()];

    fn parsed(arguments: &[&str]) -> Result<Command, String> {
        parse(REGISTRATIONS, arguments.iter().map(OsString::from))
    }

    #[track_caller]
    fn settings(arguments: &[&str]) -> Settings {
        match parsed(arguments) {
            Ok(Command::Serve(settings)) => *settings,
            other => panic!("{arguments:?} gave {other:?}"),
        }
    }

    #[track_caller]
    fn check(arguments: &[&str], told: &str) {
        assert_eq!(example::told(&settings(arguments).values), told);
    }

    #[track_caller]
    fn refuse(arguments: &[&str], expected: &str) {
        match parsed(arguments) {
            Err(error) => assert_eq!(error, expected),
            Ok(other) => panic!("{arguments:?} gave {other:?}"),
        }
    }

    const DEFAULT: &str = "loud=false sure=true include= file= wait=5s secret=4";

    #[test]
    fn collectors_get_the_values_of_their_flags() {
        check(&[], DEFAULT);
        check(
            &["--collector.example.loud", "--no-collector.example.sure"],
            &DEFAULT.replace("loud=false sure=true", "loud=true sure=false"),
        );
        check(&["--collector.example.include=a=b"], &DEFAULT.replace("include=", "include=a=b"));
        check(&["--collector.example.include", "a b"], &DEFAULT.replace("include=", "include=a b"));
        check(&["--collector.example.include=-x"], &DEFAULT.replace("include=", "include=-x"));
        check(&["--collector.example.file=a", "--collector.example.file", "b"], &DEFAULT.replace("file=", "file=a,b"));
        check(&["--collector.example.wait=1m30s"], &DEFAULT.replace("5s", "90s"));
        check(&["--collector.example.secret=7"], &DEFAULT.replace("secret=4", "secret=7"));
    }

    #[test]
    fn old_names_are_accepted_with_a_warning() {
        check(&["--collector.example.whitelist=a"], &DEFAULT.replace("include=", "include=a"));
        let warnings = settings(&["--collector.example.whitelist=a"]).warnings;
        assert_eq!(warnings, ["--collector.example.whitelist is an old name, use --collector.example.include"]);
        let exclusive = "are mutually exclusive; use --collector.example.include";
        refuse(
            &["--collector.example.whitelist=a", "--collector.example.include=b"],
            &format!("--collector.example.whitelist and --collector.example.include {exclusive}"),
        );
        refuse(
            &["--collector.example.include=b", "--collector.example.whitelist=a"],
            &format!("--collector.example.include and --collector.example.whitelist {exclusive}"),
        );
    }

    #[test]
    fn flags_of_absent_collectors_cause_warnings() {
        let here: Vec<&str> = collectors::ALL.iter().map(|registration| registration.declaration.name).collect();
        for name in absent::NAMES.into_iter().chain(absent::OTHER_SYSTEMS) {
            assert!(!here.contains(&name), "{name} is here now");
            check(&[&format!("--collector.{name}"), &format!("--no-collector.{name}")], DEFAULT);
            check(&[&format!("--collector.{name}.x=1"), &format!("--collector.{name}.x"), "1"], DEFAULT);
            check(&[&format!("--no-collector.{name}.x")], DEFAULT);
        }
        check(&["--collector.ntp.server-is-local"], DEFAULT);
        let warnings = settings(&["--no-collector.logind", "--collector.boottime"]).warnings;
        assert_eq!(
            warnings,
            [
                "--no-collector.logind has no effect: this exporter does not have that collector",
                "--collector.boottime has no effect: that collector is for another system"
            ]
        );
        refuse(&["--collector.logind=1"], "--collector.logind takes no value, found `1`; --no-… switches off");
        refuse(
            &["--collector.ntp.server"],
            "--collector.ntp.server: expected a value; write one that begins with - after =",
        );
    }

    #[test]
    fn the_old_list_of_collectors_disables_all_others() {
        let warned = settings(&["-collectors.enabled=quiet,frobs"]);
        assert_eq!((warned.values.enabled("example"), warned.values.enabled("quiet")), (Some(false), Some(true)));
        assert_eq!(
            warned.warnings,
            [
                "--collectors.enabled is an old name, use --collector.disable-defaults and a flag --collector.NAME for each",
                "--collectors.enabled: `frobs` has no effect: this exporter does not have that collector"
            ]
        );
        assert!(
            settings(&["-collectors.enabled", "quiet", "--collector.example"]).values.enabled("example") == Some(true)
        );
    }

    #[test]
    fn negative_limits_and_empty_addresses_are_accepted_as_in_node_exporter() {
        for none in ["-1", "0", "-9223372036854775808"] {
            assert_eq!(settings(&[&format!("--web.max-requests={none}")]).requests_max, None);
        }
        assert_eq!(settings(&["--web.listen-address="]).listen_addresses, [":0"]);
    }

    #[test]
    fn negated_help_and_version_have_no_effect() {
        check(&["--no-help", "--no-version", "--no-help-long", "--no-help-man", "--no-completion-bash"], DEFAULT);
    }

    /// Command lines of the Helm chart, kube-prometheus, OpenShift and Debian.
    #[test]
    fn command_lines_of_distributions_are_accepted() {
        // prometheus-node-exporter of prometheus-community, and what kube-prometheus-stack adds.
        const HELM: &[&str] = &[
            "--path.procfs=/host/proc",
            "--path.sysfs=/host/sys",
            "--path.rootfs=/host/root",
            "--path.udev.data=/host/root/run/udev/data",
            "--web.listen-address=[0.0.0.0]:9100",
        ];
        const HELM_STACK: &[&str] = &[
            "--path.procfs=/host/proc",
            "--path.sysfs=/host/sys",
            "--path.rootfs=/host/root",
            "--path.udev.data=/host/root/run/udev/data",
            "--web.listen-address=[0.0.0.0]:9100",
            "--collector.filesystem.mount-points-exclude=^/(dev|proc|sys|run/containerd/.+|var/lib/docker/.+|var/lib/kubelet/.+)($|/)",
            "--collector.filesystem.fs-types-exclude=^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs|erofs)$",
        ];
        const KUBE_PROMETHEUS: &[&str] = &[
            "--web.listen-address=127.0.0.1:9101",
            "--path.sysfs=/host/sys",
            "--path.rootfs=/host/root",
            "--path.procfs=/host/root/proc",
            "--path.udev.data=/host/root/run/udev/data",
            "--no-collector.wifi",
            "--no-collector.hwmon",
            "--no-collector.btrfs",
            "--collector.filesystem.mount-points-exclude=^/(dev|proc|sys|run/k3s/containerd/.+|var/lib/docker/.+|var/lib/kubelet/pods/.+)($|/)",
            "--collector.netclass.ignored-devices=^(veth.*|[a-f0-9]{15})$",
            "--collector.netdev.device-exclude=^(veth.*|[a-f0-9]{15})$",
        ];
        // The daemon set of cluster-monitoring-operator with the arguments that it sets for its default configuration.
        const OPENSHIFT: &[&str] = &[
            "--web.listen-address=127.0.0.1:9101",
            "--path.sysfs=/host/sys",
            "--path.rootfs=/host/root",
            "--path.procfs=/host/root/proc",
            "--path.udev.data=/host/root/run/udev/data",
            "--no-collector.wifi",
            "--collector.filesystem.mount-points-exclude=^/(dev|proc|sys|run/k3s/containerd/.+|var/lib/docker/.+|var/lib/kubelet/pods/.+)($|/)",
            "--collector.netclass.ignored-devices=^(veth.*|[a-f0-9]{15}|enP.*|ovn-k8s-mp[0-9]*|br-ex|br-int|br-ext|br[0-9]*|tun[0-9]*|cali[a-f0-9]*|bond.*)$",
            "--collector.netdev.device-exclude=^(veth.*|[a-f0-9]{15}|enP.*|ovn-k8s-mp[0-9]*|br-ex|br-int|br-ext|br[0-9]*|tun[0-9]*|cali[a-f0-9]*|bond.*)$",
            "--collector.cpu.info",
            "--collector.textfile.directory=/var/node_exporter/textfile",
            "--no-collector.btrfs",
            "--runtime.gomaxprocs=0",
            "--no-collector.cpufreq",
            "--no-collector.tcpstat",
            "--collector.netdev",
            "--collector.netclass",
            "--collector.netclass.netlink",
            "--no-collector.ethtool",
            "--no-collector.interrupts",
            "--no-collector.softirqs",
            "--no-collector.zoneinfo",
            "--no-collector.dmmultipath",
            "--no-collector.nvmesubsystem",
            "--no-collector.buddyinfo",
            "--no-collector.mountstats",
            "--no-collector.ksmd",
            "--no-collector.processes",
            "--no-collector.systemd",
        ];
        // The same operator with every collector that its configuration can enable.
        const OPENSHIFT_ALL: &[&str] = &[
            "--web.listen-address=127.0.0.1:9101",
            "--runtime.gomaxprocs=4",
            "--collector.cpufreq",
            "--collector.tcpstat",
            "--collector.ethtool",
            "--collector.ethtool.device-exclude=^(veth.*|[a-f0-9]{15}|bond.*)$",
            "--collector.interrupts",
            "--collector.interrupts.name-include=^(.*;.*;(eth|eno|ens|em[0-9]|bond|team|mlx|.*TxRx.*).*)$",
            "--collector.softirqs",
            "--collector.zoneinfo",
            "--collector.dmmultipath",
            "--collector.nvmesubsystem",
            "--collector.buddyinfo",
            "--collector.mountstats",
            "--collector.ksmd",
            "--collector.processes",
            "--collector.systemd",
            "--collector.systemd.unit-include=^(kubelet.service|crio.service)$",
        ];
        // Debian's file sets nothing; these are flags that its comments and older versions of it show.
        const DEBIAN: &[&str] = &[
            "--collector.diskstats.ignored-devices=^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$",
            "--collector.filesystem.ignored-mount-points=^/(sys|proc|dev|run)($|/)",
            "--collector.netdev.device-exclude=^lo$",
            "--collector.textfile.directory=/var/lib/prometheus/node-exporter",
        ];
        const DEBIAN_UNCHANGED: &[&str] = &[];
        for arguments in [HELM, HELM_STACK, KUBE_PROMETHEUS, OPENSHIFT, OPENSHIFT_ALL, DEBIAN, DEBIAN_UNCHANGED] {
            let arguments = arguments.iter().map(OsString::from);
            let parsed = parse(collectors::ALL, arguments);
            let Ok(Command::Serve(settings)) = parsed else { panic!("{parsed:?}") };
            let tree = std::sync::Arc::new(collectors::host::root::tree::Tree::new());
            let kernel = std::sync::Arc::new(collectors::host::kernel::canned::Canned::default());
            let built =
                collectors::kit::scraper::Scraper::build(collectors::ALL, &settings.values, tree.roots(), kernel);
            assert_eq!(built.map(drop), Ok(()));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_words() {
        refuse(&["--x"], "unknown flag --x");
        refuse(&["-x"], "unknown flag -x");
        refuse(&["--web.listen-addres=:1"], "unknown flag --web.listen-addres (did you mean --web.listen-address?)");
        refuse(
            &["--no-collector.exmaple"],
            "unknown flag --no-collector.exmaple (did you mean --no-collector.example?)",
        );
        refuse(&["--no-web.max-requests=1"], "unknown flag --no-web.max-requests");
        refuse(&["metrics"], "unexpected `metrics`");
        refuse(&["--", "--simulate"], "unexpected `--simulate`");
        let expected = "--web.max-requests: expected a value; write one that begins with - after =";
        refuse(&["--web.max-requests"], expected);
        refuse(&["--web.max-requests", "--simulate"], expected);
        refuse(&["--web.max-requests=many"], "--web.max-requests: expected a whole number, found `many`");
        refuse(&["--collector.example=yes"], "--collector.example takes no value, found `yes`; --no-… switches off");
        refuse(
            &["--collector.example.wait=5"],
            "--collector.example.wait: expected a duration such as 5s, 1m30s or 200ms, found `5`",
        );
        refuse(&["--log.level=loud"], "--log.level: expected one of debug, info, warn, error, found `loud`");
        refuse(&["--log.format=xml"], "--log.format: expected one of logfmt, json, found `xml`");
        refuse(
            &["--web.telemetry-path=metrics"],
            "--web.telemetry-path: expected a path that begins with /, found `metrics`",
        );
        refuse(
            &["--web.listen-address=9100"],
            "--web.listen-address: expected :PORT, HOST:PORT, unix:PATH or vsock://:PORT, found `9100`",
        );
    }

    #[test]
    fn nothing_that_holds_one_value_is_repeated() {
        refuse(&["--collector.example", "--no-collector.example"], "--[no-]collector.example cannot be repeated");
        refuse(&["--collector.example", "--collector.example"], "--[no-]collector.example cannot be repeated");
        refuse(
            &["--collector.example.loud", "--no-collector.example.loud"],
            "--[no-]collector.example.loud cannot be repeated",
        );
        refuse(&["--path.procfs=/a", "--path.procfs=/b"], "--path.procfs cannot be repeated");
        refuse(&["--simulate", "--simulate"], "--simulate cannot be repeated");
    }

    #[test]
    fn access_is_configured_by_a_file_or_by_deprecated_flags() {
        assert_eq!(settings(&[]).access, Access::Everybody);
        assert_eq!(settings(&["--web.config.file=a/web.yml"]).access, Access::File("a/web.yml".into()));
        let old = settings(&["--web.config=a/web.yml"]);
        assert_eq!(old.access, Access::File("a/web.yml".into()));
        assert_eq!(old.warnings, ["--web.config is an old name, use --web.config.file"]);
        let user = Access::User { name: "me".to_owned(), password: crate::access::Secret("a=b".to_owned()) };
        for arguments in [
            ["-auth.user=me", "-auth.pass=a=b", ""],
            ["--auth.user=me", "--auth.pass=a=b", ""],
            ["-auth.user", "me", "-auth.pass=a=b"],
        ] {
            let arguments: Vec<_> = arguments.into_iter().filter(|argument| !argument.is_empty()).collect();
            let settings = settings(&arguments);
            assert_eq!(settings.access, user);
            assert_eq!(settings.warnings.len(), 1);
            assert!(!format!("{:?}", settings.access).contains("a=b"));
        }
        refuse(&["-auth.user=me"], "--auth.user: expected --auth.pass as well");
        refuse(&["-auth.pass=x"], "--auth.pass: expected --auth.user as well");
        refuse(&["-auth.user=a:b", "-auth.pass=x"], "--auth.user: expected a name without a colon");
        refuse(
            &["-auth.user=me", "-auth.pass=x", "--web.config.file=web.yml"],
            "--auth.user: not together with --web.config.file; write the user into basic_auth_users there",
        );
    }

    #[test]
    fn collectors_are_switched() {
        let enabled = |arguments: &[&str]| {
            let values = settings(arguments).values;
            (values.enabled("example"), values.enabled("quiet"))
        };
        assert_eq!(enabled(&[]), (Some(true), Some(false)));
        assert_eq!(enabled(&["--no-collector.example", "--collector.quiet"]), (Some(false), Some(true)));
        assert_eq!(enabled(&["--collector.disable-defaults"]), (Some(false), Some(false)));
        assert_eq!(enabled(&["--collector.quiet", "--collector.disable-defaults"]), (Some(false), Some(true)));
        assert_eq!(enabled(&["--no-collector.disable-defaults"]), (Some(true), Some(false)));
    }

    #[test]
    fn the_server_has_node_exporters_defaults() {
        let settings = settings(&[]);
        assert_eq!(settings.listen_addresses, [":9100"]);
        assert_eq!(settings.telemetry_path, "/metrics");
        assert_eq!(settings.requests_max.map(NonZeroUsize::get), Some(40));
        assert!(settings.has_exporter_metrics && !settings.is_simulated && !settings.paths.is_given);
        assert_eq!((settings.log_level, settings.log_format), (Level::Info, Format::Logfmt));
        let super::Paths { procfs, sysfs, rootfs, udev, .. } = &settings.paths;
        let paths = [procfs, sysfs, rootfs, udev].map(|path| path.to_str().unwrap());
        assert_eq!(paths, ["/proc", "/sys", "/", "/run/udev/data"]);
        assert_eq!(settings.warnings, <[String; 0]>::default());
    }

    #[test]
    fn the_server_gets_the_values_of_its_flags() {
        let settings = settings(&[
            "--web.listen-address=127.0.0.1:0",
            "--web.listen-address",
            "[::1]:9100",
            "--web.telemetry-path=/",
            "--web.disable-exporter-metrics",
            "--web.max-requests=0",
            "--path.udev.data=/u",
            "--log.level=debug",
            "--log.format=json",
            "--runtime.gomaxprocs=4",
            "--simulate",
        ]);
        assert_eq!(settings.listen_addresses, ["127.0.0.1:0", "[::1]:9100"]);
        assert_eq!((settings.telemetry_path.as_str(), settings.requests_max), ("/", None));
        assert!(!settings.has_exporter_metrics && settings.is_simulated && settings.paths.is_given);
        assert_eq!(settings.paths.udev, PathBuf::from("/u"));
        assert_eq!((settings.log_level, settings.log_format), (Level::Debug, Format::Json));
    }

    #[test]
    fn the_simulated_host_is_configured_by_flags() {
        let simulation = |arguments: &[&str]| settings(arguments).simulation;
        let usual = Simulation {
            profile: "vm".to_owned(),
            seed: 1,
            has_seed: false,
            scenario: None,
            overrides: Vec::new(),
            speed_milli: 1_000,
        };
        assert_eq!(simulation(&[]), usual);
        assert_eq!(simulation(&["--simulate"]), usual);
        assert_eq!(simulation(&["--simulate=pi4"]).profile, "pi4");
        let set = ["--simulate.set=cpus=8", "--simulate.set", "memory_gib=64", "--simulate.seed=7"];
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(simulation(&set).overrides, [pair("cpus", "8"), pair("memory_gib", "64")]);
        assert_eq!((simulation(&set).seed, simulation(&set).has_seed), (7, true));
        assert_eq!(simulation(&["--simulate.scenario=a.toml"]).scenario, Some(PathBuf::from("a.toml")));
        assert!(settings(&["--simulate.scenario=a.toml"]).is_simulated);
        refuse(
            &["--replay=a.tree", "--simulate.scenario=a.toml"],
            "--replay and --simulate.scenario are mutually exclusive",
        );
        for (speed, milli) in [("60", 60_000), ("0.5", 500), ("1.250", 1_250), ("0", 0), ("1000000", 1_000_000_000)] {
            assert_eq!(simulation(&[&format!("--simulate.speed={speed}")]).speed_milli, milli);
        }
        for speed in ["", "fast", "-1", "1.2345", "1000001", ".5", "1.", "0x1"] {
            refuse(
                &[&format!("--simulate.speed={speed}")],
                &format!("--simulate.speed: expected a number from 0 to 1000000 such as 60 or 0.5, found `{speed}`"),
            );
        }
        refuse(&["--simulate.set=cpus"], "--simulate.set: expected KEY=VALUE, found `cpus`");
        refuse(&["--simulate", "pi4"], "unexpected `pi4`");
    }

    #[test]
    fn help_and_version_take_precedence() {
        for arguments in [&["-h"][..], &["--help"], &["--help-long"], &["--simulate", "-h", "--x"], &["-hx"]] {
            assert!(matches!(parsed(arguments), Ok(Command::Help)), "{arguments:?}");
        }
        assert!(matches!(parsed(&["--version", "--x"]), Ok(Command::Version)));
        assert!(matches!(parsed(&["--help-man"]), Ok(Command::Manual)));
        for shell in Shell::ALL {
            let found = parsed(&[&format!("--{}", shell.flag())]);
            assert!(matches!(found, Ok(Command::CompletionScript(found)) if found == shell), "{shell:?}");
        }
        match parsed(&["--simulate", "--completion-bash", "--x", "", "--"]) {
            Ok(Command::Completions(words)) => assert_eq!(words, ["--x", "", "--"]),
            other => panic!("{other:?}"),
        }
        refuse(&["--x", "--version"], "unknown flag --x");
    }

    #[test]
    fn every_flag_of_the_real_table_is_accepted() {
        for entry in Table::new(collectors::ALL).entries() {
            let (value, no) = match entry.meaning {
                Meaning::Print(_) => (None, Some(format!("--no-{}", entry.name))),
                Meaning::Collector(_) | Meaning::Flag(FlagInfo { kind: FlagKind::Switch, .. }) => {
                    (None, Some(format!("--no-{}", entry.name)))
                }
                Meaning::Flag(flag) => (Some(flag.default), None),
            };
            let argument = value.map_or(format!("--{}", entry.name), |value| format!("--{}={value}", entry.name));
            for argument in [Some(argument), no].into_iter().flatten() {
                let parsed = parse(collectors::ALL, [OsString::from(&argument)]);
                assert!(parsed.is_ok(), "{argument}: {parsed:?}");
            }
        }
    }

    /// An argument: an existing name, a similar one, or any text.
    fn argument() -> impl Strategy<Value = String> {
        let names: Vec<_> = Table::new(REGISTRATIONS).entries().map(|entry| entry.name.clone()).collect();
        prop_oneof![
            (prop::bool::ANY, prop::sample::select(names.clone()), "(=[a-z0-9:/.]{0,6})?")
                .prop_map(|(no, name, value)| format!("--{}{name}{value}", if no { "no-" } else { "" })),
            (prop::sample::select(names), 0_usize..30)
                .prop_map(|(name, cut)| format!("--{}", name.get(cut..).unwrap_or("ü"))),
            "-{0,3}\\PC{0,5}",
        ]
    }

    proptest! {
        #[test]
        fn arbitrary_arguments_do_not_panic(arguments in prop::collection::vec(argument(), 0..6)) {
            if let Err(error) = parse(REGISTRATIONS, arguments.into_iter().map(OsString::from)) {
                prop_assert!(!error.is_empty());
            }
        }
    }
}
