//! Modules of one parent do not use each other in a circle: each can be read after those that it uses.
//!
//! A module stands for itself and everything below it. A child that uses its parent is no circle, because the parent is
//! not its sibling.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Source, assert_none, sources};

/// The folders of the crates' modules.
const CRATES: [&str; 4] = ["src", "collectors/src", "simulator/src", "harness/src"];

/// Modules by their paths, each with the names that its code uses.
type Modules = BTreeMap<Vec<String>, Vec<Vec<String>>>;

/// The path of the module in a file, and `None` for a file of tests.
fn module_of(folder: &str, path: &str) -> Option<Vec<String>> {
    let name = path.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(".rs")?;
    let parts: Vec<String> = name.split('/').map(str::to_owned).collect();
    let is_test = parts.iter().any(|part| part == "tests" || part == "bin");
    match parts.as_slice() {
        [only] if only == "lib" || only == "main" => Some(Vec::new()),
        _ => (!is_test).then_some(parts),
    }
}

/// The code of a file without comments and without its tests, which stand at the end.
fn code_of(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.fold(String::new(), |all, line| all + line.trim() + " ")
}

/// Paths that begin with `crate`, `super`, `self` or a child module: `use` lists are spelt out.
fn used_paths(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for start in starts_of_paths(code) {
        expand(&mut code[start..].chars().peekable(), &mut Vec::new(), &mut paths);
    }
    paths
}

/// Positions of the first names of paths.
fn starts_of_paths(code: &str) -> Vec<usize> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':';
    let bytes = code.as_bytes();
    let begins = |&at: &usize| is_name(bytes[at]) && bytes[at] != b':' && (at == 0 || !is_name(bytes[at - 1]));
    (0..bytes.len())
        .filter(begins)
        .filter(|&at| {
            let end =
                bytes[at..].iter().position(|&byte| !is_name(byte) || byte == b':').map_or(bytes.len(), |to| at + to);
            bytes[end..].starts_with(b"::")
        })
        .collect()
}

/// Reads `a::{b, c::d}` from behind `before`, and appends every whole path.
fn expand(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, before: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    let depth = before.len();
    loop {
        while rest.next_if(|found| found.is_whitespace()).is_some() {}
        let mut name = String::new();
        while let Some(found) = rest.next_if(|found| found.is_alphanumeric() || *found == '_') {
            name.push(found);
        }
        if name.is_empty() && rest.next_if_eq(&'{').is_some() {
            loop {
                expand(rest, before, paths);
                while rest.next_if(|found| found.is_whitespace()).is_some() {}
                if rest.next_if_eq(&',').is_none() {
                    break;
                }
            }
            rest.next_if_eq(&'}');
            break;
        }
        before.push(name);
        if rest.next_if_eq(&':').is_none() || rest.next_if_eq(&':').is_none() {
            paths.push(before.clone());
            // Of `a as b` the rest is a name only.
            while rest.next_if(|found| found.is_alphanumeric() || *found == '_' || *found == ' ').is_some() {}
            break;
        }
    }
    before.truncate(depth);
}

/// The module that a path leads to, seen from another one; `None` if the path leaves the crate.
fn target(modules: &Modules, from: &[String], path: &[String]) -> Option<Vec<String>> {
    let first = path.first()?.as_str();
    let mut found = match first {
        "crate" => Vec::new(),
        "self" => from.to_vec(),
        "super" => from[..from.len().checked_sub(1)?].to_vec(),
        name => [from, &[name.to_owned()]].concat(),
    };
    if !matches!(first, "crate" | "self" | "super") && !modules.contains_key(&found) {
        return None;
    }
    for name in &path[1..] {
        if name == "super" {
            found.pop()?;
            continue;
        }
        found.push(name.clone());
        if !modules.contains_key(&found) {
            found.pop();
            break;
        }
    }
    Some(found)
}

/// For each parent, which of its children uses which other one.
fn uses_of_siblings(modules: &Modules) -> BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<String>>> {
    let mut all: BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (from, paths) in modules {
        for to in paths.iter().filter_map(|path| target(modules, from, path)) {
            let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            if let (Some(user), Some(used)) = (from.get(common), to.get(common)) {
                let children = all.entry(from[..common].to_vec()).or_default();
                children.entry(user.clone()).or_default().insert(used.clone());
            }
        }
    }
    all
}

/// The modules that can be reached from one.
fn reachable(uses: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&String> = uses.get(from).into_iter().flatten().collect();
    while let Some(name) = next.pop() {
        if found.insert(name.clone()) {
            next.extend(uses.get(name).into_iter().flatten());
        }
    }
    found
}

/// A line for each circle: the parent and the modules.
fn cycles(folder: &str, sources: &[Source]) -> Vec<String> {
    let modules: Modules = sources
        .iter()
        .filter_map(|source| Some((module_of(folder, &source.path)?, used_paths(&code_of(&source.text)))))
        .collect();
    let mut lines = BTreeSet::new();
    for (parent, uses) in uses_of_siblings(&modules) {
        for name in uses.keys() {
            let circle: Vec<String> =
                reachable(&uses, name).into_iter().filter(|other| reachable(&uses, other).contains(name)).collect();
            if !circle.is_empty() {
                lines.insert(format!(
                    "{folder}, modules of {}: {}",
                    ["crate"].into_iter().chain(parent.iter().map(String::as_str)).collect::<Vec<_>>().join("::"),
                    circle.join(", ")
                ));
            }
        }
    }
    lines.into_iter().collect()
}

#[test]
fn modules_do_not_use_each_other_in_a_circle() {
    let sources = sources();
    let found: Vec<String> = CRATES.iter().flat_map(|folder| cycles(folder, &sources)).collect();
    assert_none(&found, "move what one module takes from the other into a third one, or below the other");
}

#[test]
fn a_planted_circle_is_found() {
    let file = |path: &str, text: &str| Source { path: format!("src/{path}.rs"), text: text.to_owned() };
    let found = |files: &[Source]| cycles("src", files);
    let tail = file("c", "fn f() {}\n");
    let direct =
        [file("lib", "mod a;\nmod b;\n"), file("a", "use crate::b::B;\n"), file("b", "fn f() { crate::a::f() }\n")];
    assert_eq!(found(&direct), ["src, modules of crate: a, b"]);
    let long = [
        file("a", "use super::{x, b::{B, c}};\n"),
        file("b", "use crate::c;\n"),
        file("c", "use crate::a::deep::D;\n"),
        file("a/deep", "\n"),
    ];
    assert_eq!(found(&long), ["src, modules of crate: a, b, c"]);
    let below = [file("p", "mod a;\n"), file("p/a", "use super::b;\n"), file("p/b", "use crate::p::a::A as Other;\n")];
    assert_eq!(found(&below), ["src, modules of crate::p: a, b"]);
    let child = [file("p", "mod a;\nuse a::f;\n"), file("p/a", "use super::P;\n"), tail];
    assert_eq!(found(&child), [""; 0]);
    let test =
        [file("a", "use crate::b;\n"), file("b", "// crate::a\n#[cfg(test)]\nmod tests {\n    use crate::a;\n}\n")];
    assert_eq!(found(&test), [""; 0]);
}
