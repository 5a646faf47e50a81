//! The samples of one family, encoded.

use super::header::Header;
use super::{Format, order};
use crate::kit::bytes::Piece;
use crate::kit::family::FamilyInfo;
use crate::kit::label::Label;
use crate::kit::number::Number;

/// The lines of one family.
#[derive(Debug)]
pub(super) struct Buffer {
    header: Header,
    labels: &'static [&'static str],
    /// What stands before the values of a sample that has all labels: `name{a="`, `",b="`, and `"} ` before its number.
    pieces: Box<[Piece]>,
    text: Vec<u8>,
    samples: usize,
    /// Where the last line's label values are in `text`, to see whether the next one follows in order.
    last_values: std::ops::Range<usize>,
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
            samples: 0,
            last_values: 0..0,
            is_in_order: true,
            is_uneven: false,
        }
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.samples = 0;
        self.last_values = 0..0;
        self.is_in_order = true;
        self.is_uneven = false;
    }

    pub(super) fn name(&self) -> &[u8] {
        self.header.name()
    }

    pub(super) fn short_name(&self) -> Option<&[u8]> {
        self.header.short_name()
    }

    /// How many samples it has, those that are there twice counted twice.
    pub(super) fn samples(&self) -> usize {
        self.samples
    }

    /// A sample of a family whose name may have been made with other labels before.
    pub(super) fn push_labelled(&mut self, labels: &[&'static str], values: &[&dyn Label], value: Number) {
        if self.labels == labels { self.push(values, value) } else { self.push_uneven(labels, values, value) }
    }

    pub(super) fn push(&mut self, values: &[&dyn Label], value: Number) {
        let Self { pieces, text, last_values, .. } = self;
        let start = text.len();
        let mut values_start = start;
        let mut is_whole = true;
        for (at, piece) in pieces.iter().enumerate() {
            piece.append_to(text);
            if at == 0 {
                values_start = text.len();
            }
            if let Some(label) = values.get(at) {
                is_whole &= label.write_if_present(text);
            }
        }
        if !is_whole {
            text.truncate(start);
            return self.push_uneven(self.labels, values, value);
        }
        self.samples += 1;
        let values = values_start..text.len();
        value.write_to(text);
        text.push(b'\n');
        if start > 0 && self.is_in_order {
            self.is_in_order =
                !self.is_uneven && order::compare(&text[last_values.clone()], &text[values.clone()]).is_lt();
        }
        *last_values = values;
    }

    /// A sample that does not have all labels, or has others.
    #[cold]
    fn push_uneven(&mut self, labels: &[&str], values: &[&dyn Label], value: Number) {
        self.is_in_order &= self.text.is_empty();
        self.is_uneven = true;
        self.samples += 1;
        self.text.extend_from_slice(self.header.name());
        let key_start = self.text.len();
        for (label, value) in labels.iter().zip(values) {
            let before = self.text.len();
            self.text.push(if before == key_start { b'{' } else { b',' });
            self.text.extend_from_slice(label.as_bytes());
            self.text.extend_from_slice(b"=\"");
            if value.write_if_present(&mut self.text) {
                self.text.push(b'"');
            } else {
                self.text.truncate(before);
            }
        }
        self.text.extend_from_slice(if self.text.len() > key_start { b"} " } else { b" " });
        value.write_to(&mut self.text);
        self.text.push(b'\n');
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
            out.extend_from_slice(&self.text);
            return 0;
        }
        let compare = if self.is_uneven { order::compare_uneven } else { order::compare };
        order::write_sorted(&self.text, self.name().len(), compare, lines, out)
    }

    /// Whether it has no samples.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
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
