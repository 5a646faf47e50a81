//! Paths that a fault applies to.

use std::fmt;

use collectors::host::root::Mount;
use collectors::host::root::tree::KERNEL;
use collectors::host::tree_text;
use collectors::kit::nearest;

use collectors::host::glob::{is_pattern, matches};

/// Pattern of the paths that a fault applies to, such as `proc/net/dev`, `sys/class/net/*/speed`, `proc/7/**` or
/// `kernel/statfs/srv/backup`.
///
/// The first component is a mount of the host or `kernel`. `*` matches any part of a name, `?` a byte, `[0-9]` a digit,
/// `**` any number of directories, including none. Unprintable bytes and literal wildcards are written `\xNN`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FaultSite {
    names: Vec<Name>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Name {
    Exactly(Vec<u8>),
    Like(Vec<u8>),
    /// `**`: any number of directories.
    Any,
}

const ANY: &str = "**";

impl FaultSite {
    /// Site of a single path.
    pub fn exact(mount: Mount, path: &[u8]) -> Self {
        let names = [mount.name().as_bytes()].into_iter().chain(components(path));
        Self { names: names.map(|name| Name::Exactly(name.to_vec())).collect() }
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let names: Vec<Name> =
            text.split('/').map(name).collect::<Result<_, _>>().map_err(|problem| format!("`{text}`: {problem}"))?;
        let known = || Mount::ALL.map(Mount::name).into_iter().chain([KERNEL]);
        match names.first() {
            Some(Name::Exactly(folder)) if !known().any(|known| known.as_bytes() == folder) => {
                let folder = String::from_utf8_lossy(folder);
                let advice = match nearest::among(&folder, known()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("expected one of {}", known().collect::<Vec<_>>().join(", ")),
                };
                Err(format!("`{text}`: unknown mount `{folder}`; {advice}"))
            }
            _ => Ok(Self { names }),
        }
    }

    /// Whether a path below a mount or `kernel` matches.
    pub(super) fn matches(&self, folder: &str, path: &[u8]) -> bool {
        let path: Vec<&[u8]> = [folder.as_bytes()].into_iter().chain(components(path)).collect();
        fits(&self.names, &path)
    }

    /// Whether any path below a mount or `kernel` can match.
    pub(super) fn may_match_in(&self, folder: &str) -> bool {
        match self.names.first() {
            Some(Name::Exactly(name)) => name == folder.as_bytes(),
            Some(Name::Like(pattern)) => matches(pattern, folder.as_bytes()),
            Some(Name::Any) => true,
            None => false,
        }
    }

    /// Whether this path, or one below it, can match. `**` does not cross a symbolic link.
    #[cfg(feature = "tools")]
    pub(super) fn may_be_below(&self, folder: &str, path: &[u8], is_link: bool) -> bool {
        let path: Vec<&[u8]> = [folder.as_bytes()].into_iter().chain(components(path)).collect();
        leads_to(&self.names, &path, is_link)
    }

    /// Whether only kernel answers match.
    pub(super) fn is_kernel(&self) -> bool {
        matches!(self.names.first(), Some(Name::Exactly(name)) if name == KERNEL.as_bytes())
    }

    /// Mount and path, if the site is a single path.
    pub(super) fn single(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut names = Vec::new();
        for name in &self.names {
            let Name::Exactly(name) = name else { return None };
            names.push(name.as_slice());
        }
        let (folder, below) = names.split_first()?;
        Some((folder.to_vec(), below.join(&b'/')))
    }
}

fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/').filter(|name| !name.is_empty())
}

fn name(text: &str) -> Result<Name, String> {
    if text == ANY {
        return Ok(Name::Any);
    }
    let name = tree_text::unescape(text)?;
    match name.as_slice() {
        b"" => return Err("empty path component; write it as proc/net/dev, without leading or trailing `/`".to_owned()),
        b"." | b".." => return Err("`.` and `..` are not allowed; write the resolved path".to_owned()),
        _ => {}
    }
    if !is_pattern(text.as_bytes()) {
        return Ok(Name::Exactly(name));
    }
    if wildcards(text.as_bytes()) != wildcards(&name) {
        return Err("a wildcard and an escaped wildcard in one name; write `?` for the escaped one".to_owned());
    }
    Ok(Name::Like(name))
}

fn wildcards(name: &[u8]) -> usize {
    name.iter().filter(|byte| matches!(byte, b'*' | b'?' | b'[')).count()
}

fn fits(names: &[Name], path: &[&[u8]]) -> bool {
    match (names.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((Name::Any, rest)), _) => {
            (0..=path.len()).any(|skipped| fits(rest, path.get(skipped..).unwrap_or_default()))
        }
        (Some((Name::Exactly(name), names)), Some((found, path))) => name == found && fits(names, path),
        (Some((Name::Like(pattern), names)), Some((found, path))) => matches(pattern, found) && fits(names, path),
        _ => false,
    }
}

/// Whether the path is a prefix of a matching path.
#[cfg(feature = "tools")]
fn leads_to(names: &[Name], path: &[&[u8]], is_link: bool) -> bool {
    match (names.split_first(), path.split_first()) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some((Name::Any, rest)), Some((_, below))) => {
            leads_to(rest, path, is_link) || !(is_link && below.is_empty()) && leads_to(names, below, is_link)
        }
        (Some((Name::Exactly(name), names)), Some((found, path))) => name == found && leads_to(names, path, is_link),
        (Some((Name::Like(pattern), names)), Some((found, path))) => {
            matches(pattern, found) && leads_to(names, path, is_link)
        }
    }
}

impl fmt::Display for FaultSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.names.iter().enumerate() {
            if at > 0 {
                f.write_str("/")?;
            }
            let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'/');
            let mut text = Vec::new();
            match name {
                Name::Any => text.extend_from_slice(ANY.as_bytes()),
                Name::Like(pattern) => tree_text::escape(&mut text, pattern, is_plain),
                Name::Exactly(name) => {
                    tree_text::escape(&mut text, name, |byte| is_plain(byte) && !matches!(byte, b'*' | b'?' | b'['));
                }
            }
            f.write_str(&String::from_utf8_lossy(&text))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(site: &str, folder: &str, path: &str, expected: bool) {
        let site = FaultSite::parse(site).unwrap();
        assert_eq!(site.matches(folder, path.as_bytes()), expected, "{site} {folder}/{path}");
    }

    #[test]
    fn sites_match_whole_paths() {
        check("proc/stat", "proc", "stat", true);
        check("proc/stat", "sys", "stat", false);
        check("proc/stat", "proc", "stat/x", false);
        check("sys/class/net/*/speed", "sys", "class/net/eth0/speed", true);
        check("sys/class/net/*/speed", "sys", "class/net/eth0/x/speed", false);
        check("proc/7/**", "proc", "7", true);
        check("proc/7/**", "proc", "7/task/8/stat", true);
        check("proc/7/**", "proc", "77/stat", false);
        check("**/speed", "sys", "class/net/eth0/speed", true);
        check("*/**", "udev", "b8:0", true);
        check("proc/[0-9]*/stat", "proc", "12/stat", true);
        check("proc/[0-9]*/stat", "proc", "self/stat", false);
        check("host/srv/metrics/a.prom", "host", "/srv/metrics/a.prom", true);
        check("proc/a\\x2a", "proc", "a*", true);
        check("proc/a\\x2a", "proc", "ab", false);
    }

    #[track_caller]
    fn refuse(site: &str, expected: &str) {
        assert_eq!(FaultSite::parse(site).unwrap_err(), expected);
    }

    #[test]
    fn invalid_sites_are_refused() {
        refuse("prac/stat", "`prac/stat`: unknown mount `prac`; did you mean `proc`?");
        refuse(
            "etc/passwd",
            "`etc/passwd`: unknown mount `etc`; expected one of proc, sys, rootfs, udev, host, kernel",
        );
        refuse(
            "proc//stat",
            "`proc//stat`: empty path component; write it as proc/net/dev, without leading or trailing `/`",
        );
        refuse(
            "/proc/stat",
            "`/proc/stat`: empty path component; write it as proc/net/dev, without leading or trailing `/`",
        );
        refuse("proc/../stat", "`proc/../stat`: `.` and `..` are not allowed; write the resolved path");
        refuse(
            "proc/a\\x2a*",
            "`proc/a\\x2a*`: a wildcard and an escaped wildcard in one name; write `?` for the escaped one",
        );
    }

    proptest! {
        #[test]
        fn single_paths_round_trip(path in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..9), 1..4)) {
            let is_name = |name: &Vec<u8>| !name.contains(&b'/') && *name != b"." && *name != b"..";
            prop_assume!(path.iter().all(is_name));
            let path = path.join(&b'/');
            let site = FaultSite::exact(Mount::Sys, &path);
            let read = FaultSite::parse(&site.to_string()).unwrap();
            prop_assert_eq!(&read, &site);
            prop_assert!(read.matches("sys", &path) && !read.matches("proc", &path));
            prop_assert_eq!(read.single(), Some((b"sys".to_vec(), path)));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "[a-z*?/\\[\\]0-9\\\\.x-]{0,20}") {
            if let Ok(site) = FaultSite::parse(&text) {
                prop_assert_eq!(FaultSite::parse(&site.to_string()), Ok(site));
            }
        }
    }
}
