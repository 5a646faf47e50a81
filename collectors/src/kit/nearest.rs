//! Suggestions for misspelled names.

/// Maximum length of compared names.
const NAME_MAX_BYTES: usize = 100;

/// The most similar of `names`, if at most a third of its bytes differ.
pub fn among<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > NAME_MAX_BYTES {
        return None;
    }
    let (edits, near) = names.map(|known| (edits(name.as_bytes(), known.as_bytes()), known)).min()?;
    (edits <= name.len() / 3).then_some(near)
}

/// The edit distance: insertions, removals and replacements of bytes.
fn edits(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (done, a) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], done + 1);
        for (at, b) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, expected: usize) {
        assert_eq!(edits(a.as_bytes(), b.as_bytes()), expected);
        assert_eq!(edits(b.as_bytes(), a.as_bytes()), expected);
    }

    #[test]
    fn edits_are_counted() {
        check("", "", 0);
        check("", "abc", 3);
        check("abc", "abc", 0);
        check("abc", "axc", 1);
        check("abc", "bc", 1);
        check("kitten", "sitting", 3);
    }

    #[test]
    fn only_similar_names_are_suggested() {
        let names = ["collector.arp", "web.listen-address"];
        let near = |name: &str| among(name, names.into_iter());
        assert_eq!(near("collector.atp"), Some("collector.arp"));
        assert_eq!(near("web.listen-addres"), Some("web.listen-address"));
        assert_eq!(near("x"), None);
        assert_eq!(near("something.else.entirely"), None);
        let long = format!("collector.arp{}", " ".repeat(NAME_MAX_BYTES));
        assert_eq!(near(&long), None);
    }
}
