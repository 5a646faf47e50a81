//! Queueing disciplines.

use super::Canned;
use super::line::{CannedError, Line};
use super::parse::{DEVICE, named};
use super::write::Text;
use crate::host::kernel::Qdisc;

/// A [`Qdisc`] that keeps its own bytes; those of `numbers` are empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct OwnedQdisc {
    device: Vec<u8>,
    kind: Vec<u8>,
    numbers: Qdisc<'static>,
}

impl OwnedQdisc {
    pub(super) fn borrow(&self) -> Qdisc<'_> {
        Qdisc { device: &self.device, kind: &self.kind, ..self.numbers }
    }
}

impl From<&Qdisc<'_>> for OwnedQdisc {
    fn from(qdisc: &Qdisc<'_>) -> Self {
        let Qdisc { device, kind, parent, bytes, packets, drops, requeues, overlimits, queue_length, backlog_bytes } =
            *qdisc;
        let (device, kind) = (device.to_vec(), kind.to_vec());
        let numbers = Qdisc {
            device: b"",
            kind: b"",
            parent,
            bytes,
            packets,
            drops,
            requeues,
            overlimits,
            queue_length,
            backlog_bytes,
        };
        Self { device, kind, numbers }
    }
}

impl Canned {
    /// Adds a queueing discipline.
    #[must_use]
    pub fn with_qdisc(mut self, qdisc: &Qdisc<'_>) -> Self {
        self.answers.qdiscs.get_or_insert_default().push(OwnedQdisc::from(qdisc));
        self
    }
}

/// In the order of the lines; a device may have several.
pub(super) fn parse(mut line: Line<'_>) -> Result<OwnedQdisc, CannedError> {
    let device = named(&mut line, DEVICE)?;
    let mut kind = None;
    let mut found = Qdisc { device: &device, ..Qdisc::default() };
    while let Some((key, value)) = line.pair()? {
        match key {
            b"kind" => kind = Some(line.unescaped("kind", value)?),
            b"parent" => found.parent = line.number(key, value)?,
            b"bytes" => found.bytes = line.number(key, value)?,
            b"packets" => found.packets = line.number(key, value)?,
            b"drops" => found.drops = line.number(key, value)?,
            b"requeues" => found.requeues = line.number(key, value)?,
            b"overlimits" => found.overlimits = line.number(key, value)?,
            b"queue_length" => found.queue_length = line.number(key, value)?,
            b"backlog_bytes" => found.backlog_bytes = line.number(key, value)?,
            other => return Err(line.error("the key", Some(other), "use a field of `Qdisc`")),
        }
    }
    let kind = kind.ok_or_else(|| line.error("kind", None, "give the discipline's name, such as fq_codel"))?;
    found.kind = &kind;
    Ok(OwnedQdisc::from(&found))
}

pub(super) fn write(qdiscs: &[OwnedQdisc]) -> Text {
    let mut text = Text::default();
    for qdisc in qdiscs.iter().map(OwnedQdisc::borrow) {
        text.escaped(qdisc.device).raw(" kind=").escaped(qdisc.kind);
        text.pair("parent", format_args!("{:#x}", qdisc.parent))
            .pair("bytes", qdisc.bytes)
            .pair("packets", qdisc.packets)
            .pair("drops", qdisc.drops)
            .pair("requeues", qdisc.requeues)
            .pair("overlimits", qdisc.overlimits)
            .pair("queue_length", qdisc.queue_length)
            .pair("backlog_bytes", qdisc.backlog_bytes)
            .raw('\n');
    }
    text
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        pub(in super::super) fn qdisc()(
            device in prop::collection::vec(any::<u8>(), 1..9), kind: Vec<u8>, bytes: u64, packets: u64, rest: [u32; 6],
        ) -> OwnedQdisc {
            let [parent, drops, requeues, overlimits, queue_length, backlog_bytes] = rest;
            OwnedQdisc::from(&Qdisc {
                device: &device, kind: &kind, parent, bytes, packets, drops, requeues, overlimits, queue_length, backlog_bytes,
            })
        }
    }

    fn read(text: &str) -> Result<Vec<OwnedQdisc>, CannedError> {
        Line::all("kernel/qdiscs", text.as_bytes()).map(parse).collect()
    }

    #[test]
    fn a_bad_line_is_refused_with_place_and_advice() {
        for (text, expected) in [
            ("eth0", "1: kind is missing; give the discipline's name, such as fq_codel"),
            ("eth0 kind=fq drops=4294967296", "1: drops is `4294967296`; give a whole number of at most 32 bits"),
            ("eth0 kind=fq\neth0 kind=mq lost=1", "2: the key is `lost`; use a field of `Qdisc`"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.to_string(), format!("kernel/qdiscs, line {expected}"));
        }
    }

    #[test]
    fn a_device_may_have_several() {
        let found = read("eth0 kind=mq packets=4294967296\neth0 kind=fq parent=0x1 drops=4294967295\n").unwrap();
        let (root, child) = (found[0].borrow(), found[1].borrow());
        assert_eq!((root.kind, root.packets, root.is_root()), (&b"mq"[..], 1 << 32, true));
        assert_eq!((child.device, child.drops, child.is_root()), (&b"eth0"[..], u32::MAX, false));
    }
}
