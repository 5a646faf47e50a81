//! The commands of `nodelab`: one table, from which help and argument parsing are derived.
//!
//! A new command is a file below `command/` that holds a [`Command`], and a line in [`ALL`].

/// Prints a line on standard output. A closed pipe, as with `head`, is not an error.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::command::tell(format_args!($($words)*))
    };
}

mod accept;
mod arguments;
mod audit;
mod bench;
mod check;
mod conformance;
mod diff;
mod fuzz;
mod gates;
mod generate;
mod help;
mod laws;
mod list;
mod new;
mod progress;
mod record;
mod scrape;
mod scrub;
mod show;
mod unpack;

use std::fmt;
use std::io;
use std::process::ExitCode;

use collectors::kit::nearest;

pub(crate) use arguments::Arguments;

/// Every command, in the order of the help.
const ALL: &[&Command] = &[
    &generate::COMMAND,
    &record::COMMAND,
    &scrub::COMMAND,
    &show::COMMAND,
    &list::COMMAND,
    &unpack::COMMAND,
    &check::COMMAND,
    &diff::COMMAND,
    &conformance::COMMAND,
    &laws::COMMAND,
    &fuzz::COMMAND,
    &new::COMMAND,
    &scrape::COMMAND,
    &gates::COMMAND,
    &bench::COMMAND,
    &audit::COMMAND,
    &accept::COMMAND,
];

/// One command.
#[derive(Debug)]
pub(crate) struct Command {
    /// Its name.
    pub(crate) name: &'static str,
    /// The arguments after the name, as the help shows them.
    pub(crate) arguments: &'static str,
    /// One line of description.
    pub(crate) about: &'static str,
    /// The full description: paragraphs separated by an empty line.
    pub(crate) details: &'static str,
    /// Its flags.
    pub(crate) flags: &'static [Flag],
    /// Exit statuses besides the common ones.
    pub(crate) exits: &'static [(u8, &'static str)],
    /// Runs the command.
    pub(crate) run: fn(&Arguments) -> Result<ExitCode, Failure>,
}

/// One flag of a command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag {
    /// Its name, without `--`.
    pub(crate) name: &'static str,
    /// The placeholder of its value; `None` for a switch.
    pub(crate) value: Option<&'static str>,
    /// Whether it may be repeated.
    pub(crate) is_repeated: bool,
    /// Description.
    pub(crate) help: &'static str,
}

impl Flag {
    /// A flag without a value.
    pub(crate) const fn switch(name: &'static str, help: &'static str) -> Self {
        Self { name, value: None, is_repeated: false, help }
    }

    /// A flag with a value.
    pub(crate) const fn value(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { name, value: Some(value), is_repeated: false, help }
    }

    /// A flag with a value that may be repeated.
    pub(crate) const fn values(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { name, value: Some(value), is_repeated: true, help }
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Invalid command line.
    Usage(String),
    /// Something went wrong.
    Broken(String),
}

impl Failure {
    /// Exit status for an invalid command line.
    pub(crate) const USAGE_STATUS: u8 = 2;

    /// An error about a named thing.
    pub(crate) fn of(thing: impl fmt::Display, error: impl fmt::Display) -> Self {
        Self::Broken(format!("{thing}: {error}"))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// Runs the command that the arguments name.
pub(crate) fn main(mut parser: lexopt::Parser) -> ExitCode {
    let command = match parser.next() {
        Ok(Some(lexopt::Arg::Short('h') | lexopt::Arg::Long("help"))) => return print(&help::overview(ALL)),
        Ok(Some(lexopt::Arg::Short('V') | lexopt::Arg::Long("version"))) => {
            return print(&format!("nodelab {}\n", env!("CARGO_PKG_VERSION")));
        }
        Ok(Some(lexopt::Arg::Value(name))) => match name.to_str() {
            Some("help") => return help_of(parser),
            name => ALL.iter().find(|command| Some(command.name) == name).ok_or_else(|| unknown(name)),
        },
        Ok(Some(other)) => Err(other.unexpected().to_string()),
        Ok(None) => return refuse("no command given", &help::overview(ALL)),
        Err(error) => Err(error.to_string()),
    };
    let command = match command {
        Ok(command) => command,
        Err(problem) => return refuse(&problem, &help::names(ALL)),
    };
    let given = match arguments::read(command, parser) {
        Ok(Some(given)) => given,
        Ok(None) => return print(&help::page(command)),
        Err(problem) => return refuse(&problem, &help::usage(command)),
    };
    match (command.run)(&given) {
        Ok(status) => status,
        Err(Failure::Usage(problem)) => refuse(&problem, &help::usage(command)),
        Err(Failure::Broken(problem)) => {
            eprintln!("nodelab {}: {problem}", command.name);
            ExitCode::FAILURE
        }
    }
}

fn unknown(name: Option<&str>) -> String {
    let name = name.unwrap_or("�");
    match nearest::among(name, ALL.iter().map(|command| command.name)) {
        Some(near) => format!("`{name}` is not a command (did you mean {near}?)"),
        None => format!("`{name}` is not a command"),
    }
}

/// `nodelab help [COMMAND]`.
fn help_of(mut parser: lexopt::Parser) -> ExitCode {
    let name = match parser.next() {
        Ok(Some(lexopt::Arg::Value(name))) => name.to_string_lossy().into_owned(),
        _ => return print(&help::overview(ALL)),
    };
    match ALL.iter().find(|command| command.name == name) {
        Some(command) => print(&help::page(command)),
        None => refuse(&unknown(Some(&name)), &help::names(ALL)),
    }
}

/// A reader that has seen enough, such as `head`, is no mistake.
pub(crate) fn print(text: &str) -> ExitCode {
    print_bytes(text.as_bytes())
}

/// Prints the line of `say!`.
fn tell(words: fmt::Arguments<'_>) {
    let _ = print(&format!("{words}\n"));
}

/// Prints bytes that may not be UTF-8.
pub(crate) fn print_bytes(bytes: &[u8]) -> ExitCode {
    use std::io::Write;
    match io::stdout().lock().write_all(bytes) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("nodelab: standard output: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn refuse(problem: &str, advice: &str) -> ExitCode {
    eprint!("nodelab: {problem}\n\n{advice}");
    ExitCode::from(Failure::USAGE_STATUS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_texts_end_as_they_should() {
        for (at, command) in ALL.iter().enumerate() {
            assert!(ALL[..at].iter().all(|other| other.name != command.name), "{}", command.name);
            assert!(command.about.ends_with(|last: char| last.is_alphanumeric()), "{}", command.about);
            for (at, flag) in command.flags.iter().enumerate() {
                assert!(command.flags[..at].iter().all(|other| other.name != flag.name), "{}", flag.name);
                assert!(flag.help.ends_with('.') && !flag.help.contains('\n'), "{}", flag.help);
            }
        }
    }

    #[test]
    fn no_help_line_is_wider_than_the_limit() {
        let pages = ALL.iter().map(|command| help::page(command)).chain([help::overview(ALL)]);
        for page in pages {
            let long = page.lines().find(|line| line.chars().count() > help::COLUMNS);
            assert_eq!(long, None);
            assert!(page.ends_with('\n') && page.contains("exit status"), "{page}");
        }
    }
}
