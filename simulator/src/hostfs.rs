//! Files that a flag names: what a job leaves for the exporter.

use crate::layout::{Group, What, once};
use crate::machine::SupervisedService;
use crate::moment::Moment;
use crate::text::put_line;

/// The directory of the host with files in the text format, for `--collector.textfile.directory`.
pub const TEXTFILE_DIRECTORY: &str = "/var/lib/node_exporter/textfile";

/// How often the job runs.
const PERIOD_SECONDS: u64 = 900;

/// Every table of this mount.
pub(crate) const GROUPS: &[&[Group]] = &[&FILES, &SUPERVISED];

/// Where runit looks for services.
static SUPERVISED: [Group; 2] = [
    Group {
        under: "etc/service",
        each: |m, visit| each_service(m, visit, |_| true),
        entries: &[("supervise/status", What::File(status))],
    },
    Group {
        under: "etc/service",
        each: |m, visit| each_service(m, visit, |service| service.is_down_at_first),
        entries: &[("supervise/down", What::File(|_, _, _| {}))],
    },
];

static FILES: [Group; 1] = [Group {
    // Without the `/` of `TEXTFILE_DIRECTORY`.
    under: "var/lib/node_exporter/textfile",
    each: once,
    entries: &[("backup.prom", What::Dated(backup, last_run))],
}];

fn each_service(
    moment: &Moment<'_>,
    visit: &mut dyn FnMut(usize, &[u8]),
    is_meant: impl Fn(&SupervisedService) -> bool,
) {
    for (index, service) in moment.machine.supervised.iter().enumerate() {
        if is_meant(service) {
            visit(index, service.name.as_bytes());
        }
    }
}

/// Twenty bytes: the time of the last change as a TAI64N label, the process, whether it is paused, what is wanted,
/// whether it was told to end, and the state.
fn status(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    /// 1970, as the labels count.
    const EPOCH: u64 = (1 << 62) + 10;
    let Some(service) = moment.machine.supervised.get(index) else { return };
    let process = if service.is_running { 800 + 13 * u32::try_from(index).unwrap_or_default() } else { 0 };
    let changed = moment.booted_seconds() + service.changed_seconds;
    into.extend_from_slice(&(EPOCH + changed.min(moment.now().as_secs())).to_be_bytes());
    into.extend_from_slice(&412_331_000_u32.to_be_bytes());
    into.extend_from_slice(&process.to_le_bytes());
    let wanted = if service.is_running { b'u' } else { b'd' };
    into.extend_from_slice(&[0, wanted, 0, u8::from(service.is_running)]);
}

fn last_run(moment: &Moment<'_>) -> u64 {
    let now = moment.now().as_secs();
    now - now % PERIOD_SECONDS
}

fn backup(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    let run = last_run(moment);
    let seed = moment.machine.seed.of("backup").at(run);
    put_line!(into, "# HELP backup_last_success_timestamp_seconds When the last backup ended well.");
    put_line!(into, "# TYPE backup_last_success_timestamp_seconds gauge");
    put_line!(into, "backup_last_success_timestamp_seconds{{target=\"srv\"}} {run}");
    put_line!(into, "# HELP backup_size_bytes How large the last backup was.");
    put_line!(into, "# TYPE backup_size_bytes gauge");
    put_line!(into, "backup_size_bytes{{target=\"srv\"}} {}", 40_000_000 + seed.below(9_000_000));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_where_its_files_are() {
        assert_eq!(TEXTFILE_DIRECTORY, format!("/{}", FILES[0].under));
    }
}
