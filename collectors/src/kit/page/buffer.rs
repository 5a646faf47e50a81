//! The samples of one family, encoded.

use super::header::Header;
use super::{Format, order};
use crate::kit::family::FamilyInfo;
use crate::kit::label::Label;
use crate::kit::line::{LINE_MAX_BYTES, Piece, ROOM_BYTES, Room, put_byte};
use crate::kit::number::Number;

/// Memory of smaller families stays with them, to be used again.
const HANDED_OVER_MIN_BYTES: usize = 1 << 20;

/// Room for lines grows by no more than this at once.
const ROOM_STEP_BYTES: usize = 64 << 10;

/// The lines of one family.
#[derive(Debug)]
pub(super) struct Buffer {
    header: Header,
    labels: &'static [&'static str],
    /// What stands before the values of a sample that has all labels: `name{a="`, `",b="`, and `"} ` before its number.
    pieces: Box<[Piece]>,
    /// Its lines, and room after them for the next, whatever stands there.
    text: Vec<u8>,
    /// How much of it is lines.
    length: usize,
    /// How large it was when it was handed over.
    handed_over_bytes: usize,
    /// Where the last line's labels are in `text`, to see whether the next one follows in order.
    last_key: std::ops::Range<usize>,
    is_in_order: bool,
    /// Whether some sample does not have all labels.
    is_uneven: bool,
}

impl Buffer {
    pub(super) fn new(name: &[u8], info: &FamilyInfo, help: &str) -> Self {
        Self {
            header: Header::new(name, help, info.kind),
            labels: info.labels,
            pieces: pieces(name, info.labels),
            text: Vec::new(),
            length: 0,
            handed_over_bytes: 0,
            last_key: 0..0,
            is_in_order: true,
            is_uneven: false,
        }
    }

    pub(super) fn clear(&mut self) {
        self.length = 0;
        // As much again is likely to come: growing would copy it.
        self.text.reserve(self.handed_over_bytes);
        self.handed_over_bytes = 0;
        self.last_key = 0..0;
        self.is_in_order = true;
        self.is_uneven = false;
    }

    pub(super) fn name(&self) -> &[u8] {
        self.header.name()
    }

    pub(super) fn short_name(&self) -> Option<&[u8]> {
        self.header.short_name()
    }

    fn lines(&self) -> &[u8] {
        self.text.get(..self.length).unwrap_or_default()
    }

    /// A sample of a family whose name may have been made with other labels before.
    pub(super) fn push_labelled(
        &mut self,
        labels: &[&'static str],
        values: &[&dyn Label],
        value: Number,
        spare: &mut Vec<u8>,
    ) {
        if self.labels == labels {
            self.push(values, value, spare);
        } else {
            self.push_any(labels, values, value, spare);
        }
    }

    /// A sample; `spare` is memory to write to.
    pub(super) fn push(&mut self, values: &[&dyn Label], value: Number, spare: &mut Vec<u8>) {
        if self.put(values, value).is_none() {
            self.push_any(self.labels, values, value, spare);
        }
    }

    /// A sample that has all labels and is not long.
    fn put(&mut self, values: &[&dyn Label], value: Number) -> Option<()> {
        if self.text.len() - self.length < ROOM_BYTES {
            self.make_room(ROOM_BYTES);
        }
        let room: &mut Room = self.text.get_mut(self.length..)?.first_chunk_mut()?;
        let (last, pieces) = self.pieces.split_last()?;
        let mut at = 0;
        for (piece, value) in pieces.iter().zip(values) {
            at = piece.put(room, at);
            at = value.put(room, at);
        }
        let key_end = last.put(room, at);
        at = value.put(room, key_end);
        at = put_byte(room, at, b'\n');
        if at > LINE_MAX_BYTES {
            return None;
        }
        self.add(key_end, at);
        Some(())
    }

    /// Any sample. It may not have all labels, or have others.
    #[cold]
    fn push_any(&mut self, labels: &[&str], values: &[&dyn Label], value: Number, spare: &mut Vec<u8>) {
        spare.clear();
        spare.extend_from_slice(self.header.name());
        let key_start = spare.len();
        let mut is_whole = self.labels == labels;
        for (label, value) in labels.iter().zip(values) {
            let before = spare.len();
            spare.push(if before == key_start { b'{' } else { b',' });
            spare.extend_from_slice(label.as_bytes());
            spare.extend_from_slice(b"=\"");
            if value.write_if_present(spare) {
                spare.push(b'"');
            } else {
                spare.truncate(before);
                is_whole = false;
            }
        }
        spare.extend_from_slice(if spare.len() > key_start { b"} " } else { b" " });
        let key_end = spare.len();
        value.write_to(spare);
        spare.push(b'\n');
        self.is_uneven |= !is_whole;
        self.make_room(spare.len() + ROOM_BYTES);
        if let Some(place) = self.text.get_mut(self.length..self.length + spare.len()) {
            place.copy_from_slice(spare);
        }
        self.add(key_end, spare.len());
    }

    /// Room for so much more. What is there and was not written to yet is not really there: room is made in small steps,
    /// out of memory that is asked for in large ones.
    #[cold]
    fn make_room(&mut self, size_bytes: usize) {
        let more = size_bytes.max(self.length.min(ROOM_STEP_BYTES));
        let wanted = self.length + more;
        if self.text.len() < wanted {
            self.text.resize(wanted, 0);
        }
    }

    /// Counts a line in that was put after the others.
    fn add(&mut self, key_end: usize, length: usize) {
        let start = self.length;
        let key = start + self.header.name().len()..start + key_end;
        if start > 0 && self.is_in_order {
            let of = |key: &std::ops::Range<usize>| self.text.get(key.clone()).unwrap_or_default();
            self.is_in_order = !self.is_uneven && order::compare(of(&self.last_key), of(&key)).is_lt();
        }
        self.last_key = key;
        self.length += length;
    }

    /// Writes the family; gives the number of samples that were left out because they were there already.
    pub(super) fn write_to(
        &self,
        format: Format,
        has_short_name: bool,
        lines: &mut Vec<order::Line>,
        out: &mut Vec<u8>,
    ) -> usize {
        self.header.write_to(format, has_short_name, out);
        if self.is_in_order {
            out.extend_from_slice(self.lines());
            return 0;
        }
        let compare = if self.is_uneven { order::compare_uneven } else { order::compare };
        order::write_sorted(self.lines(), self.name().len(), compare, lines, out)
    }

    /// Whether the page is better made of its memory than the other way round, when so much of the page is there.
    pub(super) fn is_worth_handing_over(&self, page_bytes: usize) -> bool {
        self.is_in_order && self.length >= HANDED_OVER_MIN_BYTES.max(2 * page_bytes)
    }

    /// Writes the family like [`Buffer::write_to`], which it has to be worth it for: what is on the page is put before
    /// the lines, in their memory, so that nothing large is there twice. The buffer has no lines after it.
    pub(super) fn hand_over(&mut self, format: Format, has_short_name: bool, out: &mut Vec<u8>) {
        self.header.write_to(format, has_short_name, out);
        let mut text = std::mem::take(&mut self.text);
        text.truncate(self.length);
        self.handed_over_bytes = self.length + ROOM_STEP_BYTES;
        self.length = 0;
        let lines = text.len();
        text.resize(lines + out.len(), 0);
        text.copy_within(..lines, out.len());
        if let Some(start) = text.get_mut(..out.len()) {
            start.copy_from_slice(out);
        }
        *out = text;
    }
}

fn pieces(name: &[u8], labels: &[&str]) -> Box<[Piece]> {
    let mut pieces = Vec::new();
    let mut piece = name.to_vec();
    for (at, label) in labels.iter().enumerate() {
        piece.extend_from_slice(if at == 0 { b"{" } else { b"\"," });
        piece.extend_from_slice(label.as_bytes());
        piece.extend_from_slice(b"=\"");
        pieces.push(Piece::new(&std::mem::take(&mut piece)));
    }
    piece.extend_from_slice(if labels.is_empty() { b" " } else { b"\"} " });
    pieces.push(Piece::new(&piece));
    pieces.into()
}
