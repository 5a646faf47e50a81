//! In-process measurements: scrapes without a server, beside plain reads of the same files.

use std::collections::BTreeMap;
use std::io;

use collectors::host::root::Roots;
use collectors::kit::files::FILE_CAP_BYTES;
use collectors::kit::scraper::{Scraper, Selection};
use collectors::kit::testing::emitter;
use simulator::profiles;

use super::bench_host::BenchHost;
use super::measure::{median, medians, nanoseconds};
use super::report::{BenchRow, Bound, CollectorCost, SizeCost, Unit};
use super::{Effort, row};
use crate::allocations;
use crate::meter::MountPath;
use crate::meter::{Meter, Operation};
use crate::scrape_target::{self, ScrapeTarget};

/// Scrapes before the first measured one.
const WARM_UP_SCRAPES: usize = 3;
/// Number of samples of the small and the large page.
const ENCODED: [u64; 2] = [3_000, 1_000_000];

fn warm(scraper: &Scraper, page: &mut Vec<u8>) {
    (0..WARM_UP_SCRAPES).for_each(|_| scrape_target::scrape(scraper, page));
}

/// A scrape, beside a loop that reads the same files.
pub(super) fn against_plain_reads(figure: &'static str, most: f64, place: &BenchHost, effort: Effort) -> BenchRow {
    row(figure, Unit::Times, Bound::AtMost(most), || {
        let mut baseline = place.plain_reads(&place.asked(None)?);
        let (scraper, mut page) = (place.scraper(None, |roots| roots)?, Vec::new());
        warm(&scraper, &mut page);
        let read = baseline.read();
        let [scrape, loop_, ratio] = medians(effort.runs, || {
            let scrape = nanoseconds(effort.time, || scrape_target::scrape(&scraper, &mut page));
            let loop_ = nanoseconds(effort.time, || {
                baseline.read();
            });
            Ok([scrape, loop_, scrape / loop_])
        })?;
        let [scrape, loop_] = [scrape, loop_].map(|time| Unit::Nanoseconds.show(time));
        let (files, samples) = (read.files, scrape_target::samples(&page));
        Ok((ratio, format!("{scrape} for {samples} samples; {loop_} to open, read and close {files} files")))
    })
}

/// Time per encoded sample, for few and for many samples.
pub(super) fn encoding(effort: Effort) -> [BenchRow; 2] {
    ENCODED.map(|count| {
        let figure = if count == ENCODED[0] {
            "encoding a sample, 3,000 on the page"
        } else {
            "encoding a sample, 1,000,000 on the page"
        };
        row(figure, Unit::Nanoseconds, Bound::AtMost(25.0), || {
            let (scraper, mut page) = (emitter::scraper(count), Vec::new());
            warm(&scraper, &mut page);
            let [time] = medians(effort.runs, || {
                Ok([nanoseconds(effort.time, || scrape_target::scrape(&scraper, &mut page)) / count as f64])
            })?;
            Ok((time, format!("half integers, two labels, {} bytes per line", page.len() as u64 / count)))
        })
    })
}

/// Heap allocations of a steady scrape.
pub(super) fn allocating(figure: &'static str, place: &BenchHost) -> BenchRow {
    row(figure, Unit::Count, Bound::AtMost(0.0), || {
        let (scraper, mut page) = (place.scraper(None, |roots| roots)?, Vec::new());
        if !allocations::are_counted() {
            return Err(io::Error::other("this program does not count its allocations"));
        }
        let mut count = |selection: &Selection| {
            warm(&scraper, &mut page);
            let scrape = || {
                page.clear();
                drop(scraper.scrape(selection, |_| (), |_| (), &mut page));
            };
            let mut scrape = scrape;
            (0..WARM_UP_SCRAPES).map(|_| allocations::during(&mut scrape).count).min().unwrap_or(0)
        };
        let all = count(&scraper.all_but(&["textfile"]).map_err(io::Error::other)?);
        let mut by: Vec<String> = Vec::new();
        for name in scraper.enabled().filter(|name| all > 0 && *name != "textfile") {
            let own = count(&scraper.only(&[name]).map_err(io::Error::other)?);
            if own > 0 {
                by.push(format!("{name} {own}"));
            }
        }
        Ok((all as f64, by.join(", ")))
    })
}

/// Every default collector: its time and its reads on a host, beside plain reads of its files.
pub(super) fn collectors(place: &BenchHost, effort: Effort) -> io::Result<Vec<CollectorCost>> {
    let (scraper, mut page) = (place.scraper(None, |roots| roots)?, Vec::new());
    warm(&scraper, &mut page);
    // The part of a scrape's cost that no collector causes.
    let none = scraper.only(&[""; 0]).map_err(io::Error::other)?;
    let mut costs = Vec::new();
    for name in scraper.enabled() {
        let only = scraper.only(&[name]).map_err(io::Error::other)?;
        let asked = place.asked(Some(&[name]))?;
        let mut baseline = place.plain_reads(&asked);
        let mut samples = 0;
        let [time, floor_time] = medians(effort.runs, || {
            let without = nanoseconds(effort.short, || {
                page.clear();
                scraper.scrape(&none, |_| (), |_| (), &mut page);
            });
            let time = nanoseconds(effort.short, || {
                page.clear();
                let observe = |report: &collectors::kit::scraper::Report<'_>| samples = report.samples as u64;
                drop(scraper.scrape(&only, |_| (), observe, &mut page));
            });
            let floor_time = nanoseconds(effort.short, || {
                baseline.read();
            });
            Ok([(time - without).max(0.0), floor_time])
        })?;
        let reads = [Operation::Read, Operation::List, Operation::Link, Operation::Metadata]
            .map(|ask| asked.count(ask) as u64)
            .iter()
            .sum();
        costs.push(CollectorCost {
            name,
            reads,
            read_bytes: asked.read_bytes,
            samples,
            nanoseconds: time,
            baseline_nanoseconds: if baseline.files() == 0 { 0.0 } else { floor_time },
            ..CollectorCost::default()
        });
    }
    Ok(costs)
}

/// A host size: a profile, its settings, and the collectors enabled besides the default ones.
type Size = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

/// From a few hundred samples to more than a million.
const SIZES: &[Size] = &[
    ("vm", &[("cpus", "1")], &[]),
    ("laptop", &[], &[]),
    ("jbod60", &[], &[]),
    ("k8s-dense", &[], &[]),
    ("epyc256", &[], &[]),
    ("epyc256", &[("cpus", "64")], &["interrupts"]),
    ("epyc256", &[("cpus", "128")], &["interrupts"]),
    ("epyc256", &[], &["interrupts"]),
    ("absurd1152", &[], &["interrupts"]),
];

/// Cost of scrapes of hosts of growing size, in memory.
pub(super) fn sizes(effort: Effort) -> io::Result<Vec<SizeCost>> {
    let sizes = if effort.is_quick { &SIZES[..2] } else { SIZES };
    sizes.iter().map(|size| of_size(size, effort)).collect()
}

fn of_size(&(name, settings, enabled): &Size, effort: Effort) -> io::Result<SizeCost> {
    let profile = profiles().iter().find(|profile| profile.name == name);
    let profile = profile.ok_or_else(|| io::Error::other(format!("no profile `{name}`")))?;
    let target = ScrapeTarget::of(profile, settings)?;
    let mut meter = None;
    let metered = target.scraper_with(enabled, |roots| meter.insert(Meter::new(&roots)).roots())?;
    let mut page = Vec::new();
    scrape_target::scrape(&metered, &mut page);
    let asked = meter.map(|meter| meter.take()).unwrap_or_default();
    let files: Vec<&MountPath> = asked.files().collect();
    drop(metered);
    let (scraper, roots, mut content) = (target.scraper_with(enabled, |roots| roots)?, target.roots(), Vec::new());
    warm(&scraper, &mut page);
    let [time, baseline] = medians(effort.runs, || {
        let time = nanoseconds(effort.short, || scrape_target::scrape(&scraper, &mut page));
        Ok([time, nanoseconds(effort.short, || read(&roots, &files, &mut content))])
    })?;
    let words = settings
        .iter()
        .map(|(key, value)| format!(" {key}={value}"))
        .chain(enabled.iter().map(|name| format!(" +{name}")));
    Ok(SizeCost {
        host: words.fold(name.to_owned(), |host, word| host + &word),
        samples: scrape_target::samples(&page) as u64,
        page_bytes: page.len() as u64,
        nanoseconds: time,
        baseline_nanoseconds: baseline,
    })
}

/// Plain reads in memory: every file is read, nothing is parsed.
fn read(roots: &Roots, files: &[&MountPath], content: &mut Vec<u8>) {
    for file in files {
        // The files existed at the previous scrape of the same tree.
        let _ = roots.get(file.mount).read(&file.path, content, FILE_CAP_BYTES);
    }
}

/// Whether a sample costs as much on a large page as on a small one.
pub(super) fn linearity(sizes: &[SizeCost]) -> BenchRow {
    row("time per sample of absurd1152 with interrupts, beside epyc256", Unit::Times, Bound::AtMost(1.25), || {
        let by: BTreeMap<&str, &SizeCost> = sizes.iter().map(|size| (size.host.as_str(), size)).collect();
        let of = |host: &str| {
            let size = by.get(host).ok_or_else(|| io::Error::other("a quick run leaves the large hosts out"))?;
            Ok::<_, io::Error>((size.nanoseconds / size.samples.max(1) as f64, size.samples))
        };
        let ((small, fewer), (large, more)) = (of("epyc256 +interrupts")?, of("absurd1152 +interrupts")?);
        Ok((large / small, format!("{large:.1} ns each of {more}, and {small:.1} ns each of {fewer}")))
    })
}

/// Duration of each collector from its own metric: the median over several pages.
pub(super) fn durations(pages: &[Vec<u8>]) -> BTreeMap<String, f64> {
    let mut seconds: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let lines = pages.iter().flat_map(|page| page.split(|&byte| byte == b'\n')).filter_map(|line| {
        let line = std::str::from_utf8(line).ok()?;
        let (name, value) =
            line.strip_prefix("node_scrape_collector_duration_seconds{collector=\"")?.split_once("\"} ")?;
        Some((name.to_owned(), value.parse::<f64>().ok()?))
    });
    lines.for_each(|(name, value)| seconds.entry(name).or_default().push(value));
    seconds.into_iter().map(|(name, values)| (name, median(values))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_from_pages() {
        let page = |cpu: f64| {
            format!("# HELP x\nnode_scrape_collector_duration_seconds{{collector=\"cpu\"}} {cpu}\nnode_load1 1\n")
                .into_bytes()
        };
        let found = durations(&[page(0.5), page(0.25), page(0.125)]);
        assert_eq!(found, BTreeMap::from([("cpu".to_owned(), 0.25)]));
    }

    #[test]
    fn a_quick_run_in_memory_has_figures() {
        let sizes = sizes(Effort::QUICK).expect("sizes");
        assert!(
            sizes.iter().all(|size| size.samples > 100 && size.nanoseconds > size.baseline_nanoseconds),
            "{sizes:?}"
        );
        assert_eq!(linearity(&sizes).is_reached(), None);
    }
}
