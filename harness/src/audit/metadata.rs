//! Packages as `cargo metadata` tells of them, and the `unsafe` in their sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::load;

/// A package that is built.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence; empty where it names none.
    pub licence: String,
    /// Folder of its sources.
    pub folder: PathBuf,
    /// Whether it is of this workspace.
    pub is_own: bool,
    /// Whether the exporter itself is built with it.
    pub is_of_exporter: bool,
}

/// Packages that a Linux build of the workspace needs, without a network.
pub fn packages() -> Result<Vec<Package>, String> {
    let cargo = load::variable("CARGO").unwrap_or_else(|| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--offline", "--locked", "--format-version=1"]);
    command.args(["--filter-platform", "x86_64-unknown-linux-gnu"]).current_dir(load::workspace());
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    read(&output.stdout)
}

fn read(json: &[u8]) -> Result<Vec<Package>, String> {
    let metadata: Value = serde_json::from_slice(json).map_err(|error| format!("cargo metadata: {error}"))?;
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let own: BTreeSet<String> =
        list(&metadata["workspace_members"]).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        // Neither tests nor build scripts.
        let is_normal = |needed: &Value| list(&needed["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
        let normal = list(&node["deps"]).into_iter().filter(is_normal).map(|needed| text(&needed, "pkg"));
        needs.insert(text(&node, "id"), normal.collect());
    }
    let packages = list(&metadata["packages"]);
    let mut open: Vec<String> = packages
        .iter()
        .filter(|package| package["name"] == "node_exporter")
        .map(|package| text(package, "id"))
        .collect();
    let mut of_exporter = BTreeSet::new();
    while let Some(id) = open.pop() {
        if of_exporter.insert(id.clone()) {
            open.extend(needs.get(&id).into_iter().flatten().cloned());
        }
    }
    if of_exporter.is_empty() {
        return Err("cargo metadata: expected the package node_exporter, found none".to_owned());
    }
    let package = |package: &Value| {
        let (id, manifest) = (text(package, "id"), PathBuf::from(text(package, "manifest_path")));
        Package {
            name: text(package, "name"),
            version: text(package, "version"),
            licence: text(package, "license"),
            folder: manifest.parent().map(Path::to_owned).unwrap_or_default(),
            is_own: own.contains(&id),
            is_of_exporter: of_exporter.contains(&id),
        }
    };
    Ok(packages.iter().map(package).collect())
}

/// Number of `unsafe` blocks, functions, implementations and traits in the sources of a package.
pub fn unsafe_count(package: &Package) -> Result<usize, String> {
    let mut count = 0;
    let mut open = vec![package.folder.join("src")];
    while let Some(folder) = open.pop() {
        for name in load::names_if_any(&folder).map_err(|error| error.to_string())? {
            let path = folder.join(&name);
            if load::is_folder(&path) {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == "rs") {
                count += unsafe_in(&load::text(&path).map_err(|error| error.to_string())?);
            }
        }
    }
    Ok(count)
}

/// Number of uses of the word in code, as far as lines tell: comments do not count.
fn unsafe_in(source: &str) -> usize {
    let code = source.lines().map(|line| line.split("//").next().unwrap_or_default());
    let uses = code.flat_map(|line| line.match_indices("unsafe").map(move |(at, word)| (line, at, word.len())));
    uses.filter(|(line, at, length)| {
        let before = line[..*at].chars().next_back();
        let after = line[at + length..].trim_start();
        before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_' && letter != '"')
            && (after.is_empty()
                || ["{", "fn ", "impl", "trait ", "extern "].iter().any(|next| after.starts_with(next)))
    })
    .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_of_unsafe_are_counted() {
        let source = "// unsafe { }\nfn a() { unsafe { b() } }\nunsafe fn b() {}\nunsafe impl Send for C {}\n\
            let x = \"unsafe {\"; let unsafe_code = 1;\n#![forbid(unsafe_code)]\nunsafe\n{\n}\n";
        assert_eq!(unsafe_in(source), 4);
    }

    #[test]
    fn this_workspace_is_read() {
        let packages = packages().unwrap();
        let find = |name: &str| packages.iter().find(|package| package.name == name).expect("a package");
        assert!(find("node_exporter").is_own && find("rustls").is_of_exporter && !find("rustls").is_own);
        assert!(!find("proptest").is_of_exporter, "it is used by tests only");
        assert_eq!(find("harness").folder.file_name(), Some("harness".as_ref()));
        let own = packages.iter().filter(|package| package.is_own);
        let unsafe_own: usize = own.map(|package| unsafe_count(package).unwrap()).sum();
        assert!(unsafe_own > 0, "harness/src/allocations.rs has some");
    }
}
