//! Where samples go: what a target is sent, and what its answers mean.
#![expect(
    clippy::disallowed_methods,
    reason = "targets of the kind `file` are written, and files with secrets read here"
)]

use std::collections::HashSet;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;

use super::batch::Identity;
use super::batch::{self, Batch};
use super::client::{self, Answer, Client, Outbound};
use super::remote_write::{self, Version};
use super::source::Collected;
use crate::access::Secret;
use crate::target::{Address, Compression, GROUPS, HIDDEN, TargetKind, TargetOptions, percent_decoded};

/// Types and HELP texts are sent again to a receiver of remote write 1.0 after this time.
const METADATA_INTERVAL: Duration = Duration::from_secs(600);

/// Shorter values of a query are words such as `1` or `get`, and no secrets.
const QUERY_SECRET_MIN_BYTES: usize = 4;

/// Time for the check of `pause-unless-url`.
const PAUSE_CHECK_MAX: Duration = Duration::from_secs(2);

/// Where samples go.
pub struct Target {
    options: TargetOptions,
    url: String,
    client: Client,
    pause_client: Client,
    /// The receiver of remote write 2.0 turned out not to take it.
    has_fallen_back: AtomicBool,
    metadata: Mutex<SentMetadata>,
}

/// Hashes of the types and HELP texts that a receiver of remote write 1.0 has.
#[derive(Default)]
struct SentMetadata {
    since: Duration,
    hashes: HashSet<u64>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.options.name)
    }
}

/// Outcome of a delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The target accepted it; the body had this many bytes.
    Delivered(u64),
    /// The target answered with success and wrote less than it was sent.
    Partial(u64, String),
    /// The target refused it permanently.
    Refused(String),
    /// A temporary failure, with the time that the target requested before a retry.
    Retry(String, Option<Duration>),
}

impl Target {
    /// A target whose requests take `timeout` at most unless the options say otherwise.
    pub fn new(options: TargetOptions, timeout: Duration) -> Result<Self, String> {
        let timeout = options.timeout.unwrap_or(timeout);
        let named = |error: String| format!("{options}: {error}");
        let client = Client::of(&options, timeout).map_err(named)?;
        let pause_client = Client::of(&options, timeout.min(PAUSE_CHECK_MAX)).map_err(named)?;
        Ok(Self {
            url: with_default_path(&options),
            options,
            client,
            pause_client,
            has_fallen_back: AtomicBool::new(false),
            metadata: Mutex::default(),
        })
    }

    /// This target with another client.
    #[cfg(test)]
    pub(super) fn over(self, client: Client) -> Self {
        Self { client, ..self }
    }

    /// The settings of the target.
    pub fn options(&self) -> &TargetOptions {
        &self.options
    }

    /// Its name in logs and metrics, without secrets.
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// Whether only the newest page matters.
    pub fn takes_newest_only(&self) -> bool {
        matches!(self.options.kind, TargetKind::Pushgateway | TargetKind::File)
    }

    /// Whether stale markers mean something there.
    pub fn takes_stale_markers(&self) -> bool {
        let is_remote_write = matches!(self.options.kind, TargetKind::RemoteWrite1 | TargetKind::RemoteWrite2);
        is_remote_write && self.options.has_stale_markers
    }

    /// Labels of the series of a source there, beside those of the page.
    pub fn labels(&self, identity: &Identity) -> Vec<(String, String)> {
        let identity = self.identity(identity);
        let mut labels = vec![("job".to_owned(), identity.job), ("instance".to_owned(), identity.instance)];
        if self.options.kind != TargetKind::Import {
            labels.extend(self.options.extra_labels.iter().cloned());
        }
        labels
    }

    /// Job and instance of a source as this target has them. Its own ones are for the exporter's page.
    fn identity(&self, identity: &Identity) -> Identity {
        let mut found = identity.clone();
        if identity.is_own {
            for (own, other) in [(&self.options.job, &mut found.job), (&self.options.instance, &mut found.instance)] {
                if !own.is_empty() {
                    other.clone_from(own);
                }
            }
        }
        found
    }

    /// Whether nothing is to be pushed now.
    pub fn is_paused(&self) -> bool {
        if self.options.pause_file.as_deref().is_some_and(Path::exists) {
            return true;
        }
        let url = self.options.pause_unless_url.0.as_str();
        if url.is_empty() {
            return false;
        }
        let Ok(Address { url, login }) = Address::parse(url) else { return true };
        let login = login.map(|(user, password)| basic(&user, &password));
        let headers: Vec<(&str, &str)> = login.as_deref().map(|login| ("Authorization", login)).into_iter().collect();
        let request = Outbound { method: "GET", url: &url, headers: &headers, body: b"" };
        let answer = self.pause_client.send(&request, None);
        !answer.is_ok_and(|answer| answer.status / 100 == 2)
    }

    /// Whether the options can pause the target.
    pub fn can_be_paused(&self) -> bool {
        self.options.pause_file.is_some() || self.has_pause_check()
    }

    /// Whether [`Target::is_paused`] sends a request.
    pub fn has_pause_check(&self) -> bool {
        !self.options.pause_unless_url.0.is_empty()
    }

    /// Delivers the newest pages, which replace those before. `now` is the time since 1970, for dates in answers.
    pub fn deliver_pages(&self, pages: &[Collected], now: Duration) -> Outcome {
        if self.options.kind == TargetKind::File {
            let text = batch::merged(pages.iter().map(|page| (page.identity.as_ref(), page.batches.as_slice())));
            return self.write_file(&text);
        }
        let method = if self.options.is_post { "POST" } else { "PUT" };
        let mut bytes = 0;
        for page in pages {
            let text = batch::whole(&page.batches);
            if text.is_empty() {
                continue;
            }
            let text = match self.options.extra_labels.as_slice() {
                [] => text,
                labels => batch::with_labels(&text, labels),
            };
            let url = self.group(&page.identity);
            match self.send(method, &url, &[("Content-Type", TEXT)], text.as_bytes(), now).0 {
                Outcome::Delivered(sent) | Outcome::Partial(sent, _) => bytes += sent,
                other => return other,
            }
        }
        Outcome::Delivered(bytes)
    }

    /// Deletes the groups of a Pushgateway, if the options ask for it.
    pub fn delete<'a>(&self, identities: impl Iterator<Item = &'a Identity>) -> Result<(), String> {
        if !self.options.deletes_on_stop {
            return Ok(());
        }
        for identity in identities {
            match self.send("DELETE", &self.group(identity), &[], b"", Duration::ZERO).0 {
                Outcome::Delivered(_) | Outcome::Partial(..) => {}
                Outcome::Refused(error) | Outcome::Retry(error, _) => return Err(error),
            }
        }
        Ok(())
    }

    /// The URL of the group of a source. A URL that names a group is the group of the exporter's own page.
    fn group(&self, identity: &Identity) -> String {
        let base = match self.url.split_once(GROUPS) {
            Some(_) if identity.is_own => return self.url.clone(),
            Some((base, _)) => base,
            None => self.url.trim_end_matches('/'),
        };
        let Identity { job, instance, .. } = self.identity(identity);
        let mut url = format!("{base}{GROUPS}{}/{}", group_label("job", &job), group_label("instance", &instance));
        for (name, value) in &self.options.grouping {
            url.push('/');
            url.push_str(&group_label(name, value));
        }
        url
    }

    /// Delivers a batch. `now` is the time since 1970, for dates in answers.
    pub fn deliver(&self, batch: &Batch, now: Duration) -> Outcome {
        match self.options.kind {
            TargetKind::RemoteWrite1 => self.remote_write(batch, Version::V1, now).0,
            TargetKind::RemoteWrite2 => self.remote_write_2(batch, now),
            TargetKind::Import | TargetKind::Pushgateway | TargetKind::File => self.import(batch, now),
        }
    }

    fn import(&self, batch: &Batch, now: Duration) -> Outcome {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        let mut url = format!("{}{separator}timestamp={}", self.url, batch.timestamp);
        for (name, value) in &self.options.extra_labels {
            url.push_str("&extra_label=");
            url.push_str(&percent_encoded(&format!("{name}={value}")));
        }
        let plain = batch.text.as_bytes();
        let (coding, packed) = match self.options.compression {
            Compression::Gzip => ("gzip", super::gzip(plain)),
            Compression::Zstd => ("zstd", super::zstd(plain)),
            Compression::None => ("", None),
        };
        let all = [("Content-Type", TEXT), ("Content-Encoding", coding)];
        let headers = if packed.is_some() { &all[..] } else { &all[..1] };
        self.send("POST", &url, headers, packed.as_deref().unwrap_or(plain), now).0
    }

    fn remote_write_2(&self, batch: &Batch, now: Duration) -> Outcome {
        if !self.has_fallen_back.load(Ordering::Relaxed) {
            let (outcome, answer) = self.remote_write(batch, Version::V2, now);
            // A receiver of 1.0 answers 415, or takes the message for an empty one and says nothing of what it wrote.
            let is_unknown = answer
                .is_some_and(|answer| answer.status == 415 || (answer.status / 100 == 2 && !answer.tells_written));
            if !is_unknown {
                return outcome;
            }
            self.has_fallen_back.store(true, Ordering::Relaxed);
        }
        self.remote_write(batch, Version::V1, now).0
    }

    fn remote_write(&self, batch: &Batch, version: Version, now: Duration) -> (Outcome, Option<Answer>) {
        let headers = [
            ("Content-Type", version.content_type()),
            ("Content-Encoding", "snappy"),
            ("X-Prometheus-Remote-Write-Version", version.header()),
        ];
        let encoded = match version {
            Version::V1 => remote_write::encode_v1(&batch.text, batch.timestamp),
            Version::V2 => remote_write::encode_v2(&batch.text, batch.timestamp, &|family| batch.start_of(family)),
        };
        let mut sent = self.send("POST", &self.url, &headers, &super::snappy(&encoded.message), now);
        if let (Outcome::Delivered(bytes), Some(Answer { samples_written: Some(written), .. })) = &sent
            && version == Version::V2
            && *written < encoded.samples as u64
        {
            sent.0 = Outcome::Partial(*bytes, format!("{written} of {} samples were written", encoded.samples));
        }
        if version == Version::V1 && matches!(sent.0, Outcome::Delivered(_)) {
            self.send_metadata(batch, &headers, now);
        }
        sent
    }

    /// Sends types and HELP texts that the receiver lacks. They are a help for readers; samples do not wait for them.
    fn send_metadata(&self, batch: &Batch, headers: &[(&str, &str)], now: Duration) {
        let metadata = remote_write::encode_v1_metadata(&batch.text);
        let hash = super::hash(&metadata);
        let mut sent = self.metadata.lock().unwrap_or_else(PoisonError::into_inner);
        if now.abs_diff(sent.since) >= METADATA_INTERVAL {
            *sent = SentMetadata { since: now, hashes: HashSet::new() };
        }
        if metadata.is_empty() || sent.hashes.contains(&hash) {
            return;
        }
        let outcome = self.send("POST", &self.url, headers, &super::snappy(&metadata), now).0;
        // A receiver that does not take metadata is not asked again and again.
        if !matches!(outcome, Outcome::Retry(..)) {
            sent.hashes.insert(hash);
        }
    }

    fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        now: Duration,
    ) -> (Outcome, Option<Answer>) {
        let authorization = match self.authorization() {
            Ok(authorization) => authorization,
            Err(error) => return (Outcome::Retry(error, None), None),
        };
        let mut headers = headers.to_vec();
        headers.extend(authorization.as_deref().map(|value| ("Authorization", value)));
        headers.extend(self.options.headers.iter().map(|(name, value)| (name.as_str(), value.0.as_str())));
        match self.client.send(&Outbound { method, url, headers: &headers, body }, None) {
            Err(error) => (Outcome::Retry(error, None), None),
            Ok(answer) => {
                let said = client::first_line(&self.without_secrets(&answer.body, authorization.as_deref()));
                (outcome(&answer, &said, body.len(), now), Some(answer))
            }
        }
    }

    /// What a target said, without the secrets that it was sent: some receivers repeat a request in their errors.
    fn without_secrets(&self, said: &[u8], authorization: Option<&str>) -> Vec<u8> {
        let mut secrets: Vec<String> = vec![self.options.password.0.clone()];
        if let Some((_, credentials)) = authorization.and_then(|value| value.split_once(' ')) {
            secrets.push(credentials.to_owned());
            let login = base64::engine::general_purpose::STANDARD.decode(credentials).unwrap_or_default();
            let login = String::from_utf8(login).unwrap_or_default();
            // The user alone is a secret where there is no password.
            secrets
                .extend(login.split_once(':').map(|(user, word)| if word.is_empty() { user } else { word }.to_owned()));
        }
        secrets.extend(self.options.headers.iter().map(|(_, value)| value.0.clone()));
        if let Some((_, query)) = self.options.url.0.split_once(['?', '#']) {
            secrets.push(query.to_owned());
            let values = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value);
            let values = values.filter(|value| value.len() >= QUERY_SECRET_MIN_BYTES);
            secrets.extend(values.flat_map(|value| [value.to_owned(), percent_decoded(value)]));
        }
        secrets.extend(self.client.proxy_secrets());
        secrets.retain(|secret| !secret.is_empty());
        // A secret that contains another one comes first.
        secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
        let mut said = String::from_utf8_lossy(said).into_owned();
        for secret in &secrets {
            said = said.replace(secret.as_str(), HIDDEN);
        }
        said.into_bytes()
    }

    /// Value of the header `Authorization`. Files are read at each request, so that a new secret is used at once.
    fn authorization(&self) -> Result<Option<String>, String> {
        let options = &self.options;
        let token = secret(&options.bearer_token, options.bearer_token_file.as_deref())?;
        if !token.is_empty() {
            return Ok(Some(format!("Bearer {token}")));
        }
        if options.username.is_empty() && options.password.0.is_empty() && options.password_file.is_none() {
            return Ok(None);
        }
        let password = secret(&options.password, options.password_file.as_deref())?;
        Ok(Some(basic(&options.username, &password)))
    }

    fn write_file(&self, text: &str) -> Outcome {
        let written = if self.url == "-" {
            std::io::stdout().write_all(text.as_bytes())
        } else {
            replace(Path::new(&self.url), text.as_bytes())
        };
        match written {
            Ok(()) => Outcome::Delivered(text.len() as u64),
            Err(error) => Outcome::Retry(error.to_string(), None),
        }
    }
}

/// The value of `Authorization` of a login.
fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

/// A secret, or the first line of the file that holds it.
fn secret(secret: &Secret, file: Option<&Path>) -> Result<String, String> {
    let Some(file) = file else { return Ok(secret.0.clone()) };
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Media type of the text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Name of the file in a directory that was given for the kind `file`, as the textfile collector reads it.
const FILE_NAME: &str = "pushed.prom";

/// Writes a file under another name and renames it, so that readers see the old or the new content.
fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new: PathBuf = path.with_file_name(name);
    std::fs::write(&new, content)?;
    std::fs::rename(&new, path)
}

/// The URL with the usual path where it has none.
fn with_default_path(options: &TargetOptions) -> String {
    let url = options.url.0.clone();
    let default = match options.kind {
        TargetKind::File if url.ends_with('/') => return url + FILE_NAME,
        TargetKind::File | TargetKind::Pushgateway => return url,
        TargetKind::Import => "/api/v1/import/prometheus",
        TargetKind::RemoteWrite1 | TargetKind::RemoteWrite2 => "/api/v1/write",
    };
    let (scheme, rest) = url.split_once("://").unwrap_or(("", &url));
    let (host, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let (host, query) = host.split_once('?').map_or((host, ""), |(host, _)| (host, &rest[host.len()..]));
    if path.len() > 1 { url.clone() } else { format!("{scheme}://{host}{default}{query}") }
}

/// A grouping label in the path of a Pushgateway: base64 where the value has a slash, is empty or is no plain word.
fn group_label(name: &str, value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    if !value.is_empty() && value.bytes().all(is_plain) {
        return format!("{name}/{value}");
    }
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let encoded = engine.encode(value);
    // An empty value is written as padding alone.
    format!("{name}@base64/{}", if encoded.is_empty() { "=" } else { &encoded })
}

/// A value in a query.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// The outcome of a status: 2xx is delivered; 429, 5xx, timeouts of the target and a login that a proxy lacks are retried;
/// all others are refused. `said` is the first line of the body.
fn outcome(answer: &Answer, said: &str, bytes: usize, now: Duration) -> Outcome {
    let text = || format!("status {}: {said}", answer.status);
    match answer.status {
        200..=299 => Outcome::Delivered(bytes as u64),
        407 | 408 | 425 | 429 | 500..=599 => {
            let after = answer.retry_after.as_deref().and_then(|value| client::retry_after(value, now));
            Outcome::Retry(text(), after)
        }
        _ => Outcome::Refused(text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn target(text: &str) -> Target {
        Target::new(TargetOptions::parse(text).unwrap(), Duration::from_secs(1)).unwrap()
    }

    fn own() -> Identity {
        Identity { job: "node_exporter".to_owned(), instance: "web1".to_owned(), is_own: true }
    }

    #[test]
    fn a_bare_address_gets_the_path_of_its_kind() {
        for (text, url) in [
            ("import=http://h:8428/", "http://h:8428/api/v1/import/prometheus"),
            ("import=http://h:8428?a=b", "http://h:8428/api/v1/import/prometheus?a=b"),
            ("remote-write=http://h:9090", "http://h:9090/api/v1/write"),
            ("remote-write-2=http://h:9090/x?y=1", "http://h:9090/x?y=1"),
            ("file=/srv/text/", "/srv/text/pushed.prom"),
            ("file=/srv/x.prom", "/srv/x.prom"),
        ] {
            assert_eq!(target(text).url, url, "{text}");
        }
    }

    #[test]
    fn a_group_has_the_labels_of_its_source() {
        let scraped = Identity { job: "a b".to_owned(), instance: "h:1".to_owned(), is_own: false };
        for (text, group, of_scraped) in [
            (
                "pushgateway=http://h:9091",
                "http://h:9091/metrics/job/node_exporter/instance/web1",
                "http://h:9091/metrics/job@base64/YSBi/instance/h:1",
            ),
            (
                "pushgateway=http://h/prefix/metrics/job/x",
                "http://h/prefix/metrics/job/x",
                "http://h/prefix/metrics/job@base64/YSBi/instance/h:1",
            ),
        ] {
            assert_eq!(target(text).group(&own()), group, "{text}");
            assert_eq!(target(text).group(&scraped), of_scraped, "{text}");
        }
        let mut options = TargetOptions::parse("pushgateway=http://h:9091").unwrap();
        options.grouping = vec![("zone".to_owned(), "a/b".to_owned())];
        options.instance = "n1".to_owned();
        let target = Target::new(options, Duration::from_secs(1)).unwrap();
        assert_eq!(target.group(&own()), "http://h:9091/metrics/job/node_exporter/instance/n1/zone@base64/YS9i");
    }

    #[test]
    fn a_label_that_a_path_cannot_hold_is_written_in_base64() {
        assert_eq!(group_label("instance", "a/b"), "instance@base64/YS9i");
        assert_eq!(group_label("instance", ""), "instance@base64/=");
        assert_eq!(group_label("instance", "ä"), "instance@base64/w6Q");
    }

    #[test]
    fn secrets_are_sent_and_never_shown() {
        let user = target("import=http://user:p%40ss@h:1/x?token=secret");
        assert_eq!(user.authorization().unwrap().as_deref(), Some("Basic dXNlcjpwQHNz"));
        assert_eq!(user.url, "http://h:1/x?token=secret");
        assert_eq!((user.name(), format!("{user:?}").as_str()), ("import=http://h:1/x", "import=http://h:1/x"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let mut options = TargetOptions::parse("import=http://h:1").unwrap();
        options.bearer_token_file = Some(file.clone());
        let bearer = Target::new(options, Duration::from_secs(1)).unwrap();
        assert!(bearer.authorization().unwrap_err().contains("token: "));
        for token in ["one", "two"] {
            std::fs::write(&file, format!("{token}\n")).unwrap();
            assert_eq!(bearer.authorization().unwrap(), Some(format!("Bearer {token}")));
        }
    }

    #[test]
    fn extra_labels_go_to_the_query_of_an_import_and_to_the_series_of_others() {
        let mut options = TargetOptions::parse("import=http://h:1").unwrap();
        options.extra_labels = vec![("zone".to_owned(), "a&b".to_owned())];
        let named = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
        };
        let plain = named(&[("job", "node_exporter"), ("instance", "web1")]);
        let import = Target::new(options.clone(), Duration::from_secs(1)).unwrap();
        assert_eq!(import.labels(&own()), plain);
        options.kind = TargetKind::RemoteWrite1;
        let remote = Target::new(options, Duration::from_secs(1)).unwrap();
        assert_eq!(remote.labels(&own()), [plain, named(&[("zone", "a&b")])].concat());
        assert_eq!(percent_encoded("zone=a&b"), "zone%3Da%26b");
    }

    #[test]
    fn statuses_are_delivered_retried_or_refused() {
        let of = |status: u16, retry: Option<&str>| {
            let answer = Answer {
                status,
                retry_after: retry.map(str::to_owned),
                tells_written: false,
                samples_written: None,
                body: Vec::new(),
            };
            outcome(&answer, "why", 5, Duration::ZERO)
        };
        assert_eq!(of(204, None), Outcome::Delivered(5));
        assert_eq!(of(400, None), Outcome::Refused("status 400: why".to_owned()));
        assert_eq!(of(301, None), Outcome::Refused("status 301: why".to_owned()));
        assert_eq!(of(429, Some("7")), Outcome::Retry("status 429: why".to_owned(), Some(Duration::from_secs(7))));
        assert_eq!(of(503, None), Outcome::Retry("status 503: why".to_owned(), None));
    }

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let target = target(&format!("file={}/", folder.path().display()));
        for text in ["a 1\n", "a 2\n"] {
            let batch = Batch { timestamp: 1, start: 0, text: text.to_owned() };
            let page = Collected { identity: Arc::new(own()), batches: vec![batch] };
            assert_eq!(target.deliver_pages(&[page], Duration::ZERO), Outcome::Delivered(4));
        }
        assert_eq!(std::fs::read_to_string(folder.path().join(FILE_NAME)).unwrap(), "a 2\n");
    }

    #[test]
    fn a_file_pauses_a_target_while_it_exists() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("standby");
        let mut options = TargetOptions::parse("import=http://h:1").unwrap();
        options.pause_file = Some(file.clone());
        let target = Target::new(options, Duration::from_secs(1)).unwrap();
        assert!(!target.is_paused());
        std::fs::write(&file, "").unwrap();
        assert!(target.is_paused());
        std::fs::remove_file(&file).unwrap();
        assert!(!target.is_paused());
    }
}
