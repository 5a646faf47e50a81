//! The samples of one family, encoded.

use super::header::Header;
use super::{Format, order};
use crate::kit::family::FamilyInfo;
use crate::kit::label::Label;
use crate::kit::line::{LINE_MAX_BYTES, Piece, ROOM_BYTES, Room, put_byte};
use crate::kit::number::Number;

/// Minimum size of a family that is handed over; smaller ones keep their memory.
const HANDED_OVER_MIN_BYTES: usize = 1 << 20;

/// Maximum step of the buffer's growth.
const ROOM_STEP_BYTES: usize = 64 << 10;

/// The lines of one family.
#[derive(Debug)]
pub(super) struct Buffer {
    header: Header,
    labels: &'static [&'static str],
    /// The constant texts of a sample with all labels: `name{a="`, `",b="`, and `"} ` before its number.
    pieces: Box<[Piece]>,
    /// The lines, and room for the next one after them.
    text: Vec<u8>,
    /// The length of the lines in `text`.
    length: usize,
    /// The size when the memory was handed over.
    handed_over_bytes: usize,
    /// The range of the last line's labels in `text`, compared with those of the next line.
    last_key: std::ops::Range<usize>,
    is_in_order: bool,
    /// Whether a sample lacks a label.
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
        // The next scrape is likely to need as much; growing would copy.
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

    /// Appends a sample of a kernel-named family, whose buffer may have other labels.
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

    /// Appends a sample; `spare` is scratch memory.
    pub(super) fn push(&mut self, values: &[&dyn Label], value: Number, spare: &mut Vec<u8>) {
        if self.put(values, value).is_none() {
            self.push_any(self.labels, values, value, spare);
        }
    }

    /// Appends a sample with all labels whose line is not long; `None` for any other.
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

    /// Appends any sample; it may lack labels or have others.
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

    /// Makes room for `size_bytes` more. It is zeroed in small steps of the memory, which is allocated in large ones:
    /// memory that was never written is not resident.
    #[cold]
    fn make_room(&mut self, size_bytes: usize) {
        let more = size_bytes.max(self.length.min(ROOM_STEP_BYTES));
        let wanted = self.length + more;
        if self.text.len() < wanted {
            self.text.resize(wanted, 0);
        }
    }

    /// Adds the line that was written after the last one.
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

    /// Writes the family; returns the number of duplicates, which are left out.
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

    /// Whether to hand over the memory to the page, of which `page_bytes` are written, instead of copying the lines.
    pub(super) fn is_worth_handing_over(&self, page_bytes: usize) -> bool {
        self.is_in_order && self.length >= HANDED_OVER_MIN_BYTES.max(2 * page_bytes)
    }

    /// Writes the family like [`Buffer::write_to`] by moving the page in front of the lines, in their memory, so that the
    /// lines are never copied. Afterwards the buffer is empty. See [`Buffer::is_worth_handing_over`].
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::family::Kind;

    /// A line of 256 bytes still fits the buffer of a line; one more byte takes the other path to the same text.
    #[test]
    fn a_line_fits_up_to_its_maximum_length() {
        const LABELS: &[&str] = &["a", "b", "c", "d", "e"];
        const REST_BYTES: usize = r#"n{a="",b="",c="",d="",e=""} 1"#.len() + 1;
        let info = FamilyInfo { name: "n", kind: Kind::Gauge, labels: LABELS, help: "N.", is_volatile: false };
        for (line_bytes, fits) in [(255, true), (256, true), (257, false), (258, false)] {
            let values = line_bytes - REST_BYTES;
            let texts: [String; 5] = std::array::from_fn(|at| "x".repeat(values / 5 + usize::from(at < values % 5)));
            let values = texts.each_ref().map(|text| text as &dyn Label);
            let mut buffer = Buffer::new(b"n", &info, "N.");
            assert_eq!(buffer.put(&values, 1_u64.into()).is_some(), fits, "{line_bytes}");
            buffer.clear();
            buffer.push(&values, 1_u64.into(), &mut Vec::new());
            let labels: Vec<_> = LABELS.iter().zip(&texts).map(|(name, text)| format!("{name}=\"{text}\"")).collect();
            let expected = format!("n{{{}}} 1\n", labels.join(","));
            assert_eq!(expected.len(), line_bytes);
            assert_eq!(String::from_utf8_lossy(buffer.lines()), expected);
        }
    }
}
