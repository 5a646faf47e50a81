//! The `node_exporter` binary.
#![expect(clippy::disallowed_methods, reason = "the command line and its `@file`s are read here")]

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use collectors::host::kernel::clock;
use collectors::kit::failure::panic_words;
use node_exporter::flags::{self, Command, Outside, Settings};
use node_exporter::instruments::Instruments;
use node_exporter::lifecycle::Lifecycle;
use node_exporter::log::{Field, Log};
#[cfg(target_os = "linux")]
use node_exporter::sandbox;
use node_exporter::serve::front::Front;
use node_exporter::serve::handler::answer::Handle;
use node_exporter::serve::listen::{self, Listener};
use node_exporter::serve::signals::{Signalled, Signals};
use node_exporter::serve::web_config::WebConfig;
use node_exporter::{host, minimums, version};

/// Maximum time of running scrapes after a signal.
const GRACE: Duration = Duration::from_secs(8);

/// Maximum time at the end for writing the queued log lines.
const FLUSH_TIME: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    node_exporter::memory::keep_little();
    match command() {
        Ok(Command::Help) => print(&flags::help::text(collectors::ALL)),
        Ok(Command::Version) => print(&version::text()),
        Ok(Command::Manual) => print(&flags::manual::text(collectors::ALL)),
        Ok(Command::CompletionScript(shell)) => print(&flags::completion::script(shell, collectors::ALL)),
        Ok(Command::Completions(words)) => print(&flags::completion::words(&words, collectors::ALL)),
        Ok(Command::Check(settings)) => print(&flags::config::effective(collectors::ALL, &settings)),
        Ok(Command::Serve(settings)) => serve(&settings),
        Err(error) => {
            // An error in a file comes with the line of the file.
            let advice = if error.contains('\n') { "" } else { ", try --help" };
            eprintln!("node_exporter: error: {error}{advice}");
            ExitCode::FAILURE
        }
    }
}

/// Prints text. A closed pipe, as with `head`, is not an error.
fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("node_exporter: error: standard output: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn command() -> Result<Command, String> {
    let arguments = flags::files::expand(std::env::args_os().skip(1), |path| std::fs::read_to_string(path))?;
    let outside = Outside { read: &|path| std::fs::read_to_string(path), variable: &|name| std::env::var(name).ok() };
    flags::parse_with(collectors::ALL, arguments, outside)
}

fn serve(settings: &Settings) -> ExitCode {
    let log = match Log::queued(settings.log_level, settings.log_format, clock::now, std::io::stderr()) {
        Ok(log) => Arc::new(log),
        Err(error) => {
            eprintln!("node_exporter: error: {}", minimums::no_thread(&error));
            return ExitCode::FAILURE;
        }
    };
    log_panics(&log);
    let result = run(settings, &log);
    if let Err(error) = &result {
        log.error(error, &[]);
    }
    log.flush(FLUSH_TIME);
    if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Panics are logged: the default hook writes to standard error, which may block.
fn log_panics(log: &Arc<Log>) {
    let log = Arc::clone(log);
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        let fields = [("at", Field::Text(&place)), ("err", Field::Text(&panic_words(panic.payload())))];
        log.error("a thread panicked", &fields);
    }));
}

fn run(settings: &Settings, log: &Arc<Log>) -> Result<(), String> {
    minimums::check()?;
    log.info("Starting node_exporter", &[("version", Field::Text(&version::line()))]);
    warn(settings, log);
    let web_config = WebConfig::open(&settings.access, log)?;
    let host = host::open(settings)?;
    if host.is_simulated {
        log.warn("Serving a simulated host: all values are generated.", &[]);
    }
    if host.is_replayed {
        log.warn("Serving a recorded host: no value is of this machine.", &[]);
    }
    let instruments = Instruments::new(settings.has_exporter_metrics).map_err(|error| error.to_string())?;
    instruments.add(Box::new(log.dropped().clone())).map_err(|error| error.to_string())?;
    if let Some(web_config) = &web_config {
        web_config.show(&instruments)?;
    }
    let lifecycle = Lifecycle::build(settings.clone(), host, instruments, log, Box::new(command))?;
    if let Some(pushed) = lifecycle.push_once() {
        return pushed;
    }
    let lifecycle = Arc::new(lifecycle);
    if settings.has_lifecycle {
        let reloaded = Arc::clone(&lifecycle);
        lifecycle.handler().allow_reload(Box::new(move || reloaded.reload()));
    }
    let mut handler: Arc<dyn Handle> = lifecycle.handler();
    if let Some(web_config) = &web_config {
        handler = web_config.guard(handler);
    }
    let secure = web_config.as_ref().and_then(WebConfig::secure);
    log.info(if secure.is_some() { "TLS is enabled" } else { "TLS is disabled" }, &[]);
    // Before the log says that it listens: a SIGHUP from then on is a reload.
    let signals = Signals::register(settings.config_file.is_some()).map_err(|error| format!("signals: {error}"))?;
    let front = Front::new(listeners(settings, log)?, secure).map_err(|error| format!("listening: {error}"))?;
    confine(settings, web_config.as_deref(), log)?;
    if let Some(web_config) = &web_config {
        web_config.watch().map_err(|error| format!("--web.config.file: {error}"))?;
    }
    lifecycle.start_ticks()?;
    let ended = until_signalled(front, signals, &handler, &lifecycle, log);
    lifecycle.stop();
    ended
}

/// Opens and logs all listeners.
fn listeners(settings: &Settings, log: &Log) -> Result<Vec<Listener>, String> {
    if settings.has_inherited_sockets {
        return inherited(log);
    }
    let listening = settings.listen_addresses.iter().map(|address| {
        let listener = listen::listen_among(address, &settings.listen_addresses)
            .map_err(|error| format!("--web.listen-address={address}: {error}"))?;
        log.info("Listening on", &[("address", Field::Text(&listener))]);
        Ok(listener)
    });
    listening.collect()
}

#[cfg(target_os = "linux")]
fn inherited(log: &Log) -> Result<Vec<Listener>, String> {
    let inherited = listen::inherited::listeners().map_err(|error| format!("--web.systemd-socket: {error}"))?;
    let told = inherited.into_iter().map(|socket| {
        let fields = [("address", Field::Text(&socket.listener)), ("name", Field::Text(&socket.name))];
        log.info("Listening on", &fields);
        socket.listener
    });
    Ok(told.collect())
}

#[cfg(not(target_os = "linux"))]
fn inherited(_: &Log) -> Result<Vec<Listener>, String> {
    Err("--web.systemd-socket: this system has no systemd; use --web.listen-address".to_owned())
}

/// Restricts file access to the needed files.
#[cfg(target_os = "linux")]
fn confine(settings: &Settings, web_config: Option<&WebConfig>, log: &Log) -> Result<(), String> {
    if !settings.has_sandbox {
        return Ok(());
    }
    let mut needs = sandbox::Needs::of(settings);
    needs.read.extend(web_config.map(WebConfig::folders).unwrap_or_default());
    match sandbox::enter(&needs).map_err(|error| format!("--sandbox: {error}"))? {
        sandbox::Strength::Full => log.info("The sandbox is active", &[]),
        sandbox::Strength::Partial => {
            log.warn("The sandbox is incomplete: this kernel supports only some of its restrictions", &[]);
        }
        sandbox::Strength::None => log.warn("--sandbox has no effect: this kernel has no landlock", &[]),
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn confine(settings: &Settings, _: Option<&WebConfig>, _: &Log) -> Result<(), String> {
    if settings.has_sandbox { Err("--sandbox: supported on Linux only".to_owned()) } else { Ok(()) }
}

/// Logs warnings about the settings.
fn warn(settings: &Settings, log: &Log) {
    settings.warnings.iter().for_each(|warning| log.warn(warning, &[]));
    if settings.paths.is_given && settings.replay.is_some() {
        log.warn("--path.* has no effect on a recorded host.", &[]);
    } else if settings.paths.is_given && (settings.is_simulated || !cfg!(target_os = "linux")) {
        log.warn("--path.* has no effect on a simulated host.", &[]);
    }
    #[cfg(unix)]
    if rustix::process::geteuid().is_root() {
        log.warn("Running as root is not needed; use an unprivileged user.", &[]);
    }
}

/// Serves until a signal, and then at most for [`GRACE`]. SIGHUP reads the configuration file again, if there is one.
fn until_signalled(
    front: Front,
    mut signals: Signals,
    handler: &Arc<dyn Handle>,
    lifecycle: &Lifecycle,
    log: &Arc<Log>,
) -> Result<(), String> {
    let stopper = front.stopper();
    let serving = front.start(handler, log).map_err(|error| minimums::no_thread(&error))?;
    // This thread waits for signals and ends the process even if other threads are blocked.
    while signals.wait() == Signalled::Reload {
        // Its result is logged and on the page.
        _ = lifecycle.reload();
    }
    log.info("Shutting down", &[]);
    stopper.stop();
    if serving.wait(Some(GRACE)) {
        return Ok(());
    }
    Err(format!("a scrape did not end within {} seconds", GRACE.as_secs()))
}
