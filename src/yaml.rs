//! YAML as a tree of values with line numbers.
//!
//! Anchors and aliases are resolved within the limit of [`NODES_MAX`]. Tags other than `!!str`, merge keys and a second
//! document are refused, because ignoring them would give the file another meaning than its author expects.

pub(crate) mod section;

use std::collections::BTreeMap;
use std::fmt;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

/// Maximum number of values of a file, with repetitions by aliases.
const NODES_MAX: usize = 10_000;

/// Maximum nesting depth.
const DEPTH_MAX: usize = 16;

/// Where a value begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    /// Line, from 1.
    pub(crate) line: usize,
    /// Column in characters, from 1; 0 where it is not known.
    pub(crate) column: usize,
}

impl Place {
    /// The begin of a file.
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    fn of(marker: &Marker) -> Self {
        Self { line: marker.line(), column: marker.col() + 1 }
    }
}

impl From<usize> for Place {
    fn from(line: usize) -> Self {
        Self { line, column: 0 }
    }
}

/// An error in a file, with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Problem {
    pub(crate) place: Option<Place>,
    pub(crate) what: String,
}

impl Problem {
    pub(crate) fn at(place: impl Into<Place>, what: impl Into<String>) -> Self {
        Self { place: Some(place.into()), what: what.into() }
    }

    /// An error without a line.
    pub(crate) fn general(what: impl Into<String>) -> Self {
        Self { place: None, what: what.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(Place { line, .. }) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// A value and where it begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// A YAML value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Value {
    /// An absent value, `~` or `null`.
    Null,
    /// A scalar that is not interpreted yet. A quoted one (`is_plain` is false) is never a number or a boolean.
    Scalar {
        text: String,
        is_plain: bool,
    },
    List(Vec<Node>),
    /// Entries in the order of the file, without duplicate keys.
    Map(Vec<MapEntry>),
}

/// A key of a map with its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MapEntry {
    pub(crate) place: Place,
    pub(crate) key: String,
    pub(crate) node: Node,
}

/// Parses a file with at most one document; an empty file is `Null`.
pub(crate) fn parse(text: &str) -> Result<Node, Problem> {
    let mut builder =
        Builder { events: Parser::new_from_str(text), anchors: BTreeMap::new(), nodes: 0, place: Place::START };
    let mut document = None;
    loop {
        match builder.next()? {
            Event::StreamEnd => return Ok(document.unwrap_or(Node { place: Place::START, value: Value::Null })),
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            _ if document.is_some() => {
                return Err(Problem::at(builder.place, "expected one document, found a second one; merge them"));
            }
            event => document = Some(builder.node(event, 0)?),
        }
    }
}

struct Builder<I> {
    events: I,
    /// The values of anchors, by the number of the anchor.
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    /// Where the last event begins.
    place: Place,
}

impl<'a, I: Iterator<Item = Result<(Event<'a>, Span), ScanError>>> Builder<I> {
    fn next(&mut self) -> Result<Event<'a>, Problem> {
        match self.events.next() {
            Some(Ok((event, span))) => {
                self.place = Place::of(&span.start);
                Ok(event)
            }
            Some(Err(error)) => Err(Problem::at(Place::of(error.marker()), format!("invalid YAML: {}", error.info()))),
            None => Ok(Event::StreamEnd),
        }
    }

    fn node(&mut self, event: Event<'a>, depth: usize) -> Result<Node, Problem> {
        let place = self.place;
        self.count(1)?;
        if depth > DEPTH_MAX {
            return Err(Problem::at(place, format!("nested deeper than {DEPTH_MAX} levels")));
        }
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = self.is_text(tag.as_deref())? || style != ScalarStyle::Plain;
                (anchor, scalar(text.into_owned(), is_text))
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.is_text(tag.as_deref())?;
                (anchor, Value::List(self.list(depth)?))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.is_text(tag.as_deref())?;
                (anchor, Value::Map(self.map(depth)?))
            }
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                let node = known.ok_or_else(|| Problem::at(place, "an alias inside of its own anchor"))?;
                self.count(size(&node))?;
                return Ok(Node { place, ..node });
            }
            _ => return Err(Problem::at(place, "expected a value")),
        };
        let node = Node { place, value };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn count(&mut self, nodes: usize) -> Result<(), Problem> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES_MAX {
            return Err(Problem::at(self.place, format!("more than {NODES_MAX} values")));
        }
        Ok(())
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Problem> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(nodes),
                event => nodes.push(self.node(event, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<MapEntry>, Problem> {
        let mut entries: Vec<MapEntry> = Vec::new();
        loop {
            let event = match self.next()? {
                Event::MappingEnd => return Ok(entries),
                event => event,
            };
            let Node { place, value: Value::Scalar { text: key, .. } } = self.node(event, depth + 1)? else {
                return Err(Problem::at(self.place, "expected a scalar as key"));
            };
            if let Some(before) = entries.iter().find(|entry| entry.key == key) {
                let before = before.place.line;
                return Err(Problem::at(place, format!("duplicate key `{key}`, first in line {before}; remove one")));
            }
            let event = self.next()?;
            entries.push(MapEntry { place, key, node: self.node(event, depth + 1)? });
        }
    }

    /// Whether the tag is `!!str`. Other tags are errors.
    fn is_text(&self, tag: Option<&Tag>) -> Result<bool, Problem> {
        match tag {
            None => Ok(false),
            Some(tag) if tag.is_yaml_core_schema_tag("str") => Ok(true),
            Some(_) => Err(Problem::at(self.place, "tags are not supported; remove the tag")),
        }
    }
}

fn scalar(text: String, is_text: bool) -> Value {
    if !is_text && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    Value::Scalar { text, is_plain: !is_text }
}

/// Number of values inside of this one.
fn size(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Scalar { .. } => 0,
        Value::List(nodes) => nodes.iter().map(|node| 1 + size(node)).sum(),
        Value::Map(entries) => entries.iter().map(|entry| 2 + size(&entry.node)).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Prints each value with its line; `!` follows a quoted one.
    fn print(node: &Node) -> String {
        let line = node.place.line;
        match &node.value {
            Value::Null => format!("{line}:null "),
            Value::Scalar { text, is_plain } => format!("{line}:{text:?}{} ", if *is_plain { "" } else { "!" }),
            Value::List(nodes) => format!("[{}]", nodes.iter().map(print).collect::<String>()),
            Value::Map(entries) => {
                let entry = |entry: &MapEntry| format!("{}:{}={}", entry.place.line, entry.key, print(&entry.node));
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().concat())
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = parse(text).map_or_else(|problem| problem.to_string(), |node| print(&node));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn values_have_line_numbers() {
        check("", "1:null ");
        check("# nothing\n", "1:null ");
        check("---\na: 1\nb:\n  - x\n  - 'y'\n", "{2:a=2:\"1\" 3:b=[4:\"x\" 5:\"y\"! ]}");
        check("a: ~\nb: \"~\"\nc:\nd: ''\n", "{1:a=1:null 2:b=2:\"~\"! 3:c=3:null 4:d=4:\"\"! }");
        check("a: !!str 5\n", "{1:a=1:\"5\"! }");
        check("a: {b: [c]}\n", "{1:a={1:b=[1:\"c\" ]}}");
        check("a: |\n  one\n  two\nb: x\n", "{1:a=2:\"one\\ntwo\\n\"! 4:b=4:\"x\" }");
        check("a: &x {b: 1}\nc: *x\n", "{1:a={1:b=1:\"1\" }2:c={1:b=1:\"1\" }}");
    }

    #[test]
    fn ambiguous_yaml_is_refused() {
        check("a: 1\nb: 2\na: 3\n", "line 3: duplicate key `a`, first in line 1; remove one");
        check("a: 1\n---\nb: 1\n", "line 3: expected one document, found a second one; merge them");
        check("a: !new 1\n", "line 1: tags are not supported; remove the tag");
        check("? [a]\n: 1\n", "line 1: expected a scalar as key");
        check("~: 1\n", "line 1: expected a scalar as key");
        check("&x [*x]\n", "line 1: an alias inside of its own anchor");
        assert!(parse("a: [1\n").unwrap_err().to_string().contains(": invalid YAML: "));
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(&nested(DEPTH_MAX + 1)).is_ok());
        check(&nested(DEPTH_MAX + 2), &format!("line 1: nested deeper than {DEPTH_MAX} levels"));
    }

    #[test]
    fn the_number_of_values_is_limited_with_those_of_aliases() {
        let list = |values: usize| format!("[{}]", "a,".repeat(values));
        assert!(parse(&list(NODES_MAX - 1)).is_ok());
        check(&list(NODES_MAX), &format!("line 1: more than {NODES_MAX} values"));
        let level = |level: usize| format!("- &a{level} [{}]\n", format!("*a{},", level - 1).repeat(10));
        let bomb = ["- &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned()].into_iter().chain((1..10).map(level));
        check(&bomb.collect::<String>(), &format!("line 4: more than {NODES_MAX} values"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn arbitrary_text_does_not_panic(text: String) {
            let _ = parse(&text);
        }
    }
}
