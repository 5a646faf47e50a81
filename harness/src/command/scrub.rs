//! `nodelab scrub`, and the scrubbing of `nodelab record`: key, leak report, exit status.

use std::collections::BTreeMap;
use std::process::ExitCode;

use collectors::host::root::tree::Tree;
use harness::load;
use simulator::recording::scrub::{self, Allowance, KEY_BYTES, Key};

use super::{Arguments, Command, Failure, Flag};

pub(super) const COMMAND: Command = Command {
    name: "scrub",
    arguments: "FILE OUT",
    about: "replace the identities in a host by pseudonyms",
    details: "FILE is a .tree file, a ttar, tar or tar.zst archive, or a directory; OUT a .tree or .tar file, or a\n\
              directory.\n\
              \nHost and user names, MAC, IPv4 and IPv6 addresses, GUIDs, WWNs, serial numbers, UUIDs, command lines\n\
              and the machine-id are replaced by pseudonyms of the same form, consistently. Possible secrets that\n\
              remain are reported, and then nothing is written. docs/RECORDING.md has the details.\n",
    flags: &[KEY_FILE, ALLOW],
    exits: EXITS,
    run,
};

fn run(given: &Arguments) -> Result<ExitCode, Failure> {
    let [file, out] = given.words(["FILE", "OUT"])?;
    let tree = load::any_host(file.as_ref())?;
    match scrubbed(&tree, given)? {
        Ok(tree) => {
            for path in load::write_host(&tree, out.as_ref())? {
                say!("not written, cannot exist on disk: {path}");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(status) => Ok(status),
    }
}

/// Exit status if identities were found, so that nothing was written.
pub(super) const LEAKS_STATUS: u8 = 3;
/// Maximum number of locations shown per file.
const SHOWN_MAX: usize = 3;
/// Exit statuses for the help.
pub(super) const EXITS: &[(u8, &str)] =
    &[(LEAKS_STATUS, "nothing was written: the leak report lists possible secrets")];

/// `--key-file`.
pub(super) const KEY_FILE: Flag = Flag::value(
    "key-file",
    "FILE",
    "File with 64 hexadecimal digits, for repeatable pseudonyms. Default: a random key that is not kept.",
);
/// `--allow`.
pub(super) const ALLOW: Flag = Flag::values(
    "allow",
    "SUSPICION:PATH",
    "Write this finding of the leak report unchanged. A * in the path matches anything.",
);

/// Scrubs a tree. `Err` is the exit status if the leak report prevents writing; the report goes to standard error.
pub(super) fn scrubbed(tree: &Tree, given: &Arguments) -> Result<Result<Tree, ExitCode>, Failure> {
    let allowances = given.texts(ALLOW.name)?.into_iter().map(Allowance::parse).collect::<Result<Vec<_>, _>>();
    let allowances = allowances.map_err(|error| Failure::Usage(format!("--allow: {error}")))?;
    let scrubbed = scrub::scrub(tree, &key(given)?).map_err(Failure::Broken)?;
    let counts: Vec<String> = scrubbed
        .counts
        .iter()
        .map(|(category, count)| format!("{count} {}", plural(category.name(), *count)))
        .collect();
    eprintln!("replaced: {}", if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") });
    let is_allowed = |leak: &scrub::Leak| allowances.iter().any(|allowance| allowance.allows(leak));
    let (allowed, leaks): (Vec<_>, Vec<_>) = scrubbed.leaks.into_iter().partition(is_allowed);
    if !allowed.is_empty() {
        eprintln!("allowed: {}", allowed.len());
    }
    if leaks.is_empty() {
        return Ok(Ok(scrubbed.tree));
    }
    eprintln!("nothing is written: {} possible secrets\n", leaks.len());
    let mut named: BTreeMap<String, Vec<&scrub::Leak>> = BTreeMap::new();
    for leak in &leaks {
        named.entry(leak.name()).or_default().push(leak);
    }
    for (name, leaks) in named {
        let (shown, more) = leaks.split_at(leaks.len().min(SHOWN_MAX));
        for leak in shown {
            eprintln!("  {leak}");
        }
        if !more.is_empty() {
            eprintln!("  … and {} more", more.len());
        }
        eprintln!("      --allow {name}");
    }
    Ok(Err(ExitCode::from(LEAKS_STATUS)))
}

fn plural(name: &str, count: usize) -> String {
    match name {
        _ if count == 1 => name.to_owned(),
        name if name.ends_with("address") => format!("{name}es"),
        name => format!("{name}s"),
    }
}

fn key(given: &Arguments) -> Result<Key, Failure> {
    if let Some(path) = given.path(KEY_FILE.name) {
        let text = String::from_utf8(load::bytes(path)?).unwrap_or_default();
        let problem = "expected 64 hexadecimal digits, as from `openssl rand -hex 32`";
        return Key::from_hex(&text).ok_or_else(|| Failure::of(path.display(), problem));
    }
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| Failure::of("random numbers for the key", error))?;
    Ok(Key::new(bytes))
}
