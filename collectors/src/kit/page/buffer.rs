//! The samples of one family, encoded.

use super::order;
use crate::kit::family::Kind;
use crate::kit::label::{self, Label};
use crate::kit::number::Number;

/// The lines of one family.
#[derive(Debug)]
pub(super) struct Buffer {
    /// The HELP and TYPE lines.
    header: Box<[u8]>,
    name_length: usize,
    text: Vec<u8>,
    /// Where the last line's labels are in `text`, to see whether the next one follows in order.
    last_key: std::ops::Range<usize>,
    is_in_order: bool,
    /// Whether some sample does not have all labels.
    is_uneven: bool,
}

impl Buffer {
    pub(super) fn new(name: &[u8], help: &str, kind: Kind) -> Self {
        Self {
            header: header(name, help, kind).into(),
            name_length: name.len(),
            text: Vec::new(),
            last_key: 0..0,
            is_in_order: true,
            is_uneven: false,
        }
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.last_key = 0..0;
        self.is_in_order = true;
        self.is_uneven = false;
    }

    pub(super) fn name(&self) -> &[u8] {
        let start = b"# HELP ".len();
        &self.header[start..start + self.name_length]
    }

    pub(super) fn push(&mut self, labels: &[&'static str], values: &[&dyn Label], value: Number) {
        let Self { header, name_length, text, last_key, .. } = self;
        let is_first = text.is_empty();
        let start = b"# HELP ".len();
        text.extend_from_slice(&header[start..start + *name_length]);
        let key_start = text.len();
        for (label, value) in labels.iter().zip(values).filter(|(_, value)| !value.is_absent()) {
            text.push(if text.len() == key_start { b'{' } else { b',' });
            text.extend_from_slice(label.as_bytes());
            text.extend_from_slice(b"=\"");
            value.write_to(text);
            text.push(b'"');
        }
        if text.len() > key_start {
            text.push(b'}');
        }
        let key = key_start..text.len();
        text.push(b' ');
        value.write_to(text);
        text.push(b'\n');
        self.is_uneven |= values.iter().any(|value| value.is_absent());
        if !is_first && self.is_in_order {
            self.is_in_order = !self.is_uneven && order::compare(&text[last_key.clone()], &text[key.clone()]).is_lt();
        }
        self.last_key = key;
    }

    /// Writes the family; gives the number of samples that were left out because they were there already.
    pub(super) fn write_to(&self, lines: &mut Vec<order::Line>, out: &mut Vec<u8>) -> usize {
        out.extend_from_slice(&self.header);
        if self.is_in_order {
            out.extend_from_slice(&self.text);
            return 0;
        }
        let compare = if self.is_uneven { order::compare_uneven } else { order::compare };
        order::write_sorted(&self.text, self.name_length, compare, lines, out)
    }

    /// Whether it has no samples.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// The HELP and TYPE lines of a family.
pub(crate) fn header(name: &[u8], help: &str, kind: Kind) -> Vec<u8> {
    let mut header = b"# HELP ".to_vec();
    header.extend_from_slice(name);
    if !help.is_empty() {
        header.push(b' ');
        label::push_escaped_help(help, &mut header);
    }
    header.extend_from_slice(b"\n# TYPE ");
    header.extend_from_slice(name);
    header.push(b' ');
    header.extend_from_slice(kind.word().as_bytes());
    header.push(b'\n');
    header
}
