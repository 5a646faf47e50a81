//! Where samples come from: the exporter's own page, and pages of other exporters.

use std::sync::Arc;

use super::batch::{Batch, Batcher, Families, Identity};
use super::client::{Client, Outbound};
use crate::target::Address;
use collectors::host::kernel::clock;

/// Bytes of another exporter's page, at most.
const PAGE_MAX_BYTES: u64 = 32 << 20;

/// Makes the exporter's page.
pub type Collect = Arc<dyn Fn() -> String + Send + Sync>;

/// The result of a source at a tick.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Collected {
    /// Labels of the source.
    pub identity: Arc<Identity>,
    /// Its samples.
    pub batches: Vec<Batch>,
}

/// A page of another exporter: `--push.scrape`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScrapedPage {
    job: String,
    instance: String,
    url: String,
}

impl ScrapedPage {
    /// Reads `URL` or `JOB=URL`. The instance is the address; the job of a bare URL is the application's.
    pub fn parse(text: &str, job: &str) -> Result<Self, String> {
        let (job, url) = match text.split_once('=') {
            Some((given, url)) if !given.contains(['/', ':', '?']) => (given, url),
            _ => (job, text),
        };
        if job.is_empty() {
            return Err("expected a job before =".to_owned());
        }
        let Address { login, .. } = Address::parse(url)?;
        if login.is_some() {
            return Err("a login in the URL is not supported here".to_owned());
        }
        let rest = url.split_once("://").map_or("", |(_, rest)| rest);
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let instance = host.to_owned();
        let url = if rest.len() == host.len() { format!("{url}/metrics") } else { url.to_owned() };
        Ok(Self { job: job.to_owned(), instance, url })
    }

    fn collect(&self, client: &Client) -> String {
        let begin = clock::monotonic();
        let accept = [("Accept", "text/plain;version=0.0.4")];
        let request = Outbound { method: "GET", url: &self.url, headers: &accept, body: b"" };
        let answer = client.send(&request, Some(PAGE_MAX_BYTES)).ok().filter(|answer| answer.status == 200);
        let up = u8::from(answer.is_some());
        let mut page = answer.map_or(String::new(), |answer| String::from_utf8_lossy(&answer.body).into_owned());
        if !page.is_empty() && !page.ends_with('\n') {
            page.push('\n');
        }
        let seconds = clock::monotonic().saturating_sub(begin).as_secs_f64();
        page + &format!(
            "# HELP up 1 if the page of the instance was read.\n# TYPE up gauge\nup {up}\n\
             # HELP scrape_duration_seconds Time to read the page in seconds.\n\
             # TYPE scrape_duration_seconds gauge\nscrape_duration_seconds {seconds}\n"
        )
    }
}

/// The origin of pages.
#[derive(Clone)]
pub(super) enum Origin {
    Own(Collect),
    Other(ScrapedPage, Client),
}

/// A source with what is known of its last page.
pub(super) struct Source {
    identity: Arc<Identity>,
    origin: Origin,
    batcher: Batcher,
}

impl Source {
    pub(super) fn new(
        origin: Origin,
        job: &str,
        instance: &str,
        labels: &[(String, String)],
        families: &Families,
    ) -> Self {
        let batcher = Batcher::new(labels.to_vec(), families.clone());
        let identity = Arc::new(match &origin {
            Origin::Own(_) => Identity { job: job.to_owned(), instance: instance.to_owned(), is_own: true },
            Origin::Other(page, _) => {
                Identity { job: page.job.clone(), instance: page.instance.clone(), is_own: false }
            }
        });
        Self { identity, origin, batcher }
    }

    pub(super) fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// Goes on from where a source with the same labels was, so that series that ended are noticed.
    pub(super) fn succeed(&mut self, before: Self) {
        self.batcher.succeed(before.batcher);
    }

    /// Reads the page. The number of broken lines comes along.
    pub(super) fn page(&self) -> String {
        match &self.origin {
            Origin::Own(collect) => collect(),
            Origin::Other(page, client) => page.collect(client),
        }
    }

    /// Makes batches of a page; the number of broken lines comes along.
    pub(super) fn batches(&mut self, page: &str, timestamp: i64) -> (Collected, usize) {
        let (batches, broken) = self.batcher.batches(page, timestamp);
        (Collected { identity: Arc::clone(&self.identity), batches }, broken)
    }

    /// Stale markers of all series.
    pub(super) fn end(&mut self, timestamp: i64) -> Collected {
        Collected { identity: Arc::clone(&self.identity), batches: self.batcher.end(timestamp) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &str, &str)>) {
        let found = ScrapedPage::parse(text, "app").ok();
        let found = found.as_ref().map(|page| (page.job.as_str(), page.instance.as_str(), page.url.as_str()));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_page_has_a_job_and_an_address() {
        check("http://h:1", Some(("app", "h:1", "http://h:1/metrics")));
        check("http://h:1/x?a=b", Some(("app", "h:1", "http://h:1/x?a=b")));
        check("db=https://h/x", Some(("db", "h", "https://h/x")));
        for refused in ["h:1", "http://u:p@h:1", "=http://h", "db=h", "http://", ""] {
            check(refused, None);
        }
    }
}
