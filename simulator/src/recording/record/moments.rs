//! Combines two recordings of a host into one tree, with the differences of the second below `later/`.

use collectors::host::errno::Errno;
use collectors::host::root::tree::{InsertError, LATER, Node, Tree, What};

/// Adds the differences of `second` to `first`. An entry that disappeared has the error `ENOENT`.
pub fn combine(first: &Tree, second: &Tree) -> Result<Tree, InsertError> {
    let mut both = first.clone();
    let later = |path: &[u8]| [LATER.as_bytes(), b"/", path].concat();
    for (path, node) in second.iter() {
        if first.get(path) != Some(node) {
            both.insert(later(path), node.clone())?;
        }
    }
    for (path, node) in first.iter() {
        let above = path.iter().rposition(|&byte| byte == b'/').and_then(|slash| path.get(..slash));
        // The entry of a directory that disappeared covers everything below it.
        let is_covered = above.is_some_and(|above| second.get(above).is_none());
        if second.get(path).is_none() && !is_covered {
            let tombstone = match node.what() {
                What::Directory => Node::directory(),
                _ => Node::file(""),
            };
            both.insert(later(path), tombstone.with_error(Errno::ENOENT))?;
        }
    }
    Ok(both)
}

#[cfg(test)]
mod tests {
    use super::*;
    use collectors::host::tree_text;

    #[test]
    fn differences_are_below_later() {
        let first = Tree::new()
            .with_file("proc/stat", "1\n")
            .with_file("proc/version", "x\n")
            .with_file("proc/7/stat", "7\n")
            .with_link("proc/self", "7");
        let second = Tree::new()
            .with_file("proc/stat", "2\n")
            .with_file("proc/version", "x\n")
            .with_file("proc/8/stat", "8\n")
            .with_link("proc/self", "8");
        let both = combine(&first, &second).unwrap();
        let text = String::from_utf8(tree_text::write(&both)).unwrap();
        let (_, later) = text.split_once("== later/").unwrap();
        assert_eq!(
            format!("== later/{later}"),
            "== later/proc/7/ error=ENOENT\n== later/proc/8/stat\n8\n== later/proc/self -> 8\n== later/proc/stat\n2\n\
             == proc/7/stat\n7\n== proc/self -> 7\n== proc/stat\n1\n== proc/version\nx\n"
        );
        assert_eq!(tree_text::parse(text.as_bytes()).unwrap(), both);
    }
}
