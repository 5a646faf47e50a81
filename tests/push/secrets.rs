//! Secrets never appear in what the exporter writes, however they are given and whatever is broken beside them.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::exporter::Exporter;
use crate::receiver::{Received, Receiver, Reply};

/// Part of every secret. Percent signs, braces and the like stand around it.
const SECRET: &str = "geheim";

/// Keys of a target, from the documentation that is derived from the table of the keys.
fn keys() -> Vec<&'static str> {
    let documentation = include_str!("../../docs/CONFIG.md");
    let section = documentation.split("\n## push.targets\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let keys: Vec<_> = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(keys.len() > 20, "{keys:?}");
    keys
}

#[track_caller]
fn assert_hidden(output: &str, given: &str) {
    let found = output.lines().find(|line| line.contains(SECRET));
    // The login `u:geheim…` in base64.
    let encoded = output.lines().find(|line| line.contains("dTpnZWhlaW"));
    assert_eq!(found.or(encoded), None, "{given}");
}

/// What the exporter writes, and whether it succeeded. It ends at once: it only checks, or pushes once.
fn output(arguments: &[&str]) -> (String, bool) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_node_exporter"));
    command.args(["--simulate", "--collector.disable-defaults", "--collector.loadavg"]).args(arguments);
    command.env("PUSH_TOKEN", "geheim-of-the-environment").stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), output.status.success())
}

#[test]
fn broken_flags_do_not_repeat_their_values() {
    for flag in [
        "--push.to=http://u:geheim@h/?a=b",
        "--push.to=http://u:geheim@h/",
        "--push.to=u:geheim@h",
        "--push.to=importt=http://u:geheim@h",
        "--push.to=import:http://u:geheim@h=",
        "--push.to=geheim==",
        "--push.to=import=ftp://u:geheim@h",
        "--push.to=import=HTTP://u:geheim@h",
        "--push.to=import=u:geheim@h",
        "--push.to=import=http://u:ge/geheim@h",
        "--push.to=import=http://u:12/geheim@h",
        "--push.to=import=http://u:ge?geheim@h",
        "--push.to=import=http://u:ge#geheim@h",
        "--push.to=import=http://u:geheim@h:port",
        "--push.to=import=http://u:geheim@",
        "--push.to=import=http://u:geheim@h h",
        "--push.to=import=http://h:1 geheim",
        "--push.to=file=http://u:geheim@h",
        "--push.too=import=http://u:geheim@h",
        "push.to=import=http://u:geheim@h",
        "http://u:geheim@h",
        "--push.once=http://u:geheim@h",
        "--no-push.once=http://u:geheim@h",
        "--collector.logind=http://u:geheim@h",
        "--push.scrape=http://u:geheim@h",
        "--push.scrape=a=http://u:ge/geheim@h",
        "--push.scrape=u:geheim@h",
        "--push.scrape=a=ftp://u:geheim@h",
    ] {
        let (text, is_good) =
            output(&["--push.to=import=http://127.0.0.1:1", "--push.once", "--push.timeout=1ms", flag]);
        assert!(!is_good && !text.is_empty(), "{flag}");
        assert_hidden(&text, flag);
        // Some of these can only be wrong when pushing begins.
        assert_hidden(&output(&["--config.check", flag]).0, flag);
    }
    // Given twice.
    for [one, two] in [
        ["--push.to=import=http://u:geheim@h?k=geheim", "--push.to=import=http://u:geheim@h?k=geheim"],
        ["--push.scrape=http://h/x?token=geheim", "--push.scrape=http://h/x?token=geheim"],
    ] {
        let (text, is_good) = output(&["--push.to=file=/dev/null", "--push.once", one, two]);
        assert!(!is_good && !text.is_empty(), "{text}");
        assert_hidden(&text, one);
    }
}

/// A target with a secret in every key that takes one.
fn target(key: &str, value: &str) -> String {
    let login = if key.starts_with("bearer") { "" } else { "username: u\npassword: geheim-1\n" };
    let mut text =
        format!("to: remote-write\nurl: http://h/x?token=geheim-2#geheim-3\n{login}headers: {{X-Key: geheim-4}}\n");
    text += "pause-unless-url: http://u:geheim-5@h/p?key=geheim-6\n";
    let kept: Vec<&str> = text.lines().filter(|line| line.split(':').next() != Some(key)).collect();
    let lines = kept.join("\n    ");
    format!("push:\n  targets:\n  -\n    {lines}\n    {key}: {value}\n")
}

/// The same target as a list in one line.
fn in_one_line(text: &str) -> String {
    let pairs: Vec<&str> = text.lines().skip(3).map(str::trim).collect();
    format!(
        "push: {{targets: [{{{}}}]}}\n",
        pairs.join(", ").replace("http://u:geheim-5@h/p?key=geheim-6", "'http://u:geheim-5@h'")
    )
}

#[test]
fn broken_files_do_not_repeat_their_values() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f.yml");
    let flag = format!("--config.file={}", file.display());
    for key in keys().into_iter().chain(["passwort"]) {
        for value in [
            "geheim-9",
            "'${PUSH_TOKEN}'",
            "'${UNSET_VARIABLE}geheim-9'",
            "'ge${geheim-9'",
            "'${geheim 9}'",
            "'http://u:ge/geheim-9@h'",
            "[geheim-9]",
            "{a: [geheim-9]}",
            "{'a b': geheim-9}",
            "{a: \"geheim\\n9\"}",
            "\"geheim-9",
            "*geheim-9",
            "!geheim-9 x",
        ] {
            for text in [target(key, value), in_one_line(&target(key, value))] {
                std::fs::write(&file, &text).unwrap();
                // A key of a map is no secret place, and `name` is shown by design.
                let (found, is_good) = output(&[&flag, "--config.check"]);
                let is_shown = is_good && !["password", "bearer-token", "headers"].contains(&key);
                if !is_shown {
                    assert_hidden(&found, &text);
                }
                assert!(is_good || found.contains("f.yml:"), "{text}\n{found}");
            }
        }
    }
}

/// A request as a receiver repeats it in its error.
fn repeated(request: &Received) -> String {
    let headers: Vec<String> = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    // The first line is logged up to 200 characters: secrets come first, in both orders.
    let secrets: Vec<&String> =
        headers.iter().filter(|line| line.contains("authorization") || line.contains("x-")).collect();
    let target = request.target.replace("%20", " ");
    format!("{secrets:?} {} {target} {headers:?}", request.target)
}

#[test]
fn secrets_of_targets_are_sent_and_never_written() {
    let receiver =
        Receiver::start(|number, request| Reply::Status([400, 503, 500][number % 3], String::new(), repeated(request)));
    let folder = tempfile::tempdir().unwrap();
    let (file, token, key) = (folder.path().join("f.yml"), folder.path().join("token"), folder.path().join("key"));
    std::fs::write(&token, "geheim-8\n").unwrap();
    std::fs::write(&key, "-----BEGIN PRIVATE KEY-----\ngeheim\n").unwrap();
    let at = receiver.address;
    let text = format!(
        "push:\n  interval: 100ms\n  timeout: 1s\n  scrape: ['x=http://{at}/page?token=geheim-9']\n  targets:\n  \
         - {{to: import, name: a, url: 'http://u:geheim%201@{at}/a?token=geheim%207', headers: {{X-Key: geheim-4}}}}\n  \
         - {{to: remote-write, name: b, url: 'http://{at}/b', bearer-token: '${{PUSH_TOKEN}}'}}\n  \
         - {{to: remote-write-2, name: c, url: 'http://{at}/c', bearer-token-file: '{token}'}}\n  \
         - {{to: pushgateway, name: d, url: 'http://geheim-3@{at}', delete-on-stop: true, \
         pause-unless-url: 'http://u:geheim-5@{at}/pause?k=geheim-6'}}\n  \
         - {{to: import, name: e, url: 'http://{at}/e', username: u, password-file: '{token}'}}\n",
        token = token.display(),
    );
    std::fs::write(&file, &text).unwrap();
    let flag = format!("--config.file={}", file.display());
    let (checked, is_good) = output(&[&flag, "--config.check"]);
    assert!(is_good, "{checked}");
    assert_hidden(&checked, "--config.check");

    let mut command = Command::new(env!("CARGO_BIN_EXE_node_exporter"));
    command.env("PUSH_TOKEN", "geheim-2");
    let arguments = ["--simulate", "--collector.disable-defaults", "--collector.loadavg", "--log.level=debug"];
    let push = format!("--web.enable-lifecycle {flag}");
    let push: Vec<&str> = push.split(' ').collect();
    let mut exporter = Exporter::launch(&mut command, &[&arguments[..], &push].concat());
    // Every target was asked, with its secret.
    let end = Instant::now() + Duration::from_secs(30);
    let is_there = |path: &str, header: &str| {
        let has = |request: &Received| {
            request.target.starts_with(path) && request.header("authorization").is_some_and(|value| value == header)
        };
        receiver.received().iter().any(has)
    };
    for (path, header) in [
        ("/a?token=geheim%207&timestamp=", "Basic dTpnZWhlaW0gMQ=="),
        ("/b", "Bearer geheim-2"),
        ("/c", "Bearer geheim-8"),
        ("/e", "Basic dTpnZWhlaW0tOA=="),
        ("/pause?k=geheim-6", "Basic dTpnZWhlaW0tNQ=="),
    ] {
        while !is_there(path, header) {
            assert!(Instant::now() < end, "{path} {header}: {:?}", receiver.received());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    // A reload with an error, twice: a file with an unreadable key, and one with a broken key.
    for broken in [
        text.replace("name: b", &format!("name: b, cert-file: '{0}', key-file: '{0}'", key.display())),
        text.replace("to: remote-write,", "to: geheim,"),
    ] {
        std::fs::write(&file, broken).unwrap();
        let answer = exporter.connect().ask("POST", "/-/reload");
        assert_eq!(answer.status, 500);
        assert_hidden(&answer.body, "/-/reload");
    }
    for page in ["/metrics", "/", "/-/docs", "/-/healthy"] {
        let answer = exporter.get(page);
        assert!(page != "/" || answer.body.contains("status 400: "), "{}", answer.body);
        assert_hidden(&(answer.head + &answer.body), page);
    }
    exporter.child.kill().unwrap();
    let mut log = std::mem::take(&mut exporter.start);
    exporter.log.read_to_string(&mut log).unwrap();
    assert!(log.contains("status 400: ") && log.contains("<secret>"), "{log}");
    assert_hidden(&log, "the log");
}

#[test]
fn a_token_that_changes_in_its_file_is_used_at_once_and_hidden() {
    let receiver = Receiver::start(|_, request| Reply::Status(503, String::new(), repeated(request)));
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    let file = folder.path().join("f.yml");
    std::fs::write(&token, "geheim-old\n").unwrap();
    let text = format!(
        "push:\n  interval: 100ms\n  targets:\n  - {{to: import, url: 'http://{}', bearer-token-file: '{}'}}\n",
        receiver.address,
        token.display()
    );
    std::fs::write(&file, text).unwrap();
    let flag = format!("--config.file={}", file.display());
    let mut exporter = Exporter::simulated(&["--collector.disable-defaults", "--collector.loadavg", &flag]);
    receiver.wait_for(1);
    std::fs::write(&token, "geheim-new\n").unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    while receiver.received().last().unwrap().header("authorization") != Some("Bearer geheim-new") {
        assert!(Instant::now() < end, "{:?}", receiver.received().last());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_hidden(&exporter.get("/").body, "/");
    exporter.child.kill().unwrap();
    let mut log = String::new();
    exporter.log.read_to_string(&mut log).unwrap();
    assert_hidden(&log, "the log");
}

#[test]
fn logins_of_proxies_are_hidden() {
    let proxy = Receiver::start(|_, request| Reply::Status(407, String::new(), repeated(request)));
    for (variable, value) in [
        ("HTTP_PROXY", format!("http://u:geheim-1@{}", proxy.address)),
        ("http_proxy", "http://u:geheim 1@h".to_owned()),
        ("ALL_PROXY", "geheim://h".to_owned()),
        ("HTTP_PROXY", "http://u:geheim-1@127.0.0.1:1".to_owned()),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_node_exporter"));
        command.args(["--simulate", "--collector.disable-defaults", "--collector.loadavg", "--push.timeout=1s"]);
        command.args(["--push.once", "--push.to=import=http://receiver.invalid"]).env(variable, &value);
        let output = command.output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!output.status.success(), "{text}");
        assert_hidden(&text, &value);
        println!("{}", text.lines().last().unwrap_or_default());
    }
    assert_eq!(proxy.received()[0].header("proxy-authorization"), Some("Basic dTpnZWhlaW0tMQ=="));
}
