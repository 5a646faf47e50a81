//! The status page at `/`: one HTML document without external resources or scripts.

mod words;

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use super::history::{CollectorHistory, Health, History};
use crate::version;
use words::{Escaped, Time, Uptime};

const STYLE: &str = include_str!("status/style.css");

/// Icon of the page: a pulse curve.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect \
     width='16' height='16' rx='4' fill='%23c2471f'/%3E%3Cpath d='M2 9h3l2-5 2 8 2-5 1 2h2' fill='none' stroke='white' \
     stroke-width='1.5'/%3E%3C/svg%3E";

/// Constant properties of the exporter.
#[derive(Clone, Default, Debug)]
pub struct About {
    /// The host's name.
    pub host: String,
    /// Whether the host is simulated.
    pub is_simulated: bool,
    /// Roots and their paths.
    pub roots: Vec<(&'static str, String)>,
    /// Flags whose values differ from their defaults.
    pub flags: Vec<String>,
}

/// A target of push.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PushedTarget {
    /// Its name, without secrets.
    pub name: String,
    /// Why the last attempt failed; `None` if it did not.
    pub failure: Option<String>,
    /// Whether it is paused.
    pub is_paused: bool,
    /// Time since the last delivery; `None` before the first one.
    pub delivered_ago: Option<Duration>,
    /// Samples delivered.
    pub samples: u64,
    /// Batches dropped.
    pub dropped: u64,
    /// Size of the queue in bytes.
    pub queue_bytes: u64,
}

/// Tells the targets of push, without waiting for any of them.
#[derive(Clone)]
pub struct PushedTargets(pub Arc<dyn Fn() -> Vec<PushedTarget> + Send + Sync>);

/// Content of the status page.
pub(super) struct Status<'a> {
    pub(super) about: &'a About,
    pub(super) history: &'a History,
    pub(super) telemetry_path: &'a str,
    pub(super) uptime: Duration,
    /// Current time of the clock of [`History::last_scrape`].
    pub(super) now: Duration,
    pub(super) targets: &'a [PushedTarget],
}

impl Status<'_> {
    /// Writes the page.
    pub(super) fn page(&self) -> String {
        let host = if self.about.host.is_empty() { "this host" } else { &self.about.host };
        let host = Escaped(host);
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <link rel=\"icon\" href=\"{ICON}\">\n<title>{host} · Node Exporter</title>\n<style>\n{STYLE}</style>\n\
             </head>\n<body>\n<main>\n<header>\n<p class=\"what\">Node Exporter {}</p>\n<h1>{host}</h1>\n",
            Escaped(version::VERSION)
        );
        self.push_summary(&mut page);
        let path = Escaped(self.telemetry_path);
        let _ = write!(
            page,
            "<nav><a class=\"first\" href=\"{path}\">Metrics</a><a href=\"/-/docs\">Documentation</a>\
             <a href=\"/-/healthy\">Healthy</a><a href=\"/-/ready\">Ready</a></nav>\n</header>\n"
        );
        self.push_facts(&mut page);
        self.push_targets(&mut page);
        self.push_collectors(&mut page);
        page.push_str("</main>\n</body>\n</html>\n");
        page
    }

    fn push_summary(&self, page: &mut String) {
        if self.about.is_simulated {
            page.push_str("<p class=\"simulated\">Simulated host: all values are generated.</p>\n");
        }
        let Some((ended, took)) = self.history.last_scrape else {
            page.push_str("<p class=\"state\">No scrape yet.</p>\n");
            return;
        };
        let failed = self.history.entries().filter(|entry| entry.health == Health::Failed).count();
        let noted = self.history.entries().filter(|entry| entry.health == Health::Noted).count();
        let (class, state) = match (failed, noted) {
            (0, 0) => ("well", "All collectors succeeded".to_owned()),
            (0, 1) => ("noted", "1 collector reported problems".to_owned()),
            (0, count) => ("noted", format!("{count} collectors reported problems")),
            (1, _) => ("failed", "1 collector failed".to_owned()),
            (count, _) => ("failed", format!("{count} collectors failed")),
        };
        let ago = Uptime(self.now.saturating_sub(ended));
        let _ = writeln!(
            page,
            "<p class=\"state {class}\"><strong>{state}</strong> <span>The last scrape took {} and ended {ago} ago.</span></p>",
            Time(took)
        );
    }

    fn push_facts(&self, page: &mut String) {
        page.push_str("<dl class=\"facts\">\n");
        let mut fact = |name: &str, values: &[String], class: &str| {
            let _ = write!(page, "<div{class}><dt>{name}</dt>");
            for value in values {
                let _ = write!(page, "<dd>{}</dd>", Escaped(value));
            }
            page.push_str("</div>\n");
        };
        fact("Uptime", &[Uptime(self.uptime).to_string()], "");
        fact("Scrapes", &[self.history.scrapes.to_string()], "");
        let samples: usize = self.history.entries().map(|entry| entry.samples).sum();
        fact("Samples", &[samples.to_string()], "");
        let compiler = version::COMPILER.replacen("rustc", "rustc ", 1);
        fact("Built by", &[compiler, format!("revision {}", version::REVISION)], "");
        let roots: Vec<_> = self.about.roots.iter().map(|(name, path)| format!("{name}: {path}")).collect();
        if !roots.is_empty() {
            fact("Roots", &roots, " class=\"code\"");
        }
        let none = ["all have their defaults".to_owned()];
        let (flags, class) =
            if self.about.flags.is_empty() { (&none[..], "") } else { (&*self.about.flags, " class=\"code wide\"") };
        fact("Flags", flags, class);
        page.push_str("</dl>\n");
    }

    fn push_targets(&self, page: &mut String) {
        if self.targets.is_empty() {
            return;
        }
        page.push_str("<h2>Push</h2>\n<table class=\"push\">\n<thead><tr><th>Target</th><th>Last delivery</th><th>Waits</th></tr></thead>\n<tbody>\n");
        for target in self.targets {
            let class = if target.failure.is_some() { "failed" } else { "well" };
            let delivered = match target.delivered_ago {
                _ if target.is_paused => "paused".to_owned(),
                Some(ago) => format!("{} ago, {} samples in all", Uptime(ago), target.samples),
                None => "none yet".to_owned(),
            };
            let waits = format!("{} kB", target.queue_bytes.div_ceil(1_000));
            let _ = write!(
                page,
                "<tr class=\"{class}\"><th scope=\"row\">{}</th><td>{delivered}</td><td>{waits}</td>",
                Escaped(&target.name)
            );
            let dropped = (target.dropped > 0).then(|| format!("{} batches dropped", target.dropped));
            let reasons: Vec<String> = target.failure.iter().cloned().chain(dropped).collect();
            if !reasons.is_empty() {
                let _ = write!(page, "<td class=\"reason\">{}</td>", Escaped(&reasons.join("; ")));
            }
            page.push_str("</tr>\n");
        }
        page.push_str("</tbody>\n</table>\n");
    }

    fn push_collectors(&self, page: &mut String) {
        let mut entries: Vec<(&CollectorHistory, Duration, Duration)> = self
            .history
            .entries()
            .map(|entry| {
                let (mean, longest) = entry.durations();
                (entry, mean, longest)
            })
            .collect();
        // Failed collectors first, then by duration.
        entries.sort_by_key(|(entry, mean, _)| (entry.health, std::cmp::Reverse(*mean), entry.declaration.name));
        let time_max = entries.iter().map(|(_, mean, _)| mean.as_secs_f64()).fold(0.0, f64::max);
        let samples_max = entries.iter().map(|(entry, ..)| entry.samples).max().unwrap_or(0);
        let count = entries.len();
        let enabled =
            if count == 1 { "1 collector is enabled".to_owned() } else { format!("{count} collectors are enabled") };
        let _ = write!(
            page,
            "<h2>{enabled}</h2>\n<table>\n<thead><tr><th>Collector</th><th>Time, mean of the last scrapes</th>\
             <th>Samples</th></tr></thead>\n<tbody>\n"
        );
        for (entry, mean, longest) in entries {
            let CollectorHistory { declaration, health, samples, .. } = entry;
            let reason = entry.reason();
            let (name, doc) = (declaration.name, Escaped(declaration.doc));
            let (class, path) = (health.class(), Escaped(self.telemetry_path));
            let _ = write!(
                page,
                "<tr class=\"{class}\"><th scope=\"row\"><a href=\"{path}?collect[]={name}\" title=\"{doc}\">{name}</a></th>"
            );
            let is_known = *health != Health::Unknown;
            let time = is_known.then(|| (Time(mean).to_string(), mean.as_secs_f64() / time_max));
            let tip = format!("longest: {}", Time(longest));
            push_bar(page, "time", time, &tip);
            let samples = is_known.then(|| (samples.to_string(), *samples as f64 / samples_max as f64));
            push_bar(page, "samples", samples, "");
            if !reason.is_empty() {
                let _ = write!(page, "<td class=\"reason\">{}</td>", Escaped(&reason));
            }
            page.push_str("</tr>\n");
        }
        page.push_str("</tbody>\n</table>\n");
    }
}

impl Health {
    const fn class(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Noted => "noted",
            Self::Well => "well",
            Self::NoData => "nothing",
            Self::Unknown => "unknown",
        }
    }
}

/// Appends a cell with a number and a bar, which shows its share of the largest one.
fn push_bar(page: &mut String, class: &str, value: Option<(String, f64)>, tip: &str) {
    let Some((text, share)) = value else {
        let _ = write!(page, "<td class=\"{class}\"><i></i><b>–</b></td>");
        return;
    };
    let percent = if share.is_finite() { (share * 100.0).clamp(0.0, 100.0) } else { 0.0 };
    let title = if tip.is_empty() { String::new() } else { format!(" title=\"{}\"", Escaped(tip)) };
    // Zero has no bar.
    let bar = if percent > 0.0 { format!("<u style=\"width:{percent:.1}%\"></u>") } else { String::new() };
    let _ = write!(page, "<td class=\"{class}\"{title}><i>{bar}</i><b>{text}</b></td>");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::tests::REGISTRATIONS;
    use collectors::kit::failure::{Failure, Problems};
    use collectors::kit::scraper::Report;

    fn page(about: &About, history: &History) -> String {
        page_with(about, history, &[])
    }

    fn page_with(about: &About, history: &History, targets: &[PushedTarget]) -> String {
        let second = Duration::from_secs(1);
        Status { about, history, telemetry_path: "/a\"<b>&", uptime: 90 * second, now: 8 * second, targets }.page()
    }

    #[test]
    fn targets_of_push_are_shown_with_what_is_wrong() {
        let fine = PushedTarget {
            name: "import=http://h:1".to_owned(),
            failure: None,
            is_paused: false,
            delivered_ago: Some(Duration::from_secs(5)),
            samples: 799,
            dropped: 0,
            queue_bytes: 4_001,
        };
        let broken = PushedTarget {
            name: "<x>".to_owned(),
            failure: Some("status 503: <why>".to_owned()),
            delivered_ago: None,
            dropped: 2,
            ..fine.clone()
        };
        let paused = PushedTarget { is_paused: true, ..fine.clone() };
        let page = page_with(&About::default(), &history(), &[fine, broken, paused]);
        check(&page, &["<h2>Push</h2>", ">5 s ago, 799 samples in all</td><td>5 kB</td>", "<td>paused</td>"]);
        check(&page, &["<tr class=\"failed\"><th scope=\"row\">&lt;x&gt;</th><td>none yet</td>"]);
        check(&page, &["<td class=\"reason\">status 503: &lt;why&gt;; 2 batches dropped</td>"]);
    }

    fn history() -> History {
        History::new(REGISTRATIONS.iter().map(|registration| registration.declaration))
    }

    #[track_caller]
    fn check(page: &str, expected: &[&str]) {
        for expected in expected {
            assert!(page.contains(expected), "{expected}\nis not in\n{page}");
        }
    }

    #[test]
    fn the_page_before_the_first_scrape_is_complete() {
        let page = page(&About::default(), &history());
        check(&page, &["<h1>this host</h1>", "No scrape yet.", ">2 collectors are enabled<", "1 min 30 s"]);
        check(&page, &["href=\"/a&quot;&lt;b&gt;&amp;?collect[]=example\" title=\"An example.\">example</a>"]);
        assert!(!page.contains("<b>&") && !page.contains("<script"), "{page}");
    }

    #[test]
    fn failed_collectors_come_first_with_their_reasons() {
        let mut history = history();
        let problems = Problems::default();
        let failure = Failure::error("<late>");
        let report = |collector, milliseconds, failure, samples| Report {
            collector,
            duration: Duration::from_millis(milliseconds),
            failure,
            problems: &problems,
            samples,
            is_late: false,
        };
        history.note(&report("example", 8, None, 40), Duration::ZERO);
        history.note(&report("quiet", 2, Some(&failure), 10), Duration::ZERO);
        history.last_scrape = Some((Duration::from_secs(3), Duration::from_millis(11)));
        history.scrapes = 7;
        let about = About {
            host: "<web-1>".to_owned(),
            is_simulated: true,
            roots: vec![("proc", "/host/proc".to_owned())],
            flags: vec!["--collector.quiet".to_owned()],
        };
        let page = page(&about, &history);
        check(
            &page,
            &["<h1>&lt;web-1&gt;</h1>", "Simulated host", "<dd>proc: /host/proc</dd>", "<dd>--collector.quiet</dd>"],
        );
        check(
            &page,
            &["<strong>1 collector failed</strong>", "took 11.0 ms and ended 5 s ago", "<dd>7</dd>", "<dd>50</dd>"],
        );
        check(
            &page,
            &["width:25.0%\"></u></i><b>2.00 ms</b>", "width:100.0%\"></u></i><b>40</b>", ">&lt;late&gt;</td>"],
        );
        assert!(page.find("]=quiet\"") < page.find("]=example\""), "{page}");
    }

    #[test]
    fn the_page_refers_to_no_external_resource() {
        let page = page(&About::default(), &history()).replace("xmlns='http://www.w3.org/2000/svg'", "");
        for outside in ["://", "src=", "url(", "@import"] {
            assert!(!page.contains(outside), "{outside} is in {page}");
        }
    }
}
