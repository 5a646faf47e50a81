//! An exporter of another project, tested without a node: `cargo test -p harness --example own_exporter`.
#![expect(clippy::unwrap_used, reason = "names and buckets are written here, and are sound")]
use std::sync::Arc;

use collectors::host::{kernel::Kernel, kernel::canned::Canned, root::Mount, root::Roots, root::tree::Tree};
use harness::property::{Exporter, Opened};
use node_exporter::summary::{Summary, SummaryOpts};
use prometheus::{Counter, Gauge, Histogram, HistogramOpts, Registry, TextEncoder};

/// Exports `/proc/jobs`, which has a line per finished job: its number and its waiting time in milliseconds.
struct Jobs;

impl Exporter for Jobs {
    fn name(&self) -> &'static str {
        "jobs"
    }
    fn reads(&self) -> Vec<String> {
        vec!["proc/jobs".to_owned()]
    }
    fn families(&self) -> Vec<String> {
        vec!["jobs_*".to_owned()]
    }
    fn open(&self, roots: Roots, _: Arc<dyn Kernel>) -> Opened {
        let registry = Registry::new();
        let done = Counter::new("jobs_done_total", "Jobs finished.").unwrap();
        let last = Gauge::new("jobs_last_number", "Number of the last job.").unwrap();
        let buckets = HistogramOpts::new("jobs_wait_seconds", "Waiting time of jobs.").buckets(vec![0.1, 1.0]);
        let waits = Histogram::with_opts(buckets).unwrap();
        let lately = SummaryOpts::new("jobs_wait_recent_seconds", "Waiting time of recent jobs.").quantiles([0.5]);
        let lately = Summary::with_opts(lately).unwrap();
        registry.register(Box::new(done.clone())).unwrap();
        registry.register(Box::new(last.clone())).unwrap();
        registry.register(Box::new(waits.clone())).unwrap();
        registry.register(Box::new(lately.clone())).unwrap();
        let (mut content, mut newest) = (Vec::new(), 0);
        Box::new(move || {
            let _ = roots.get(Mount::Proc).read(b"jobs", &mut content, 1 << 20);
            // A last line without a newline may be truncated.
            for line in
                String::from_utf8_lossy(&content).split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'))
            {
                let Some((number, wait)) = line.split_once(' ') else { continue };
                let (Ok(number), Ok(wait)) = (number.parse::<u32>(), wait.parse::<u16>()) else { continue };
                if number == newest + 1 {
                    newest = number;
                    done.inc();
                    last.set(f64::from(number));
                    waits.observe(f64::from(wait) / 1000.0);
                    lately.observe(f64::from(wait) / 1000.0);
                }
            }
            TextEncoder::new().encode_to_string(&registry.gather()).unwrap().into_bytes()
        })
    }
}

fn host() -> (Roots, Arc<dyn Kernel>) {
    let tree = Tree::new().with_file("proc/jobs", "1 50\n2 700\n3 2000\n");
    (Arc::new(tree).roots(), Arc::new(Canned::default()))
}

fn main() {
    let (roots, kernel) = host();
    print!("{}", String::from_utf8_lossy(&Jobs.open(roots, kernel)()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use harness::property::{asks_once, check_on, contained, matrix};

    #[test]
    fn the_exporter_keeps_every_law() {
        let (roots, kernel) = host();
        check_on(&Jobs, &roots, &kernel).and_then(|()| asks_once(&Jobs, &roots, &kernel)).unwrap();
        insta::assert_snapshot!("page", String::from_utf8_lossy(&Jobs.open(roots.clone(), kernel.clone())()));
        insta::assert_snapshot!("faults", matrix(&Jobs, &roots, &kernel).unwrap());
        contained(&Jobs).unwrap_err(); // A registry exports its zero values on an empty host, too.
    }
}
