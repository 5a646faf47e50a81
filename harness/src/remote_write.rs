//! Remote write as a receiver sees it: a strict decoder of both versions, written from the specifications.
//!
//! It shares no code with the exporter's encoder. Whatever the specification forbids a sender is an error, and so are
//! fields that it does not have.

use std::collections::BTreeMap;

/// Labels by name, with `__name__`.
pub type Labels = BTreeMap<String, String>;

/// A sample of a request.
#[derive(Clone, PartialEq, Debug)]
pub struct WrittenSample {
    /// Labels of the series.
    pub labels: Labels,
    /// Value.
    pub value: f64,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// Start of a counter in milliseconds since 1970; 0 if unknown, and by version 1.0.
    pub start: i64,
    /// Number of the family's type by 2.0; 0 by version 1.0.
    pub kind: u64,
    /// HELP text by 2.0.
    pub help: String,
}

/// A decoded request.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Written {
    /// Samples in the order of the request.
    pub samples: Vec<WrittenSample>,
    /// Family, type and HELP text: the metadata of version 1.0.
    pub metadata: Vec<(String, u64, String)>,
}

/// `Content-Type` of version 2.0.
pub const CONTENT_TYPE_2: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
const CONTENT_TYPES_1: [&str; 2] = ["application/x-protobuf", "application/x-protobuf;proto=prometheus.WriteRequest"];

/// Checks and decodes a request: its headers, by lower-case name, and its body.
pub fn decode<'a>(header: impl Fn(&str) -> Option<&'a str>, body: &[u8]) -> Result<Written, String> {
    let of = |name: &str| header(name).ok_or_else(|| format!("header {name} is missing"));
    let expect = |name: &str, expected: &str| match of(name)? {
        found if found == expected => Ok(()),
        found => Err(format!("{name}: expected {expected}, found {found}")),
    };
    if of("user-agent")?.is_empty() {
        return Err("user-agent: expected a name".to_owned());
    }
    expect("content-encoding", "snappy")?;
    let message = unpack_snappy(body)?;
    let content_type = of("content-type")?;
    if content_type == CONTENT_TYPE_2 {
        expect("x-prometheus-remote-write-version", "2.0.0")?;
        decode_2(&message)
    } else if CONTENT_TYPES_1.contains(&content_type) {
        expect("x-prometheus-remote-write-version", "0.1.0")?;
        decode_1(&message)
    } else {
        Err(format!("content-type: found {content_type}"))
    }
}

/// A field of a message.
#[derive(Clone, Copy, Debug)]
enum Field<'a> {
    Number(u64),
    Double(f64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    fn number(self) -> Result<u64, String> {
        if let Self::Number(number) = self { Ok(number) } else { Err(format!("expected a varint, found {self:?}")) }
    }

    fn bytes(self) -> Result<&'a [u8], String> {
        if let Self::Bytes(bytes) = self { Ok(bytes) } else { Err(format!("expected bytes, found {self:?}")) }
    }

    fn text(self) -> Result<&'a str, String> {
        std::str::from_utf8(self.bytes()?).map_err(|error| error.to_string())
    }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or("truncated varint")?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err("varint of more than 64 bits".to_owned())
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], String> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or("truncated message")?;
    *bytes = rest;
    Ok(taken)
}

fn fields(mut bytes: &[u8]) -> Result<Vec<(u64, Field<'_>)>, String> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let field = match key & 7 {
            0 => Field::Number(varint(&mut bytes)?),
            1 => {
                let double = take(&mut bytes, 8)?.try_into().map_err(|_| "truncated double")?;
                Field::Double(f64::from_le_bytes(double))
            }
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).map_err(|error| error.to_string())?;
                Field::Bytes(take(&mut bytes, length)?)
            }
            other => return Err(format!("wire type {other}")),
        };
        fields.push((key >> 3, field));
    }
    Ok(fields)
}

/// Value, timestamp and start of a sample. Version 1.0 has no start.
fn sample(bytes: &[u8], has_start: bool) -> Result<(f64, i64, i64), String> {
    let (mut value, mut timestamp, mut start) = (0.0, 0, 0);
    for field in fields(bytes)? {
        match field {
            (1, Field::Double(found)) => value = found,
            (2, found) => timestamp = found.number()?.cast_signed(),
            (3, found) if has_start => start = found.number()?.cast_signed(),
            other => return Err(format!("sample: unknown field {other:?}")),
        }
    }
    if start > timestamp || timestamp <= 0 || start < 0 {
        return Err(format!("a sample of {timestamp} that starts at {start}"));
    }
    Ok((value, timestamp, start))
}

/// Checks what both versions ask of the labels of a series.
fn labels(pairs: Vec<(&str, &str)>) -> Result<Labels, String> {
    for pair in pairs.windows(2) {
        if pair[0].0 >= pair[1].0 {
            return Err(format!("labels out of order or repeated: {pairs:?}"));
        }
    }
    let is_name = |name: &str, further: char| {
        let is_first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == further;
        name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit())
    };
    for (name, value) in &pairs {
        let is_valid = if *name == "__name__" { is_name(value, ':') } else { is_name(name, '_') };
        if value.is_empty() || !is_valid {
            return Err(format!("label {name}={value:?}"));
        }
    }
    let labels: Labels = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if labels.contains_key("__name__") { Ok(labels) } else { Err(format!("a series without a name: {labels:?}")) }
}

fn push_series(
    written: &mut Written,
    labels: &Labels,
    samples: &[(f64, i64, i64)],
    (kind, help): (u64, &str),
) -> Result<(), String> {
    if samples.is_empty() || samples.windows(2).any(|pair| pair[0].1 >= pair[1].1) {
        return Err(format!("{labels:?}: expected samples in the order of time, found {samples:?}"));
    }
    for &(value, timestamp, start) in samples {
        let (labels, help) = (labels.clone(), help.to_owned());
        written.samples.push(WrittenSample { labels, value, timestamp, start, kind, help });
    }
    Ok(())
}

fn decode_1(message: &[u8]) -> Result<Written, String> {
    let mut written = Written::default();
    for (number, field) in fields(message)? {
        match number {
            1 => {
                let (mut pairs, mut samples) = (Vec::new(), Vec::new());
                for (number, field) in fields(field.bytes()?)? {
                    match number {
                        1 => {
                            let (mut name, mut value) = ("", "");
                            for (number, field) in fields(field.bytes()?)? {
                                match number {
                                    1 => name = field.text()?,
                                    2 => value = field.text()?,
                                    other => return Err(format!("label: unknown field {other}")),
                                }
                            }
                            pairs.push((name, value));
                        }
                        2 => samples.push(sample(field.bytes()?, false)?),
                        other => return Err(format!("series: unknown field {other}")),
                    }
                }
                push_series(&mut written, &labels(pairs)?, &samples, (0, ""))?;
            }
            3 => {
                let (mut kind, mut family, mut help) = (0, "", "");
                for (number, field) in fields(field.bytes()?)? {
                    match number {
                        1 => kind = field.number()?,
                        2 => family = field.text()?,
                        4 => help = field.text()?,
                        5 => _ = field.text()?,
                        other => return Err(format!("metadata: unknown field {other}")),
                    }
                }
                written.metadata.push((family.to_owned(), kind, help.to_owned()));
            }
            other => return Err(format!("request of 1.0: unknown field {other}")),
        }
    }
    Ok(written)
}

fn decode_2(message: &[u8]) -> Result<Written, String> {
    let all = fields(message)?;
    let symbols: Vec<&str> =
        all.iter().filter(|(number, _)| *number == 4).map(|(_, field)| field.text()).collect::<Result<_, _>>()?;
    if symbols.first() != Some(&"") {
        return Err(format!("symbols[0]: expected the empty string, found {:?}", symbols.first()));
    }
    let mut sorted = symbols.clone();
    sorted.sort_unstable();
    if let Some(at) = (1..sorted.len()).find(|&at| sorted[at - 1] == sorted[at]) {
        return Err(format!("symbol {:?} stands twice", sorted[at]));
    }
    let symbol = |number: u64| {
        let found = usize::try_from(number).ok().and_then(|number| symbols.get(number));
        found.copied().ok_or_else(|| format!("symbol {number} of {}", symbols.len()))
    };
    let mut written = Written::default();
    for (_, field) in all.iter().filter(|(number, _)| *number != 4) {
        let (mut pairs, mut samples, mut about) = (Vec::new(), Vec::new(), None);
        if !all.iter().all(|(number, _)| matches!(number, 4 | 5)) {
            return Err("request of 2.0: unknown field".to_owned());
        }
        for (number, field) in fields(field.bytes()?)? {
            match number {
                1 => {
                    let mut packed = field.bytes()?;
                    while !packed.is_empty() {
                        let name = symbol(varint(&mut packed)?)?;
                        pairs.push((name, symbol(varint(&mut packed)?)?));
                    }
                }
                2 => samples.push(sample(field.bytes()?, true)?),
                5 => {
                    let (mut kind, mut help) = (0, "");
                    for (number, field) in fields(field.bytes()?)? {
                        match number {
                            1 => kind = field.number()?,
                            3 => help = symbol(field.number()?)?,
                            4 => _ = symbol(field.number()?)?,
                            other => return Err(format!("metadata: unknown field {other}")),
                        }
                    }
                    about = Some((kind, help));
                }
                other => return Err(format!("series: unknown field {other}")),
            }
        }
        let labels = labels(pairs)?;
        let about = about.ok_or_else(|| format!("{labels:?}: metadata is missing"))?;
        if about.0 > 7 {
            return Err(format!("{labels:?}: type {}", about.0));
        }
        push_series(&mut written, &labels, &samples, about)?;
    }
    Ok(written)
}

/// Unpacks snappy's block format.
pub fn unpack_snappy(mut bytes: &[u8]) -> Result<Vec<u8>, String> {
    let length = usize::try_from(varint(&mut bytes)?).map_err(|error| error.to_string())?;
    let mut unpacked: Vec<u8> = Vec::new();
    let little = |bytes: &[u8]| bytes.iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
    while !bytes.is_empty() {
        let tag = usize::from(take(&mut bytes, 1)?[0]);
        let (count, offset) = match tag & 3 {
            0 => {
                let count = match tag >> 2 {
                    short @ 0..60 => short,
                    long => little(take(&mut bytes, long - 59)?),
                };
                unpacked.extend_from_slice(take(&mut bytes, count + 1)?);
                continue;
            }
            1 => ((tag >> 2 & 7) + 4, (tag >> 5) << 8 | little(take(&mut bytes, 1)?)),
            2 => ((tag >> 2) + 1, little(take(&mut bytes, 2)?)),
            _ => ((tag >> 2) + 1, little(take(&mut bytes, 4)?)),
        };
        let start = unpacked.len().checked_sub(offset).filter(|_| offset > 0).ok_or("snappy: copy before the start")?;
        (start..start + count).for_each(|at| unpacked.push(unpacked[at]));
    }
    if unpacked.len() == length { Ok(unpacked) } else { Err(format!("snappy: {} bytes of {length}", unpacked.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes a field of bytes.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(bytes.len()).expect("a short field")], bytes].concat()
    }

    fn series(refs: &[u8], sample: &[u8], metadata: &[u8]) -> Vec<u8> {
        field(5, &[field(1, refs), field(2, sample), field(5, metadata)].concat())
    }

    #[track_caller]
    fn check(symbols: &[&str], series: &[u8], expected: Result<usize, &str>) {
        let message =
            [symbols.iter().flat_map(|symbol| field(4, symbol.as_bytes())).collect(), series.to_vec()].concat();
        match (decode_2(&message), expected) {
            (Ok(written), Ok(samples)) => assert_eq!(written.samples.len(), samples),
            (Err(error), Err(words)) => assert!(error.contains(words), "{error}"),
            (found, _) => panic!("{found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn what_the_specification_forbids_is_refused() {
        let (names, sample) = (["", "__name__", "a", "b"], [0x10, 5]);
        check(&names, &series(&[1, 2], &sample, &[]), Ok(1));
        check(&names, &series(&[1, 2, 2, 3], &sample, &[0x08, 1, 0x18, 3]), Ok(1));
        check(&names[1..], &series(&[0, 1], &sample, &[]), Err("symbols[0]"));
        check(&["", "__name__", "a", "a"], &series(&[1, 2], &sample, &[]), Err("stands twice"));
        check(&names, &series(&[1, 4], &sample, &[]), Err("symbol 4 of 4"));
        check(&names, &series(&[1], &sample, &[]), Err("truncated varint"));
        check(&names, &series(&[2, 3, 1, 2], &sample, &[]), Err("out of order"));
        check(&names, &series(&[1, 2, 2, 0], &sample, &[]), Err("label a=\"\""));
        check(&names, &series(&[2, 3], &sample, &[]), Err("without a name"));
        check(&names, &series(&[1, 2], &[0x10, 5, 0x18, 6], &[]), Err("starts at 6"));
        check(&names, &series(&[1, 2], &sample, &[0x08, 8]), Err("type 8"));
        check(&names, &series(&[1, 2], &[0x10, 5, 0x20, 1], &[]), Err("unknown field"));
        check(&names, &field(5, &field(1, &[1, 2])), Err("metadata is missing"));
    }

    #[test]
    fn snappy_is_unpacked() {
        for (packed, expected) in [
            (&[0][..], Ok(&b""[..])),
            (&[3, 2 << 2, b'a', b'b', b'c'], Ok(&b"abc"[..])),
            (&[6, 1 << 2, b'a', b'b', 0b001, 2], Ok(&b"ababab"[..])),
            (&[5, 0, b'x', 3 << 2 | 2, 1, 0], Ok(&b"xxxxx"[..])),
            (&[2, 0, b'a'], Err("snappy: 1 bytes of 2")),
            (&[4, 0b001, 1], Err("copy before the start")),
        ] {
            match (unpack_snappy(packed), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(error), Err(words)) => assert!(error.contains(words), "{error}"),
                (found, _) => panic!("{packed:?}: {found:?}"),
            }
        }
    }
}
