//! Expansion of glob patterns of paths, like Go's `path/filepath`.

use crate::host::glob::{is_pattern_go, matches_go};
use crate::host::root::Names;

/// The paths that a pattern matches, in order; none if the pattern is malformed or has no special characters. `list`
/// lists a directory and returns whether it could.
pub(super) fn expand(pattern: &[u8], list: &mut impl FnMut(&[u8], &mut Names) -> bool) -> Vec<Vec<u8>> {
    if !is_pattern_go(pattern) || matches_go(pattern, b"").is_none() {
        return Vec::new();
    }
    let (directory, last) = split(pattern);
    let directories = if is_pattern_go(&directory) { expand(&directory, list) } else { vec![directory] };
    let mut found = Vec::new();
    let mut names = Names::new();
    for directory in directories {
        if list(&directory, &mut names) {
            let matching = names.iter().filter(|name| matches_go(last, name) == Some(true));
            found.extend(matching.map(|name| join(&directory, name)));
        }
    }
    found
}

/// Splits a path at its last slash; the directory is `.` without one.
fn split(path: &[u8]) -> (Vec<u8>, &[u8]) {
    match memchr::memrchr(b'/', path) {
        None => (b".".to_vec(), path),
        Some(0) => (b"/".to_vec(), path.get(1..).unwrap_or_default()),
        Some(slash) => {
            let (directory, last) = path.split_at(slash);
            (directory.to_vec(), last.get(1..).unwrap_or_default())
        }
    }
}

/// Joins a directory and a name, and cleans the result: no `//`, no `.`, and `..` removes the previous component.
pub(super) fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let is_absolute = directory.starts_with(b"/");
    let mut components: Vec<&[u8]> = Vec::new();
    for component in directory.split(|&byte| byte == b'/').chain([name]) {
        match component {
            b"" | b"." => {}
            b".." if components.last().is_some_and(|last| *last != b"..") => drop(components.pop()),
            b".." if is_absolute => {}
            _ => components.push(component),
        }
    }
    let path = components.join(&b'/');
    if is_absolute { [b"/", path.as_slice()].concat() } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Kind;
    use proptest::prelude::*;

    #[track_caller]
    fn check_join(directory: &str, name: &str, expected: &str) {
        assert_eq!(String::from_utf8(join(directory.as_bytes(), name.as_bytes())).unwrap(), expected);
    }

    #[test]
    fn joined_paths_are_clean() {
        check_join("a/b", "x", "a/b/x");
        check_join("/a//b/", "x", "/a/b/x");
        check_join(".", "x", "x");
        check_join("./a/./b", "x", "a/b/x");
        check_join("a/../b", "x", "b/x");
        check_join("../../a", "x", "../../a/x");
        check_join("/../a", "x", "/a/x");
        check_join("/", "x", "/x");
    }

    #[track_caller]
    fn check_expand(pattern: &str, expected: &[&str]) {
        let mut list = |path: &[u8], names: &mut Names| {
            names.clear();
            let all: &[&str] = match path {
                b"." => &["a1", "a2", "b"],
                b"a1" | b"a2" => &["x", "y"],
                b"/" => &["srv"],
                b"/srv" => &["one", "two"],
                _ => return false,
            };
            for name in all {
                names.push(name.as_bytes(), Kind::Directory);
            }
            true
        };
        let found = expand(pattern.as_bytes(), &mut list);
        let found: Vec<_> = found.iter().map(|path| std::str::from_utf8(path).unwrap()).collect();
        assert_eq!(found, expected, "{pattern}");
    }

    #[test]
    fn patterns_are_expanded_directory_by_directory() {
        check_expand("a*", &["a1", "a2"]);
        check_expand("a?/x", &["a1/x", "a2/x"]);
        check_expand("./a[12]/y", &["a1/y", "a2/y"]);
        check_expand("/s*/t*", &["/srv/two"]);
        check_expand("/*", &["/srv"]);
        check_expand("*/z", &[]);
        check_expand("missing/*", &[]);
        check_expand("a1", &[]);
        check_expand("a*/", &[]);
        check_expand("a[", &[]);
        check_expand("a1/[", &[]);
    }

    proptest! {
        #[test]
        fn any_path_is_joined(directory: Vec<u8>, name: Vec<u8>) {
            let _ = join(&directory, &name);
        }
    }
}
