//! `nodelab list`.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use collectors::host::root::tree::{Node, Special, What};
use harness::generated::simulator::setting as setting_line;
use harness::load;

use super::{Arguments, Command, Failure, print};

pub(super) const COMMAND: Command = Command {
    name: "list",
    arguments: "[PROFILE|EVENT|FILE [PREFIX]]",
    about: "list the entries of a host, or the profiles, events and scenarios of nodelab",
    details: "FILE is a .tree file, a ttar, tar or tar.zst archive, a directory, or a scenario; PREFIX limits the\n\
              listing to paths that begin with it. A line is the type of an entry, its size in bytes, and its\n\
              path. For a PROFILE or an EVENT, the settings are listed. Without an argument, everything that this\n\
              command accepts is listed: fixture hosts, profiles, events and scenarios.\n",
    flags: &[],
    exits: &[],
    run,
};

fn run(given: &Arguments) -> Result<ExitCode, Failure> {
    let words: Vec<String> = given.all_words().map(|word| word.display().to_string()).collect();
    Ok(print(&listing(&words)?))
}

fn listing(words: &[String]) -> Result<String, Failure> {
    let (file, prefix) = match words {
        [] => return everything(),
        [name] => match settings(name) {
            Some(text) => return Ok(text),
            None => (name, ""),
        },
        [file, prefix] => (file, prefix.trim_start_matches('/')),
        [.., last] => return Err(Failure::Usage(format!("`{last}`: unexpected argument"))),
    };
    if prefix.is_empty() && Path::new(file).extension().is_some_and(|extension| extension == "toml") {
        return scenario(file.as_ref());
    }
    let tree = load::any_host(file.as_ref())?;
    let mut text = String::new();
    for (path, node) in tree.iter().filter(|(path, _)| path.starts_with(prefix.as_bytes())) {
        // A PREFIX matches entries only, not the directories above them.
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
        return Err(Failure::of(file, format!("no entry begins with `{prefix}`")));
    }
    Ok(text)
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

/// Everything that the command accepts, one argument per line after its type.
fn everything() -> Result<String, Failure> {
    let mut text = String::new();
    for (kind, name, about) in arguments()? {
        let _ = writeln!(text, "{}", format!("{kind:8} {name:<NAME_COLUMNS$} {about}").trim_end());
    }
    Ok(text)
}

/// Width of the column of names; a longer name moves its description to the right.
const NAME_COLUMNS: usize = 26;

/// Type, name and description of every argument.
fn arguments() -> io::Result<Vec<(&'static str, String, String)>> {
    let mut all = Vec::new();
    for host in load::hosts()? {
        all.push(("file", load::argument(&format!("fixtures/hosts/{host}.tree")), String::new()));
    }
    for profile in simulator::profiles() {
        all.push(("profile", profile.name.to_owned(), profile.summary.to_owned()));
    }
    for kind in simulator::event_kinds() {
        all.push(("event", kind.name.to_owned(), kind.summary.to_owned()));
    }
    for name in load::scenarios()? {
        let scenario = load::named_scenario(&name)?;
        all.push((
            "scenario",
            load::argument(&format!("{}/{name}.toml", load::SCENARIOS)),
            scenario.about().to_owned(),
        ));
    }
    Ok(all)
}

/// The description of a scenario file, with its profile.
fn scenario(path: &Path) -> Result<String, Failure> {
    let scenario = load::scenario(path)?;
    Ok(format!("scenario {}\nprofile  {}\n", scenario.about(), scenario.profile()))
}

/// The settings of a profile or an event.
fn settings(name: &str) -> Option<String> {
    let profiles = simulator::profiles().iter().map(|profile| (profile.name, profile.summary, profile.settings));
    let events = simulator::event_kinds().iter().map(|kind| (kind.name, kind.summary, kind.settings));
    let (name, summary, settings) = profiles.chain(events).find(|(known, ..)| *known == name)?;
    let mut text = format!("{name}: {summary}\n");
    for setting in settings {
        let _ = writeln!(text, "  {}", setting_line(setting).replace('`', ""));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<&str>) {
        let text = settings(name);
        assert_eq!(text.as_deref().map(|text| text.lines().nth(1).unwrap_or_default()), expected, "{name}");
    }

    #[test]
    fn settings_of_profiles_and_events_are_listed() {
        check(
            "laptop",
            Some("  cpus=8: CPUs; an even number has two threads per core. Takes a whole number from 1 to 64."),
        );
        check("md-rebuild", Some("  array=NAME: Array. Default: the last one with redundancy. Takes a name."));
        check("pod-rebuild", None);
        let named = |text: &Option<String>, name: &str| text.as_deref().is_some_and(|text| text.starts_with(name));
        for name in simulator::event_kinds().iter().map(|kind| kind.name) {
            assert!(named(&settings(name), name), "{name}");
        }
    }

    #[test]
    fn every_printed_name_is_an_argument() {
        let text = everything().expect("a listing");
        let names: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
        assert!(names.len() > 50, "{names:?}");
        for name in names {
            let listed = listing(&[name.to_owned()]).unwrap_or_else(|failure| panic!("{name}: {failure:?}"));
            assert!(!listed.is_empty(), "{name}");
        }
    }
}
