//! The outbound HTTP client: deadlines for each phase, bounded answers, no redirects, proxies by environment.
//!
//! `ureq` carries it: blocking, seven crates beyond those that the server has, every phase with a timeout of its own.

#[cfg(feature = "tls")]
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::target::TargetOptions;

/// Maximum number of bytes of a response that are read.
const ANSWER_MAX_BYTES: u64 = 4 << 10;
/// Maximum number of characters of a response's first line that are logged.
const SHOWN_MAX_CHARACTERS: usize = 200;

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Outbound<'a> {
    /// `POST`, `PUT`, `DELETE` or `GET`.
    pub method: &'a str,
    /// URL without user and password.
    pub url: &'a str,
    /// Additional headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// Body.
    pub body: &'a [u8],
}

/// A response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Value of `Retry-After`.
    pub retry_after: Option<String>,
    /// Whether a header of remote write 2.0 contains the number of written samples.
    pub tells_written: bool,
    /// Number of written samples by remote write 2.0.
    pub samples_written: Option<u64>,
    /// The body, truncated to the limit.
    pub body: Vec<u8>,
}

/// Sends requests.
#[derive(Clone)]
pub struct Client {
    connections: Connections,
    proxies: Proxies,
    /// A network of a test.
    #[cfg(test)]
    answers: Option<std::sync::Arc<Answers>>,
}

/// Connections of a client.
#[derive(Clone)]
enum Connections {
    /// With the certificates of the system.
    System(ureq::Agent),
    /// With files of a target, which are read again when one of them is replaced.
    #[cfg(feature = "tls")]
    Files(Arc<Mutex<OwnCertificates>>),
}

/// An agent with the certificates of files.
#[cfg(feature = "tls")]
struct OwnCertificates {
    options: TargetOptions,
    timeout: Duration,
    stamps: [super::trust::Stamp; 3],
    agent: ureq::Agent,
}

#[cfg(feature = "tls")]
impl OwnCertificates {
    fn read(options: &TargetOptions, timeout: Duration) -> Result<Self, String> {
        // Stamps come first: a file that is replaced meanwhile is read again.
        let stamps = super::trust::stamps(options);
        let agent = config(timeout).tls_config(super::trust::of(options)?).build().into();
        Ok(Self { options: options.clone(), timeout, stamps, agent })
    }

    /// The agent. The error says what is wrong with a file that was replaced; the next call reads it again.
    fn agent(&mut self) -> Result<ureq::Agent, String> {
        if self.stamps != super::trust::stamps(&self.options) {
            *self = Self::read(&self.options, self.timeout)?;
        }
        Ok(self.agent.clone())
    }
}

/// Answers requests without a network.
#[cfg(test)]
type Answers = dyn Fn(&Outbound<'_>) -> Result<Answer, String> + Send + Sync;

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

fn config(timeout: Duration) -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .timeout_connect(Some(timeout / 2))
        .max_redirects(0)
        .http_status_as_error(false)
        .user_agent(concat!("nodelab/", env!("CARGO_PKG_VERSION")))
        .proxy(None)
}

/// Proxies of the environment, by the scheme of the target.
#[derive(Clone, Default)]
struct Proxies {
    http: Option<ureq::Proxy>,
    https: Option<ureq::Proxy>,
}

impl Proxies {
    /// Reads `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in upper or lower case. The error names the variable
    /// alone: its value may have a password in it.
    fn of(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let find = |name: &str| {
            let found = variable(name).or_else(|| variable(&name.to_ascii_lowercase()));
            found.filter(|value| !value.is_empty()).map(|value| (name.to_owned(), value))
        };
        let direct = find("NO_PROXY").map_or(String::new(), |(_, list)| list);
        let proxy = |name: &str| {
            let Some((name, value)) = find(name).or_else(|| find("ALL_PROXY")) else { return Ok(None) };
            let refused = |_| format!("{name}: expected the URL of a proxy, as http://USER:PASSWORD@HOST:PORT");
            let parsed = ureq::Proxy::new(&value).map_err(refused)?;
            let mut builder = ureq::Proxy::builder(parsed.protocol()).host(parsed.host()).port(parsed.port());
            if let Some(user) = parsed.username() {
                builder = builder.username(user);
            }
            if let Some(password) = parsed.password() {
                builder = builder.password(password);
            }
            for host in direct.split(',').map(str::trim).filter(|host| !host.is_empty()) {
                builder = builder.no_proxy(host);
            }
            builder.build().map(Some).map_err(refused)
        };
        Ok(Self { http: proxy("HTTP_PROXY")?, https: proxy("HTTPS_PROXY")? })
    }
}

impl Client {
    /// A client whose requests end after `timeout` at the latest.
    pub fn new(timeout: Duration) -> Result<Self, String> {
        let config = config(timeout);
        #[cfg(feature = "tls")]
        let config = config.tls_config(super::trust::system());
        Self::over(Connections::System(config.build().into()))
    }

    /// A client with the certificates of a target.
    pub fn of(options: &TargetOptions, timeout: Duration) -> Result<Self, String> {
        #[cfg(feature = "tls")]
        {
            let certificates = OwnCertificates::read(options, timeout)?;
            Self::over(Connections::Files(Arc::new(Mutex::new(certificates))))
        }
        #[cfg(not(feature = "tls"))]
        {
            let files = [&options.ca_file, &options.cert_file];
            if files.into_iter().any(Option::is_some) || options.skips_verification {
                return Err("this build has no TLS: build with the feature `tls`".to_owned());
            }
            Self::new(timeout)
        }
    }

    #[expect(clippy::disallowed_methods, reason = "proxies come from the environment, as for every client of HTTP")]
    fn over(connections: Connections) -> Result<Self, String> {
        Ok(Self {
            connections,
            proxies: Proxies::of(&|name| std::env::var(name).ok())?,
            #[cfg(test)]
            answers: None,
        })
    }

    #[cfg_attr(not(feature = "tls"), expect(clippy::unnecessary_wraps, reason = "files of certificates can be broken"))]
    fn agent(&self) -> Result<ureq::Agent, String> {
        match &self.connections {
            Connections::System(agent) => Ok(agent.clone()),
            #[cfg(feature = "tls")]
            Connections::Files(certificates) => certificates.lock().unwrap_or_else(PoisonError::into_inner).agent(),
        }
    }

    /// Users and passwords of the proxies.
    pub(super) fn proxy_secrets(&self) -> impl Iterator<Item = String> {
        let proxies = self.proxies.http.iter().chain(&self.proxies.https);
        proxies.flat_map(|proxy| [proxy.username(), proxy.password()]).flatten().map(str::to_owned)
    }

    /// A client whose requests a test answers.
    #[cfg(test)]
    pub(super) fn answered_by(
        answer: impl Fn(&Outbound<'_>) -> Result<Answer, String> + Send + Sync + 'static,
    ) -> Self {
        Self { answers: Some(std::sync::Arc::new(answer)), ..Self::new(Duration::from_secs(1)).unwrap() }
    }

    /// Sends a request. The error names the failed phase, without the URL.
    pub fn send(&self, request: &Outbound<'_>, answer_max_bytes: Option<u64>) -> Result<Answer, String> {
        #[cfg(test)]
        if let Some(answer) = &self.answers {
            return answer(request);
        }
        let mut builder = ureq::http::Request::builder().method(request.method).uri(request.url);
        for (name, value) in request.headers {
            builder = builder.header(*name, *value);
        }
        let is_secure = request.url.starts_with("https:");
        let proxy = if is_secure { &self.proxies.https } else { &self.proxies.http };
        let request = builder.body(request.body).map_err(|error| error.to_string())?;
        let agent = self.agent()?;
        let request = agent.configure_request(request).proxy(proxy.clone()).build();
        let mut response = agent.run(request).map_err(|error| words(&error))?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let retry_after = header("retry-after");
        let samples_written =
            header("x-prometheus-remote-write-samples-written").and_then(|count| count.trim().parse().ok());
        let tells_written = ["samples", "histograms", "exemplars"]
            .iter()
            .any(|kind| response.headers().contains_key(format!("x-prometheus-remote-write-{kind}-written")));
        let status = response.status().as_u16();
        let max = answer_max_bytes.unwrap_or(ANSWER_MAX_BYTES);
        let body = response.body_mut().with_config().limit(max).read_to_vec();
        let body = match (body, answer_max_bytes) {
            (Ok(body), _) => body,
            // The body is only logged, so a truncated or failed read has no effect.
            (Err(_), None) => Vec::new(),
            (Err(error), Some(_)) => return Err(error.to_string()),
        };
        Ok(Answer { status, retry_after, tells_written, samples_written, body })
    }
}

/// What a failed request means, without its URL.
fn words(error: &ureq::Error) -> String {
    #[cfg(feature = "tls")]
    if let Some(words) = super::trust::words(error) {
        return words;
    }
    error.to_string()
}

/// First line of a body, escaped and shortened.
pub(super) fn first_line(body: &[u8]) -> String {
    let line = body.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let text = String::from_utf8_lossy(line);
    text.chars().take(SHOWN_MAX_CHARACTERS).flat_map(char::escape_debug).collect()
}

/// Time to wait of a `Retry-After` header: a number of seconds, or a date of RFC 9110.
pub fn retry_after(value: &str, now: Duration) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = http_date(value.trim())?;
    Some(Duration::from_secs(at.saturating_sub(now.as_secs())))
}

/// Seconds since 1970 of a date such as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = text.split_once(", ")?;
    let mut words = rest.strip_suffix(" GMT")?.split(' ');
    let day: u64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = u64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()?;
    let year: u64 = words.next()?.parse().ok().filter(|year| (1970..10_000).contains(year))?;
    let mut time = words.next()?.split(':').map(str::parse::<u64>);
    let (hours, minutes, seconds) = (time.next()?.ok()?, time.next()?.ok()?, time.next()?.ok()?);
    if !(1..=31).contains(&day) || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    // Days since 1970 of a date, with years that begin in March.
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + hours * 3_600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now = Duration::from_secs(784_111_777 - 90);
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(90)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now * 2), Some(Duration::ZERO));
        for refused in
            ["", "soon", "-1", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994", "Sun, 06 Foo 1994 08:49:37 GMT"]
        {
            assert_eq!(retry_after(refused, now), None, "{refused}");
        }
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(http_date("Tue, 29 Feb 2000 12:00:00 GMT"), Some(951_825_600));
    }

    #[test]
    fn proxies_follow_the_scheme_and_errors_hide_them() {
        let of = |variables: &[(&str, &str)]| {
            let found =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            Proxies::of(&found).map(|proxies| {
                let port = |proxy: Option<ureq::Proxy>| proxy.map(|proxy| proxy.port());
                (port(proxies.http), port(proxies.https))
            })
        };
        assert_eq!(of(&[]), Ok((None, None)));
        assert_eq!(of(&[("HTTPS_PROXY", "http://p:2")]), Ok((None, Some(2))));
        assert_eq!(of(&[("http_proxy", "p:1"), ("HTTPS_PROXY", "http://u:pw@p:2")]), Ok((Some(1), Some(2))));
        assert_eq!(of(&[("ALL_PROXY", "http://p:3"), ("HTTP_PROXY", "")]), Ok((Some(3), Some(3))));
        for refused in ["http://u:geh eim@p", "geheim://x"] {
            let error = of(&[("HTTP_PROXY", refused)]).unwrap_err();
            assert_eq!(
                error, "HTTP_PROXY: expected the URL of a proxy, as http://USER:PASSWORD@HOST:PORT",
                "{refused}"
            );
        }
    }

    #[test]
    fn the_first_line_of_an_answer_is_escaped_and_short() {
        assert_eq!(first_line(b"bad \x1b[31mline\nsecond"), "bad \\u{1b}[31mline");
        assert_eq!(first_line(&[b'x'; 500]).len(), SHOWN_MAX_CHARACTERS);
    }
}
