//! Every collector, with one of the files that it reads on a fixture host replaced by the input.

use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use collectors::ALL;
use collectors::kit::root::{Metadata, Mount, Names, Root, RootError, Roots};
use collectors::kit::scraper::{Scraper, Selection};

use super::{Target, Try};
use crate::{exposition, host, load};

/// A file as collectors ask for it.
type Place = (Mount, Vec<u8>);

pub(super) fn targets() -> Vec<Target> {
    const LAW: &str =
        "Whatever a file holds, the page is well formed, nothing panics, and a scrape after it is as before.";
    let named =
        |name: &'static str| Target::new(format!("collector-{name}"), LAW, move || prepare(name), move || seeds(name));
    ALL.iter().map(|registration| named(registration.declaration.name)).collect()
}

/// The fixture hosts with one collector, and the files that it reads on each: those that have content.
fn hosts(collector: &'static str) -> io::Result<Vec<Host>> {
    load::hosts()?.iter().map(|name| Host::new(name, collector)).collect()
}

struct Host {
    scraper: Scraper,
    only: Selection,
    script: Arc<Mutex<Script>>,
    files: Vec<(Place, Vec<u8>)>,
    sound: String,
}

#[derive(Default, Debug)]
struct Script {
    read: BTreeMap<Place, Vec<u8>>,
    replaced: Option<(Place, Vec<u8>)>,
}

impl Host {
    fn new(name: &str, collector: &'static str) -> io::Result<Self> {
        let script = Arc::new(Mutex::new(Script::default()));
        let scraper = host::scraper(load::host(name)?, |sound| {
            Roots::new(|mount| Arc::new(Replacing { mount, sound: sound.clone(), script: Arc::clone(&script) }))
        });
        let only = scraper.only(&[collector]).map_err(io::Error::other)?;
        let mut host = Self { scraper, only, script, files: Vec::new(), sound: String::new() };
        host.sound = host.scrape();
        host.files = lock(&host.script).read.clone().into_iter().collect();
        Ok(host)
    }

    fn scrape(&self) -> String {
        let scraped = host::scrape(&self.scraper, &self.only);
        let panicked = scraped.failed.values().flatten().find(|words| words.contains("panicked"));
        assert_eq!(panicked, None, "a panic");
        let parsed = exposition::parse_as_told(scraped.page.as_bytes());
        assert!(parsed.is_ok(), "the page is malformed: {:?}\n{}", parsed.err(), scraped.page);
        scraped.page.lines().filter(|line| !line.contains("_duration_seconds")).collect::<Vec<_>>().join("\n")
    }
}

/// The first two bytes say which file the rest is.
fn prepare(collector: &'static str) -> Try {
    let hosts = Rc::new(hosts(collector).unwrap_or_else(|error| panic!("the fixture hosts: {error}")));
    Box::new(move |input| {
        let Some((which, content)) = input.split_first_chunk::<2>() else { return };
        let which = usize::from(u16::from_be_bytes(*which));
        let files = hosts.iter().flat_map(|host| host.files.iter().map(move |(place, _)| (host, place)));
        let count = files.clone().count();
        let Some((host, place)) = which.checked_rem(count).and_then(|at| files.clone().nth(at)) else { return };
        lock(&host.script).replaced = Some((place.clone(), content.to_vec()));
        host.scrape();
        lock(&host.script).replaced = None;
        assert_eq!(host.scrape(), host.sound, "a file that was broken still shows when it is whole again");
    })
}

fn seeds(collector: &'static str) -> io::Result<Vec<Vec<u8>>> {
    let hosts = hosts(collector)?;
    let contents = hosts.iter().flat_map(|host| &host.files).map(|(_, content)| content);
    Ok((0_u16..).zip(contents).map(|(which, content)| [&which.to_be_bytes(), content.as_slice()].concat()).collect())
}

/// Notes what is read, and gives something else for one file.
#[derive(Debug)]
struct Replacing {
    mount: Mount,
    sound: Roots,
    script: Arc<Mutex<Script>>,
}

impl Root for Replacing {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        self.sound.get(self.mount).read(path, into, cap_bytes)?;
        let mut script = lock(&self.script);
        let place = (self.mount, path.to_vec());
        match &script.replaced {
            Some((replaced, content)) if *replaced == place => into.clone_from(content),
            _ => drop(script.read.insert(place, into.clone())),
        }
        Ok(())
    }

    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        self.sound.get(self.mount).list(path, into)
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        self.sound.get(self.mount).read_link(path, into)
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        self.sound.get(self.mount).metadata(path)
    }
}

fn lock(script: &Mutex<Script>) -> std::sync::MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}
