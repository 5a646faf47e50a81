//! Expansion of `@file`: arguments of a file, one per line.

use std::ffi::OsString;
use std::path::Path;

/// Replaces each `@file` by the lines of the file. Empty lines and lines that begin with `#` are skipped; a line that
/// begins with `@` is not expanded again.
pub fn expand(
    arguments: impl IntoIterator<Item = OsString>,
    mut read: impl FnMut(&Path) -> std::io::Result<String>,
) -> Result<Vec<OsString>, String> {
    let mut expanded = Vec::new();
    for argument in arguments {
        // A name that is not UTF-8 is not expanded: the parser refuses it.
        let Some(path) = argument.to_str().and_then(|argument| argument.strip_prefix('@')) else {
            expanded.push(argument);
            continue;
        };
        let text = read(Path::new(path)).map_err(|error| format!("arguments file `{path}`: {error}"))?;
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        expanded.extend(lines.map(OsString::from));
    }
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind};

    #[track_caller]
    fn check(arguments: &[&str], expected: Result<&[&str], &str>) {
        let read = |path: &Path| match path.to_str() {
            Some("flags") => Ok("# comment\n--a\r\n\n--b=c d\n@flags\n".to_owned()),
            _ => Err(Error::from(ErrorKind::NotFound)),
        };
        let found = expand(arguments.iter().map(OsString::from), read);
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
            (found, expected) => panic!("{found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn lines_of_a_file_are_arguments() {
        check(&["--x", "@flags", "--y"], Ok(&["--x", "--a", "--b=c d", "@flags", "--y"]));
        check(&[], Ok(&[]));
        check(&["--x=@flags"], Ok(&["--x=@flags"]));
        check(&["@nothing"], Err("arguments file `nothing`: entity not found"));
    }
}
