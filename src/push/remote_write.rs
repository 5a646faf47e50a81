//! The messages of Prometheus remote write 1.0 and 2.0 (2.0-rc.4).
//!
//! The encoders are hand-written: six message types of numbers and strings take fewer lines than a build step with a code
//! generator, and no crate.

use std::collections::HashMap;

use super::page::{self, FamilyKind, PageLine};

/// Version of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// `prometheus.WriteRequest`.
    V1,
    /// `io.prometheus.write.v2.Request`.
    V2,
}

impl Version {
    /// Value of the header `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::V1 => "application/x-protobuf;proto=prometheus.WriteRequest",
            Self::V2 => "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        }
    }

    /// Value of the header `X-Prometheus-Remote-Write-Version`.
    pub fn header(self) -> &'static str {
        match self {
            Self::V1 => "0.1.0",
            Self::V2 => "2.0.0",
        }
    }
}

/// Start of the counters of a page by family, in milliseconds since 1970; 0 if unknown.
pub type StartOf<'a> = &'a dyn Fn(&str) -> i64;

/// Writes protobuf fields.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    fn key(&mut self, field: u8, wire_type: u8) {
        self.varint(u64::from(field) << 3 | u64::from(wire_type));
    }

    /// Writes a number; zero is omitted, as in proto3.
    fn number(&mut self, field: u8, number: u64) {
        if number != 0 {
            self.key(field, 0);
            self.varint(number);
        }
    }

    fn signed(&mut self, field: u8, number: i64) {
        self.number(field, number.cast_unsigned());
    }

    fn double(&mut self, field: u8, value: f64) {
        if value.to_bits() != 0 {
            self.key(field, 1);
            self.0.extend_from_slice(&value.to_bits().to_le_bytes());
        }
    }

    fn bytes(&mut self, field: u8, bytes: &[u8]) {
        self.key(field, 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn string(&mut self, field: u8, text: &str) {
        if !text.is_empty() {
            self.bytes(field, text.as_bytes());
        }
    }
}

fn kind_number(kind: FamilyKind) -> u64 {
    match kind {
        FamilyKind::Untyped => 0,
        FamilyKind::Counter => 1,
        FamilyKind::Gauge => 2,
        FamilyKind::Histogram => 3,
        FamilyKind::Summary => 5,
    }
}

/// Labels of a sample with `__name__`, sorted, without empty values and repeated names.
fn sorted_labels<'a>(sample: &page::Sample<'a>, into: &mut Vec<(&'a str, std::borrow::Cow<'a, str>)>) {
    into.clear();
    into.push(("__name__", sample.name.into()));
    into.extend(sample.labels().filter(|(_, value)| !value.is_empty()));
    into.sort_by(|one, other| one.0.cmp(other.0));
    into.dedup_by(|one, other| one.0 == other.0);
}

/// An encoded request.
#[derive(Debug)]
pub struct Encoded {
    /// The uncompressed message.
    pub message: Vec<u8>,
    /// Number of samples.
    pub samples: usize,
}

/// Encodes the samples of a text for version 1.0. Malformed lines are skipped; the text was checked before.
pub fn encode_v1(text: &str, timestamp: i64) -> Encoded {
    let mut request = Message::default();
    let mut samples = 0;
    let mut labels = Vec::new();
    let (mut series, mut part) = (Message::default(), Message::default());
    for line in page::lines(text).flatten() {
        let PageLine::Sample(sample) = line else { continue };
        sorted_labels(&sample, &mut labels);
        series.0.clear();
        for (name, value) in &labels {
            part.0.clear();
            part.string(1, name);
            part.string(2, value);
            series.bytes(1, &part.0);
        }
        part.0.clear();
        part.double(1, sample.value);
        part.signed(2, sample.timestamp.unwrap_or(timestamp));
        series.bytes(2, &part.0);
        request.bytes(1, &series.0);
        samples += 1;
    }
    Encoded { message: request.0, samples }
}

/// Encodes types and HELP texts for version 1.0, which has a separate request for them.
pub fn encode_v1_metadata(text: &str) -> Vec<u8> {
    let mut request = Message::default();
    let mut part = Message::default();
    let mut help: Option<(&str, &str)> = None;
    for line in page::lines(text).flatten() {
        match line {
            PageLine::Help(name, words) => help = Some((name, words)),
            PageLine::Type(name, kind) => {
                part.0.clear();
                part.number(1, kind_number(kind));
                part.string(2, name);
                part.string(4, &page::unescape(help.filter(|(of, _)| *of == name).map_or("", |(_, words)| words)));
                request.bytes(3, &part.0);
            }
            PageLine::Sample(_) => {}
        }
    }
    request.0
}

/// Symbol table of a request: unique strings, the first of which is empty.
struct Symbols {
    numbers: HashMap<String, u64>,
    message: Message,
}

impl Symbols {
    fn new() -> Self {
        let mut symbols = Self { numbers: HashMap::new(), message: Message::default() };
        symbols.number("");
        symbols
    }

    fn number(&mut self, text: &str) -> u64 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.numbers.len() as u64;
        self.numbers.insert(text.to_owned(), number);
        self.message.bytes(4, text.as_bytes());
        number
    }
}

/// Encodes a text for version 2.0.
pub fn encode_v2(text: &str, timestamp: i64, start_of: StartOf<'_>) -> Encoded {
    let mut symbols = Symbols::new();
    let mut all = Message::default();
    let (mut series, mut part) = (Message::default(), Message::default());
    let mut labels = Vec::new();
    let mut samples = 0;
    let mut family = Family::default();
    for line in page::lines(text).flatten() {
        match line {
            PageLine::Help(name, help) => family = Family { name, help, kind: FamilyKind::Untyped },
            PageLine::Type(name, kind) if family.name == name => family.kind = kind,
            PageLine::Type(name, kind) => family = Family { name, help: "", kind },
            PageLine::Sample(sample) => {
                sorted_labels(&sample, &mut labels);
                series.0.clear();
                part.0.clear();
                for (name, value) in &labels {
                    part.varint(symbols.number(name));
                    part.varint(symbols.number(value));
                }
                series.bytes(1, &part.0);
                let known = family.of(sample.name);
                part.0.clear();
                part.double(1, sample.value);
                part.signed(2, sample.timestamp.unwrap_or(timestamp));
                if known.counts(sample.name) {
                    part.signed(3, start_of(known.name));
                }
                series.bytes(2, &part.0);
                part.0.clear();
                part.number(1, kind_number(known.kind));
                part.number(3, symbols.number(&page::unescape(known.help)));
                series.bytes(5, &part.0);
                all.bytes(5, &series.0);
                samples += 1;
            }
        }
    }
    let mut message = symbols.message.0;
    message.extend_from_slice(&all.0);
    Encoded { message, samples }
}

/// The family of samples.
#[derive(Clone, Copy, Default)]
struct Family<'a> {
    name: &'a str,
    help: &'a str,
    kind: FamilyKind,
}

impl<'a> Family<'a> {
    /// This family if the sample belongs to it, otherwise one without a type.
    fn of(self, sample: &'a str) -> Self {
        let rest = sample.strip_prefix(self.name);
        let is_member = match rest {
            Some("") => true,
            Some("_sum" | "_count") => matches!(self.kind, FamilyKind::Histogram | FamilyKind::Summary),
            Some("_bucket") => self.kind == FamilyKind::Histogram,
            _ => false,
        };
        if is_member && !self.name.is_empty() {
            self
        } else {
            Self { name: sample, help: "", kind: FamilyKind::Untyped }
        }
    }

    /// Whether a sample is monotonic.
    fn counts(self, sample: &str) -> bool {
        match self.kind {
            FamilyKind::Counter | FamilyKind::Histogram => true,
            FamilyKind::Summary => sample != self.name,
            FamilyKind::Gauge | FamilyKind::Untyped => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field of a message, decoded by the rules of the wire format.
    #[derive(Clone, PartialEq, Debug)]
    enum Field {
        Number(u64),
        Double(f64),
        Bytes(Vec<u8>),
    }

    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut number = 0;
        for shift in (0..).step_by(7) {
            let (&byte, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }

    fn decode(mut bytes: &[u8]) -> Vec<(u64, Field)> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes);
            let field = match key & 7 {
                0 => Field::Number(varint(&mut bytes)),
                1 => {
                    let (double, rest) = bytes.split_at(8);
                    bytes = rest;
                    Field::Double(f64::from_le_bytes(double.try_into().unwrap()))
                }
                2 => {
                    let length = usize::try_from(varint(&mut bytes)).unwrap();
                    let (content, rest) = bytes.split_at(length);
                    bytes = rest;
                    Field::Bytes(content.to_vec())
                }
                other => panic!("wire type {other}"),
            };
            fields.push((key >> 3, field));
        }
        fields
    }

    fn nested(fields: &[(u64, Field)], number: u64) -> Vec<Vec<(u64, Field)>> {
        let content = fields.iter().filter(|(found, _)| *found == number);
        content.map(|(_, field)| if let Field::Bytes(bytes) = field { decode(bytes) } else { panic!() }).collect()
    }

    fn strings(fields: &[(u64, Field)], number: u64) -> Vec<String> {
        let content = fields.iter().filter(|(found, _)| *found == number);
        content
            .map(
                |(_, field)| {
                    if let Field::Bytes(bytes) = field { String::from_utf8(bytes.clone()).unwrap() } else { panic!() }
                },
            )
            .collect()
    }

    const PAGE: &str = "# HELP node_x_total Things \\\\ done.\n# TYPE node_x_total counter\nnode_x_total{cpu=\"1\",a=\"\",Z=\"z\"} 7\n\
        # TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 0\nh_count 2\nalone StaleNaN 1600000000000\n";

    #[test]
    fn version_1_has_sorted_labels_and_no_empty_ones() {
        let encoded = encode_v1(PAGE, 1_700_000_000_123);
        assert_eq!(encoded.samples, 5);
        let series = nested(&decode(&encoded.message), 1);
        let labels: Vec<_> = nested(&series[0], 1)
            .iter()
            .map(|label| (strings(label, 1)[0].clone(), strings(label, 2)[0].clone()))
            .collect();
        let expected = [("Z", "z"), ("__name__", "node_x_total"), ("cpu", "1")];
        assert_eq!(labels, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let sample = |number: usize| nested(&series[number], 2)[0].clone();
        assert_eq!(sample(0), [(1, Field::Double(7.0)), (2, Field::Number(1_700_000_000_123))]);
        // Zero is the default of proto3.
        assert_eq!(sample(2), [(2, Field::Number(1_700_000_000_123))]);
        let (_, Field::Double(stale)) = sample(4)[0].clone() else { panic!() };
        assert_eq!(stale.to_bits(), page::STALE_BITS);
        assert_eq!(sample(4)[1], (2, Field::Number(1_600_000_000_000)));
    }

    #[test]
    fn metadata_of_version_1_has_type_name_and_help() {
        let metadata = nested(&decode(&encode_v1_metadata(PAGE)), 3);
        assert_eq!(metadata[0][0], (1, Field::Number(1)));
        assert_eq!(
            (strings(&metadata[0], 2), strings(&metadata[0], 4)),
            (vec!["node_x_total".to_owned()], vec!["Things \\ done.".to_owned()])
        );
        assert_eq!((metadata[1][0].clone(), strings(&metadata[1], 4).len()), ((1, Field::Number(3)), 0));
    }

    #[test]
    fn version_2_interns_strings_and_tells_types_and_starts() {
        let encoded = encode_v2(PAGE, 1_700_000_000_123, &|family| if family == "h" { 0 } else { 42 });
        let fields = decode(&encoded.message);
        let symbols = strings(&fields, 4);
        assert_eq!(symbols[0], "");
        let mut unique = symbols.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), symbols.len());
        let series = nested(&fields, 5);
        assert_eq!((series.len(), encoded.samples), (5, 5));
        let labels = |number: usize| {
            let (_, Field::Bytes(references)) = series[number].iter().find(|(field, _)| *field == 1).unwrap().clone()
            else {
                panic!()
            };
            let mut references = &references[..];
            let mut found = Vec::new();
            while !references.is_empty() {
                found.push(symbols[usize::try_from(varint(&mut references)).unwrap()].clone());
            }
            found
        };
        assert_eq!(labels(0), ["Z", "z", "__name__", "node_x_total", "cpu", "1"]);
        assert_eq!(
            nested(&series[0], 2)[0],
            [(1, Field::Double(7.0)), (2, Field::Number(1_700_000_000_123)), (3, Field::Number(42))]
        );
        let metadata = nested(&series[0], 5)[0].clone();
        assert_eq!(metadata[0], (1, Field::Number(1)));
        let (3, Field::Number(help)) = metadata[1] else { panic!() };
        assert_eq!(symbols[usize::try_from(help).unwrap()], "Things \\ done.");
        // A histogram's parts belong to it; a start that is unknown is left out.
        assert_eq!(nested(&series[1], 5)[0], [(1, Field::Number(3))]);
        assert_eq!(nested(&series[3], 2)[0].len(), 2);
        assert_eq!(nested(&series[4], 5)[0], []);
    }
}
