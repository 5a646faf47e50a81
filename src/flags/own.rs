//! The server's own flags.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use collectors::declare;
use collectors::kit::declare::{Declaration, Declared};
use collectors::kit::options::{FlagInfo, FlagValues, Options};

use super::{Paths, Push, Settings, Simulation};
use crate::access::Access;
use crate::log::{Format, Level};
use crate::serve::deadline::Deadlines;
use crate::target::{TargetOptions, is_label_name, without_secrets};

/// Profile of the simulated host if none is named.
pub const SIMULATED: &str = "vm";

/// Declares the server's flags.
#[derive(Debug)]
pub(super) struct Server;

declare! {
    Server: "server", on, "Serves the page.";
    flags {
        PROCFS: Text "path.procfs" = "/proc", "Mount point of procfs.";
        SYSFS: Text "path.sysfs" = "/sys", "Mount point of sysfs.";
        ROOTFS: Text "path.rootfs" = "/", "Mount point of the host's root file system.";
        UDEV: Text "path.udev.data" = "/run/udev/data", "Directory of the udev database.";
        TELEMETRY_PATH: Text "web.telemetry-path" = "/metrics", "Path of the metrics page.";
        NO_EXPORTER_METRICS: Switch "web.disable-exporter-metrics" = "false",
            "Omit the exporter's own metrics: promhttp_*, process_*.";
        REQUESTS_MAX: Whole "web.max-requests" = "40",
            "Maximum number of concurrent scrapes; further ones get status 503. 0 removes the limit.";
        OPENMETRICS: Switch "web.enable-openmetrics" = "false",
            "Serve OpenMetrics to clients that prefer it.";
        SCRAPE_TIME: Span "web.scrape-timeout" = "10s",
            "Time limit of a scrape whose client sends no timeout. Later collectors are omitted.";
        SCRAPE_OFFSET: Span "web.scrape-timeout-offset" = "500ms",
            "Time between sending the page and the client's timeout.";
        NO_DEFAULTS: Switch "collector.disable-defaults" = "false",
            "Disable all collectors except those enabled by flags.";
        PROCESSORS: Whole "runtime.gomaxprocs" = "1",
            "No effect; accepted for compatibility with node_exporter.";
        SIMULATE: Text "simulate" = "",
            "Profile of a simulated host to serve instead of this one; vm without a value. \
             Systems other than Linux always simulate.", bare(SIMULATED);
        SIMULATE_SEED: Whole "simulate.seed" = "1", "Seed of the simulated host.";
        SIMULATE_SET: Texts "simulate.set" = "",
            "Setting of the simulated host, as KEY=VALUE; repeatable.";
        SIMULATE_SCENARIO: Text "simulate.scenario" = "",
            "Scenario file of a simulated host with events and faults, see docs/SIMULATOR.md. \
             Its time starts with the exporter; other flags override the file.";
        SIMULATE_SPEED: Text "simulate.speed" = "1",
            "Speed of the simulated time: simulated seconds per second, with up to three decimals.";
        REPLAY: Text "replay" = "",
            "Recording (.tree file of `nodelab record`) to serve instead of this host. Counters advance if it has two snapshots.";
        WEB_CONFIG: Text "web.config.file" = "",
            "Web configuration file: TLS, logins, headers and a rate limit, see docs/WEB.md.", or(&["web.config"]);
        AUTH_USER: Text "auth.user" = "", "The only user, as of node_exporter 0.8.", hidden();
        AUTH_PASSWORD: Text "auth.pass" = "", "The user's password, as of node_exporter 0.8.", hidden();
        LISTEN_ADDRESSES: Texts "web.listen-address" = ":9100",
            "Address to listen on: :PORT, HOST:PORT, unix:PATH or vsock://:PORT; repeatable.";
        SYSTEMD_SOCKET: Switch "web.systemd-socket" = "false",
            "Listen on sockets passed by systemd instead of --web.listen-address. Linux only.";
        SANDBOX: Switch "sandbox" = "false",
            "Restrict file access to the files that collectors read, by landlock. Linux only.";
        PUSH_TO: Texts "push.to" = "",
            "Push target, as KIND=URL; repeatable. KIND is pushgateway, import, remote-write, remote-write-2 or file, see docs/PUSH.md.";
        PUSH_INTERVAL: Span "push.interval" = "30s", "Time between two pushes. The phase is derived from the host's name.";
        PUSH_CRON: Text "push.cron" = "",
            "Cron expression instead of the interval: minute, hour, day, month, weekday, and optionally seconds in front.";
        PUSH_TIME_ZONE: Text "push.time-zone" = "utc", "Time zone of --push.cron. One of: [utc, local]";
        PUSH_SPREAD: Span "push.spread" = "30s", "Time after the moments of --push.cron over which hosts are spread by their names.";
        PUSH_JITTER: Span "push.jitter" = "0s", "Maximum random delay of a push, at most half of the interval.";
        PUSH_SCRAPE: Texts "push.scrape" = "", "Page of another exporter to push as well, as URL or JOB=URL; repeatable.";
        PUSH_TIMEOUT: Span "push.timeout" = "10s", "Timeout of a request to a target.";
        PUSH_QUEUE: Text "push.queue" = "",
            "Directory of the queues of unsent samples. Default: 4 MiB of memory, lost when the process ends.";
        PUSH_QUEUE_MAX: Whole "push.queue-max-bytes" = "268435456", "Maximum size of a target's queue in bytes; the oldest samples are dropped beyond it.";
        PUSH_LABELS: Texts "push.label" = "", "Label of every pushed series, as NAME=VALUE; repeatable.";
        PUSH_KEEP: Texts "push.keep" = "", "Name prefix of families to push, instead of all; repeatable.";
        PUSH_DROP: Texts "push.drop" = "", "Name prefix of families not to push; repeatable.";
        PUSH_ONCE: Switch "push.once" = "false", "Push once and exit, with status 0 if every target accepted the samples.";
        PUSH_JOB: Text "push.job" = "node_exporter", "Label job of pushed samples, and of the group of a Pushgateway.";
        PUSH_INSTANCE: Text "push.instance" = "", "Label instance of pushed samples; the host's name by default.";
        CONFIG_FILE: Text "config.file" = "", "YAML file with values of flags and with push targets, see docs/CONFIG.md.";
        CONFIG_CHECK: Switch "config.check" = "false", "Check the configuration, print it without secrets, and exit.";
        LIFECYCLE: Switch "web.enable-lifecycle" = "false", "Reload --config.file on POST /-/reload, as on SIGHUP.";
        LOG_LEVEL: Text "log.level" = "info", "Minimum severity of log messages. One of: [debug, info, warn, error]";
        LOG_FORMAT: Text "log.format" = "logfmt", "Format of log messages. One of: [logfmt, json]";
    }
}

pub(super) const DECLARATION: &Declaration = Server::DECLARATION;

/// Address of an empty `--web.listen-address`: the system chooses a port.
const ANY_PORT: &str = ":0";

/// Replaces a negative `--web.max-requests`, which node_exporter accepts for no limit, by 0.
pub(super) fn normalized<'a>(flag: &FlagInfo, value: &'a str) -> &'a str {
    let is_negative = value.parse::<i64>().is_ok_and(|value| value < 0);
    if flag.name == REQUESTS_MAX.info().name && is_negative { "0" } else { value }
}

/// Value of `--config.file`.
pub(super) fn config_file(values: &FlagValues) -> Option<PathBuf> {
    Some(Options::<Server>::new(values).get(CONFIG_FILE)).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// A value of a repeatable flag for output: addresses may have passwords in them.
pub(super) fn shown(flag: &FlagInfo, text: &str) -> String {
    if flag.name == PUSH_TO.info().name {
        return TargetOptions::parse(text).map_or(String::new(), |target| target.name);
    }
    if flag.name == PUSH_SCRAPE.info().name { without_secrets(text) } else { text.to_owned() }
}

/// Whether `--push.to` was given.
pub(super) fn has_targets(values: &FlagValues) -> bool {
    values.is_given(&PUSH_TO.info())
}

/// Whether `--collector.disable-defaults` was given.
pub(super) fn has_no_defaults(values: &FlagValues) -> bool {
    Options::<Server>::new(values).get(NO_DEFAULTS)
}

/// Converts the values of flags to settings. The error is for the operator.
pub(super) fn settings((values, mut warnings): (FlagValues, Vec<String>)) -> Result<Settings, String> {
    let options = Options::<Server>::new(&values);
    let access = [WEB_CONFIG, AUTH_USER, AUTH_PASSWORD].map(|flag| options.get(flag));
    let access = Access::of(access, &mut warnings)?;
    let mut listen_addresses = options.get(LISTEN_ADDRESSES).to_vec();
    if listen_addresses.is_empty() {
        listen_addresses.push(ANY_PORT.to_owned());
    }
    for flag in [PROCFS, SYSFS, ROOTFS, UDEV] {
        if options.get(flag).is_empty() {
            return Err(format!("--{}: expected a directory, found nothing", flag.info().name));
        }
    }
    for address in &listen_addresses {
        crate::serve::listen::parse(address).map_err(|error| format!("--{}: {error}", LISTEN_ADDRESSES.info().name))?;
    }
    let telemetry_path = options.get(TELEMETRY_PATH).to_owned();
    if !telemetry_path.starts_with('/') || telemetry_path.contains(['?', '#']) {
        let name = TELEMETRY_PATH.info().name;
        return Err(format!("--{name}: expected a path that begins with /, found `{telemetry_path}`"));
    }
    let word = |flag: collectors::kit::options::Flag<Server, _>| (options.get(flag), flag.info().name);
    let (level, level_name) = word(LOG_LEVEL);
    let (format, format_name) = word(LOG_FORMAT);
    let replay = options.get(REPLAY);
    let is_simulated = is_simulated(&options)?;
    let requests_max = usize::try_from(options.get(REQUESTS_MAX)).unwrap_or(usize::MAX);
    let paths = Paths {
        procfs: PathBuf::from(options.get(PROCFS)),
        sysfs: PathBuf::from(options.get(SYSFS)),
        rootfs: PathBuf::from(options.get(ROOTFS)),
        udev: PathBuf::from(options.get(UDEV)),
        is_given: [PROCFS, SYSFS, ROOTFS, UDEV].iter().any(|flag| options.is_given(*flag)),
    };
    Ok(Settings {
        listen_addresses,
        has_inherited_sockets: options.get(SYSTEMD_SOCKET),
        has_sandbox: options.get(SANDBOX),
        telemetry_path,
        access,
        has_exporter_metrics: !options.get(NO_EXPORTER_METRICS),
        requests_max: NonZeroUsize::new(requests_max),
        has_openmetrics: options.get(OPENMETRICS),
        deadlines: deadlines(&options)?,
        paths,
        log_level: Level::parse(level).map_err(|error| format!("--{level_name}: {error}"))?,
        log_format: Format::parse(format).map_err(|error| format!("--{format_name}: {error}"))?,
        is_simulated,
        simulation: simulation(&options)?,
        push: push(&options)?,
        config_file: config_file(&values),
        is_check: options.get(CONFIG_CHECK),
        has_lifecycle: options.get(LIFECYCLE),
        replay: (!replay.is_empty()).then(|| PathBuf::from(replay)),
        warnings,
        values,
    })
}

/// The settings of push without any flag.
pub(super) fn push_defaults() -> Result<Push, String> {
    push(&Options::new(&FlagValues::defaults([DECLARATION])))
}

/// Reads the targets of the command line.
fn targets(options: &Options<'_, Server>) -> Result<Vec<TargetOptions>, String> {
    let mut targets: Vec<TargetOptions> = Vec::new();
    for text in options.get(PUSH_TO) {
        let target = TargetOptions::parse(text).map_err(|error| format!("--{}: {error}", PUSH_TO.info().name))?;
        if targets.iter().any(|other| other.name == target.name) {
            return Err(format!("--{}: `{target}` is given twice", PUSH_TO.info().name));
        }
        targets.push(target);
    }
    Ok(targets)
}

fn push(options: &Options<'_, Server>) -> Result<Push, String> {
    for flag in [PUSH_INTERVAL, PUSH_TIMEOUT] {
        if options.get(flag).is_zero() {
            return Err(format!("--{}: expected a time above zero", flag.info().name));
        }
    }
    let (queue, cron) = (options.get(PUSH_QUEUE), options.get(PUSH_CRON));
    let is_local_time = match options.get(PUSH_TIME_ZONE) {
        "utc" => false,
        "local" => true,
        other => return Err(format!("--{}: expected utc or local, found `{other}`", PUSH_TIME_ZONE.info().name)),
    };
    let label = |text: &String| match text.split_once('=') {
        Some((name, value)) if is_label_name(name) => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("--{}: expected NAME=VALUE, found `{text}`", PUSH_LABELS.info().name)),
    };
    Ok(Push {
        targets: targets(options)?,
        job: options.get(PUSH_JOB).to_owned(),
        instance: options.get(PUSH_INSTANCE).to_owned(),
        scrapes: options.get(PUSH_SCRAPE).to_vec(),
        interval: options.get(PUSH_INTERVAL),
        cron: (!cron.is_empty()).then(|| cron.to_owned()),
        is_local_time,
        spread: options.get(PUSH_SPREAD),
        jitter: options.get(PUSH_JITTER),
        timeout: options.get(PUSH_TIMEOUT),
        queue: (!queue.is_empty()).then(|| PathBuf::from(queue)),
        queue_max_bytes: options.get(PUSH_QUEUE_MAX).max(1 << 20),
        labels: options.get(PUSH_LABELS).iter().map(label).collect::<Result<_, _>>()?,
        keep: options.get(PUSH_KEEP).to_vec(),
        drop: options.get(PUSH_DROP).to_vec(),
        is_once: options.get(PUSH_ONCE),
    })
}

fn deadlines(options: &Options<'_, Server>) -> Result<Deadlines, String> {
    let time = options.get(SCRAPE_TIME);
    if time.is_zero() {
        return Err(format!("--{}: expected a time above zero", SCRAPE_TIME.info().name));
    }
    Ok(Deadlines { time, offset: options.get(SCRAPE_OFFSET) })
}

/// Whether a simulated host is selected. With `--replay` that is an error.
fn is_simulated(options: &Options<'_, Server>) -> Result<bool, String> {
    let simulated = [SIMULATE, SIMULATE_SCENARIO].into_iter().find(|flag| options.is_given(*flag));
    match simulated.filter(|_| !options.get(REPLAY).is_empty()) {
        Some(flag) => Err(format!("--{} and --{} are mutually exclusive", REPLAY.info().name, flag.info().name)),
        None => Ok(simulated.is_some()),
    }
}

fn simulation(options: &Options<'_, Server>) -> Result<Simulation, String> {
    let pair = |text: &String| match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err(format!("--{}: expected KEY=VALUE, found `{text}`", SIMULATE_SET.info().name)),
    };
    let profile = Some(options.get(SIMULATE)).filter(|profile| !profile.is_empty()).or(SIMULATE.info().bare);
    let (speed, scenario) = (options.get(SIMULATE_SPEED), options.get(SIMULATE_SCENARIO));
    Ok(Simulation {
        scenario: (!scenario.is_empty()).then(|| PathBuf::from(scenario)),
        has_seed: options.is_given(SIMULATE_SEED),
        profile: profile.unwrap_or_default().to_owned(),
        seed: options.get(SIMULATE_SEED),
        overrides: options.get(SIMULATE_SET).iter().map(pair).collect::<Result<_, _>>()?,
        speed_milli: thousandths(speed).filter(|milli| *milli <= SPEED_MOST * 1_000).ok_or_else(|| {
            let name = SIMULATE_SPEED.info().name;
            format!("--{name}: expected a number from 0 to {SPEED_MOST} such as 60 or 0.5, found `{speed}`")
        })?,
    })
}

/// Maximum speed: eleven days per second.
const SPEED_MOST: u64 = 1_000_000;

/// Parses a decimal number with up to three decimals to thousandths.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || part.is_some_and(|part| !digits(part) || part.len() > 3) {
        return None;
    }
    let part = format!("{:0<3}", part.unwrap_or_default());
    whole.parse::<u64>().ok()?.checked_mul(1_000)?.checked_add(part.parse().ok()?)
}
