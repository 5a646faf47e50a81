//! A member device of a file system.

use super::text::Amount;
use super::{
    BUCKET_SIZE, BUCKETS, Bcachefs, DEVICE_BUCKET_SIZE, DEVICE_BUCKETS, DEVICE_DURABILITY, DEVICE_ERROR_COUNT,
    DEVICE_ERRORS, DEVICE_INFO, DEVICE_TRANSFERRED, DURABILITY, DeviceInfo, LABEL, PerDevice, PerDeviceError,
    PerTransfer, STATE, TRANSFERS, optional,
};
use crate::kit::attribute;
use crate::kit::prelude::*;
use crate::kit::table;

/// Headers of the rows of an operation.
const OPERATIONS: [(&[u8], &str); 2] = [(b"read:", "read"), (b"write:", "write")];

/// Header of the rows in use. Errors since the last reset have another header.
const ERRORS_SINCE_CREATION: &[u8] = b"IO errors since filesystem creation";

/// Emits a device; `label` and `state` are scratch memory.
pub(super) fn emit(cx: &mut Cx<'_, Bcachefs>, names: [&[u8]; 2], label: &mut Vec<u8>, state: &mut Vec<u8>) {
    let [uuid, device] = names;
    let problems = cx.problems.count();
    // An unlabelled device has an empty label.
    attribute::word(cx, LABEL, names, attribute::is_absent, label);
    attribute::word(cx, STATE, names, attribute::is_absent, state);
    // A missing label would make another series.
    if cx.problems.count() == problems {
        cx.page.gauge(DEVICE_INFO, DeviceInfo { device: &device, label, state, uuid: &uuid }, 1_u64);
    }
    if let Some(Amount(size)) = attribute::number_or(cx, BUCKET_SIZE, names, Amount(0)) {
        cx.page.gauge(DEVICE_BUCKET_SIZE, PerDevice { device: &device, uuid: &uuid }, size);
    }
    if let Some(count) = attribute::number_or(cx, BUCKETS, names, 0_u64) {
        cx.page.gauge(DEVICE_BUCKETS, PerDevice { device: &device, uuid: &uuid }, count);
    }
    if let Some(durability) = attribute::number_or(cx, DURABILITY, names, 0_u64) {
        cx.page.gauge(DEVICE_DURABILITY, PerDevice { device: &device, uuid: &uuid }, durability);
    }
    emit_transfers(cx, names);
    emit_errors(cx, names);
}

fn emit_transfers(cx: &mut Cx<'_, Bcachefs>, names: [&[u8]; 2]) {
    let [uuid, device] = names;
    let Some(text) = optional(cx.files.read_if_present(TRANSFERS, names), cx.problems) else { return };
    let mut operation = None;
    for line in table::rows(text, cx.problems).filter(|line| !line.bytes.trim_ascii().is_empty()) {
        let heading = OPERATIONS.iter().find(|(heading, _)| *heading == line.bytes.trim_ascii());
        if let Some((_, named)) = heading {
            operation = Some(named);
            continue;
        }
        // A line without a value is an unknown header, which ends the previous operation.
        if !has_value(line) {
            operation = None;
        }
        let Some(operation) = operation else {
            cx.problems.report(line.error("operation", "`read:` or `write:` first", line.bytes));
            continue;
        };
        if let Some((kind, bytes)) = cx.problems.value(pair(line)) {
            cx.page.counter(
                DEVICE_TRANSFERRED,
                PerTransfer { data_type: &kind, device: &device, operation, uuid: &uuid },
                bytes,
            );
        }
    }
}

fn emit_errors(cx: &mut Cx<'_, Bcachefs>, names: [&[u8]; 2]) {
    let [uuid, device] = names;
    let Some(text) = optional(cx.files.read_if_present(DEVICE_ERRORS, names), cx.problems) else { return };
    let lines =
        table::rows(text, cx.problems).skip_while(|line| !line.bytes.starts_with(ERRORS_SINCE_CREATION)).skip(1);
    // Any unindented line is the next header.
    let lines = lines.take_while(|line| line.bytes.first().is_none_or(u8::is_ascii_whitespace));
    for line in lines.filter(|line| !line.bytes.trim_ascii().is_empty()) {
        if let Some((kind, count)) = cx.problems.value(pair(line)) {
            cx.page.counter(DEVICE_ERROR_COUNT, PerDeviceError { device: &device, r#type: &kind, uuid: &uuid }, count);
        }
    }
}

fn has_value(line: Line<'_>) -> bool {
    line.split_at(b':').is_some_and(|(_, value)| !value.trim_ascii().is_empty())
}

/// Parses `user   : 4096`.
pub(super) fn pair(line: Line<'_>) -> Result<(&[u8], u64), ParseError<'_>> {
    let (kind, value) =
        line.split_at(b':').ok_or_else(|| line.error("line", "a name, a colon and a number", line.bytes))?;
    Ok((kind, line.number(kind, value)?))
}
