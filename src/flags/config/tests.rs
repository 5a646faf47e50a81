use std::ffi::OsString;
use std::path::Path;

use collectors::ALL;

use super::*;
use crate::flags::{Command, Outside, Settings, parse_with};
use crate::target::TargetKind;

fn variable(name: &str) -> Option<String> {
    ["NODE_NAME", "MASTER_IP", "PUSH_USER", "PUSH_PASSWORD"].contains(&name).then(|| format!("<{name}>"))
}

fn parsed(text: &str, arguments: &[&str]) -> Result<Settings, String> {
    let read = |_: &Path| Ok(text.to_owned());
    let outside = Outside { read: &read, variable: &variable };
    let arguments = arguments.iter().chain(&["--config.file=f.yml"]).map(OsString::from);
    match parse_with(ALL, arguments, outside)? {
        Command::Serve(settings) | Command::Check(settings) => Ok(*settings),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn settings(text: &str, arguments: &[&str]) -> Settings {
    parsed(text, arguments).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn keys_are_flags_and_flags_win() {
    let text = "app: web\nlabels: {node: '${NODE_NAME}', zone: a}\nlog: {level: debug}\nweb:\n  listen-address: [':1', ':2']\n  \
                max-requests: 7\ncollectors:\n  disable-defaults: true\n  loadavg: true\n  cpu: {enabled: false, info: true}\n  \
                filesystem:\n    mount-points-exclude: ^/x\npush:\n  interval: 1m\n";
    let found = settings(text, &[]);
    assert_eq!((found.push.job.as_str(), found.listen_addresses.len()), ("web", 2));
    assert_eq!(found.requests_max.map(std::num::NonZeroUsize::get), Some(7));
    let labels = [("node", "<NODE_NAME>"), ("zone", "a")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(found.push.labels, labels);
    assert_eq!(found.push.interval.as_secs(), 60);
    for (collector, is_on) in [("loadavg", true), ("cpu", false), ("filesystem", true), ("vmstat", false)] {
        assert_eq!(found.values.enabled(collector), Some(is_on), "{collector}");
    }
    let found = settings(
        text,
        &[
            "--web.listen-address=:9",
            "--no-collector.loadavg",
            "--push.label=a=b",
            "--push.interval=5s",
            "--push.job=x",
        ],
    );
    assert_eq!((found.listen_addresses.as_slice(), found.push.interval.as_secs()), (&[":9".to_owned()][..], 5));
    assert_eq!(found.values.enabled("loadavg"), Some(false));
    assert_eq!((found.push.job.as_str(), found.push.labels.len()), ("x", 1));
}

#[cfg(feature = "push")]
#[test]
fn targets_come_from_the_file_or_the_command_line() {
    let text = "push:\n  targets:\n  - {to: import, url: 'http://h:1'}\n  - to: remote-write\n    url: http://h:2\n    job: j\n";
    let kinds = |settings: Settings| settings.push.targets.iter().map(|target| target.kind).collect::<Vec<_>>();
    assert_eq!(kinds(settings(text, &[])), [TargetKind::Import, TargetKind::RemoteWrite1]);
    assert_eq!(kinds(settings(text, &["--push.to=file=-"])), [TargetKind::File]);
}

/// The first line of an error, without the name of the file and without the column.
fn first_line(error: &str) -> String {
    let rest = error.lines().next().unwrap().strip_prefix("--config.file: f.yml:").unwrap();
    let [line, _, what] = rest.splitn(3, ':').collect::<Vec<_>>()[..] else { panic!("{error}") };
    format!("line {line}:{what}")
}

#[track_caller]
fn refuse(text: &str, expected: &str) {
    assert_eq!(first_line(&parsed(text, &[]).unwrap_err()), expected, "{text}");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    refuse(
        "web:\n  listen-adress: [':1']\n",
        "line 2: unknown key `listen-adress` in web; did you mean `listen-address`?",
    );
    refuse("webb: {}\n", "line 1: unknown key `webb` in the file; did you mean `web`?");
    refuse("app: a\napp: b\n", "line 2: duplicate key `app`, first in line 1; remove one");
    refuse(
        "push:\n  interval: soon\n",
        "line 2: push.interval: expected a duration such as 5s, 1m30s or 200ms, found `soon`",
    );
    refuse("push:\n  queue-max-bytes: 1M\n", "line 2: push.queue-max-bytes: expected a whole number, found `1M`");
    refuse("sandbox: maybe\n", "line 1: sandbox: expected true or false");
    refuse("collectors:\n  loadvag: true\n", "line 2: unknown key `loadvag` in collectors; did you mean `loadavg`?");
    refuse("collectors: {arp: {devices: x}}\n", &{
        let error = parsed("collectors: {arp: {devices: x}}\n", &[]).unwrap_err();
        let rest = first_line(&error);
        assert!(rest.starts_with("line 1: unknown key `devices` in collectors.arp; "), "{rest}");
        rest
    });
    refuse("labels: {a-b: c}\n", "line 1: labels: `a-b` is no name of a label");
    refuse(
        "labels:\n  a: ${NO}\n",
        "line 2: labels: a: the environment variable NO is not set; ${NO:-TEXT} has a default",
    );
    refuse("push: {targets: {}}\n", "line 1: push.targets: expected a list");
    refuse(
        "push:\n  targets:\n  - {to: import, url: 'http://h'}\n  - {to: import, url: 'http://h/'}\n",
        "line 4: a second target `import=http://h`; give one of them another name",
    );
    refuse("a: [\n", &{
        let error = parsed("a: [\n", &[]).unwrap_err();
        assert!(error.contains(": invalid YAML: "), "{error}");
        first_line(&error)
    });
}

/// Values that are the same when the effective configuration is read again.
fn shown(settings: &Settings) -> String {
    effective(ALL, settings)
}

#[cfg(feature = "push")]
#[test]
fn what_is_in_force_can_be_read_again() {
    let text = "app: 'a \"b\\'\nlabels: {node: '${NODE_NAME}', odd: \"tab\\there $${x}\"}\nweb: {listen-address: [':1', 'unix:/x']}\n\
                collectors: {cpu: {info: true}, sysctl: {include: [a, 'b:c']}}\npush:\n  cron: '*/5 * * * *'\n  targets:\n  - \
                {to: import, url: 'http://h:1', extra-labels: {a: 'b: c'}, compression: none}\n  - {to: pushgateway, url: \
                'http://h', method: post, grouping: {x: 'y/z'}}\n";
    let first = settings(text, &[]);
    let printed = shown(&first);
    let again = settings(&printed, &[]);
    assert_eq!(shown(&again), printed);
    assert_eq!((again.push.clone(), again.listen_addresses.clone()), (first.push, first.listen_addresses));
}

#[cfg(feature = "push")]
#[test]
fn what_is_in_force_is_shown_without_secrets() {
    let text = "push:\n  targets:\n  - to: import\n    url: http://user:pw1@h:1/x?token=pw2\n    headers: {X-Key: pw3}\n  - to: import\n    \
                url: http://h:2\n    bearer-token: pw4\n  - {to: import, url: 'http://h:3', username: u, password: pw5, \
                pause-unless-url: 'http://u:pw6@h/p?k=pw7'}\n";
    let printed = shown(&settings(text, &[]));
    assert!(!printed.contains("pw"), "{printed}");
    for expected in ["url: \"http://h:1/x?<secret>\"", "username: user", "X-Key: \"<secret>\"", "http://h/p?<secret>"] {
        assert!(printed.contains(expected), "{expected}\nis not in\n{printed}");
    }
}

#[cfg(feature = "push")]
#[test]
fn every_example_is_a_configuration() {
    let examples = [
        (include_str!("../../../docs/config/push-every-30s.yml"), 2),
        (include_str!("../../../docs/config/edge.yml"), 1),
        (include_str!("../../../docs/config/kubernetes.yml"), 1),
    ];
    for (example, targets) in examples {
        if example.contains("https://") && !cfg!(feature = "tls") {
            continue;
        }
        let settings = settings(example, &["--config.check"]);
        assert!(settings.is_check);
        assert_eq!(settings.push.targets.len(), targets, "{example}");
        let printed = shown(&settings);
        assert!(!printed.contains("<PUSH_PASSWORD>"), "{printed}");
    }
}

#[test]
fn every_flag_has_a_key_or_a_reason() {
    let keys: Vec<&str> =
        SECTIONS.iter().flat_map(|section| section_flags(section)).map(|(_, flag)| flag.name).collect();
    // They choose the host, belong to one run, or stand in the file in another form.
    let others = ["auth.", "config.", "replay", "runtime.", "simulate"];
    for flag in flags::server_flags() {
        let is_other = others.iter().any(|start| flag.name.starts_with(start)) || NOT_KEYS.contains(&flag.name);
        let is_top = [SANDBOX.1, DISABLE_DEFAULTS.1].contains(&flag.name);
        assert_eq!(keys.contains(&flag.name), !is_other && !is_top, "--{}", flag.name);
    }
    for (_, name) in [APP, LABELS, SANDBOX, DISABLE_DEFAULTS] {
        assert!(server_flag(name).is_some(), "{name}");
    }
    for flag in flags::FIXED {
        assert!(server_flag(flag).is_some(), "{flag}");
    }
}

#[test]
fn the_documentation_has_every_key_with_its_default() {
    let text = documentation(ALL);
    for expected in [
        "| `listen-address` | `:9100` | ",
        "| `interval` | `30s` | ",
        "| `pause-file` |  | ",
        "| `netclass.ignored-devices` | `^$` | ",
        "| `app` | `node_exporter` | ",
    ] {
        assert!(text.contains(expected), "{expected}\nis not in\n{text}");
    }
}

/// Broken files with their messages: documents and messages in turn, each behind a line of dashes.
const BROKEN: &str = include_str!("broken.txt");
const DOCUMENT: &str = "-------- file\n";
const MESSAGE: &str = "-------- message\n";

#[cfg(feature = "push")]
#[test]
fn broken_files_have_messages_with_line_column_and_caret() {
    let documents = BROKEN.split(DOCUMENT).skip(1).map(|part| part.split(MESSAGE).next().unwrap());
    let mut count = 0;
    let found: String = documents.fold(String::new(), |found, document| {
        count += 1;
        let error = parsed(document, &[]).unwrap_err();
        found + DOCUMENT + document + MESSAGE + &error + "\n"
    });
    assert!(count >= 20, "{count}");
    assert!(found == BROKEN, "the messages of broken.txt are other ones now:\n{found}");
}

#[test]
fn lines_are_quoted_without_values() {
    let quoted = |text: &str| {
        let error = parsed(text, &[]).unwrap_err();
        assert!(!error.contains("geheim"), "{error}");
        error.lines().nth(1).unwrap().split_once("| ").unwrap().1.to_owned()
    };
    // In targets the key at the caret is shown, and other keys if they are known.
    assert_eq!(quoted("push:\n  targets: [{to: importt, password: geheim}]\n"), "  targets: [{to: …, password: …}]");
    assert_eq!(
        quoted("push: {targets: [{to: x, pass: geheim}], interval: 1s}\n"),
        "push: {targets: [{to: …, pass: …}], interval: …}"
    );
    assert_eq!(quoted("push:\n  tragets: [{url: geheim}]\n"), "  tragets: [{url: …}]");
    // Where the file is no YAML, anything may be a part of a value.
    assert_eq!(quoted("a: \"geheim\n  geheim: geheim\n"), "");
    assert_eq!(quoted("push:\n  url: 'geheim', geheim: [\n"), "  url: …, …: [");
}
