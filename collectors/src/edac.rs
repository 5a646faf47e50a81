//! Memory errors from /sys/devices/system/edac/mc.

use crate::declare;
use crate::host::root::Names;
use crate::kit::attribute;
use crate::kit::prelude::*;

/// The edac collector.
#[derive(Default, Debug)]
pub struct Edac {
    controllers: Names,
    rows: Names,
    files: Names,
    dimm: Vec<u8>,
}

declare! {
    Edac: "edac", on, "Memory errors by controller, row and channel.";
    labels {
        PerController { controller }
        PerRow { controller, csrow }
        PerChannel { channel, controller, csrow, dimm_label }
    }
    reads {
        CONTROLLERS: Directory Sys "devices/system/edac/mc";
        CONTROLLER: Directory Sys "devices/system/edac/mc/mc*";
        CONTROLLER_COUNT: File Sys "devices/system/edac/mc/mc*/*_count";
        ROW: Directory Sys "devices/system/edac/mc/mc*/csrow*";
        ROW_COUNT: File Sys "devices/system/edac/mc/mc*/csrow*/*_count";
        CHANNEL_CORRECTED: File Sys "devices/system/edac/mc/mc*/csrow*/ch*_ce_count";
        CHANNEL_UNCORRECTED: File Sys "devices/system/edac/mc/mc*/csrow*/ch*_ue_count";
        CHANNEL_DIMM: File Sys "devices/system/edac/mc/mc*/csrow*/ch*_dimm_label";
    }
    families {
        CORRECTABLE: Counter "node_edac_correctable_errors_total" PerController "Memory errors corrected, by controller.";
        UNCORRECTABLE: Counter "node_edac_uncorrectable_errors_total" PerController "Uncorrectable memory errors, by controller.";
        ROW_CORRECTABLE: Counter "node_edac_csrow_correctable_errors_total" PerRow "Memory errors corrected, by chip-select row.";
        ROW_UNCORRECTABLE: Counter "node_edac_csrow_uncorrectable_errors_total" PerRow "Uncorrectable memory errors, by chip-select row.";
        CHANNEL_CORRECTABLE: Counter "node_edac_channel_correctable_errors_total" PerChannel "Memory errors corrected, by channel.";
        CHANNEL_UNCORRECTABLE: Counter "node_edac_channel_uncorrectable_errors_total" PerChannel "Uncorrectable memory errors, by channel.";
    }
}

/// The row label of errors of an unknown row, and the DIMM label of an unnamed DIMM.
const UNKNOWN: &str = "unknown";

impl Collect for Edac {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { controllers, rows, files, dimm } = self;
        match cx.files.list(CONTROLLERS, [], controllers) {
            Ok(()) => {}
            Err(error) if error.is_missing() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        for controller in attribute::numbered(controllers, b"mc") {
            emit_controller(cx, controller);
            let listed = cx.files.list(CONTROLLER, [controller], rows).map_err(Failure::from);
            let Some(()) = cx.problems.value(listed) else { continue };
            for row in attribute::numbered(rows, b"csrow") {
                emit_row(cx, controller, row);
                let listed = cx.files.list(ROW, [controller, row], files).map_err(Failure::from);
                let Some(()) = cx.problems.value(listed) else { continue };
                for channel in attribute::numbered(files, b"ch").filter_map(|rest| rest.strip_suffix(b"_ce_count")) {
                    emit_channel(cx, controller, row, channel, dimm);
                }
            }
        }
        Ok(())
    }
}

fn emit_controller(cx: &mut Cx<'_, Edac>, controller: &[u8]) {
    let label = digits(controller);
    for (kind, family) in [(b"ce", CORRECTABLE), (b"ue", UNCORRECTABLE)] {
        let count = attribute::number::<u64, _, 2>(cx, CONTROLLER_COUNT, [controller, kind], attribute::never);
        if let Some(count) = count {
            cx.page.counter(family, PerController { controller: &label }, count);
        }
    }
    for (kind, family) in [(b"ce_noinfo", ROW_CORRECTABLE), (b"ue_noinfo", ROW_UNCORRECTABLE)] {
        let count = attribute::number::<u64, _, 2>(cx, CONTROLLER_COUNT, [controller, kind], attribute::never);
        if let Some(count) = count {
            cx.page.counter(family, PerRow { controller: &label, csrow: &UNKNOWN }, count);
        }
    }
}

fn emit_row(cx: &mut Cx<'_, Edac>, controller: &[u8], row: &[u8]) {
    for (kind, family) in [(b"ce", ROW_CORRECTABLE), (b"ue", ROW_UNCORRECTABLE)] {
        let count = attribute::number::<u64, _, 3>(cx, ROW_COUNT, [controller, row, kind], attribute::never);
        if let Some(count) = count {
            cx.page.counter(family, PerRow { controller: &digits(controller), csrow: &digits(row) }, count);
        }
    }
}

/// Emits a channel. Some drivers have no uncorrectable errors by channel, which is no problem.
fn emit_channel(cx: &mut Cx<'_, Edac>, controller: &[u8], row: &[u8], channel: &[u8], dimm: &mut Vec<u8>) {
    if !channel.iter().all(u8::is_ascii_digit) {
        return;
    }
    let names = [controller, row, channel];
    match cx.files.read(CHANNEL_DIMM, names) {
        Ok(text) => push_dimm(text.trimmed(), dimm),
        Err(_) => push_dimm(UNKNOWN.as_bytes(), dimm),
    }
    let corrected = attribute::number::<u64, _, 3>(cx, CHANNEL_CORRECTED, names, attribute::never);
    let uncorrected = attribute::number::<u64, _, 3>(cx, CHANNEL_UNCORRECTED, names, attribute::is_unavailable);
    let (controller, row) = (digits(controller), digits(row));
    if let Some(count) = corrected {
        cx.page.counter(
            CHANNEL_CORRECTABLE,
            PerChannel { channel: &channel, controller: &controller, csrow: &row, dimm_label: dimm },
            count,
        );
    }
    if let Some(count) = uncorrected {
        cx.page.counter(
            CHANNEL_UNCORRECTABLE,
            PerChannel { channel: &channel, controller: &controller, csrow: &row, dimm_label: dimm },
            count,
        );
    }
}

/// The leading digits of a name.
fn digits(name: &[u8]) -> &[u8] {
    let end = name.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(name.len());
    &name[..end]
}

/// Replaces `into` by a label without `#`, with `_` before `csrow` and `channel`, as node_exporter does.
fn push_dimm(label: &[u8], into: &mut Vec<u8>) {
    into.clear();
    let mut rest = label;
    while let Some((&byte, after)) = rest.split_first() {
        if rest.starts_with(b"csrow") || rest.starts_with(b"channel") {
            into.push(b'_');
        }
        if byte != b'#' {
            into.push(byte);
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const HOST: &str = "== sys/devices/system/edac/mc/mc1/ce_count\n5\n== sys/devices/system/edac/mc/mc1/ce_noinfo_count\n1\n\
        == sys/devices/system/edac/mc/mc1/csrow0/ce_count\n4\n== sys/devices/system/edac/mc/mc1/csrow0/ch0_ce_count\n3\n\
        == sys/devices/system/edac/mc/mc1/csrow0/ch0_dimm_label\nCPU#0csrow#0channel#0\n\
        == sys/devices/system/edac/mc/mc1/csrow0/ch0_ue_count\n0\n== sys/devices/system/edac/mc/mc1/csrow0/ch1_ce_count\n1\n\
        == sys/devices/system/edac/mc/mc1/csrow0/chx_ce_count\n9\n\
        == sys/devices/system/edac/mc/mc1/csrow0/ue_count\n0\n== sys/devices/system/edac/mc/mc1/ue_count\n2\n\
        == sys/devices/system/edac/mc/mc1/ue_noinfo_count\n2\n";
    const LINES: [&str; 9] = [
        "node_edac_channel_correctable_errors_total{channel=\"0\",controller=\"1\",csrow=\"0\",dimm_label=\"CPU0_csrow0_channel0\"} 3\n",
        "node_edac_channel_correctable_errors_total{channel=\"1\",controller=\"1\",csrow=\"0\",dimm_label=\"unknown\"} 1\n",
        "node_edac_channel_uncorrectable_errors_total{channel=\"0\",controller=\"1\",csrow=\"0\",dimm_label=\"CPU0_csrow0_channel0\"} 0\n",
        "node_edac_correctable_errors_total{controller=\"1\"} 5\n",
        "node_edac_csrow_correctable_errors_total{controller=\"1\",csrow=\"0\"} 4\n",
        "node_edac_csrow_correctable_errors_total{controller=\"1\",csrow=\"unknown\"} 1\n",
        "node_edac_csrow_uncorrectable_errors_total{controller=\"1\",csrow=\"0\"} 0\n",
        "node_edac_csrow_uncorrectable_errors_total{controller=\"1\",csrow=\"unknown\"} 2\n",
        "node_edac_uncorrectable_errors_total{controller=\"1\"} 2\n",
    ];

    #[test]
    fn controllers_rows_and_channels_have_their_own_counters() {
        given(HOST).emits::<Edac>(&LINES.concat());
        given("").emits::<Edac>("");
    }

    #[test]
    fn an_unreadable_count_costs_only_its_own_samples() {
        let without_first_total = [&LINES[..3], &LINES[4..]].concat().concat();
        for bad in ["many", "-1", "18446744073709551616", ""] {
            given(&HOST.replace("mc1/ce_count\n5", &format!("mc1/ce_count\n{bad}")))
                .fails::<Edac>(&without_first_total, "mc1/ce_count: value: expected an unsigned integer");
        }
        given(&HOST.replace("mc1/ce_count\n5\n", "mc1/ce_count error=EIO\n"))
            .fails::<Edac>(&without_first_total, "input/output error");
        given("== sys/devices/system/edac/mc/ error=EIO\n").fails::<Edac>("", "input/output error");
    }

    #[test]
    fn separators_are_removed_from_labels_of_modules() {
        for (label, expected) in [("DIMM_A1", "DIMM_A1"), ("mc#0csrow#1channel#0", "mc0_csrow1_channel0"), ("#", "")] {
            let mut into = b"old".to_vec();
            push_dimm(label.as_bytes(), &mut into);
            assert_eq!(String::from_utf8_lossy(&into), expected, "{label}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn counts_come_back(count in 0..1_000_000_u64) {
            let host = HOST.replace("ch0_ce_count\n3", &format!("ch0_ce_count\n{count}"));
            let samples = given(&host).scrape::<Edac>().samples();
            prop_assert!(samples.contains(&format!("CPU0_csrow0_channel0\"}} {count}\n")), "{}", samples);
        }

        #[test]
        fn any_label_is_taken(label: Vec<u8>) {
            let mut into = Vec::new();
            push_dimm(&label, &mut into);
            prop_assert!(!into.contains(&b'#'));
        }
    }
}
