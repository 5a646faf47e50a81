//! `nodelab list`.

use std::fmt::Write as _;
use std::process::ExitCode;

use collectors::kit::root::tree::{Node, Special, What};
use harness::generated::simulator::setting as setting_line;
use harness::load;

use super::{Command, Failure, Given, print};

pub(super) const COMMAND: Command = Command {
    name: "list",
    arguments: "[PROFILE|FILE [PREFIX]]",
    about: "list what a host holds, or the hosts, profiles and scenarios that come with nodelab",
    details: "FILE is a .tree file, a ttar, tar or tar.zst archive, or a directory; PREFIX the beginning of the paths to list.\n\
              A line is what the entry is, its size in bytes, and its path. Of a PROFILE, the settings are listed. Without\n\
              an argument, the fixture hosts, the simulator's profiles and the scenarios are.\n",
    flags: &[],
    exits: &[],
    run,
};

fn run(given: &Given) -> Result<ExitCode, Failure> {
    let words: Vec<String> = given.all_words().map(|word| word.display().to_string()).collect();
    let (file, prefix) = match words.as_slice() {
        [] => return hosts(),
        [name] if simulator::profiles().iter().any(|profile| profile.name == name) => return Ok(settings(name)),
        [file] => (file, ""),
        [file, prefix] => (file, prefix.trim_start_matches('/')),
        [.., last] => return Err(Failure::Usage(format!("`{last}` is one argument too many"))),
    };
    let tree = load::any_host(file.as_ref())?;
    let mut text = String::new();
    for (path, node) in tree.iter().filter(|(path, _)| path.starts_with(prefix.as_bytes())) {
        // What is on the way to others says nothing.
        if *node == Node::directory() && tree.has_entries(path) {
            continue;
        }
        let (kind, size_bytes) = kind_and_size(node);
        let _ = write!(text, "{kind:9} {size_bytes:>9} {}", path.escape_ascii());
        if let What::Link(target) = node.what() {
            let _ = write!(text, " -> {}", target.escape_ascii());
        }
        text.push('\n');
    }
    if text.is_empty() {
        return Err(Failure::of(file, format!("nothing begins with `{prefix}`")));
    }
    Ok(print(&text))
}

fn kind_and_size(node: &Node) -> (&'static str, String) {
    let kind = match node.what() {
        _ if node.error().is_some() => return (node.error().map_or("", |error| error.name()), "-".to_owned()),
        What::File(content) => return ("file", content.len().to_string()),
        What::Directory => "directory",
        What::Link(_) => "link",
        What::Special(Special::Fifo) => "fifo",
        What::Special(Special::Socket) => "socket",
        What::Special(Special::Device) => "device",
    };
    (kind, "-".to_owned())
}

fn hosts() -> Result<ExitCode, Failure> {
    let mut text = String::new();
    for host in load::hosts()? {
        let _ = writeln!(text, "file     fixtures/hosts/{host}.tree");
    }
    for profile in simulator::profiles() {
        let _ = writeln!(text, "profile  {}: {}", profile.name, profile.summary);
    }
    for name in load::scenarios()? {
        let scenario = load::named_scenario(&name)?;
        let _ = writeln!(text, "scenario {}/{name}.toml: {}", load::SCENARIOS, scenario.about());
    }
    Ok(print(&text))
}

fn settings(profile: &str) -> ExitCode {
    let mut text = String::new();
    for profile in simulator::profiles().iter().filter(|known| known.name == profile) {
        let _ = writeln!(text, "{}: {}", profile.name, profile.summary);
        for setting in profile.settings {
            let _ = writeln!(text, "  {}", setting_line(setting).replace('`', ""));
        }
    }
    print(&text)
}
