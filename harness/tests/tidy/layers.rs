//! Which modules of the simulator may use which.

use crate::{Source, assert_none, sources};

/// Recording and fault injection work on any host, so that they use nothing of the simulated one. These are the modules
/// of the crate that they may use.
const WITHOUT_HOST: [&str; 4] = ["recording", "fault", "span", "seed"];

/// Names after `crate::` in the code of a file, without its tests. Paths in comments do not count.
fn used_modules(source: &Source) -> Vec<String> {
    let code = source.text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let uses = lines.flat_map(|line| line.split("crate::").skip(1).map(str::to_owned).collect::<Vec<_>>());
    // `crate::{a, b::c}` names several.
    let names = uses.flat_map(|rest| match rest.strip_prefix('{') {
        Some(list) => list.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>(),
        None => vec![rest],
    });
    let is_name = |byte: char| byte.is_ascii_alphanumeric() || byte == '_';
    names.map(|name| name.chars().take_while(|&byte| is_name(byte)).collect()).collect()
}

fn is_without_host(path: &str) -> bool {
    let Some(module) = path.strip_prefix("simulator/src/") else { return false };
    let first = module.split(['/', '.']).next().unwrap_or_default();
    WITHOUT_HOST.contains(&first) && !path.ends_with("/tests.rs")
}

#[test]
fn recording_and_faults_use_nothing_of_the_simulated_host() {
    let sources = sources();
    let files: Vec<&Source> = sources.iter().filter(|source| is_without_host(&source.path)).collect();
    assert!(files.len() > 20, "{} files", files.len());
    let bad = files.iter().flat_map(|source| {
        let used = used_modules(source).into_iter().filter(|name| !WITHOUT_HOST.contains(&name.as_str()));
        used.map(|name| format!("{}: crate::{name}", source.path))
    });
    assert_none(&bad.collect::<Vec<_>>(), "recording, fault, span and seed must not use the simulated host");
}

#[test]
fn a_use_of_the_simulated_host_is_found() {
    let used = |text: &str| used_modules(&Source { path: String::new(), text: text.to_owned() });
    assert_eq!(used("use crate::host::Clock;\n"), ["host"]);
    assert_eq!(used("use crate::{Host, span};\n"), ["Host", "span"]);
    assert_eq!(used("    fn f(_: &crate::machine::Disk) {}\n"), ["machine"]);
    assert_eq!(used("/// [`Host`](crate::Host)\n#[cfg(test)]\nmod tests {\n    use crate::Host;\n}\n"), [""; 0]);
}
