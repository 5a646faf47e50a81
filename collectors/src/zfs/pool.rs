//! What ZFS tells of each pool: its state, what was read and written, and the same for each data set.

use super::kstat::{self, Value};
use super::{DATASET_FIELDS, OBJECTS, POOL_FIELDS, POOL_IO, POOL_STATE, STATE, Zfs};
use crate::kit::prelude::*;
use crate::kit::table;

/// The states that a pool is shown to be in or not.
const STATES: [&str; 7] = ["degraded", "faulted", "offline", "online", "removed", "suspended", "unavail"];

/// So many columns a table of reads and writes has at least; node_exporter looks for no other.
const IO_COLUMNS_MIN: usize = 12;

/// What was read from a pool and written to it. ZFS 2 does not tell any more.
pub(super) fn emit_io(cx: &mut Cx<'_, Zfs>, pool: &[u8]) -> Result<(), Failure> {
    let Some(text) = cx.files.read_if_present(POOL_IO, [pool])? else { return Ok(()) };
    let mut lines = text.lines();
    let is_titles = |line: &Line<'_>| line.fields().next() == Some(b"nread") && line.fields().count() >= IO_COLUMNS_MIN;
    let titles = lines.find(is_titles).ok_or_else(|| {
        let first = text.lines().next().map_or(b"".as_slice(), |line| line.bytes);
        text.error("the file", "a line of titles from `nread` on", first)
    })?;
    let Some(row) = lines.next() else { return Err(titles.error("the line below", "numbers", b"").into()) };
    let mut values = row.fields();
    for title in titles.fields() {
        let value = row.number::<u64>(title, values.next().unwrap_or_default());
        if let Some(value) = cx.problems.value(value) {
            cx.page.named(POOL_FIELDS, &[kstat::family(title)], [&pool], value);
        }
    }
    Ok(())
}

/// What was done to one data set, which is the one that its file names.
pub(super) fn emit_objects(cx: &mut Cx<'_, Zfs>, pool: &[u8], number: &[u8]) -> Result<(), Failure> {
    let Some(text) = cx.files.read_if_present(OBJECTS, [pool, number])? else { return Ok(()) };
    let mut dataset: Option<&[u8]> = None;
    for line in kstat::rows(text)? {
        let Some(Some((name, value))) = cx.problems.value(kstat::parse(line)) else { continue };
        match (value, dataset) {
            (Value::Text(found), _) if name == b"dataset_name" => dataset = Some(found),
            (Value::Unsigned(value), Some(dataset)) => {
                cx.page.named(DATASET_FIELDS, &[kstat::family(name)], [&dataset, &pool], value);
            }
            (Value::Unsigned(_), None) => {
                return Err(line.error("the row", "`dataset_name` before it", line.bytes).into());
            }
            _ => {}
        }
    }
    Ok(())
}

/// The state of a pool. One that nobody knows is none of those that are shown.
pub(super) fn emit_state(cx: &mut Cx<'_, Zfs>, pool: &[u8]) -> Result<(), Failure> {
    let Some(text) = cx.files.read_if_present(POOL_STATE, [pool])? else { return Ok(()) };
    let Some(line) = table::filled(text, cx.problems).lines().next() else { return Ok(()) };
    for state in STATES {
        cx.page.gauge(STATE, [&state, &pool], line.bytes.eq_ignore_ascii_case(state.as_bytes()));
    }
    if !STATES.iter().any(|state| line.bytes.eq_ignore_ascii_case(state.as_bytes())) {
        cx.problems.note(line.error("the state", "a state of pools that is known", line.bytes));
    }
    Ok(())
}
