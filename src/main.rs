//! The `node_exporter` binary.
#![expect(clippy::disallowed_methods, reason = "the command line and its `@file`s are read here")]

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "push")]
use collectors::host::kernel::Uname;
use collectors::host::kernel::clock;
use collectors::kit::failure::panic_words;
#[cfg(feature = "push")]
use collectors::kit::page::Format;
use collectors::kit::scraper::Scraper;
#[cfg(feature = "push")]
use collectors::kit::scraper::{Selection, Wanted};
use node_exporter::config;
use node_exporter::flags::{self, Command, Outside, Settings};
use node_exporter::instruments::Instruments;
use node_exporter::log::{Field, Log};
#[cfg(feature = "push")]
use node_exporter::push;
#[cfg(target_os = "linux")]
use node_exporter::sandbox;
use node_exporter::serve::answer::Handle;
use node_exporter::serve::front::Front;
use node_exporter::serve::handler::Handler;
use node_exporter::serve::listen::{self, Listener};
use node_exporter::serve::signals::Signals;
use node_exporter::serve::web_config::WebConfig;
use node_exporter::{host, minimums, version};

/// How long a scrape may go on after a signal.
const GRACE: Duration = Duration::from_secs(8);

/// How long the process waits at its end for the reader of its log.
const FLUSH_TIME: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    node_exporter::memory::keep_little();
    match command() {
        Ok(Command::Help) => print(&flags::help::text(collectors::ALL)),
        Ok(Command::Version) => print(&version::text()),
        Ok(Command::Check(settings)) => print(&config::effective(collectors::ALL, &settings)),
        Ok(Command::Serve(settings)) => serve(&settings),
        Err(error) => {
            eprintln!("node_exporter: error: {error}, try --help");
            ExitCode::FAILURE
        }
    }
}

/// Prints. A reader that closes the pipe early, such as `head`, is no error.
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
        log.warn("Serving a simulated host: no number on the page is of this machine.", &[]);
    }
    if host.is_replayed {
        log.warn("Serving a recorded host: no number on the page is of this machine.", &[]);
    }
    let mut values = settings.values.clone();
    host.prepare(&mut values)?;
    let about = host.about(settings);
    let scraper = Scraper::build(collectors::ALL, &values, host.roots, host.kernel)?;
    scraper.notices().iter().for_each(|notice| log.warn(notice, &[]));
    log.info("Enabled collectors", &[]);
    scraper.enabled().for_each(|name| log.info(name, &[]));
    let instruments = Instruments::new(settings.has_exporter_metrics).map_err(|error| error.to_string())?;
    instruments.add(Box::new(log.dropped().clone())).map_err(|error| error.to_string())?;
    if let Some(web_config) = &web_config {
        web_config.show(&instruments)?;
    }
    let scraper = Arc::new(scraper);
    #[cfg(feature = "push")]
    let pusher = pusher(settings, &scraper, &instruments, log)?;
    #[cfg(feature = "push")]
    if let Some(pusher) = pusher.as_ref().filter(|_| settings.push.is_once) {
        return pusher.once();
    }
    let path = &settings.telemetry_path;
    let handler = Handler::new(scraper, instruments, Arc::clone(log), path, settings.requests_max)
        .with_openmetrics(settings.has_openmetrics)
        .with_deadlines(settings.deadlines)
        .with_about(about);
    let mut handler: Arc<dyn Handle> = Arc::new(handler);
    if let Some(web_config) = &web_config {
        handler = web_config.guard(handler);
    }
    let secure = web_config.as_ref().and_then(WebConfig::secure);
    log.info(if secure.is_some() { "TLS is enabled" } else { "TLS is disabled" }, &[]);
    let front = Front::new(listeners(settings, log)?, secure).map_err(|error| format!("listening: {error}"))?;
    confine(settings, web_config.as_deref(), log)?;
    if let Some(web_config) = &web_config {
        web_config.watch().map_err(|error| format!("--web.config.file: {error}"))?;
    }
    #[cfg(feature = "push")]
    let pusher = pusher.map(|mut pusher| pusher.tick().map(|()| pusher)).transpose()?;
    let ended = until_signalled(front, &handler, log);
    #[cfg(feature = "push")]
    if let Some(pusher) = pusher {
        pusher.stop();
    }
    ended
}

/// Opens the queues of `--push.to` and starts a thread for each target.
#[cfg(feature = "push")]
fn pusher(
    settings: &Settings,
    scraper: &Arc<Scraper>,
    instruments: &Instruments,
    log: &Arc<Log>,
) -> Result<Option<push::Pusher>, String> {
    if settings.push.targets.is_empty() {
        if settings.push.is_once {
            return Err("--push.once: expected --push.to as well".to_owned());
        }
        return Ok(None);
    }
    let (source, own) = (Arc::clone(scraper), instruments.clone());
    let time = settings.deadlines.time;
    let collect = move || {
        let until = Some(clock::monotonic() + time);
        let wanted = Wanted { selection: Selection::ALL, format: Format::Text, until };
        let mut page = Vec::new();
        source.scrape_as(
            &wanted,
            |foreign| own.families().for_each(|family| _ = foreign.add(family)),
            |_| (),
            &mut page,
        );
        String::from_utf8_lossy(&page).into_owned()
    };
    let mut uname = Uname::default();
    scraper.kernel().uname(&mut uname).map_err(|error| format!("the host's name: {error}"))?;
    let instance = String::from_utf8_lossy(&uname.nodename).into_owned();
    push::Pusher::start(settings.push.clone(), &instance, Arc::new(collect), instruments, log).map(Some)
}

/// All listeners, each logged.
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

/// Gives up access that is not needed from here on.
#[cfg(target_os = "linux")]
fn confine(settings: &Settings, web_config: Option<&WebConfig>, log: &Log) -> Result<(), String> {
    if !settings.has_sandbox {
        return Ok(());
    }
    let mut needs = sandbox::Needs::of(settings);
    needs.read.extend(web_config.map(WebConfig::folders).unwrap_or_default());
    match sandbox::enter(&needs).map_err(|error| format!("--sandbox: {error}"))? {
        sandbox::Strength::Full => log.info("Sandbox is closed", &[]),
        sandbox::Strength::Partial => {
            log.warn("Sandbox is closed as far as this kernel can; a later one can more", &[]);
        }
        sandbox::Strength::None => log.warn("This kernel has no landlock: --sandbox changes nothing", &[]),
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn confine(settings: &Settings, _: Option<&WebConfig>, _: &Log) -> Result<(), String> {
    if settings.has_sandbox { Err("--sandbox: only Linux has landlock".to_owned()) } else { Ok(()) }
}

/// Logs warnings about the settings.
fn warn(settings: &Settings, log: &Log) {
    settings.warnings.iter().for_each(|warning| log.warn(warning, &[]));
    if settings.paths.is_given && settings.replay.is_some() {
        log.warn("The recorded host has no use for --path.*.", &[]);
    } else if settings.paths.is_given && (settings.is_simulated || !cfg!(target_os = "linux")) {
        log.warn("The simulated host has no use for --path.*.", &[]);
    }
    #[cfg(unix)]
    if rustix::process::geteuid().is_root() {
        log.warn("Running as root, which this exporter does not need: an unprivileged user will do.", &[]);
    }
}

/// Serves until a signal, and then at most for [`GRACE`].
fn until_signalled(front: Front, handler: &Arc<dyn Handle>, log: &Arc<Log>) -> Result<(), String> {
    let stopper = front.stopper();
    // This thread waits for the signals and ends the process, whatever the others do.
    let signals = Signals::register().map_err(|error| format!("signals: {error}"))?;
    let serving = front.start(handler, log).map_err(|error| minimums::no_thread(&error))?;
    signals.wait();
    log.info("Shutting down", &[]);
    stopper.stop();
    if serving.wait(Some(GRACE)) {
        return Ok(());
    }
    Err(format!("a scrape did not end within {} seconds", GRACE.as_secs()))
}
