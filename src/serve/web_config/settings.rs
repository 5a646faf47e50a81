//! Settings of a web configuration file.

use std::time::Duration;

use super::password::{Hash, Users};
use crate::yaml::section::{Section, entries, text};
use crate::yaml::{Problem, parse};

/// Headers that a file may set, with their allowed values; an empty list allows any value.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
    ("Content-Security-Policy", &[]),
];

/// Highest bcrypt cost without a warning: above it a comparison takes more than a second.
const COST_ADVISED_MAX: u32 = 14;

/// Names and values of headers.
pub(super) type Headers = Vec<(&'static str, String)>;

/// All settings of a file.
#[derive(PartialEq, Debug)]
pub(super) struct Settings {
    /// `None` without TLS.
    pub(super) tls: Option<TlsSection>,
    pub(super) headers: Headers,
    pub(super) users: Users,
    /// Whether the file disables logins explicitly: `basic_auth_users: {}`.
    pub(super) has_no_users_explicitly: bool,
    pub(super) rate: Option<Rate>,
    /// Settings that are probably mistakes.
    pub(super) warnings: Vec<String>,
}

/// A rate limit of requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rate {
    /// Time until one more request is allowed.
    pub(super) interval: Duration,
    /// Requests allowed at once after a pause.
    pub(super) burst: u32,
}

/// The values of `tls_server_config`, as written.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct TlsSection {
    /// Line at which the section begins.
    pub(super) line: usize,
    pub(super) certificate: Source,
    pub(super) key: Source,
    pub(super) client_ca: Source,
    pub(super) client_auth: ClientAuth,
    pub(super) client_allowed_sans: Option<Vec<String>>,
    /// Names of versions, suites and curves have lines, for errors about unsupported ones.
    pub(super) version_min: Option<(usize, String)>,
    pub(super) version_max: Option<(usize, String)>,
    pub(super) cipher_suites: Vec<(usize, String)>,
    pub(super) curves: Vec<(usize, String)>,
    pub(super) prefers_own_order: bool,
}

/// Location of a certificate or a key.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) enum Source {
    /// Not given.
    #[default]
    Missing,
    /// Inline in the configuration file.
    Inline(String),
    /// A file: the key of the configuration and its path.
    File(&'static str, String),
}

/// Modes of client authentication.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum ClientAuth {
    /// No certificate is requested.
    #[default]
    None,
    /// A certificate is requested, and not verified.
    Request,
    /// A certificate is required, and not verified.
    RequireAny,
    /// A certificate is optional, and verified.
    VerifyIfGiven,
    /// A certificate is required and verified.
    RequireAndVerify,
}

const CLIENT_AUTHS: [(&str, ClientAuth); 6] = [
    ("NoClientCert", ClientAuth::None),
    ("RequestClientCert", ClientAuth::Request),
    ("RequireAnyClientCert", ClientAuth::RequireAny),
    ("RequireClientCert", ClientAuth::RequireAny),
    ("VerifyClientCertIfGiven", ClientAuth::VerifyIfGiven),
    ("RequireAndVerifyClientCert", ClientAuth::RequireAndVerify),
];

/// Parses the text of a file.
pub(super) fn read(document: &str) -> Result<Settings, Problem> {
    let document = parse(document)?;
    let known = ["tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"];
    let file = Section::read(Some(&document), "the file", &known)?;
    let mut warnings = Vec::new();
    let tls = tls(file, &mut warnings)?;
    let http = Section::read(file.get("http_server_config"), "http_server_config", &["http2", "headers"])?;
    // The value has no effect: the server supports HTTP/1.1 only, which every client of HTTP/2 supports too.
    http.switch("http2", true)?;
    let headers = headers(http)?;
    let users = users(file, &mut warnings)?;
    let has_no_users_explicitly = file.get("basic_auth_users").is_some() && users.is_empty();
    let rate = rate(file, &mut warnings)?;
    Ok(Settings { tls, headers, users, has_no_users_explicitly, rate, warnings })
}

fn tls(file: Section<'_>, warnings: &mut Vec<String>) -> Result<Option<TlsSection>, Problem> {
    let known = [
        "cert",
        "key",
        "client_ca",
        "cert_file",
        "key_file",
        "client_ca_file",
        "client_auth_type",
        "client_allowed_sans",
        "min_version",
        "max_version",
        "cipher_suites",
        "curve_preferences",
        "prefer_server_cipher_suites",
    ];
    let node = file.get("tls_server_config");
    let keys = Section::read(node, "tls_server_config", &known)?;
    let Some(node) = node else { return Ok(None) };
    let section = TlsSection {
        line: node.place.line,
        certificate: source(keys, "cert", "cert_file")?,
        key: source(keys, "key", "key_file")?,
        client_ca: source(keys, "client_ca", "client_ca_file")?,
        client_auth: client_auth(keys)?,
        client_allowed_sans: owned(keys.texts("client_allowed_sans")?)
            .map(|sans| sans.into_iter().map(|(_, san)| san).collect()),
        version_min: word(keys, "min_version")?,
        version_max: word(keys, "max_version")?,
        cipher_suites: owned(keys.texts("cipher_suites")?).unwrap_or_default(),
        curves: owned(keys.texts("curve_preferences")?).unwrap_or_default(),
        prefers_own_order: keys.switch("prefer_server_cipher_suites", true)?,
    };
    let is_wanted = [&section.certificate, &section.key, &section.client_ca].iter().any(|source| source.is_given());
    if !is_wanted && keys.text("client_auth_type")?.is_empty() {
        warnings.push("tls_server_config names no certificate: TLS is off".to_owned());
        return Ok(None);
    }
    check_consistency(&section).map_err(|what| Problem::at(node.place, what))?;
    warnings.extend(suspicious(&section));
    Ok(Some(section))
}

impl Source {
    pub(super) const fn is_given(&self) -> bool {
        !matches!(self, Self::Missing)
    }
}

/// The source of a certificate or key. A file takes precedence over an inline value, as in exporter-toolkit.
fn source(section: Section<'_>, inline: &str, file: &'static str) -> Result<Source, Problem> {
    Ok(match (section.text(file)?, section.text(inline)?) {
        ("", "") => Source::Missing,
        ("", text) => Source::Inline(text.to_owned()),
        (path, _) => Source::File(file, path.to_owned()),
    })
}

fn client_auth(section: Section<'_>) -> Result<ClientAuth, Problem> {
    let key = "client_auth_type";
    let Some(node) = section.get(key) else { return Ok(ClientAuth::None) };
    let word = text(node, key)?;
    if word.is_empty() {
        return Ok(ClientAuth::None);
    }
    let found = CLIENT_AUTHS.iter().find(|(known, _)| *known == word);
    found.map(|(_, auth)| *auth).ok_or_else(|| {
        let known: Vec<_> = CLIENT_AUTHS.iter().map(|(word, _)| *word).collect();
        Problem::at(node.place, format!("{key}: expected one of {}, found `{word}`", known.join(", ")))
    })
}

fn owned(texts: Option<Vec<(usize, &str)>>) -> Option<Vec<(usize, String)>> {
    texts.map(|texts| texts.into_iter().map(|(line, text)| (line, text.to_owned())).collect())
}

fn word(section: Section<'_>, key: &str) -> Result<Option<(usize, String)>, Problem> {
    section.get(key).map(|node| Ok((node.place.line, text(node, key)?.to_owned()))).transpose()
}

/// Checks settings that require each other.
fn check_consistency(section: &TlsSection) -> Result<(), &'static str> {
    let is_without_auth = section.client_auth == ClientAuth::None;
    if !section.certificate.is_given() {
        Err("tls_server_config: cert or cert_file is missing")
    } else if !section.key.is_given() {
        Err("tls_server_config: key or key_file is missing")
    } else if section.client_ca.is_given() && is_without_auth {
        Err("client_ca has no effect without client_auth_type; set client_auth_type: RequireAndVerifyClientCert")
    } else if section.client_allowed_sans.is_some() && is_without_auth {
        Err(
            "client_allowed_sans has no effect without client_auth_type; set client_auth_type: RequireAndVerifyClientCert",
        )
    } else if section.client_auth == ClientAuth::RequireAndVerify && !section.client_ca.is_given() {
        Err("client_auth_type RequireAndVerifyClientCert needs client_ca_file or client_ca, the authorities to accept")
    } else {
        Ok(())
    }
}

/// Warnings about settings that are probably mistakes.
fn suspicious(section: &TlsSection) -> Vec<String> {
    let mut warnings = Vec::new();
    let verifies = matches!(section.client_auth, ClientAuth::VerifyIfGiven | ClientAuth::RequireAndVerify);
    if section.client_auth == ClientAuth::VerifyIfGiven && !section.client_ca.is_given() {
        warnings.push("client_ca is missing: every client certificate is refused".to_owned());
    }
    if let Some(sans) = &section.client_allowed_sans {
        if sans.is_empty() {
            warnings.push("client_allowed_sans is empty: every client is refused".to_owned());
        } else if !verifies {
            warnings.push("client_allowed_sans without verification: clients may claim any name".to_owned());
        }
    }
    warnings
}

fn headers(http: Section<'_>) -> Result<Headers, Problem> {
    let mut headers = Headers::new();
    for entry in entries(http.get("headers"), "headers")? {
        let key = &entry.key;
        let Some((name, values)) = HEADERS.iter().find(|(name, _)| name == key) else {
            let known: Vec<_> = HEADERS.iter().map(|(name, _)| *name).collect();
            return Err(Problem::at(
                entry.place,
                format!("header `{key}` cannot be set; supported headers: {}", known.join(", ")),
            ));
        };
        let value = text(&entry.node, name)?.trim();
        if !values.is_empty() && !values.contains(&value) {
            let values = values.join(" or ");
            return Err(Problem::at(entry.place, format!("{name}: expected {values}, found `{value}`")));
        }
        if value.bytes().any(|byte| !(byte == b'\t' || (b' '..=b'~').contains(&byte))) {
            return Err(Problem::at(entry.place, format!("{name}: expected one line of printable ASCII")));
        }
        if !value.is_empty() {
            headers.push((name, value.to_owned()));
        }
    }
    Ok(headers)
}

fn users(file: Section<'_>, warnings: &mut Vec<String>) -> Result<Users, Problem> {
    let mut users = Users::default();
    for entry in entries(file.get("basic_auth_users"), "basic_auth_users")? {
        let user = &entry.key;
        if user.contains(':') {
            return Err(Problem::at(entry.place, format!("user `{user}`: expected a name without a colon")));
        }
        let hash = Hash::parse(text(&entry.node, user)?)
            .map_err(|what| Problem::at(entry.place, format!("user `{user}`: {what}")))?;
        if hash.cost() > COST_ADVISED_MAX {
            let cost = hash.cost();
            warnings.push(format!(
                "user `{user}`: bcrypt cost {cost} makes each comparison take seconds; use {COST_ADVISED_MAX} at most"
            ));
        }
        users.add(user, hash);
    }
    Ok(users)
}

fn rate(file: Section<'_>, warnings: &mut Vec<String>) -> Result<Option<Rate>, Problem> {
    let section = Section::read(file.get("rate_limit"), "rate_limit", &["interval", "burst"])?;
    let rate = Rate { interval: section.duration("interval")?, burst: section.whole("burst")? };
    if rate.interval.is_zero() {
        return Ok(None);
    }
    if rate.burst == 0 {
        warnings.push("rate_limit: with a burst of 0 every request is refused".to_owned());
    }
    Ok(Some(rate))
}

#[cfg(test)]
#[cfg(feature = "tls")]
mod tests {
    use super::super::password::bcrypt_hash::htpasswd;
    use super::*;

    fn good(document: &str) -> Settings {
        read(document).unwrap_or_else(|problem| panic!("{problem}\n{document}"))
    }

    #[track_caller]
    fn refuse(document: &str, expected: &str) {
        assert_eq!(read(document).unwrap_err().to_string(), expected, "{document}");
    }

    /// A `tls_server_config` with a certificate and these lines.
    fn tls(lines: &str) -> String {
        format!("tls_server_config:\n  cert_file: a.crt\n  key_file: a.key\n{lines}")
    }

    #[test]
    fn an_empty_file_is_valid() {
        for document in ["", "# nothing\n", "---\n", "{}", "tls_server_config:\nbasic_auth_users:\nrate_limit:\n"] {
            let file = good(document);
            assert_eq!(
                (file.tls, file.headers, file.users, file.rate, file.warnings),
                (None, vec![], Users::default(), None, vec![])
            );
        }
    }

    #[test]
    fn unknown_and_duplicate_keys_are_refused() {
        refuse(
            "tls_server_confg: {}\n",
            "line 1: unknown key `tls_server_confg` in the file; did you mean `tls_server_config`?",
        );
        refuse(
            "tls_server_config:\n  cert_filse: a.crt\n",
            "line 2: unknown key `cert_filse` in tls_server_config; did you mean `cert_file`?",
        );
        refuse(
            "http_server_config:\n  frobs: 1\n",
            "line 2: unknown key `frobs` in http_server_config; known keys: http2, headers",
        );
        refuse("rate_limit:\n  bursts: 1\n", "line 2: unknown key `bursts` in rate_limit; did you mean `burst`?");
        refuse(&tls("  cert_file: b.crt\n"), "line 4: duplicate key `cert_file`, first in line 2; remove one");
        refuse("just words\n", "line 1: the file: expected a map of keys and values");
    }

    #[test]
    fn certificates_are_inline_or_in_files() {
        let file =
            good("tls_server_config: {cert: C, key: K, client_ca: A, client_auth_type: RequireAndVerifyClientCert}\n");
        let section = file.tls.unwrap();
        let inline = |text: &str| Source::Inline(text.to_owned());
        assert_eq!((section.certificate, section.key, section.client_ca), (inline("C"), inline("K"), inline("A")));
        assert_eq!(section.client_auth, ClientAuth::RequireAndVerify);
        let section = good(&tls("  cert: C\n")).tls.unwrap();
        assert_eq!(section.certificate, Source::File("cert_file", "a.crt".to_owned()));
        assert_eq!((section.client_auth, section.prefers_own_order), (ClientAuth::None, true));
    }

    #[test]
    fn certificate_and_key_require_each_other() {
        let (no_certificate, no_key) = (
            "line 1: tls_server_config: cert or cert_file is missing",
            "line 1: tls_server_config: key or key_file is missing",
        );
        refuse("tls_server_config: {key_file: k}\n", no_certificate);
        refuse("tls_server_config: {cert: '', key_file: k}\n", no_certificate);
        refuse(
            "tls_server_config: {cert_file: '', key_file: '', client_auth_type: RequestClientCert}\n",
            no_certificate,
        );
        refuse("tls_server_config: {cert_file: c}\n", no_key);
        refuse("tls_server_config: {cert: c, key: ''}\n", no_key);
        let file = good("tls_server_config: {min_version: TLS12}\n");
        assert_eq!(
            (file.tls, file.warnings),
            (None, vec!["tls_server_config names no certificate: TLS is off".to_owned()])
        );
    }

    #[test]
    fn client_auth_type_has_six_values() {
        for (word, auth) in CLIENT_AUTHS {
            let authority = if auth == ClientAuth::RequireAndVerify { "  client_ca_file: ca\n" } else { "" };
            let section = good(&tls(&format!("  client_auth_type: {word}\n{authority}"))).tls;
            assert_eq!(section.unwrap().client_auth, auth);
        }
        refuse(
            &tls("  client_auth_type: Any\n"),
            "line 4: client_auth_type: expected one of NoClientCert, RequestClientCert, RequireAnyClientCert, \
             RequireClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert, found `Any`",
        );
        for key in ["client_ca_file: ca", "client_ca: CA", "client_allowed_sans: [a]"] {
            for auth in ["", "  client_auth_type: NoClientCert\n"] {
                let problem = read(&tls(&format!("  {key}\n{auth}"))).unwrap_err().to_string();
                assert!(problem.contains(" has no effect without client_auth_type; "), "{problem}");
            }
        }
    }

    #[test]
    fn suspicious_settings_cause_warnings() {
        let warnings = |lines: &str| good(&tls(lines)).warnings.join("\n");
        assert!(warnings("  client_auth_type: VerifyClientCertIfGiven\n").starts_with("client_ca is missing: "));
        let verify = "  client_auth_type: RequireAndVerifyClientCert\n";
        refuse(
            &tls(verify),
            "line 2: client_auth_type RequireAndVerifyClientCert needs client_ca_file or client_ca, the authorities to \
             accept",
        );
        assert_eq!(warnings(&format!("{verify}  client_ca_file: ca\n")), "");
        assert!(
            warnings(&format!("{verify}  client_ca_file: ca\n  client_allowed_sans: []\n"))
                .contains("every client is refused")
        );
        let any = "  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [a]\n";
        assert!(warnings(any).contains("may claim any name"));
        assert!(good("rate_limit: {interval: 1s}\n").warnings.concat().contains("every request is refused"));
        let costs = |cost: u32| {
            let hash = htpasswd(4, "x").replace("$04", &format!("${cost}"));
            good(&format!("basic_auth_users: {{bob: {hash}}}\n")).warnings.len()
        };
        assert_eq!((costs(COST_ADVISED_MAX), costs(COST_ADVISED_MAX + 1)), (0, 1));
    }

    #[test]
    fn only_an_empty_map_disables_logins_explicitly() {
        for (document, expected) in [
            ("", false),
            ("basic_auth_users:\n", false),
            ("basic_auth_users: ~\n", false),
            ("basic_auth_users: {}\n", true),
        ] {
            assert_eq!(good(document).has_no_users_explicitly, expected, "{document}");
        }
        assert!(!good(&format!("basic_auth_users: {{bob: {}}}\n", htpasswd(4, "x"))).has_no_users_explicitly);
    }

    #[test]
    fn headers_are_checked_by_name_and_value() {
        let file = good(
            "http_server_config:\n  http2: false\n  headers:\n    X-Frame-Options: deny\n    X-XSS-Protection: 1\n    \
             Strict-Transport-Security: max-age=31536000; includeSubDomains\n    X-Content-Type-Options: nosniff\n    \
             Content-Security-Policy: \"default-src 'self' *.example.net\"\n",
        );
        let headers: Vec<_> = file.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(
            headers,
            [
                "X-Frame-Options: deny",
                "X-XSS-Protection: 1",
                "Strict-Transport-Security: max-age=31536000; includeSubDomains",
                "X-Content-Type-Options: nosniff",
                "Content-Security-Policy: default-src 'self' *.example.net",
            ]
        );
        assert_eq!(good("http_server_config: {headers: {X-XSS-Protection: ''}}\n").headers, []);
        let refuse = |header: &str, expected: &str| {
            refuse(&format!("http_server_config:\n  headers:\n    {header}\n"), &format!("line 3: {expected}"));
        };
        refuse("X-Frame-Options: foo", "X-Frame-Options: expected deny or sameorigin, found `foo`");
        refuse("X-Content-Type-Options: sniff", "X-Content-Type-Options: expected nosniff, found `sniff`");
        refuse(
            "Content-Type: foo",
            "header `Content-Type` cannot be set; supported headers: Strict-Transport-Security, \
             X-Content-Type-Options, X-Frame-Options, X-XSS-Protection, Content-Security-Policy",
        );
        let expected = "Content-Security-Policy: expected one line of printable ASCII";
        refuse("Content-Security-Policy: \"a\\r\\nX: b\"", expected);
        refuse("Content-Security-Policy: é", expected);
    }

    #[test]
    fn users_are_read_with_their_hashes() {
        let (alice, bob) = (htpasswd(4, "a"), htpasswd(5, "b"));
        let users = good(&format!("basic_auth_users:\n  alice: {alice}\n  'bob b': \"{bob}\"\n  7: {bob}\n")).users;
        assert!(users.is_right(b"alice", b"a") && users.is_right(b"bob b", b"b") && users.is_right(b"7", b"b"));
        assert!(!users.is_right(b"alice", b"b"));
        refuse(
            "basic_auth_users:\n  john: doe\n",
            "line 2: user `john`: expected a bcrypt hash: $2y$10$ and 53 letters, as `htpasswd -nBC 10 USER` prints",
        );
        refuse(
            &format!("basic_auth_users:\n  'a:b': {alice}\n"),
            "line 2: user `a:b`: expected a name without a colon",
        );
    }

    #[test]
    fn a_rate_limit_needs_an_interval() {
        assert_eq!(good("rate_limit: {interval: 0, burst: 0}\n").rate, None);
        assert_eq!(good("rate_limit: {burst: 5}\n").rate, None);
        let rate = good("rate_limit: {interval: \"1s\", burst: 3}\n").rate;
        assert_eq!(rate, Some(Rate { interval: Duration::from_secs(1), burst: 3 }));
        refuse("rate_limit: {interval: -1s}\n", "line 1: interval: expected a duration such as 1s, 200ms or 1m30s");
        refuse("rate_limit: {burst: -1}\n", "line 1: burst: expected an integer of 0 to 4294967295");
    }
}
