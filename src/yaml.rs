//! YAML as a tree that knows its lines.
//!
//! Anchors and aliases are followed, as often as [`NODES_MAX`] allows. Tags other than `!!str`, merge keys and a second
//! document are refused: whoever writes them expects more than would happen.

pub(crate) mod section;

use std::collections::BTreeMap;
use std::fmt;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

/// Maximum number of values of a file. Values that aliases repeat count each time.
const NODES_MAX: usize = 10_000;

/// So deep they may stand in each other.
const DEPTH_MAX: usize = 16;

/// An error in a file, with its line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Problem {
    line: Option<usize>,
    what: String,
}

impl Problem {
    pub(crate) fn at(line: usize, what: impl Into<String>) -> Self {
        Self { line: Some(line), what: what.into() }
    }

    /// One that no single line has.
    pub(crate) fn general(what: impl Into<String>) -> Self {
        Self { line: None, what: what.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// A value and the line in which it begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Value,
}

/// A YAML value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A word. What it means is for the reader to say; one in quotes is never a number.
    Scalar {
        text: String,
        is_plain: bool,
    },
    List(Vec<Node>),
    /// In the order of the file; no key is there twice.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub(crate) line: usize,
    pub(crate) key: String,
    pub(crate) node: Node,
}

/// Reads a file that holds one document, or none, which is `Null`.
pub(crate) fn parse(text: &str) -> Result<Node, Problem> {
    let mut builder = Builder { events: Parser::new_from_str(text), anchors: BTreeMap::new(), nodes: 0, line: 1 };
    let mut document = None;
    loop {
        match builder.next()? {
            Event::StreamEnd => return Ok(document.unwrap_or(Node { line: 1, value: Value::Null })),
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            _ if document.is_some() => return Err(Problem::at(builder.line, "a second document; put all into one")),
            event => document = Some(builder.node(event, 0)?),
        }
    }
}

struct Builder<I> {
    events: I,
    /// By number, what an alias stands for.
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    /// Where the last event began.
    line: usize,
}

impl<'a, I: Iterator<Item = Result<(Event<'a>, Span), ScanError>>> Builder<I> {
    fn next(&mut self) -> Result<Event<'a>, Problem> {
        match self.events.next() {
            Some(Ok((event, span))) => {
                self.line = span.start.line();
                Ok(event)
            }
            Some(Err(error)) => Err(Problem::at(error.marker().line(), format!("no YAML: {}", error.info()))),
            None => Ok(Event::StreamEnd),
        }
    }

    fn node(&mut self, event: Event<'a>, depth: usize) -> Result<Node, Problem> {
        let line = self.line;
        self.count(1)?;
        if depth > DEPTH_MAX {
            return Err(Problem::at(line, format!("more than {DEPTH_MAX} levels")));
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
                let node = known.ok_or_else(|| Problem::at(line, "an alias within what it stands for"))?;
                self.count(size(&node))?;
                return Ok(Node { line, ..node });
            }
            _ => return Err(Problem::at(line, "expected a value")),
        };
        let node = Node { line, value };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn count(&mut self, nodes: usize) -> Result<(), Problem> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES_MAX {
            return Err(Problem::at(self.line, format!("more than {NODES_MAX} values")));
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

    fn map(&mut self, depth: usize) -> Result<Vec<Entry>, Problem> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let event = match self.next()? {
                Event::MappingEnd => return Ok(entries),
                event => event,
            };
            let Node { line, value: Value::Scalar { text: key, .. } } = self.node(event, depth + 1)? else {
                return Err(Problem::at(self.line, "expected a word as key"));
            };
            if let Some(before) = entries.iter().find(|entry| entry.key == key) {
                let before = before.line;
                return Err(Problem::at(line, format!("`{key}` is there already, in line {before}; leave one")));
            }
            let event = self.next()?;
            entries.push(Entry { line, key, node: self.node(event, depth + 1)? });
        }
    }

    /// Whether a tag says that this is text.
    fn is_text(&self, tag: Option<&Tag>) -> Result<bool, Problem> {
        match tag {
            None => Ok(false),
            Some(tag) if tag.is_yaml_core_schema_tag("str") => Ok(true),
            Some(_) => Err(Problem::at(self.line, "tags have no meaning here; leave it out")),
        }
    }
}

fn scalar(text: String, is_text: bool) -> Value {
    if !is_text && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    Value::Scalar { text, is_plain: !is_text }
}

/// How many values there are in this one.
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

    /// Each value with its line and what it says; `!` stands after what was in quotes.
    fn told(node: &Node) -> String {
        let line = node.line;
        match &node.value {
            Value::Null => format!("{line}:null "),
            Value::Scalar { text, is_plain } => format!("{line}:{text:?}{} ", if *is_plain { "" } else { "!" }),
            Value::List(nodes) => format!("[{}]", nodes.iter().map(told).collect::<String>()),
            Value::Map(entries) => {
                let entry = |entry: &Entry| format!("{}:{}={}", entry.line, entry.key, told(&entry.node));
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().concat())
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = parse(text).map_or_else(|problem| problem.to_string(), |node| told(&node));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn values_know_their_lines() {
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
    fn what_would_be_misread_is_refused() {
        check("a: 1\nb: 2\na: 3\n", "line 3: `a` is there already, in line 1; leave one");
        check("a: 1\n---\nb: 1\n", "line 3: a second document; put all into one");
        check("a: !new 1\n", "line 1: tags have no meaning here; leave it out");
        check("? [a]\n: 1\n", "line 1: expected a word as key");
        check("~: 1\n", "line 1: expected a word as key");
        check("&x [*x]\n", "line 1: an alias within what it stands for");
        assert!(parse("a: [1\n").unwrap_err().to_string().contains(": no YAML: "));
    }

    #[test]
    fn levels_have_a_limit() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(&nested(DEPTH_MAX + 1)).is_ok());
        check(&nested(DEPTH_MAX + 2), &format!("line 1: more than {DEPTH_MAX} levels"));
    }

    #[test]
    fn values_have_a_limit_that_aliases_count_towards() {
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
        fn any_text_is_read_or_refused(text: String) {
            let _ = parse(&text);
        }
    }
}
