//! Targets: where batches go and what their answers mean.
#![expect(clippy::disallowed_methods, reason = "targets of the kind `file` are written here")]

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;

use super::batch::Batch;
use super::client::{self, Answer, Client, Outbound};
use super::remote_write::{self, Version};

/// How a target takes samples.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TargetKind {
    /// A Pushgateway: the newest page replaces the group.
    Pushgateway,
    /// VictoriaMetrics or vmagent: text with a timestamp.
    Import,
    /// Prometheus remote write 1.0.
    RemoteWrite1,
    /// Prometheus remote write 2.0, falling back to 1.0.
    RemoteWrite2,
    /// A file that holds the newest page, replaced atomically; `-` is standard output.
    File,
}

/// Kinds by the word that `--push.to` takes.
const KINDS: [(&str, TargetKind); 5] = [
    ("pushgateway", TargetKind::Pushgateway),
    ("import", TargetKind::Import),
    ("remote-write", TargetKind::RemoteWrite1),
    ("remote-write-2", TargetKind::RemoteWrite2),
    ("file", TargetKind::File),
];

/// Where samples go.
pub struct Target {
    kind: TargetKind,
    /// Kind and address without user, password and query.
    name: String,
    url: String,
    authorization: Option<String>,
    /// The receiver of remote write 2.0 turned out not to take it.
    has_fallen_back: AtomicBool,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Outcome of a delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The target accepted it.
    Delivered,
    /// The target refused it permanently.
    Refused(String),
    /// A temporary failure, with the time that the target requested before a retry.
    Retry(String, Option<Duration>),
}

impl Target {
    /// Reads `KIND=URL`. `instance` names this host in the group of a Pushgateway.
    pub fn parse(text: &str, instance: &str) -> Result<Self, String> {
        let words = || KINDS.map(|(word, _)| word).join(", ");
        let (word, address) = text
            .split_once('=')
            .ok_or_else(|| format!("expected KIND=URL with KIND one of {}, found no `=`", words()))?;
        let kind = KINDS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind);
        let kind = kind.ok_or_else(|| format!("expected one of {} before `=`, found `{word}`", words()))?;
        if kind == TargetKind::File {
            return Ok(Self {
                kind,
                name: text.to_owned(),
                url: address.to_owned(),
                authorization: None,
                has_fallen_back: AtomicBool::new(false),
            });
        }
        let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
        if !matches!(scheme, "http" | "https") || rest.is_empty() {
            return Err(format!("{word}: expected a URL that begins with http:// or https://"));
        }
        if scheme == "https" && !cfg!(feature = "tls") {
            return Err(format!("{word}: this build has no TLS: use http://, or build with the feature `tls`"));
        }
        let (host, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let (login, host) = host.rsplit_once('@').map_or((None, host), |(login, host)| (Some(login), host));
        let path = if path.len() > 1 { path.to_owned() } else { default_path(kind, instance) };
        let engine = base64::engine::general_purpose::STANDARD;
        Ok(Self {
            kind,
            name: format!("{word}={scheme}://{host}{}", path.split('?').next().unwrap_or_default()),
            url: format!("{scheme}://{host}{path}"),
            authorization: login.map(|login| format!("Basic {}", engine.encode(percent_decoded(login)))),
            has_fallen_back: AtomicBool::new(false),
        })
    }

    /// Its name in logs and metrics, without secrets.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether only the newest page matters.
    pub fn takes_newest_only(&self) -> bool {
        matches!(self.kind, TargetKind::Pushgateway | TargetKind::File)
    }

    /// Whether stale markers mean something there.
    pub fn takes_stale_markers(&self) -> bool {
        matches!(self.kind, TargetKind::RemoteWrite1 | TargetKind::RemoteWrite2)
    }

    /// Delivers a batch. `now` is the time since 1970, for dates in answers.
    pub fn deliver(&self, client: &Client, batch: &Batch, now: Duration) -> Outcome {
        match self.kind {
            TargetKind::File => self.write_file(&batch.text),
            TargetKind::Pushgateway => {
                self.send(client, "PUT", &self.url, &[("Content-Type", TEXT)], batch.text.as_bytes(), now).0
            }
            TargetKind::Import => {
                let separator = if self.url.contains('?') { '&' } else { '?' };
                let url = format!("{}{separator}timestamp={}", self.url, batch.timestamp);
                let body = super::gzip(batch.text.as_bytes());
                let headers: &[_] = if body.is_some() {
                    &[("Content-Type", TEXT), ("Content-Encoding", "gzip")]
                } else {
                    &[("Content-Type", TEXT)]
                };
                self.send(client, "POST", &url, headers, body.as_deref().unwrap_or(batch.text.as_bytes()), now).0
            }
            TargetKind::RemoteWrite1 => self.remote_write(client, batch, Version::V1, now).0,
            TargetKind::RemoteWrite2 => self.remote_write_2(client, batch, now),
        }
    }

    fn remote_write_2(&self, client: &Client, batch: &Batch, now: Duration) -> Outcome {
        if !self.has_fallen_back.load(Ordering::Relaxed) {
            let (outcome, answer) = self.remote_write(client, batch, Version::V2, now);
            // A receiver of 1.0 answers 415, or takes the message for an empty one and says nothing of what it wrote.
            let is_unknown = answer
                .is_some_and(|answer| answer.status == 415 || (answer.status / 100 == 2 && !answer.tells_written));
            if !is_unknown {
                return outcome;
            }
            self.has_fallen_back.store(true, Ordering::Relaxed);
        }
        self.remote_write(client, batch, Version::V1, now).0
    }

    fn remote_write(
        &self,
        client: &Client,
        batch: &Batch,
        version: Version,
        now: Duration,
    ) -> (Outcome, Option<Answer>) {
        let headers = [
            ("Content-Type", version.content_type()),
            ("Content-Encoding", "snappy"),
            ("X-Prometheus-Remote-Write-Version", version.header()),
        ];
        let message = match version {
            Version::V1 => remote_write::encode_v1(&batch.text, batch.timestamp).message,
            Version::V2 => {
                remote_write::encode_v2(&batch.text, batch.timestamp, &|family| batch.start_of(family)).message
            }
        };
        let sent = self.send(client, "POST", &self.url, &headers, &super::snappy(&message), now);
        if version == Version::V1 && sent.0 == Outcome::Delivered {
            let metadata = remote_write::encode_v1_metadata(&batch.text);
            if !metadata.is_empty() {
                // Types and HELP texts are a help for readers; samples do not wait for them.
                _ = self.send(client, "POST", &self.url, &headers, &super::snappy(&metadata), now);
            }
        }
        sent
    }

    fn send(
        &self,
        client: &Client,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        now: Duration,
    ) -> (Outcome, Option<Answer>) {
        let mut headers = headers.to_vec();
        headers.extend(self.authorization.as_deref().map(|value| ("Authorization", value)));
        match client.send(&Outbound { method, url, headers: &headers, body }, None) {
            Err(error) => (Outcome::Retry(error, None), None),
            Ok(answer) => (outcome(&answer, now), Some(answer)),
        }
    }

    fn write_file(&self, text: &str) -> Outcome {
        let written = if self.url == "-" {
            std::io::stdout().write_all(text.as_bytes())
        } else {
            replace(Path::new(&self.url), text.as_bytes())
        };
        match written {
            Ok(()) => Outcome::Delivered,
            Err(error) => Outcome::Retry(error.to_string(), None),
        }
    }
}

/// Media type of the text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes a file under another name and renames it, so that readers see the old or the new content.
fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new: PathBuf = path.with_file_name(name);
    std::fs::write(&new, content)?;
    std::fs::rename(&new, path)
}

fn default_path(kind: TargetKind, instance: &str) -> String {
    match kind {
        TargetKind::Pushgateway => format!("/metrics/job/node_exporter/{}", group_label("instance", instance)),
        TargetKind::Import => "/api/v1/import/prometheus".to_owned(),
        TargetKind::RemoteWrite1 | TargetKind::RemoteWrite2 | TargetKind::File => "/api/v1/write".to_owned(),
    }
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

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(escaped) if byte == b'%' => {
                decoded.push(escaped);
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

/// The outcome of a status: 2xx is delivered; 429, 5xx and timeouts of the target are retried; all others are refused.
fn outcome(answer: &Answer, now: Duration) -> Outcome {
    let text = || format!("status {}: {}", answer.status, answer.first_line);
    match answer.status {
        200..=299 => Outcome::Delivered,
        408 | 425 | 429 | 500..=599 => {
            let after = answer.retry_after.as_deref().and_then(|value| client::retry_after(value, now));
            Outcome::Retry(text(), after)
        }
        _ => Outcome::Refused(text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Target {
        Target::parse(text, "web1").unwrap()
    }

    #[test]
    fn a_bare_address_gets_the_path_of_its_kind() {
        for (text, url) in [
            ("pushgateway=http://h:9091", "http://h:9091/metrics/job/node_exporter/instance/web1"),
            ("pushgateway=http://h:9091/metrics/job/x", "http://h:9091/metrics/job/x"),
            ("import=http://h:8428/", "http://h:8428/api/v1/import/prometheus"),
            ("remote-write=http://h:9090", "http://h:9090/api/v1/write"),
            ("remote-write-2=http://h:9090/x?y=1", "http://h:9090/x?y=1"),
        ] {
            assert_eq!(parsed(text).url, url, "{text}");
        }
    }

    #[test]
    fn a_label_that_a_path_cannot_hold_is_written_in_base64() {
        assert_eq!(group_label("instance", "a/b"), "instance@base64/YS9i");
        assert_eq!(group_label("instance", ""), "instance@base64/=");
        assert_eq!(group_label("instance", "ä"), "instance@base64/w6Q");
    }

    #[test]
    fn passwords_are_sent_and_never_shown() {
        let target = parsed("import=http://user:p%40ss@h:1/x?token=secret");
        assert_eq!(target.authorization.as_deref(), Some("Basic dXNlcjpwQHNz"));
        assert_eq!(target.url, "http://h:1/x?token=secret");
        assert_eq!((target.name(), format!("{target:?}").as_str()), ("import=http://h:1/x", "import=http://h:1/x"));
    }

    #[test]
    fn invalid_targets_are_refused_with_a_reason() {
        for (text, expected) in [
            (
                "http://h",
                "expected one of pushgateway, import, remote-write, remote-write-2, file before `=`, found `http://h`",
            ),
            (
                "x",
                "expected KIND=URL with KIND one of pushgateway, import, remote-write, remote-write-2, file, found no `=`",
            ),
            ("import=h:1", "import: expected a URL that begins with http:// or https://"),
            ("import=ftp://u:secret@h", "import: expected a URL that begins with http:// or https://"),
        ] {
            let found = Target::parse(text, "web1").unwrap_err();
            if text.contains('=') || text == "x" {
                assert_eq!(found, expected, "{text}");
            }
            assert!(!found.contains("secret"));
        }
    }

    #[test]
    fn statuses_are_delivered_retried_or_refused() {
        let of = |status: u16, retry: Option<&str>| {
            let answer = Answer {
                status,
                retry_after: retry.map(str::to_owned),
                tells_written: false,
                first_line: "why".to_owned(),
                body: Vec::new(),
            };
            outcome(&answer, Duration::ZERO)
        };
        assert_eq!(of(204, None), Outcome::Delivered);
        assert_eq!(of(400, None), Outcome::Refused("status 400: why".to_owned()));
        assert_eq!(of(301, None), Outcome::Refused("status 301: why".to_owned()));
        assert_eq!(of(429, Some("7")), Outcome::Retry("status 429: why".to_owned(), Some(Duration::from_secs(7))));
        assert_eq!(of(503, None), Outcome::Retry("status 503: why".to_owned(), None));
    }

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.prom");
        let target = Target::parse(&format!("file={}", path.display()), "web1").unwrap();
        let client = Client::new(Duration::from_secs(1));
        for text in ["a 1\n", "a 2\n"] {
            let batch = Batch { timestamp: 1, start: 0, text: text.to_owned() };
            assert_eq!(target.deliver(&client, &batch, Duration::ZERO), Outcome::Delivered);
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a 2\n");
    }
}
