//! Pushing the metrics of any `prometheus::Registry`, with the same queue, targets and schedule.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use collectors::host::kernel::clock;
use prometheus::{Encoder, Registry, TextEncoder};

use super::Pusher;
use super::source::Collect;
use crate::access::Secret;
use crate::flags::Push;
use crate::instruments::Instruments;
use crate::log::{Format, Level, Log};
use crate::target::TargetOptions;

/// Pushes a registry. Warnings go to standard error.
///
/// ```no_run
/// use node_exporter::push::library::RegistryPush;
///
/// let registry = prometheus::Registry::new();
/// let push = RegistryPush::to("pushgateway=http://gateway:9091")?.job("backup").grouping("shard", "7").login("bob", "pw");
/// push.once(&registry)?;
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug)]
pub struct RegistryPush {
    settings: Push,
}

impl RegistryPush {
    /// Pushes to `KIND=URL`, as `--push.to` takes it.
    pub fn to(target: &str) -> Result<Self, String> {
        Self { settings: Push::with_defaults()? }.and_to(target)
    }

    /// Pushes to one more target; later options are for that one.
    pub fn and_to(mut self, target: &str) -> Result<Self, String> {
        self.settings.targets.push(TargetOptions::parse(target)?);
        Ok(self)
    }

    /// Sets the label `job`.
    #[must_use]
    pub fn job(mut self, job: &str) -> Self {
        job.clone_into(&mut self.settings.job);
        self
    }

    /// Sets the label `instance`; without it that is empty.
    #[must_use]
    pub fn instance(mut self, instance: &str) -> Self {
        instance.clone_into(&mut self.settings.instance);
        self
    }

    /// Adds a label to the group of the last target, a Pushgateway.
    #[must_use]
    pub fn grouping(self, name: &str, value: &str) -> Self {
        self.with_target(|target| target.grouping.push((name.to_owned(), value.to_owned())))
    }

    /// Sets the user and the password of the last target.
    #[must_use]
    pub fn login(self, user: &str, password: &str) -> Self {
        self.with_target(|target| {
            user.clone_into(&mut target.username);
            target.password = Secret(password.to_owned());
        })
    }

    /// Keeps what waits in a directory, so that it survives the process.
    #[must_use]
    pub fn queue(mut self, directory: impl Into<PathBuf>) -> Self {
        self.settings.queue = Some(directory.into());
        self
    }

    /// Sets the time for one request.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    fn with_target(mut self, change: impl FnOnce(&mut TargetOptions)) -> Self {
        if let Some(target) = self.settings.targets.last_mut() {
            change(target);
        }
        self
    }

    fn start(self, registry: &Registry) -> Result<Pusher, String> {
        let registry = registry.clone();
        let collect: Collect = Arc::new(move || {
            let mut page = Vec::new();
            // A family that cannot be written ends the page; what stands before it is pushed.
            _ = TextEncoder::new().encode(&registry.gather(), &mut page);
            String::from_utf8_lossy(&page).into_owned()
        });
        let log = Arc::new(Log::new(Level::Warn, Format::Logfmt, clock::now, std::io::stderr()));
        let instruments = Instruments::new(true).map_err(|error| error.to_string())?;
        let host = self.settings.instance.clone();
        Pusher::open(self.settings, &host, collect, &instruments, &log)
    }

    /// Pushes once. The error names the targets that did not take everything.
    pub fn once(mut self, registry: &Registry) -> Result<(), String> {
        self.settings.is_once = true;
        let mut pusher = self.start(registry)?;
        let pushed = pusher.once();
        pusher.stop();
        pushed
    }

    /// Pushes at an interval until [`Pusher::stop`].
    pub fn every(mut self, interval: Duration, registry: &Registry) -> Result<Pusher, String> {
        self.settings.interval = interval;
        let mut pusher = self.start(registry)?;
        pusher.tick()?;
        Ok(pusher)
    }
}
