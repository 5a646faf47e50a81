//! Cost of our exporter's process besides a scrape: start time, binary size, memory.

use std::io;
use std::time::Duration;

use collectors::host::kernel::clock;

use super::bench_host::BenchHost;
use super::client::{Client, Coding};
use super::measure::median;
use super::process::{Memory, memory};
use super::report::{BenchRow, Bound, Unit};
use super::{Plan, row};
use crate::load;
use crate::peer::Peer;
use crate::scrape_target;

/// Maximum time from start to the first answer.
const START_MAX: Duration = Duration::from_secs(10);
/// Interval between connection attempts meanwhile.
const START_POLL: Duration = Duration::from_micros(200);
/// Maximum ratio of memory after all scrapes to memory after a tenth of them.
const GROWTH_MAX: f64 = 1.05;

pub(super) fn rows(plan: &Plan, live: &BenchHost, tree: &BenchHost, tell: &mut dyn FnMut(&str)) -> Vec<BenchRow> {
    tell("start, size and memory of our exporter");
    let many = plan.effort.many_scrapes;
    let of_tree = ["resident after 1,000 scrapes of a directory", "growth from 100 to 1,000 scrapes of a directory"];
    let of_live = ["resident after 10,000 live scrapes", "growth from 1,000 to 10,000 live scrapes"];
    let mut rows = Vec::from(resident(of_tree, plan, tree, many / 10));
    rows.extend(resident(of_live, plan, live, many));
    rows.extend([
        row("start to first answered scrape, live", Unit::Nanoseconds, Bound::AtMost(8e6), || start(plan, live)),
        row("the exporter's binary", Unit::Bytes, Bound::AtMost(6e6), || {
            Ok((
                load::size_bytes(&plan.exporter)? as f64,
                "stripped; cargo build --profile dist makes the smallest one".to_owned(),
            ))
        }),
    ]);
    for (figure, host) in [
        ("peak resident of epyc256 with interrupts, beside its page", "epyc256"),
        ("peak resident of absurd1152 with interrupts, beside its page", "absurd1152"),
    ] {
        tell(figure);
        rows.push(row(figure, Unit::Times, Bound::AtMost(2.0), || peak(plan, host)));
    }
    rows
}

/// Resident memory after all scrapes, and its ratio to that after a tenth of them.
fn resident([figure, growth]: [&'static str; 2], plan: &Plan, place: &BenchHost, scrapes: u32) -> [BenchRow; 2] {
    let early_scrapes = (scrapes / 10).max(1);
    let measure = || -> io::Result<[Memory; 2]> {
        let exporter = Peer::start(&plan.exporter, &place.flags())?;
        let mut client = Client::connect(exporter.address(), Coding::Gzip)?;
        let mut after = |scrapes: u32| {
            (0..scrapes).try_for_each(|_| client.scrape().map(drop))?;
            memory(exporter.id())
        };
        Ok([after(early_scrapes)?, after(scrapes - early_scrapes)?])
    };
    let show = |bytes: u64| Unit::Bytes.show(bytes as f64);
    let measured = measure().map_err(|error| error.to_string());
    let found = || measured.as_ref().map_err(|error| io::Error::other(error.clone()));
    [
        row(figure, Unit::Bytes, Bound::AtMost(6e6), || {
            let [_, late] = found()?;
            Ok((late.resident_bytes as f64, format!("{scrapes} scrapes; at most {}", show(late.peak_bytes))))
        }),
        row(growth, Unit::Times, Bound::AtMost(GROWTH_MAX), || {
            let [early, late] = found()?.map(|memory: Memory| memory.resident_bytes);
            Ok((late as f64 / early as f64, format!("{} and {}", show(early), show(late))))
        }),
    ]
}

/// From the start of the process to the end of the first page.
fn start(plan: &Plan, place: &BenchHost) -> io::Result<(f64, String)> {
    let mut times = Vec::new();
    for _ in 0..plan.effort.runs {
        let (begin, address) = (clock::monotonic(), crate::peer::free_address()?);
        let _exporter = Peer::spawn(&plan.exporter, &place.flags(), address)?;
        loop {
            let page = Client::connect(address, Coding::Gzip).and_then(|mut client| client.scrape().map(<[u8]>::len));
            let passed = clock::monotonic().saturating_sub(begin);
            match page {
                Ok(_) => {
                    times.push(passed.as_nanos() as f64);
                    break;
                }
                Err(error) if passed > START_MAX => return Err(error),
                Err(_) => load::wait(START_POLL),
            }
        }
    }
    let (least, most) =
        times.iter().fold((f64::INFINITY, 0_f64), |(least, most), time| (least.min(*time), most.max(*time)));
    let show = |time| Unit::Nanoseconds.show(time);
    Ok((median(times.iter().copied()), format!("elapsed time, from {} to {}", show(least), show(most))))
}

/// Peak memory of an exporter that serves a simulated host, beside the size of its page.
fn peak(plan: &Plan, host: &str) -> io::Result<(f64, String)> {
    if plan.effort.is_quick {
        return Err(io::Error::other("a quick run leaves the large hosts out"));
    }
    let flags =
        [format!("--simulate={host}"), "--collector.interrupts".to_owned(), "--web.scrape-timeout=60s".to_owned()];
    let exporter = Peer::start(&plan.exporter, &flags)?;
    let idle = memory(exporter.id())?;
    let mut client = Client::connect(exporter.address(), Coding::Identity)?;
    client.scrape()?;
    let page = client.scrape()?;
    let (page_bytes, samples) = (page.len() as f64, scrape_target::samples(page));
    let peak = memory(exporter.id())?.peak_bytes as f64;
    let show = |bytes: f64| Unit::Bytes.show(bytes);
    let words = format!(
        "{} for a page of {} with {samples} samples; {} before the first scrape; its simulated host included",
        show(peak),
        show(page_bytes),
        show(idle.resident_bytes as f64)
    );
    Ok((peak / page_bytes, words))
}
