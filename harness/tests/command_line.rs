//! What the program prints for shells and manual readers, loaded by the real ones.

use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use harness::requirements::{self, Requirement};

fn main() -> ExitCode {
    requirements::run(&[
        ("bash_completes_flags", &[Requirement::Exporter, Requirement::Bash], bash_completes_flags),
        ("zsh_completes_flags", &[Requirement::Exporter, Requirement::Zsh], zsh_completes_flags),
        ("fish_completes_flags", &[Requirement::Exporter, Requirement::Fish], fish_completes_flags),
        ("mandoc_finds_no_fault", &[Requirement::Exporter, Requirement::Mandoc], mandoc_finds_no_fault),
        ("man_shows_every_flag", &[Requirement::Exporter, Requirement::Man], man_shows_every_flag),
    ])
}

/// The output of a program with our exporter in its search path, and this input.
fn output(program: &Path, arguments: &[&str], input: &str) -> String {
    let exporter = Requirement::Exporter.path();
    let folder = exporter.parent().expect("the exporter's folder").display().to_string();
    let mut child = Command::new(program)
        .args(arguments)
        .env("PATH", format!("{folder}:/usr/bin:/bin"))
        .env("HOME", "/nonexistent")
        .env("MANWIDTH", "200")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads its input");
    let output = child.wait_with_output().expect("it ends");
    let [told, complaints] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    assert!(output.status.success(), "{arguments:?}: {}: {told}{complaints}", output.status);
    told
}

fn exporter(argument: &str) -> String {
    output(&Requirement::Exporter.path(), &[argument], "")
}

/// Checks what a shell's completion of the words after `node_exporter` is.
#[track_caller]
fn check(complete: impl Fn(&[&str]) -> String) {
    let found = complete(&["--no-collector.edac"]);
    assert_eq!(found, "--no-collector.edac\n", "a flag");
    assert_eq!(complete(&["--log.level", "wa"]), "warn\n", "a value");
    let all = complete(&["--"]);
    let names: Vec<&str> = all.lines().collect();
    assert!(names.len() > 200, "{all}");
    for name in ["--collector.arp.device-exclude", "--no-collector.arp", "--web.config.file", "--version"] {
        assert!(names.contains(&name), "{name} is not in {all}");
    }
}

fn bash_completes_flags() {
    let complete = |words: &[&str]| {
        let script = format!(
            "source <(node_exporter --completion-script-bash)\n\
             [[ $(complete -p node_exporter) == *'-F _node_exporter'* ]] || exit 3\n\
             COMP_WORDS=(node_exporter {}); COMP_CWORD={}\n\
             _node_exporter node_exporter\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
            words.join(" "),
            words.len(),
        );
        output(&Requirement::Bash.path(), &["--norc", "-s"], &script)
    };
    check(complete);
    assert_eq!(complete(&["--log.level", "=", "wa"]), "warn\n", "bash makes a word of the equals sign");
}

/// The function runs as zsh calls it, with `compadd` as a function that prints what it is given.
fn zsh_completes_flags() {
    check(|words| {
        let script = format!(
            "autoload -Uz compinit && compinit -D -u\n\
             source <(node_exporter --completion-script-zsh)\n\
             [[ $_comps[node_exporter] == _node_exporter ]] || exit 3\n\
             compadd() {{ shift 2; print -rl -- \"$@\" }}\n\
             words=(node_exporter {}); CURRENT={}\n_node_exporter\n",
            words.join(" "),
            words.len() + 1,
        );
        output(&Requirement::Zsh.path(), &["-f", "-s"], &script)
    });
}

fn fish_completes_flags() {
    check(|words| {
        let script = format!(
            "node_exporter --completion-script-fish | source\ncomplete -C 'node_exporter {}'\n",
            words.join(" ")
        );
        let found = output(&Requirement::Fish.path(), &["--no-config"], &script);
        found.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned() + "\n").collect()
    });
}

fn mandoc_finds_no_fault() {
    let page = exporter("--help-man");
    let level = if page.contains(".TH NODE_EXPORTER 1 \"\"") { "-Werror" } else { "-Wstyle" };
    assert_eq!(output(&Requirement::Mandoc.path(), &["-Tlint", level], &page), "");
}

fn man_shows_every_flag() {
    let shown =
        output(&Requirement::Man.path(), &["--warnings=all", "--no-hyphenation", "-l", "-"], &exporter("--help-man"));
    for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS"] {
        assert!(shown.lines().any(|line| line == heading), "{heading} is not in {shown}");
    }
    let help = exporter("--help");
    let flags = help.lines().filter_map(|line| line.trim_start().strip_prefix("--")?.split(['=', ' ']).next());
    let (shown_flags, all): (Vec<_>, Vec<_>) = (shown.split_ascii_whitespace().collect(), flags.collect());
    assert!(all.len() > 150, "{help}");
    for flag in all {
        let flag = format!("--{flag}");
        let is_shown = shown_flags
            .iter()
            .any(|word| word.split(['=', '[']).next() == flag.split('[').next() && word.starts_with(&*flag));
        assert!(is_shown, "{flag} is not in the manual");
    }
}
