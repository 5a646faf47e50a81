//! /proc/net/xfrm_stat: errors of IPsec

use super::folder;
use crate::layout::{Content, Group, Table, each_with};
use crate::machine::{KernelVersion, Machine};
use crate::moment::Moment;
use crate::text::put_line;

pub(in crate::proc) const GROUPS: Table = &[&Group::<Machine> {
    under: "",
    parts: |machine| each_with([machine], |machine| machine.ipsec.is_some()),
    path: |_, machine| folder(machine),
    entries: &[("xfrm_stat", Content::File(xfrm_stat))],
}];

/// Errors, with rates in millionths per second.
const REASONS: [(&str, u64); 30] = [
    ("InError", 0),
    ("InBufferError", 0),
    ("InHdrError", 2),
    ("InNoStates", 1_900),
    ("InStateProtoError", 31),
    ("InStateModeError", 0),
    ("InStateSeqError", 640),
    ("InStateExpired", 3),
    ("InStateMismatch", 0),
    ("InStateInvalid", 1),
    ("InTmplMismatch", 88),
    ("InNoPols", 12),
    ("InPolBlock", 0),
    ("InPolError", 0),
    ("OutError", 0),
    ("OutBundleGenError", 0),
    ("OutBundleCheckError", 0),
    ("OutNoStates", 2_300),
    ("OutStateProtoError", 4),
    ("OutStateModeError", 0),
    ("OutStateSeqError", 0),
    ("OutStateExpired", 9),
    ("OutPolBlock", 0),
    ("OutPolDead", 0),
    ("OutPolError", 0),
    ("FwdHdrError", 0),
    ("OutStateInvalid", 2),
    ("AcquireError", 140),
    ("OutStateDirError", 0),
    ("InStateDirError", 0),
];
/// The version that added the last two errors.
const DIRECTIONS_SINCE: KernelVersion = KernelVersion::new(6, 10);

fn xfrm_stat(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let Some(wave) = &moment.machine.ipsec else { return };
    let knows_directions = moment.kernel() >= DIRECTIONS_SINCE;
    for (name, micro) in REASONS.iter().filter(|(name, _)| knows_directions || !name.ends_with("DirError")) {
        put_line!(into, "{:<24}\t{}", format!("Xfrm{name}"), moment.counter(wave, *micro) / 1_000);
    }
}
