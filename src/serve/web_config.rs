//! The web configuration: TLS, logins, headers and a rate limit, in the form that exporter-toolkit gave to the exporters
//! of Prometheus. `docs/WEB.md` tells users of it.
//!
//! The files are looked at once a second. A file that has become unreadable shuts everybody out, for nobody knows who may
//! come in, and so does what clients are asked for when it changes and cannot be had. What is wrong with the server's own
//! certificate alone leaves the last good one in use. All of it is logged and on the page.

mod asked;
#[cfg(feature = "tls")]
mod certificate;
mod file;
mod files;
mod guard;
mod limit;
mod load;
mod login;
mod metrics;
mod password;
#[cfg(feature = "tls")]
mod session;
#[cfg(feature = "tls")]
mod tls;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use collectors::host::kernel::clock;

use super::answer::Handle;
use super::stream::Secure;
#[cfg(feature = "tls")]
use super::stream::Session;
use crate::flags::access::Access;
use crate::instruments::Instruments;
use crate::log::{Field, Log};
use asked::Asked;
use file::Headers;
use limit::Bucket;
use load::{Found, Loaded, Tls};
use login::Logins;
use metrics::Metrics;
use password::{Hash, Users};

/// So often the files are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Why a file is ignored that lacks what protects the exporter: it may have been caught while it was written.
const UNPROTECTED: &str = "the file has no logins or no TLS any more, which were in force; restart the exporter, or write \
     `basic_auth_users: {}` to let everybody in";

/// Listeners and clients have settled on one of the two.
const FIXED: &str = "TLS cannot be switched on or off while the exporter runs; restart it";

/// The web configuration in force.
pub struct WebConfig {
    /// Nothing where the command line gave a user and a password.
    path: Option<PathBuf>,
    log: Arc<Log>,
    metrics: Metrics,
    state: RwLock<Arc<State>>,
    bucket: Mutex<Bucket>,
    looks: Mutex<files::Looks>,
}

/// State that new requests and connections start from.
#[derive(Clone, Debug)]
struct State {
    /// Whether nobody knows who may come in.
    is_broken: bool,
    /// Whether a login is asked for.
    has_users: bool,
    headers: Arc<Headers>,
    logins: Arc<Logins>,
    /// Client authentication of this TLS.
    asked: Asked,
    tls: Option<Tls>,
}

impl State {
    /// Whether a file would take away logins or TLS that are in force, without saying so.
    fn is_protected_unlike(&self, file: &file::File) -> bool {
        let loses_logins = self.has_users && file.users.is_empty() && !file.has_no_users_explicitly;
        loses_logins || (self.tls.is_some() && file.tls.is_none())
    }
}

/// Whether this is the text of a web configuration; the error says what is wrong with it, and where.
pub(super) fn check(text: &str) -> Result<(), String> {
    file::read(text).map(drop).map_err(|problem| problem.to_string())
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

    /// Reads a file and what it names. The error names the file.
    fn load(path: &Path, log: &Arc<Log>) -> Result<Self, String> {
        let Loaded { found, looks } = load::load(path);
        let Found { file, asked, tls } = found?;
        let tls = tls?;
        file.warnings.iter().for_each(|warning| log.warn(warning, &[]));
        let metrics = Metrics::new(tls.is_some()).map_err(|error| error.to_string())?;
        metrics.read(true, clock::now());
        let web_config = Self {
            path: Some(path.to_owned()),
            log: Arc::clone(log),
            metrics,
            state: RwLock::new(Arc::new(State {
                is_broken: false,
                has_users: !file.users.is_empty(),
                headers: Arc::new(file.headers),
                logins: Arc::new(Logins::new(file.users)),
                asked: asked.unwrap_or_default(),
                tls,
            })),
            bucket: Mutex::new(Bucket::new(file.rate, clock::monotonic())),
            looks: Mutex::new(looks),
        };
        web_config.tell_of_certificate(&web_config.state());
        Ok(web_config)
    }

    /// Lets in one user alone, whose password the command line gave.
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
            asked: Asked::default(),
            tls: None,
        };
        Ok(Self {
            path: None,
            log: Arc::clone(log),
            metrics,
            state: RwLock::new(Arc::new(state)),
            bucket: Mutex::new(Bucket::new(None, clock::monotonic())),
            looks: Mutex::default(),
        })
    }

    /// Puts its metrics on the page.
    pub fn show(&self, instruments: &Instruments) -> Result<(), String> {
        self.metrics.add_to(instruments).map_err(|error| error.to_string())
    }

    /// Puts a guard before a handler.
    pub fn guard(self: &Arc<Self>, handler: Arc<dyn Handle>) -> Arc<dyn Handle> {
        Arc::new(guard::Guard::new(Arc::clone(self), handler))
    }

    /// Factory of TLS sessions, if the file configures TLS. Fixed while the exporter runs.
    pub fn secure(self: &Arc<Self>) -> Option<Arc<dyn Secure>> {
        #[cfg(feature = "tls")]
        if self.state().tls.is_some() {
            return Some(Arc::new(Sessions(Arc::clone(self))));
        }
        None
    }

    /// The folders of its files, links followed or not: an update puts other files into them.
    pub fn folders(&self) -> Vec<PathBuf> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).folders()
    }

    /// Looks at the files from now on, in a thread that ends with the configuration.
    pub fn watch(self: &Arc<Self>) -> std::io::Result<()> {
        if self.path.is_none() {
            return Ok(());
        }
        let web_config = Arc::downgrade(self);
        thread::Builder::new().name("web-config".to_owned()).spawn(move || {
            while let Some(web_config) = web_config.upgrade() {
                web_config.look();
                drop(web_config);
                thread::sleep(LOOK_INTERVAL);
            }
        })?;
        Ok(())
    }

    /// Looks whether the files have changed, and goes by what they say now.
    fn look(&self) {
        let Some(path) = &self.path else { return };
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        if looks.are_the_same() {
            return;
        }
        let loaded = load::load(path);
        let is_other = loaded.looks.digest != looks.digest;
        *looks = loaded.looks;
        if is_other {
            self.apply(loaded.found);
        }
    }

    fn apply(&self, found: Result<Found, String>) {
        let before = self.state();
        let is_ignored = found.as_ref().is_ok_and(|found| before.is_protected_unlike(&found.file));
        self.metrics.ignore(is_ignored);
        let (state, error) = match found {
            Ok(_) if is_ignored => (State { is_broken: false, ..(*before).clone() }, Some(UNPROTECTED.to_owned())),
            Ok(Found { file, asked, tls }) => {
                // The TLS before will do only for those who are asked for the same.
                let is_broken = asked.as_ref() != Some(&before.asked);
                let before_tls = || (before.tls.clone(), before.asked.clone());
                let ((tls, asked), is_broken, error) = match (tls, asked) {
                    (Ok(tls), Some(asked)) if tls.is_some() == before.tls.is_some() => ((tls, asked), false, None),
                    (Ok(_), _) => (before_tls(), is_broken, Some(FIXED.to_owned())),
                    (Err(error), _) => (before_tls(), is_broken, Some(error)),
                };
                file.warnings.iter().for_each(|warning| self.log.warn(warning, &[]));
                self.limit(file.rate);
                let has_users = !file.users.is_empty();
                let logins = Arc::new(before.logins.with(file.users));
                (State { is_broken, has_users, headers: Arc::new(file.headers), logins, asked, tls }, error)
            }
            Err(error) => (State { is_broken: true, ..(*before).clone() }, Some(error)),
        };
        self.metrics.read(error.is_none(), clock::now());
        if is_ignored {
            self.log.error(
                "The web configuration is ignored, the one before stays in force",
                &[("err", Field::Text(&UNPROTECTED))],
            );
        } else {
            self.tell(error.as_deref(), state.is_broken);
        }
        self.tell_of_certificate(&state);
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }

    fn tell(&self, error: Option<&str>, is_broken: bool) {
        let message = match error {
            None => return self.log.info("The web configuration has changed and was read again", &[]),
            Some(_) if is_broken => "The web configuration is broken, every request is refused until it is mended",
            Some(_) => "The web configuration is broken in part, connections go on with the certificate before",
        };
        self.log.error(message, &[("err", Field::Text(&error.unwrap_or_default()))]);
    }

    fn limit(&self, rate: Option<file::Rate>) {
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
    fn tell_of_certificate(&self, state: &State) {
        let Some(tls) = &state.tls else { return };
        self.metrics.certified(tls.not_after);
        if tls.not_after < i64::try_from(clock::now().as_secs()).unwrap_or(i64::MAX) {
            self.log.warn("The certificate has expired; clients that look will refuse it", &[]);
        }
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_self, reason = "with TLS there is something to tell")]
    fn tell_of_certificate(&self, _: &State) {}
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
        Ok(Box::new(session::Encrypted::new(Arc::clone(&tls.config), Arc::clone(&self.0))?))
    }
}
