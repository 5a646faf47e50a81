//! HELP and TYPE lines.

use super::Format;
use crate::kit::family::Kind;
use crate::kit::label;

const HELP: &[u8] = b"# HELP ";
const TYPE: &[u8] = b"# TYPE ";

/// HELP and TYPE of one family.
#[derive(Debug)]
pub(super) struct Header {
    /// Both lines in the text format.
    text: Box<[u8]>,
    name_length: usize,
    help_length: usize,
    kind: Kind,
}

impl Header {
    pub(super) fn new(name: &[u8], help: &str, kind: Kind) -> Self {
        let mut text = HELP.to_vec();
        text.extend_from_slice(name);
        let before_help = text.len();
        if !help.is_empty() {
            text.push(b' ');
            label::push_escaped_help(help, &mut text);
        }
        let help_length = text.len() - before_help;
        text.push(b'\n');
        push_type(name, kind.word(), &mut text);
        Self { text: text.into(), name_length: name.len(), help_length, kind }
    }

    pub(super) fn name(&self) -> &[u8] {
        self.text.get(HELP.len()..HELP.len() + self.name_length).unwrap_or_default()
    }

    /// The family name of a counter in OpenMetrics: without the `_total` of its samples. `None` for other types.
    pub(super) fn short_name(&self) -> Option<&[u8]> {
        self.name().strip_suffix(b"_total").filter(|_| self.kind == Kind::Counter)
    }

    /// Appends the lines. `has_short_name` is false if another family has the [`Header::short_name`]: the family then keeps
    /// its name and has the type `unknown`, because OpenMetrics allows no counter of that name.
    pub(super) fn write_to(&self, format: Format, has_short_name: bool, out: &mut Vec<u8>) {
        if format == Format::Text {
            return out.extend_from_slice(&self.text);
        }
        let (name, word) = match (self.short_name().filter(|_| has_short_name), self.kind) {
            (Some(short), _) => (short, Kind::Counter.word()),
            (None, Kind::Counter | Kind::Untyped) => (self.name(), "unknown"),
            (None, kind) => (self.name(), kind.word()),
        };
        let help_start = HELP.len() + self.name_length;
        let help = self.text.get(help_start..help_start + self.help_length).unwrap_or_default();
        if !help.is_empty() {
            out.extend_from_slice(HELP);
            out.extend_from_slice(name);
            push_quotes_escaped(help, out);
            out.push(b'\n');
        }
        push_type(name, word, out);
    }
}

fn push_type(name: &[u8], word: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(TYPE);
    out.extend_from_slice(name);
    out.push(b' ');
    out.extend_from_slice(word.as_bytes());
    out.push(b'\n');
}

/// Appends a HELP text with escaped quotes, which OpenMetrics requires.
fn push_quotes_escaped(mut help: &[u8], out: &mut Vec<u8>) {
    while let Some(quote) = memchr::memchr(b'"', help) {
        let (before, rest) = help.split_at(quote);
        out.extend_from_slice(before);
        out.extend_from_slice(b"\\\"");
        help = rest.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(help);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, kind: Kind, has_short_name: bool, expected: &str) {
        let mut out = Vec::new();
        let header = Header::new(name.as_bytes(), "A \"b\" \\\nc.", kind);
        assert_eq!(header.name(), name.as_bytes());
        header.write_to(Format::OpenMetrics, has_short_name, &mut out);
        let [help, kind] = [r#" A \"b\" \\\nc."#, expected.split(' ').next_back().unwrap_or_default()];
        let name = expected.split(' ').next().unwrap_or_default();
        assert_eq!(String::from_utf8_lossy(&out), format!("# HELP {name}{help}\n# TYPE {name} {kind}\n"));
    }

    #[test]
    fn openmetrics_has_its_own_names_and_types() {
        check("x_total", Kind::Counter, true, "x counter");
        check("x_total", Kind::Counter, false, "x_total unknown");
        check("x", Kind::Counter, true, "x unknown");
        check("x_total", Kind::Gauge, true, "x_total gauge");
        check("x", Kind::Untyped, true, "x unknown");
        check("x", Kind::Histogram, true, "x histogram");
        check("x", Kind::Summary, true, "x summary");
    }

    #[test]
    fn openmetrics_omits_an_empty_help_line() {
        let header = Header::new(b"x", "", Kind::Gauge);
        for (format, expected) in
            [(Format::Text, "# HELP x\n# TYPE x gauge\n"), (Format::OpenMetrics, "# TYPE x gauge\n")]
        {
            let mut out = Vec::new();
            header.write_to(format, true, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
