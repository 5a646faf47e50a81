//! Files that flags of the exporter name: metrics in the text format, and services of runit.

use crate::layout::{Content, Group, Part, Table};
use crate::machine::{Machine, SupervisedService};
use crate::moment::Moment;
use crate::text::put_line;

/// The directory of metrics in the text format, for `--collector.textfile.directory`.
pub const TEXTFILE_DIRECTORY: &str = "/var/lib/node_exporter/textfile";

/// The period of the backup job that writes the file.
const PERIOD_SECONDS: u64 = 900;

/// All tables of this mount.
pub(crate) const TABLES: &[Table] = &[GROUPS];

const GROUPS: Table = &[
    &Group::of_host(TEXTFILE_FOLDER, &[("backup.prom", Content::Dated(backup, last_run))]),
    &Group::<Service<'static>> {
        under: "etc/service",
        parts: |machine| Box::new(Service::each(machine)),
        path: |service, _| service.service.name.into(),
        entries: &[("supervise/status", Content::File(status))],
    },
    &Group::<Service<'static>> {
        under: "etc/service",
        parts: |machine| Box::new(Service::each(machine).filter(|service| service.service.is_down_at_first)),
        path: |service, _| service.service.name.into(),
        entries: &[("supervise/down", Content::File(|_, _, _| {}))],
    },
];

/// [`TEXTFILE_DIRECTORY`] below the root of the mount.
const TEXTFILE_FOLDER: &str = "var/lib/node_exporter/textfile";

/// A service of runit, and its number.
#[derive(Clone, Copy)]
struct Service<'a> {
    service: &'a SupervisedService,
    number: u32,
}

impl Part for Service<'static> {
    type Of<'a> = Service<'a>;
}

impl<'a> Service<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        (0..).zip(&machine.supervised).map(|(number, service)| Self { service, number })
    }
}

/// Twenty bytes: the time of the last change as a TAI64N label, the number of the process, whether it is paused, the
/// requested state, whether it was sent SIGTERM, and its state.
fn status(Service { service, number }: Service<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    /// 1970 as a TAI64 label.
    const EPOCH: u64 = (1 << 62) + 10;
    let process = if service.is_running { 800 + 13 * number } else { 0 };
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

fn backup(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
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
    fn the_directory_is_the_folder_of_its_files() {
        assert_eq!(TEXTFILE_DIRECTORY, format!("/{TEXTFILE_FOLDER}"));
    }
}
