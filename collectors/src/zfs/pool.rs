//! State, I/O and dataset statistics of each ZFS pool.

use super::kstat::{self, KstatValue};
use super::{DATASET_FIELDS, OBJECTS, POOL_FIELDS, POOL_IO, POOL_STATE, PerDataset, PerPool, PerState, STATE, Zfs};
use crate::kit::prelude::*;
use crate::kit::table;

/// The values of the label `state`.
const STATES: [&str; 7] = ["degraded", "faulted", "offline", "online", "removed", "suspended", "unavail"];

/// Minimum number of columns of the I/O table, as in node_exporter.
const IO_COLUMNS_MIN: usize = 12;

/// Emits the I/O of a pool, which ZFS 2.1 and later no longer have.
pub(super) fn emit_io(cx: &mut Cx<'_, Zfs>, pool: &[u8]) -> Result<(), Failure> {
    let Some(text) = cx.files.read_if_present(POOL_IO, [pool])? else { return Ok(()) };
    let mut lines = text.lines();
    let is_header = |line: &Line<'_>| line.fields().next() == Some(b"nread") && line.fields().count() >= IO_COLUMNS_MIN;
    let header = lines.find(is_header).ok_or_else(|| {
        let first = text.lines().next().map_or(b"".as_slice(), |line| line.bytes);
        text.error("header", "column names from `nread` on", first)
    })?;
    let Some(row) = lines.next() else { return Err(header.error("next line", "numbers", b"").into()) };
    let mut values = row.fields();
    for title in header.fields() {
        let value = row.number::<u64>(title, values.next().unwrap_or_default());
        if let Some(value) = cx.problems.value(value) {
            cx.page.named(POOL_FIELDS, &[kstat::family_part(title)], PerPool { zpool: &pool }, value);
        }
    }
    Ok(())
}

/// Emits the statistics of one dataset, which is named in its file.
pub(super) fn emit_objects(cx: &mut Cx<'_, Zfs>, pool: &[u8], number: &[u8]) -> Result<(), Failure> {
    let Some(text) = cx.files.read_if_present(OBJECTS, [pool, number])? else { return Ok(()) };
    let mut dataset: Option<&[u8]> = None;
    for line in kstat::rows(text)? {
        let Some(Some((name, value))) = cx.problems.value(kstat::parse(line)) else { continue };
        match (value, dataset) {
            (KstatValue::Text(found), _) if name == b"dataset_name" => dataset = Some(found),
            (KstatValue::Unsigned(value), Some(dataset)) => {
                cx.page.named(
                    DATASET_FIELDS,
                    &[kstat::family_part(name)],
                    PerDataset { dataset: &dataset, zpool: &pool },
                    value,
                );
            }
            (KstatValue::Unsigned(_), None) => {
                return Err(line.error("dataset_name", "a row of that name before others", line.bytes).into());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Emits the state of a pool. An unknown state sets none of the samples to 1.
pub(super) fn emit_state(cx: &mut Cx<'_, Zfs>, pool: &[u8]) -> Result<(), Failure> {
    let Some(text) = cx.files.read_if_present(POOL_STATE, [pool])? else { return Ok(()) };
    let Some(line) = table::filled(text, cx.problems).lines().next() else { return Ok(()) };
    for state in STATES {
        cx.page.gauge(
            STATE,
            PerState { state: &state, zpool: &pool },
            line.bytes.eq_ignore_ascii_case(state.as_bytes()),
        );
    }
    if !STATES.iter().any(|state| line.bytes.eq_ignore_ascii_case(state.as_bytes())) {
        cx.problems.note(line.error("state", "a known pool state", line.bytes));
    }
    Ok(())
}
