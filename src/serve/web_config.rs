//! The web configuration: TLS, logins, headers and a rate limit, in the file format of exporter-toolkit. `docs/WEB.md`
//! is its documentation for users.
//!
//! The files are checked for changes once a second. While the configuration file is unreadable or invalid, every request
//! is refused, because it is unknown which users are allowed. The same holds when the requirements on client certificates
//! change and cannot be loaded. When only the server's own certificate is invalid, the last valid one stays in use.
//! Each of these states is logged and exported as a metric.

#[cfg(feature = "tls")]
mod certificate;
mod client_requirements;
mod guard;
mod load;
mod login;
mod metrics;
mod password;
mod rate_limit;
mod settings;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod tls_session;
mod watched_files;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use collectors::host::kernel::clock;

use super::handler::answer::Handle;
use super::stream::Secure;
#[cfg(feature = "tls")]
use super::stream::Session;
use crate::access::Access;
use crate::instruments::Instruments;
use crate::log::{Field, Log};
use client_requirements::ClientRequirements;
use load::{Configuration, Loaded, Tls};
use login::Logins;
use metrics::Metrics;
use password::{Hash, Users};
use rate_limit::Bucket;
use settings::{Headers, Settings};

/// Interval of the checks for changed files.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Reason to ignore a file without the logins or the TLS that are in force: it may have been read while it was written.
const UNPROTECTED: &str = "the file lacks the logins or the TLS that are in force; restart the exporter, or write \
     `basic_auth_users: {}` to allow access without a login";

/// Error of a change that needs a restart: listeners and clients rely on one of the two.
const FIXED_TLS: &str = "TLS cannot be switched on or off while the exporter runs; restart it";

/// The web configuration in force.
pub struct WebConfig {
    /// `None` if user and password come from the command line.
    path: Option<PathBuf>,
    log: Arc<Log>,
    metrics: Metrics,
    state: RwLock<Arc<State>>,
    bucket: Mutex<Bucket>,
    snapshot: Mutex<watched_files::Snapshot>,
}

/// State that new requests and connections start from.
#[derive(Clone, Debug)]
struct State {
    /// Whether every request is refused because the configuration is unreadable.
    is_broken: bool,
    /// Whether a login is required.
    has_users: bool,
    headers: Arc<Headers>,
    logins: Arc<Logins>,
    /// Requirements on client certificates.
    client_auth: ClientRequirements,
    tls: Option<Tls>,
}

impl State {
    /// Whether these settings lack logins or TLS that are in force, without `basic_auth_users: {}`.
    fn loses_protection(&self, settings: &Settings) -> bool {
        let loses_logins = self.has_users && settings.users.is_empty() && !settings.has_no_users_explicitly;
        loses_logins || (self.tls.is_some() && settings.tls.is_none())
    }
}

/// Checks the text of a web configuration. The error names the line.
pub(super) fn check(text: &str) -> Result<(), String> {
    settings::read(text).map(drop).map_err(|problem| problem.to_string())
}

impl fmt::Debug for WebConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebConfig").field("path", &self.path).finish_non_exhaustive()
    }
}

impl WebConfig {
    /// Opens the configuration of the command line; `None` if there is none. Call [`WebConfig::watch`] afterwards.
    pub fn open(access: &Access, log: &Arc<Log>) -> Result<Option<Arc<Self>>, String> {
        let opened = match access {
            Access::Everybody => return Ok(None),
            Access::File(path) => Self::load(path, log).map_err(|error| format!("--web.config.file: {error}"))?,
            Access::User { name, password } => Self::of_user(name, &password.0, log)?,
        };
        Ok(Some(Arc::new(opened)))
    }

    /// Reads a configuration file and the files that it names. The error names the file.
    fn load(path: &Path, log: &Arc<Log>) -> Result<Self, String> {
        let Loaded { configuration, snapshot } = load::load(path);
        let Configuration { settings, client_auth, tls } = configuration?;
        let tls = tls?;
        settings.warnings.iter().for_each(|warning| log.warn(warning, &[]));
        let metrics = Metrics::new(tls.is_some()).map_err(|error| error.to_string())?;
        metrics.read(true, clock::now());
        let web_config = Self {
            path: Some(path.to_owned()),
            log: Arc::clone(log),
            metrics,
            state: RwLock::new(Arc::new(State {
                is_broken: false,
                has_users: !settings.users.is_empty(),
                headers: Arc::new(settings.headers),
                logins: Arc::new(Logins::new(settings.users)),
                client_auth: client_auth.unwrap_or_default(),
                tls,
            })),
            bucket: Mutex::new(Bucket::new(settings.rate, clock::monotonic())),
            snapshot: Mutex::new(snapshot),
        };
        web_config.report_certificate(&web_config.state());
        Ok(web_config)
    }

    /// A configuration with one user, whose password is on the command line.
    fn of_user(user: &str, password: &str, log: &Arc<Log>) -> Result<Self, String> {
        let mut users = Users::default();
        users.add(user, Hash::of(password));
        let metrics = Metrics::new(false).map_err(|error| error.to_string())?;
        metrics.read(true, clock::now());
        let state = State {
            is_broken: false,
            has_users: true,
            headers: Arc::default(),
            logins: Arc::new(Logins::new(users)),
            client_auth: ClientRequirements::default(),
            tls: None,
        };
        Ok(Self {
            path: None,
            log: Arc::clone(log),
            metrics,
            state: RwLock::new(Arc::new(state)),
            bucket: Mutex::new(Bucket::new(None, clock::monotonic())),
            snapshot: Mutex::default(),
        })
    }

    /// Registers the metrics of the web configuration.
    pub fn show(&self, instruments: &Instruments) -> Result<(), String> {
        self.metrics.add_to(instruments).map_err(|error| error.to_string())
    }

    /// Wraps a handler in a guard that authenticates and limits requests.
    pub fn guard(self: &Arc<Self>, handler: Arc<dyn Handle>) -> Arc<dyn Handle> {
        Arc::new(guard::Guard::new(Arc::clone(self), handler))
    }

    /// Factory of TLS sessions; `None` without TLS. TLS cannot be switched on or off while the exporter runs.
    pub fn secure(self: &Arc<Self>) -> Option<Arc<dyn Secure>> {
        #[cfg(feature = "tls")]
        if self.state().tls.is_some() {
            return Some(Arc::new(Sessions(Arc::clone(self))));
        }
        None
    }

    /// Directories of the configuration's files, before and after links are resolved. Updates replace files in them.
    pub fn folders(&self) -> Vec<PathBuf> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).folders()
    }

    /// Starts the thread that reloads changed files. It ends when the configuration is dropped.
    pub fn watch(self: &Arc<Self>) -> std::io::Result<()> {
        if self.path.is_none() {
            return Ok(());
        }
        let web_config = Arc::downgrade(self);
        thread::Builder::new().name("web-config".to_owned()).spawn(move || {
            while let Some(web_config) = web_config.upgrade() {
                web_config.reload_if_changed();
                drop(web_config);
                thread::sleep(CHECK_INTERVAL);
            }
        })?;
        Ok(())
    }

    /// Reloads the files if they have changed.
    fn reload_if_changed(&self) {
        let Some(path) = &self.path else { return };
        let mut snapshot = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        if snapshot.is_current() {
            return;
        }
        let loaded = load::load(path);
        let is_changed = loaded.snapshot.digest != snapshot.digest;
        *snapshot = loaded.snapshot;
        if is_changed {
            self.apply(loaded.configuration);
        }
    }

    fn apply(&self, configuration: Result<Configuration, String>) {
        let before = self.state();
        let is_ignored = configuration.as_ref().is_ok_and(|found| before.loses_protection(&found.settings));
        self.metrics.ignore(is_ignored);
        let (state, error) = match configuration {
            Ok(_) if is_ignored => (State { is_broken: false, ..(*before).clone() }, Some(UNPROTECTED.to_owned())),
            Ok(Configuration { settings, client_auth, tls }) => {
                // The previous TLS stays valid only while the requirements on clients are unchanged.
                let is_broken = client_auth.as_ref() != Some(&before.client_auth);
                let before_tls = || (before.tls.clone(), before.client_auth.clone());
                let ((tls, client_auth), is_broken, error) = match (tls, client_auth) {
                    (Ok(tls), Some(client_auth)) if tls.is_some() == before.tls.is_some() => {
                        ((tls, client_auth), false, None)
                    }
                    (Ok(_), _) => (before_tls(), is_broken, Some(FIXED_TLS.to_owned())),
                    (Err(error), _) => (before_tls(), is_broken, Some(error)),
                };
                settings.warnings.iter().for_each(|warning| self.log.warn(warning, &[]));
                self.set_rate(settings.rate);
                let has_users = !settings.users.is_empty();
                let logins = Arc::new(before.logins.with(settings.users));
                (State { is_broken, has_users, headers: Arc::new(settings.headers), logins, client_auth, tls }, error)
            }
            Err(error) => (State { is_broken: true, ..(*before).clone() }, Some(error)),
        };
        self.metrics.read(error.is_none(), clock::now());
        if is_ignored {
            self.log.error(
                "The web configuration is ignored, the previous one stays in force",
                &[("err", Field::Text(&UNPROTECTED))],
            );
        } else {
            self.report_reload(error.as_deref(), state.is_broken);
        }
        self.report_certificate(&state);
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }

    fn report_reload(&self, error: Option<&str>, is_broken: bool) {
        let message = match error {
            None => return self.log.info("The web configuration was reloaded", &[]),
            Some(_) if is_broken => "The web configuration is invalid, every request is refused until it is corrected",
            Some(_) => "The web configuration is partly invalid, the previous certificate stays in use",
        };
        self.log.error(message, &[("err", Field::Text(&error.unwrap_or_default()))]);
    }

    fn set_rate(&self, rate: Option<settings::Rate>) {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        if bucket.rate() != rate {
            *bucket = Bucket::new(rate, clock::monotonic());
        }
    }

    fn take(&self, now: Duration) -> Result<(), u64> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner).take(now)
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    #[cfg(feature = "tls")]
    fn report_certificate(&self, state: &State) {
        let Some(tls) = &state.tls else { return };
        self.metrics.certified(tls.not_after);
        if tls.not_after < i64::try_from(clock::now().as_secs()).unwrap_or(i64::MAX) {
            self.log.warn("The certificate has expired; clients that verify it will refuse it", &[]);
        }
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_self, reason = "without TLS there is no certificate to report")]
    fn report_certificate(&self, _: &State) {}
}

#[cfg(feature = "tls")]
impl WebConfig {
    fn handshake_failed(&self, error: &std::io::Error) {
        self.metrics.failed();
        self.log.debug("TLS handshake failed", &[("err", Field::Text(error))]);
    }
}

#[cfg(feature = "tls")]
struct Sessions(Arc<WebConfig>);

#[cfg(feature = "tls")]
impl Secure for Sessions {
    fn begin(&self) -> std::io::Result<Box<dyn Session>> {
        let state = self.0.state();
        let tls = state.tls.as_ref().ok_or(std::io::ErrorKind::Unsupported)?;
        Ok(Box::new(tls_session::EncryptedSession::new(Arc::clone(&tls.config), Arc::clone(&self.0))?))
    }
}
