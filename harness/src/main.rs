//! `nodelab`: the harness at the command line.

use std::io;
use std::process::ExitCode;

use harness::{conformance, generated, load};

const HELP: &str = "\
usage: nodelab <command>

  accept            write the files that are derived from declarations and fixtures
  unpack FILE DIR   write a .tree file to disk as folders, for programs that read no other form (Unix only)
  conformance DIR   compare our collectors with node_exporter's end-to-end test data in DIR
";

fn main() -> ExitCode {
    let mut arguments = lexopt::Parser::from_env();
    let mut words = Vec::new();
    while let Ok(Some(argument)) = arguments.next() {
        match argument {
            lexopt::Arg::Value(word) => words.push(word.to_string_lossy().into_owned()),
            lexopt::Arg::Short('h') | lexopt::Arg::Long("help") => {
                print!("{HELP}");
                return ExitCode::SUCCESS;
            }
            other => return refuse(&other.unexpected().to_string()),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["accept"] => accept(),
        ["conformance", folder] => conformance(folder),
        ["unpack", file, folder] => unpack(file, folder),
        [] => return refuse("no command given"),
        _ => return refuse(&format!("`{}` is no command", words.join(" "))),
    };
    result.unwrap_or_else(|error| {
        eprintln!("nodelab: {error}");
        ExitCode::FAILURE
    })
}

fn refuse(problem: &str) -> ExitCode {
    eprint!("nodelab: {problem}\n\n{HELP}");
    ExitCode::from(2)
}

fn accept() -> io::Result<ExitCode> {
    for file in generated::all()? {
        if !file.is_up_to_date() {
            load::write(&file.full_path(), file.content.as_bytes())?;
            println!("wrote {}", file.path);
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(unix)]
fn unpack(file: &str, folder: &str) -> io::Result<ExitCode> {
    let tree = load::tree(file.as_ref())?;
    for path in load::unpack(&tree, folder.as_ref())? {
        println!("left out, as it cannot be on disk: {path}");
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(unix))]
fn unpack(_: &str, _: &str) -> io::Result<ExitCode> {
    Err(io::Error::other("the disks of this system have no room for names with `:` and for symbolic links"))
}

fn conformance(folder: &str) -> io::Result<ExitCode> {
    let report = conformance::run(folder.as_ref())?;
    for (collector, tally) in &report.collectors {
        println!("{:>5} of {:<5} {collector}", tally.matched, tally.expected);
        tally.differences.iter().for_each(|line| println!("        {line}"));
    }
    let (matched, expected) = report.totals();
    println!("{matched:>5} of {expected:<5} all collectors that exist here");
    println!("{} families of the expected page have no collector yet", report.unowned.len());
    report.complaints.iter().for_each(|complaint| println!("complaint: {complaint}"));
    let is_equal = report.collectors.values().all(|tally| tally.differences.is_empty());
    Ok(if is_equal { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
