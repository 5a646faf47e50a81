//! Software RAID, from /proc/mdstat and /sys/block.

mod mdstat;

use crate::declare;
use crate::host::root::{Names, RootError};
use crate::kit::attribute;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;
use crate::kit::table;

/// What each array of disks holds, and what it is about.
#[derive(Default, Debug)]
pub struct Mdadm {
    devices: Names,
    level: Vec<u8>,
}

declare! {
    Mdadm: "mdadm", on, "Which disks each RAID array of the kernel has and lacks, and what it is about.";
    reads {
        MDSTAT: File Proc "mdstat";
        BLOCK: Directory Sys "block";
        DEGRADED: File Sys "block/*/md/degraded";
        LEVEL: File Sys "block/*/md/level";
        RAID_DISKS: File Sys "block/*/md/raid_disks";
    }
    families {
        BLOCKS: Gauge "node_md_blocks" ["device"] "How many blocks of 1024 bytes an array holds.";
        BLOCKS_SYNCED: Gauge "node_md_blocks_synced" ["device"] "How many of its blocks are in step: all of them, or as far as it got.";
        DISKS_MISSING: Gauge "node_md_degraded" ["device"] "Disks that an array lacks; 0 where it could not do without one.";
        DISKS: Gauge "node_md_disks" ["device", "state"] "Disks of an array, by what they are in it.";
        DISKS_REQUIRED: Gauge "node_md_disks_required" ["device"] "Disks that an array should have, by /proc/mdstat.";
        DISKS_OF_RAID: Gauge "node_md_raid_disks" ["device"] "Disks that an array should have, by /sys.";
        STATE: Gauge "node_md_state" ["device", "state"] "1 for what an array is about, 0 for the rest.";
    }
}

/// What an array is shown to be about or not.
const STATES: [&str; 5] = ["active", "check", "inactive", "recovering", "resync"];

impl Collect for Mdadm {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { devices, level } = self;
        let text = cx.files.read(MDSTAT, []).map_err(|error| error.or_no_data(RootError::is_missing))?;
        for array in mdstat::Arrays::new(table::filled(text, cx.problems)) {
            let Some(array) = cx.problems.value(array) else { continue };
            let mdstat::Array { name, activity, disks, blocks, blocks_synced } = array;
            cx.page.gauge(DISKS_REQUIRED, [&name], disks.required);
            for (state, count) in [("active", disks.active), ("failed", disks.failed), ("spare", disks.spare)] {
                cx.page.gauge(DISKS, [&name, &state], count);
            }
            for state in STATES {
                cx.page.gauge(STATE, [&name, &state], state.as_bytes() == activity);
            }
            cx.page.gauge(BLOCKS, [&name], blocks);
            if let Some(blocks) = cx.problems.value(blocks_synced) {
                cx.page.gauge(BLOCKS_SYNCED, [&name], blocks);
            }
        }
        match cx.files.list(BLOCK, [], devices) {
            Ok(()) => {}
            Err(error) if error.is_missing() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        for device in devices.iter().filter(|device| device.starts_with(b"md")) {
            // Without a level it is no array, or none any more.
            if attribute::word(cx, LEVEL, [device], RootError::is_missing, level) {
                emit_raid(cx, device, level);
            }
        }
        Ok(())
    }
}

/// What /sys tells of an array of this level.
fn emit_raid(cx: &mut Cx<'_, Mdadm>, device: &[u8], level: &[u8]) {
    // Containers hold arrays, not disks.
    if !matches!(level, b"container" | b"imsm" | b"ddf") {
        let disks = match cx.files.read(RAID_DISKS, [device]) {
            // An array that was not started has neither.
            Ok(text) if level.is_empty() && text.trimmed().is_empty() => return,
            Ok(text) => raid_disks(text).map_err(Failure::from),
            Err(error) => Err(error.into()),
        };
        if let Some(disks) = cx.problems.value(disks).filter(|_| !level.is_empty()) {
            cx.page.gauge(DISKS_OF_RAID, [&device], disks);
        }
    }
    let missing = match level {
        b"raid1" | b"raid4" | b"raid5" | b"raid6" | b"raid10" => {
            attribute::number(cx, DEGRADED, [device], attribute::never)
        }
        // They cannot do without a disk, or have none.
        b"raid0" | b"linear" | b"multipath" | b"faulty" | b"container" | b"imsm" | b"ddf" | b"clear" => Some(0_u64),
        _ => {
            let (device, level) = (device.escape_ascii(), level.escape_ascii());
            let problem =
                format_args!("sys/block/{device}/md/level: expected a level such as raid1, found \"{level}\"");
            cx.problems.report(Failure::error(problem));
            None
        }
    };
    if let Some(missing) = missing {
        cx.page.gauge(DISKS_MISSING, [&device], missing);
    }
}

/// How many disks an array should have. While that changes, the number from before follows in parentheses.
fn raid_disks(text: Text<'_>) -> Result<u64, ParseError<'_>> {
    let value = text.trimmed();
    let first = value.split(|byte| *byte == b' ').next().unwrap_or_default();
    u64::from_text(first).ok_or_else(|| text.error("value", u64::EXPECTED, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const MDSTAT_FILE: &str = "== proc/mdstat\nPersonalities : [raid1] \nmd0 : active raid1 sdb1[1] sda1[0]\n\
        \x20     900 blocks super 1.2 [2/2] [UU]\n      [=>...]  resync =  8.5% (77/900) finish=1.0min speed=9K/sec\n      \n\
        unused devices: <none>\n";
    const SYS_FILES: &str = "== sys/block/md0/md/degraded\n1\n== sys/block/md0/md/level\nraid1\n\
        == sys/block/md0/md/raid_disks\n2\n== sys/block/sda/size\n8\n";
    const LINES: [&str; 13] = [
        "node_md_blocks{device=\"md0\"} 900\n",
        "node_md_blocks_synced{device=\"md0\"} 77\n",
        "node_md_degraded{device=\"md0\"} 1\n",
        "node_md_disks{device=\"md0\",state=\"active\"} 2\n",
        "node_md_disks{device=\"md0\",state=\"failed\"} 0\n",
        "node_md_disks{device=\"md0\",state=\"spare\"} 0\n",
        "node_md_disks_required{device=\"md0\"} 2\n",
        "node_md_raid_disks{device=\"md0\"} 2\n",
        "node_md_state{device=\"md0\",state=\"active\"} 0\n",
        "node_md_state{device=\"md0\",state=\"check\"} 0\n",
        "node_md_state{device=\"md0\",state=\"inactive\"} 0\n",
        "node_md_state{device=\"md0\",state=\"recovering\"} 0\n",
        "node_md_state{device=\"md0\",state=\"resync\"} 1\n",
    ];

    fn host() -> String {
        [MDSTAT_FILE, SYS_FILES].concat()
    }

    /// The page without the lines of these numbers.
    fn lines_without(gone: &[usize]) -> String {
        LINES.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, line)| *line).collect()
    }

    /// A host whose array is, by /sys, of this level and has so many disks.
    fn array(level: &str, disks: &str) -> String {
        format!(
            "== proc/mdstat\nPersonalities :\n== sys/block/md5/md/degraded\n1\n== sys/block/md5/md/level\n{level}\n\
             == sys/block/md5/md/raid_disks\n{disks}\n"
        )
    }

    #[track_caller]
    fn check_raid(level: &str, disks: &str, expected: &str) {
        given(&array(level, disks)).emits::<Mdadm>(expected);
    }

    #[test]
    fn an_array_is_shown_by_both_of_its_sources() {
        given(&host()).emits::<Mdadm>(&LINES.concat());
        given(MDSTAT_FILE).emits::<Mdadm>(&lines_without(&[2, 7]));
        given("== proc/mdstat\nPersonalities : \nunused devices: <none>\n").emits::<Mdadm>("");
    }

    #[test]
    fn what_sys_tells_depends_on_the_level() {
        let (missing, disks) = ("node_md_degraded{device=\"md5\"} 1\n", "node_md_raid_disks{device=\"md5\"} 3\n");
        let none_missing = "node_md_degraded{device=\"md5\"} 0\n";
        for level in ["raid1", "raid4", "raid5", "raid6", "raid10"] {
            check_raid(level, "3", &[missing, disks].concat());
        }
        for level in ["raid0", "linear", "multipath", "faulty", "clear"] {
            check_raid(level, "3", &[none_missing, disks].concat());
        }
        for level in ["container", "imsm", "ddf"] {
            check_raid(level, "3", none_missing);
        }
        check_raid("raid5", "3 (2)", &[missing, disks].concat());
        given(&array("raid5", "")).fails::<Mdadm>(missing, "md5/md/raid_disks: value: expected an unsigned integer");
    }

    #[test]
    fn of_an_unknown_level_nobody_knows_what_is_missing() {
        let disks = "node_md_raid_disks{device=\"md5\"} 3\n";
        for level in ["raid", "raid7", "5"] {
            let complaint = format!("sys/block/md5/md/level: expected a level such as raid1, found \"{level}\"");
            given(&array(level, "3")).fails::<Mdadm>(disks, &complaint);
        }
        given(&array("", "3")).fails::<Mdadm>("", "md5/md/level: expected a level");
        check_raid("", "", "");
    }

    #[test]
    fn a_host_without_the_driver_has_no_data() {
        given(SYS_FILES).fails::<Mdadm>("", "proc/mdstat: no such file");
        given("== proc/mdstat error=EIO\n").fails::<Mdadm>("", "proc/mdstat: input/output error");
    }

    #[test]
    fn an_empty_file_is_reported() {
        given("== proc/mdstat\n").fails::<Mdadm>("", "proc/mdstat: the file: expected at least one line");
    }

    #[test]
    fn what_cannot_be_read_costs_no_more_than_needs_it() {
        given(&host().replace("(77/900)", "77")).fails::<Mdadm>(&lines_without(&[1]), "proc/mdstat:4: progress");
        given(&host().replace("[UU]", "")).fails::<Mdadm>(&[LINES[2], LINES[7]].concat(), "proc/mdstat:3: disks");
        for (file, content, gone) in
            [("degraded", "1", &[2][..]), ("level", "raid1", &[2, 7]), ("raid_disks", "2", &[7])]
        {
            given(&host().replace(&format!("{file}\n{content}\n"), &format!("{file} error=EIO\n")))
                .fails::<Mdadm>(&lines_without(gone), &format!("md0/md/{file}: input/output error"));
        }
        for bad in ["-1", "x", "18446744073709551616", "(2)"] {
            given(&host().replace("raid_disks\n2", &format!("raid_disks\n{bad}")))
                .fails::<Mdadm>(&lines_without(&[7]), "raid_disks: value: expected an unsigned integer");
        }
        given(&[MDSTAT_FILE, "== sys/block/ error=EIO\n"].concat())
            .fails::<Mdadm>(&lines_without(&[2, 7]), "sys/block");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn counts_of_disks_come_back(disks: u64, before: Option<u64>) {
            let content = before.map_or(format!("{disks}\n"), |before| format!("{disks} ({before})\n"));
            let text = Text::new(crate::host::root::Mount::Sys, b"x", content.as_bytes());
            prop_assert_eq!(raid_disks(text), Ok(disks));
        }

        #[test]
        fn any_bytes_are_a_count_or_refused(bytes: Vec<u8>) {
            let _ = raid_disks(Text::new(crate::host::root::Mount::Sys, b"x", &bytes));
        }
    }
}
