//! Files that a flag names: what a job leaves for the exporter.

use crate::layout::{Group, What, once};
use crate::moment::Moment;
use crate::text::put_line;

/// The directory of the host with files in the text format, for `--collector.textfile.directory`.
pub const TEXTFILE_DIRECTORY: &str = "/var/lib/node_exporter/textfile";

/// How often the job runs.
const PERIOD_SECONDS: u64 = 900;

/// Every table of this mount.
pub(crate) const GROUPS: &[&[Group]] = &[&FILES];

static FILES: [Group; 1] = [Group {
    // Without the `/` of `TEXTFILE_DIRECTORY`.
    under: "var/lib/node_exporter/textfile",
    each: once,
    entries: &[("backup.prom", What::Dated(backup, last_run))],
}];

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
