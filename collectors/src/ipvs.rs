//! Connections and backends of the kernel's load balancer, from /proc/net/ip_vs_stats and ip_vs.

mod table;

use std::io::Write as _;

use crate::declare;
use crate::host::root::RootError;
use crate::kit::parse::Hexadecimal;
use crate::kit::prelude::*;
use table::{Backend, Label};

/// The ipvs collector.
#[derive(Debug)]
pub struct Ipvs {
    /// The exported labels of backends; backends are summed over the others.
    wanted: [bool; Label::ALL.len()],
    sums: Vec<Sum>,
    labels: Vec<u8>,
    row: Vec<u8>,
}

declare! {
    Ipvs: "ipvs", on, "IPVS load balancer traffic and backend connections.";
    labels {
        PerBackend { local_address, local_mark, local_port, proto, remote_address, remote_port }
    }
    reads {
        STATISTICS: File Proc "net/ip_vs_stats";
        BACKENDS: File Proc "net/ip_vs";
    }
    flags {
        LABELS: Text "collector.ipvs.backend-labels" = "local_address,local_port,remote_address,remote_port,proto,local_mark",
            "Comma-separated labels of backends; backends with equal labels are summed.";
    }
    families {
        ACTIVE: Gauge "node_ipvs_backend_connections_active" PerBackend "Active connections of a backend.";
        INACTIVE: Gauge "node_ipvs_backend_connections_inactive" PerBackend "Inactive connections of a backend.";
        WEIGHT: Gauge "node_ipvs_backend_weight" PerBackend "Weight of a backend.";
    }
    /// Columns of the totals, in file order.
    table TOTALS: &'static str => () {
        "connections" => Counter "node_ipvs_connections_total" "Connections scheduled.";
        "incoming packets" => Counter "node_ipvs_incoming_packets_total" "Packets received for virtual services.";
        "outgoing packets" => Counter "node_ipvs_outgoing_packets_total" "Packets sent by virtual services.";
        "incoming bytes" => Counter "node_ipvs_incoming_bytes_total" "Bytes received for virtual services.";
        "outgoing bytes" => Counter "node_ipvs_outgoing_bytes_total" "Bytes sent by virtual services.";
    }
}

/// Sum of the backends with equal labels.
#[derive(Clone, Copy, Debug)]
struct Sum {
    /// Range of its labels in the list of all labels, each terminated by a NUL.
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
                for ((_, family), total) in TOTALS.into_iter().zip(totals) {
                    if let Some(Hexadecimal(total)) = cx.problems.value(total) {
                        cx.page.tabled(family, (), total);
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
                // A sum over some of the backends would be wrong.
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
            // Writing to a vector cannot fail.
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
            let [local_address, local_mark, local_port, proto, remote_address, remote_port] =
                self.wanted.map(|is_wanted| if is_wanted { values.next() } else { None });
            let labels = PerBackend {
                local_address: &local_address,
                local_mark: &local_mark,
                local_port: &local_port,
                proto: &proto,
                remote_address: &remote_address,
                remote_port: &remote_port,
            };
            cx.page.gauge(ACTIVE, labels, sum.counts.active);
            cx.page.gauge(INACTIVE, labels, sum.counts.inactive);
            cx.page.gauge(WEIGHT, labels, sum.counts.weight);
        }
    }
}

/// Parses the list of labels.
fn wanted(list: &str) -> Result<[bool; Label::ALL.len()], String> {
    let mut wanted = [false; Label::ALL.len()];
    for name in list.split(',').filter(|name| !name.is_empty()) {
        let place = Label::ALL.iter().position(|label| label.name() == name);
        let is_wanted = place.and_then(|at| wanted.get_mut(at)).ok_or_else(|| {
            let known = Label::ALL.map(Label::name).join(", ");
            format!("`{name}` is not a label of a backend; use {known}")
        })?;
        *is_wanted = true;
    }
    Ok(wanted)
}

/// Parses the totals, which are the third line, after two header lines.
fn totals(text: Text<'_>) -> Result<[Result<Hexadecimal, ParseError<'_>>; TOTALS.len()], ParseError<'_>> {
    let line = text.lines().nth(2).ok_or_else(|| text.error("totals", "a third line", b""))?;
    if line.fields().count() != TOTALS.len() {
        return Err(line.error("totals", "5 columns", line.bytes));
    }
    let mut fields = line.fields();
    Ok(TOTALS.map(|(name, _)| fields.number(name)))
}

#[cfg(test)]
mod tests;
