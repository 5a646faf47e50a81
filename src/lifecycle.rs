//! The parts of a running exporter, and their replacement by a reload of the configuration.

use std::sync::{Arc, Mutex, PoisonError};

#[cfg(feature = "push")]
use collectors::host::kernel::Uname;
use collectors::host::kernel::{Kernel, clock};
use collectors::host::root::Roots;
use collectors::kit::options::FlagInfo;
#[cfg(feature = "push")]
use collectors::kit::page::Format;
use collectors::kit::scraper::Scraper;
#[cfg(feature = "push")]
use collectors::kit::scraper::{Selection, Wanted};
use prometheus::{Gauge, IntGauge};

use crate::flags::{Command, FIXED, Settings};
use crate::host::Host;
use crate::instruments::Instruments;
use crate::log::{Field, Log};
#[cfg(feature = "push")]
use crate::push::Pusher;
#[cfg(target_os = "linux")]
use crate::sandbox::Needs;
use crate::serve::handler::Handler;
use crate::serve::replaceable::Replaceable;
#[cfg(feature = "push")]
use crate::serve::status::PushedTarget;
use crate::serve::status::{About, PushedTargets};

/// Reads the command line and the configuration file again.
pub type ReadAgain = Box<dyn Fn() -> Result<Command, String> + Send + Sync>;

/// The parts that a change of the configuration replaces, and those that stay.
pub struct Lifecycle {
    roots: Roots,
    kernel: Arc<dyn Kernel>,
    is_simulated: bool,
    instruments: Instruments,
    log: Arc<Log>,
    handler: Arc<Replaceable>,
    metrics: Option<ReloadMetrics>,
    settings: Mutex<Settings>,
    pushing: Pushing,
    /// Files of the sandbox of the start, if there is one.
    #[cfg(target_os = "linux")]
    sandbox: Option<Needs>,
    read_again: ReadAgain,
}

impl std::fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lifecycle").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The push, where there is one.
#[cfg(feature = "push")]
type Pushing = Arc<Mutex<Option<Pusher>>>;
/// Nothing, in a build that cannot push.
#[cfg(not(feature = "push"))]
struct Pushing;

/// Metrics of reading a configuration file again.
struct ReloadMetrics {
    is_successful: IntGauge,
    last_success: Gauge,
}

impl ReloadMetrics {
    fn new(instruments: &Instruments) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            is_successful: IntGauge::new(
                "node_exporter_config_last_reload_successful",
                "1 if the configuration file was read without an error the last time.",
            )?,
            last_success: Gauge::new(
                "node_exporter_config_last_reload_success_timestamp_seconds",
                "Time when the configuration in force was read in seconds since 1970.",
            )?,
        };
        instruments.add(Box::new(metrics.is_successful.clone()))?;
        instruments.add(Box::new(metrics.last_success.clone()))?;
        metrics.note(true);
        Ok(metrics)
    }

    fn note(&self, is_successful: bool) {
        self.is_successful.set(i64::from(is_successful));
        if is_successful {
            self.last_success.set(clock::now().as_secs_f64());
        }
    }
}

impl Lifecycle {
    /// Builds the scraper, the handler and the push of these settings. Nothing is served or pushed yet.
    pub fn build(
        settings: Settings,
        host: Host,
        instruments: Instruments,
        log: &Arc<Log>,
        read_again: ReadAgain,
    ) -> Result<Self, String> {
        let mut settings = settings;
        host.prepare(&mut settings.values)?;
        let about = host.about(&settings);
        let metrics = settings.config_file.as_ref().map(|_| ReloadMetrics::new(&instruments));
        let metrics = metrics.transpose().map_err(|error| error.to_string())?;
        let scraper = scraper(&settings, host.roots.clone(), Arc::clone(&host.kernel), log)?;
        #[cfg(feature = "push")]
        let pushing: Pushing = Arc::new(Mutex::new(pusher(&settings, &scraper, &instruments, log)?));
        #[cfg(not(feature = "push"))]
        let pushing = Pushing;
        let targets = targets_of(&pushing);
        let handler = Arc::new(Replaceable::new(handler(&settings, scraper, &instruments, log, about, targets)));
        let Host { roots, kernel, is_simulated, is_replayed } = host;
        #[cfg(target_os = "linux")]
        let sandbox = settings.has_sandbox.then(|| Needs::of(&settings));
        Ok(Self {
            #[cfg(target_os = "linux")]
            sandbox,
            roots,
            kernel,
            is_simulated: is_simulated || is_replayed,
            instruments,
            log: Arc::clone(log),
            handler,
            metrics,
            settings: Mutex::new(settings),
            pushing,
            read_again,
        })
    }

    /// The handler of all requests.
    pub fn handler(&self) -> Arc<Replaceable> {
        Arc::clone(&self.handler)
    }

    /// Pushes once, if the settings ask for it.
    pub fn push_once(&self) -> Option<Result<(), String>> {
        if !self.settings().push.is_once {
            return None;
        }
        #[cfg(feature = "push")]
        if let Some(pusher) = &mut *self.pushing.lock().unwrap_or_else(PoisonError::into_inner) {
            return Some(pusher.once());
        }
        Some(Err("--push.once: expected --push.to as well".to_owned()))
    }

    /// Starts to collect for the targets of push.
    pub fn start_ticks(&self) -> Result<(), String> {
        #[cfg(feature = "push")]
        if let Some(pusher) = &mut *self.pushing.lock().unwrap_or_else(PoisonError::into_inner) {
            pusher.tick()?;
        }
        Ok(())
    }

    /// Stops pushing.
    pub fn stop(&self) {
        #[cfg(feature = "push")]
        if let Some(pusher) = self.pushing.lock().unwrap_or_else(PoisonError::into_inner).take() {
            pusher.stop();
        }
    }

    fn settings(&self) -> std::sync::MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the configuration again and applies it. On an error the one before stays in force.
    pub fn reload(&self) -> Result<(), String> {
        let applied = self.apply();
        if let Some(metrics) = &self.metrics {
            metrics.note(applied.is_ok());
        }
        match &applied {
            Ok(()) => self.log.info("The configuration was read again", &[]),
            Err(error) => self.log.error(
                "The configuration could not be applied; the one before stays in force",
                &[("err", Field::Text(error))],
            ),
        }
        applied
    }

    fn apply(&self) -> Result<(), String> {
        let mut current = self.settings();
        let Command::Serve(read) = (self.read_again)()? else {
            return Err("expected a configuration to serve".to_owned());
        };
        let mut settings = *read;
        if let Some(flag) = fixed().find(|flag| current.values.value(flag) != settings.values.value(flag)) {
            return Err(format!("--{} cannot change while the exporter runs; restart it", flag.name));
        }
        let host = Host {
            roots: self.roots.clone(),
            kernel: Arc::clone(&self.kernel),
            is_simulated: self.is_simulated,
            is_replayed: false,
        };
        host.prepare(&mut settings.values)?;
        #[cfg(target_os = "linux")]
        if let Some(sandbox) = &self.sandbox
            && let Some(path) = sandbox.lacks(&Needs::of(&settings))
        {
            return Err(format!(
                "--sandbox: {} is outside of the active sandbox; restart the exporter",
                path.display()
            ));
        }
        settings.warnings.iter().for_each(|warning| self.log.warn(warning, &[]));
        let about = host.about(&settings);
        let scraper = scraper(&settings, host.roots, host.kernel, &self.log)?;
        #[cfg(feature = "push")]
        self.reload_push(&settings, &scraper)?;
        // From here on nothing can fail.
        let targets = targets_of(&self.pushing);
        self.handler.replace(handler(&settings, scraper, &self.instruments, &self.log, about, targets));
        self.log.set_level(settings.log_level);
        *current = settings;
        Ok(())
    }

    #[cfg(feature = "push")]
    fn reload_push(&self, settings: &Settings, scraper: &Arc<Scraper>) -> Result<(), String> {
        let mut pushing = self.pushing.lock().unwrap_or_else(PoisonError::into_inner);
        if pushing.is_none() && !settings.push.targets.is_empty() {
            let host = host_name(scraper)?;
            *pushing = Some(Pusher::idle(&settings.push, &host, &self.instruments, &self.log)?);
        }
        match &mut *pushing {
            Some(pusher) => pusher.reload(settings.push.clone(), collect(settings, scraper, &self.instruments)),
            None => Ok(()),
        }
    }
}

/// The flags of [`FIXED`].
fn fixed() -> impl Iterator<Item = &'static FlagInfo> {
    crate::flags::server_flags().iter().filter(|flag| FIXED.contains(&flag.name))
}

fn scraper(settings: &Settings, roots: Roots, kernel: Arc<dyn Kernel>, log: &Log) -> Result<Arc<Scraper>, String> {
    let scraper = Scraper::build(collectors::ALL, &settings.values, roots, kernel)?;
    scraper.notices().iter().for_each(|notice| log.warn(notice, &[]));
    log.info("Enabled collectors", &[]);
    scraper.enabled().for_each(|name| log.info(name, &[]));
    Ok(Arc::new(scraper))
}

fn handler(
    settings: &Settings,
    scraper: Arc<Scraper>,
    instruments: &Instruments,
    log: &Arc<Log>,
    about: About,
    targets: Option<PushedTargets>,
) -> Handler {
    let path = &settings.telemetry_path;
    Handler::new(scraper, instruments.clone(), Arc::clone(log), path, settings.requests_max)
        .with_openmetrics(settings.has_openmetrics)
        .with_deadlines(settings.deadlines)
        .with_about(about)
        .with_targets(targets)
}

/// The state of push for the status page.
#[cfg(feature = "push")]
fn targets_of(pushing: &Pushing) -> Option<PushedTargets> {
    let reports = pushing.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Pusher::reporter)?;
    Some(PushedTargets(Arc::new(move || {
        let now = clock::now().as_secs_f64();
        let ago = |last: f64| std::time::Duration::try_from_secs_f64(now - last).unwrap_or_default();
        let target = |report: crate::push::TargetReport| PushedTarget {
            name: report.name,
            failure: report.failure,
            is_paused: report.is_paused,
            delivered_ago: (report.last_success > 0.0).then(|| ago(report.last_success)),
            samples: report.samples,
            dropped: report.dropped,
            queue_bytes: u64::try_from(report.queue_bytes).unwrap_or_default(),
        };
        reports().into_iter().map(target).collect()
    })))
}

#[cfg(not(feature = "push"))]
fn targets_of(_: &Pushing) -> Option<PushedTargets> {
    None
}

/// Opens the queues of the targets.
#[cfg(feature = "push")]
fn pusher(
    settings: &Settings,
    scraper: &Arc<Scraper>,
    instruments: &Instruments,
    log: &Arc<Log>,
) -> Result<Option<Pusher>, String> {
    if settings.push.targets.is_empty() {
        return Ok(None);
    }
    let collect = collect(settings, scraper, instruments);
    Pusher::open(settings.push.clone(), &host_name(scraper)?, collect, instruments, log).map(Some)
}

#[cfg(feature = "push")]
fn host_name(scraper: &Scraper) -> Result<String, String> {
    let mut uname = Uname::default();
    scraper.kernel().uname(&mut uname).map_err(|error| format!("the host's name: {error}"))?;
    Ok(String::from_utf8_lossy(&uname.nodename).into_owned())
}

/// Makes the exporter's page for push, with the deadline of a scrape.
#[cfg(feature = "push")]
fn collect(settings: &Settings, scraper: &Arc<Scraper>, instruments: &Instruments) -> crate::push::source::Collect {
    let (source, own) = (Arc::clone(scraper), instruments.clone());
    let time = settings.deadlines.time;
    Arc::new(move || {
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
    })
}
