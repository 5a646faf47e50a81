//! Typed access to a YAML map with a fixed set of keys.

use std::time::Duration;

use collectors::kit::nearest;
use collectors::kit::options::parse_duration;

use super::{MapEntry, Node, Problem, Value};

/// A map that has only known keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section<'a> {
    entries: &'a [MapEntry],
}

impl<'a> Section<'a> {
    /// Checks the keys of a map; a missing map is an empty one. `place` names the map in errors.
    pub(crate) fn read(node: Option<&'a Node>, place: &str, known: &[&'static str]) -> Result<Self, Problem> {
        let entries = entries(node, place)?;
        if let Some(entry) = entries.iter().find(|entry| !known.contains(&entry.key.as_str())) {
            let key = &entry.key;
            let advice = match nearest::among(key, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known keys: {}", known.join(", ")),
            };
            return Err(Problem::at(entry.place, format!("unknown key `{key}` in {place}; {advice}")));
        }
        Ok(Self { entries })
    }

    /// The value of a key; `None` if it is missing or `null`.
    pub(crate) fn get(self, key: &str) -> Option<&'a Node> {
        let found = self.entries.iter().find(|entry| entry.key == key)?;
        (found.node.value != Value::Null).then_some(&found.node)
    }

    /// The text of a key; empty if it is missing.
    pub(crate) fn text(self, key: &str) -> Result<&'a str, Problem> {
        self.get(key).map_or(Ok(""), |node| text(node, key))
    }

    /// The texts of a list with their lines; `None` if the key is missing.
    pub(crate) fn texts(self, key: &str) -> Result<Option<Vec<(usize, &'a str)>>, Problem> {
        let Some(node) = self.get(key) else { return Ok(None) };
        let Value::List(nodes) = &node.value else {
            return Err(Problem::at(node.place, format!("{key}: expected a list")));
        };
        nodes.iter().map(|node| Ok((node.place.line, text(node, key)?))).collect::<Result<_, _>>().map(Some)
    }

    /// A boolean, in any of the spellings of YAML 1.1.
    pub(crate) fn switch(self, key: &str, default: bool) -> Result<bool, Problem> {
        let Some(node) = self.get(key) else { return Ok(default) };
        match &node.value {
            Value::Scalar { text, is_plain: true } if is_word(text, &["true", "yes", "on", "y"]) => Ok(true),
            Value::Scalar { text, is_plain: true } if is_word(text, &["false", "no", "off", "n"]) => Ok(false),
            _ => Err(Problem::at(node.place, format!("{key}: expected true or false"))),
        }
    }

    /// An unsigned integer; 0 if the key is missing.
    pub(crate) fn whole(self, key: &str) -> Result<u32, Problem> {
        let Some(node) = self.get(key) else { return Ok(0) };
        let number = match &node.value {
            Value::Scalar { text, is_plain: true } => text.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| Problem::at(node.place, format!("{key}: expected an integer of 0 to {}", u32::MAX)))
    }

    /// A duration with a unit, or an integer of nanoseconds, as Go's YAML library accepts; 0 if the key is missing.
    pub(crate) fn duration(self, key: &str) -> Result<Duration, Problem> {
        let Some(node) = self.get(key) else { return Ok(Duration::ZERO) };
        let duration = match &node.value {
            Value::Scalar { text, is_plain } => {
                let nanoseconds = text.parse().ok().filter(|_| *is_plain).map(Duration::from_nanos);
                nanoseconds.or_else(|| parse_duration(text))
            }
            _ => None,
        };
        duration
            .ok_or_else(|| Problem::at(node.place, format!("{key}: expected a duration such as 1s, 200ms or 1m30s")))
    }
}

/// The entries of a map with arbitrary keys; a missing map is an empty one.
pub(crate) fn entries<'a>(node: Option<&'a Node>, place: &str) -> Result<&'a [MapEntry], Problem> {
    match node.map(|node| (node.place, &node.value)) {
        None | Some((_, Value::Null)) => Ok(&[]),
        Some((_, Value::Map(entries))) => Ok(entries),
        Some((line, _)) => Err(Problem::at(line, format!("{place}: expected a map of keys and values"))),
    }
}

/// The text of a scalar; numbers as they are written.
pub(crate) fn text<'a>(node: &'a Node, key: &str) -> Result<&'a str, Problem> {
    match &node.value {
        Value::Null => Ok(""),
        Value::Scalar { text, .. } => Ok(text),
        Value::List(_) | Value::Map(_) => Err(Problem::at(node.place, format!("{key}: expected a single value"))),
    }
}

/// Whether the text is one of these words in lower case, capitalized or in upper case: `true`, `True` or `TRUE`.
fn is_word(text: &str, words: &[&str]) -> bool {
    let begins_lower = text.chars().skip(1).all(|c| c.is_ascii_lowercase());
    let is_upper = text.chars().all(|c| c.is_ascii_uppercase());
    (begins_lower || is_upper) && words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;

    fn shown(value: impl std::fmt::Debug) -> String {
        format!("{value:?}")
    }

    #[track_caller]
    fn check(document: &str, read: impl FnOnce(Section<'_>) -> Result<String, Problem>, expected: &str) {
        let node = parse(document).unwrap();
        let found = match Section::read(Some(&node), "the file", &["key", "other_key"]).and_then(read) {
            Ok(value) => value,
            Err(problem) => problem.to_string(),
        };
        assert_eq!(found, expected, "{document}");
    }

    #[test]
    fn unknown_keys_are_refused() {
        check(
            "other_kay: 1\n",
            |_| Ok(shown(())),
            "line 1: unknown key `other_kay` in the file; did you mean `other_key`?",
        );
        check("\nfrobs: 1\n", |_| Ok(shown(())), "line 2: unknown key `frobs` in the file; known keys: key, other_key");
        check("- key\n", |_| Ok(shown(())), "line 1: the file: expected a map of keys and values");
        check("", |_| Ok(shown(())), "()");
    }

    #[test]
    fn scalars_are_read_as_text() {
        for (written, expected) in
            [("1", "1"), ("true", "true"), ("\"a b\"", "a b"), ("0x10", "0x10"), ("~", ""), ("", "")]
        {
            check(&format!("key: {written}\n"), |section| section.text("key").map(shown), &format!("{expected:?}"));
        }
        check("key: [a]\n", |section| section.text("key").map(shown), "line 1: key: expected a single value");
        check("key: [a, 'b']\n", |section| section.texts("key").map(shown), "Some([(1, \"a\"), (1, \"b\")])");
        check("key: []\n", |section| section.texts("key").map(shown), "Some([])");
        check("other_key: 1\n", |section| section.texts("key").map(shown), "None");
        check("key: a\n", |section| section.texts("key").map(shown), "line 1: key: expected a list");
    }

    #[test]
    fn booleans_have_the_spellings_of_yaml_1_1() {
        for (written, expected) in
            [("true", true), ("Yes", true), ("ON", true), ("y", true), ("off", false), ("N", false)]
        {
            check(
                &format!("key: {written}\n"),
                |section| section.switch("key", !expected).map(shown),
                &expected.to_string(),
            );
        }
        for written in ["'true'", "1", "tRUE", "[]", "maybe"] {
            check(
                &format!("key: {written}\n"),
                |section| section.switch("key", true).map(shown),
                "line 1: key: expected true or false",
            );
        }
        check("key:\n", |section| section.switch("key", true).map(shown), "true");
    }

    #[test]
    fn integers_and_durations_are_parsed() {
        check("key: 4294967295\n", |section| section.whole("key").map(shown), "4294967295");
        for written in ["4294967296", "-1", "1.0", "'1'", "one"] {
            let expected = "line 1: key: expected an integer of 0 to 4294967295";
            check(&format!("key: {written}\n"), |section| section.whole("key").map(shown), expected);
        }
        for (written, expected) in
            [("1s", "1s"), ("'200ms'", "200ms"), ("0", "0ns"), ("1000000000", "1s"), ("'0'", "0ns")]
        {
            check(&format!("key: {written}\n"), |section| section.duration("key").map(shown), expected);
        }
        for written in ["-1s", "-1", "'10'", "soon", "[]"] {
            let expected = "line 1: key: expected a duration such as 1s, 200ms or 1m30s";
            check(&format!("key: {written}\n"), |section| section.duration("key").map(shown), expected);
        }
    }
}
