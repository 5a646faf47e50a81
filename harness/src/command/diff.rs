//! `nodelab diff`.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use collectors::host::root::tree::Tree;
use harness::difference::known::Knowledge;
use harness::difference::maker::{Maker, is_left_out};
use harness::difference::show::{self, Compared, Look};
use harness::difference::{self};
use harness::exposition::Format;
use harness::fetch::Url;
use harness::{host, load};
use simulator::{Machine, embedded};

use super::{Command, Failure, Flag, Given, check, print};

const WITH: Flag = Flag::value("with", "PROGRAM", "Start this exporter and compare with it. Linux only.");
const PEER_URL: Flag =
    Flag::value("peer-url", "URL", "Compare with a running exporter: http://localhost:9100/metrics.");
const PAGE: Flag = Flag::values("page", "FILE|URL", "Compare two pages; given twice, the peer's first.");
const TREE: Flag = Flag::value("tree", "FILE", "Compare on this host: a .tree file, an archive or a directory.");
const PROFILE: Flag =
    Flag::value("profile", "NAME", "Compare on a simulated host of this profile; see `nodelab list`.");
const SEED: Flag = Flag::value("seed", "NUMBER", "Seed of the simulated host. Default: 1.");
const AT: Flag =
    Flag::value("at", "SECONDS", "Time of the simulated host, in seconds since 1970. Default: 1700000000.");
const LIVE: Flag = Flag::switch("live", "Compare on this machine: a value between two of our pages counts as equal.");
const KNOWN: Flag = Flag::value(
    "known",
    "FILE",
    "Markdown file with tables of known differences. Default: docs/DIFFERENCES.md, for the peer's version.",
);
const ALL_LINES: Flag = Flag::switch("all", "Show known differences too, with their reasons.");

pub(super) const COMMAND: Command = Command {
    name: "diff",
    arguments: "",
    about: "compare the pages of another exporter and ours for the same host",
    details: "The other exporter is a program, an address, or a saved page. Without --tree, --profile or --live, a\n\
              program is started on every host of fixtures/hosts. Both exporters read the same files; sources\n\
              other than files are switched off.\n\
              \nLines of the peer begin with -, ours with +, grouped by family; HELP texts are not compared. Known\n\
              differences are listed in a table with their reason and the hosts where they occur; a row that\n\
              matches nothing on its host is an error. docs/HARNESS.md has the details.\n",
    flags: &[WITH, PEER_URL, PAGE, TREE, PROFILE, SEED, AT, LIVE, KNOWN, ALL_LINES, check::FORMAT],
    exits: &[],
    run,
};

/// Source of the other page.
enum Peer {
    Program(harness::peer::Program),
    /// With what its page says about it.
    Url(Url, Maker),
}

/// The host that both exporters read.
enum Place {
    Tree { name: String, tree: Tree },
    Live,
}

fn run(given: &Given) -> Result<ExitCode, Failure> {
    given.words([])?;
    let is_json = given.one_of(check::FORMAT, &["text", "json"])? == "json";
    let look = Look { is_colored: std::io::stdout().is_terminal() && !is_json, has_known: given.has(ALL_LINES.name) };
    if let [theirs, ours] = given.texts(PAGE.name)?.as_slice() {
        let (theirs_page, _) = check::page(theirs, Some(Format::Text))?;
        let (ours_page, _) = check::page(ours, Some(Format::Text))?;
        let knowledge = knowledge(given, Maker::of(&theirs_page)?.version.as_deref())?;
        let compared = difference::pages("pages", &ours_page, &theirs_page, &knowledge, |family| !is_left_out(family))?;
        return Ok(show(&[compared], is_json, look));
    }
    if !given.texts(PAGE.name)?.is_empty() {
        return Err(Failure::Usage("--page must be given twice: the peer's, then ours".into()));
    }
    let peer = match (given.path(WITH.name), given.texts(PEER_URL.name)?.first()) {
        (Some(program), None) => Peer::Program(harness::peer::Program::ask(program)?),
        (None, Some(url)) => {
            let url = Url::parse(url).map_err(Failure::Usage)?;
            let maker = Maker::of(&url.get(Format::Text)?.body)?;
            Peer::Url(url, maker)
        }
        _ => return Err(Failure::Usage("expected one of --with, --peer-url, or --page twice".into())),
    };
    let version = match &peer {
        Peer::Program(program) => Some(program.version.as_str()),
        Peer::Url(_, maker) => maker.version.as_deref(),
    };
    let knowledge = knowledge(given, version)?;
    let mut compared = Vec::new();
    for place in places(given, &peer)? {
        compared.push(compare(&peer, place, &knowledge)?);
    }
    Ok(show(&compared, is_json, look))
}

fn show(compared: &[Compared<'_>], is_json: bool, look: Look) -> ExitCode {
    let text = if is_json {
        let places: Vec<_> = compared.iter().map(show::json).collect();
        format!("{:#}\n", serde_json::Value::from(places))
    } else {
        compared.iter().map(|compared| show::text(compared, look)).collect()
    };
    print(&text);
    if compared.iter().all(Compared::is_explained) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The known differences: every table of the given file, or those for the peer's version in ours.
fn knowledge(given: &Given, version: Option<&str>) -> Result<Knowledge, Failure> {
    let own = load::workspace().join("docs/DIFFERENCES.md");
    let (path, version) = match (given.path(KNOWN.name), version) {
        (Some(named), _) => (named.to_owned(), None),
        (None, Some(version)) if load::exists(&own) => (own, Some(version)),
        (None, _) => return Ok(Knowledge::default()),
    };
    let text = String::from_utf8(load::bytes(&path)?).map_err(|error| Failure::of(path.display(), error))?;
    let read = version.map_or_else(|| Knowledge::parse(&text), |version| Knowledge::of_version(&text, version));
    read.map_err(|problem| Failure::of(path.display(), problem))
}

fn places(given: &Given, peer: &Peer) -> Result<Vec<Place>, Failure> {
    let profile = given.texts(PROFILE.name)?.first().copied();
    if profile.is_none() && (given.path(SEED.name).is_some() || given.path(AT.name).is_some()) {
        return Err(Failure::Usage("--seed and --at need --profile".into()));
    }
    match (given.path(TREE.name), profile, given.has(LIVE.name)) {
        (Some(file), None, false) => {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Ok(vec![Place::Tree { name, tree: load::any_host(file)? }])
        }
        (None, Some(profile), false) => {
            let (seed, at) = (given.number(SEED)?.unwrap_or(1), given.number(AT)?.unwrap_or(1_700_000_000));
            let machine =
                Machine::of(profile, seed, &[]).map_err(|error| Failure::Usage(format!("--profile: {error}")))?;
            let tree = embedded(machine, move || Duration::from_secs(at)).tree_at(at);
            Ok(vec![Place::Tree { name: format!("profile {profile}"), tree }])
        }
        (None, None, true) => Ok(vec![Place::Live]),
        (None, None, false) if matches!(peer, Peer::Url(..)) => Ok(vec![Place::Live]),
        (None, None, false) => {
            let host = |name: String| Ok(Place::Tree { tree: load::host(&name)?, name });
            load::hosts()?.into_iter().map(host).collect()
        }
        _ => Err(Failure::Usage("--tree, --profile and --live exclude each other".into())),
    }
}

#[cfg(target_os = "linux")]
fn compare<'a>(peer: &Peer, place: Place, knowledge: &'a Knowledge) -> Result<Compared<'a>, Failure> {
    match (peer, place) {
        (Peer::Program(program), Place::Tree { name, tree }) => {
            Ok(difference::folder::compare(program, &name, tree, knowledge)?)
        }
        (Peer::Program(program), Place::Live) => Ok(difference::live::compare(program, knowledge)?),
        (Peer::Url(url, maker), Place::Live) => Ok(difference::live::compare_with(url, maker, knowledge)?),
        (Peer::Url(url, maker), Place::Tree { name, tree }) => with_url((url, maker), &name, tree, knowledge),
    }
}

#[cfg(not(target_os = "linux"))]
fn compare<'a>(peer: &Peer, place: Place, knowledge: &'a Knowledge) -> Result<Compared<'a>, Failure> {
    if let (Peer::Url(url, maker), Place::Tree { name, tree }) = (peer, place) {
        return with_url((url, maker), &name, tree, knowledge);
    }
    let problem = "node_exporter runs on Linux only; run this on Linux, or use --peer-url with --tree or --profile";
    Err(Failure::Broken(problem.to_owned()))
}

/// Compares with a running exporter that reads this host, for the collectors that its page lists.
fn with_url<'a>(
    (url, maker): (&Url, &Maker),
    name: &str,
    tree: Tree,
    knowledge: &'a Knowledge,
) -> Result<Compared<'a>, Failure> {
    let theirs = url.get(Format::Text)?.body;
    let ours = host::page_of(&Arc::new(tree), &maker.collectors).map_err(|error| Failure::of(name, error))?;
    Ok(difference::pages(name, ours.as_bytes(), &theirs, knowledge, |family| !is_left_out(family))?)
}
