//! Our exporter and another one as processes on loopback, scraped in turns as Prometheus does.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use collectors::ALL;

use super::bench_host::BenchHost;
use super::client::{Client, Coding, run_clients};
use super::measure::medians;
use super::process::{Counter, cpu_time, memory};
use super::report::{BenchRow, Bound, Unit};
use super::{Plan, inner, row};
use crate::peer::{self, Peer};
use crate::scrape_target;

/// Scrapes before the first measured one: Go's heap and our buffers reach their size.
const WARM_UP_SCRAPES: u32 = 5;
/// Number of parallel clients.
const CLIENTS: usize = 40;
/// The perf event to count.
const INSTRUCTIONS: &str = "instructions";

/// Cost of a scrape of one exporter, in instructions or in nanoseconds of CPU time.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Cost {
    packed: f64,
    plain: f64,
    packed_bytes: f64,
    page_bytes: f64,
    samples: usize,
}

impl Cost {
    /// The cost of compression alone.
    fn packing(self) -> f64 {
        (self.packed - self.plain).max(0.0)
    }
}

/// Costs of one scrape; both exporters are measured in turns.
pub(super) fn costs(
    plan: &Plan,
    peer: &Path,
    live: &BenchHost,
    tree: &BenchHost,
    tell: &mut dyn FnMut(&str),
) -> Vec<BenchRow> {
    let figures = [
        (live, "a scrape with gzip over HTTP, live, beside the peer's", 0.1),
        (tree, "a scrape with gzip over HTTP of a directory, beside the peer's", 1.0 / 12.0),
    ];
    let mut rows = Vec::new();
    let mut last = Err(io::Error::other("nothing was measured"));
    for (place, figure, most) in figures {
        tell(figure);
        last = both(plan, peer, place);
        rows.push(row(figure, Unit::Times, Bound::AtMost(most), || {
            let (unit, ours, theirs) = last.as_ref().map_err(again)?;
            let show = |cost: f64| show(unit, cost);
            let words = format!(
                "{} for {} samples, {} for {}; {}",
                show(ours.packed),
                ours.samples,
                show(theirs.packed),
                theirs.samples,
                place.name
            );
            Ok((ours.packed / theirs.packed, words))
        }));
    }
    rows.push(row("gzip of the page of a directory, beside the peer's", Unit::Times, Bound::AtMost(0.2), || {
        let (unit, ours, theirs) = last.as_ref().map_err(again)?;
        let words = format!("{} and {}", show(unit, ours.packing()), show(unit, theirs.packing()));
        Ok((ours.packing() / theirs.packing(), words))
    }));
    rows.push(row("size of the page after gzip, beside the peer's", Unit::Times, Bound::AtMost(1.1), || {
        let (_, ours, theirs) = last.as_ref().map_err(again)?;
        let share = |cost: &Cost| cost.packed_bytes / cost.page_bytes;
        let words = format!(
            "{:.1} % of {} and {:.1} % of {}",
            share(ours) * 100.0,
            Unit::Bytes.show(ours.page_bytes),
            share(theirs) * 100.0,
            Unit::Bytes.show(theirs.page_bytes)
        );
        Ok((share(ours) / share(theirs), words))
    }));
    rows
}

fn again(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

fn show(unit: &str, cost: f64) -> String {
    if unit == INSTRUCTIONS { format!("{:.2} M instructions", cost / 1e6) } else { Unit::Nanoseconds.show(cost) }
}

/// The unit of both costs, ours and the peer's.
fn both(plan: &Plan, peer: &Path, place: &BenchHost) -> io::Result<(&'static str, Cost, Cost)> {
    let flags = flags(peer, place)?;
    let exporters = [Peer::start(&plan.exporter, &flags)?, Peer::start(peer, &flags)?];
    let is_counted = {
        let counter = Counter::start(std::process::id(), INSTRUCTIONS);
        counter.and_then(Counter::stop).is_some_and(|count| count > 0.0)
    };
    let mut costs = [Cost::default(), Cost::default()];
    let mut connections = Vec::new();
    for (exporter, cost) in exporters.iter().zip(&mut costs) {
        let mut packed = Client::connect(exporter.address(), Coding::Gzip)?;
        let mut plain = Client::connect(exporter.address(), Coding::Identity)?;
        for _ in 0..WARM_UP_SCRAPES {
            cost.packed_bytes = packed.scrape()?.len() as f64;
            let page = plain.scrape()?;
            (cost.page_bytes, cost.samples) = (page.len() as f64, scrape_target::samples(page));
        }
        connections.push((exporter.id(), [packed, plain]));
    }
    let scrapes = plan.effort.scrapes;
    let found: [f64; 4] = medians(plan.effort.runs, || {
        let mut run = [0.0; 4];
        let clients = connections.iter_mut().flat_map(|(id, clients)| clients.iter_mut().map(|client| (*id, client)));
        for ((id, client), found) in clients.zip(&mut run) {
            let counter = if is_counted { Counter::start(id, INSTRUCTIONS) } else { None };
            let before = cpu_time(id)?;
            for _ in 0..scrapes {
                client.scrape()?;
            }
            let spent = cpu_time(id)?.saturating_sub(before).as_nanos() as f64;
            *found = counter.and_then(Counter::stop).unwrap_or(spent) / f64::from(scrapes);
        }
        Ok(run)
    })?;
    let [mut ours, mut theirs] = costs;
    [ours.packed, ours.plain, theirs.packed, theirs.plain] = found;
    Ok((if is_counted { INSTRUCTIONS } else { "nanoseconds" }, ours, theirs))
}

/// Throughput and memory under parallel clients.
pub(super) fn parallel_clients(
    plan: &Plan,
    peer: &Path,
    live: &BenchHost,
    tell: &mut dyn FnMut(&str),
) -> [BenchRow; 2] {
    tell("many clients at once");
    let of = |program: &Path| -> io::Result<_> {
        let exporter = Peer::start(program, &flags(peer, live)?)?;
        let got = run_clients(exporter.address(), CLIENTS, plan.effort.parallel_time)?;
        Ok((got, memory(exporter.id())?.peak_bytes as f64))
    };
    let (ours, theirs) = (of(&plan.exporter), of(peer));
    let rate = || {
        let ((ours, _), (theirs, _)) = (ours.as_ref().map_err(again)?, theirs.as_ref().map_err(again)?);
        let words = format!(
            "{:.0} pages a second and {:.0}; {} and {} failed",
            ours.pages_per_second, theirs.pages_per_second, ours.failed, theirs.failed
        );
        Ok((ours.pages_per_second / theirs.pages_per_second, words))
    };
    let resident = || {
        let ((_, ours), (_, theirs)) = (ours.as_ref().map_err(again)?, theirs.as_ref().map_err(again)?);
        Ok((*ours, format!("at most, and the peer {}", Unit::Bytes.show(*theirs))))
    };
    [
        row("pages for 40 parallel clients, live, beside the peer's", Unit::Times, Bound::AtLeast(10.0), rate),
        row("resident under 40 parallel clients, live", Unit::Bytes, Bound::AtMost(12e6), resident),
    ]
}

/// Duration of each collector of the peer on a host, in seconds, from its own metrics.
pub(super) fn durations(plan: &Plan, peer: &Path, place: &BenchHost) -> io::Result<BTreeMap<String, f64>> {
    let exporter = Peer::start(peer, &flags(peer, place)?)?;
    let mut client = Client::connect(exporter.address(), Coding::Identity)?;
    let pages = (0..WARM_UP_SCRAPES + plan.effort.scrapes).map(|_| client.scrape().map(<[u8]>::to_vec));
    let pages = pages.collect::<io::Result<Vec<_>>>()?;
    Ok(inner::durations(&pages))
}

/// Flags for both exporters: the host, and the collectors that both have and enable by default.
fn flags(peer: &Path, place: &BenchHost) -> io::Result<Vec<String>> {
    let of_theirs = on_by_default(&peer::help(peer)?);
    let mut flags = place.flags();
    flags.push("--collector.disable-defaults".to_owned());
    let ours = ALL.iter().map(|registration| registration.declaration).filter(|declaration| declaration.is_enabled);
    flags.extend(
        ours.filter(|ours| of_theirs.contains(ours.name))
            .map(|declaration| format!("--collector.{}", declaration.name)),
    );
    Ok(flags)
}

/// Collectors that a help text lists as enabled by default. The text wraps anywhere.
fn on_by_default(help: &str) -> BTreeSet<String> {
    let flat = help.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let flags = flat.split(" --").filter(|flag| flag.contains("(default: enabled)"));
    let names = flags.filter_map(|flag| {
        let name = flag.split(' ').next()?;
        name.strip_prefix("[no-]").unwrap_or(name).strip_prefix("collector.").map(str::to_owned)
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_collectors_are_read_from_the_help() {
        let help = "Flags:\n  --collector.arp.x=Y  \n    Not it.\n  --collector.bonding   Enable the bonding\n     collector (default:\n     enabled).\n \
                    --[no-]collector.cpu  Enable it (default: enabled).\n --collector.drbd  Enable it (default: disabled).\n";
        assert_eq!(on_by_default(help).into_iter().collect::<Vec<_>>(), ["bonding", "cpu"]);
    }
}
