//! Every collector, with one of the files that it reads replaced by the input.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use collectors::ALL;
use collectors::kit::files::FILE_CAP_BYTES;
use collectors::kit::scraper::{Scraper, Selection};
use simulator::fault::Kind;

use super::{Target, Try};
use crate::exposition::{self, Family, Sample};
use crate::faults::FaultyRoots;
use crate::meter::MountPath;
use crate::{host, load};

pub(super) fn targets() -> Vec<Target> {
    const LAW: &str = "For any file content the page is well formed, nothing panics, and the next scrape is unaffected, \
                       but that counters may stay higher.";
    let named =
        |name: &'static str| Target::new(format!("collector-{name}"), LAW, move || prepare(name), move || seeds(name));
    ALL.iter().map(|registration| named(registration.declaration.name)).collect()
}

/// The fixture hosts with one collector, and the non-empty files that it reads on each.
fn hosts(collector: &'static str) -> io::Result<Vec<Host>> {
    load::hosts()?.iter().map(|name| Host::new(name, collector)).collect()
}

struct Host {
    scraper: Scraper,
    only: Selection,
    breakable: FaultyRoots,
    files: Vec<(MountPath, Vec<u8>)>,
    sound: String,
}

impl Host {
    fn new(name: &str, collector: &'static str) -> io::Result<Self> {
        let tree = load::host(name)?;
        let roots = Arc::new(tree.clone()).roots();
        let breakable = FaultyRoots::new(&roots);
        let scraper = host::scraper(tree, |_| breakable.roots());
        let only = scraper.only(&[collector]).map_err(io::Error::other)?;
        let mut host = Self { scraper, only, breakable, files: Vec::new(), sound: String::new() };
        host::scrape(&host.scraper, &host.only);
        let asked = host.breakable.take_accesses().into_iter().filter(|(_, count)| count.read > 0);
        let read = |question: MountPath| {
            let mut content = Vec::new();
            let answer = roots.get(question.mount).read(&question.path, &mut content, FILE_CAP_BYTES);
            answer.ok().map(|()| (question, content))
        };
        host.files = asked.filter_map(|(question, _)| read(question)).collect();
        host.sound = host.scrape();
        Ok(host)
    }

    fn scrape(&self) -> String {
        let scraped = host::scrape(&self.scraper, &self.only);
        // A corrupt file may name further paths; accesses to them are dropped.
        self.breakable.take_accesses();
        let panicked = scraped.failed.values().flatten().find(|words| words.contains("panicked"));
        assert_eq!(panicked, None, "a panic");
        let parsed = exposition::parse_with_negative_counters(scraped.page.as_bytes());
        assert!(parsed.is_ok(), "the page is malformed: {:?}\n{}", parsed.err(), scraped.page);
        scraped.page.split_inclusive('\n').filter(|line| !line.contains("_duration_seconds")).collect()
    }
}

/// The first two bytes select the file that the rest replaces.
fn prepare(collector: &'static str) -> Try {
    let hosts = Rc::new(hosts(collector).unwrap_or_else(|error| panic!("the fixture hosts: {error}")));
    Box::new(move |input| {
        let Some((which, content)) = input.split_first_chunk::<2>() else { return };
        let which = usize::from(u16::from_be_bytes(*which));
        let files = hosts.iter().flat_map(|host| host.files.iter().map(move |(question, _)| (host, question)));
        let count = files.clone().count();
        let Some((host, question)) = which.checked_rem(count).and_then(|at| files.clone().nth(at)) else { return };
        host.breakable.inject(question, Kind::Content(content.to_vec()));
        host.scrape();
        host.breakable.clear();
        let after = host.scrape();
        if !is_unaffected(&host.sound, &after) {
            assert_eq!(after, host.sound, "a corrupt file still affects the page after it was restored");
        }
    })
}

/// Whether a page equals the one before, except that counters may stay at the value from the corrupt file: some
/// collectors keep counters monotonic, because the kernel lets them fall slightly.
fn is_unaffected(before: &str, after: &str) -> bool {
    if before == after {
        return true;
    }
    let [Ok(before), Ok(after)] = [before, after].map(|page| exposition::parse_with_negative_counters(page.as_bytes()))
    else {
        return false;
    };
    let is_alike = |before: &Family<'_>, after: &Family<'_>| {
        let has_stayed = |before: &Sample<'_>, after: &Sample<'_>| {
            before.series() == after.series() && before.number.0 < after.number.0
        };
        let mut samples = before.samples.iter().zip(&after.samples);
        (before.name, before.kind, before.samples.len()) == (after.name, after.kind, after.samples.len())
            && samples.all(|(one, other)| one.text == other.text || before.kind == "counter" && has_stayed(one, other))
    };
    before.families.len() == after.families.len()
        && before.families.iter().zip(&after.families).all(|(before, after)| is_alike(before, after))
}

fn seeds(collector: &'static str) -> io::Result<Vec<Vec<u8>>> {
    let hosts = hosts(collector)?;
    let contents = hosts.iter().flat_map(|host| &host.files).map(|(_, content)| content);
    Ok((0_u16..).zip(contents).map(|(which, content)| [&which.to_be_bytes(), content.as_slice()].concat()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_counters_may_stay_higher() {
        let page = |counter: &str, gauge: &str| {
            format!("# HELP a A.\n# TYPE a counter\na{{b=\"c\"}} {counter}\n# HELP d D.\n# TYPE d gauge\nd {gauge}\n")
        };
        let before = page("2", "1");
        for (after, expected) in [
            (before.clone(), true),
            (page("3", "1"), true),
            (page("1", "1"), false),
            (page("2", "2"), false),
            (page("3", "0"), false),
            (before.replace("\"c\"", "\"e\""), false),
            (before.replace("d 1\n", ""), false),
            (String::new(), false),
        ] {
            assert_eq!(is_unaffected(&before, &after), expected, "{after}");
        }
    }
}
