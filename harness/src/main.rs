//! `nodelab`: the harness at the command line.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main(lexopt::Parser::from_env())
}
