//! Metrics of the exporter's own process, with the usual names of Prometheus clients.
//!
//! They are always read from the real /proc, independent of `--path.procfs` and of simulated hosts.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

use procfs::FromRead;
use procfs::process::Stat;
use prometheus::core::{Collector, Desc};
use prometheus::proto::{Counter, Gauge, Metric, MetricFamily, MetricType};
use rustix::process::{Resource, getrlimit};

/// Maximum size of files: /proc/PID/stat has about 300 bytes and /proc/PID/net/netstat about 4 kB.
const FILE_MAX_BYTES: usize = 16 << 10;

/// Families in the order of [`Process::read`].
const FAMILIES: [(&str, MetricType, &str); 9] = [
    ("process_cpu_seconds_total", MetricType::COUNTER, "CPU time of the exporter in user and kernel mode, in seconds."),
    ("process_resident_memory_bytes", MetricType::GAUGE, "Resident memory of the exporter in bytes."),
    ("process_virtual_memory_bytes", MetricType::GAUGE, "Virtual memory of the exporter in bytes."),
    ("process_virtual_memory_max_bytes", MetricType::GAUGE, "Maximum virtual memory of the exporter in bytes."),
    ("process_open_fds", MetricType::GAUGE, "Open file descriptors of the exporter."),
    ("process_max_fds", MetricType::GAUGE, "Maximum number of open file descriptors of the exporter."),
    ("process_start_time_seconds", MetricType::GAUGE, "Start time of the exporter in seconds since 1970."),
    (
        "process_network_receive_bytes_total",
        MetricType::COUNTER,
        "Bytes received by IP in the network namespace of the exporter.",
    ),
    (
        "process_network_transmit_bytes_total",
        MetricType::COUNTER,
        "Bytes sent by IP in the network namespace of the exporter.",
    ),
];

/// Reader of the metrics of this process.
#[derive(Debug)]
pub(super) struct Process {
    descriptions: Vec<Desc>,
    /// Start time, computed once, because the boot time needs a read of the whole /proc/stat.
    start_seconds: Option<f64>,
    /// Open files, which are read again from the beginning.
    stat: Option<File>,
    netstat: Option<File>,
}

impl Process {
    pub(super) fn new() -> Result<Self, prometheus::Error> {
        let describe = |(name, _, help): &(&str, _, &str)| {
            Desc::new((*name).to_owned(), (*help).to_owned(), Vec::new(), HashMap::new())
        };
        let own = procfs::process::Process::myself().ok();
        let open = |path| own.as_ref().and_then(|own| own.open_relative(path).ok());
        let boot_seconds = procfs::boot_time_secs().ok();
        let started = own.as_ref().and_then(|own| own.stat().ok());
        let start_seconds = started.zip(boot_seconds).map(|(stat, boot)| boot as f64 + seconds(stat.starttime));
        let descriptions = FAMILIES.iter().map(describe).collect::<Result<_, _>>()?;
        Ok(Self { descriptions, start_seconds, stat: open("stat"), netstat: open("net/netstat") })
    }

    /// Reads the values; `None` for unreadable ones.
    fn read(&self) -> [Option<f64>; FAMILIES.len()] {
        let mut space = [0; FILE_MAX_BYTES];
        let stat = self.stat.as_ref().and_then(|file| Stat::from_read(whole(file, &mut space)?).ok());
        let space = &mut space;
        let netstat = self.netstat.as_ref().and_then(move |file| std::str::from_utf8(whole(file, space)?).ok());
        let octets = |name| netstat.and_then(|text| octets(text, name));
        [
            stat.as_ref().map(|stat| seconds(stat.utime.saturating_add(stat.stime))),
            stat.as_ref().map(|stat| stat.rss.saturating_mul(procfs::page_size()) as f64),
            stat.as_ref().map(|stat| stat.vsize as f64),
            Some(limit(getrlimit(Resource::As).current)),
            descriptors().map(|count| count as f64),
            Some(limit(getrlimit(Resource::Nofile).current)),
            self.start_seconds,
            octets("InOctets"),
            octets("OutOctets"),
        ]
    }
}

/// The content of the file; `None` if it does not fit into the buffer.
fn whole<'a>(file: &File, space: &'a mut [u8; FILE_MAX_BYTES]) -> Option<&'a [u8]> {
    loop {
        match file.read_at(space, 0) {
            // The kernel renders both files as one piece: a short read has all of it.
            Ok(length) => return space.get(..length).filter(|content| content.len() < FILE_MAX_BYTES),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

/// Number of open descriptors. Since 6.2, kernels report it as the size of the directory.
fn descriptors() -> Option<u64> {
    let told = rustix::fs::stat("/proc/self/fd").ok().and_then(|stat| u64::try_from(stat.st_size).ok());
    let counted = || procfs::process::Process::myself().and_then(|own| own.fd_count()).ok().map(|count| count as u64);
    told.filter(|count| *count > 0).or_else(counted)
}

impl Collector for Process {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let values = FAMILIES.into_iter().zip(self.read());
        values.filter_map(|(family, value)| Some(made(family, value?))).collect()
    }
}

fn made((name, kind, help): (&str, MetricType, &str), value: f64) -> MetricFamily {
    let mut metric = Metric::default();
    if kind == MetricType::COUNTER {
        let mut counter = Counter::default();
        counter.set_value(value);
        metric.set_counter(counter);
    } else {
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        metric.set_gauge(gauge);
    }
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(vec![metric]);
    family
}

fn seconds(ticks: u64) -> f64 {
    ticks as f64 / procfs::ticks_per_second() as f64
}

/// A limit; the largest number without one, as in other clients.
fn limit(limit: Option<u64>) -> f64 {
    limit.unwrap_or(u64::MAX) as f64
}

/// A number of the two `IpExt` lines, of which the first has the names and the second the numbers.
fn octets(netstat: &str, name: &str) -> Option<f64> {
    let mut lines = netstat.lines().filter(|line| line.starts_with("IpExt:"));
    let (names, values) = (lines.next()?, lines.next()?);
    let at = names.split_ascii_whitespace().position(|found| found == name)?;
    values.split_ascii_whitespace().nth(at)?.parse::<u64>().ok().map(|octets| octets as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_found_by_name() {
        let text = "TcpExt: InOctets\nTcpExt: 1\nIpExt: InNoRoutes InOctets OutOctets\nIpExt: 2 3 x\n";
        assert_eq!(octets(text, "InOctets"), Some(3.0));
        assert_eq!(octets(text, "OutOctets"), None);
        assert_eq!(octets(text, "InMcastPkts"), None);
        assert_eq!(octets("IpExt: InOctets\n", "InOctets"), None);
        assert_eq!(octets("", "InOctets"), None);
    }

    #[test]
    fn an_unlimited_value_is_the_largest_number() {
        assert_eq!(limit(None).to_string(), "18446744073709552000");
        assert_eq!(limit(Some(1024)).to_string(), "1024");
    }

    #[test]
    fn metrics_of_this_process_are_read() {
        let process = Process::new().unwrap();
        let [cpu, resident, size, _, files, files_max, start, ..] = process.read();
        assert!(cpu.unwrap() >= 0.0 && resident.unwrap() > 4096.0 && size.unwrap() > resident.unwrap());
        assert!(files.unwrap() >= 3.0 && files.unwrap() <= files_max.unwrap());
        assert!(start.unwrap() > 1.7e9, "{start:?}");
        let families = process.collect();
        let is_counter = |family: &MetricFamily| family.get_field_type() == MetricType::COUNTER;
        assert!(families.iter().all(|family| is_counter(family) == family.name().ends_with("_total")));
    }
}
