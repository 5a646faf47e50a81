//! Connections and backends of the kernel's load balancer, from /proc/net/ip_vs_stats and ip_vs.

mod table;

use std::io::Write as _;

use crate::declare;
use crate::host::root::RootError;
use crate::kit::family::{Counter, Family};
use crate::kit::parse::Hexadecimal;
use crate::kit::prelude::*;
use table::{Backend, Label};

/// What the load balancer passed on, and to whom.
#[derive(Debug)]
pub struct Ipvs {
    /// Which labels backends have; those that are not wanted are summed over.
    wanted: [bool; Label::ALL.len()],
    sums: Vec<Sum>,
    labels: Vec<u8>,
    row: Vec<u8>,
}

declare! {
    Ipvs: "ipvs", on, "What the kernel's load balancer passed on, and how busy its backends are.";
    reads {
        STATISTICS: File Proc "net/ip_vs_stats";
        BACKENDS: File Proc "net/ip_vs";
    }
    flags {
        LABELS: Text "collector.ipvs.backend-labels" = "local_address,local_port,remote_address,remote_port,proto,local_mark",
            "Labels of the backends, separated by commas. Backends that differ in no other label are summed.";
    }
    families {
        ACTIVE: Gauge "node_ipvs_backend_connections_active" ["local_address", "local_mark", "local_port", "proto", "remote_address", "remote_port"] "Connections of a backend that are active.";
        INACTIVE: Gauge "node_ipvs_backend_connections_inactive" ["local_address", "local_mark", "local_port", "proto", "remote_address", "remote_port"] "Connections of a backend that are not active any more.";
        WEIGHT: Gauge "node_ipvs_backend_weight" ["local_address", "local_mark", "local_port", "proto", "remote_address", "remote_port"] "Weight of a backend.";
        CONNECTIONS: Counter "node_ipvs_connections_total" [] "Connections that were balanced.";
        INCOMING_BYTES: Counter "node_ipvs_incoming_bytes_total" [] "Bytes that came in.";
        INCOMING_PACKETS: Counter "node_ipvs_incoming_packets_total" [] "Packets that came in.";
        OUTGOING_BYTES: Counter "node_ipvs_outgoing_bytes_total" [] "Bytes that went out.";
        OUTGOING_PACKETS: Counter "node_ipvs_outgoing_packets_total" [] "Packets that went out.";
    }
}

/// What the columns of the totals count.
const TOTALS: [Family<Ipvs, Counter, crate::kit::family::Unnamed<0>>; 5] =
    [CONNECTIONS, INCOMING_PACKETS, OUTGOING_PACKETS, INCOMING_BYTES, OUTGOING_BYTES];

/// Backends that have the same wanted labels.
#[derive(Clone, Copy, Debug)]
struct Sum {
    /// Where its labels end in the list of all, each ended by a NUL.
    labels: [usize; 2],
    counts: table::Counts,
}

impl Collect for Ipvs {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        let wanted = wanted(options.get(LABELS)).map_err(|error| format!("--{}: {error}", LABELS.info().name))?;
        Ok(Self { wanted, sums: Vec::new(), labels: Vec::new(), row: Vec::new() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        // A host without the module lacks the file.
        let text = cx.files.read(STATISTICS, []).map_err(|error| error.or_no_data(RootError::is_missing))?;
        match totals(text) {
            Ok(totals) => {
                for (family, total) in TOTALS.into_iter().zip(totals) {
                    if let Some(Hexadecimal(total)) = cx.problems.value(total) {
                        cx.page.counter(family, [], total);
                    }
                }
            }
            Err(error) => cx.problems.report(error),
        }
        self.sums.clear();
        self.labels.clear();
        let sums_over = self.wanted.contains(&false);
        for backend in table::backends(cx.files.read(BACKENDS, [])?) {
            match backend {
                Ok(backend) => self.add(&backend),
                // A sum over fewer backends than there are would be a wrong number.
                Err(error) if sums_over => return Err(error.into()),
                Err(error) => cx.problems.report(error),
            }
        }
        self.emit(cx);
        Ok(())
    }
}

impl Ipvs {
    fn add(&mut self, backend: &Backend<'_>) {
        let Self { wanted, sums, labels, row } = self;
        row.clear();
        for (label, _) in Label::ALL.into_iter().zip(*wanted).filter(|(_, is_wanted)| *is_wanted) {
            // Writing to memory does not fail.
            let _ = match label {
                Label::LocalAddress => backend.local.map_or(Ok(()), |local| write!(row, "{}", local.address())),
                Label::LocalPort => write!(row, "{}", backend.local.map_or(0, |local| local.port)),
                Label::RemoteAddress => write!(row, "{}", backend.remote.address()),
                Label::RemotePort => write!(row, "{}", backend.remote.port),
                Label::Proto => row.write_all(backend.protocol),
                Label::LocalMark => row.write_all(backend.mark),
            };
            row.push(0);
        }
        let is_same = |sum: &&mut Sum| labels.get(sum.labels[0]..sum.labels[1]) == Some(row);
        if let Some(sum) = sums.iter_mut().find(is_same) {
            sum.counts.add(backend.counts);
            return;
        }
        let start = labels.len();
        labels.extend_from_slice(row);
        sums.push(Sum { labels: [start, labels.len()], counts: backend.counts });
    }

    fn emit(&self, cx: &mut Cx<'_, Self>) {
        for sum in &self.sums {
            let mut values = self.labels.get(sum.labels[0]..sum.labels[1]).unwrap_or_default().split(|&byte| byte == 0);
            let [address, mark, port, proto, remote_address, remote_port] =
                self.wanted.map(|is_wanted| if is_wanted { values.next() } else { None });
            let labels: [&dyn crate::kit::label::Label; Label::ALL.len()] =
                [&address, &mark, &port, &proto, &remote_address, &remote_port];
            cx.page.gauge(ACTIVE, labels, sum.counts.active);
            cx.page.gauge(INACTIVE, labels, sum.counts.inactive);
            cx.page.gauge(WEIGHT, labels, sum.counts.weight);
        }
    }
}

/// Which labels a list names.
fn wanted(list: &str) -> Result<[bool; Label::ALL.len()], String> {
    let mut wanted = [false; Label::ALL.len()];
    for name in list.split(',').filter(|name| !name.is_empty()) {
        let place = Label::ALL.iter().position(|label| label.name() == name);
        let is_wanted = place.and_then(|at| wanted.get_mut(at)).ok_or_else(|| {
            let known = Label::ALL.map(Label::name).join(", ");
            format!("`{name}` is no label of a backend, use some of {known}")
        })?;
        *is_wanted = true;
    }
    Ok(wanted)
}

/// The line with the totals is the third, below two of headings.
fn totals(text: Text<'_>) -> Result<[Result<Hexadecimal, ParseError<'_>>; TOTALS.len()], ParseError<'_>> {
    let line = text.lines().nth(2).ok_or_else(|| text.error("the totals", "a third line", b""))?;
    if line.fields().count() != TOTALS.len() {
        return Err(line.error("the totals", "5 columns", line.bytes));
    }
    let mut fields = line.fields();
    Ok(["connections", "incoming packets", "outgoing packets", "incoming bytes", "outgoing bytes"]
        .map(|name| fields.number(name)))
}

#[cfg(test)]
mod tests;
