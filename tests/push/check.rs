//! `--config.check`.

use std::process::Command;

fn check(text: &str) -> (String, String, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f.yml");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_node_exporter"));
    command.args(["--config.check", &format!("--config.file={}", file.display())]).env("PUSH_TOKEN", "geheim");
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[test]
fn the_configuration_in_force_is_printed_without_secrets() {
    let text = "push:\n  targets:\n  - {to: import, url: 'http://u:geheim@h:1', name: t}\n  - {to: import, url: 'http://h', \
                bearer-token: '${PUSH_TOKEN}'}\n";
    let (output, errors, status) = check(text);
    assert_eq!((errors.as_str(), status), ("", Some(0)));
    assert!(output.contains("bearer-token: \"<secret>\"") && !output.contains("geheim"), "{output}");
    assert!(output.contains("\n  loadavg: true\n"), "{output}");
}

#[test]
fn an_error_is_told_with_file_line_and_column() {
    let (output, errors, status) = check("push:\n  intervall: 1s\n");
    assert_eq!((output.as_str(), status), ("", Some(1)));
    assert!(
        errors.contains(
            "f.yml:2:3: unknown key `intervall` in push; did you mean `interval`?\n  2 |   intervall: …\n    |   ^\n"
        ),
        "{errors}"
    );
    let (_, errors, _) = check("push:\n  targets:\n  - {to: import, url: 'http://h', password: '${UNSET_SECRET}'}\n");
    assert!(errors.contains("f.yml:3:45: password: the environment variable UNSET_SECRET is not set"), "{errors}");
}
