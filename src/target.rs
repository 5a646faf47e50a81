//! Options of a push target: one table for the file, the documentation and what `--config.check` prints.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use collectors::kit::nearest;

use crate::access::Secret;
use crate::environment::expand;
use crate::yaml::section::{Section, entries, text};
use crate::yaml::{Node, Problem};

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

impl TargetKind {
    const WORDS: [(&str, Self); 5] = [
        ("pushgateway", Self::Pushgateway),
        ("import", Self::Import),
        ("remote-write", Self::RemoteWrite1),
        ("remote-write-2", Self::RemoteWrite2),
        ("file", Self::File),
    ];

    /// The words of all kinds, for messages.
    pub(crate) fn words() -> String {
        Self::WORDS.map(|(word, _)| word).join(", ")
    }

    fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind)
    }

    /// Names the nearest word, if one is near. What was found is not repeated: it may be a secret in the wrong place.
    fn advice(word: &str) -> String {
        let near = nearest::among(word, Self::WORDS.iter().map(|(word, _)| *word));
        near.map_or(String::new(), |near| format!("; did you mean `{near}`?"))
    }

    /// The word that names it.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// How the body of an import is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Compression {
    /// gzip.
    #[default]
    Gzip,
    /// zstd, which vmagent and VictoriaMetrics take since 1.97.
    Zstd,
    /// None.
    None,
}

impl Compression {
    const WORDS: [(&str, Self); 3] = [("gzip", Self::Gzip), ("zstd", Self::Zstd), ("none", Self::None)];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, found)| *found == self).map_or("", |(word, _)| word)
    }
}

/// A target and how samples get there.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the file")]
pub struct TargetOptions {
    /// `to`.
    pub kind: TargetKind,
    /// `url`, without user and password; a path for [`TargetKind::File`].
    pub url: Secret,
    /// `name`: how logs and metrics call it.
    pub name: String,
    /// `username`, or the one of the URL.
    pub username: String,
    /// `password`, or the one of the URL.
    pub password: Secret,
    /// `password-file`.
    pub password_file: Option<PathBuf>,
    /// `bearer-token`.
    pub bearer_token: Secret,
    /// `bearer-token-file`.
    pub bearer_token_file: Option<PathBuf>,
    /// `headers`.
    pub headers: Vec<(String, Secret)>,
    /// `ca-file`.
    pub ca_file: Option<PathBuf>,
    /// `cert-file`.
    pub cert_file: Option<PathBuf>,
    /// `key-file`.
    pub key_file: Option<PathBuf>,
    /// `insecure-skip-verify`.
    pub skips_verification: bool,
    /// `timeout`; `None`: `--push.timeout`.
    pub timeout: Option<Duration>,
    /// `requests-per-second`.
    pub requests_per_second: u64,
    /// `method` is POST.
    pub is_post: bool,
    /// `job`; empty: that of the source.
    pub job: String,
    /// `instance`; empty: that of the source.
    pub instance: String,
    /// `grouping`.
    pub grouping: Vec<(String, String)>,
    /// `delete-on-stop`.
    pub deletes_on_stop: bool,
    /// `compression`.
    pub compression: Compression,
    /// `extra-labels`.
    pub extra_labels: Vec<(String, String)>,
    /// `stale-markers`.
    pub has_stale_markers: bool,
    /// `pause-file`.
    pub pause_file: Option<PathBuf>,
    /// `pause-unless-url`.
    pub pause_unless_url: Secret,
}

/// A key of a target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TargetKey {
    pub(crate) name: &'static str,
    pub(crate) default: &'static str,
    pub(crate) help: &'static str,
}

const fn key(name: &'static str, default: &'static str, help: &'static str) -> TargetKey {
    TargetKey { name, default, help }
}

/// Every key of a target.
pub(crate) const KEYS: [TargetKey; 25] = [
    key("to", "", "Kind: pushgateway, import, remote-write, remote-write-2 or file. Required."),
    key(
        "url",
        "",
        "Address; the path of the file for the kind file. Required. A user and a password in it are a login.",
    ),
    key("name", "", "Name in logs, metrics and the folder of the queue. Without it: kind and address."),
    key("username", "", "User of a login."),
    key("password", "", "Password of a login."),
    key("password-file", "", "File with the password, read at each request."),
    key("bearer-token", "", "Token of the header Authorization."),
    key("bearer-token-file", "", "File with the token, read at each request."),
    key("headers", "", "Further headers, as a map."),
    key(
        "ca-file",
        "",
        "Certificates in PEM form to trust in place of those of the system; read again when the file changes.",
    ),
    key("cert-file", "", "Client certificate in PEM form; read again when the file changes."),
    key("key-file", "", "Key of the client certificate in PEM form; read again when the file changes."),
    key("insecure-skip-verify", "false", "Accept any certificate."),
    key("timeout", "", "Time for one request. Without it: push.timeout."),
    key("requests-per-second", "50", "Rate at which a backlog is sent."),
    key("method", "put", "pushgateway: put replaces the group, post replaces families of the same name."),
    key("job", "", "Label job. Without it: app, or the job of push.scrape."),
    key("instance", "", "Label instance. Without it: the host's name, or the address of push.scrape."),
    key("grouping", "", "pushgateway: further labels of the group, as a map."),
    key("delete-on-stop", "false", "pushgateway: delete the group when the exporter stops."),
    key("compression", "gzip", "import: gzip, zstd or none. vmagent and VictoriaMetrics take zstd since 1.97."),
    key(
        "extra-labels",
        "",
        "Further labels of every series, as a map. import: as extra_label, which replaces a label of that name.",
    ),
    key("stale-markers", "true", "remote-write: mark the end of series."),
    key("pause-file", "", "Nothing is pushed while this file exists."),
    key("pause-unless-url", "", "Nothing is pushed unless a GET of this URL returns 2xx."),
];

/// Whether a text is a valid label name.
pub(crate) fn is_label_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl TargetOptions {
    fn new(kind: TargetKind, url: &str) -> Self {
        Self {
            kind,
            url: Secret(url.to_owned()),
            name: String::new(),
            username: String::new(),
            password: Secret::default(),
            password_file: None,
            bearer_token: Secret::default(),
            bearer_token_file: None,
            headers: Vec::new(),
            ca_file: None,
            cert_file: None,
            key_file: None,
            skips_verification: false,
            timeout: None,
            requests_per_second: 50,
            is_post: false,
            job: String::new(),
            instance: String::new(),
            grouping: Vec::new(),
            deletes_on_stop: false,
            compression: Compression::default(),
            extra_labels: Vec::new(),
            has_stale_markers: true,
            pause_file: None,
            pause_unless_url: Secret::default(),
        }
    }

    /// Reads `KIND=URL` of the command line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (word, address) = text
            .split_once('=')
            .ok_or_else(|| format!("expected KIND=URL with KIND one of {}, found no `=`", TargetKind::words()))?;
        let kind = TargetKind::of(word).ok_or_else(|| {
            format!("expected one of {} before the first `=`{}", TargetKind::words(), TargetKind::advice(word))
        })?;
        Self::new(kind, address).completed()
    }

    /// Takes the login out of the URL, and makes a name without secrets.
    fn completed(mut self) -> Result<Self, String> {
        let word = self.kind.word();
        if self.kind == TargetKind::File {
            if self.url.0.is_empty() {
                return Err(format!("{word}: expected a path, or - for standard output"));
            }
            // The path becomes the name, and a URL in its place may have a password in it.
            if self.url.0.contains("://") {
                return Err(format!("{word}: expected a path, found a URL"));
            }
            if self.name.is_empty() {
                self.name = format!("{word}={}", self.url.0);
            }
            return Ok(self);
        }
        let Address { url, login } = Address::parse(&self.url.0).map_err(|error| format!("{word}: {error}"))?;
        if url.starts_with("https") && !cfg!(feature = "tls") {
            return Err(format!("{word}: this build has no TLS: use http://, or build with the feature `tls`"));
        }
        if !self.pause_unless_url.0.is_empty() {
            Address::parse(&self.pause_unless_url.0).map_err(|error| format!("pause-unless-url: {error}"))?;
        }
        if let Some((user, password)) = login {
            if !self.username.is_empty() || !self.password.0.is_empty() {
                return Err(format!("{word}: a login is in the URL and in username; leave one"));
            }
            (self.username, self.password) = (user, Secret(password));
        }
        self.url = Secret(url);
        if self.name.is_empty() {
            let shown = self.url.0.split(['?', '#']).next().unwrap_or_default();
            self.name = format!("{word}={}", shown.trim_end_matches('/'));
        }
        Ok(self)
    }

    /// Reads an element of `targets`. `variable` looks up the environment.
    pub(crate) fn read(node: &Node, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Problem> {
        let section = Section::read(Some(node), "a target", &KEYS.map(|key| key.name))?;
        let get = |key: &str| expanded(section, key, variable);
        let path = |key: &str| get(key).map(|path| (!path.is_empty()).then(|| PathBuf::from(path)));
        let place = |key: &str| section.get(key).map_or(node.place, |node| node.place);
        let to = get("to")?;
        let kind = TargetKind::of(&to).ok_or_else(|| {
            let advice = TargetKind::advice(&to);
            Problem::at(place("to"), format!("to: expected one of {}{advice}", TargetKind::words()))
        })?;
        let map = |key: &str| pairs(section, key, variable);
        let labels = |key: &str| match entries(section.get(key), key)?.iter().find(|entry| !is_label_name(&entry.key)) {
            Some(entry) => Err(Problem::at(entry.place, format!("{key}: `{}` is no name of a label", entry.key))),
            None => map(key),
        };
        let headers = map("headers")?;
        for (name, value) in &headers {
            if name.is_empty()
                || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.!#$%&'*+^`|~".contains(&byte))
            {
                return Err(Problem::at(place("headers"), "headers: expected names of letters, digits and -"));
            }
            if value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
                let sentence = format!("headers: {name}: expected a value of one line");
                return Err(Problem::at(place("headers"), sentence));
            }
        }
        let method = get("method")?;
        let is_post = match method.to_ascii_lowercase().as_str() {
            "" | "put" => false,
            "post" => true,
            _ => return Err(Problem::at(place("method"), "method: expected put or post")),
        };
        let compression = get("compression")?;
        let compression = match compression.as_str() {
            "" => Compression::default(),
            word => Compression::WORDS
                .iter()
                .find(|(known, _)| *known == word)
                .map(|(_, found)| *found)
                .ok_or_else(|| Problem::at(place("compression"), "compression: expected gzip, zstd or none"))?,
        };
        let timeout = section.duration("timeout")?;
        let rate = section.get("requests-per-second").map(|_| section.whole("requests-per-second")).transpose()?;
        if rate == Some(0) {
            return Err(Problem::at(place("requests-per-second"), "requests-per-second: expected a number above 0"));
        }
        let options = Self {
            kind,
            url: Secret(get("url")?),
            name: get("name")?,
            username: get("username")?,
            password: Secret(get("password")?),
            password_file: path("password-file")?,
            bearer_token: Secret(get("bearer-token")?),
            bearer_token_file: path("bearer-token-file")?,
            headers: headers.into_iter().map(|(name, value)| (name, Secret(value))).collect(),
            ca_file: path("ca-file")?,
            cert_file: path("cert-file")?,
            key_file: path("key-file")?,
            skips_verification: section.switch("insecure-skip-verify", false)?,
            timeout: (!timeout.is_zero()).then_some(timeout),
            requests_per_second: rate.map_or(50, u64::from),
            is_post,
            job: get("job")?,
            instance: get("instance")?,
            grouping: labels("grouping")?,
            deletes_on_stop: section.switch("delete-on-stop", false)?,
            compression,
            extra_labels: labels("extra-labels")?,
            has_stale_markers: section.switch("stale-markers", true)?,
            pause_file: path("pause-file")?,
            pause_unless_url: Secret(get("pause-unless-url")?),
        };
        options.agree().and_then(Self::completed).map_err(|sentence| {
            // A sentence begins with the key that it is about, or with the kind, where it is about the URL.
            let word = sentence.split([' ', ':']).next().unwrap_or_default();
            let key = if word == kind.word() { "url" } else { word };
            Problem::at(place(key), sentence)
        })
    }

    /// Refuses keys that exclude each other or mean nothing for the kind.
    fn agree(self) -> Result<Self, String> {
        let has_login = !self.username.is_empty() || !self.password.0.is_empty() || self.password_file.is_some();
        let has_token = !self.bearer_token.0.is_empty() || self.bearer_token_file.is_some();
        let only = |is_used: bool, key: &str, kind: TargetKind| {
            if is_used && self.kind != kind {
                return Err(format!("{key} is for targets of the kind {}", kind.word()));
            }
            Ok(())
        };
        only(!self.grouping.is_empty(), "grouping", TargetKind::Pushgateway)?;
        only(self.is_post, "method", TargetKind::Pushgateway)?;
        only(self.deletes_on_stop, "delete-on-stop", TargetKind::Pushgateway)?;
        only(self.compression != Compression::default(), "compression", TargetKind::Import)?;
        if self.compression == Compression::Zstd && !cfg!(feature = "compression") {
            return Err("compression: this build has no zstd: build with the feature `compression`".to_owned());
        }
        let sentence = if has_login && has_token {
            "username and bearer-token exclude each other"
        } else if !self.password.0.is_empty() && self.password_file.is_some() {
            "password and password-file exclude each other"
        } else if !self.bearer_token.0.is_empty() && self.bearer_token_file.is_some() {
            "bearer-token and bearer-token-file exclude each other"
        } else if self.cert_file.is_some() != self.key_file.is_some() {
            "cert-file and key-file belong together"
        } else {
            return Ok(self);
        };
        Err(sentence.to_owned())
    }

    /// Keys with values as the file would have them, secrets hidden; empty for a default.
    pub(crate) fn shown(&self) -> Vec<(&'static str, ShownOption)> {
        let text = |text: &str| ShownOption::Text(text.to_owned());
        let path = |path: &Option<PathBuf>| {
            ShownOption::Text(path.as_ref().map_or(String::new(), |p| p.display().to_string()))
        };
        let secret = |secret: &Secret| text(if secret.0.is_empty() { "" } else { HIDDEN });
        let labels = |labels: &[(String, String)]| ShownOption::Map(labels.to_vec());
        let on = |is_on: bool, default: bool| {
            text(if is_on == default { "" } else { ["false", "true"][usize::from(is_on)] })
        };
        let url = if self.kind == TargetKind::File { self.url.0.clone() } else { without_secrets(&self.url.0) };
        // A user without a password is a token.
        let has_password = !self.password.0.is_empty() || self.password_file.is_some();
        let username = if has_password || self.username.is_empty() { &self.username } else { HIDDEN };
        let headers = self.headers.iter().map(|(name, _)| (name.clone(), HIDDEN.to_owned())).collect();
        vec![
            ("to", text(self.kind.word())),
            ("url", ShownOption::Text(url)),
            ("name", text(&self.name)),
            ("username", text(username)),
            ("password", secret(&self.password)),
            ("password-file", path(&self.password_file)),
            ("bearer-token", secret(&self.bearer_token)),
            ("bearer-token-file", path(&self.bearer_token_file)),
            ("headers", ShownOption::Map(headers)),
            ("ca-file", path(&self.ca_file)),
            ("cert-file", path(&self.cert_file)),
            ("key-file", path(&self.key_file)),
            ("insecure-skip-verify", on(self.skips_verification, false)),
            ("timeout", ShownOption::Text(self.timeout.map_or(String::new(), |timeout| format!("{timeout:?}")))),
            ("requests-per-second", ShownOption::Text(self.requests_per_second.to_string())),
            ("method", text(if self.is_post { "post" } else { "" })),
            ("job", text(&self.job)),
            ("instance", text(&self.instance)),
            ("grouping", labels(&self.grouping)),
            ("delete-on-stop", on(self.deletes_on_stop, false)),
            (
                "compression",
                text(if self.compression == Compression::default() { "" } else { self.compression.word() }),
            ),
            ("extra-labels", labels(&self.extra_labels)),
            ("stale-markers", on(self.has_stale_markers, true)),
            ("pause-file", path(&self.pause_file)),
            ("pause-unless-url", text(&without_secrets(&self.pause_unless_url.0))),
        ]
    }
}

/// The replacement of a secret in output.
pub(crate) const HIDDEN: &str = "<secret>";

/// A URL for output: without login, query and fragment.
pub(crate) fn without_secrets(url: &str) -> String {
    let end = url.find(['?', '#']);
    let before = &url[..end.unwrap_or(url.len())];
    let bare = match before.split_once("://") {
        // What stands before an at sign may be a password with a slash in it, unless it is the path of a Pushgateway.
        Some((scheme, rest)) => match rest.split(GROUPS).next().unwrap_or_default().rfind('@') {
            Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
            None => before.to_owned(),
        },
        None if before.contains('@') => HIDDEN.to_owned(),
        None => before.to_owned(),
    };
    if end.is_some() { format!("{bare}?{HIDDEN}") } else { bare }
}

/// Where the groups of a Pushgateway are.
pub(crate) const GROUPS: &str = "/metrics/";

/// A URL with its login taken out.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// The URL without user and password.
    pub(crate) url: String,
    /// User and password, decoded.
    pub(crate) login: Option<(String, String)>,
}

impl Address {
    /// Reads a URL. The error repeats nothing of it, because all of it may be a secret.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        if !matches!(scheme, "http" | "https") || rest.is_empty() {
            return Err("expected a URL that begins with http:// or https://".to_owned());
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (login, host) = authority.rsplit_once('@').map_or((None, authority), |(login, host)| (Some(login), host));
        let (name, port) = match host.rfind(']').map_or_else(|| host.split_once(':'), |end| host[end..].split_once(':'))
        {
            Some((_, port)) => (&host[..host.len() - port.len() - 1], port),
            None => (host, ""),
        };
        // A password with one of these characters looks like a host and a path.
        if name.is_empty() || (host.len() > name.len() && port.parse::<u16>().is_err()) {
            let advice = "write / ? # @ of a password as %2F %3F %23 %40";
            return Err(format!("expected HOST or HOST:PORT behind ://; {advice}"));
        }
        if path.split(GROUPS).next().unwrap_or_default().contains('@') {
            return Err("found @ behind the host; write / ? # @ of a login or a path as %2F %3F %23 %40".to_owned());
        }
        if url.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("found a space or a control character in the URL".to_owned());
        }
        let login = login.map(|login| {
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            (percent_decoded(user), percent_decoded(password))
        });
        Ok(Self { url: format!("{scheme}://{host}{path}"), login })
    }
}

/// The value of a key as it is printed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum ShownOption {
    /// One value; empty for none.
    Text(String),
    /// Names and values.
    Map(Vec<(String, String)>),
}

/// The text of a key with its variables replaced; empty where there is none.
fn expanded(section: Section<'_>, key: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, Problem> {
    let Some(node) = section.get(key) else { return Ok(String::new()) };
    expand(text(node, key)?, variable).map_err(|what| Problem::at(node.place, format!("{key}: {what}")))
}

/// The entries of a map with their variables replaced.
pub(crate) fn pairs(
    section: Section<'_>,
    key: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<(String, String)>, Problem> {
    let pair = |entry: &crate::yaml::MapEntry| {
        let value = expand(text(&entry.node, &entry.key)?, variable)
            .map_err(|what| Problem::at(entry.place, format!("{key}: {}: {what}", entry.key)))?;
        Ok((entry.key.clone(), value))
    };
    entries(section.get(key), key)?.iter().map(pair).collect()
}

pub(crate) fn percent_decoded(text: &str) -> String {
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
    String::from_utf8_lossy(&decoded).into_owned()
}

impl fmt::Display for TargetOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Value, parse};

    fn read(document: &str) -> Result<TargetOptions, String> {
        let variable = |name: &str| (name == "TOKEN").then(|| "t0p".to_owned());
        TargetOptions::read(&parse(document).unwrap(), &variable).map_err(|problem| problem.to_string())
    }

    #[test]
    fn every_key_of_the_table_changes_a_target() {
        // Keys that only some kinds take, and what goes with others.
        let context = |name: &str| match name {
            "grouping" | "method" | "delete-on-stop" => ("pushgateway", ""),
            "compression" => ("import", ""),
            "cert-file" => ("remote-write", "key-file: k\n"),
            "key-file" => ("remote-write", "cert-file: c\n"),
            _ => ("remote-write", ""),
        };
        for key in KEYS.iter().filter(|key| !["to", "url"].contains(&key.name)) {
            let (kind, more) = context(key.name);
            let value = match key.name {
                "headers" | "grouping" | "extra-labels" => "{a: b}",
                "insecure-skip-verify" | "delete-on-stop" => "true",
                "stale-markers" => "false",
                "timeout" => "3s",
                "requests-per-second" => "7",
                "method" => "post",
                "compression" => "none",
                "pause-unless-url" => "http://h/",
                _ => "x",
            };
            let given = format!("to: {kind}\nurl: http://h/x\n{more}{}: {value}\n", key.name);
            let given = read(&given).unwrap_or_else(|error| panic!("{given}: {error}"));
            let plain = TargetOptions::parse(&format!("{kind}=http://h/x")).unwrap();
            assert_ne!(given.shown(), plain.shown(), "{}", key.name);
        }
        let shown: Vec<_> = TargetOptions::parse("import=http://h").unwrap().shown();
        assert_eq!(shown.iter().map(|(name, _)| *name).collect::<Vec<_>>(), KEYS.map(|key| key.name));
    }

    #[test]
    fn secrets_come_from_the_environment_and_are_hidden() {
        let given = read(
            "to: import\nurl: http://h:1/x?token=secret\nbearer-token: ${TOKEN}\nheaders: {X-Key: secret}\n\
             pause-unless-url: http://u:secret@h/primary?key=secret\n",
        )
        .unwrap();
        assert_eq!(given.bearer_token.0, "t0p");
        let shown = format!("{given:?}{:?}{given}", given.shown());
        assert!(!shown.contains("secret@") && !shown.contains("=secret") && !shown.contains("t0p"), "{shown}");
        assert!(shown.contains("http://h/primary?<secret>"), "{shown}");
        let given = TargetOptions::parse("import=http://user:p%40ss@h:1/x").unwrap();
        assert_eq!(
            (given.username.as_str(), given.password.0.as_str(), given.url.0.as_str()),
            ("user", "p@ss", "http://h:1/x")
        );
        assert_eq!(given.name, "import=http://h:1/x");
    }

    #[track_caller]
    fn refuse(document: &str, expected: &str) {
        assert_eq!(read(document).unwrap_err(), expected, "{document}");
    }

    #[test]
    fn what_is_no_target_is_refused_with_its_line() {
        refuse(
            "url: http://h\n",
            "line 1: to: expected one of pushgateway, import, remote-write, remote-write-2, file",
        );
        refuse(
            "to: importt\nurl: http://h\n",
            "line 1: to: expected one of pushgateway, import, remote-write, remote-write-2, file; \
             did you mean `import`?",
        );
        refuse("to: import\n", "line 1: import: expected a URL that begins with http:// or https://");
        refuse("to: import\nurl: http://h\nusr: x\n", &{
            let known = KEYS.map(|key| key.name).join(", ");
            let near = nearest::among("usr", KEYS.iter().map(|key| key.name));
            let advice = near.map_or(format!("known keys: {known}"), |near| format!("did you mean `{near}`?"));
            format!("line 3: unknown key `usr` in a target; {advice}")
        });
        refuse(
            "to: import\nurl: http://h\npassword: ${NO}\n",
            "line 3: password: the environment variable NO is not set; ${NO:-TEXT} has a default",
        );
        refuse("to: import\nurl: http://h\nmethod: post\n", "line 3: method is for targets of the kind pushgateway");
        refuse(
            "to: import\nurl: http://h\nextra-labels: {a-b: c}\n",
            "line 3: extra-labels: `a-b` is no name of a label",
        );
        refuse("to: import\nurl: http://h\ncert-file: x\n", "line 3: cert-file and key-file belong together");
        refuse(
            "to: import\nurl: http://h\nusername: x\nbearer-token: y\n",
            "line 3: username and bearer-token exclude each other",
        );
        assert!(matches!(parse("a: 1").unwrap().value, Value::Map(_)));
    }

    #[test]
    fn what_is_no_kind_and_url_is_refused() {
        for (text, expected) in [
            (
                "x",
                "expected KIND=URL with KIND one of pushgateway, import, remote-write, remote-write-2, file, found no `=`",
            ),
            (
                "x=http://h",
                "expected one of pushgateway, import, remote-write, remote-write-2, file before the first `=`",
            ),
            ("import=h:1", "import: expected a URL that begins with http:// or https://"),
            ("import=ftp://u:secret@h", "import: expected a URL that begins with http:// or https://"),
            (
                "import=http://u:pa/ss@h",
                "import: expected HOST or HOST:PORT behind ://; write / ? # @ of a password as %2F %3F %23 %40",
            ),
            (
                "import=http://u:1/ss@h",
                "import: found @ behind the host; write / ? # @ of a login or a path as %2F %3F %23 %40",
            ),
            (
                "import=http://h?a=b@c",
                "import: found @ behind the host; write / ? # @ of a login or a path as %2F %3F %23 %40",
            ),
            (
                "import=http://:1",
                "import: expected HOST or HOST:PORT behind ://; write / ? # @ of a password as %2F %3F %23 %40",
            ),
            ("import=http://h h", "import: found a space or a control character in the URL"),
            ("file=http://u:secret@h", "file: expected a path, found a URL"),
            ("file=", "file: expected a path, or - for standard output"),
        ] {
            assert_eq!(TargetOptions::parse(text).unwrap_err(), expected, "{text}");
        }
    }
}
